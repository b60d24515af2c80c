//! What a recipe, directory, part table or realisation needs to be in the store with it.

use std::collections::HashMap;

use crate::shelf::{self, Found, Kind, Located, Shelf};
use crate::{Content, Digest, Directory, Entry, Error, Output, Part, Recipe};

/// Something that must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    Content(Content),
    Directory(Digest),
}

impl Need {
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Need::Content(content) => content.digest,
            Need::Directory(digest) => *digest,
        }
    }

    /// Whether `found` is what is needed.
    pub(crate) fn is_met_by(&self, found: Option<&Found>) -> bool {
        self.check(found).is_ok()
    }

    fn check(&self, found: Option<&Found>) -> Result<(), Error> {
        let missing = || Error::Missing(self.digest());
        let found = found.ok_or_else(missing)?;
        match self {
            Need::Directory(_) if found.kind == Kind::Directory => Ok(()),
            Need::Content(content) if found.kind.is_content() => {
                match found.size_bytes == content.size_bytes {
                    true => Ok(()),
                    false => Err(size_differs(content, found.size_bytes)),
                }
            }
            _ => Err(missing()),
        }
    }
}

/// What `recipe` needs, each once.
pub(crate) fn of_recipe(recipe: &Recipe) -> Vec<Need> {
    distinct(recipe.contents().map(Need::Content).collect())
}

/// What `directory` needs, each once.
pub(crate) fn of_directory(directory: &Directory) -> Vec<Need> {
    let need = |entry: &Entry| match entry {
        Entry::File(content) => Need::Content(*content),
        Entry::Directory(digest) => Need::Directory(*digest),
    };
    distinct(directory.iter().map(|(_, entry)| need(entry)).collect())
}

/// What the thing stored at `located` needs; nothing if it is bytes or a part table.
pub(crate) fn of_stored(
    shelf: &dyn Shelf,
    digest: &Digest,
    located: &Located,
) -> Result<Vec<Need>, Error> {
    match located.kind {
        Kind::Recipe => Ok(of_recipe(&shelf::load_recipe(shelf, digest, located)?)),
        Kind::Directory => Ok(of_directory(&shelf::load_directory(shelf, digest, located)?)),
        Kind::Blob | Kind::PartTable => Ok(Vec::new()),
    }
}

/// What `output` needs.
pub(crate) fn of_output(output: &Output) -> Vec<Need> {
    match output {
        Output::Content(content) => vec![Need::Content(*content)],
        Output::Directory(digest) => vec![Need::Directory(*digest)],
    }
}

/// The digests of `needs`, for a look-up.
pub(crate) fn digests(needs: &[Need]) -> Vec<Digest> {
    needs.iter().map(Need::digest).collect()
}

/// Refuses the first need that is not met.
pub(crate) fn check(needs: &[Need], found: &HashMap<Digest, Found>) -> Result<(), Error> {
    needs.iter().try_for_each(|need| need.check(found.get(&need.digest())))
}

/// Refuses parts of anything but a blob, and parts outside of it.
pub(crate) fn check_parts(
    container: &Digest,
    found: Option<&Found>,
    parts: &[Part],
) -> Result<(), Error> {
    let blob = found.filter(|found| found.kind == Kind::Blob);
    let blob = blob.ok_or(Error::Missing(*container))?;
    let outside = |part: &&Part| part.end_bytes().is_none_or(|end| end > blob.size_bytes);
    match parts.iter().find(outside) {
        Some(part) => Err(Error::PartOutside { part: part.digest, container: *container }),
        None => Ok(()),
    }
}

pub(crate) fn size_differs(content: &Content, found_bytes: u64) -> Error {
    Error::SizeDiffers { digest: content.digest, named_bytes: content.size_bytes, found_bytes }
}

fn distinct(mut needs: Vec<Need>) -> Vec<Need> {
    needs.sort_unstable();
    needs.dedup();
    needs
}
