//! The layout of Configuration Manager media: **one table of everything that is not verified**
//! against a live site, so that a real sample corrects it in one place.
//!
//! Public documents do not give the layout of prestaged media byte by byte. [`UNVERIFIED`] lists
//! each path and literal used here, how it is known, and what else was considered.

/// How a row is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confidence {
    /// Microsoft's documentation says so.
    Documented,
    /// Third parties saw it on real media.
    Observed,
    /// Concluded from other kinds of media.
    Inferred,
}

impl Confidence {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Confidence::Documented => "documented",
            Confidence::Observed => "seen by others",
            Confidence::Inferred => "a guess",
        }
    }
}

/// One path or literal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) value: &'static str,
    pub(crate) confidence: Confidence,
    pub(crate) note: &'static str,
}

/// The boot image on every medium.
pub(crate) const BOOT_WIM: &str = "sources/boot.wim";
/// The encrypted variables.
pub(crate) const VARIABLES: &str = "SMS/data/variables.dat";
/// The folder of a task-sequence shell: one folder for each architecture, with [`SHELL_PROGRAM`].
pub(crate) const SHELL_FOLDER: &str = "sms/bin";
/// The task-sequence shell's program.
pub(crate) const SHELL_PROGRAM: &str = "TsBootShell.exe";
/// The variable that tells a task sequence which kind of medium it runs from.
pub(crate) const MEDIA_TYPE_VARIABLE: &str = "_SMSTSMediaType";
/// Its value on prestaged media.
pub(crate) const MEDIA_TYPE_PRESTAGED: &str = "OEMMedia";
/// Its value on bootable media.
pub(crate) const MEDIA_TYPE_BOOTABLE: &str = "BootMedia";
/// Where prestaged media keep the RAM disk's boot.sdi.
pub(crate) const PRESTAGED_BOOT_SDI: &str = "sources/boot.sdi";

/// Where packages, applications and driver packages lie.
pub(crate) const PACKAGES: &str = "SMS/PKG";
/// The switch's other value, `content-layout "task-sequence-cache"`.
pub(crate) const PACKAGES_IN_CACHE: &str = "_SMSTaskSequence/Packages";

/// Every unverified value.
pub(crate) const UNVERIFIED: &[Row] = &[
    Row {
        what: "packages",
        value: PACKAGES,
        confidence: Confidence::Inferred,
        note: "as on stand-alone media; `content-layout \"task-sequence-cache\"` switches to `_SMSTaskSequence/Packages`, \
               where the client caches content on a target disk",
    },
    Row {
        what: "packages, switched",
        value: PACKAGES_IN_CACHE,
        confidence: Confidence::Inferred,
        note: "the client is documented to look into the local task sequence cache first",
    },
    Row {
        what: "boot image",
        value: BOOT_WIM,
        confidence: Confidence::Observed,
        note: "seen on bootable and prestaged media",
    },
    Row {
        what: "RAM disk of prestaged media",
        value: PRESTAGED_BOOT_SDI,
        confidence: Confidence::Observed,
        note: "beside boot.wim; also kept as boot/boot.sdi, which a DVD's BCD names",
    },
    Row {
        what: "variables",
        value: VARIABLES,
        confidence: Confidence::Inferred,
        note: "seen on bootable and stand-alone media; the same name is assumed on prestaged media",
    },
    Row {
        what: "TsmBootstrap.ini",
        value: "SMS/data/TsmBootstrap.ini",
        confidence: Confidence::Observed,
        note: "not written: others saw it beside the variables; a package cannot put it there, an overlay of the \
               boot image can",
    },
    Row {
        what: "media type, prestaged",
        value: MEDIA_TYPE_PRESTAGED,
        confidence: Confidence::Documented,
        note: "the wizard's documentation gives this value of _SMSTSMediaType",
    },
    Row {
        what: "media type, bootable",
        value: MEDIA_TYPE_BOOTABLE,
        confidence: Confidence::Inferred,
        note: "formed like FullMedia and OEMMedia",
    },
];

/// A file that starts Windows PE from a medium, and where a boot image has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BootFile {
    /// On the medium. A `*` at the end stands for all files of a folder.
    pub(crate) medium: &'static str,
    /// In the boot image, the first that exists is taken; the same `*`.
    pub(crate) image: &'static [&'static str],
    /// Which firmware needs it.
    pub(crate) firmware: Firmware,
    /// Without it that firmware does not start the medium.
    pub(crate) needed: bool,
}

/// How a machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Firmware {
    Bios,
    Uefi,
    Both,
}

impl Firmware {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Firmware::Bios => "BIOS",
            Firmware::Uefi => "UEFI",
            Firmware::Both => "BIOS and UEFI",
        }
    }
}

/// What UEFI firmware of `arch` starts.
fn uefi_loader(arch: &str) -> &'static str {
    match arch {
        "x86" => "efi/boot/bootia32.efi",
        "arm64" => "efi/boot/bootaa64.efi",
        _ => "efi/boot/bootx64.efi",
    }
}

/// The boot files of a medium for `arch` (`amd64`, `x86`, `arm64`).
pub(crate) fn boot_files(arch: &str) -> Vec<BootFile> {
    let file = |medium, image, firmware, needed| BootFile { medium, image, firmware, needed };
    let mut files = vec![
        file("bootmgr", &["Windows/Boot/PCAT/bootmgr"], Firmware::Bios, true),
        file(BIOS_BCD, &["Windows/Boot/DVD/PCAT/BCD"], Firmware::Bios, true),
        file(
            "boot/boot.sdi",
            &[
                "Windows/Boot/DVD/PCAT/boot.sdi",
                "Windows/Boot/DVD/EFI/boot.sdi",
                "sms/boot/boot.sdi",
            ],
            Firmware::Both,
            true,
        ),
        file("boot/fonts/*", &["Windows/Boot/Fonts/*"], Firmware::Bios, false),
        file("bootmgr.efi", &["Windows/Boot/EFI/bootmgr.efi"], Firmware::Uefi, false),
        file(uefi_loader(arch), &["Windows/Boot/EFI/bootmgfw.efi"], Firmware::Uefi, true),
        file(UEFI_BCD, &["Windows/Boot/DVD/EFI/BCD"], Firmware::Uefi, true),
        file("efi/microsoft/boot/fonts/*", &["Windows/Boot/Fonts/*"], Firmware::Uefi, false),
    ];
    // There is no arm64 machine with a BIOS.
    files.retain(|file| arch != "arm64" || file.firmware != Firmware::Bios);
    files
}

/// Where BIOS boot managers look for their store.
const BIOS_BCD: &str = "boot/bcd";
/// Where UEFI boot managers do; it is one place for all architectures.
const UEFI_BCD: &str = "efi/microsoft/boot/bcd";

/// A boot configuration store that is made where no place has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MadeStore {
    /// On the medium.
    pub(crate) medium: &'static str,
    /// The boot manager that reads it: without it there is no use for a store.
    pub(crate) boot_manager: &'static str,
    pub(crate) firmware: Firmware,
}

/// The stores of a medium for `arch`.
pub(crate) fn made_stores(arch: &str) -> Vec<MadeStore> {
    let uefi =
        MadeStore { medium: UEFI_BCD, boot_manager: uefi_loader(arch), firmware: Firmware::Uefi };
    let bios = MadeStore { medium: BIOS_BCD, boot_manager: "bootmgr", firmware: Firmware::Bios };
    if arch == "arm64" { vec![uefi] } else { vec![bios, uefi] }
}
