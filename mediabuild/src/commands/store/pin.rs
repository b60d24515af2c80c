//! `mediabuild store pin` and `unpin`: names under which contents stay, whatever becomes of the
//! results they were built for.

use std::path::{Path, PathBuf};

use mediabuild_store::{Digest, DiskStore, Output, Root, Store};
use serde_json::{Value, json};

use crate::cli::{Arguments, StorePin, Targets};
use crate::commands::target;
use crate::derivation::output_name;
use crate::export::root_name;
use crate::failure::Failure;
use crate::parse_cache::ParsedFiles;
use crate::plan::Target;
use crate::progress::Progress;
use crate::secret;

/// The root of a pin is named so, then by the name that the user gave.
const PREFIX: &str = "pin:";

/// Something that a pin keeps.
struct Kept {
    /// Which of a target's results, if it has several: a disk image beside an ISO. The first goes by
    /// the pin's own name.
    file: Option<String>,
    output: Output,
}

/// Pins all results of a target, one result, or a content by its digest.
pub(super) fn pin(
    options: &StorePin,
    store: &DiskStore,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    let all = find(&options.what, store, arguments, progress)?;
    for Kept { file, output } in &all {
        if !store.is_whole(output)? {
            let what = file.as_ref().unwrap_or(&options.what);
            return Err(Failure::build(format!("`{what}` is not whole in the store"))
                .help("build it again, then pin it"));
        }
    }
    let pinned: Vec<Root> = all.iter().map(|kept| root(&options.name, kept)).collect();
    let roots = store.roots()?;
    pinned.iter().try_for_each(|root| refuse_other(root, &options.name, &roots))?;
    for root in &pinned {
        store.set_root(root)?;
        tell("pinned", &root.name, &root.output, progress);
    }
    let is_old = |root: &&Root| is_of(root, &options.name);
    for old in roots.iter().filter(is_old) {
        if !pinned.iter().any(|root| root.name == old.name) {
            store.remove_root(&old.name)?;
            tell("unpinned", &old.name, &old.output, progress);
        }
    }
    Ok(())
}

/// Removes a pin, with all that it keeps.
pub(super) fn unpin(name: &str, store: &DiskStore, progress: &Progress) -> Result<(), Failure> {
    let roots = store.roots()?;
    let kept: Vec<&Root> = roots.iter().filter(|root| is_of(root, name)).collect();
    if kept.is_empty() {
        return Err(Failure::usage(format!("there is no `{PREFIX}{name}`"))
            .help("`mediabuild store roots` shows all pins"));
    }
    for root in kept {
        store.remove_root(&root.name)?;
        tell("unpinned", &root.name, &root.output, progress);
    }
    Ok(())
}

/// What keeps it. The detail of a further result names its pin, for a `/` may be in any pin's name.
fn root(pin: &str, kept: &Kept) -> Root {
    let output = kept.output;
    match &kept.file {
        None => Root { name: format!("{PREFIX}{pin}"), output, detail: Vec::new() },
        Some(file) => {
            let detail = json!({ "pin": pin }).to_string().into_bytes();
            Root { name: format!("{PREFIX}{pin}/{file}"), output, detail }
        }
    }
}

/// The pin that a root is a further result of.
fn owner(root: &Root) -> Option<String> {
    let detail: Value = serde_json::from_slice(&root.detail).ok()?;
    detail["pin"].as_str().map(str::to_owned)
}

/// Whether a root is what the pin `name` keeps, or a part of that.
fn is_of(root: &Root, name: &str) -> bool {
    match owner(root) {
        Some(owner) => root.name.starts_with(PREFIX) && owner == name,
        None => root.name.strip_prefix(PREFIX) == Some(name),
    }
}

/// A name that another pin has would be taken from it.
fn refuse_other(root: &Root, pin: &str, roots: &[Root]) -> Result<(), Failure> {
    match roots.iter().find(|other| other.name == root.name && !is_of(other, pin)) {
        None => Ok(()),
        Some(other) => {
            let whose = owner(other).map_or_else(
                || "there is such a pin already".to_owned(),
                |owner| format!("it is what the pin `{owner}` keeps"),
            );
            Err(Failure::usage(format!("`{}`: {whose}", root.name)).help("choose another name"))
        }
    }
}

fn tell(event: &str, name: &str, output: &Output, progress: &Progress) {
    let output = output_name(output);
    progress.json(json!({ "event": event, "name": name, "output": output }));
    progress.result(&format!("{event}: {name}  {output}"));
}

/// What `what` means: a digest, the path of a result, or a target that is built.
fn find(
    what: &str,
    store: &DiskStore,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<Vec<Kept>, Failure> {
    if let Ok(digest) = what.parse::<Digest>() {
        let output = of_digest(&digest, store)?
            .ok_or_else(|| Failure::build(format!("{digest} is not in the store")))?;
        return Ok(vec![Kept { file: None, output }]);
    }
    let roots = store.roots()?;
    let output_of = |path: &Path| {
        let name = root_name(path);
        let root = roots.iter().find(|root| root.name == name);
        root.map(|root| root.output).ok_or_else(|| {
            Failure::build(format!("`{}` is no result that this store knows", path.display()))
                .help(format!("mediabuild build {what}"))
        })
    };
    if Path::new(what).exists() {
        let path = std::path::absolute(what)
            .map_err(|error| Failure::io("resolve", Path::new(what), &error))?;
        return Ok(vec![Kept { file: None, output: output_of(&path)? }]);
    }
    let results = results_of(what, store, arguments, progress)?.into_iter();
    results.map(|(file, path)| Ok(Kept { file, output: output_of(&path)? })).collect()
}

/// By the digest of an output, or by that of a result, as `build` prints it.
fn of_digest(digest: &Digest, store: &DiskStore) -> Result<Option<Output>, Failure> {
    if let Some(content) = store.find(digest)? {
        return Ok(Some(Output::Content(content)));
    }
    if store.directory(digest).is_ok() {
        return Ok(Some(Output::Directory(*digest)));
    }
    let text = digest.to_string();
    let is_result = |root: &Root| {
        let detail: Value = serde_json::from_slice(&root.detail).unwrap_or_default();
        detail["digest"] == text.as_str()
    };
    Ok(store.roots()?.into_iter().find(is_result).map(|root| root.output))
}

/// Where `build` puts the results of a target, the first one without a name of its own.
fn results_of(
    what: &str,
    store: &DiskStore,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<Vec<(Option<String>, PathBuf)>, Failure> {
    let targets = Targets { targets: vec![what.to_owned()] };
    let request = target::resolve(&targets, arguments, &ParsedFiles::of(Some(store)), progress)?;
    let key = store.secret_key()?;
    let plan = target::plan_of(&request, &|reference| secret::look_up(reference, &key))?;
    let folder = request.project.folder.join("result");
    let is_one =
        |all: &[Target]| all.iter().all(|it| (it.kind, &it.name) == (all[0].kind, &all[0].name));
    if plan.targets.is_empty() || !is_one(&plan.targets) {
        return Err(Failure::usage(format!("`{what}` is not one target")).help("name one target"));
    }
    let result = |(at, target): (usize, &Target)| {
        let there = target.places().map(|place| folder.join(place)).find(|path| path.exists());
        let path = there.unwrap_or_else(|| folder.join(&target.result));
        let path =
            std::path::absolute(&path).map_err(|error| Failure::io("resolve", &path, &error))?;
        Ok(((at > 0).then(|| target.result.clone()), path))
    };
    plan.targets.iter().enumerate().map(result).collect()
}
