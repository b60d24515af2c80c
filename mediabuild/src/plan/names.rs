//! Names of steps that read a path. A folder of all drivers, of which each package takes a part, is
//! declared in many ways; then a step is also named by how. That depends on the definitions
//! alone, not on what is built of them, so that a build is compared with the last one of the same.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use mediabuild_schema::definition::{
    BootFilesFrom, BootImage, Definitions, Filter, ImageBase, ImageSelector, InputPath, Source,
    WimImage,
};
use mediabuild_schema::path_declaration;

/// What is declared in more than one way.
pub(super) struct Names<'a> {
    paths: HashSet<&'a str>,
    /// Parts of WIMs and ISOs, by the file's path and the part's.
    parts: HashSet<(&'a str, &'a str)>,
}

impl<'a> Names<'a> {
    /// Looks at every source of `definitions` once.
    pub(super) fn of(definitions: &'a Definitions) -> Self {
        let (mut paths, mut parts) = (Ways::default(), Ways::default());
        for source in sources(definitions) {
            match source {
                Source::Path { path, filter, follow_symlinks } => {
                    paths.note(path.project_path.as_str(), (Globs::of(filter), *follow_symlinks));
                }
                // A file that is fetched has no parts to choose from.
                Source::Url(_) => {}
                Source::WimPart { image, path, filter } => {
                    let part = path.as_ref().map_or("", |path| &path.value);
                    let way = (&image.selector.value, Globs::of(filter));
                    parts.note((image.wim.project_path.as_str(), part), way);
                }
                Source::IsoPart { iso, path, filter } => {
                    let part = path.as_ref().map_or("", |path| &path.value);
                    let way = (&ImageSelector::Only, Globs::of(filter));
                    parts.note((iso.project_path.as_str(), part), way);
                }
            }
        }
        for folder in definitions.boot_images.iter().flat_map(boot_folders) {
            paths.note(folder, (Globs::default(), false));
        }
        Names { paths: paths.several, parts: parts.several }
    }

    /// `import drivers`, or `import drivers (include "net/**")`.
    pub(super) fn import(&self, project_path: &str, declaration: &str) -> String {
        let plain = path_declaration(project_path, None, false);
        match declaration.strip_prefix(&plain).map(str::trim_start) {
            Some(how) if !how.is_empty() && self.paths.contains(project_path) => {
                format!("import {project_path} ({how})")
            }
            _ => format!("import {project_path}"),
        }
    }

    /// `take Windows/Boot from install.wim`, or with which image and files of it.
    pub(super) fn part(&self, image: &WimImage, path: &str, filter: &Filter) -> String {
        let selected = match &image.selector.value {
            ImageSelector::Only => String::new(),
            ImageSelector::Index(index) => format!(" index {index}"),
            ImageSelector::Name(text) => format!(" name {text:?}"),
            ImageSelector::Edition(text) => format!(" edition {text:?}"),
        };
        self.part_of(&image.wim, path, selected, filter)
    }

    /// `take sources/sxs from win11.iso`, or which files of it.
    pub(super) fn iso_part(&self, iso: &InputPath, path: &str, filter: &Filter) -> String {
        self.part_of(iso, path, String::new(), filter)
    }

    fn part_of(&self, of: &InputPath, path: &str, selected: String, filter: &Filter) -> String {
        let container = of.project_path.as_str();
        let what = if path.is_empty() { "everything" } else { path };
        let name = format!("take {what} from {container}");
        if !self.parts.contains(&(container, path)) {
            return name;
        }
        let plain = path_declaration("", None, false);
        let how = selected + &path_declaration("", Some(filter), false)[plain.len()..];
        if how.is_empty() { name } else { format!("{name} ({})", how.trim_start()) }
    }
}

fn sources(definitions: &Definitions) -> impl Iterator<Item = &Source> {
    let boot = definitions.boot_images.iter();
    let os = definitions.os_images.iter();
    boot.flat_map(|image| base_source(&image.base).into_iter().chain(&image.overlays))
        .chain(os.flat_map(|image| base_source(&image.base).into_iter().chain(&image.overlays)))
        .chain(definitions.driver_packages.iter().map(|package| &package.source))
        .chain(definitions.applications.iter().map(|application| &application.source))
        .chain(definitions.packages.iter().map(|package| &package.source))
}

fn base_source(base: &ImageBase) -> Option<&Source> {
    match base {
        ImageBase::Source(source) => Some(source),
        ImageBase::Wim(_) | ImageBase::Iso(_) => None,
    }
}

fn boot_folders(image: &BootImage) -> impl Iterator<Item = &str> {
    let files = image.boot_files.iter().flat_map(|files| &files.from);
    files.filter_map(|from| match from {
        BootFilesFrom::Folder(folder) => Some(folder.project_path.as_str()),
        BootFilesFrom::Image(_) | BootFilesFrom::Disc(_) => None,
    })
}

/// A filter's globs without the places where they were written.
#[derive(Default, PartialEq)]
struct Globs<'a> {
    include: Vec<&'a str>,
    exclude: Vec<&'a str>,
}

impl<'a> Globs<'a> {
    fn of(filter: &'a Filter) -> Self {
        Globs {
            include: filter.include.iter().map(|glob| glob.value.as_str()).collect(),
            exclude: filter.exclude.iter().map(|glob| glob.value.as_str()).collect(),
        }
    }
}

/// In which way each thing is declared first, and what is declared in several.
struct Ways<K, W> {
    first: HashMap<K, W>,
    several: HashSet<K>,
}

impl<K, W> Default for Ways<K, W> {
    fn default() -> Self {
        Ways { first: HashMap::new(), several: HashSet::new() }
    }
}

impl<K: Hash + Eq + Copy, W: PartialEq> Ways<K, W> {
    fn note(&mut self, thing: K, way: W) {
        match self.first.entry(thing) {
            Entry::Vacant(first) => drop(first.insert(way)),
            Entry::Occupied(first) if *first.get() == way => {}
            Entry::Occupied(_) => drop(self.several.insert(thing)),
        }
    }
}
