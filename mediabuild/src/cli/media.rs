//! Verbs that look at media, and bring them to machines.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::quantity::{parse_size, parse_time};
use crate::boot_test::{Attached, Firmware};

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  mediabuild inspect info install.wim
  mediabuild inspect ls boot.iso sources
  mediabuild inspect ls boot.iso//sources/boot.wim Windows/System32
  mediabuild inspect signers depot.img
  mediabuild inspect dump boot.iso//boot/bcd
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
    /// Tell who signed the boot programs of a medium, or one program, whether each is still what was
    /// signed, and its security version (SVN, SBAT). This is what the files say: nothing is verified
    Signers(InspectSigners),
    /// Decrypt the variables of a medium, or of a variables.dat
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
    /// A WIM, an ISO or a disk image
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct InspectLs {
    /// A WIM, an ISO or a disk image
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
    /// A WIM, an ISO or a disk image
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
    /// A WIM, an ISO, a disk image or a program
    pub(crate) file: PathBuf,
    /// The image of a WIM, 1-based [default: the only or first one]
    #[arg(long, value_name = "INDEX")]
    pub(crate) image: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectVariables {
    /// A WIM, an ISO, a disk image or a variables.dat
    pub(crate) file: PathBuf,
    /// Take the password from this environment variable [default: media without a password]
    #[arg(long, value_name = "NAME")]
    pub(crate) password_env: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mediabuild verify install.wim boot.iso depot.img
  mediabuild verify result/depot/*.iso          each disc of a set
  mediabuild verify install.swm                 the whole set: the other parts lie beside it
  mediabuild verify patch.wim --ref base.wim    a delta, with what it uses of its base

Of a split WIM that goes on on another disc of the set, each part is checked by itself.")]
pub(crate) struct Verify {
    /// WIMs, ISOs and disk images
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
    /// A WIM, an ISO or a disk image
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
  mediabuild diff boot.iso depot.img            the same files on both?
  mediabuild diff boot.iso//sources/boot.wim result/boot-image/winpe.wim

One line a difference, sorted by path: `+` added, `-` removed, `~` other content, `>` the same
content under another name, `m` attributes, descriptors and short names, `p` what the medium says of
itself: header, labels, partitions, the bytes that its boot entries start. Images are compared by their number; a WIM inside that differs is looked into, and
`sources/boot.wim//Windows/a.dll` is a file in it. How contents are stored makes no difference.

Exit codes: 0 the same; 1 they differ; 2 and 3 as everywhere.")]
pub(crate) struct Diff {
    /// The old one: a WIM, an ISO, a disk image or a folder
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
  mediabuild boot-test boot.iso --marker WINPE-IS-UP      each firmware the ISO has an entry for
  mediabuild boot-test boot.iso --firmware uefi --press-key --time 3m --screenshot desktop.png
  mediabuild boot-test boot.iso --screen desktop.ppm      as --screenshot desktop.ppm kept it
  mediabuild boot-test depot.img --as usb --marker WINPE-IS-UP

Windows writes no marker by itself; a `start` command of the boot image can:
  cmd /c echo WINPE-IS-UP > COM1

The medium is only read. With a picture and nothing to wait for, the time limit is how long the
machine runs. Disk images start UEFI machines only.

Exit codes: 0 the sign was seen; 1 it was not, the firmware found nothing to start, or the medium is
damaged; 2 no such medium; 3 QEMU or its firmware is missing; 130 stopped by Ctrl-C.")]
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
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_time)]
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
are shown, and the disk's name must be typed; a script names the serial number instead.

The disk starts UEFI machines. On macOS `dd`, and on Windows Rufus in DD mode, write the same image.

An image whose partition table is damaged, or that is cut off, is refused before anything is asked.

Exit codes: 0 written and read back the same; 1 the image is damaged, or the disk reads back other
bytes; 2 the disk was refused or not confirmed; 3 it cannot be opened, read or written; 130 stopped
by Ctrl-C, which tells what is on the disk then.")]
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
