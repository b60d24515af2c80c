//! Metadata resources → their stored forms, with chunks that are remembered: of the metadata of thousands
//! of files a file that changed changes one chunk, and encoding all of them takes longer than
//! everything else that a WIM needs which is known already.
//!
//! Chunks are encoded one by one, so what is put together from remembered ones has the bytes that it
//! would have anyway.

use mediabuild_formats::wim::ChunkTable;
use mediabuild_store::{Content, Digest};

use super::encode::{Encoders, compress_bytes};
use super::memo::Memos;
use super::{Form, unknown};
use crate::builders::BuildContext;
use crate::failure::Failure;

/// Fewer chunks (of some thousand files) are encoded faster than they are looked up.
const CHUNKS_MIN: usize = 8;

/// Remembering takes a commit, which must be durable: as long as encoding so many chunks.
const NEW_CHUNKS_MIN: usize = 8;

/// The stored form of `plain`, a metadata resource; `None` if it does not become smaller.
pub(crate) fn metadata(
    plain: &[u8],
    encoders: &Encoders,
    context: &BuildContext<'_>,
) -> Result<Option<Vec<u8>>, Failure> {
    let chunk_bytes = encoders.coding().chunk_bytes;
    let chunks: Vec<&[u8]> = plain.chunks(chunk_bytes as usize).collect();
    if chunks.len() < CHUNKS_MIN || !encoders.are_there() {
        return compress_bytes(plain, encoders);
    }
    let stored = stored(&chunks, encoders, context)?;
    let mut table = ChunkTable::new(plain.len() as u64, chunk_bytes)?;
    stored.iter().try_for_each(|chunk| table.add(chunk.len()))?;
    Ok(table.finish()?.map(|table| [table, stored.concat()].concat()))
}

/// The stored forms of `chunks`, in their order.
fn stored(
    chunks: &[&[u8]],
    encoders: &Encoders,
    context: &BuildContext<'_>,
) -> Result<Vec<Vec<u8>>, Failure> {
    let content =
        |chunk: &&[u8]| Content { digest: Digest::of(chunk), size_bytes: chunk.len() as u64 };
    let contents: Vec<Content> = chunks.iter().map(content).collect();
    let memos = Memos::new(encoders.coding());
    let forms = memos.recall_chunks(&contents, context)?;
    let unknown = unknown(&forms);
    let new: Vec<&[u8]> = unknown.iter().map(|&number| chunks[number]).collect();
    let encoded = encoders.encode(&new, &|_| ())?;
    let encoded: Vec<&[u8]> = encoded.chunks().collect();
    if unknown.len() >= NEW_CHUNKS_MIN {
        let mut batch = context.store.batch()?;
        for (&number, stored) in unknown.iter().zip(&encoded) {
            let form = form(batch.put_bytes(stored)?, &contents[number]);
            memos.put_chunk(&contents[number], &form, batch.as_mut())?;
        }
        batch.commit()?;
    }
    let mut encoded = encoded.into_iter();
    let of = |form: &Option<Form>| match form {
        Some(form) => context.read_whole(&form.content()),
        None => Ok(encoded.next().expect("what was unknown is encoded").to_vec()),
    };
    forms.iter().map(of).collect()
}

fn form(stored: Content, plain: &Content) -> Form {
    if stored.size_bytes < plain.size_bytes { Form::Compressed(stored) } else { Form::Raw(stored) }
}

#[cfg(test)]
mod tests {
    use mediabuild_formats::codec::{Codec, Level};
    use mediabuild_store::{MemoryStore, Store};

    use super::*;
    use crate::builders::coding::Coding;
    use crate::builders::sha1::Sha1Wanted;
    use crate::cli::Format;
    use crate::progress::Progress;

    /// Noise and texts, so that some chunks do not become smaller.
    fn plain(chunks: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut byte = |at: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if (at >> 15).is_multiple_of(3) {
                (state >> 24) as u8
            } else {
                b'a' + (state >> 30) as u8
            }
        };
        (0..(chunks << 15) - 100).map(&mut byte).collect()
    }

    #[test]
    fn what_is_put_together_is_what_is_encoded_at_once() {
        let store = MemoryStore::new();
        let (progress, warn) = (Progress::new(Format::Json), |_: &str| ());
        let job = progress.job("test", None);
        let (sha1, paranoid) = (Sha1Wanted::No, false);
        let context = BuildContext { store: &store, job: &job, sha1, paranoid, warn: &warn };
        let coding = Coding { codec: Codec::Lzx, chunk_bytes: 32768, level: Level::Fast };
        let encoders = Encoders::new(coding);
        for chunks in [1, CHUNKS_MIN, 30] {
            let mut plain = plain(chunks);
            let expected = compress_bytes(&plain, &encoders).unwrap();
            for _ in 0..2 {
                assert_eq!(metadata(&plain, &encoders, &context).unwrap(), expected);
            }
            plain[5] ^= 1;
            let expected = compress_bytes(&plain, &encoders).unwrap();
            assert_eq!(metadata(&plain, &encoders, &context).unwrap(), expected);
        }
        let first = Digest::of(&plain(30)[..32768]);
        let key = Memos::new(coding).chunk_key(&first);
        assert!(store.memo(super::super::COMPRESSED_MEMO, &key).unwrap().is_some());
    }
}
