//! What contents became, remembered in the store.
//!
//! A memo is named by everything that decides a stored form: the content, codec, chunk size, level
//! and the encoder's version; that of a resource of an input WIM by its stored form there too, so that
//! it need not even be decoded. It goes with the content that it names: when no medium needs that any
//! more and it is collected, the next build that wants it compresses again.

use mediabuild_formats::codec::{Codec, Level, encoder_version};
use mediabuild_store::{Batch, Content, Digest, Output};

use super::plain::{Plain, WimResource};
use super::{Form, SEGMENT_BYTES};
use crate::builders::BuildContext;
use crate::builders::coding::Coding;
use crate::failure::Failure;

/// The memo table of stored forms.
pub(crate) const COMPRESSED_MEMO: &str = "compressed-resource";

/// Raised when stored forms are made in another way by the same encoders.
const VERSION: u32 = 1;

/// The memos of one coding.
#[derive(Clone, Copy)]
pub(super) struct Memos {
    coding: Coding,
}

impl Memos {
    pub(super) fn new(coding: Coding) -> Self {
        Memos { coding }
    }

    /// The forms of `plains` that are remembered and still here, in their order.
    pub(super) fn recall(
        self,
        plains: &[Plain<'_>],
        context: &BuildContext<'_>,
    ) -> Result<Vec<Option<Form>>, Failure> {
        let keys: Vec<Digest> = plains.iter().map(|plain| self.key(plain)).collect();
        let sizes: Vec<u64> = plains.iter().map(Plain::size_bytes).collect();
        self.look_up(&keys, &sizes, context)
    }

    /// The same for contents by digest and size that were just decoded.
    pub(super) fn recall_contents(
        self,
        contents: &[Content],
        context: &BuildContext<'_>,
    ) -> Result<Vec<Option<Form>>, Failure> {
        let keys: Vec<Digest> = contents.iter().map(|it| self.content_key(&it.digest)).collect();
        let sizes: Vec<u64> = contents.iter().map(|content| content.size_bytes).collect();
        self.look_up(&keys, &sizes, context)
    }

    /// The same for chunks of metadata.
    pub(super) fn recall_chunks(
        self,
        chunks: &[Content],
        context: &BuildContext<'_>,
    ) -> Result<Vec<Option<Form>>, Failure> {
        let keys: Vec<Digest> = chunks.iter().map(|it| self.chunk_key(&it.digest)).collect();
        let sizes: Vec<u64> = chunks.iter().map(|content| content.size_bytes).collect();
        self.look_up(&keys, &sizes, context)
    }

    /// Remembers the form of a chunk of metadata.
    pub(super) fn put_chunk(
        self,
        chunk: &Content,
        form: &Form,
        batch: &mut dyn Batch,
    ) -> Result<(), Failure> {
        let (key, about) = (self.chunk_key(&chunk.digest), form.content().digest);
        Ok(batch.put_memo_about(COMPRESSED_MEMO, &key, &about, &encode(form))?)
    }

    /// One query for all memos, and one for what they name: a memo may outlive its content.
    fn look_up(
        self,
        keys: &[Digest],
        sizes_bytes: &[u64],
        context: &BuildContext<'_>,
    ) -> Result<Vec<Option<Form>>, Failure> {
        let memos = context.store.memos(COMPRESSED_MEMO, keys)?;
        let mut forms: Vec<Option<Form>> = memos
            .iter()
            .zip(sizes_bytes)
            .map(|(memo, size_bytes)| decode(memo.as_deref()?, *size_bytes))
            .collect();
        let named: Vec<Content> = forms.iter().flatten().map(Form::content).collect();
        let digests: Vec<Digest> = named.iter().map(|content| content.digest).collect();
        let found = context.store.find_many(&digests)?;
        let mut is_here = named.iter().zip(found).map(|(named, found)| found == Some(*named));
        for form in &mut forms {
            if form.is_some() && !is_here.next().unwrap_or(false) {
                *form = None;
            }
        }
        drop_broken(&mut forms, context)?;
        Ok(forms)
    }

    /// Remembers the form of `plain`, whose bytes are called `digest`.
    pub(super) fn put(
        self,
        plain: &Plain<'_>,
        digest: &Digest,
        form: &Form,
        batch: &mut dyn Batch,
    ) -> Result<(), Failure> {
        let (value, about) = (encode(form), form.content().digest);
        let own = self.key(plain);
        batch.put_memo_about(COMPRESSED_MEMO, &own, &about, &value)?;
        let by_content = self.content_key(digest);
        if by_content != own {
            batch.put_memo_about(COMPRESSED_MEMO, &by_content, &about, &value)?;
        }
        Ok(())
    }

    /// The key of a solid resource of these contents, in this order.
    pub(super) fn list_key(self, plains: &[Plain<'_>]) -> Digest {
        let keys: Vec<u8> = plains.iter().flat_map(|it| *self.key(it).as_bytes()).collect();
        self.derive(&[b"solid list", &keys])
    }

    fn key(self, plain: &Plain<'_>) -> Digest {
        match plain {
            Plain::Content(content) => self.content_key(&content.digest),
            Plain::Resource(resource) => self.resource_key(resource),
        }
    }

    fn content_key(self, digest: &Digest) -> Digest {
        self.derive(&[b"content", digest.as_bytes()])
    }

    pub(super) fn chunk_key(self, digest: &Digest) -> Digest {
        self.derive(&[b"metadata chunk", digest.as_bytes()])
    }

    /// A stored form means something only with its codec, chunk size and plain size; a blob in a solid
    /// resource is what that WIM calls by its SHA-1.
    fn resource_key(self, resource: &WimResource<'_>) -> Digest {
        let Some(stored) = resource.stored else {
            let wim = resource.wim.digest.as_bytes();
            return self.derive(&[b"solid", wim, &resource.entry.sha1.0]);
        };
        let header = &resource.wim.wim.header;
        self.derive(&[
            b"resource",
            stored.digest.as_bytes(),
            &[header.compression().number()],
            &header.chunk_bytes.to_le_bytes(),
            &resource.entry.size_bytes().to_le_bytes(),
        ])
    }

    fn derive(self, subject: &[&[u8]]) -> Digest {
        let Coding { codec, chunk_bytes, level } = self.coding;
        // What is sampled decides too.
        let sampled = encoder_version(Codec::Lzx, Level::Fast);
        let numbers =
            [VERSION, codec as u32, chunk_bytes, level as u32, self.coding.version(), sampled];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        subject.iter().for_each(|part| bytes.extend_from_slice(part));
        Digest::derive("mediabuild 2026-11 compressed resource", &bytes)
    }
}

/// The stored form of a large content is a recipe, of which a segment may be lost.
fn drop_broken(forms: &mut [Option<Form>], context: &BuildContext<'_>) -> Result<(), Failure> {
    let is_large = |form: &Form| form.content().size_bytes >= SEGMENT_BYTES / 16;
    let large: Vec<usize> =
        (0..forms.len()).filter(|&number| forms[number].as_ref().is_some_and(is_large)).collect();
    let outputs: Vec<Output> = large
        .iter()
        .filter_map(|&number| Some(Output::Content(forms[number]?.content())))
        .collect();
    let are_whole = context.store.are_whole(&outputs)?;
    for (number, _) in large.into_iter().zip(are_whole).filter(|(_, is_whole)| !is_whole) {
        forms[number] = None;
    }
    Ok(())
}

const RAW: u8 = 0;
const COMPRESSED: u8 = 1;

/// `tag:u8`, then the content.
fn encode(form: &Form) -> Vec<u8> {
    let tag = if matches!(form, Form::Raw(_)) { RAW } else { COMPRESSED };
    [&[tag][..], &encode_content(&form.content())].concat()
}

/// `None` for what cannot be the form of a content of `plain_bytes`.
fn decode(memo: &[u8], plain_bytes: u64) -> Option<Form> {
    let (tag, content) = memo.split_first()?;
    let content = decode_content(content)?;
    match *tag {
        RAW if content.size_bytes == plain_bytes => Some(Form::Raw(content)),
        COMPRESSED if content.size_bytes < plain_bytes => Some(Form::Compressed(content)),
        _ => None,
    }
}

/// `digest:byte{32} size:u64le`
pub(super) fn encode_content(content: &Content) -> Vec<u8> {
    [&content.digest.as_bytes()[..], &content.size_bytes.to_le_bytes()].concat()
}

/// `None` for what is of another size.
pub(super) fn decode_content(bytes: &[u8]) -> Option<Content> {
    let (digest, size) = bytes.split_first_chunk::<32>()?;
    let size_bytes = u64::from_le_bytes(size.try_into().ok()?);
    Some(Content { digest: Digest::from_bytes(*digest), size_bytes })
}

#[cfg(test)]
mod tests {
    use super::{Form, decode, encode};
    use mediabuild_store::{Content, Digest};

    #[test]
    fn a_memo_says_what_was_put_or_nothing() {
        let content = |size_bytes| Content { digest: Digest::of(b"x"), size_bytes };
        let (raw, small) = (Form::Raw(content(10)), Form::Compressed(content(7)));
        assert_eq!(decode(&encode(&raw), 10), Some(raw));
        assert_eq!(decode(&encode(&small), 10), Some(small));
        assert_eq!(decode(&encode(&raw), 11), None, "of another content");
        assert_eq!(decode(&encode(&small), 7), None, "no smaller");
        assert_eq!(decode(&encode(&small)[..40], 10), None);
        assert_eq!(decode(&[], 10), None);
    }
}
