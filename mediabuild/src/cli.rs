//! The command line: what the user typed, and nothing of what it means.

mod media;
mod quantity;
mod store;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::media::{
    BootTest, Diff, DiscView, Extract, Inspect, InspectCat, InspectDump, InspectInfo, InspectLs,
    InspectSigners, InspectVariables, UsbCommand, UsbWrite, Verify,
};
pub(crate) use self::store::{StoreAdd, StoreCommand, StoreGc, StorePin, StoreVerify};

/// Builds Windows deployment media from definitions in git: the same bytes on every machine.
///
/// A project is a folder with `mediabuild.kdl`. Every definition in it is a target: a medium gives
/// its file, a boot or OS image a WIM, a package or driver package a folder.
#[derive(Debug, Parser)]
#[command(name = "mediabuild", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done; 1 a build or verification failed; 2 the definitions or \
the command line are wrong; 3 the environment failed (disk full, no permission, no network); \
130 stopped by Ctrl-C, with what was there left as it was."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Where built and imported contents are kept [default: mediabuild in the user's data folder]
    #[arg(long, global = true, value_name = "DIR", env = "MEDIABUILD_STORE")]
    pub(crate) store: Option<PathBuf>,

    /// Text for people, or one JSON object a line for machines
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Says more: -v steps and identities, -vv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// How output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a project: write a `mediabuild.kdl` to fill in
    Init(Init),
    /// Look for mistakes in the definitions and for missing inputs
    Check(ProjectArguments),
    /// Show what a build would do
    Plan(Plan),
    /// Build targets and write them to the result folder
    Build(Build),
    /// Pin inputs that git does not bring: write `mediabuild.lock`
    Lock(LockCommand),
    /// Tell why a target is built again, or why it needs something
    Why(Why),
    /// Show how the steps of targets were made: when, how long, why, with which warnings
    Log(LogArguments),
    /// Show what depends on what
    Graph(Graph),
    /// Look into any WIM, ISO or disk image
    #[command(subcommand)]
    Inspect(Inspect),
    /// Check every hash in a WIM, or every descriptor in an ISO or disk image and every hash in its
    /// WIMs
    Verify(Verify),
    /// Write files of any WIM, ISO or disk image into a folder
    Extract(Extract),
    /// Show what differs between two WIMs, ISOs, disk images or folders, by content
    Diff(Diff),
    /// Boot an ISO or a disk image in an emulator (QEMU), and wait for a sign that it did
    BootTest(BootTest),
    /// List USB disks, and write a disk image to one
    #[command(subcommand)]
    Usb(UsbCommand),
    /// Look after the store
    #[command(subcommand)]
    Store(StoreCommand),
    /// Become another program that is killed when the process which started this one ends: what
    /// `boot-test` starts QEMU by
    #[command(hide = true)]
    EndWithParent(EndWithParent),
}

#[derive(Debug, Args)]
pub(crate) struct EndWithParent {
    /// The process that started this one
    pub(crate) parent: u32,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder to start in
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ProjectArguments {
    /// The project's folder [default: the nearest one upwards with a mediabuild.kdl]
    pub(crate) project: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Targets {
    /// Definitions (`factory`, or `media:factory` where a name has several kinds), or a project's
    /// folder [default: all media]
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) targets: Targets,

    /// Trust nothing that is remembered of definitions and inputs
    #[arg(long)]
    pub(crate) paranoid: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mediabuild build                            all media of the project you are in
  mediabuild build examples/quickstart        all media of that project
  mediabuild build factory                    one target
  mediabuild build boot-image:winpe --out X   a boot image as X/boot-image/winpe.wim

Progress goes to stderr; stdout has one line a result: BLAKE3 digest, size, path.")]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) targets: Targets,

    /// Where results go [default: result in the project's folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Refuse what `mediabuild.lock` does not pin, or pins to something else (for CI)
    #[arg(long)]
    pub(crate) locked: bool,

    /// Fetch nothing: what sources with `url=` name must be in the store
    #[arg(long)]
    pub(crate) offline: bool,

    /// How many steps run at the same time [default: the number of processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,

    /// Trust nothing that is remembered of definitions and inputs: parse and read all of them again
    #[arg(long)]
    pub(crate) paranoid: bool,

    /// After a failure go on with everything that does not depend on it
    #[arg(short, long)]
    pub(crate) keep_going: bool,

    /// Begin although the store has no room for inputs that look new to it
    #[arg(long)]
    pub(crate) no_space_check: bool,

    /// Write a page that shows what ran when, and a trace for Chrome or Perfetto beside it
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "mediabuild-timings.html")]
    pub(crate) timings: Option<PathBuf>,

    /// Make every output a second time, without what was remembered, and compare
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mediabuild why                              what changed since the last build, for all media
  mediabuild why factory                      what changed since the last build, file by file
  mediabuild why factory intel-net            how factory comes to need intel-net
  mediabuild why factory drivers/e1d.inf      the same for an input file

Without a second name the inputs are looked at, and those that changed are read; nothing else is
built. Of a target that is up to date it tells why it was built last.")]
pub(crate) struct Why {
    /// A definition (`factory`, or `media:factory`) [default: all media]
    pub(crate) target: Option<String>,

    /// A definition, step or input that it may depend on
    #[arg(value_name = "ON")]
    pub(crate) dependency: Option<String>,

    /// The project's folder [default: the nearest one upwards with a mediabuild.kdl]
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    #[command(flatten)]
    pub(crate) targets: Targets,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A lock has one line for each input that a clone of the repository does not bring: what git
does not track or ignores, and what is fetched by `url=`. The line says what the input was, so that
every machine builds from the same bytes or not at all. Commit mediabuild.lock. What git tracks
needs no line, and outside of a repository only what is fetched does; `--update NAME` pins an input
all the same.

Examples:
  mediabuild lock                                 pin what is missing, drop what nothing names
  mediabuild lock --update inputs/install.wim     pin the file that is there now
  mediabuild lock --update os-image:win11         all inputs of one target
  mediabuild lock --update                        all that is pinned
  mediabuild build --locked                       in CI: refuse whatever is not pinned or differs
  mediabuild store add --expect blake3:… FILE     supply a file without putting it in the project"
)]
pub(crate) struct LockCommand {
    /// The project's folder [default: the nearest one upwards with a mediabuild.kdl]
    pub(crate) project: Option<PathBuf>,

    /// Pin these anew: inputs as the lock names them, or targets with all their inputs; without a
    /// name all that is pinned
    #[arg(long, value_name = "NAME", num_args = 0..)]
    pub(crate) update: Option<Vec<String>>,

    /// Fetch nothing: pin only what is here
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Graph {
    #[command(flatten)]
    pub(crate) targets: Targets,
}

/// Parses the command line; clap prints help and mistakes itself (exit code 2).
pub(crate) fn parse() -> Arguments {
    Arguments::parse()
}
