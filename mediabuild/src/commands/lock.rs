//! `mediabuild lock`: pins the inputs that git does not bring, and drops pins of what nothing names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mediabuild_schema::definition::UrlFile;
use mediabuild_schema::{DeclaredInput, LOCK_FILE, LockEntry, LockKind, Place, render_lock};
use mediabuild_store::Store;
use serde_json::json;

use super::target;
use crate::cli::{Arguments, LockCommand};
use crate::failure::Failure;
use crate::lock::required::Required;
use crate::lock::{Found, Lock, bytes_of, declared, entry_of, roots};
use crate::parse_cache::ParsedFiles;
use crate::progress::{Progress, print_failure};
use crate::project::{self, LockUse, Project};
use crate::realise::import_alone;
use crate::replace::replace;
use crate::size::{counted, human};
use crate::{cancel, open_store, plan};

/// Reads what is to be pinned, then writes the whole lock at once: nothing if one input fails.
pub(super) fn run(
    options: &LockCommand,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    let (folder, update) = split(options)?;
    let parsed = ParsedFiles::default();
    let mut project =
        project::open(&folder, LockUse::Renewed, arguments.format, &parsed, progress)?;
    project.offline = options.offline;
    let inputs = project.definitions.inputs();
    let chosen = choose(update, &project, &inputs)?;
    let required = Required::of(&project.folder)?;
    let mut kept = Vec::new();
    let mut wanted = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let chosen = chosen.of(at);
        match decide(input, chosen, &project.lock, &required)? {
            Decision::Keep(entry) => kept.push(entry.clone()),
            Decision::Pin => wanted.push(input),
            Decision::Leave if chosen == Choice::Named => tell_tracked(input, progress),
            Decision::Leave => {}
        }
    }
    let store = open_store::open(arguments.store.as_ref(), progress)?;
    kept.extend(pin_all(&project, &wanted, &store, arguments, progress)?);
    finish(&project.lock, &kept, progress)?;
    if let Some(lock) = Lock::read(project.lock.path()) {
        roots::remember(&store, &lock)?;
    }
    Ok(())
}

/// `--update` takes all words that follow it: one that is a project's folder is the project.
fn split(options: &LockCommand) -> Result<(PathBuf, Option<Vec<String>>), Failure> {
    let is_project = |name: &String| project::is_project(Path::new(name));
    let (folders, names): (Vec<String>, Vec<String>) =
        options.update.clone().unwrap_or_default().into_iter().partition(is_project);
    let named = options.project.clone().into_iter().chain(folders.into_iter().map(PathBuf::from));
    let mut named: Vec<PathBuf> = named.collect();
    if named.len() > 1 {
        return Err(Failure::usage("several projects are named").help("lock one at a time"));
    }
    let folder = project::find(named.pop().as_deref())?;
    Ok((folder, options.update.as_ref().map(|_| names)))
}

/// What `--update` says of all inputs.
enum Chosen {
    /// It was not said.
    Nothing,
    All,
    /// By position.
    These(BTreeSet<usize>),
}

/// What `--update` says of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// An entry that it has stays.
    No,
    /// An entry that it has is made anew.
    Renew,
    /// It is to have an entry, needed or not.
    Named,
}

impl Chosen {
    fn of(&self, at: usize) -> Choice {
        match self {
            Chosen::All => Choice::Renew,
            Chosen::These(these) if these.contains(&at) => Choice::Named,
            Chosen::Nothing | Chosen::These(_) => Choice::No,
        }
    }
}

fn choose(
    names: Option<Vec<String>>,
    project: &Project,
    inputs: &[DeclaredInput<'_>],
) -> Result<Chosen, Failure> {
    let Some(names) = names else { return Ok(Chosen::Nothing) };
    if names.is_empty() {
        return Ok(Chosen::All);
    }
    let mut these = BTreeSet::new();
    for name in &names {
        let before = these.len();
        let path = name.trim_start_matches("./").trim_end_matches('/');
        these.extend((0..inputs.len()).filter(|at| is_called(&inputs[*at], path)));
        if these.len() == before {
            these.extend(inputs_of(name, project, inputs)?);
        }
    }
    Ok(Chosen::These(these))
}

/// A URL is named whole, or as it is shown.
fn is_called(input: &DeclaredInput<'_>, name: &str) -> bool {
    let is_url = |file: &UrlFile| file.url.value.reveal() == name;
    input.name == name || matches!(input.place, Place::Url(file) if is_url(file))
}

/// The inputs of a target and of all it is made of.
fn inputs_of(
    name: &str,
    project: &Project,
    inputs: &[DeclaredInput<'_>],
) -> Result<Vec<usize>, Failure> {
    let definitions = &project.definitions;
    let wanted = target::named(definitions, name).map_err(|failure| {
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        failure.while_doing(format!("`{name}` is no input either")).help(format!(
            "the inputs are {}; `mediabuild check` lists what is wrong with them",
            names.join(", ")
        ))
    })?;
    let closure = target::closure(definitions, &wanted);
    let is_used = |input: &DeclaredInput<'_>| {
        input.users.iter().any(|(kind, name)| closure.contains(&(*kind, (*name).to_owned())))
    };
    Ok((0..inputs.len()).filter(|at| is_used(&inputs[*at])).collect())
}

/// What becomes of an input's entry.
enum Decision<'a> {
    Keep(&'a LockEntry),
    Pin,
    /// It needs none.
    Leave,
}

fn decide<'a>(
    input: &DeclaredInput<'_>,
    choice: Choice,
    lock: &'a Lock,
    required: &Required,
) -> Result<Decision<'a>, Failure> {
    if required.is_tracked(input)? {
        return Ok(Decision::Leave);
    }
    Ok(match lock.find(&input.name, &input.declaration) {
        Found::Pinned(line) if choice == Choice::No => Decision::Keep(&line.entry),
        Found::Nothing if choice != Choice::Named && !required.must_be_pinned(input)? => {
            Decision::Leave
        }
        Found::Pinned(_) | Found::Other | Found::Nothing => Decision::Pin,
    })
}

fn tell_tracked(input: &DeclaredInput<'_>, progress: &Progress) {
    progress.line(&format!("{}: git tracks it, so it needs no pin", input.name));
}

/// The entries of inputs as they are now. All of them are tried, so that all failures are told.
fn pin_all(
    project: &Project,
    wanted: &[&DeclaredInput<'_>],
    store: &dyn Store,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<Vec<LockEntry>, Failure> {
    let path_of_absent = |input: &DeclaredInput<'_>| {
        input.path().map(|path| path.path.clone()).filter(|path| project.inputs.is_absent(path))
    };
    let mut failures = Vec::new();
    let mut here = Vec::new();
    for input in wanted {
        match path_of_absent(input) {
            Some(path) => failures.push(not_here(input, &path)),
            None => here.push(*input),
        }
    }
    let mut entries = Vec::new();
    let derivations = plan::imports(&project.definitions, &here, &project.inputs, project.offline);
    for (input, derivation) in here.iter().zip(&derivations) {
        cancel::check()?;
        match import_alone(derivation, store, progress) {
            Ok(output) => {
                let declared = declared(&input.declaration);
                let bytes = bytes_of(&output, store)?;
                let kind = match input.place {
                    Place::Url(_) => LockKind::Url,
                    Place::Path(_) => LockKind::File,
                };
                entries.push(entry_of(&input.name, declared, kind, &output, bytes));
            }
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() {
        return Ok(entries);
    }
    failures.iter().for_each(|failure| print_failure(arguments.format, failure));
    let first = failures.into_iter().next().expect("there is a failure");
    Err(first.already_printed())
}

fn not_here(input: &DeclaredInput<'_>, path: &Path) -> Failure {
    Failure::build(format!("`{}` is not here, so it cannot be pinned anew", input.name))
        .help(format!("put it at `{}`", path.display()))
}

/// Writes the lock if it changed, and tells how.
fn finish(old: &Lock, entries: &[LockEntry], progress: &Progress) -> Result<(), Failure> {
    let text = render_lock(entries);
    let is_needed = !entries.is_empty() || !old.text().is_empty();
    if is_needed && text != old.text() {
        replace(old.path(), text.as_bytes())?;
    }
    let olds: BTreeSet<&LockEntry> = old.lines().iter().map(|line| &line.entry).collect();
    let news: BTreeSet<&LockEntry> = entries.iter().collect();
    for entry in news.difference(&olds) {
        let was = olds.iter().find(|old| old.name == entry.name && !news.contains(*old));
        tell(if was.is_some() { "pinned anew" } else { "pinned" }, entry, progress);
    }
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    for entry in olds.difference(&news).filter(|old| !names.contains(old.name.as_str())) {
        tell("dropped", entry, progress);
    }
    let changed = if olds == news { "nothing changed" } else { "written" };
    let pinned = counted(entries.len(), "pinned input");
    progress.line(&format!("{LOCK_FILE}: {pinned}, {changed}"));
    Ok(())
}

fn tell(what: &str, entry: &LockEntry, progress: &Progress) {
    progress.json(json!({
        "event": what,
        "input": entry.name,
        "digest": entry.digest,
        "bytes": entry.size_bytes,
    }));
    let size = human(entry.size_bytes);
    progress.result(&format!("{what}  {}  {size}  {}", entry.digest, entry.name));
}
