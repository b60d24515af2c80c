//! `Definitions` → [`Plan`]: every derivation, complete before the first one runs. No I/O.

mod coding;
mod image_options;
mod images;
mod media;
mod names;
mod sources;
mod target;
mod usb;

use std::collections::BTreeMap;

use mediabuild_schema::definition::{
    Filter as SchemaFilter, ImageSelector, Kind, SecretReference, Source, Spanned,
};
use mediabuild_schema::{DeclaredInput, Definitions, Place};

pub(crate) use self::images::boot_signer;
pub(crate) use self::media::packages_folder;
use self::names::Names;
pub(crate) use self::target::{Target, places};
use self::target::{former_folder, result_path, set_folder};
use crate::builders::Builder;
use crate::builders::import_folder::Filter;
use crate::builders::package::Package;
use crate::builders::sha1::Sha1Wanted;
use crate::builders::wim_content::ImageChoice;
use crate::derivation::{Derivation, DerivationIdx, Input};
use crate::failure::Failure;
use crate::lock::Lock;
use crate::probe::Inputs;
use crate::secret::Secret;

/// All derivations of an invocation. A derivation's inputs come before it.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) derivations: Vec<Derivation>,
    pub(crate) targets: Vec<Target>,
}

/// A definition by kind and name.
pub(crate) type Wanted = (Kind, String);

/// How the planner learns a secret's value.
pub(crate) type LookUp<'a> = &'a dyn Fn(&SecretReference) -> Result<Secret, Failure>;

/// Lowers what is wanted. `epoch_seconds` is the time every generated file gets; `inputs` tells
/// files from folders, `lock` what they are pinned to; `offline`: nothing may be fetched.
pub(crate) fn plan(
    definitions: &Definitions,
    wanted: &[Wanted],
    inputs: &Inputs,
    lock: &Lock,
    offline: bool,
    epoch_seconds: i64,
    look_up: LookUp<'_>,
) -> Result<Plan, Failure> {
    let mut planner = Planner::new(definitions, inputs, lock, offline, epoch_seconds, look_up);
    for (kind, name) in wanted {
        let derivation = planner.result(*kind, name)?;
        let (kind, name) = (*kind, name.clone());
        let result = result_path(definitions, kind, &name);
        let folder = set_folder(definitions, kind, &name);
        let former = former_folder(definitions, kind, &name);
        let disk_image = planner.disk_image_target(kind, &name);
        planner.plan.targets.push(Target { kind, name, derivation, result, folder, former });
        planner.plan.targets.extend(disk_image);
    }
    Ok(planner.plan)
}

/// The imports of `wanted`, at its positions, as a plan would have them but for their pins: what
/// they give is to be pinned.
pub(crate) fn imports(
    definitions: &Definitions,
    wanted: &[&DeclaredInput<'_>],
    inputs: &Inputs,
    offline: bool,
) -> Vec<Derivation> {
    let (unpinned, no_secret) = (Lock::default(), |reference: &SecretReference| {
        Err(Failure::usage(format!("{reference:?} is no input")))
    });
    let mut planner = Planner::new(definitions, inputs, &unpinned, offline, 0, &no_secret);
    for input in wanted {
        let filter = input.filter.cloned().unwrap_or_default();
        let follow = input.follow_symlinks;
        let idx = match input.place {
            Place::Url(file) => planner.fetch(file),
            Place::Path(path) => match (inputs.is_file(&path.path), input.is_wim) {
                (true, true) => planner.import_wim(path),
                (true, false) => planner.import_file_of(path, &filter, follow),
                (false, _) => planner.import_folder(path, &filter, follow),
            },
        };
        debug_assert_eq!(idx.0 + 1, planner.plan.derivations.len(), "each input is declared once");
    }
    planner.plan.derivations
}

struct Planner<'a> {
    definitions: &'a Definitions,
    inputs: &'a Inputs,
    lock: &'a Lock,
    offline: bool,
    epoch_seconds: i64,
    look_up: LookUp<'a>,
    plan: Plan,
    names: Names<'a>,
    /// What was lowered already, by a name of its own.
    known: BTreeMap<String, DerivationIdx>,
    /// Disk images of media, by the medium's name.
    disk_images: BTreeMap<String, DerivationIdx>,
}

/// An input under construction.
fn input(role: impl Into<String>, from: DerivationIdx) -> Input {
    Input { role: role.into(), from }
}

impl<'a> Planner<'a> {
    fn new(
        definitions: &'a Definitions,
        inputs: &'a Inputs,
        lock: &'a Lock,
        offline: bool,
        epoch_seconds: i64,
        look_up: LookUp<'a>,
    ) -> Self {
        let (plan, known, disk_images) = (Plan::default(), BTreeMap::new(), BTreeMap::new());
        let names = Names::of(definitions);

        Planner {
            definitions,
            inputs,
            lock,
            offline,
            epoch_seconds,
            look_up,
            plan,
            names,
            known,
            disk_images,
        }
    }
}

impl Planner<'_> {
    /// What a definition gives when it is asked for by name.
    fn result(&mut self, kind: Kind, name: &str) -> Result<DerivationIdx, Failure> {
        match (kind, self.definitions.os_image(name)) {
            (Kind::OsImage, Some(image)) => self.os_image_result(image),
            _ => self.definition(kind, name),
        }
    }

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
        if builder.wants_sha1() {
            self.want_sha1(&inputs);
        }
        let (label, builder, sha1) = (label.into(), Box::new(builder), Sha1Wanted::No);
        self.plan.derivations.push(Derivation { label, builder, inputs, sha1 });
        idx
    }

    /// What `inputs` are made of will be in a WIM.
    fn want_sha1(&mut self, inputs: &[Input]) {
        let mut reached: Vec<DerivationIdx> = inputs.iter().map(|input| input.from).collect();
        while let Some(idx) = reached.pop() {
            let derivation = &mut self.plan.derivations[idx.0];
            if derivation.sha1 == Sha1Wanted::No {
                derivation.sha1 = Sha1Wanted::Yes;
                reached.extend(derivation.inputs.iter().map(|input| input.from));
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
        let builder = Package { drivers, file_name: self.file_name(source) };
        Ok(self.add(format!("{kind} {name}"), builder, vec![input("source", from)]))
    }
}

fn found<T>(definition: Option<T>, kind: Kind, name: &str) -> Result<T, Failure> {
    definition.ok_or_else(|| Failure::usage(format!("there is no {kind} `{name}`")))
}

/// A filter without the places where it was written.
pub(crate) fn plain_filter(filter: &SchemaFilter) -> Filter {
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
