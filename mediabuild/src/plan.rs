//! `Definitions` → [`Plan`]: every derivation, complete before the first one runs. No I/O.

mod coding;
mod image_options;
mod images;
mod media;
mod names;
mod usb;

use std::collections::BTreeMap;
use std::path::Path;

use mediabuild_schema::definition::{
    Filter as SchemaFilter, ImageSelector, InputPath, Kind, Media, MediaType, SecretReference,
    Source, Spanned, UrlFile,
};
use mediabuild_schema::{
    DeclaredInput, Definitions, Place, path_declaration, position, url_declaration,
};

use mediabuild_store::Output;

pub(crate) use self::images::boot_signer;
pub(crate) use self::media::packages_folder;
use self::names::Names;
use crate::builders::Builder;
use crate::builders::fetch::Fetch;
use crate::builders::import::ImportFile;
use crate::builders::import_folder::{Filter, ImportFolder};
use crate::builders::import_pinned::{ImportPinned, ReadAs};
use crate::builders::import_wim::ImportWim;
use crate::builders::import_wim_set::ImportWimSet;
use crate::builders::iso_part::IsoPart;
use crate::builders::package::Package;
use crate::builders::sha1::Sha1Wanted;
use crate::builders::wim_content::ImageChoice;
use crate::builders::wim_part::WimPart;
use crate::derivation::{Derivation, DerivationIdx, Input};
use crate::expected::Expected;
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

/// What a user asked for by name.
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) derivation: DerivationIdx,
    /// Where its result goes, relative to the result folder, with `/`.
    pub(crate) result: String,
    /// Where it goes instead if it is a folder and need not be one: a set of discs.
    pub(crate) folder: Option<String>,
    /// Where it went while its definition said that it may be a set, and nothing else goes now.
    pub(crate) former: Option<String>,
}

impl Target {
    /// Where `output` goes.
    pub(crate) fn place(&self, output: &Output) -> &str {
        match (output, &self.folder) {
            (Output::Directory(_), Some(folder)) => folder,
            _ => &self.result,
        }
    }

    /// Where another output of this target may lie from an earlier build.
    pub(crate) fn other_place(&self, output: &Output) -> Option<&str> {
        match self.folder.as_deref() {
            Some(folder) if self.place(output) == folder => Some(&self.result),
            folder => folder.or(self.former.as_deref()),
        }
    }

    /// Every place that is its own.
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.result.as_str()).chain(self.folder.as_deref())
    }
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

/// A medium says its own; everything else goes to a folder of its kind, so that no two collide.
fn result_path(definitions: &Definitions, kind: Kind, name: &str) -> String {
    match (kind, definitions.media(name)) {
        (Kind::Media, Some(media)) => media_path(media),
        (Kind::OsImage, _) if is_split(definitions, name) => format!("{kind}/{name}"),
        (Kind::BootImage | Kind::OsImage, _) => format!("{kind}/{name}.wim"),
        (Kind::Variables, _) => format!("{kind}/{name}.dat"),
        _ => format!("{kind}/{name}"),
    }
}

/// Every place where a result of `definitions` lies, or may lie.
pub(crate) fn places(definitions: &Definitions) -> Vec<String> {
    let disk_images = definitions.media.iter().filter_map(|media| media.usb.as_ref());
    let mut places: Vec<String> = disk_images.map(|usb| usb.file.value.clone()).collect();
    for (kind, name) in definitions.targets() {
        places.push(result_path(definitions, kind, &name.value));
        places.extend(set_folder(definitions, kind, &name.value));
    }
    places
}

fn is_split(definitions: &Definitions, name: &str) -> bool {
    definitions.os_image(name).is_some_and(|image| image.output.is_split())
}

/// A split WIM is a folder called like its first part, without the extension; a medium without an
/// ISO is its disk image.
fn media_path(media: &Media) -> String {
    match (&media.output, &media.usb) {
        (Some(output), _) if output.wim.is_split() => output.folder().to_owned(),
        (Some(output), _) => output.file.value.clone(),
        (None, usb) => usb.as_ref().map(|usb| usb.file.value.clone()).unwrap_or_default(),
    }
}

/// What does not fit a disc is a folder; whether it does is known when it is built.
fn set_folder(definitions: &Definitions, kind: Kind, name: &str) -> Option<String> {
    let media = definitions.media(name).filter(|_| kind == Kind::Media)?;
    let output = media.output.as_ref().filter(|output| output.capacity_bytes.is_some())?;
    Some(output.folder().to_owned())
}

/// The folder of the set that an ISO may have been, unless something else lies there.
fn former_folder(definitions: &Definitions, kind: Kind, name: &str) -> Option<String> {
    let media = definitions.media(name).filter(|_| kind == Kind::Media)?;
    let output = media.output.as_ref()?;
    let folder = output.folder();
    let is_iso = media.media_type.value == MediaType::Bootable && !output.may_be_folder();
    let is_below = |path: &str| path.strip_prefix(folder).is_some_and(|it| it.starts_with('/'));
    let is_there = |other: &&Media| {
        let is_output = other.output.as_ref().is_some_and(|output| {
            is_below(output.folder()) || output.may_be_folder() && output.folder() == folder
        });
        is_output || other.usb.as_ref().is_some_and(|usb| is_below(&usb.file.value))
    };
    let is_free = definitions.media.iter().find(is_there).is_none();
    (is_iso && is_free).then(|| folder.to_owned())
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

    /// Adds an import once for each declaration, however often it is named; with its pin.
    fn import(
        &mut self,
        input: &InputPath,
        read_as: ReadAs,
        declaration: String,
        builder: impl Builder + 'static,
    ) -> DerivationIdx {
        let key = format!("import {read_as:?} {declaration}");
        if let Some(&idx) = self.known.get(&key) {
            return idx;
        }
        let InputPath { path, project_path, .. } = input;
        let label = self.names.import(project_path, &declaration);
        let idx = match self.lock.pin(project_path, || declaration) {
            None => self.add(label, builder, Vec::new()),
            Some(pin) => {
                let (path, folder) = (path.clone(), self.definitions.project.folder.clone());
                let import = Box::new(builder);
                let pinned = ImportPinned { import, pin, read_as, path, folder };
                self.add(label, pinned, Vec::new())
            }
        };
        self.known.insert(key, idx);
        idx
    }

    fn import_file(&mut self, input: &InputPath) -> DerivationIdx {
        self.import_file_of(input, &SchemaFilter::default(), false)
    }

    /// A single file whose definition could be of a folder.
    fn import_file_of(
        &mut self,
        input: &InputPath,
        filter: &SchemaFilter,
        follow: bool,
    ) -> DerivationIdx {
        let InputPath { path, project_path, .. } = input.clone();
        let declaration = path_declaration(&project_path, Some(filter), follow);
        let total_bytes = self.inputs.bytes(&path);
        let listing = self.inputs.listing(&path, true);
        let is_container = false;
        let file = ImportFile { path, project_path, total_bytes, listing, is_container };
        self.import(input, ReadAs::File, declaration, file)
    }

    /// An ISO, whose files are taken out of it by other steps.
    fn import_iso(&mut self, input: &InputPath) -> DerivationIdx {
        let InputPath { path, project_path, .. } = input.clone();
        let declaration = path_declaration(&project_path, None, false);
        let total_bytes = self.inputs.bytes(&path);
        let listing = self.inputs.listing(&path, true);
        let is_container = true;
        let file = ImportFile { path, project_path, total_bytes, listing, is_container };
        self.import(input, ReadAs::Iso, declaration, file)
    }

    fn import_wim(&mut self, input: &InputPath) -> DerivationIdx {
        let InputPath { path, project_path, .. } = input.clone();
        let declaration = path_declaration(&project_path, None, false);
        if let Some(set) = self.wim_set(&path, &project_path) {
            return self.import(input, ReadAs::Wim, declaration, set);
        }
        let total_bytes = self.inputs.bytes(&path);
        let listing = self.inputs.listing(&path, true);
        let wim = ImportWim { path, project_path, total_bytes, listing };
        self.import(input, ReadAs::Wim, declaration, wim)
    }

    /// The import of a split set, if `path` is a part of one.
    fn wim_set(&self, path: &Path, project_path: &str) -> Option<ImportWimSet> {
        let (paths, listing) = self.inputs.wim_set(path)?;
        let (total_bytes, project_path) = (listing.size_bytes(), project_path.to_owned());
        Some(ImportWimSet { paths, project_path, total_bytes, listing: Some(listing) })
    }

    fn import_folder(
        &mut self,
        input: &InputPath,
        filter: &SchemaFilter,
        follow_symlinks: bool,
    ) -> DerivationIdx {
        let InputPath { path, project_path, .. } = input.clone();
        let declaration = path_declaration(&project_path, Some(filter), follow_symlinks);
        let total_bytes = self.inputs.bytes(&path);
        let filter = plain_filter(filter);
        let listing = self.inputs.listing(&path, follow_symlinks);
        let folder =
            ImportFolder { path, project_path, filter, follow_symlinks, total_bytes, listing };
        self.import(input, ReadAs::Folder, declaration, folder)
    }

    /// A file that is fetched, once for each declaration.
    fn fetch(&mut self, file: &UrlFile) -> DerivationIdx {
        let declaration = url_declaration(file);
        let key = format!("fetch {declaration}");
        if let Some(&idx) = self.known.get(&key) {
            return idx;
        }
        let shown = file.url.value.shown();
        let fetch = Fetch {
            url: file.url.value.clone(),
            pin: self.lock.pin(&shown, || declaration.clone()),
            declaration,
            expected: self.expected(file),
            authorization: file.authorization.clone(),
            offline: self.offline,
        };
        let idx = self.add(format!("fetch {shown}"), fetch, Vec::new());
        self.known.insert(key, idx);
        idx
    }

    /// What the definition says of a fetched file, and on which line.
    fn expected(&self, file: &UrlFile) -> Vec<(Expected, String)> {
        let texts = &self.definitions.texts;
        let said = [("blake3", &file.blake3), ("sha256", &file.sha256)];
        let expected = said.into_iter().filter_map(|(algorithm, digest)| {
            let digest = digest.as_ref()?;
            let (line, _) = position(texts, digest.span);
            let place = format!("{}:{line}", texts.get(digest.span.text).name);
            Some((Expected::parse(&format!("{algorithm}:{}", digest.value)).ok()?, place))
        });
        expected.collect()
    }

    fn source(&mut self, source: &Source) -> DerivationIdx {
        match source {
            Source::Path { path, filter, follow_symlinks } => {
                match self.inputs.is_file(&path.path) {
                    true => self.import_file_of(path, filter, *follow_symlinks),
                    false => self.import_folder(path, filter, *follow_symlinks),
                }
            }
            Source::Url(file) => self.fetch(file),
            Source::WimPart { image, path, filter } => {
                let wim = self.import_wim(&image.wim);
                let path = path.as_ref().map_or(String::new(), |path| path.value.clone());
                let label = self.names.part(image, &path, filter);
                let builder = WimPart {
                    image: choice(&image.selector.value),
                    path,
                    filter: plain_filter(filter),
                };
                self.add(label, builder, vec![input("wim", wim)])
            }
            Source::IsoPart { iso, path, filter } => {
                let idx = self.import_iso(iso);
                let path = path.as_ref().map_or(String::new(), |path| path.value.clone());
                let label = self.names.iso_part(iso, &path, filter);
                let builder = IsoPart { path, filter: plain_filter(filter) };
                self.add(label, builder, vec![input("iso", idx)])
            }
        }
    }

    /// The name of a source that is, or may turn out to be, a single file; a folder's own name
    /// changes nothing.
    fn file_name(&self, source: &Source) -> Option<String> {
        let path = match source {
            Source::Path { path, .. } if self.inputs.is_file(&path.path) => &path.project_path,
            Source::Path { .. } => return None,
            Source::Url(file) => &file.file_name,
            Source::WimPart { path, .. } | Source::IsoPart { path, .. } => &path.as_ref()?.value,
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
