//! From what the user typed as targets to a project, wanted definitions and their plan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mediabuild_schema::Definitions;
use mediabuild_schema::definition::{Kind, SecretReference, Spanned};

use crate::cli::{Arguments, Targets};
use crate::failure::Failure;
use crate::parse_cache::ParsedFiles;
use crate::plan::{LookUp, Plan, Wanted, plan};
use crate::progress::Progress;
use crate::project::{self, LockUse, Project};
use crate::secret::{Secret, reference_text};

/// A project and what is wanted of it.
pub(super) struct Request {
    pub(super) project: Project,
    pub(super) wanted: Vec<Wanted>,
}

/// Reads targets: a project's folder, then names of definitions; no name means all media.
pub(super) fn resolve(
    targets: &Targets,
    arguments: &Arguments,
    parsed: &ParsedFiles<'_>,
    progress: &Progress,
) -> Result<Request, Failure> {
    let (folder, names) = split(&targets.targets)?;
    let folder = project::find(folder.as_deref())?;
    let project = project::open(&folder, LockUse::Obeyed, arguments.format, parsed, progress)?;
    let wanted = if names.is_empty() {
        all_media(&project.definitions)?
    } else {
        names.iter().map(|name| named(&project.definitions, name)).collect::<Result<_, _>>()?
    };
    Ok(Request { project, wanted })
}

/// A target that is a project's folder, apart from the others.
fn split(targets: &[String]) -> Result<(Option<PathBuf>, Vec<&str>), Failure> {
    let is_folder = |target: &&String| {
        project::is_project(Path::new(target)) || target.contains('/') || target.ends_with(".kdl")
    };
    let folders: Vec<&String> = targets.iter().filter(is_folder).collect();
    let names = targets.iter().filter(|target| !is_folder(target)).map(String::as_str).collect();
    match folders.as_slice() {
        [] => Ok((None, names)),
        [folder] => Ok((Some(PathBuf::from(folder)), names)),
        [one, other, ..] => Err(Failure::usage(format!("`{one}` and `{other}` are two projects"))
            .help("build one project at a time")),
    }
}

fn all_media(definitions: &Definitions) -> Result<Vec<Wanted>, Failure> {
    let media: Vec<Wanted> =
        definitions.media.iter().map(|media| (Kind::Media, media.name.value.clone())).collect();
    if media.is_empty() {
        return Err(Failure::usage("the project defines no media, and no target was named")
            .help(format!("name one: {}", all_targets(definitions).join(", "))));
    }
    Ok(media)
}

/// `factory` or `media:factory`.
pub(super) fn named(definitions: &Definitions, text: &str) -> Result<Wanted, Failure> {
    let (kind, name) = match text.split_once(':') {
        Some((kind, name)) => (Some(kind_named(kind)?), name),
        None => (None, text),
    };
    let found: Vec<Kind> = definitions
        .targets()
        .filter(|(k, n)| n.value == name && kind.is_none_or(|kind| kind == *k))
        .map(|(kind, _)| kind)
        .collect();
    match found.as_slice() {
        [kind] => Ok((*kind, name.to_owned())),
        [] => Err(unknown(definitions, text)),
        kinds => {
            let choices: Vec<String> = kinds.iter().map(|kind| format!("{kind}:{name}")).collect();
            Err(Failure::usage(format!("`{name}` names several definitions"))
                .help(format!("say which: {}", choices.join(", "))))
        }
    }
}

fn kind_named(text: &str) -> Result<Kind, Failure> {
    Kind::ALL.into_iter().find(|kind| kind.node_name() == text).ok_or_else(|| {
        let kinds: Vec<&str> = Kind::ALL.into_iter().map(Kind::node_name).collect();
        Failure::usage(format!("`{text}` is no kind of definition"))
            .help(format!("one of {}", kinds.join(", ")))
    })
}

fn unknown(definitions: &Definitions, text: &str) -> Failure {
    let all = all_targets(definitions);
    let help = match nearest(&all, text) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the project has {}", all.join(", ")),
    };
    Failure::usage(format!("there is no target `{text}`")).help(help)
}

/// The target whose name is most like the one in `text`, whatever its kind, if one is like it.
fn nearest<'a>(all: &'a [String], text: &str) -> Option<&'a String> {
    fn name(target: &str) -> &str {
        target.split_once(':').map_or(target, |(_, name)| name)
    }
    let score = |target: &&String| strsim::jaro_winkler(name(text), name(target));
    let best = all.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(&best) > 0.8).then_some(best)
}

/// A definition and all that it is made of.
pub(super) fn closure(definitions: &Definitions, wanted: &Wanted) -> BTreeSet<Wanted> {
    let mut found = BTreeSet::new();
    let mut stack = vec![wanted.clone()];
    while let Some(next) = stack.pop() {
        if found.insert(next.clone()) {
            stack.extend(parts(definitions, &next));
        }
    }
    found
}

/// The definitions that one names.
fn parts(definitions: &Definitions, (kind, name): &Wanted) -> Vec<Wanted> {
    let mut parts = Vec::new();
    let mut add = |kind, names: Vec<&str>| {
        parts.extend(names.into_iter().map(|name| (kind, name.to_owned())));
    };
    fn values(names: &[Spanned<String>]) -> Vec<&str> {
        names.iter().map(|name| name.value.as_str()).collect()
    }
    match kind {
        Kind::Media => {
            let Some(media) = definitions.media(name) else { return parts };
            add(Kind::BootImage, vec![&media.boot_image.value]);
            add(Kind::OsImage, media.os_image.iter().map(|name| name.value.as_str()).collect());
            add(Kind::Application, values(&media.applications));
            add(Kind::Package, values(&media.packages));
            add(Kind::DriverPackage, values(&media.driver_packages));
        }
        Kind::BootImage => {
            let drivers = definitions.boot_image(name).map_or(&[][..], |i| &i.driver_packages);
            add(Kind::DriverPackage, drivers.iter().map(|d| d.name.value.as_str()).collect());
        }
        Kind::Application => {
            let needs = definitions.application(name).map_or(&[][..], |a| &a.depends_on);
            add(Kind::Application, values(needs));
        }
        Kind::OsImage | Kind::DriverPackage | Kind::Package | Kind::Variables => {}
    }
    parts
}

fn all_targets(definitions: &Definitions) -> Vec<String> {
    definitions.targets().map(|(kind, name)| format!("{kind}:{}", name.value)).collect()
}

/// The plan of a request.
pub(super) fn plan_of(request: &Request, look_up: LookUp<'_>) -> Result<Plan, Failure> {
    let Project { definitions, inputs, lock, offline, .. } = &request.project;
    plan(definitions, &request.wanted, inputs, lock, *offline, epoch_seconds(definitions)?, look_up)
}

/// For commands that only look at the plan: a secret is its reference.
pub(super) fn unresolved(reference: &SecretReference) -> Result<Secret, Failure> {
    Ok(Secret::new(reference_text(reference), String::new(), &[0; 32]))
}

/// The time all generated files get when neither the project nor `SOURCE_DATE_EPOCH` says one:
/// 2020-01-01T00:00:00Z, a date every tool can show.
const DEFAULT_EPOCH_SECONDS: i64 = 1_577_836_800;

/// `epoch` of the project, else `SOURCE_DATE_EPOCH`, else a constant.
fn epoch_seconds(definitions: &Definitions) -> Result<i64, Failure> {
    if let Some(epoch) = &definitions.project.epoch_seconds {
        return Ok(epoch.value);
    }
    let Some(text) = std::env::var_os("SOURCE_DATE_EPOCH") else {
        return Ok(DEFAULT_EPOCH_SECONDS);
    };
    let seconds = text.to_str().and_then(|text| text.parse::<i64>().ok());
    seconds.filter(|seconds| (0..=253_402_300_799).contains(seconds)).ok_or_else(|| {
        Failure::usage("`SOURCE_DATE_EPOCH` is not a number of seconds since 1970")
            .help("unset it, or say epoch=(date-time)\"…\" in the project")
    })
}
