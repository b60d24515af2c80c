//! Names out of the certificates that come with a signature.

use cms::cert::CertificateChoices;
use cms::signed_data::{SignedData, SignerIdentifier};
use der::asn1::{Any, ObjectIdentifier};
use der::{Tag, Tagged};
use x509_cert::Certificate;
use x509_cert::name::Name;

/// Which of the certificates that firmware trusts a boot file leads to, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authority {
    /// `Microsoft Windows Production PCA 2011`: what firmware has trusted for Windows so far.
    Pca2011,
    /// `Windows UEFI CA 2023`: its successor.
    Ca2023,
}

const AUTHORITIES: [(&str, Authority); 2] = [
    ("Microsoft Windows Production PCA 2011", Authority::Pca2011),
    ("Windows UEFI CA 2023", Authority::Ca2023),
];

impl Authority {
    /// The year, as definitions say it.
    pub fn year(self) -> &'static str {
        match self {
            Authority::Pca2011 => "2011",
            Authority::Ca2023 => "2023",
        }
    }

    pub(super) fn of(issuers: &[String]) -> Option<Authority> {
        let known = |issuer: &String| AUTHORITIES.iter().find(|(name, _)| name == issuer);
        issuers.iter().find_map(known).map(|(_, authority)| *authority)
    }
}

/// Longer chains than this are not followed.
const CHAIN_MAX: usize = 8;
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The signer's common name and those of its issuers, the nearest first, as far as the certificates in
/// the signature go. The signer's own certificate may be missing: then only its issuer is known.
pub(super) fn names(data: &SignedData, id: &SignerIdentifier) -> (Option<String>, Vec<String>) {
    let certificates: Vec<&Certificate> = data
        .certificates
        .iter()
        .flat_map(|set| set.0.iter())
        .filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        })
        .collect();
    let SignerIdentifier::IssuerAndSerialNumber(id) = id else { return (None, Vec::new()) };
    let signer = certificates.iter().find(|it| {
        it.tbs_certificate.issuer == id.issuer
            && it.tbs_certificate.serial_number == id.serial_number
    });
    let subject = signer.map(|it| common_name(&it.tbs_certificate.subject));
    let mut issuers = vec![common_name(&id.issuer)];
    let mut name = &id.issuer;
    while issuers.len() < CHAIN_MAX {
        let Some(next) = certificates.iter().find(|it| it.tbs_certificate.subject == *name) else {
            break;
        };
        if next.tbs_certificate.issuer == *name {
            break;
        }
        name = &next.tbs_certificate.issuer;
        issuers.push(common_name(name));
    }
    (subject, issuers)
}

/// The common name, or all of a name without one.
fn common_name(name: &Name) -> String {
    let mut parts = name.0.iter().flat_map(|part| part.0.iter());
    let common = parts.find(|part| part.oid == COMMON_NAME);
    common.map_or_else(|| name.to_string(), |part| text(&part.value))
}

/// A string of any of ASN.1's kinds.
fn text(value: &Any) -> String {
    match value.tag() {
        Tag::BmpString => {
            let (units, _) = value.value().as_chunks::<2>();
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16_lossy(&units)
        }
        Tag::TeletexString => value.value().iter().copied().map(char::from).collect(),
        _ => String::from_utf8_lossy(value.value()).into_owned(),
    }
}
