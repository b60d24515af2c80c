//! What bootable media will hold, as far as inputs on the disk tell: paths that no disc takes and
//! files that no disc holds, before anything is built. Packages out of WIMs and from servers show
//! when they are built.

use std::sync::Arc;

use mediabuild_formats::fat;
use mediabuild_formats::iso::{Options, Tree, WriteError, measure};
use mediabuild_schema::definition::{Definitions, Media, MediaType, Source};
use mediabuild_schema::{Diagnostic, Span};

use super::Inputs;
use crate::listing::Listing;
use crate::plan::{packages_folder, plain_filter};

/// A folder of thousands of bad names needs no thousands of lines.
const TOLD_MAX: usize = 10;

/// What is known of the packages of a medium.
pub(crate) struct DiscContent<'a> {
    pub(crate) media: &'a Media,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// How many packages could not be looked into.
    pub(crate) unknown_packages: usize,
}

/// Looks at each bootable medium, and says what is wrong with it.
pub(crate) fn discs<'a>(
    definitions: &'a Definitions,
    inputs: &Inputs,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<DiscContent<'a>> {
    let media = definitions.media.iter();
    let media = media.filter(|media| media.media_type.value == MediaType::Bootable);
    media.map(|media| Look::at(media, definitions, inputs, diagnostics)).collect()
}

/// A package and where it says what it is made of.
struct Package<'a> {
    name: &'a str,
    source: &'a Source,
}

/// Every package, application and driver package of a medium.
fn packages<'a>(media: &'a Media, definitions: &'a Definitions) -> Vec<Package<'a>> {
    let mut packages = Vec::new();
    let names = media.packages.iter().filter_map(|name| definitions.package(&name.value));
    packages.extend(names.map(|it| Package { name: &it.name.value, source: &it.source }));
    let named: Vec<&str> = media.applications.iter().map(|name| name.value.as_str()).collect();
    let applications = match media.dependencies {
        true => definitions.application_closure(&named),
        false => named.iter().filter_map(|name| definitions.application(name)).collect(),
    };
    let applications = applications.into_iter();
    packages.extend(applications.map(|it| Package { name: &it.name.value, source: &it.source }));
    let drivers = media.driver_packages.iter();
    let drivers = drivers.filter_map(|name| definitions.driver_package(&name.value));
    packages.extend(drivers.map(|it| Package { name: &it.name.value, source: &it.source }));
    packages
}

struct Look<'a> {
    content: DiscContent<'a>,
    folder: String,
    tree: Tree<usize>,
    /// The same for a disk image, if there is one.
    volume: fat::Tree<usize>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Look<'a> {
    fn at(
        media: &'a Media,
        definitions: &'a Definitions,
        inputs: &Inputs,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> DiscContent<'a> {
        let content = DiscContent { media, files: 0, bytes: 0, unknown_packages: 0 };
        let (folder, tree) = (packages_folder(media), Tree::new());
        let volume = fat::Tree::new();
        let mut look = Look { content, folder, tree, volume, diagnostics: Vec::new() };
        let packages = packages(media, definitions);
        for package in &packages {
            match files_of(package.source, inputs) {
                Some((span, files)) => look.package(package.name, span, files),
                None => look.content.unknown_packages += 1,
            }
        }
        look.mirror(&packages);
        diagnostics.append(&mut look.diagnostics);
        look.content
    }

    fn package(&mut self, name: &str, span: Span, files: Vec<(String, u64)>) {
        for (file, size_bytes) in files {
            self.content.files += 1;
            self.content.bytes += size_bytes;
            let path = format!("{}/{name}/{file}", self.folder);
            let media = self.content.media;
            if media.output.is_some()
                && let Err(error) = self.tree.insert(&path, self.content.files, size_bytes)
            {
                self.say(span, error.to_string(), "rename it, or leave it out with `exclude`");
            } else if media.usb.is_some()
                && let Err(error) = self.volume.insert(&path, self.content.files, size_bytes)
            {
                let help = match media.output {
                    Some(_) => "leave it out with `exclude`, or leave out `usb`: an ISO takes it",
                    None => {
                        "leave it out with `exclude`, or say `output` for `usb`: an ISO takes it"
                    }
                };
                self.say(span, error.to_string(), help);
            }
            let capacity = media.output.as_ref().and_then(|output| output.capacity_bytes.as_ref());
            if let Some(capacity) = capacity.filter(|capacity| size_bytes > capacity.value) {
                let message = format!(
                    "`{path}` has {size_bytes} bytes, and a disc holds {}: no file is cut in two",
                    capacity.value
                );
                let help =
                    "say a larger `capacity=`, or divide the file with the tool that made it";
                self.say(span, message, help);
            }
        }
    }

    /// What ISO 9660 and Joliet do not take, if they are wanted; the writer knows.
    fn mirror(&mut self, packages: &[Package<'_>]) {
        let output = self.content.media.output.as_ref();
        let is_mirrored = output.is_some_and(|output| output.mirror.is_some());
        if !is_mirrored || !self.diagnostics.is_empty() {
            return;
        }
        let mut options = Options::new("", 0, [0; 8]);
        options.is_mirrored = true;
        let Err(WriteError::Mirror { path, reason }) = measure(&self.tree, &options) else {
            return;
        };
        let owner = packages.iter().find(|package| {
            path.strip_prefix(&format!("{}/{}/", self.folder, package.name)).is_some()
        });
        let span = match owner.map(|package| package.source) {
            Some(Source::Path { path, .. }) => path.span,
            _ => self.content.media.span,
        };
        let message = format!("`{path}` cannot be on a disc: {reason}");
        self.say(span, message, "rename it, or leave `mirror=` out: UDF takes it");
    }

    fn say(&mut self, span: Span, message: String, help: &str) {
        if self.diagnostics.len() < TOLD_MAX {
            let media = self.content.media.span;
            self.diagnostics.push(
                Diagnostic::error("not-for-a-disc", span, message)
                    .label("in here")
                    .also(media, "to be on this medium")
                    .help(help),
            );
        }
    }
}

/// Names and sizes of what a source gives, and where it is said; `None` of what is not on the disk.
fn files_of(source: &Source, inputs: &Inputs) -> Option<(Span, Vec<(String, u64)>)> {
    let Source::Path { path, filter, follow_symlinks } = source else { return None };
    if inputs.is_file(&path.path) {
        let name = path.project_path.rsplit('/').next().unwrap_or_default().to_owned();
        return Some((path.span, vec![(name, inputs.bytes(&path.path)?)]));
    }
    let listing: Arc<Listing> = inputs.listing(&path.path, *follow_symlinks)?;
    let matcher = plain_filter(filter).matcher().ok()?;
    let taken = listing.files.iter().filter(|file| matcher.takes(&file.name));
    let files = taken.map(|file| (file.name.clone(), file.stat.size_bytes()));
    Some((path.span, files.collect()))
}
