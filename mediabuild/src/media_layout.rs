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
/// The resource in which Windows' boot manager has its security version.
pub(crate) const BOOT_MANAGER_VERSION: &str = "BOOTMGRSECURITYVERSIONNUMBER";

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
    Row {
        what: "UEFI loader of the 2023 set",
        value: CA_2023.loader[0],
        confidence: Confidence::Documented,
        note: "taken by `signer \"2023\"`",
    },
    Row {
        what: "boot manager of the 2023 set",
        value: CA_2023.manager[0],
        confidence: Confidence::Inferred,
        note: "named like the loader",
    },
    Row {
        what: "fonts of the 2023 set",
        value: CA_2023.fonts[0],
        confidence: Confidence::Inferred,
        note: "a medium has them without `_EX` in their names",
    },
    Row {
        what: "security version of Windows' boot manager",
        value: BOOT_MANAGER_VERSION,
        confidence: Confidence::Observed,
        note: "a resource of 32 bits, the major version above; shown by `check` and `inspect signers`, nothing depends \
               on it",
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
    /// It comes from the place that has the UEFI loader, or from nowhere.
    pub(crate) is_of_set: bool,
}

impl BootFile {
    /// Whether a path of a medium, in any case, is this file or one of these.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        match self.medium.strip_suffix('*') {
            None => path.eq_ignore_ascii_case(self.medium),
            Some(folder) => {
                path.get(..folder.len()).is_some_and(|it| it.eq_ignore_ascii_case(folder))
            }
        }
    }
}

/// Which of an image's two sets of UEFI boot files is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BootSet {
    /// Whatever has the usual names, file by file.
    Usual,
    /// What Windows UEFI CA 2023 signed, and the fonts that belong to it: all or none.
    Ca2023,
}

/// The files that only [`BootSet`] chooses between, in an image.
struct SetNames {
    manager: &'static [&'static str],
    loader: &'static [&'static str],
    fonts: &'static [&'static str],
}

const USUAL: SetNames = SetNames {
    manager: &["Windows/Boot/EFI/bootmgr.efi"],
    loader: &["Windows/Boot/EFI/bootmgfw.efi"],
    fonts: &["Windows/Boot/Fonts/*"],
};
const CA_2023: SetNames = SetNames {
    manager: &["Windows/Boot/EFI_EX/bootmgr_EX.efi"],
    loader: &["Windows/Boot/EFI_EX/bootmgfw_EX.efi"],
    fonts: &["Windows/Boot/Fonts_EX/*"],
};
/// At the end of the stems of the second set's names; not on a medium.
pub(crate) const SET_SUFFIX: &str = "_EX";

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

/// What UEFI firmware starts, by architecture.
const UEFI_LOADERS: [(&str, &str); 4] = [
    ("amd64", "efi/boot/bootx64.efi"),
    ("arm64", "efi/boot/bootaa64.efi"),
    ("x86", "efi/boot/bootia32.efi"),
    ("arm", "efi/boot/bootarm.efi"),
];

/// The loaders of all other architectures: one medium starts one, for all of them read one store.
pub(crate) fn foreign_loaders(arch: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    UEFI_LOADERS.into_iter().filter(move |(of, _)| *of != arch)
}

/// What UEFI firmware of `arch` starts.
pub(crate) fn uefi_loader(arch: &str) -> &'static str {
    let loader = UEFI_LOADERS.into_iter().find(|(of, _)| *of == arch);
    loader.map_or(UEFI_LOADERS[0].1, |(_, loader)| loader)
}

/// Whether a path, in any case, is what some UEFI firmware starts from a medium it knows nothing of.
pub(crate) fn is_uefi_loader(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.strip_prefix("efi/boot/boot").is_some_and(|rest| rest.ends_with(".efi"))
}

/// The boot files of a medium for `arch` (`amd64`, `x86`, `arm64`).
pub(crate) fn boot_files(arch: &str, set: BootSet) -> Vec<BootFile> {
    let file = |medium, image, firmware, needed| BootFile {
        medium,
        image,
        firmware,
        needed,
        is_of_set: false,
    };
    let (names, is_of_set) = match set {
        BootSet::Usual => (USUAL, false),
        BootSet::Ca2023 => (CA_2023, true),
    };
    // A set is whole, so all of it is needed.
    let of_set = |medium, image, needed| BootFile {
        medium,
        image,
        firmware: Firmware::Uefi,
        needed: needed || is_of_set,
        is_of_set,
    };
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
        of_set("bootmgr.efi", names.manager, false),
        of_set(uefi_loader(arch), names.loader, true),
        file(UEFI_BCD, &["Windows/Boot/DVD/EFI/BCD"], Firmware::Uefi, true),
        of_set("efi/microsoft/boot/fonts/*", names.fonts, false),
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
