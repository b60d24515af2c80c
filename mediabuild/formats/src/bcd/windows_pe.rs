//! The store of a medium that starts Windows PE: boot manager, loader, RAM disk.

use super::device::Device;
use super::element::Element;
use super::known::{BOOT_MANAGER, MEDIUM_LOADER, MEDIUM_RAM_DISK, element, guid};
use super::store::{Object, Store};

/// Which of a loader's two programs is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firmware {
    /// `winload.exe`
    Bios,
    /// `winload.efi`
    Uefi,
}

/// There is one entry: nobody is asked, and nothing waits.
const TIMEOUT_SECONDS: u64 = 0;

/// The store for `\sources\boot.wim` and `\boot\boot.sdi` of the medium it lies on, with the GUIDs of
/// Windows' own media.
pub fn windows_pe(firmware: Firmware) -> Store {
    let mut store = Store::default();
    store.insert(guid(BOOT_MANAGER), boot_manager());
    store.insert(guid(MEDIUM_LOADER), loader(firmware));
    store.insert(guid(MEDIUM_RAM_DISK), ram_disk());
    store
}

fn boot_manager() -> Object {
    let loader = guid(MEDIUM_LOADER);
    Object::new(
        0x1010_0002,
        [
            (element::DESCRIPTION, text("Windows Boot Manager")),
            (element::LOCALE, text("en-US")),
            (element::DEFAULT, Element::Object(loader)),
            (element::DISPLAY_ORDER, Element::Objects(vec![loader])),
            (element::TIMEOUT, Element::Integer(TIMEOUT_SECONDS)),
        ],
    )
}

fn loader(firmware: Firmware) -> Object {
    let program = match firmware {
        Firmware::Bios => r"\windows\system32\boot\winload.exe",
        Firmware::Uefi => r"\windows\system32\boot\winload.efi",
    };
    let image = Element::Device(Device::RamDisk {
        options: guid(MEDIUM_RAM_DISK),
        partition: None,
        path: r"\sources\boot.wim".into(),
    });
    Object::new(
        0x1020_0003,
        [
            (element::DEVICE, image.clone()),
            (element::PATH, text(program)),
            (element::DESCRIPTION, text("Windows PE")),
            (element::LOCALE, text("en-US")),
            (element::OS_DEVICE, image),
            (element::SYSTEM_ROOT, text(r"\windows")),
            (element::DETECT_HAL, Element::Boolean(true)),
            (element::WINDOWS_PE, Element::Boolean(true)),
        ],
    )
}

fn ram_disk() -> Object {
    Object::new(
        0x3000_0000,
        [
            (element::SDI_DEVICE, Element::Device(Device::Boot)),
            (element::SDI_PATH, text(r"\boot\boot.sdi")),
        ],
    )
}

fn text(text: &str) -> Element {
    Element::Text(text.into())
}
