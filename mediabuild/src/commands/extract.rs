//! `mediabuild extract`: files of an image or a disc onto disk, and nowhere but into one folder.

mod disc;
mod place;
mod reparse;
mod select;
mod stdout;
mod tree;
mod wim;

use std::path::Path;

use serde_json::json;

use self::place::{Place, Tally};
use self::select::Selection;
use super::inspect::medium::{AnySource, Medium, entries_in, refuse_image, refuse_view};
use super::inspect::whole::{Whole, open_whole};
use crate::cli::Extract;
use crate::failure::Failure;
use crate::os::Beneath;
use crate::progress::Progress;
use crate::schedule::size_leaf_pool;
use crate::size::{counted, duration_ms, human};

/// Writes what was asked for, or everything.
pub(super) fn run(extract: &Extract, progress: &Progress) -> Result<(), Failure> {
    if let Some(jobs) = extract.jobs {
        size_leaf_pool(usize::from(jobs));
    }
    let selection = Selection::new(&extract.paths)?;
    let Whole { medium, source, .. } = open_whole(&extract.file, &extract.references)?;
    refuse_view(&medium, extract.view)?;
    refuse_image(&medium, extract.image.is_some())?;
    if extract.to == Path::new("-") {
        let plan = planned(extract, &medium, &source, &selection)?;
        return stdout::run(&plan, &medium, &source);
    }
    let plan = planned(extract, &medium, &source, &selection)?;
    check_empty(&extract.to, extract.force)?;
    let folder = Beneath::open(&extract.to).map_err(|e| Failure::io("open", &extract.to, &e))?;
    let place = Place::new(folder, &extract.to, extract.force);
    let job = progress.job(&format!("extract {}", extract.file.display()), None);
    place.make_folders(&plan.folders)?;
    let written = match &medium {
        Medium::Wim(wim) => wim::write(wim, &source, &plan, &place, &job),
        Medium::Disc(_) | Medium::Disk(_) => disc::write(&source, &plan, &place, &job),
    };
    written.inspect_err(|_| place.remove_unfinished())?;
    place.finish_folders(&plan.folders)?;
    job.finish("extracted", false);
    tell(place.tally(), &plan, extract, progress)
}

/// What is selected of the medium, if all of the selection is there.
fn planned(
    extract: &Extract,
    medium: &Medium,
    source: &AnySource,
    selection: &Selection,
) -> Result<tree::Plan, Failure> {
    let plan = match medium {
        Medium::Wim(wim) => {
            let index = wim::index_of(wim, extract.image.as_deref())?;
            tree::of_image(&wim.image(source, index)?, selection)
        }
        Medium::Disc(disc) => tree::of_entries(entries_in(disc, source, extract.view)?, selection),
        Medium::Disk(disk) => tree::of_entries(disk.entries(source)?, selection),
    };
    selection.check_all_found()?;
    Ok(plan)
}

/// What there is in a folder is not mixed with what is extracted, unless that was asked for.
fn check_empty(to: &Path, force: bool) -> Result<(), Failure> {
    if force || std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_none()) {
        return Ok(());
    }
    if to.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Failure::usage(format!("`{}` is not an empty folder", to.display()))
        .help("name another one, or replace files in it with --force"))
}

/// What was done, and what was not.
fn tell(
    tally: Tally,
    plan: &tree::Plan,
    extract: &Extract,
    progress: &Progress,
) -> Result<(), Failure> {
    let mut problems = plan.problems.clone();
    problems.extend(tally.problems);
    for problem in &problems {
        progress.warning(problem);
    }
    for note in plan.notes() {
        progress.line(&note);
    }
    let (files, folders) = (tally.file_count, plan.folders.len());
    progress.json(json!({
        "event": "extracted", "to": extract.to, "files": files, "folders": folders,
        "links": tally.link_count, "bytes": tally.bytes, "problems": problems.len(),
    }));
    progress.result(&format!(
        "{}: {}, {}, {}, {} in {}",
        extract.to.display(),
        counted(files, "file"),
        counted(folders, "folder"),
        counted(tally.link_count, "link"),
        human(tally.bytes),
        duration_ms(progress.elapsed().as_millis() as u64)
    ));
    match problems.len() {
        0 => Ok(()),
        count => Err(Failure::build(format!("{} not extracted", counted(count, "name")))),
    }
}
