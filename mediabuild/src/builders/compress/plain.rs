//! `Plain`: a content to be stored in a WIM, and where its bytes are.

use std::io::{self, Read};

use mediabuild_formats::wim::{BlobEntry, Sha1};
use mediabuild_store::Content;
use sha1::Digest as _;

use crate::builders::BuildContext;
use crate::builders::import::corrupt;
use crate::builders::wim_content::WimContent;
use crate::cancel;
use crate::failure::Failure;

/// A content that is not empty.
#[derive(Clone, Copy)]
pub(crate) enum Plain<'a> {
    /// By itself.
    Content(Content),
    /// In a WIM, compressed in another way.
    Resource(WimResource<'a>),
}

/// A blob of an input WIM.
#[derive(Clone, Copy)]
pub(crate) struct WimResource<'a> {
    pub(crate) wim: &'a WimContent,
    pub(crate) entry: &'a BlobEntry,
    /// Its stored form in that WIM; `None`: it shares a solid resource with others.
    pub(crate) stored: Option<Content>,
}

impl<'a> Plain<'a> {
    pub(crate) fn size_bytes(&self) -> u64 {
        match self {
            Plain::Content(content) => content.size_bytes,
            Plain::Resource(resource) => resource.entry.size_bytes(),
        }
    }

    /// The blob, if it shares a solid resource with others.
    pub(super) fn solid(&self) -> Option<&WimResource<'a>> {
        match self {
            Plain::Resource(resource) if resource.stored.is_none() => Some(resource),
            _ => None,
        }
    }

    /// The content, if it is one of the store.
    pub(crate) fn content(&self) -> Option<Content> {
        match self {
            Plain::Content(content) => Some(*content),
            Plain::Resource(_) => None,
        }
    }

    /// Its bytes from the first to the last, verified before the end is told.
    pub(super) fn open(
        &self,
        context: &BuildContext<'_>,
    ) -> Result<Box<dyn Read + Send + 'a>, Failure> {
        match self {
            Plain::Content(content) => Ok(Box::new(context.store.open(&content.digest)?)),
            Plain::Resource(resource) => Ok(Box::new(Verified {
                reader: resource.wim.reader(resource.entry)?,
                expected: resource.entry.sha1,
                hasher: sha1::Sha1::new(),
            })),
        }
    }

    /// Fills `bytes`, which is as long as the content.
    pub(super) fn read(&self, bytes: &mut [u8], context: &BuildContext<'_>) -> Result<(), Failure> {
        let mut reader = self.open(context)?;
        reader
            .read_exact(bytes)
            .and_then(|()| expect_end(reader.as_mut()))
            .map_err(|error| self.unreadable(error))
    }

    pub(super) fn unreadable(&self, error: io::Error) -> Failure {
        match self {
            _ if cancel::is_cancelled() => Failure::cancelled(),
            Plain::Content(content) => corrupt(&content.digest, error),
            Plain::Resource(resource) => {
                Failure::build(format!("cannot read blob {}: {error}", resource.entry.sha1))
            }
        }
    }
}

/// Lets the reader verify what it gave.
pub(super) fn expect_end(reader: &mut dyn Read) -> io::Result<()> {
    match reader.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than it says")),
    }
}

/// Decoded bytes, held against the SHA-1 that the WIM names them by.
struct Verified<R> {
    reader: R,
    expected: Sha1,
    hasher: sha1::Sha1,
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        let is_end = count == 0 && !buffer.is_empty();
        if is_end && self.hasher.clone().finalize().as_slice() != self.expected.0 {
            let message = format!("its SHA-1 is not {}", self.expected);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(count)
    }
}
