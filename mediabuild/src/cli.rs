//! The command line: what the user typed, and nothing of what it means.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::boot_test::{Attached, Firmware};
use crate::expected::Expected;

/// Builds Windows deployment media from definitions in git: the same bytes on every machine.
///
/// A project is a folder with `mediabuild.kdl`. Every definition in it is a target: a medium gives
/// its file, a boot or OS image a WIM, a package or driver package a folder.
#[derive(Debug, Parser)]
#[command(name = "mediabuild", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done; 1 a build or verification failed; 2 the definitions or \
the command line are wrong; 3 the environment failed (disk full, no permission)."
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
    /// Look into any WIM or ISO
    #[command(subcommand)]
    Inspect(Inspect),
    /// Check every hash in a WIM, or every descriptor in an ISO and every hash in its WIMs
    Verify(Verify),
    /// Write files of any WIM or ISO into a folder
    Extract(Extract),
    /// Show what differs between two WIMs, two ISOs or two folders, by content
    Diff(Diff),
    /// Boot an ISO or a disk image in an emulator (QEMU), and wait for a sign that it did
    BootTest(BootTest),
    /// List USB disks, and write a disk image to one
    #[command(subcommand)]
    Usb(UsbCommand),
    /// Look after the store
    #[command(subcommand)]
    Store(StoreCommand),
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
    after_help = "A lock has one line for each input that a clone of the repository does not bring: what git does
not track or ignores, and what is fetched by `url=`. The line says what the input was, so that every machine builds from the same
bytes or not at all. Commit mediabuild.lock. What git tracks needs no line, and outside of a
repository only what is fetched does; `--update NAME` pins an input all the same.

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

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  mediabuild inspect info install.wim
  mediabuild inspect ls boot.iso sources
  mediabuild inspect ls boot.iso//sources/boot.wim Windows/System32
  mediabuild inspect cat install.wim Windows/System32/license.rtf --image 3 > license.rtf")]
pub(crate) enum Inspect {
    /// What it is: header, images, volumes, boot entries
    Info(InspectInfo),
    /// List its files
    Ls(InspectLs),
    /// Write one of its files to stdout
    Cat(InspectCat),
    /// Show everything a WIM says, one fact a line: header, XML data, resources, files; with -v every
    /// chunk. Of a boot configuration store (`boot.iso//boot/bcd`): its objects and elements
    Dump(InspectDump),
    /// Tell who signed the boot programs of a WIM or an ISO, or one program, and whether each is still what
    /// was signed. The signers are those that the files name: nothing is verified
    Signers(InspectSigners),
    /// Decrypt the variables of a medium (a WIM, an ISO or a variables.dat)
    Variables(InspectVariables),
}

/// The trees that a disc may have, best first.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DiscView {
    Udf,
    Joliet,
    RockRidge,
    #[value(name = "iso9660")]
    Iso9660,
}

#[derive(Debug, Args)]
pub(crate) struct InspectInfo {
    /// A WIM or an ISO
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct InspectLs {
    /// A WIM or an ISO
    pub(crate) file: PathBuf,
    /// The folder in it to list
    #[arg(default_value = "")]
    pub(crate) path: String,
    /// The image of a WIM, 1-based [default: the only or first one]
    #[arg(long, value_name = "INDEX")]
    pub(crate) image: Option<u32>,
    /// Sizes, attributes and times too
    #[arg(short, long)]
    pub(crate) long: bool,
    /// Which tree of a disc [default: the first of these that it has, as Windows chooses]
    #[arg(long, value_enum, value_name = "TREE")]
    pub(crate) view: Option<DiscView>,
    /// A WIM that this one is a delta of, or a pattern of names; may be given several times
    #[arg(long = "ref", value_name = "WIM")]
    pub(crate) references: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectCat {
    /// A WIM or an ISO
    pub(crate) file: PathBuf,
    /// The file in it
    pub(crate) path: String,
    /// The image of a WIM, 1-based [default: the only or first one]
    #[arg(long, value_name = "INDEX")]
    pub(crate) image: Option<u32>,
    /// Which tree of a disc [default: the first of these that it has, as Windows chooses]
    #[arg(long, value_enum, value_name = "TREE")]
    pub(crate) view: Option<DiscView>,
    /// A WIM that this one is a delta of, or a pattern of names; may be given several times
    #[arg(long = "ref", value_name = "WIM")]
    pub(crate) references: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectDump {
    /// A WIM or a boot configuration store
    pub(crate) file: PathBuf,
    /// A WIM that this one is a delta of, or a pattern of names; may be given several times
    #[arg(long = "ref", value_name = "WIM")]
    pub(crate) references: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectSigners {
    /// A WIM, an ISO or a program
    pub(crate) file: PathBuf,
    /// The image of a WIM, 1-based [default: the only or first one]
    #[arg(long, value_name = "INDEX")]
    pub(crate) image: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectVariables {
    /// A WIM, an ISO or a variables.dat
    pub(crate) file: PathBuf,
    /// Take the password from this environment variable [default: media without a password]
    #[arg(long, value_name = "NAME")]
    pub(crate) password_env: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mediabuild verify install.wim boot.iso
  mediabuild verify install.swm                 the whole set: the other parts lie beside it
  mediabuild verify patch.wim --ref base.wim    a delta, with what it uses of its base")]
pub(crate) struct Verify {
    /// WIMs and ISOs
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// A WIM that this one is a delta of, or a pattern of names; may be given several times
    #[arg(long = "ref", value_name = "WIM")]
    pub(crate) references: Vec<PathBuf>,

    /// How many threads decode and hash [default: the number of processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mediabuild extract install.wim --image 3 --to tree
  mediabuild extract boot.iso sources/boot.wim --to parts
  mediabuild extract boot.iso//sources/boot.wim Windows/System32 '**/*.inf' --to parts
  mediabuild extract install.wim Windows/System32/license.rtf --image 3 --to - > license.rtf

Every path keeps its place below the folder. Contents are checked on the way; a damaged file is
not left behind. Nothing is written outside of the folder, whatever names and links an image has:
symbolic links and junctions become links that stay inside, an absolute target is taken from the
image's root. Security descriptors, attributes, short names and named streams have no place here
and are left out. What cannot be written is told, and the exit code is 1.")]
pub(crate) struct Extract {
    /// A WIM or an ISO
    pub(crate) file: PathBuf,
    /// What to extract, in any case: paths, folders with all that is in them, patterns such as
    /// `**/*.inf` [default: everything]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// The folder to write into, made if it is missing; `-` writes one file to stdout
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// The image of a WIM, by number or name [default: the only one]
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    /// Which tree of a disc [default: the first of these that it has, as Windows chooses]
    #[arg(long, value_enum, value_name = "TREE")]
    pub(crate) view: Option<DiscView>,
    /// A WIM that this one is a delta of, or a pattern of names; may be given several times
    #[arg(long = "ref", value_name = "WIM")]
    pub(crate) references: Vec<PathBuf>,

    /// Write into a folder that is not empty, and replace files there
    #[arg(long)]
    pub(crate) force: bool,
    /// How many threads decode and write [default: the number of processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mediabuild diff october/boot.iso november/boot.iso
  mediabuild diff old.wim new.wim -v            times too
  mediabuild diff boot.iso//sources/boot.wim result/boot-image/winpe.wim

One line a difference, sorted by path: `+` added, `-` removed, `~` other content, `>` the same
content under another name, `m` attributes, descriptors and short names, `p` what the medium says of
itself. Images are compared by their number; a WIM inside that differs is looked into, and
`sources/boot.wim//Windows/a.dll` is a file in it. How contents are stored makes no difference.

Exit codes: 0 the same; 1 they differ; 2 and 3 as everywhere.")]
pub(crate) struct Diff {
    /// The old one: a WIM, an ISO or a folder
    pub(crate) left: PathBuf,
    /// The new one
    pub(crate) right: PathBuf,
    /// A WIM that one of them is a delta of, or a pattern of names; may be given several times
    #[arg(long = "ref", value_name = "WIM")]
    pub(crate) references: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("sign").args(["marker", "screen", "screenshot"]).required(true).multiple(true)))]
#[command(after_help = "Examples:
  mediabuild boot-test boot.iso --marker WINPE-IS-UP          each firmware that the ISO has an entry for
  mediabuild boot-test boot.iso --firmware uefi --press-key --time 3m --screenshot desktop.png
  mediabuild boot-test boot.iso --screen desktop.ppm          the screen, as --screenshot desktop.ppm kept it
  mediabuild boot-test depot.img --as usb --marker WINPE-IS-UP

Windows writes no marker by itself; a `start` command of the boot image can:
  cmd /c echo WINPE-IS-UP > COM1

The medium is only read. With a picture and nothing to wait for, the time limit is how long the
machine runs. Exit codes: 0 the sign was seen; 1 it was not, or the firmware found nothing to start; 3 QEMU or
its firmware is missing.")]
pub(crate) struct BootTest {
    /// An ISO or a disk image
    pub(crate) file: PathBuf,
    /// Wait for this text on the first serial port
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) marker: Option<String>,
    /// Wait until the screen looks like this picture, but for a fiftieth of its pixels
    #[arg(long, value_name = "PPM")]
    pub(crate) screen: Option<PathBuf>,
    /// Keep what is on the screen at the end, as a .png or a .ppm; of several firmwares each under
    /// its name
    #[arg(long, value_name = "FILE")]
    pub(crate) screenshot: Option<PathBuf>,
    /// Keep what was written to the serial port
    #[arg(long, value_name = "FILE")]
    pub(crate) serial: Option<PathBuf>,
    /// What starts it [default: each that an ISO has an entry for; UEFI for a disk image]
    #[arg(long, value_enum)]
    pub(crate) firmware: Option<Firmware>,
    /// How it is attached [default: cd for an ISO, usb for a disk image]
    #[arg(long = "as", value_enum, value_name = "DEVICE")]
    pub(crate) attached: Option<Attached>,
    /// With UEFI firmware that holds Microsoft's keys and starts only what is signed
    #[arg(long)]
    pub(crate) secure_boot: bool,
    /// Press Enter once a second in the first minute, for media that ask for a key
    #[arg(long)]
    pub(crate) press_key: bool,
    /// Do without the processor's help (KVM, HVF, WHPX), which is used where it works
    #[arg(long)]
    pub(crate) emulated: bool,
    /// Give up after so long; without the processor's help everything takes ten times as long
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_age)]
    pub(crate) time: u64,
    /// The machine's memory
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = parse_size)]
    pub(crate) memory: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsbCommand {
    /// List the disks on the USB bus, and what uses them
    List,
    /// Write a disk image to a USB stick or disk, and read it back
    Write(UsbWrite),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mediabuild usb list
  mediabuild usb write result/depot.img /dev/sdb
  mediabuild usb write result/depot.img /dev/sdb --yes --serial 4C530001234567

Everything on the disk is lost. Only disks on the USB bus are written, whether they call themselves
removable or fixed, and none that is mounted or otherwise in use. The model, size and serial number
are shown, and the disk's name must be typed; a script names the serial number instead.")]
pub(crate) struct UsbWrite {
    /// A disk image, as `usb` of a medium makes it
    pub(crate) image: PathBuf,
    /// The disk, as `usb list` names it
    pub(crate) device: PathBuf,
    /// Do not ask; needs --serial
    #[arg(long, requires = "serial")]
    pub(crate) yes: bool,
    /// Write only if this is the disk's serial number
    #[arg(long)]
    pub(crate) serial: Option<String>,
}

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
    /// A target that is built, the path of a result, or a digest
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

/// `50GiB`, `800MB`, `1000` as bytes.
fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 10] = [
        ("", 1),
        ("B", 1),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    quantity(text, &UNITS).ok_or_else(|| "a size is a number and a unit, such as 50GiB".to_owned())
}

/// `30d`, `12h` as seconds.
fn parse_age(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 5] =
        [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)];
    quantity(text, &UNITS).ok_or_else(|| "an age is a number and a unit, such as 30d".to_owned())
}

fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// Parses the command line; clap prints help and mistakes itself (exit code 2).
pub(crate) fn parse() -> Arguments {
    Arguments::parse()
}
