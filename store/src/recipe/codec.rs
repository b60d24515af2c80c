//! The canonical encoding of a recipe: one recipe, one byte string.
//!
//! ```text
//! recipe  := "MBRECIP1" extent*
//! extent  := 0x01 size:u64le byte{size}        a literal
//!          | 0x02 size:u64le                   zeros
//!          | 0x03 size:u64le digest:byte{32}   a content
//! ```
//! No size is 0; no two literals and no two runs of zeros are neighbours.

use crate::decode::Decoder;
use crate::{Content, DecodeError, Extent, Recipe, RecipeBuilder};

const MAGIC: &[u8; 8] = b"MBRECIP1";
const LITERAL: u8 = 1;
const ZEROS: u8 = 2;
const CONTENT: u8 = 3;

impl Recipe {
    /// The canonical encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_bytes());
        out.extend_from_slice(MAGIC);
        for extent in self.extents() {
            encode_extent(&mut out, extent);
        }
        out
    }

    /// Reads an encoding; refuses any that is not canonical. Takes memory in proportion to
    /// `bytes`, whatever they say.
    pub fn decode(bytes: &[u8]) -> Result<Recipe, DecodeError> {
        let mut decoder = Decoder::after(MAGIC, bytes)?;
        let mut builder = RecipeBuilder::new();
        let mut last_tag = 0;
        while !decoder.is_empty() {
            let tag = decoder.u8()?;
            if tag == last_tag && tag != CONTENT {
                return Err(decoder.error("two neighbours that must be one extent"));
            }
            decode_extent(tag, &mut decoder, &mut builder)?;
            last_tag = tag;
        }
        Ok(builder.finish())
    }

    fn encoded_bytes(&self) -> usize {
        let body = |extent: &Extent| match extent {
            Extent::Literal(bytes) => 9 + bytes.len(),
            Extent::Zeros(_) => 9,
            Extent::Content(_) => 41,
        };
        MAGIC.len() + self.extents().iter().map(body).sum::<usize>()
    }
}

fn encode_extent(out: &mut Vec<u8>, extent: &Extent) {
    let tag = match extent {
        Extent::Literal(_) => LITERAL,
        Extent::Zeros(_) => ZEROS,
        Extent::Content(_) => CONTENT,
    };
    out.push(tag);
    out.extend_from_slice(&extent.size_bytes().to_le_bytes());
    match extent {
        Extent::Literal(bytes) => out.extend_from_slice(bytes),
        Extent::Zeros(_) => {}
        Extent::Content(content) => out.extend_from_slice(content.digest.as_bytes()),
    }
}

fn decode_extent(
    tag: u8,
    decoder: &mut Decoder<'_>,
    builder: &mut RecipeBuilder,
) -> Result<(), DecodeError> {
    let size_bytes = decoder.u64()?;
    if size_bytes == 0 || !builder.has_room_for(size_bytes) {
        return Err(decoder.error("an extent that is empty or too large"));
    }
    match tag {
        LITERAL => builder.literal(decoder.take(size_bytes)?),
        ZEROS => builder.zeros(size_bytes),
        CONTENT => builder.content(Content { digest: decoder.digest()?, size_bytes }),
        _ => return Err(decoder.error("an unknown kind of extent")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;

    fn sample() -> Recipe {
        let mut builder = RecipeBuilder::new();
        builder.literal(b"head");
        builder.zeros(10);
        builder.content(Content { digest: Digest::of(b"x"), size_bytes: 1 });
        builder.finish()
    }

    /// Any change breaks every stored recipe and every key made from one, which is the point.
    #[test]
    fn the_encoding_is_pinned() {
        assert_eq!(
            sample().digest().to_string(),
            "a6dd2a5c4981fdb6f21eadf1e7471be2cca78e420925984f8f31d756e5bd136b"
        );
    }

    #[test]
    fn neighbours_that_should_be_merged_are_refused() {
        let mut bytes = sample().encode()[..21].to_vec();
        bytes.extend_from_within(8..21);
        assert!(Recipe::decode(&bytes).is_err());
    }

    #[test]
    fn empty_and_overflowing_extents_are_refused() {
        let zeros = |size: u64| [&[ZEROS][..], &size.to_le_bytes()].concat();
        let decode = |extents: &[u8]| Recipe::decode(&[MAGIC, extents].concat());
        assert!(decode(&zeros(0)).is_err());
        assert!(decode(&zeros(1 << 63)).is_err());
        assert!(decode(&zeros((1 << 63) - 1)).is_ok());
        assert!(decode(&[LITERAL, 255, 255, 255, 255, 255, 255, 255, 127]).is_err());
    }
}
