//! Resolving a content into an assembly: each digest is looked up once, many at a time.

use std::collections::HashMap;

use super::Source;
use super::assembly::{Assembly, List, Step, Stored};
use crate::shelf::{self, Container, Kind, Located, Shelf};
use crate::{Content, Digest, Error, Extent, Recipe};

/// How deep recipes nest at most. A medium in a medium in a medium makes three.
const DEPTH_MAX: usize = 64;

/// Resolves `digest`, a content of `shelf`.
pub(crate) fn resolve(shelf: &dyn Shelf, digest: &Digest) -> Result<Assembly, Error> {
    let located = shelf::locate_one(shelf, digest)?.filter(|located| located.kind.is_content());
    resolve_located(shelf, digest, &located.ok_or(Error::Missing(*digest))?)
}

/// Resolves `digest`, which lies at `located`.
pub(crate) fn resolve_located(
    shelf: &dyn Shelf,
    digest: &Digest,
    located: &Located,
) -> Result<Assembly, Error> {
    let mut resolver = Resolver {
        shelf,
        lists: Vec::new(),
        sources: Vec::new(),
        source_of: HashMap::new(),
        list_of: HashMap::new(),
    };
    match located.kind {
        Kind::Recipe => drop(resolver.list(digest, located, 0)?),
        _ => {
            let step = resolver.stored(digest, located)?;
            let mut list = List::default();
            list.push(located.size_bytes, step);
            resolver.lists.push(list);
        }
    }
    Ok(Assembly { lists: resolver.lists, sources: resolver.sources })
}

struct Resolver<'a> {
    shelf: &'a dyn Shelf,
    lists: Vec<List>,
    sources: Vec<Source>,
    source_of: HashMap<Container, usize>,
    /// The recipes that are resolved already.
    list_of: HashMap<Digest, usize>,
}

impl Resolver<'_> {
    /// The position of the recipe's list, made now if it is new.
    fn list(&mut self, digest: &Digest, located: &Located, depth: usize) -> Result<usize, Error> {
        if let Some(list) = self.list_of.get(digest) {
            return Ok(*list);
        }
        if depth == DEPTH_MAX {
            return Err(Error::TooDeep(*digest));
        }
        let recipe = shelf::load_recipe(self.shelf, digest, located)?;
        // The position is taken before the inner ones, so that the outermost list is the first.
        let position = self.lists.len();
        self.lists.push(List::default());
        self.lists[position] = self.steps(recipe, depth)?;
        self.list_of.insert(*digest, position);
        Ok(position)
    }

    fn steps(&mut self, recipe: Recipe, depth: usize) -> Result<List, Error> {
        let located = self.shelf.locate(&distinct(recipe.contents()))?;
        let mut list = List::default();
        for extent in recipe.into_extents() {
            let size_bytes = extent.size_bytes();
            let step = match extent {
                Extent::Literal(bytes) => Step::Literal(bytes.into_boxed_slice()),
                Extent::Zeros(_) => Step::Zeros,
                Extent::Content(content) => self.content(&content, &located, depth)?,
            };
            list.push(size_bytes, step);
        }
        Ok(list)
    }

    fn content(
        &mut self,
        content: &Content,
        located: &HashMap<Digest, Located>,
        depth: usize,
    ) -> Result<Step, Error> {
        let digest = &content.digest;
        let found = located.get(digest).filter(|located| located.kind.is_content());
        let found = found.ok_or(Error::Missing(*digest))?;
        if found.size_bytes != content.size_bytes {
            return Err(crate::require::size_differs(content, found.size_bytes));
        }
        match found.kind {
            Kind::Recipe => Ok(Step::List(self.list(digest, found, depth + 1)?)),
            _ => self.stored(digest, found),
        }
    }

    fn stored(&mut self, digest: &Digest, located: &Located) -> Result<Step, Error> {
        let source = match self.source_of.get(&located.container) {
            Some(source) => *source,
            None => {
                self.sources.push(self.shelf.source(located.container)?);
                self.source_of.insert(located.container, self.sources.len() - 1);
                self.sources.len() - 1
            }
        };
        Ok(Step::Stored(Stored { digest: *digest, source, offset_bytes: located.offset_bytes }))
    }
}

fn distinct(contents: impl Iterator<Item = Content>) -> Vec<Digest> {
    let mut digests: Vec<Digest> = contents.map(|content| content.digest).collect();
    digests.sort_unstable();
    digests.dedup();
    digests
}
