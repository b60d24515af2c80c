//! The SHA-1 of contents, by which WIMs name them: remembered since they were imported, or computed
//! by reading them once more.

use std::collections::BTreeMap;

use mediabuild_store::{Content, Digest};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use sha1::{Digest as _, Sha1};

use super::BuildContext;
use crate::failure::Failure;

/// The memo table of SHA-1 by content.
pub(crate) const SHA1_MEMO: &str = "sha1";

/// Whether a WIM will want the SHA-1 of what is imported: then it is computed while the bytes pass
/// by. It is the slowest of the hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sha1Wanted {
    Yes,
    #[default]
    No,
}

/// The SHA-1 of a content.
pub(super) fn sha1_of(content: &Content, context: &BuildContext<'_>) -> Result<[u8; 20], Failure> {
    sha1s_of(&[*content], context).map(|sha1s| sha1s[0])
}

/// The SHA-1 of each of `contents`: what is not remembered is read by all cores, and remembered
/// with one commit.
pub(super) fn sha1s_of(
    contents: &[Content],
    context: &BuildContext<'_>,
) -> Result<Vec<[u8; 20]>, Failure> {
    let digests: Vec<Digest> = contents.iter().map(|content| content.digest).collect();
    let memos = context.store.memos(SHA1_MEMO, &digests)?;
    let known: Vec<Option<[u8; 20]>> =
        memos.into_iter().map(|memo| memo?.try_into().ok()).collect();
    let unknown: BTreeMap<Digest, &Content> = contents
        .iter()
        .zip(&known)
        .filter(|(_, known)| known.is_none())
        .map(|(content, _)| (content.digest, content))
        .collect();
    let read = read_all(&unknown, context)?;
    let sha1 = |(digest, known): (&Digest, Option<[u8; 20]>)| known.unwrap_or_else(|| read[digest]);
    Ok(digests.iter().zip(known).map(sha1).collect())
}

fn read_all(
    contents: &BTreeMap<Digest, &Content>,
    context: &BuildContext<'_>,
) -> Result<BTreeMap<Digest, [u8; 20]>, Failure> {
    if contents.is_empty() {
        return Ok(BTreeMap::new());
    }
    let read: Vec<_> = contents
        .par_iter()
        .map(|(digest, content)| Ok((*digest, read(content, context)?)))
        .collect();
    // The first failure of all, however the cores took turns.
    let sha1s: BTreeMap<Digest, [u8; 20]> = read.into_iter().collect::<Result<_, Failure>>()?;
    let mut batch = context.store.batch()?;
    for (digest, sha1) in &sha1s {
        batch.put_memo(SHA1_MEMO, digest, sha1)?;
    }
    batch.commit()?;
    Ok(sha1s)
}

fn read(content: &Content, context: &BuildContext<'_>) -> Result<[u8; 20], Failure> {
    let mut sha1 = Sha1::new();
    context.read_pieces(content, |piece| sha1.update(piece))?;
    Ok(sha1.finalize().into())
}

#[cfg(test)]
mod tests {
    use mediabuild_store::{MemoryStore, Store};

    use super::*;
    use crate::cli::Format;
    use crate::progress::Progress;

    #[test]
    fn what_is_not_remembered_is_computed_once_and_remembered() {
        let store = MemoryStore::new();
        let mut batch = store.batch().unwrap();
        let texts = ["", "one", "two", "one"];
        let contents = texts.map(|text| batch.put_bytes(text.as_bytes()).unwrap());
        let remembered = [7; 20];
        batch.put_memo(SHA1_MEMO, &contents[2].digest, &remembered).unwrap();
        batch.commit().unwrap();
        let (progress, warn) = (Progress::new(Format::Json), |_: &str| ());
        let job = progress.job("test", None);
        let (sha1, paranoid) = (Sha1Wanted::No, false);
        let context = BuildContext { store: &store, job: &job, sha1, paranoid, warn: &warn };

        let sha1s = sha1s_of(&contents, &context).unwrap();
        let one: [u8; 20] = Sha1::digest(b"one").into();
        assert_eq!(sha1s, [Sha1::digest(b"").into(), one, remembered, one]);
        assert_eq!(store.memo(SHA1_MEMO, &contents[1].digest).unwrap().unwrap(), one);
    }
}
