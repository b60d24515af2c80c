//! Inputs and sources: imports, downloads and parts of containers as steps, each once however often it is
//! named.

use std::path::Path;

use mediabuild_schema::definition::{Filter as SchemaFilter, InputPath, Source, UrlFile};
use mediabuild_schema::{path_declaration, position, url_declaration};

use super::{Planner, choice, input, plain_filter};
use crate::builders::Builder;
use crate::builders::fetch::Fetch;
use crate::builders::import::ImportFile;
use crate::builders::import_folder::ImportFolder;
use crate::builders::import_pinned::{ImportPinned, ReadAs};
use crate::builders::import_wim::ImportWim;
use crate::builders::import_wim_set::ImportWimSet;
use crate::builders::iso_part::IsoPart;
use crate::builders::wim_part::WimPart;
use crate::derivation::DerivationIdx;
use crate::expected::Expected;

impl Planner<'_> {
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

    pub(super) fn import_file(&mut self, input: &InputPath) -> DerivationIdx {
        self.import_file_of(input, &SchemaFilter::default(), false)
    }

    /// A single file whose definition could be of a folder.
    pub(super) fn import_file_of(
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
    pub(super) fn import_iso(&mut self, input: &InputPath) -> DerivationIdx {
        let InputPath { path, project_path, .. } = input.clone();
        let declaration = path_declaration(&project_path, None, false);
        let total_bytes = self.inputs.bytes(&path);
        let listing = self.inputs.listing(&path, true);
        let is_container = true;
        let file = ImportFile { path, project_path, total_bytes, listing, is_container };
        self.import(input, ReadAs::Iso, declaration, file)
    }

    pub(super) fn import_wim(&mut self, input: &InputPath) -> DerivationIdx {
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

    pub(super) fn import_folder(
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
    pub(super) fn fetch(&mut self, file: &UrlFile) -> DerivationIdx {
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

    pub(super) fn source(&mut self, source: &Source) -> DerivationIdx {
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
    pub(super) fn file_name(&self, source: &Source) -> Option<String> {
        let path = match source {
            Source::Path { path, .. } if self.inputs.is_file(&path.path) => &path.project_path,
            Source::Path { .. } => return None,
            Source::Url(file) => &file.file_name,
            Source::WimPart { path, .. } | Source::IsoPart { path, .. } => &path.as_ref()?.value,
        };
        path.rsplit('/').next().map(str::to_owned)
    }
}
