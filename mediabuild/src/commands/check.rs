//! `mediabuild check`: every mistake in the definitions and every missing input, at once; then
//! what each medium boots with.

use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::{BootImage, Media, MediaType};
use mediabuild_store::Output;
use serde_json::json;

use super::inspect::signers::{program_lines, signatures_json, versions_json};
use crate::cli::{Arguments, ProjectArguments};
use crate::failure::Failure;
use crate::lock::Pin;
use crate::lock::required::Required;
use crate::media_layout::{Row, UNVERIFIED};
use crate::open_store;
use crate::parse_cache::ParsedFiles;
use crate::probe::{self, BootFileFound, BootFilesFound, Contents, DiscContent};
use crate::progress::Progress;
use crate::project::{self, LockUse, Project};
use crate::size::{counted, human};

/// Looks, prints, and fails (exit code 2) if something is wrong.
pub(super) fn run(
    check: &ProjectArguments,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    let folder = project::find(check.project.as_deref())?;
    let store = open_store::existing(arguments.store.as_ref());
    let parsed = ParsedFiles::of(store.as_ref());
    let project = project::open(&folder, LockUse::Obeyed, arguments.format, &parsed, progress)?;
    let mut problems = Vec::new();
    for image in &project.definitions.boot_images {
        let found = probe::boot_files(image, &project.inputs);
        if let Some(found) = &found {
            tell_boot_files(image, found, progress);
        }
        problems.extend(starts(image, found.as_ref(), &project));
        problems.extend(found.into_iter().flat_map(|found| found.problems));
    }
    let pinned = |pin: &Pin| {
        let Output::Directory(digest) = pin.output() else { return None };
        let files = mediabuild_store::walk(store.as_ref()?, &digest).ok()?.into_iter();
        Some(files.map(|(path, content)| (path, content.size_bytes)).collect())
    };
    let contents = Contents::new(&project.inputs, &project.lock, &pinned);
    problems.extend(probe::refused(&project.definitions, &contents));
    let discs = probe::discs(&project.definitions, &contents, &mut problems);
    project.refuse(&problems, arguments.format, progress)?;
    discs.iter().for_each(|content| tell_disc(content, progress));
    tell_absent(&project, progress);
    if arguments.verbose > 0 {
        tell_pins(&project, progress)?;
        tell_unverified(progress);
    }
    let definitions = project.definitions.targets().count();
    let (files, bytes) = project.inputs.total();
    progress.json(json!({
        "event": "checked", "definitions": definitions, "inputs": files, "bytes": bytes,
    }));
    progress.result(&format!(
        "{}, {} ({}): no mistakes found",
        counted(definitions, "definition"),
        counted(files, "input"),
        human(bytes)
    ));
    Ok(())
}

/// What is odd about starting the media of a boot image.
fn starts(image: &BootImage, found: Option<&BootFilesFound>, project: &Project) -> Vec<Diagnostic> {
    let is_of_image = |media: &&Media| {
        media.media_type.value == MediaType::Bootable && media.boot_image.value == image.name.value
    };
    let media = project.definitions.media.iter().filter(is_of_image);
    let mut odd: Vec<Diagnostic> =
        media.filter_map(|media| probe::nothing_starts(media, image, found)).collect();
    odd.extend(probe::too_large_for_bios(image));
    odd
}

fn tell_boot_files(image: &BootImage, found: &BootFilesFound, progress: &Progress) {
    progress.result(&format!("boot files of {}:", image.name.value));
    for file in &found.files {
        tell(&image.name.value, file, progress);
    }
}

fn tell(image: &str, file: &BootFileFound, progress: &Progress) {
    progress.json(json!({
        "event": "boot-file",
        "boot-image": image,
        "path": file.medium,
        "firmware": file.firmware,
        "from": file.from,
        "needed": file.needed,
        "signatures": file.program.as_ref().map(signatures_json),
        "security-versions": file.program.as_ref().map(versions_json),
    }));
    let from = match (&file.from, file.needed) {
        (Some(from), _) => from.clone(),
        (None, true) => format!("MISSING: {} cannot start Windows PE without it", file.firmware),
        (None, false) => "none found".into(),
    };
    progress.result(&format!("  {:28} {from}", file.medium));
    for line in file.program.iter().flat_map(program_lines) {
        progress.result(&format!("  {:28}   {line}", ""));
    }
}

/// How much a medium with a capacity holds, as far as its packages can be looked into. About: equal files
/// are stored once, and `check` reads none.
fn tell_disc(content: &DiscContent<'_>, progress: &Progress) {
    let media = &content.media.name.value;
    let capacity = content.media.output.as_ref().and_then(|output| output.capacity_bytes.as_ref());
    let Some(capacity_bytes) = capacity.map(|capacity| capacity.value) else {
        return;
    };
    let about = content.bytes.div_ceil(capacity_bytes).max(1);
    progress.json(json!({
        "event": "disc-content", "media": media, "files": content.files, "bytes": content.bytes,
        "packages-unknown": content.unknown_packages, "capacity": capacity_bytes,
        "discs-about": about,
    }));
    let unknown = match content.unknown_packages {
        0 => String::new(),
        count => format!(", and {} not on the disk", counted(count, "package")),
    };
    let discs = match about {
        1 => format!(
            "one disc, unless that and the boot image need more than {}",
            human(capacity_bytes)
        ),
        _ => format!("a set of about {about} discs of {}", human(capacity_bytes)),
    };
    progress.result(&format!(
        "packages on {media}: {} ({}){unknown}: {discs}",
        counted(content.files, "file"),
        human(content.bytes)
    ));
}

/// Inputs that a build has to find in the store.
fn tell_absent(project: &Project, progress: &Progress) {
    for input in project.definitions.inputs() {
        if input.path().is_some_and(|path| project.inputs.is_absent(&path.path)) {
            let name = &input.name;
            progress.json(json!({ "event": "absent", "input": name }));
            progress.result(&format!("not here, to be found in the store: {name}"));
        }
    }
}

/// What holds each input that git does not: its line of the lock, or nothing.
fn tell_pins(project: &Project, progress: &Progress) -> Result<(), Failure> {
    let required = Required::of(&project.folder)?;
    progress.result("inputs that git does not bring:");
    for input in project.definitions.inputs() {
        if required.is_tracked(&input)? {
            continue;
        }
        let pin = project.lock.pin(&input.name, || input.declaration.clone());
        let by = pin.as_ref().map(Pin::place);
        progress.json(json!({ "event": "untracked", "input": input.name, "pinned": by }));
        let by = by.unwrap_or_else(|| "not pinned: mediabuild lock".into());
        progress.result(&format!("  {}: {by}", input.name));
    }
    Ok(())
}

/// The layout that media rely on and that no live site has confirmed.
fn tell_unverified(progress: &Progress) {
    progress.result("layout that is not verified against a live site:");
    for Row { what, value, confidence, note } in UNVERIFIED {
        let known = confidence.name();
        progress.json(json!({
            "event": "unverified", "what": what, "value": value, "known": known, "note": note,
        }));
        progress.result(&format!("  {what}: {value} ({known}; {note})"));
    }
}
