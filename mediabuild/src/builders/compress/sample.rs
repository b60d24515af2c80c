//! Large contents that would not become smaller: a WIM, an ISO, an archive. Compressing a gigabyte
//! only to find that out takes minutes, and what little is saved costs the store a second copy.

use mediabuild_formats::codec::{Codec, Encoder, Level};
use mediabuild_store::Content;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::plain::Plain;
use super::{Form, SEGMENT_BYTES};
use crate::builders::BuildContext;
use crate::builders::import::corrupt;
use crate::cancel;
use crate::failure::Failure;

/// Samples of a content, spread evenly. 64 find a content that is nearly all incompressible: were 5 in
/// 100 chunks to halve, that all 64 miss them has a probability of 4 in 100, and then some
/// 2 in 100 bytes are lost.
const SAMPLES: u64 = 64;

/// The size of a sample: a chunk of nearly every WIM.
const SAMPLE_BYTES: u32 = 32 << 10;

/// The samples must save one byte of so many.
const WORTH: usize = 64;

/// Those of the `unknown` among `plains` that are stored as they are because their samples say so.
pub(super) fn raw_large(
    plains: &[Plain<'_>],
    unknown: &[usize],
    context: &BuildContext<'_>,
) -> Result<Vec<(usize, Form)>, Failure> {
    let large = |number: &usize| {
        let content = plains[*number].content()?;
        (content.size_bytes > SEGMENT_BYTES).then_some((*number, content))
    };
    let large: Vec<(usize, Content)> = unknown.iter().filter_map(large).collect();
    let judged: Vec<_> = large
        .par_iter()
        .map(|(number, content)| Ok((*number, *content, is_worth_it(content, context)?)))
        .collect();
    let judged = judged.into_iter().collect::<Result<Vec<_>, Failure>>()?;
    let raw = judged.into_iter().filter(|(_, _, is_worth_it)| !is_worth_it);
    Ok(raw.map(|(number, content, _)| (number, Form::Raw(content))).collect())
}

/// Whether the samples of a content become smaller.
fn is_worth_it(content: &Content, context: &BuildContext<'_>) -> Result<bool, Failure> {
    let Some(mut encoder) = Encoder::new(Codec::Lzx, SAMPLE_BYTES, Level::Fast) else {
        return Ok(true);
    };
    let source = context.store.open_at(&content.digest)?;
    let (mut bytes, mut stored) = (vec![0; SAMPLE_BYTES as usize], Vec::new());
    let (mut plain_bytes, mut saved_bytes) = (0, 0);
    let last = content.size_bytes - u64::from(SAMPLE_BYTES);
    for number in 0..SAMPLES {
        cancel::check()?;
        let offset_bytes = last / (SAMPLES - 1) * number;
        source
            .read_exact_at(offset_bytes, &mut bytes)
            .map_err(|error| corrupt(&content.digest, error))?;
        stored.clear();
        plain_bytes += bytes.len();
        if encoder.encode(&bytes, &mut stored) {
            saved_bytes += bytes.len() - stored.len();
        }
    }
    Ok(saved_bytes * WORTH >= plain_bytes)
}
