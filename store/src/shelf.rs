//! `Shelf`: what readers need to know of a store, the same for memory and disk.

use std::collections::HashMap;
use std::path::Path;

use crate::reader::{OpenSource, Source};
use crate::require::{self, Need};
use crate::{Content, DecodeError, Digest, Directory, Error, Part, Recipe};

/// What a digest names. The numbers are part of the on-disk formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Blob = 1,
    Recipe = 2,
    Directory = 3,
    /// The list of a container's parts.
    PartTable = 4,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::Blob, Kind::Recipe, Kind::Directory, Kind::PartTable];

    pub(crate) fn from_number(number: i64) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as i64 == number)
    }

    /// The digest that stored bytes of this kind must have.
    pub(crate) fn digest_of(self, bytes: &[u8]) -> Digest {
        match self {
            Kind::Blob => Digest::of(bytes),
            Kind::Recipe => Recipe::digest_of_encoding(bytes),
            Kind::Directory => Directory::digest_of_encoding(bytes),
            Kind::PartTable => crate::part_table::digest_of_encoding(bytes),
        }
    }

    /// The same for bytes that come piece by piece.
    pub(crate) fn hasher(self) -> blake3::Hasher {
        match self {
            Kind::Blob => blake3::Hasher::new(),
            Kind::Recipe => Recipe::hasher(),
            Kind::Directory => Directory::hasher(),
            Kind::PartTable => crate::part_table::hasher(),
        }
    }

    pub(crate) fn is_content(self) -> bool {
        matches!(self, Kind::Blob | Kind::Recipe)
    }
}

/// The file (or buffer) that stored bytes lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Container {
    /// A pack, by its number in the index.
    Pack(i64),
    /// An object of its own.
    Object(Kind, Digest),
}

/// Where a digest's bytes lie. A part is located as a blob inside its container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) kind: Kind,
    /// What reading the content gives; for a directory or part table, the encoding's size.
    pub(crate) size_bytes: u64,
    pub(crate) container: Container,
    pub(crate) offset_bytes: u64,
    /// How many bytes are stored: for a recipe, its encoding's size.
    pub(crate) stored_bytes: u64,
}

/// As much of [`Located`] as is known of a thing whose batch is not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    pub(crate) size_bytes: u64,
}

impl Located {
    pub(crate) fn found(&self) -> Found {
        Found { kind: self.kind, size_bytes: self.size_bytes }
    }

    /// The part of this container that `part` says.
    pub(crate) fn part(&self, part: &Part) -> Located {
        Located {
            size_bytes: part.size_bytes,
            stored_bytes: part.size_bytes,
            offset_bytes: self.offset_bytes + part.offset_bytes,
            ..*self
        }
    }

    pub(crate) fn content(&self, digest: Digest) -> Option<Content> {
        self.kind.is_content().then_some(Content { digest, size_bytes: self.size_bytes })
    }
}

/// A store seen from a reader.
pub(crate) trait Shelf {
    /// Where each of `digests` lies; unknown ones are left out. One whose file is lost is located
    /// too, so that reading it tells which file that is.
    fn locate(&self, digests: &[Digest]) -> Result<HashMap<Digest, Located>, Error>;

    /// The same, without those whose files are lost.
    fn locate_here(&self, digests: &[Digest]) -> Result<HashMap<Digest, Located>, Error>;

    /// Where to read a container from.
    fn source(&self, container: Container) -> Result<Source, Error>;
}

/// Where `digest` lies, if it is known.
pub(crate) fn locate_one(shelf: &dyn Shelf, digest: &Digest) -> Result<Option<Located>, Error> {
    Ok(shelf.locate(&[*digest])?.remove(digest))
}

/// What each of `digests` names; those that are not here are left out.
pub(crate) fn look_up(
    shelf: &dyn Shelf,
    digests: &[Digest],
) -> Result<HashMap<Digest, Found>, Error> {
    let located = shelf.locate_here(digests)?;
    Ok(located.into_iter().map(|(digest, located)| (digest, located.found())).collect())
}

/// The stored bytes of a recipe, directory or part table, compared with their name.
pub(crate) fn load(
    shelf: &dyn Shelf,
    digest: &Digest,
    located: &Located,
) -> Result<Vec<u8>, Error> {
    let source = shelf.source(located.container)?;
    let bytes = source.read_verified(digest, located)?;
    Ok(bytes)
}

/// Reads many recipes and directories: the file of the last one stays open.
pub(crate) struct Encodings<'a> {
    shelf: &'a dyn Shelf,
    open: Option<(Container, OpenSource)>,
}

impl<'a> Encodings<'a> {
    pub(crate) fn new(shelf: &'a dyn Shelf) -> Self {
        Encodings { shelf, open: None }
    }

    /// The verified bytes at `located`, with what they lie in.
    fn read(&mut self, digest: &Digest, located: &Located) -> Result<(Vec<u8>, &Path), Error> {
        let source = match self.open.take() {
            Some((container, source)) if container == located.container => source,
            _ => self.shelf.source(located.container)?.open(digest)?,
        };
        let (_, source) = self.open.insert((located.container, source));
        Ok((source.read_verified(digest, located)?, source.path()))
    }

    /// The directory at `located`.
    fn directory(&mut self, digest: &Digest, located: &Located) -> Result<Directory, Error> {
        let (bytes, path) = self.read(digest, located)?;
        let decoded = Directory::decode(&bytes);
        decoded.map_err(|cause| Error::corrupt(*digest, path, cause.to_string()))
    }

    /// What the recipe or directory at `located` needs. [`Error::Corrupt`] if it is damaged, or
    /// its file is gone.
    pub(crate) fn needs(&mut self, digest: &Digest, located: &Located) -> Result<Vec<Need>, Error> {
        let (bytes, path) = self.read(digest, located)?;
        let damage = |cause: DecodeError| Error::corrupt(*digest, path, cause.to_string());
        match located.kind {
            Kind::Recipe => Ok(require::of_recipe(&Recipe::decode(&bytes).map_err(damage)?)),
            Kind::Directory => {
                Ok(require::of_directory(&Directory::decode(&bytes).map_err(damage)?))
            }
            Kind::Blob | Kind::PartTable => Ok(Vec::new()),
        }
    }
}

/// The recipe stored at `located`.
pub(crate) fn load_recipe(
    shelf: &dyn Shelf,
    digest: &Digest,
    located: &Located,
) -> Result<Recipe, Error> {
    let bytes = load(shelf, digest, located)?;
    Recipe::decode(&bytes).map_err(|cause| undecodable(shelf, digest, located, &cause))
}

/// The directory stored at `located`.
pub(crate) fn load_directory(
    shelf: &dyn Shelf,
    digest: &Digest,
    located: &Located,
) -> Result<Directory, Error> {
    let bytes = load(shelf, digest, located)?;
    Directory::decode(&bytes).map_err(|cause| undecodable(shelf, digest, located, &cause))
}

/// The directories called `digests`, in their order; read in the order they lie on disk.
pub(crate) fn load_directories(
    shelf: &dyn Shelf,
    digests: &[Digest],
    located: &HashMap<Digest, Located>,
) -> Result<Vec<Directory>, Error> {
    let mut numbered = Vec::with_capacity(digests.len());
    for (number, digest) in digests.iter().enumerate() {
        let located = located.get(digest).filter(|it| it.kind == Kind::Directory);
        numbered.push((located.ok_or(Error::Missing(*digest))?, number));
    }
    numbered.sort_unstable_by_key(|(it, number)| (it.container, it.offset_bytes, *number));
    let mut encodings = Encodings::new(shelf);
    let mut loaded = Vec::with_capacity(digests.len());
    for (located, number) in numbered {
        loaded.push((number, encodings.directory(&digests[number], located)?));
    }
    loaded.sort_unstable_by_key(|(number, _)| *number);
    Ok(loaded.into_iter().map(|(_, directory)| directory).collect())
}

/// The error of stored bytes that have the right digest and still say nothing.
pub(crate) fn undecodable(
    shelf: &dyn Shelf,
    digest: &Digest,
    located: &Located,
    cause: &crate::DecodeError,
) -> Error {
    match shelf.source(located.container) {
        Ok(source) => Error::corrupt(*digest, source.path(), cause.to_string()),
        Err(error) => error,
    }
}
