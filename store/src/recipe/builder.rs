//! `RecipeBuilder`: appends extents and keeps them canonical.

use super::SIZE_END_BYTES;
use crate::{Content, Extent, Recipe};

/// Builds a [`Recipe`] from its first byte to its last.
///
/// Empty pieces vanish; neighbouring literals and zeros become one, so the recipe does not depend
/// on how its literals were cut.
///
/// # Panics
/// Every appending call panics when the file would reach 2^63 bytes.
#[derive(Debug, Default)]
pub struct RecipeBuilder {
    recipe: Recipe,
}

impl RecipeBuilder {
    /// A builder at byte 0.
    pub fn new() -> Self {
        RecipeBuilder::default()
    }

    /// How many bytes there are so far: where the next piece will start.
    pub fn position_bytes(&self) -> u64 {
        self.recipe.size_bytes
    }

    /// Appends bytes that the recipe keeps itself.
    pub fn literal(&mut self, bytes: &[u8]) {
        let Some(start_bytes) = self.advance(bytes.len() as u64) else { return };
        match self.recipe.extents.last_mut() {
            Some(Extent::Literal(last)) => last.extend_from_slice(bytes),
            _ => self.push(start_bytes, Extent::Literal(bytes.to_vec())),
        }
    }

    /// Appends `size_bytes` zeros.
    pub fn zeros(&mut self, size_bytes: u64) {
        let Some(start_bytes) = self.advance(size_bytes) else { return };
        match self.recipe.extents.last_mut() {
            Some(Extent::Zeros(last)) => *last += size_bytes,
            _ => self.push(start_bytes, Extent::Zeros(size_bytes)),
        }
    }

    /// Appends the whole of `content`.
    pub fn content(&mut self, content: Content) {
        let Some(start_bytes) = self.advance(content.size_bytes) else { return };
        self.push(start_bytes, Extent::Content(content));
    }

    /// The finished recipe.
    pub fn finish(mut self) -> Recipe {
        self.recipe.extents.shrink_to_fit();
        self.recipe.starts_bytes.shrink_to_fit();
        self.recipe
    }

    /// Whether `size_bytes` more would still be a size.
    pub(super) fn has_room_for(&self, size_bytes: u64) -> bool {
        self.end_after(size_bytes).is_some()
    }

    /// Moves on by `size_bytes`; answers where the piece starts, or `None` if it is empty.
    fn advance(&mut self, size_bytes: u64) -> Option<u64> {
        let start_bytes = self.recipe.size_bytes;
        self.recipe.size_bytes =
            self.end_after(size_bytes).expect("a recipe makes less than 2^63 bytes");
        (size_bytes > 0).then_some(start_bytes)
    }

    fn end_after(&self, size_bytes: u64) -> Option<u64> {
        self.recipe.size_bytes.checked_add(size_bytes).filter(|end| *end < SIZE_END_BYTES)
    }

    fn push(&mut self, start_bytes: u64, extent: Extent) {
        self.recipe.extents.push(extent);
        self.recipe.starts_bytes.push(start_bytes);
    }
}
