//! Names of well-known objects and elements, as `bcdedit` has them.

use crate::security::Guid;

/// `{bootmgr}`
pub(super) const BOOT_MANAGER: &str = "9dea862c-5cdd-4e70-acc1-f32b344d4795";
/// The loader in the store of Windows' own media.
pub(super) const MEDIUM_LOADER: &str = "7619dcc9-fafe-11d9-b411-000476eba25f";
/// The RAM disk's options in the same.
pub(super) const MEDIUM_RAM_DISK: &str = "7619dcc8-fafe-11d9-b411-000476eba25f";

/// Objects that are the same on every machine.
const OBJECTS: &[(&str, &str)] = &[
    (BOOT_MANAGER, "bootmgr"),
    (MEDIUM_LOADER, "loader of a medium"),
    (MEDIUM_RAM_DISK, "RAM disk of a medium"),
    ("a5a30fa2-3d06-4e9f-b5f4-a01df9d1fcba", "fwbootmgr"),
    ("b2721d73-1db4-4c62-bf78-c548a880142d", "memdiag"),
    ("466f5a88-0af2-4f76-9038-095b170dc21c", "ntldr"),
    ("7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e", "globalsettings"),
    ("6efb52bf-1766-41db-a6b3-0ee5eff72bd7", "bootloadersettings"),
    ("1afa9c49-16ab-4a5c-901b-212802da9460", "resumeloadersettings"),
    ("4636856e-540f-4170-a130-a84776f4c654", "dbgsettings"),
    ("0ce4991b-e6b3-4b16-b23c-5e0d9250e5d9", "emssettings"),
    ("5189b25c-5558-4bf2-bca4-289b11bd29e2", "badmemory"),
    ("7ff607e0-4395-11db-b0de-0800200c9a66", "hypervisorsettings"),
    ("ae5534e0-a924-466c-b836-758539a3ee3a", "ramdiskoptions"),
];

pub(super) mod element {
    //! Numbers of the elements that are written here.
    pub(in crate::bcd) const DEVICE: u32 = 0x1100_0001;
    pub(in crate::bcd) const PATH: u32 = 0x1200_0002;
    pub(in crate::bcd) const DESCRIPTION: u32 = 0x1200_0004;
    pub(in crate::bcd) const LOCALE: u32 = 0x1200_0005;
    pub(in crate::bcd) const OS_DEVICE: u32 = 0x2100_0001;
    pub(in crate::bcd) const SYSTEM_ROOT: u32 = 0x2200_0002;
    pub(in crate::bcd) const DEFAULT: u32 = 0x2300_0003;
    pub(in crate::bcd) const DISPLAY_ORDER: u32 = 0x2400_0001;
    pub(in crate::bcd) const TIMEOUT: u32 = 0x2500_0004;
    pub(in crate::bcd) const DETECT_HAL: u32 = 0x2600_0010;
    pub(in crate::bcd) const WINDOWS_PE: u32 = 0x2600_0022;
    pub(in crate::bcd) const SDI_DEVICE: u32 = 0x3100_0003;
    pub(in crate::bcd) const SDI_PATH: u32 = 0x3200_0004;
}

/// Elements and `bcdedit`'s words for them.
const ELEMENTS: &[(u32, &str)] = &[
    (element::DEVICE, "device"),
    (element::PATH, "path"),
    (element::DESCRIPTION, "description"),
    (element::LOCALE, "locale"),
    (0x1400_0006, "inherit"),
    (0x1600_0060, "isolatedcontext"),
    (0x1700_0077, "allowedinmemorysettings"),
    (element::OS_DEVICE, "osdevice"),
    (element::SYSTEM_ROOT, "systemroot"),
    (element::DEFAULT, "default"),
    (element::DISPLAY_ORDER, "displayorder"),
    (0x2400_0010, "toolsdisplayorder"),
    (element::TIMEOUT, "timeout"),
    (0x2500_0020, "nx"),
    (0x2500_00c2, "bootmenupolicy"),
    (element::DETECT_HAL, "detecthal"),
    (0x2600_0020, "displaybootmenu"),
    (element::WINDOWS_PE, "winpe"),
    (0x2600_00b0, "ems"),
    (element::SDI_DEVICE, "ramdisksdidevice"),
    (element::SDI_PATH, "ramdisksdipath"),
    (0x3500_0001, "ramdiskimageoffset"),
    (0x3600_0006, "exportascd"),
];

/// What everyone calls an object.
pub fn object_name(id: &str) -> Option<&'static str> {
    OBJECTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, name)| *name)
}

/// `bcdedit`'s word for an element. What 21000001 means depends on the object: this is a loader's.
pub fn element_name(element: u32) -> Option<&'static str> {
    ELEMENTS.iter().find(|(known, _)| *known == element).map(|(_, name)| *name)
}

/// One of this file's GUIDs.
pub(super) fn guid(text: &str) -> Guid {
    Guid::parse(text).expect("constants that a test parses")
}

#[cfg(test)]
mod tests {
    use super::{OBJECTS, guid, object_name};

    #[test]
    fn every_known_object_is_a_guid() {
        for (id, name) in OBJECTS {
            assert_eq!(object_name(&guid(id).to_string()), Some(*name));
        }
    }
}
