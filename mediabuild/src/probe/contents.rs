//! What sources give, as far as it can be told without reading a content: names and sizes of files in
//! folders, WIMs and ISOs that are here, and of what a lock pins. And which of them no build takes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use mediabuild_formats::volume::Entry;
use mediabuild_formats::wim::{Image, Wim};
use mediabuild_schema::definition::{Filter, InputPath, Source, Spanned, UrlFile, WimImage};
use mediabuild_schema::{Diagnostic, Span, path_declaration, url_declaration};

use super::Inputs;
use super::wims::told;
use crate::builders::import_folder::{Matcher, list};
use crate::builders::import_names::{RENAME, refused_names};
use crate::builders::wim_content::choose;
use crate::builders::{boot_files, iso_content, iso_part, wim_part};
use crate::failure::Failure;
use crate::listing::Listing;
use crate::lock::{Lock, Pin};
use crate::plan::{choice, plain_filter};

/// A folder of thousands of bad names needs no thousands of lines.
const TOLD_MAX: usize = 10;

/// Names and sizes of what is pinned and not here, if somebody has it.
pub(crate) type Pinned<'a> = &'a dyn Fn(&Pin) -> Option<Vec<(String, u64)>>;

/// Images of WIMs by path and index; `None` of one that cannot be read.
type Images = BTreeMap<(PathBuf, usize), Option<Rc<Image>>>;

/// What a source gives.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// Where the source is said.
    pub(super) span: Span,
    /// Relative paths and sizes of what can be taken.
    pub(super) files: Vec<(String, u64)>,
    /// Why a build would fail.
    pub(super) problems: Vec<Diagnostic>,
}

impl Given {
    fn new(span: Span, files: Vec<(String, u64)>) -> Given {
        Given { span, files, problems: Vec::new() }
    }

    /// Nothing, because of a problem.
    fn refused(span: Span, problem: Diagnostic) -> Given {
        Given { span, files: Vec::new(), problems: vec![problem] }
    }
}

/// Looks at sources, at each once.
pub(crate) struct Contents<'a> {
    inputs: &'a Inputs,
    lock: &'a Lock,
    pinned: Pinned<'a>,
    /// By the addresses of the definitions' sources, which do not move.
    looked: RefCell<BTreeMap<usize, Option<Rc<Given>>>>,
    images: RefCell<Images>,
}

impl<'a> Contents<'a> {
    pub(crate) fn new(inputs: &'a Inputs, lock: &'a Lock, pinned: Pinned<'a>) -> Contents<'a> {
        let (looked, images) = Default::default();
        Contents { inputs, lock, pinned, looked, images }
    }

    /// What a source gives; `None` of what only a build can tell.
    pub(super) fn of(&self, source: &Source) -> Option<Rc<Given>> {
        let key = std::ptr::from_ref(source).addr();
        if let Some(given) = self.looked.borrow().get(&key) {
            return given.clone();
        }
        let given = self.look(source).map(Rc::new);
        self.looked.borrow_mut().insert(key, given.clone());
        given
    }

    fn look(&self, source: &Source) -> Option<Given> {
        match source {
            Source::Path { path, filter, follow_symlinks } => {
                self.path(path, filter, *follow_symlinks)
            }
            Source::WimPart { image, path, filter } => self.wim_part(image, path.as_ref(), filter),
            Source::IsoPart { iso, path, filter } => self.iso_part(iso, path.as_ref(), filter),
            Source::Url(file) => self.url(file),
        }
    }

    /// A folder that is taken whole.
    pub(super) fn folder(&self, path: &InputPath) -> Option<Given> {
        self.path(path, &Filter::default(), false)
    }

    fn path(&self, path: &InputPath, filter: &Filter, follow_symlinks: bool) -> Option<Given> {
        if self.inputs.is_file(&path.path) {
            let name = last(&path.project_path).to_owned();
            return Some(Given::new(path.span, vec![(name, self.inputs.bytes(&path.path)?)]));
        }
        if self.inputs.is_absent(&path.path) {
            let declared = || path_declaration(&path.project_path, Some(filter), follow_symlinks);
            let pin = self.lock.pin(&path.project_path, declared)?;
            return Some(Given::new(path.span, (self.pinned)(&pin)?));
        }
        let matcher = plain_filter(filter).matcher().ok()?;
        match self.inputs.listing(&path.path, follow_symlinks).filter(|it| is_plain(it, &matcher)) {
            Some(listing) => Some(of_listing(path, &listing, &matcher)),
            // Something is unusual there: who walks with care says what.
            None => {
                let failure = list(&path.path, &matcher, follow_symlinks).err()?;
                let problem = refused(path.span, failure);
                Some(Given::refused(path.span, problem))
            }
        }
    }

    fn url(&self, file: &UrlFile) -> Option<Given> {
        let pin = self.lock.pin(&file.url.value.shown(), || url_declaration(file))?;
        Some(Given::new(file.url.span, vec![(file.file_name.clone(), pin.size_bytes())]))
    }

    fn wim_part(
        &self,
        part: &WimImage,
        path: Option<&Spanned<String>>,
        filter: &Filter,
    ) -> Option<Given> {
        let wim = &self.inputs.wims.get(&part.wim.path)?.wim;
        let image = self.image(part)?;
        let span = path.map_or(part.wim.span, |path| path.span);
        let matcher = plain_filter(filter).matcher().ok()?;
        let path = path.map_or("", |path| &path.value);
        match files_of_image(wim, &image, path, &matcher) {
            Ok(files) => Some(Given::new(span, files)),
            Err(failure) => {
                let problem = told("missing-in-wim", span, &part.wim.project_path, failure);
                Some(Given::refused(span, with_label(problem)))
            }
        }
    }

    /// The image that a part is of; hundreds of parts may be of one.
    fn image(&self, part: &WimImage) -> Option<Rc<Image>> {
        let opened = self.inputs.wims.get(&part.wim.path)?;
        let index = choose(&opened.wim, &choice(&part.selector.value)).ok()?;
        let read = || Some(Rc::new(opened.wim.image(&opened.source()?, index).ok()?));
        let mut images = self.images.borrow_mut();
        images.entry((part.wim.path.clone(), index)).or_insert_with(read).clone()
    }

    fn iso_part(
        &self,
        iso: &InputPath,
        path: Option<&Spanned<String>>,
        filter: &Filter,
    ) -> Option<Given> {
        let entries = self.inputs.isos.entries(&iso.path)?;
        let span = path.map_or(iso.span, |path| path.span);
        let matcher = plain_filter(filter).matcher().ok()?;
        // A path that it does not have was told when it was looked for.
        let folder = match path {
            None => String::new(),
            Some(path) => match iso_content::find(entries, &path.value).ok()? {
                folder if folder.is_directory => format!("{}/", folder.path),
                link if link.link.is_some() => {
                    return Some(self.iso_refused(iso, span, iso_part::link_refused(&path.value)));
                }
                file => {
                    let named = (last(&path.value).to_owned(), file.size_bytes);
                    return Some(Given::new(span, vec![named]));
                }
            },
        };
        match iso_part::taken(entries, &folder, &matcher) {
            Ok(files) => {
                let named = |(path, entry): (&str, &Entry)| (path.to_owned(), entry.size_bytes);
                Some(Given::new(span, files.into_iter().map(named).collect()))
            }
            Err(failure) => Some(self.iso_refused(iso, span, failure)),
        }
    }

    fn iso_refused(&self, iso: &InputPath, span: Span, failure: Failure) -> Given {
        let problem = told("missing-in-iso", span, &iso.project_path, failure);
        Given::refused(span, with_label(problem))
    }

    /// What starts a disc, among its files.
    pub(super) fn boot_files_of_disc(&self, iso: &InputPath) -> Option<Given> {
        let entries = self.inputs.isos.entries(&iso.path)?;
        match boot_files::taken_of_disc(entries) {
            Ok(files) => {
                let named = |entry: &Entry| (entry.path.clone(), entry.size_bytes);
                Some(Given::new(iso.span, files.into_iter().map(named).collect()))
            }
            Err(failure) => Some(self.iso_refused(iso, iso.span, failure)),
        }
    }
}

fn files_of_image(
    wim: &Wim,
    image: &Image,
    path: &str,
    matcher: &Matcher,
) -> Result<Vec<(String, u64)>, Failure> {
    let size = |sha1| wim.size_of(sha1).unwrap_or_default();
    let found = wim_part::find(image, path)?;
    if !found.is_directory() {
        return Ok(vec![(last(path).to_owned(), size(&found.data))]);
    }
    let files = wim_part::taken(found, path, matcher)?.into_iter();
    Ok(files.map(|(path, file)| (path, size(&file.data))).collect())
}

fn is_plain(listing: &Listing, matcher: &Matcher) -> bool {
    !listing.others.iter().any(|name| matcher.takes(name))
}

/// The files of a folder without those that an import refuses.
fn of_listing(path: &InputPath, listing: &Listing, matcher: &Matcher) -> Given {
    let taken = || listing.files.iter().filter(|file| matcher.takes(&file.name));
    let bad = refused_names(taken().map(|file| file.name.as_str()));
    let problem = |(name, problem): &(String, String)| {
        let message = format!("`{}/{name}`: {problem}", path.project_path);
        Diagnostic::error("bad-name", path.span, message).label("in here").help(RENAME)
    };
    let problems: Vec<Diagnostic> = bad.iter().take(TOLD_MAX).map(problem).collect();
    if taken().next().is_none() {
        let message = format!("`{}` gives no file", path.project_path);
        let problem = Diagnostic::error("empty-source", path.span, message).label("nothing in it");
        let help = "put files there, or mend the `include` and `exclude` globs";
        return Given::refused(path.span, problem.help(help));
    }
    let is_good = |name: &str| bad.binary_search_by(|(bad, _)| bad.as_str().cmp(name)).is_err();
    let named = taken().filter(|file| is_good(&file.name));
    let files = named.map(|file| (file.name.clone(), file.stat.size_bytes())).collect();
    Given { span: path.span, files, problems }
}

fn refused(span: Span, failure: Failure) -> Diagnostic {
    let diagnostic = Diagnostic::error("bad-source", span, failure.to_string()).label("in here");
    match failure.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn with_label(diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.label("named here")
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
