//! `inspect signers`: who signed the boot programs of a medium, or one program, and their security
//! versions.

use std::io::Read;

use mediabuild_formats::authenticode::{FileDigest, SecurityVersion, Signature};
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::{Entry, FileReader};
use mediabuild_formats::wim::{Dentry, Wim};
use serde_json::{Value, json};

use super::image;
use super::medium::{AnySource, Medium, entries, open_source, recognise, refuse_image};
use crate::builders::boot_signers::PROGRAM_MAX_BYTES;
use crate::cli::{Format, InspectSigners};
use crate::failure::Failure;
use crate::probe::{BootProgram, read_program};
use crate::progress::print_line;

/// What must be said wherever signers are.
const NOT_VERIFIED: &str =
    "Signers are those that the files name; no chain and no key was verified.";

/// Prints a line a signature below each program.
pub(super) fn run(arguments: &InspectSigners, format: Format) -> Result<(), Failure> {
    let source = open_source(&arguments.file)?;
    let name = arguments.file.to_string_lossy();
    let mut magic = [0; 2];
    let programs = if source.read_exact_at(0, &mut magic).is_ok() && &magic == b"MZ" {
        vec![(name.to_string(), BootProgram::of(whole(&source)))]
    } else {
        let medium = recognise(&source, &name)?;
        refuse_image(&medium, arguments.image.is_some())?;
        match medium {
            Medium::Wim(wim) => wim_programs(&wim, &source, arguments.image)?,
            Medium::Disc(disc) => programs_among(entries(&disc, &source)?, &source),
            Medium::Disk(disk) => programs_among(disk.entries(&source)?, &source),
        }
    };
    if programs.is_empty() {
        return Err(Failure::build(format!("`{name}` holds no boot program that can be signed"))
            .help(
                "list it: mediabuild inspect ls FILE; of a set of discs only the first one boots",
            ));
    }
    programs.iter().for_each(|(path, program)| tell(path, program, format));
    if format == Format::Text {
        print_line(NOT_VERIFIED);
    }
    Ok(())
}

fn tell(path: &str, program: &BootProgram, format: Format) {
    if format == Format::Json {
        let (signatures, versions) = (signatures_json(program), versions_json(program));
        let line = json!({ "path": path, "signatures": signatures, "security-versions": versions });
        print_line(&line.to_string());
        return;
    }
    print_line(path);
    for line in program_lines(program) {
        print_line(&format!("  {line}"));
    }
}

/// A line for each signature, or one that says why there is none, and one of the security versions.
pub(in crate::commands) fn program_lines(program: &BootProgram) -> Vec<String> {
    let mut lines = match &program.signatures {
        Err(error) => vec![format!("signers unknown: {error}")],
        Ok(signatures) if signatures.is_empty() => vec!["not signed".into()],
        Ok(signatures) => signatures.iter().map(line).collect(),
    };
    match &program.versions {
        // It is no program, and the signatures said so.
        Err(error) if program.signatures.as_ref().err() == Some(error) => {}
        Err(error) => lines.push(format!("security version unknown: {error}")),
        Ok(versions) if versions.is_empty() => {}
        Ok(versions) => lines.push(versions_line(versions)),
    }
    lines
}

/// `security version: bootmgr 7.0, shim 4`
fn versions_line(versions: &[SecurityVersion]) -> String {
    let version = |it: &SecurityVersion| format!("{} {}", it.component, it.version);
    let all: Vec<String> = versions.iter().map(version).collect();
    format!("security version: {}", all.join(", ")).escape_debug().to_string()
}

/// The same for machines.
pub(in crate::commands) fn versions_json(program: &BootProgram) -> Value {
    let version =
        |it: &SecurityVersion| json!({ "component": it.component, "version": it.version });
    match &program.versions {
        Ok(versions) => versions.iter().map(version).collect(),
        Err(error) => json!({ "error": error }),
    }
}

/// `signed by A < its issuer < …, SHA-256: the file is what was signed`
fn line(signature: &Signature) -> String {
    let signer = signature.subject.as_deref().unwrap_or("a signer whose certificate is not there");
    let chain: Vec<&str> =
        std::iter::once(signer).chain(signature.issuers.iter().map(String::as_str)).collect();
    let by = if signature.is_nested { "and by" } else { "signed by" };
    // Names are anybody's bytes: nothing of them may reach a terminal as a control code.
    let chain = chain.join(" < ").escape_debug().to_string();
    let digest = signature.digest.map_or("digest", |kind| kind.name());
    let file = match signature.file {
        FileDigest::Same => "the file is what was signed",
        FileDigest::Changed => "THE FILE WAS CHANGED after it was signed",
        FileDigest::Unknown => "cannot be compared with the file",
    };
    format!("{by} {chain}; {digest}: {file}")
}

/// The same for machines.
pub(in crate::commands) fn signatures_json(program: &BootProgram) -> Value {
    let signature = |signature: &Signature| {
        json!({
            "subject": signature.subject,
            "issuers": signature.issuers,
            "authority": signature.authority().map(|authority| authority.year()),
            "nested": signature.is_nested,
            "digest": signature.digest.map(|kind| kind.name()),
            "file": match signature.file {
                FileDigest::Same => "same",
                FileDigest::Changed => "changed",
                FileDigest::Unknown => "unknown",
            },
            "verified": false,
        })
    };
    match &program.signatures {
        Ok(signatures) => signatures.iter().map(signature).collect(),
        Err(error) => json!({ "error": error }),
    }
}

/// Programs that firmware or a boot manager starts, by their place on a medium or in an image.
fn is_boot_program(path: &str) -> bool {
    let path = path.to_lowercase();
    let is_loader = path.starts_with("windows/system32/") && path.ends_with("/winload.efi");
    let is_in_boot = path.starts_with("windows/boot/") || path.starts_with("efi/");
    is_loader || path.ends_with(".efi") && (is_in_boot || !path.contains('/'))
}

fn whole(source: &AnySource) -> Result<Vec<u8>, String> {
    let size_bytes = source.size_bytes();
    if size_bytes > PROGRAM_MAX_BYTES {
        return Err(too_large());
    }
    let mut bytes = vec![0; size_bytes as usize];
    source.read_exact_at(0, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn all(reader: impl Read) -> Result<Vec<u8>, String> {
    read_program(reader)?.ok_or_else(too_large)
}

fn too_large() -> String {
    format!("it has more than {PROGRAM_MAX_BYTES} bytes")
}

fn wim_programs(
    wim: &Wim,
    source: &AnySource,
    index: Option<u32>,
) -> Result<Vec<(String, BootProgram)>, Failure> {
    let image = image(wim, source, index)?;
    let mut found = Vec::new();
    let mut folders: Vec<(String, &Dentry)> = vec![(String::new(), &image.root)];
    while let Some((folder, dentry)) = folders.pop() {
        for child in &dentry.children {
            let path = format!("{folder}{}", child.name);
            if child.is_directory() {
                folders.push((format!("{path}/"), child));
            } else if is_boot_program(&path) {
                found.push((path, child));
            }
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let read = |dentry: &Dentry| {
        let entry = wim.blob(&dentry.data).ok_or("its blob is not in this WIM")?;
        all(wim.blob_reader(source, entry).map_err(|error| error.to_string())?)
    };
    Ok(found.into_iter().map(|(path, dentry)| (path, BootProgram::of(read(dentry)))).collect())
}

/// The boot programs of a disc, or of a disk's volumes.
fn programs_among(entries: Vec<Entry>, source: &AnySource) -> Vec<(String, BootProgram)> {
    entries
        .iter()
        .filter(|entry| !entry.is_directory && is_boot_program(&entry.path))
        .map(|entry| (entry.path.clone(), BootProgram::of(all(FileReader::new(source, entry)))))
        .collect()
}
