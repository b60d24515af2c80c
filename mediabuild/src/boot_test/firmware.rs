//! Where UEFI firmware for QEMU is: QEMU's firmware descriptors say it (`docs/interop/firmware.json`
//! of QEMU), and distributions ship them; without one, what QEMU itself brings.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;

/// Firmware in flash memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UefiFirmware {
    pub(super) code: PathBuf,
    /// What the variables are before the first boot; each boot gets a copy.
    pub(super) variables: PathBuf,
    /// It wants system management mode.
    pub(super) needs_smm: bool,
}

/// Folders with descriptors, the more particular first.
const DESCRIPTOR_FOLDERS: [&str; 3] =
    ["/etc/qemu/firmware", "/usr/local/share/qemu/firmware", "/usr/share/qemu/firmware"];

/// QEMU's own firmware, below the `share` folder beside its program's `bin`, or in its folder.
const OWN: [(&str, &str); 2] = [
    ("share/qemu/edk2-x86_64-code.fd", "share/qemu/edk2-i386-vars.fd"),
    ("share/edk2-x86_64-code.fd", "share/edk2-i386-vars.fd"),
];
/// Firmware for x86-64 machines; with `secure_boot` one that holds Microsoft's keys.
pub(super) fn find(qemu: &Path, secure_boot: bool) -> Result<UefiFirmware, Failure> {
    let described = DESCRIPTOR_FOLDERS.iter().flat_map(|folder| descriptors(Path::new(folder)));
    described
        .filter_map(|descriptor| descriptor.firmware(secure_boot))
        .chain(own(qemu).filter(|_| !secure_boot))
        .find(|firmware| firmware.code.is_file() && firmware.variables.is_file())
        .ok_or_else(|| missing(secure_boot))
}

fn missing(secure_boot: bool) -> Failure {
    let kind = if secure_boot { " with Microsoft's Secure Boot keys" } else { "" };
    Failure::environment(format!("there is no UEFI firmware for QEMU here{kind}")).help(
        "install it (Debian and Ubuntu: apt install ovmf, Fedora: dnf install edk2-ovmf, Arch: pacman -S \
         edk2-ovmf), or test the BIOS entry alone: --firmware bios",
    )
}

/// None of it holds keys, so it is no firmware for Secure Boot.
fn own(qemu: &Path) -> impl Iterator<Item = UefiFirmware> {
    qemu.ancestors().skip(1).take(2).flat_map(|folder| {
        OWN.map(|(code, variables)| UefiFirmware {
            code: folder.join(code),
            variables: folder.join(variables),
            needs_smm: false,
        })
    })
}

/// The descriptors of a folder by name, which is their order of preference.
fn descriptors(folder: &Path) -> Vec<Descriptor> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let texts = paths.iter().filter_map(|path| fs::read(path).ok());
    // One that is not understood is another program's business.
    texts.filter_map(|text| serde_json::from_slice(&text).ok()).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Descriptor {
    interface_types: Vec<String>,
    mapping: Mapping,
    targets: Vec<Target>,
    features: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Mapping {
    device: String,
    executable: Option<FlashFile>,
    nvram_template: Option<FlashFile>,
}

#[derive(Deserialize)]
struct FlashFile {
    filename: PathBuf,
    format: String,
}

#[derive(Deserialize)]
struct Target {
    architecture: String,
}

impl Descriptor {
    fn firmware(self, secure_boot: bool) -> Option<UefiFirmware> {
        let has = |feature: &str| self.features.iter().any(|known| known == feature);
        let fits = self.interface_types.iter().any(|kind| kind == "uefi")
            && self.mapping.device == "flash"
            && self.targets.iter().any(|target| target.architecture == "x86_64")
            && has("enrolled-keys") == secure_boot
            && (secure_boot || !has("requires-smm"));
        let needs_smm = has("requires-smm");
        let (code, variables) = (self.mapping.executable?, self.mapping.nvram_template?);
        let is_raw = code.format == "raw" && variables.format == "raw";
        (fits && is_raw).then_some(UefiFirmware {
            code: code.filename,
            variables: variables.filename,
            needs_smm,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Descriptor, UefiFirmware};

    fn chosen(features: &str, secure_boot: bool) -> Option<UefiFirmware> {
        let text = format!(
            r#"{{"description": "x", "interface-types": ["uefi"], "tags": [], "features": [{features}],
                "targets": [{{"architecture": "x86_64", "machines": ["pc-q35-*"]}}],
                "mapping": {{"device": "flash",
                    "executable": {{"filename": "/f/CODE.fd", "format": "raw"}},
                    "nvram-template": {{"filename": "/f/VARS.fd", "format": "raw"}}}}}}"#
        );
        serde_json::from_str::<Descriptor>(&text).unwrap().firmware(secure_boot)
    }

    #[test]
    fn firmware_is_chosen_by_its_features() {
        assert!(!chosen("\"acpi-s3\"", false).unwrap().needs_smm);
        assert_eq!(chosen("\"acpi-s3\"", true), None, "it has no keys");
        assert_eq!(chosen("\"secure-boot\", \"requires-smm\"", false), None);
        let enrolled = "\"secure-boot\", \"requires-smm\", \"enrolled-keys\"";
        assert!(chosen(enrolled, true).unwrap().needs_smm);
        assert_eq!(chosen(enrolled, false), None, "it would refuse what is not signed");
    }
}
