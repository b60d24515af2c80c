//! `Blobs`: many small blobs in one buffer, with their digests.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::{Content, Digest};

/// Many blobs in memory, back to back. Their digests are computed here and nowhere else, so a batch
/// takes them as they are. Reuse one: its buffer stays.
#[derive(Default)]
pub struct Blobs {
    /// At least as long as the blobs; what is behind them is left from before.
    buffer: Vec<u8>,
    contents: Vec<Content>,
}

impl Blobs {
    /// Replaces what it holds by one blob of each of `sizes_bytes`. `fill` makes blob number so and
    /// so, on any thread of the leaf pool, right before it is hashed; what it answers comes back in
    /// the order of the blobs. If it fails, there are no blobs, and the error is that of the first.
    pub fn fill<T: Send, E: Send>(
        &mut self,
        sizes_bytes: &[usize],
        fill: impl Fn(usize, &mut [u8]) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, E> {
        self.contents.clear();
        let all_bytes = sizes_bytes.iter().sum();
        if self.buffer.len() < all_bytes {
            self.buffer.resize(all_bytes, 0);
        }
        let made: Vec<_> = split(&mut self.buffer, sizes_bytes)
            .into_par_iter()
            .enumerate()
            .map(|(number, bytes)| Ok((fill(number, bytes)?, content(bytes))))
            .collect();
        let made: Result<Vec<_>, E> = made.into_iter().collect();
        let (answers, contents) = made?.into_iter().unzip();
        self.contents = contents;
        Ok(answers)
    }

    /// What the blobs are called.
    pub fn contents(&self) -> &[Content] {
        &self.contents
    }

    /// The blobs.
    pub fn iter(&self) -> impl Iterator<Item = (Content, &[u8])> {
        let mut rest = &self.buffer[..];
        self.contents.iter().map(move |content| {
            let (bytes, after) = rest.split_at(content.size_bytes as usize);
            rest = after;
            (*content, bytes)
        })
    }
}

fn split<'a>(mut rest: &'a mut [u8], sizes_bytes: &[usize]) -> Vec<&'a mut [u8]> {
    let mut cut = |size_bytes: &usize| {
        let (piece, after) = std::mem::take(&mut rest).split_at_mut(*size_bytes);
        rest = after;
        piece
    };
    sizes_bytes.iter().map(&mut cut).collect()
}

fn content(bytes: &[u8]) -> Content {
    Content { digest: Digest::of(bytes), size_bytes: bytes.len() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_come_in_order_and_are_named_by_what_was_filled_in() {
        let mut blobs = Blobs::default();
        for sizes_bytes in [&[3, 0, 5][..], &[1], &[], &[4, 4, 4, 4]] {
            let fill = |number: usize, bytes: &mut [u8]| {
                bytes.fill(number as u8);
                Ok::<_, ()>(number)
            };
            let answers = blobs.fill(sizes_bytes, fill).unwrap();
            assert_eq!(answers, (0..sizes_bytes.len()).collect::<Vec<_>>());
            let expected: Vec<Vec<u8>> =
                sizes_bytes.iter().enumerate().map(|(at, size)| vec![at as u8; *size]).collect();
            let found: Vec<_> = blobs.iter().collect();
            assert_eq!(found.len(), expected.len());
            for ((content, bytes), expected) in found.into_iter().zip(&expected) {
                assert_eq!((bytes, content.digest), (&expected[..], Digest::of(expected)));
            }
        }
    }

    #[test]
    fn the_first_failure_is_told_and_nothing_is_kept() {
        let mut blobs = Blobs::default();
        blobs.fill(&[1], |_, _| Ok::<_, usize>(())).unwrap();
        let fill = |number, _: &mut [u8]| if number < 2 { Ok(()) } else { Err(number) };
        assert_eq!(blobs.fill(&[1; 100], fill), Err(2));
        assert_eq!(blobs.iter().count(), 0);
    }
}
