//! Verbs that look after the store.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::quantity::{parse_age, parse_size};
use crate::expected::Expected;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Put files you have into the store: licensed installers, images, downloads
    Add(StoreAdd),
    /// Read everything in the store again and compare it with its name
    Verify(StoreVerify),
    /// Keep what a target was built to, or a digest, under a name of its own
    Pin(StorePin),
    /// Remove such a name
    Unpin(StoreUnpin),
    /// Show what keeps contents alive: results, locks, pins
    Roots,
    /// Remove what no result needs
    Gc(StoreGc),
    /// Show how much room each result takes, and what would go with it
    Du,
    /// Make a lost or damaged index anew from the store's files
    RebuildIndex,
}

#[derive(Debug, Args)]
#[command(
    after_help = "For licensed and other files that no repository holds: once in the store, a build of a project
whose mediabuild.lock names the digest finds the file there, wherever it is missing in the project.
What a lock names is kept by `store gc`.

Examples:
  mediabuild store add ~/Downloads/setup.exe
  mediabuild store add --expect sha256:0f3a… Win11.iso    only if it is what the vendor published
  mediabuild store add --expect blake3:8836… setup.exe    only if it is what the lock names"
)]
pub(crate) struct StoreAdd {
    /// Store the file only if it has this digest: blake3:DIGEST or sha256:DIGEST
    #[arg(long, value_name = "DIGEST", value_parser = Expected::parse)]
    pub(crate) expect: Option<Expected>,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct StorePin {
    /// A name of your choice
    pub(crate) name: String,
    /// A target that is built, with all its results; the path of one result, or a digest
    #[arg(value_name = "TARGET")]
    pub(crate) what: String,
}

#[derive(Debug, Args)]
pub(crate) struct StoreUnpin {
    /// The name it was pinned by
    pub(crate) name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mediabuild store verify                   everything
  mediabuild store verify --time 10m        as much as ten minutes allow
  mediabuild store verify --resume          the rest")]
pub(crate) struct StoreVerify {
    /// Move damaged files aside: the next build imports or makes their contents anew
    #[arg(long)]
    pub(crate) repair: bool,
    /// Go on where the last one ended that did not reach the end
    #[arg(long)]
    pub(crate) resume: bool,
    /// End when so much was read (`50GiB`)
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max: Option<u64>,
    /// End after so much time (`10m`)
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    pub(crate) time: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mediabuild store gc                keep what results, locks and pins need, nothing else
  mediabuild store gc --keep 30d     let go what results need that were not built for 30 days,
                                     and keep the rest if it is younger
  mediabuild store gc --max 50GiB    and make the store no larger: what was used last stays
  mediabuild store gc --dry-run      only say what would go
Results themselves are never touched: without their contents the next build makes them again.")]
pub(crate) struct StoreGc {
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Let the store be no larger (`50GiB`, `800MB`): results used least recently lose their contents
    /// first; what nothing needs stays as far as there is room
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max: Option<u64>,
    /// Keep what was used or stored in this time (`30d`, `12h`), and let go of other results
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub(crate) keep: Option<u64>,
}
