//! The inputs that definitions name, each with its declaration: what a lock pins.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::definition::{
    BootFilesFrom, BootImage, Definitions, Filter, ImageBase, InputPath, Kind, Source, UrlFile,
};
use crate::text::Span;

/// One declaration of one input, whoever names it.
#[derive(Debug, Clone)]
pub struct DeclaredInput<'a> {
    /// The project path; or the URL, without what may be secret in it.
    pub name: String,
    /// All that was said of it which decides what its content is, in one spelling. Two uses that
    /// say the same are one input; one that says something else than when it was pinned is stale.
    pub declaration: String,
    /// Where it is.
    pub place: Place<'a>,
    /// Which files of a folder.
    pub filter: Option<&'a Filter>,
    /// Symbolic links in a folder are followed.
    pub follow_symlinks: bool,
    /// Somebody takes an image, or a part of one, out of it.
    pub is_wim: bool,
    /// The definitions that use it, in order.
    pub users: Vec<(Kind, &'a str)>,
}

/// Where an input is.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In the project.
    Path(&'a InputPath),
    /// At a server.
    Url(&'a UrlFile),
}

impl<'a> DeclaredInput<'a> {
    /// Where it is named first.
    pub fn span(&self) -> Span {
        match self.place {
            Place::Path(path) => path.span,
            Place::Url(file) => file.url.span,
        }
    }

    /// Its place in the project, if it has one.
    pub fn path(&self) -> Option<&'a InputPath> {
        match self.place {
            Place::Path(path) => Some(path),
            Place::Url(_) => None,
        }
    }
}

/// The declaration of a file that is fetched. Holds the whole URL: to be hashed, never printed.
pub fn url_declaration(file: &UrlFile) -> String {
    let mut text = format!("url {:?}", file.url.value.reveal());
    for (what, digest) in [("sha256", &file.sha256), ("blake3", &file.blake3)] {
        if let Some(digest) = digest {
            write!(text, " {what} {:?}", digest.value).expect("writing to a string succeeds");
        }
    }
    text
}

/// The declaration of a plain file or folder.
pub fn path_declaration(project_path: &str, filter: Option<&Filter>, follow: bool) -> String {
    let mut text = format!("path {project_path:?}");
    let mut say = |what: &str, value: &str| {
        write!(text, " {what} {value:?}").expect("writing to a string succeeds");
    };
    if let Some(filter) = filter {
        filter.include.iter().for_each(|glob| say("include", &glob.value));
        filter.exclude.iter().for_each(|glob| say("exclude", &glob.value));
    }
    if follow {
        say("symlinks", "follow");
    }
    text
}

impl Definitions {
    /// Whether an input is fetched: far cheaper to tell than what all inputs are.
    pub fn fetches(&self) -> bool {
        let overlays = self.boot_images.iter().flat_map(|image| &image.overlays);
        let overlays = overlays.chain(self.os_images.iter().flat_map(|image| &image.overlays));
        let drivers = self.driver_packages.iter().map(|package| &package.source);
        let applications = self.applications.iter().map(|application| &application.source);
        let packages = self.packages.iter().map(|package| &package.source);
        let mut sources = drivers.chain(applications).chain(packages).chain(overlays);
        // An image made out of a fetched file is an error that `probe` tells.
        sources.any(|source| matches!(source, Source::Url(_)))
    }

    /// Every input, each declaration once, in order of first use. Secrets' files are none: they
    /// never enter the store.
    pub fn inputs(&self) -> Vec<DeclaredInput<'_>> {
        let mut inputs = Inputs::default();
        for image in &self.boot_images {
            let user = (Kind::BootImage, image.name.value.as_str());
            inputs.base(&image.base, user);
            image.overlays.iter().for_each(|overlay| inputs.source(overlay, user));
            inputs.boot_files(image, user);
            image.options.exclusions.iter().for_each(|file| inputs.file(file, user));
        }
        for image in &self.os_images {
            let user = (Kind::OsImage, image.name.value.as_str());
            inputs.base(&image.base, user);
            image.overlays.iter().for_each(|overlay| inputs.source(overlay, user));
            image.options.exclusions.iter().for_each(|file| inputs.file(file, user));
        }
        for package in &self.driver_packages {
            inputs.source(&package.source, (Kind::DriverPackage, &package.name.value));
        }
        for application in &self.applications {
            inputs.source(&application.source, (Kind::Application, &application.name.value));
        }
        for package in &self.packages {
            inputs.source(&package.source, (Kind::Package, &package.name.value));
        }
        for medium in &self.media {
            let user = (Kind::Media, medium.name.value.as_str());
            medium
                .output
                .iter()
                .flat_map(|output| &output.order)
                .for_each(|file| inputs.file(file, user));
        }
        inputs.found
    }
}

#[derive(Default)]
struct Inputs<'a> {
    found: Vec<DeclaredInput<'a>>,
    by_declaration: BTreeMap<String, usize>,
}

impl<'a> Inputs<'a> {
    fn base(&mut self, base: &'a ImageBase, user: (Kind, &'a str)) {
        match base {
            ImageBase::Wim(image) => self.wim(&image.wim, user),
            ImageBase::Iso(image) => self.file(&image.iso, user),
            ImageBase::Source(source) => self.source(source, user),
        }
    }

    fn source(&mut self, source: &'a Source, user: (Kind, &'a str)) {
        match source {
            Source::Path { path, filter, follow_symlinks } => {
                self.path(path, Some(filter), *follow_symlinks, user);
            }
            Source::WimPart { image, .. } => self.wim(&image.wim, user),
            Source::IsoPart { iso, .. } => self.file(iso, user),
            Source::Url(file) => drop(self.url(file, user)),
        }
    }

    fn boot_files(&mut self, image: &'a BootImage, user: (Kind, &'a str)) {
        let Some(files) = &image.boot_files else { return };
        for from in &files.from {
            if let BootFilesFrom::Folder(path) | BootFilesFrom::Disc(path) = from {
                self.file(path, user);
            }
        }
        let programs = [&files.el_torito_bios, &files.el_torito_uefi];
        programs.into_iter().flatten().for_each(|file| self.file(file, user));
    }

    fn file(&mut self, path: &'a InputPath, user: (Kind, &'a str)) {
        self.path(path, None, false, user);
    }

    fn wim(&mut self, path: &'a InputPath, user: (Kind, &'a str)) {
        let at = self.path(path, None, false, user);
        self.found[at].is_wim = true;
    }

    fn path(
        &mut self,
        path: &'a InputPath,
        filter: Option<&'a Filter>,
        follow_symlinks: bool,
        user: (Kind, &'a str),
    ) -> usize {
        let name = path.project_path.clone();
        let declaration = path_declaration(&name, filter, follow_symlinks);
        let place = Place::Path(path);
        let (users, is_wim) = (Vec::new(), false);
        let input =
            DeclaredInput { name, declaration, place, filter, follow_symlinks, is_wim, users };
        self.add(input, user)
    }

    fn url(&mut self, file: &'a UrlFile, user: (Kind, &'a str)) -> usize {
        let input = DeclaredInput {
            name: file.url.value.shown(),
            declaration: url_declaration(file),
            place: Place::Url(file),
            filter: None,
            follow_symlinks: false,
            is_wim: false,
            users: Vec::new(),
        };
        self.add(input, user)
    }

    /// The position of the input, which is added unless it is there.
    fn add(&mut self, input: DeclaredInput<'a>, user: (Kind, &'a str)) -> usize {
        let next = self.found.len();
        let at = *self.by_declaration.entry(input.declaration.clone()).or_insert(next);
        if at == next {
            self.found.push(input);
        }
        let users = &mut self.found[at].users;
        // One definition's uses come one after the other, so the last user is the one to compare with.
        if users.last() != Some(&user) {
            users.push(user);
        }
        at
    }
}
