//! Signatures of programs: a sample that osslsigncode signed twice, and what is wrong with files.
//!
//! `authenticode/nested.efi` is 1 KB of headers and one `ret`; certificates of the names that Microsoft's
//! have, made for this test, signed it: the second signature is nested in the first. `2011.efi` and
//! `2023.efi` have one of them each.

use mediabuild_formats::authenticode::{
    Authority, DigestKind, FileDigest, Pe, security_versions, signatures,
};
use proptest::prelude::*;

const SAMPLE: &[u8] = include_bytes!("authenticode/nested.efi");
/// Where the sample's headers are.
const PE_AT: usize = 0x40;
const DIRECTORY_AT: usize = PE_AT + 24 + 112 + 4 * 8;
/// Where its program ends and its certificates start.
const TABLE_AT: usize = 0x400;

/// Overwrites bytes of the sample and returns the refusal.
fn refusal(offset: usize, bytes: &[u8]) -> String {
    let mut file = SAMPLE.to_vec();
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
    signatures(&file).expect_err("a refusal").to_string()
}

#[test]
fn both_signatures_and_their_chains_are_named() {
    let found = signatures(SAMPLE).expect("signatures");
    assert_eq!(found.len(), 2);
    for (signature, is_nested, issuer, authority) in [
        (&found[0], false, "Microsoft Windows Production PCA 2011", Authority::Pca2011),
        (&found[1], true, "Windows UEFI CA 2023", Authority::Ca2023),
    ] {
        assert_eq!(signature.subject.as_deref(), Some("Microsoft Windows"));
        assert_eq!(signature.issuers, [issuer]);
        assert_eq!(signature.authority(), Some(authority));
        assert_eq!(signature.is_nested, is_nested);
        assert_eq!(signature.digest, Some(DigestKind::Sha256));
        assert_eq!(signature.file, FileDigest::Same);
    }
}

#[test]
fn one_signature_is_one() {
    for (sample, authority) in [
        (&include_bytes!("authenticode/2011.efi")[..], Authority::Pca2011),
        (include_bytes!("authenticode/2023.efi"), Authority::Ca2023),
    ] {
        let found = signatures(sample).expect("signatures");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].authority(), Some(authority));
    }
}

#[test]
fn a_changed_program_is_told_and_a_changed_checksum_is_not() {
    for (offset, expected) in [
        (TABLE_AT - 1, FileDigest::Changed),
        (0x200, FileDigest::Changed),
        (0x10, FileDigest::Changed),
        (PE_AT + 24 + 64, FileDigest::Same),
    ] {
        let mut file = SAMPLE.to_vec();
        file[offset] ^= 1;
        let found = signatures(&file).expect("signatures");
        assert!(found.iter().all(|signature| signature.file == expected), "{offset:#x}");
    }
}

#[test]
fn a_program_without_a_table_has_no_signature() {
    let mut file = SAMPLE[..TABLE_AT].to_vec();
    file[DIRECTORY_AT..DIRECTORY_AT + 8].fill(0);
    assert_eq!(signatures(&file), Ok(Vec::new()));
    assert_eq!(Pe::parse(&file).expect("a program").machine, 0x8664);
}

#[test]
fn other_files_are_no_programs() {
    let error = |bytes: &[u8]| signatures(bytes).expect_err("a refusal").to_string();
    assert_eq!(error(b""), "not a PE file: expected `MZ` at offset 0x0, found the file's end");
    assert!(error(b"regf").contains("found `re`"));
    assert!(error(b"MZ").contains("expected all of the headers"));
    assert!(refusal(0x3c, &[0xff; 4]).contains("not a PE file"));
    assert!(refusal(PE_AT + 24, &[0x07, 0x01]).contains("PE32 or PE32+"));
    for length in [0x3c, 0x44, 0x58, 0xa0, 0xc4] {
        assert!(signatures(&SAMPLE[..length]).is_err(), "{length:#x}");
    }
}

#[test]
fn absurd_tables_are_refused_with_their_place() {
    assert!(refusal(DIRECTORY_AT, &[0xff; 8]).contains("a certificate table at the file's end"));
    assert!(refusal(DIRECTORY_AT, &[0; 4]).contains("a certificate table at the file's end"));
    // The table ends before the file does.
    assert!(refusal(DIRECTORY_AT + 4, &[0x10, 0]).contains("at the file's end"));
    for size in [0_u32, 7, u32::MAX] {
        let message = refusal(TABLE_AT, &size.to_le_bytes());
        assert!(
            message.starts_with("offset 0x400: expected the size of a certificate"),
            "{message}"
        );
    }
    let message = refusal(TABLE_AT + 8, &[0x04]);
    assert!(message.starts_with("offset 0x408: expected PKCS#7 SignedData"), "{message}");
}

#[test]
fn a_table_of_thousands_of_certificates_is_refused() {
    let mut file = SAMPLE[..TABLE_AT].to_vec();
    for _ in 0..4096 {
        file.extend([8, 0, 0, 0, 0, 2, 1, 0]);
    }
    let size = (4096_u32 * 8).to_le_bytes();
    file[DIRECTORY_AT + 4..DIRECTORY_AT + 8].copy_from_slice(&size);
    let message = signatures(&file).expect_err("a refusal").to_string();
    assert!(message.ends_with("more than 16 certificates"), "{message}");
}

/// Sorting a set takes the square of its size: a file of 360 KB took half a minute.
#[test]
fn a_signature_with_thousands_of_algorithms_is_refused() {
    let tlv = |tag: u8, content: &[u8]| {
        let size = content.len();
        let head = match size {
            0..0x80 => vec![tag, size as u8],
            0x80..0x100 => vec![tag, 0x81, size as u8],
            _ => vec![tag, 0x82, (size >> 8) as u8, size as u8],
        };
        [&head[..], content].concat()
    };
    let algorithm =
        |at: u32| tlv(0x30, &tlv(6, &[42, 0x86, 0x48, 3, (at >> 7) as u8 | 0x80, at as u8 & 0x7f]));
    for (count, is_absurd) in [(200, false), (300, true)] {
        let algorithms: Vec<u8> = (0..count).rev().flat_map(algorithm).collect();
        let data = tlv(0x30, &[tlv(2, &[1]), tlv(0x31, &algorithms)].concat());
        let signed_data = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
        let blob = tlv(0x30, &[tlv(6, &signed_data), tlv(0xa0, &data)].concat());
        let mut file = SAMPLE[..TABLE_AT].to_vec();
        let size = (blob.len() as u32 + 8).to_le_bytes();
        file[DIRECTORY_AT + 4..DIRECTORY_AT + 8].copy_from_slice(&size);
        file.extend(size.into_iter().chain([0, 2, 2, 0]).chain(blob));
        let told = signatures(&file).expect_err("a refusal").to_string();
        assert_eq!(told.ends_with("found more than any has"), is_absurd, "{told}");
    }
}

proptest! {
    #[test]
    fn damage_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut file = SAMPLE.to_vec();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let _ = signatures(&file);
    }

    #[test]
    fn damaged_resources_never_panic(changes in prop::collection::vec((0..RESOURCES_END, any::<u8>()), 1..4)) {
        let mut file = with_versions();
        for (at, byte) in changes {
            file[at] = byte;
        }
        let _ = security_versions(&file, WINDOWS_RESOURCE);
    }
}

/// The name under which the program with versions has one.
const WINDOWS_RESOURCE: &str = "WINDOWSVERSION";
/// Where the program with versions has its resources: in its first section, loaded at another address.
const RESOURCES: usize = 0x400;
const LOADED_AT: u32 = 0x5000;
const RESOURCES_END: usize = 0x600;

/// A program with resources and SBAT data, and nothing else.
fn with_versions() -> Vec<u8> {
    let mut file = SAMPLE[..TABLE_AT].to_vec();
    file[DIRECTORY_AT..DIRECTORY_AT + 8].fill(0);
    let put = |file: &mut Vec<u8>, at: usize, words: &[u32]| {
        file.resize(file.len().max(at + 4 * words.len()), 0);
        for (number, word) in words.iter().enumerate() {
            file[at + 4 * number..][..4].copy_from_slice(&word.to_le_bytes());
        }
    };
    put(&mut file, DIRECTORY_AT - 16, &[LOADED_AT, 0x200]);
    let optional_bytes = usize::from(file[PE_AT + 20]) + 256 * usize::from(file[PE_AT + 21]);
    let headers = PE_AT + 24 + optional_bytes;
    file[PE_AT + 6] = 2;
    for (at, name, loaded_at, start) in [
        (headers, b".rsrc\0\0\0", LOADED_AT, RESOURCES),
        (headers + 40, b".sbat\0\0\0", 0x6000, RESOURCES_END),
    ] {
        file[at..at + 8].copy_from_slice(name);
        put(&mut file, at + 8, &[0x200, loaded_at, 0x200, start as u32]);
    }
    // Type 10, two names, one language each; then the name and what it leads to.
    let directory = 1 << 31;
    put(&mut file, RESOURCES, &[0, 0, 0, 1 << 16, 10, directory | 24]);
    put(
        &mut file,
        RESOURCES + 24,
        &[0, 0, 0, 1 | 1 << 16, directory | 200, directory | 56, 1, directory | 80],
    );
    put(&mut file, RESOURCES + 56, &[0, 0, 0, 1 << 16, 1033, 104]);
    put(&mut file, RESOURCES + 80, &[0, 0, 0, 1 << 16, 1033, 120]);
    put(&mut file, RESOURCES + 104, &[LOADED_AT + 300, 4, 0, 0]);
    put(&mut file, RESOURCES + 120, &[LOADED_AT + 304, 4, 0, 0]);
    let name: Vec<u16> = [WINDOWS_RESOURCE.len() as u16]
        .into_iter()
        .chain(WINDOWS_RESOURCE.encode_utf16())
        .collect();
    let name: Vec<u8> = name.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    file.resize(RESOURCES_END, 0);
    file[RESOURCES + 200..][..name.len()].copy_from_slice(&name);
    put(&mut file, RESOURCES + 300, &[7 << 16 | 2, 9 << 16]);
    file.extend(
        b"sbat,1,SBAT Version,sbat,1,x\nshim,4,UEFI shim\n,,\ngrub.debian,x,y\ngrub,5\n\0\0shim,9",
    );
    file.resize(RESOURCES_END + 0x200, 0);
    file
}

fn versions(file: &[u8]) -> Vec<String> {
    let versions = security_versions(file, WINDOWS_RESOURCE).expect("a program");
    versions.iter().map(|it| format!("{} {}", it.component, it.version)).collect()
}

#[test]
fn security_versions_are_those_of_the_resource_and_of_sbat() {
    let mut file = with_versions();
    assert_eq!(versions(&file), ["bootmgr 7.2", "shim 4", "grub 5"]);
    // Another name: no version of Windows.
    file[RESOURCES + 202] ^= 1;
    assert_eq!(versions(&file), ["shim 4", "grub 5"]);
    assert_eq!(versions(SAMPLE), Vec::<String>::new());
}

#[test]
fn resources_that_lead_nowhere_or_to_themselves_are_refused() {
    let error = |at: usize, word: u32| {
        let mut file = with_versions();
        file[at..at + 4].copy_from_slice(&word.to_le_bytes());
        security_versions(&file, WINDOWS_RESOURCE).expect_err("a refusal").to_string()
    };
    let told = error(DIRECTORY_AT - 16, 0x9000);
    assert_eq!(told, "offset 0xd8: expected resources inside a section, found address 0x9000");
    assert!(error(RESOURCES + 104, 0x7fff_ffff).contains("expected a resource inside a section"));
    assert!(error(RESOURCES + 108, u32::MAX).contains("expected a resource inside a section"));
    assert!(error(PE_AT + 6, 0xffff).contains("more than 96 sections"));
    // A directory of 65,535 entries that all lead to it.
    let mut file = with_versions();
    file.resize(1 << 20, 0);
    let at = RESOURCES + 24;
    file[at + 14..at + 16].copy_from_slice(&u16::MAX.to_le_bytes());
    for number in 0..60_000 {
        file[at + 16 + 8 * number..][..8].copy_from_slice(&[1, 0, 0, 0, 24, 0, 0, 0x80]);
    }
    let told = security_versions(&file, WINDOWS_RESOURCE).expect_err("a refusal").to_string();
    assert!(told.ends_with("more than 4096 resources"), "{told}");
}
