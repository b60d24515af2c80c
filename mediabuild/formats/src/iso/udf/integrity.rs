//! The logical volume integrity sequence: of what is recorded in it, the last counts. Not what it
//! says: that is compared where a disc is checked.

use super::open::{SEQUENCE_COUNT_MAX, SectorExtent, expect_tag};
use super::tag::{self, Tag};
use crate::iso::sectors::Sectors;
use crate::source::Source;
use crate::volume::ReadError;

/// Where the next extent of the sequence is named (ECMA-167 3/10.10.4).
const NEXT_EXTENT: usize = 32;

/// The prevailing descriptor and its place in the disc (ECMA-167 3/8.8.2): programs that change a
/// volume append one as they open it and one as they close it. `None` for an extent of no sector.
pub(in crate::iso) fn prevailing<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    first: SectorExtent,
) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
    let (mut extent, mut at, mut found) = (first, 0, None);
    for _ in 0..SEQUENCE_COUNT_MAX {
        if at >= extent.sector_count(sectors.sector_size_bytes) {
            break;
        }
        let sector = u64::from(extent.sector) + u64::from(at);
        let offset_bytes = sector * sectors.sector_size_bytes;
        let bytes = sectors.read(sector)?;
        if found.is_some() && !is_descriptor(&bytes) {
            break;
        }
        expect_tag(&bytes, offset_bytes, tag::INTEGRITY, "a logical volume integrity descriptor")?;
        let next = SectorExtent::at(&bytes, NEXT_EXTENT);
        (extent, at) = if next.size_bytes > 0 { (next, 0) } else { (extent, at + 1) };
        found = Some((offset_bytes, bytes));
    }
    Ok(found)
}

/// Sectors behind the last descriptor hold zeros, a terminator or what was there before.
fn is_descriptor(bytes: &[u8]) -> bool {
    let tag = Tag::of(bytes);
    tag.identifier == tag::INTEGRITY && tag.is_intact
}
