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
use crate::progress::Progress;
use crate::secret;

/// The root of a pin is named so, then by the name that the user gave.
const PREFIX: &str = "pin:";

/// Pins a result, or a content by its digest.
pub(super) fn pin(
    options: &StorePin,
    store: &DiskStore,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    let output = find(&options.what, store, arguments, progress)?;
    if !store.is_whole(&output)? {
        return Err(Failure::build(format!("`{}` is not whole in the store", options.what))
            .help("build it again, then pin it"));
    }
    let name = format!("{PREFIX}{}", options.name);
    store.set_root(&Root { name: name.clone(), output, detail: Vec::new() })?;
    tell("pinned", &name, &output, progress);
    Ok(())
}

/// Removes a pin.
pub(super) fn unpin(name: &str, store: &DiskStore, progress: &Progress) -> Result<(), Failure> {
    let name = format!("{PREFIX}{name}");
    let Some(root) = store.roots()?.into_iter().find(|root| root.name == name) else {
        return Err(Failure::usage(format!("there is no `{name}`"))
            .help("`mediabuild store roots` shows all pins"));
    };
    store.remove_root(&name)?;
    tell("unpinned", &name, &root.output, progress);
    Ok(())
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
) -> Result<Output, Failure> {
    if let Ok(digest) = what.parse::<Digest>() {
        return of_digest(&digest, store)?
            .ok_or_else(|| Failure::build(format!("{digest} is not in the store")));
    }
    let path = match Path::new(what).exists() {
        true => std::path::absolute(what)
            .map_err(|error| Failure::io("resolve", Path::new(what), &error))?,
        false => result_of(what, store, arguments, progress)?,
    };
    let name = root_name(&path);
    let root = store.roots()?.into_iter().find(|root| root.name == name);
    root.map(|root| root.output).ok_or_else(|| {
        Failure::build(format!("`{}` is no result that this store knows", path.display()))
            .help(format!("mediabuild build {what}"))
    })
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

/// Where `build` puts the result of a target.
fn result_of(
    what: &str,
    store: &DiskStore,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<PathBuf, Failure> {
    let targets = Targets { targets: vec![what.to_owned()] };
    let request = target::resolve(&targets, arguments, &ParsedFiles::of(Some(store)), progress)?;
    let key = store.secret_key()?;
    let plan = target::plan_of(&request, &|reference| secret::look_up(reference, &key))?;
    let folder = request.project.folder.join("result");
    match plan.targets.as_slice() {
        // A disk image beside an ISO goes by the same name; the ISO is meant.
        [target, rest @ ..]
            if rest.iter().all(|it| (it.kind, &it.name) == (target.kind, &target.name)) =>
        {
            let there = target.places().map(|place| folder.join(place)).find(|path| path.exists());
            let path = there.unwrap_or_else(|| folder.join(&target.result));
            std::path::absolute(path).map_err(|error| Failure::io("resolve", &folder, &error))
        }
        _ => Err(Failure::usage(format!("`{what}` is not one target")).help("name one target")),
    }
}
