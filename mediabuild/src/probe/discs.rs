//! What bootable media will hold, as far as their sources tell: paths that no disc takes, and files that
//! no disc or FAT volume holds, before anything is built.

use mediabuild_formats::fat;
use mediabuild_formats::iso::{Options, Tree, WriteError, measure};
use mediabuild_formats::partition::PARTITION_START_BYTES;
use mediabuild_formats::volume::Node;
use mediabuild_schema::definition::{Definitions, Media, MediaType, Source};
use mediabuild_schema::{Diagnostic, Span};

use super::contents::{Contents, Given};
use super::start_files::{StartFile, start_files};
use crate::builders::fat_parts::expected;
use crate::builders::medium_tree::OWN;
use crate::plan::packages_folder;

/// A folder of thousands of bad names needs no thousands of lines.
const TOLD_MAX: usize = 10;

/// What to do about a file of a package, and about one of the boot files, which are taken whole.
const WITHOUT_FILE: &str = "leave it out with `exclude`";
const WITHOUT_PLACE: &str = "take boot files from a place without it";

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
    contents: &Contents<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<DiscContent<'a>> {
    let media = definitions.media.iter();
    let media = media.filter(|media| media.media_type.value == MediaType::Bootable);
    media.map(|media| Look::at(media, definitions, contents, diagnostics)).collect()
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
    /// What an ISO will hold; each file under the place that it is of, by position.
    tree: Tree<usize>,
    /// The same for a disk image.
    volume: fat::Tree<usize>,
    /// Where each place is said.
    places: Vec<Span>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Look<'a> {
    fn at(
        media: &'a Media,
        definitions: &'a Definitions,
        contents: &Contents<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> DiscContent<'a> {
        let mut look = Look {
            content: DiscContent { media, files: 0, bytes: 0, unknown_packages: 0 },
            folder: packages_folder(media),
            tree: Tree::new(),
            volume: fat::Tree::new(),
            places: Vec::new(),
            diagnostics: Vec::new(),
        };
        OWN.iter().for_each(|path| look.file(media.span, path, 0, WITHOUT_PLACE));
        if let Some(image) = definitions.boot_image(&media.boot_image.value) {
            let files = start_files(image, contents);
            for StartFile { path, size_bytes, span } in &files {
                look.file(*span, path, *size_bytes, WITHOUT_PLACE);
            }
        }
        for package in packages(media, definitions) {
            match contents.of(package.source) {
                Some(given) => look.package(package.name, &given),
                None => look.content.unknown_packages += 1,
            }
        }
        look.mirror();
        look.disk_size();
        diagnostics.append(&mut look.diagnostics);
        look.content
    }

    fn package(&mut self, name: &str, given: &Given) {
        for (file, size_bytes) in &given.files {
            self.content.files += 1;
            self.content.bytes += size_bytes;
            let path = format!("{}/{name}/{file}", self.folder);
            self.file(given.span, &path, *size_bytes, WITHOUT_FILE);
        }
    }

    /// A file of the medium, out of the place that is said at `span`.
    fn file(&mut self, span: Span, path: &str, size_bytes: u64, way_out: &str) {
        if self.places.last() != Some(&span) {
            self.places.push(span);
        }
        let place = self.places.len() - 1;
        let media = self.content.media;
        if media.output.is_some()
            && let Err(error) = self.tree.insert(path, place, size_bytes)
        {
            self.say(span, error.to_string(), &format!("rename it, or {way_out}"));
        } else if media.usb.is_some() {
            self.file_of_disk(span, path, size_bytes, way_out);
        }
        let capacity = media.output.as_ref().and_then(|output| output.capacity_bytes.as_ref());
        if let Some(capacity) = capacity.filter(|capacity| size_bytes > capacity.value) {
            let message = format!(
                "`{path}` has {size_bytes} bytes, and a disc holds {}: no file is cut in two",
                capacity.value
            );
            let help = "say a larger `capacity=`, or divide the file with the tool that made it";
            self.say(span, message, help);
        }
    }

    fn file_of_disk(&mut self, span: Span, path: &str, size_bytes: u64, way_out: &str) {
        for (path, size_bytes) in expected(path, size_bytes) {
            let Err(error) = self.volume.insert(&path, self.places.len() - 1, size_bytes) else {
                continue;
            };
            let help = match self.content.media.output {
                Some(_) => format!("{way_out}, or leave out `usb`: an ISO takes it"),
                None => format!("{way_out}, or say `output` for `usb`: an ISO takes it"),
            };
            self.say(span, error.to_string(), &help);
        }
    }

    /// What ISO 9660 and Joliet do not take, if they are wanted; the writer knows.
    fn mirror(&mut self) {
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
        let span = match self.tree.get(&path) {
            Some(Node::File { content: place, .. }) => self.places[*place],
            _ => self.content.media.span,
        };
        let message = format!("`{path}` cannot be on a disc: {reason}");
        self.say(span, message, "rename it, or leave `mirror=` out: UDF takes it");
    }

    /// A folder of too many entries, or a disk that what is known already does not fit on. The boot
    /// image is not known yet, so a disk may still turn out to be too small.
    fn disk_size(&mut self) {
        let Some(usb) = self.content.media.usb.as_ref().filter(|_| self.diagnostics.is_empty())
        else {
            return;
        };
        match fat::smallest_size_bytes(&self.volume, fat::Variant::Fat32, true) {
            Err(error) => {
                self.say(usb.file.span, error.to_string(), "leave something out with `exclude`");
            }
            Ok(partition_bytes) => {
                let needed_bytes = partition_bytes + PARTITION_START_BYTES;
                let Some(size) = usb.size_bytes.as_ref().filter(|it| it.value < needed_bytes)
                else {
                    return;
                };
                let (needed, said) = (needed_bytes.div_ceil(1 << 20), size.value >> 20);
                let message = format!(
                    "the medium needs {needed}MiB and the boot image, and the disk has {said}MiB"
                );
                self.say(size.span, message, "say a larger `size=`, or leave it out");
            }
        }
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
