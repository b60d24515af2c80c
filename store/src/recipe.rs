//! `Recipe`: a file as a list of extents.
//!
//! A recipe is kept in canonical form: no empty extent, no two neighbouring literals, no two
//! neighbouring runs of zeros. So its identity says what it is made of, not how it was built.
//! Nested recipes are named, never flattened.

mod builder;
mod codec;

pub use builder::RecipeBuilder;

use crate::{Content, Digest};

/// The domain that recipes are hashed in.
const RECIPE_CONTEXT: &str = "mediabuild store recipe v1";

/// Sizes stay below this, so that they fit the index's signed integers.
pub(crate) const SIZE_END_BYTES: u64 = 1 << 63;

/// One stretch of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// Bytes kept in the recipe itself.
    Literal(Vec<u8>),
    /// So many zero bytes.
    Zeros(u64),
    /// The whole of a content: a blob, a part or another recipe.
    Content(Content),
}

impl Extent {
    /// How many bytes of the file the extent makes.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Extent::Literal(bytes) => bytes.len() as u64,
            Extent::Zeros(size_bytes) => *size_bytes,
            Extent::Content(content) => content.size_bytes,
        }
    }
}

/// A file as literals, zeros and whole contents. Immutable; made by [`RecipeBuilder`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipe {
    extents: Vec<Extent>,
    /// Where each extent starts, for `content_at`.
    starts_bytes: Vec<u64>,
    size_bytes: u64,
}

impl Recipe {
    /// The extents, first byte first.
    pub fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// The extents themselves, for one that takes the recipe apart.
    pub fn into_extents(self) -> Vec<Extent> {
        self.extents
    }

    /// The size of the file it makes.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The recipe's identity: the digest of its canonical encoding, in a domain of its own.
    pub fn digest(&self) -> Digest {
        Recipe::digest_of_encoding(&self.encode())
    }

    /// The recipe as a content.
    pub fn content(&self) -> Content {
        Content { digest: self.digest(), size_bytes: self.size_bytes }
    }

    /// The contents it names, in order; one that is used twice comes twice.
    pub fn contents(&self) -> impl Iterator<Item = Content> + '_ {
        self.extents.iter().filter_map(|extent| match extent {
            Extent::Content(content) => Some(*content),
            _ => None,
        })
    }

    /// The content that starts exactly at `offset_bytes` and has exactly `size_bytes`.
    pub fn content_at(&self, offset_bytes: u64, size_bytes: u64) -> Option<Content> {
        let index = self.starts_bytes.binary_search(&offset_bytes).ok()?;
        match self.extents[index] {
            Extent::Content(content) if content.size_bytes == size_bytes => Some(content),
            _ => None,
        }
    }

    pub(crate) fn hasher() -> blake3::Hasher {
        blake3::Hasher::new_derive_key(RECIPE_CONTEXT)
    }

    pub(crate) fn digest_of_encoding(bytes: &[u8]) -> Digest {
        Digest::derive(RECIPE_CONTEXT, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_found_only_at_its_exact_place_and_size() {
        let content = Content { digest: Digest::of(b"abc"), size_bytes: 3 };
        let mut builder = RecipeBuilder::new();
        builder.literal(b"xy");
        builder.content(content);
        builder.content(content);
        let recipe = builder.finish();

        assert_eq!(recipe.content_at(2, 3), Some(content));
        assert_eq!(recipe.content_at(5, 3), Some(content));
        assert_eq!(recipe.content_at(0, 2), None);
        assert_eq!(recipe.content_at(2, 2), None);
        assert_eq!(recipe.content_at(3, 3), None);
    }
}
