//! `Definitions` → [`Plan`]: every derivation, complete before the first one runs. No I/O.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mediabuild_schema::Definitions;
use mediabuild_schema::definition::{
    Application, BootFilesFrom, BootImage, ContentLayout, ImageBase, ImageSelector, InputPath,
    Kind, Media, MediaType, OsImage, SecretReference, Source, Spanned, Variable, VariableValue,
    WimImage,
};

use crate::builders::Builder;
use crate::builders::boot_files::{BootFiles, BootFilesOrigin};
use crate::builders::boot_image::BootImageRequest;
use crate::builders::bootable::Bootable;
use crate::builders::import::ImportFile;
use crate::builders::import_folder::{Filter, ImportFolder};
use crate::builders::import_wim::ImportWim;
use crate::builders::os_image::OsImageRequest;
use crate::builders::package::Package;
use crate::builders::prestaged::Prestaged;
use crate::builders::variables::{VariableText, Variables};
use crate::builders::wim_content::ImageChoice;
use crate::builders::wim_part::WimPart;
use crate::derivation::{Derivation, DerivationIdx, Input};
use crate::failure::Failure;
use crate::media_layout;
use crate::probe::Inputs;
use crate::secret::Secret;

/// All derivations of an invocation. A derivation's inputs come before it.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) derivations: Vec<Derivation>,
    pub(crate) targets: Vec<Target>,
}

/// What a user asked for by name.
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) derivation: DerivationIdx,
    /// Where its result goes, relative to the result folder, with `/`.
    pub(crate) result: String,
}

/// A definition by kind and name.
pub(crate) type Wanted = (Kind, String);

/// How the planner learns a secret's value.
pub(crate) type LookUp<'a> = &'a dyn Fn(&SecretReference) -> Result<Secret, Failure>;

/// Lowers what is wanted. `epoch_seconds` is the time every generated file gets; `inputs` tells
/// files from folders.
pub(crate) fn plan(
    definitions: &Definitions,
    wanted: &[Wanted],
    inputs: &Inputs,
    epoch_seconds: i64,
    look_up: LookUp<'_>,
) -> Result<Plan, Failure> {
    let mut planner = Planner {
        definitions,
        inputs,
        epoch_seconds,
        look_up,
        plan: Plan::default(),
        known: BTreeMap::new(),
    };
    for (kind, name) in wanted {
        let derivation = planner.definition(*kind, name)?;
        let result = result_path(definitions, *kind, name);
        planner.plan.targets.push(Target { kind: *kind, name: name.clone(), derivation, result });
    }
    Ok(planner.plan)
}

/// A medium says its own; everything else goes to a folder of its kind, so that no two collide.
fn result_path(definitions: &Definitions, kind: Kind, name: &str) -> String {
    match (kind, definitions.media(name)) {
        (Kind::Media, Some(media)) => media.output.file.value.clone(),
        (Kind::BootImage | Kind::OsImage, _) => format!("{kind}/{name}.wim"),
        (Kind::Variables, _) => format!("{kind}/{name}.dat"),
        _ => format!("{kind}/{name}"),
    }
}

struct Planner<'a> {
    definitions: &'a Definitions,
    inputs: &'a Inputs,
    epoch_seconds: i64,
    look_up: LookUp<'a>,
    plan: Plan,
    /// What was lowered already, by a name of its own.
    known: BTreeMap<String, DerivationIdx>,
}

/// An input under construction.
fn input(role: impl Into<String>, from: DerivationIdx) -> Input {
    Input { role: role.into(), from }
}

impl Planner<'_> {
    fn definition(&mut self, kind: Kind, name: &str) -> Result<DerivationIdx, Failure> {
        let key = format!("{kind}:{name}");
        if let Some(&idx) = self.known.get(&key) {
            return Ok(idx);
        }
        let idx = match kind {
            Kind::BootImage => {
                self.boot_image(found(self.definitions.boot_image(name), kind, name)?)?
            }
            Kind::OsImage => self.os_image(found(self.definitions.os_image(name), kind, name)?)?,
            Kind::DriverPackage => {
                let package = found(self.definitions.driver_package(name), kind, name)?;
                self.package(kind, name, &package.source, true)?
            }
            Kind::Application => {
                let package = found(self.definitions.application(name), kind, name)?;
                self.package(kind, name, &package.source, false)?
            }
            Kind::Package => {
                let package = found(self.definitions.package(name), kind, name)?;
                self.package(kind, name, &package.source, false)?
            }
            Kind::Variables => {
                let variables = found(self.definitions.variables(name), kind, name)?;
                self.plain_variables(name, &variables.variables)?
            }
            Kind::Media => self.media(found(self.definitions.media(name), kind, name)?)?,
        };
        self.known.insert(key, idx);
        Ok(idx)
    }

    fn add(
        &mut self,
        label: impl Into<String>,
        builder: impl Builder + 'static,
        inputs: Vec<Input>,
    ) -> DerivationIdx {
        let idx = DerivationIdx(self.plan.derivations.len());
        self.plan.derivations.push(Derivation {
            label: label.into(),
            builder: Box::new(builder),
            inputs,
        });
        idx
    }

    /// Adds an import once, however often it is named.
    fn import(
        &mut self,
        key: String,
        label: String,
        builder: impl Builder + 'static,
    ) -> DerivationIdx {
        if let Some(&idx) = self.known.get(&key) {
            return idx;
        }
        let idx = self.add(label, builder, Vec::new());
        self.known.insert(key, idx);
        idx
    }

    fn import_file(&mut self, input: &InputPath) -> DerivationIdx {
        let InputPath { path, project_path, .. } = input.clone();
        let (key, label) =
            (format!("import file {project_path}"), format!("import {project_path}"));
        let total_bytes = self.inputs.bytes(&path);
        self.import(key, label, ImportFile { path, project_path, total_bytes })
    }

    fn import_wim(&mut self, input: &InputPath) -> DerivationIdx {
        let InputPath { path, project_path, .. } = input.clone();
        let (key, label) = (format!("import wim {project_path}"), format!("import {project_path}"));
        let total_bytes = self.inputs.bytes(&path);
        self.import(key, label, ImportWim { path, project_path, total_bytes })
    }

    fn import_folder(&mut self, input: &InputPath, filter: Filter, follow: bool) -> DerivationIdx {
        let InputPath { path, project_path, .. } = input.clone();
        let key = format!("import folder {project_path} {filter:?} {follow}");
        let label = format!("import {project_path}");
        let total_bytes = self.inputs.bytes(&path);
        let folder =
            ImportFolder { path, project_path, filter, follow_symlinks: follow, total_bytes };
        self.import(key, label, folder)
    }

    fn source(&mut self, source: &Source) -> DerivationIdx {
        match source {
            Source::Path { path, .. } if self.inputs.is_file(&path.path) => self.import_file(path),
            Source::Path { path, filter, follow_symlinks } => {
                self.import_folder(path, plain_filter(filter), *follow_symlinks)
            }
            Source::WimPart { image, path, filter } => {
                let wim = self.import_wim(&image.wim);
                let path = path.as_ref().map_or(String::new(), |path| path.value.clone());
                let label = format!("take {path} from {}", image.wim.project_path);
                let builder = WimPart {
                    image: choice(&image.selector.value),
                    path,
                    filter: plain_filter(filter),
                };
                self.add(label, builder, vec![input("wim", wim)])
            }
        }
    }

    fn package(
        &mut self,
        kind: Kind,
        name: &str,
        source: &Source,
        drivers: bool,
    ) -> Result<DerivationIdx, Failure> {
        let from = self.source(source);
        let builder = Package { drivers, file_name: file_name(source) };
        Ok(self.add(format!("{kind} {name}"), builder, vec![input("source", from)]))
    }

    /// The base of an image: its derivation, and which image of it.
    fn base(&mut self, base: &ImageBase) -> (DerivationIdx, Option<ImageChoice>) {
        match base {
            ImageBase::Wim(WimImage { wim, selector }) => {
                (self.import_wim(wim), Some(choice(&selector.value)))
            }
            ImageBase::Source(source) => (self.source(source), None),
        }
    }

    fn overlays(&mut self, overlays: &[Source]) -> Vec<Input> {
        let numbered = overlays.iter().enumerate();
        numbered.map(|(at, overlay)| input(format!("overlay/{at}"), self.source(overlay))).collect()
    }

    fn os_image(&mut self, image: &OsImage) -> Result<DerivationIdx, Failure> {
        let (base, choice) = self.base(&image.base);
        let mut inputs = vec![input("base", base)];
        inputs.extend(self.overlays(&image.overlays));
        let builder = OsImageRequest {
            name: image.name.value.clone(),
            arch: image.arch.value.name().into(),
            image: choice,
            epoch_seconds: self.epoch_seconds,
        };
        Ok(self.add(format!("os-image {}", image.name.value), builder, inputs))
    }

    fn boot_image(&mut self, image: &BootImage) -> Result<DerivationIdx, Failure> {
        let (base, choice) = self.base(&image.base);
        let mut inputs = vec![input("base", base)];
        inputs.extend(self.overlays(&image.overlays));
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
        };
        Ok(self.add(format!("boot-image {}", image.name.value), builder, inputs))
    }

    /// The boot files of a medium with that boot image; `None` if the boot image names none.
    fn boot_files(&mut self, image: &BootImage) -> Result<Option<DerivationIdx>, Failure> {
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
                    let folder = self.import_folder(folder, Filter::default(), false);
                    inputs.push(input(format!("folder/{at}"), folder));
                    origins.push(BootFilesOrigin::Folder(at));
                }
            }
        }
        let builder = BootFiles { arch: image.arch.value.name().into(), origins };
        let idx = self.add(format!("boot-files of {}", image.name.value), builder, inputs);
        self.known.insert(key, idx);
        Ok(Some(idx))
    }

    fn media(&mut self, media: &Media) -> Result<DerivationIdx, Failure> {
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
            MediaType::Bootable => Ok(self.bootable(media, boot_image, inputs)),
        }
    }

    fn prestaged(
        &mut self,
        media: &Media,
        mut inputs: Vec<Input>,
    ) -> Result<DerivationIdx, Failure> {
        let os_image = media.os_image.as_ref().map_or("", |name| &name.value);
        inputs.push(input("os-image", self.definition(Kind::OsImage, os_image)?));
        let builder = Prestaged {
            name: media.name.value.clone(),
            packages: packages_folder(media),
            epoch_seconds: self.epoch_seconds,
        };
        Ok(self.add(format!("media {}", media.name.value), builder, inputs))
    }

    fn bootable(
        &mut self,
        media: &Media,
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
        let label = media.output.label.as_ref().unwrap_or(&media.name).value.clone();
        let builder =
            Bootable { label, packages: packages_folder(media), epoch_seconds: self.epoch_seconds };
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
    fn plain_variables(
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

fn found<T>(definition: Option<T>, kind: Kind, name: &str) -> Result<T, Failure> {
    definition.ok_or_else(|| Failure::usage(format!("there is no {kind} `{name}`")))
}

fn same_folder(media: &Media, name: &str, one: Kind, other: Kind) -> Failure {
    let media = &media.name.value;
    Failure::usage(format!("media `{media}`: {one} `{name}` and {other} `{name}` share one folder"))
        .help("rename one of them")
}

fn packages_folder(media: &Media) -> String {
    match media.content_layout {
        ContentLayout::SmsPkg => media_layout::PACKAGES.into(),
        ContentLayout::TaskSequenceCache => media_layout::PACKAGES_IN_CACHE.into(),
    }
}

fn plain_filter(filter: &mediabuild_schema::definition::Filter) -> Filter {
    let plain = |globs: &[Spanned<String>]| globs.iter().map(|glob| glob.value.clone()).collect();
    Filter { include: plain(&filter.include), exclude: plain(&filter.exclude) }
}

fn choice(selector: &ImageSelector) -> ImageChoice {
    match selector {
        ImageSelector::Only => ImageChoice::Only,
        ImageSelector::Index(index) => ImageChoice::Index(*index),
        ImageSelector::Name(name) => ImageChoice::Name(name.clone()),
        ImageSelector::Edition(edition) => ImageChoice::Edition(edition.clone()),
    }
}

/// The last part of a source's path, for a source that is a single file.
fn file_name(source: &Source) -> Option<String> {
    let path = match source {
        Source::Path { path, .. } => path.project_path.clone(),
        Source::WimPart { path, .. } => path.as_ref()?.value.clone(),
    };
    let name = PathBuf::from(path).file_name()?.to_str()?.to_owned();
    Some(name)
}
