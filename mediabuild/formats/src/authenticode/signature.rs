//! `Signature`: a signer of a program. A program has several in two ways: several certificates in its
//! table, and signatures nested in a signature.

use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerInfo};
use der::asn1::{Any, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Sequence, SliceReader};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::certificates::{Authority, names};
use super::digest::DigestKind;
use super::error::Error;
use super::extent::is_absurd;
use super::pe::Pe;

/// Who signed a program, as the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The signer's common name; `None` if its certificate is not in the file.
    pub subject: Option<String>,
    /// Its issuer's common name and those above, as far as the file has certificates.
    pub issuers: Vec<String>,
    /// Whether it is nested in another one.
    pub is_nested: bool,
    /// The digest's algorithm; `None` if it is not known here.
    pub digest: Option<DigestKind>,
    /// Whether the file is what was signed.
    pub file: FileDigest,
}

impl Signature {
    /// Which of the certificates that firmware trusts for Windows it leads to, by name.
    pub fn authority(&self) -> Option<Authority> {
        Authority::of(&self.issuers)
    }
}

/// A file against the digest in a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileDigest {
    /// The file is what was signed.
    Same,
    /// The file was changed after it was signed.
    Changed,
    /// The signature is not over a file's digest, or by an algorithm that is not known here.
    Unknown,
}

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const INDIRECT_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.4");
const NESTED_SIGNATURE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.4.1");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
/// Signatures of one file, nested ones counted.
const SIGNATURE_COUNT_MAX: usize = 32;

/// Signatures have some ten to forty KB.
const BLOB_MAX_BYTES: usize = 1 << 20;

/// What a signature is over: `SpcIndirectDataContent`.
#[derive(Sequence)]
struct IndirectData {
    data: TypeAndValue,
    message_digest: DigestInfo,
}

#[derive(Sequence)]
struct TypeAndValue {
    kind: ObjectIdentifier,
    value: Option<Any>,
}

#[derive(Sequence)]
struct DigestInfo {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

/// All signatures of a PE file, those of the table first, each followed by what is nested in it.
pub fn signatures(bytes: &[u8]) -> Result<Vec<Signature>, Error> {
    let pe = Pe::parse(bytes)?;
    let signed = pe.signed(bytes);
    let mut found = Vec::new();
    for (offset, blob) in pe.certificates(bytes)? {
        let mut reader = Reader { offset, signed: &signed, found: &mut found };
        reader.blob(blob, false)?;
    }
    Ok(found)
}

struct Reader<'a> {
    /// Of the certificate in the file, for errors.
    offset: usize,
    /// What a signature is over.
    signed: &'a [&'a [u8]],
    found: &'a mut Vec<Signature>,
}

impl Reader<'_> {
    /// A blob of PKCS#7; what is behind it is padding. A nested one is part of its blob and smaller, so
    /// nesting ends.
    fn blob(&mut self, blob: &[u8], is_nested: bool) -> Result<(), Error> {
        if blob.len() > BLOB_MAX_BYTES || is_absurd(blob) {
            return Err(self.wrong(&"more than any has"));
        }
        let mut reader = SliceReader::new(blob).map_err(|error| self.wrong(&error))?;
        let content = ContentInfo::decode(&mut reader).map_err(|error| self.wrong(&error))?;
        if content.content_type != SIGNED_DATA {
            return Err(self.wrong(&content.content_type));
        }
        let data: SignedData = content.content.decode_as().map_err(|error| self.wrong(&error))?;
        for signer in data.signer_infos.0.iter() {
            self.signer(&data, signer, is_nested)?;
        }
        Ok(())
    }

    fn signer(
        &mut self,
        data: &SignedData,
        signer: &SignerInfo,
        is_nested: bool,
    ) -> Result<(), Error> {
        if self.found.len() == SIGNATURE_COUNT_MAX {
            let (offset_bytes, limit) = (self.offset as u64, SIGNATURE_COUNT_MAX);
            return Err(Error::Limit { offset_bytes, what: "signatures", limit });
        }
        let (subject, issuers) = names(data, &signer.sid);
        let (digest, file) = self.file_digest(data, signer);
        self.found.push(Signature { subject, issuers, is_nested, digest, file });
        let attributes = signer.unsigned_attrs.iter().flat_map(|attributes| attributes.iter());
        for attribute in attributes.filter(|attribute| attribute.oid == NESTED_SIGNATURE) {
            for nested in attribute.values.iter() {
                let nested = nested.to_der().map_err(|error| self.wrong(&error))?;
                self.blob(&nested, true)?;
            }
        }
        Ok(())
    }

    /// The file against the digest in the content, and the content against the digest in what the
    /// signer signed: both must hold.
    fn file_digest(
        &self,
        data: &SignedData,
        signer: &SignerInfo,
    ) -> (Option<DigestKind>, FileDigest) {
        let content = &data.encap_content_info;
        let unknown = (None, FileDigest::Unknown);
        if content.econtent_type != INDIRECT_DATA {
            return unknown;
        }
        let Some(bytes) = &content.econtent else { return unknown };
        let Ok(indirect) = bytes.decode_as::<IndirectData>() else { return unknown };
        let info = indirect.message_digest;
        let Some(kind) = DigestKind::of(info.algorithm.oid) else { return unknown };
        let is_file = kind.digest(self.signed) == info.digest.as_bytes();
        let is_content = match DigestKind::of(signer.digest_alg.oid) {
            Some(kind) => message_digest(signer) == Some(kind.digest(&[bytes.value()])),
            None => return (Some(kind), FileDigest::Unknown),
        };
        (Some(kind), if is_file && is_content { FileDigest::Same } else { FileDigest::Changed })
    }

    fn wrong(&self, found: &dyn std::fmt::Display) -> Error {
        Error::Damaged {
            offset_bytes: self.offset as u64,
            expected: "PKCS#7 SignedData",
            found: found.to_string(),
        }
    }
}

/// What the signer signed says of the content.
fn message_digest(signer: &SignerInfo) -> Option<Vec<u8>> {
    let attributes = signer.signed_attrs.as_ref()?;
    let attribute = attributes.iter().find(|attribute| attribute.oid == MESSAGE_DIGEST)?;
    let digest: OctetString = attribute.values.iter().next()?.decode_as().ok()?;
    Some(digest.into_bytes())
}
