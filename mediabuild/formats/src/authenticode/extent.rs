//! What a PKCS#7 blob may have before it is decoded: sorting a set takes the square of its size.

use der::{Decode, Header, Reader, SliceReader};

/// Children of one element; a signature's sets have a handful, its certificates some ten fields.
const CHILD_COUNT_MAX: usize = 256;
/// Elements in each other. A certificate's are some ten deep, and each nested signature adds as many.
const DEPTH_MAX: usize = 512;

/// Whether the first element of `blob` has more children in one place, or deeper, than any signature.
/// What is no DER is for the decoder to refuse.
pub(super) fn is_absurd(blob: &[u8]) -> bool {
    let Ok(mut reader) = SliceReader::new(blob) else { return false };
    // Ends of the elements that are open, and how many children each has.
    let mut open: Vec<(u32, usize)> = Vec::new();
    loop {
        let Ok(header) = Header::decode(&mut reader) else { return false };
        let (at, size) = (u32::from(reader.position()), u32::from(header.length));
        let Some(end) = at.checked_add(size).filter(|&end| end as usize <= blob.len()) else {
            return false;
        };
        if let Some((_, child_count)) = open.last_mut() {
            *child_count += 1;
            if *child_count > CHILD_COUNT_MAX {
                return true;
            }
        }
        if header.tag.is_constructed() {
            open.push((end, 0));
        } else if reader.read_slice(header.length).is_err() {
            return false;
        }
        if open.len() > DEPTH_MAX {
            return true;
        }
        let at = u32::from(reader.position());
        while open.last().is_some_and(|(end, _)| *end <= at) {
            open.pop();
        }
        if open.is_empty() {
            return false;
        }
    }
}
