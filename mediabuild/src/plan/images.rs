//! Boot images, OS images and boot files → derivations.

use mediabuild_schema::definition::{
    BootFilesFrom, BootImage, Filter, ImageBase, IsoImage, Kind, OsImage, Signer, Source, WimImage,
};

use super::coding::{coding, delivery};
use super::{Planner, choice, input};
use crate::builders::boot_files::{BootFiles, BootFilesOrigin};
use crate::builders::boot_image::BootImageRequest;
use crate::builders::boot_signers::BootSigner;
use crate::builders::delivery::Delivery;
use crate::builders::iso_wim::IsoWim;
use crate::builders::os_image::OsImageRequest;
use crate::builders::wim_content::ImageChoice;
use crate::derivation::{DerivationIdx, Input};
use crate::failure::Failure;

impl Planner<'_> {
    /// The base of an image: its derivation, and which image of it.
    fn base(&mut self, base: &ImageBase) -> (DerivationIdx, Option<ImageChoice>) {
        match base {
            ImageBase::Wim(WimImage { wim, selector }) => {
                (self.import_wim(wim), Some(choice(&selector.value)))
            }
            ImageBase::Iso(image) => (self.iso_wim(image), Some(choice(&image.selector.value))),
            ImageBase::Source(source) => (self.source(source), None),
        }
    }

    /// A WIM in an ISO, once for all its images.
    fn iso_wim(&mut self, image: &IsoImage) -> DerivationIdx {
        let iso = self.import_iso(&image.iso);
        let path = image.wim.value.clone();
        let label = format!("open {path} in {}", image.iso.project_path);
        if let Some(&idx) = self.known.get(&label) {
            return idx;
        }
        let idx = self.add(label.clone(), IsoWim { path }, vec![input("iso", iso)]);
        self.known.insert(label, idx);
        idx
    }

    fn overlays(&mut self, overlays: &[Source]) -> Vec<Input> {
        let numbered = overlays.iter().enumerate();
        numbered.map(|(at, overlay)| input(format!("overlay/{at}"), self.source(overlay))).collect()
    }

    /// The image as media have it: whole.
    pub(super) fn os_image(&mut self, image: &OsImage) -> Result<DerivationIdx, Failure> {
        self.os_image_in(image, Delivery::default())
    }

    /// The image by itself: in the files that its `output` says.
    pub(super) fn os_image_result(&mut self, image: &OsImage) -> Result<DerivationIdx, Failure> {
        let name = &image.name.value;
        match delivery(&image.output, &format!("{name}.swm")) {
            whole if whole == Delivery::default() => self.definition(Kind::OsImage, name),
            other => self.os_image_in(image, other),
        }
    }

    fn os_image_in(
        &mut self,
        image: &OsImage,
        delivery: Delivery,
    ) -> Result<DerivationIdx, Failure> {
        let (base, choice) = self.base(&image.base);
        let mut inputs = vec![input("base", base)];
        inputs.extend(self.overlays(&image.overlays));
        inputs.extend(self.exclusions(&image.options));
        let label = match delivery == Delivery::default() {
            true => format!("os-image {}", image.name.value),
            false => format!("files of os-image {}", image.name.value),
        };
        let builder = OsImageRequest {
            name: image.name.value.clone(),
            arch: image.arch.value.name().into(),
            image: choice,
            epoch_seconds: self.epoch_seconds,
            coding: coding(image.options.compression.as_ref()),
            delivery,
            changes: self.image_changes(&image.options)?,
        };
        Ok(self.add(label, builder, inputs))
    }

    pub(super) fn boot_image(&mut self, image: &BootImage) -> Result<DerivationIdx, Failure> {
        let (base, choice) = self.base(&image.base);
        let mut inputs = vec![input("base", base)];
        inputs.extend(self.overlays(&image.overlays));
        inputs.extend(self.exclusions(&image.options));
        let mut drivers = Vec::new();
        for placement in &image.driver_packages {
            let name = &placement.name.value;
            let package = self.definition(Kind::DriverPackage, name)?;
            inputs.push(input(format!("drivers/{name}"), package));
            drivers.push((name.clone(), placement.folder()));
        }
        let builder = BootImageRequest {
            name: image.name.value.clone(),
            arch: image.arch.value.name().into(),
            image: choice,
            drivers,
            start: image.start.as_ref().map(|start| start.value.clone()),
            epoch_seconds: self.epoch_seconds,
            coding: coding(image.options.compression.as_ref()).bootable(),
            changes: self.image_changes(&image.options)?,
        };
        Ok(self.add(format!("boot-image {}", image.name.value), builder, inputs))
    }

    /// The boot files of a medium with that boot image; `None` if the boot image names none.
    pub(super) fn boot_files(
        &mut self,
        image: &BootImage,
    ) -> Result<Option<DerivationIdx>, Failure> {
        let Some(files) = &image.boot_files else { return Ok(None) };
        if files.from.is_empty() {
            return Ok(None);
        }
        let key = format!("boot-files:{}", image.name.value);
        if let Some(&idx) = self.known.get(&key) {
            return Ok(Some(idx));
        }
        let mut inputs =
            vec![input("boot-image", self.definition(Kind::BootImage, &image.name.value)?)];
        let mut origins = Vec::new();
        for (at, from) in files.from.iter().enumerate() {
            match from {
                BootFilesFrom::Image(_) => origins.push(BootFilesOrigin::Image),
                BootFilesFrom::Folder(folder) => {
                    let folder = self.import_folder(folder, &Filter::default(), false);
                    inputs.push(input(format!("folder/{at}"), folder));
                    origins.push(BootFilesOrigin::Folder(at));
                }
                BootFilesFrom::Disc(iso) => {
                    inputs.push(input(format!("iso/{at}"), self.import_iso(iso)));
                    origins.push(BootFilesOrigin::Disc(at));
                }
            }
        }
        // Its boot managers must go with the others.
        if let Some(uefi) = &files.el_torito_uefi {
            inputs.push(input("el-torito/uefi", self.import_file(uefi)));
        }
        let signer = files.signer.as_ref().map(|signer| boot_signer(signer.value));
        let builder = BootFiles { arch: image.arch.value.name().into(), origins, signer };
        let idx = self.add(format!("boot-files of {}", image.name.value), builder, inputs);
        self.known.insert(key, idx);
        Ok(Some(idx))
    }
}

/// The builder's word for a signer.
pub(crate) fn boot_signer(signer: Signer) -> BootSigner {
    match signer {
        Signer::Pca2011 => BootSigner::Pca2011,
        Signer::Ca2023 => BootSigner::Ca2023,
    }
}
