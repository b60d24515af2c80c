//! `Definitions` → [`Plan`]: every derivation, complete before the first one runs. No I/O.

mod images;
mod media;

use std::collections::BTreeMap;

use mediabuild_schema::Definitions;
use mediabuild_schema::definition::{
    ImageSelector, InputPath, Kind, SecretReference, Source, Spanned,
};

use crate::builders::Builder;
use crate::builders::import::ImportFile;
use crate::builders::import_folder::{Filter, ImportFolder};
use crate::builders::import_wim::ImportWim;
use crate::builders::package::Package;
use crate::builders::wim_content::ImageChoice;
use crate::builders::wim_part::WimPart;
use crate::derivation::{Derivation, DerivationIdx, Input};
use crate::failure::Failure;
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

    /// The name of a source that is, or may turn out to be, a single file; a folder's own name
    /// changes nothing.
    fn file_name(&self, source: &Source) -> Option<String> {
        let path = match source {
            Source::Path { path, .. } if self.inputs.is_file(&path.path) => &path.project_path,
            Source::Path { .. } => return None,
            Source::WimPart { path, .. } => &path.as_ref()?.value,
        };
        path.rsplit('/').next().map(str::to_owned)
    }

    fn package(
        &mut self,
        kind: Kind,
        name: &str,
        source: &Source,
        drivers: bool,
    ) -> Result<DerivationIdx, Failure> {
        let from = self.source(source);
        let builder = Package { drivers, file_name: self.file_name(source) };
        Ok(self.add(format!("{kind} {name}"), builder, vec![input("source", from)]))
    }
}

fn found<T>(definition: Option<T>, kind: Kind, name: &str) -> Result<T, Failure> {
    definition.ok_or_else(|| Failure::usage(format!("there is no {kind} `{name}`")))
}

fn plain_filter(filter: &mediabuild_schema::definition::Filter) -> Filter {
    let plain = |globs: &[Spanned<String>]| globs.iter().map(|glob| glob.value.clone()).collect();
    Filter { include: plain(&filter.include), exclude: plain(&filter.exclude) }
}

/// Which image of a WIM a definition means.
pub(crate) fn choice(selector: &ImageSelector) -> ImageChoice {
    match selector {
        ImageSelector::Only => ImageChoice::Only,
        ImageSelector::Index(index) => ImageChoice::Index(*index),
        ImageSelector::Name(name) => ImageChoice::Name(name.clone()),
        ImageSelector::Edition(edition) => ImageChoice::Edition(edition.clone()),
    }
}
