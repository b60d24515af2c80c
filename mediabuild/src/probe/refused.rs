//! What a build would refuse of the sources of all definitions: names that Windows has not, links,
//! folders that give nothing, parts that are not there. For `check`; a build finds out by itself.

use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::{BootFilesFrom, BootImage, Definitions, ImageBase, Source};

use super::contents::Contents;

/// Every problem, once.
pub(crate) fn refused(definitions: &Definitions, contents: &Contents<'_>) -> Vec<Diagnostic> {
    let mut problems: Vec<Diagnostic> = Vec::new();
    let of_sources =
        sources(definitions).filter_map(|source| Some(contents.of(source)?.problems.clone()));
    let of_boot_files =
        definitions.boot_images.iter().flat_map(|image| boot_files(image, contents));
    for problem in of_sources.flatten().chain(of_boot_files) {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// Everything that content is taken from, overlays and bases included.
fn sources(definitions: &Definitions) -> impl Iterator<Item = &Source> {
    let boot = definitions.boot_images.iter();
    let boot = boot.flat_map(|image| base(&image.base).into_iter().chain(&image.overlays));
    let os = definitions.os_images.iter();
    let os = os.flat_map(|image| base(&image.base).into_iter().chain(&image.overlays));
    let drivers = definitions.driver_packages.iter().map(|package| &package.source);
    let applications = definitions.applications.iter().map(|application| &application.source);
    let packages = definitions.packages.iter().map(|package| &package.source);
    boot.chain(os).chain(drivers).chain(applications).chain(packages)
}

fn base(base: &ImageBase) -> Option<&Source> {
    match base {
        ImageBase::Source(source) => Some(source),
        ImageBase::Wim(_) | ImageBase::Iso(_) => None,
    }
}

fn boot_files(image: &BootImage, contents: &Contents<'_>) -> Vec<Diagnostic> {
    let places = image.boot_files.iter().flat_map(|files| &files.from);
    let given = places.filter_map(|place| match place {
        BootFilesFrom::Image(_) => None,
        BootFilesFrom::Folder(folder) => contents.folder(folder),
        BootFilesFrom::Disc(iso) => contents.boot_files_of_disc(iso),
    });
    given.flat_map(|given| given.problems).collect()
}
