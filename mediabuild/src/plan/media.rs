//! Media, what lies on them, and their variables → derivations.

use std::collections::BTreeMap;

use mediabuild_schema::definition::{
    Application, BootImage, ContentLayout, Kind, Media, MediaOutput, MediaType, Spanned, Variable,
    VariableValue,
};

use super::coding::{coding, delivery};
use super::{Planner, Wanted, found, input};
use crate::builders::bootable::Bootable;
use crate::builders::disc_set::DiscSet;
use crate::builders::prestaged::Prestaged;
use crate::builders::variables::{VariableText, Variables};
use crate::derivation::{DerivationIdx, Input};
use crate::failure::Failure;
use crate::media_layout;

impl Planner<'_> {
    pub(super) fn media(&mut self, media: &Media) -> Result<DerivationIdx, Failure> {
        let boot_image = found(
            self.definitions.boot_image(&media.boot_image.value),
            Kind::BootImage,
            &media.boot_image.value,
        )?;
        let mut inputs =
            vec![input("boot-image", self.definition(Kind::BootImage, &media.boot_image.value)?)];
        if let Some(files) = self.boot_files(boot_image)? {
            inputs.push(input("boot-files", files));
        }
        inputs.push(input("variables", self.media_variables(media)?));
        inputs.extend(self.media_content(media)?);
        match media.media_type.value {
            MediaType::Prestaged => self.prestaged(media, inputs),
            MediaType::Bootable => {
                let disk_image = self.disk_image(media, &inputs);
                let output = media.output.as_ref();
                let iso = output.map(|output| self.bootable(media, output, boot_image, inputs));
                iso.or(disk_image).ok_or_else(|| no_output(media))
            }
        }
    }

    fn prestaged(
        &mut self,
        media: &Media,
        mut inputs: Vec<Input>,
    ) -> Result<DerivationIdx, Failure> {
        let output = media.output.as_ref().ok_or_else(|| no_output(media))?;
        let os_image = media.os_image.as_ref().map_or("", |name| &name.value);
        inputs.push(input("os-image", self.definition(Kind::OsImage, os_image)?));
        let builder = Prestaged {
            name: media.name.value.clone(),
            packages: packages_folder(media),
            epoch_seconds: self.epoch_seconds,
            coding: coding(media.compression.as_ref()),
            delivery: delivery(&output.wim, file_name(&output.file.value)),
        };
        Ok(self.add(format!("media {}", media.name.value), builder, inputs))
    }

    fn bootable(
        &mut self,
        media: &Media,
        output: &MediaOutput,
        boot: &BootImage,
        mut inputs: Vec<Input>,
    ) -> DerivationIdx {
        if let Some(files) = &boot.boot_files {
            if let Some(bios) = &files.el_torito_bios {
                inputs.push(input("el-torito/bios", self.import_file(bios)));
            }
            if let Some(uefi) = &files.el_torito_uefi {
                inputs.push(input("el-torito/uefi", self.import_file(uefi)));
            }
        }
        if let Some(order) = &output.order {
            inputs.push(input("order", self.import_file(order)));
        }
        let set = output.capacity_bytes.as_ref().map(|capacity| DiscSet {
            capacity_bytes: capacity.value,
            name: file_name(output.folder()).to_owned(),
        });
        let builder = Bootable {
            label: output.label.as_ref().unwrap_or(&media.name).value.clone(),
            packages: packages_folder(media),
            epoch_seconds: self.epoch_seconds,
            is_mirrored: output.mirror.is_some(),
            set,
        };
        self.add(format!("media {}", media.name.value), builder, inputs)
    }

    /// Packages, applications with what they depend on, and driver packages, each under its name.
    fn media_content(&mut self, media: &Media) -> Result<Vec<Input>, Failure> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let names = |kind, names: &[Spanned<String>]| -> Vec<Wanted> {
            names.iter().map(|name| (kind, name.value.clone())).collect()
        };
        wanted.extend(names(Kind::Package, &media.packages));
        wanted.extend(self.applications(media).into_iter().map(|name| (Kind::Application, name)));
        wanted.extend(names(Kind::DriverPackage, &media.driver_packages));
        let mut inputs = Vec::new();
        let mut folders: BTreeMap<String, Kind> = BTreeMap::new();
        for (kind, name) in wanted {
            if let Some(other) = folders.insert(name.to_lowercase(), kind) {
                if other == kind {
                    continue;
                }
                return Err(same_folder(media, &name, other, kind));
            }
            let package = self.definition(kind, &name)?;
            inputs.push(input(format!("package/{name}"), package));
        }
        Ok(inputs)
    }

    fn applications(&self, media: &Media) -> Vec<String> {
        let names: Vec<&str> = media.applications.iter().map(|name| name.value.as_str()).collect();
        if !media.dependencies {
            return names.into_iter().map(str::to_owned).collect();
        }
        let closure = self.definitions.application_closure(&names);
        closure
            .into_iter()
            .map(|application: &Application| application.name.value.clone())
            .collect()
    }

    fn media_variables(&mut self, media: &Media) -> Result<DerivationIdx, Failure> {
        let media_type = match media.media_type.value {
            MediaType::Prestaged => media_layout::MEDIA_TYPE_PRESTAGED,
            MediaType::Bootable => media_layout::MEDIA_TYPE_BOOTABLE,
        };
        let own = (media_layout::MEDIA_TYPE_VARIABLE.into(), VariableText::Text(media_type.into()));
        let mut variables = vec![own];
        variables.extend(self.values(&media.variables)?);
        let password = media.password.as_ref();
        let password = password.map(|password| (self.look_up)(&password.value)).transpose()?;
        let label = format!("variables of {}", media.name.value);
        Ok(self.add(label, Variables { variables, password }, Vec::new()))
    }

    /// `variables` as a target: nobody's password protects them, so they may hold no secret.
    pub(super) fn plain_variables(
        &mut self,
        name: &str,
        variables: &[Variable],
    ) -> Result<DerivationIdx, Failure> {
        let secret = variables.iter().find(|v| matches!(v.value.value, VariableValue::Secret(_)));
        if let Some(variable) = secret {
            let message = format!("`variables:{name}` holds the secret `{}`", variable.name.value);
            return Err(Failure::usage(message)
                .help("build a medium with a password that uses them instead"));
        }
        let variables = self.values(variables)?;
        Ok(self.add(
            format!("variables {name}"),
            Variables { variables, password: None },
            Vec::new(),
        ))
    }

    fn values(&self, variables: &[Variable]) -> Result<Vec<(String, VariableText)>, Failure> {
        let value = |variable: &Variable| match &variable.value.value {
            VariableValue::Text(text) => Ok(VariableText::Text(text.clone())),
            VariableValue::Secret(reference) => (self.look_up)(reference).map(VariableText::Secret),
        };
        variables.iter().map(|v| Ok((v.name.value.clone(), value(v)?))).collect()
    }
}

fn same_folder(media: &Media, name: &str, one: Kind, other: Kind) -> Failure {
    let media = &media.name.value;
    Failure::usage(format!("media `{media}`: {one} `{name}` and {other} `{name}` share one folder"))
        .help("rename one of them")
}

fn no_output(media: &Media) -> Failure {
    Failure::usage(format!("media `{}` has neither `output` nor `usb`", media.name.value))
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Where packages lie on a medium.
pub(crate) fn packages_folder(media: &Media) -> String {
    match media.content_layout {
        ContentLayout::SmsPkg => media_layout::PACKAGES.into(),
        ContentLayout::TaskSequenceCache => media_layout::PACKAGES_IN_CACHE.into(),
    }
}
