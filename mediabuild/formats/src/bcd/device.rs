//! `Device`: where something lies. Bytes that no kind here gives back exactly are kept as they are.

use std::fmt;

use crate::security::Guid;

/// A device of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    /// `boot`: where the boot manager came from.
    Boot,
    /// A partition of a disk.
    Partition(PartitionId),
    /// A WIM that becomes a RAM disk.
    RamDisk {
        /// The object with the RAM disk's options.
        options: Guid,
        /// The partition that has the WIM; `None` is `boot`.
        partition: Option<PartitionId>,
        /// The WIM, with `\`.
        path: String,
    },
    /// Another kind, as stored.
    Other(Vec<u8>),
}

/// A partition as a disk's table names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionId {
    /// By two GUIDs.
    Gpt {
        /// Of the disk.
        disk: Guid,
        /// Of the partition.
        partition: Guid,
    },
    /// By a signature and a place.
    Mbr {
        /// Of the disk.
        signature: u32,
        /// Where the partition starts.
        offset_bytes: u64,
    },
}

/// In front of every device: the object with its options.
const OPTIONS_BYTES: usize = 16;
/// A device without a path.
const PLAIN_BYTES: usize = 0x48;
/// Of a RAM disk: where the device starts that has the file, and where the file's path starts.
const SOURCE_AT: usize = 0x44;
const PATH_AT: usize = SOURCE_AT + PLAIN_BYTES;
/// Kinds of devices.
const BOOT: u32 = 5;
const PARTITION: u32 = 6;
/// Styles of partition tables.
const GPT: u32 = 0;
const MBR: u32 = 1;

impl Device {
    /// The bytes of an element.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Device::Boot => [&[0; OPTIONS_BYTES], plain(None).as_slice()].concat(),
            Device::Partition(id) => [&[0; OPTIONS_BYTES], plain(Some(*id)).as_slice()].concat(),
            Device::RamDisk { options, partition, path } => ram_disk(*options, *partition, path),
            Device::Other(bytes) => bytes.clone(),
        }
    }

    /// The device that [`Device::encode`] makes these bytes of.
    pub fn decode(bytes: &[u8]) -> Device {
        let candidates = [plain_device(bytes), ram_disk_device(bytes)];
        let device = candidates.into_iter().flatten().find(|device| device.encode() == bytes);
        device.unwrap_or_else(|| Device::Other(bytes.to_vec()))
    }
}

/// A device without a path; `None` is `boot`.
fn plain(id: Option<PartitionId>) -> [u8; PLAIN_BYTES] {
    let mut bytes = [0; PLAIN_BYTES];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &if id.is_some() { PARTITION } else { BOOT }.to_le_bytes());
    put(8, &(PLAIN_BYTES as u32).to_le_bytes());
    match id {
        None => {}
        Some(PartitionId::Gpt { disk, partition }) => {
            put(0x10, &partition.0);
            put(0x24, &GPT.to_le_bytes());
            put(0x28, &disk.0);
        }
        Some(PartitionId::Mbr { signature, offset_bytes }) => {
            put(0x10, &offset_bytes.to_le_bytes());
            put(0x24, &MBR.to_le_bytes());
            put(0x28, &signature.to_le_bytes());
        }
    }
    bytes
}

fn ram_disk(options: Guid, partition: Option<PartitionId>, path: &str) -> Vec<u8> {
    let path: Vec<u8> = path.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let total = (PATH_AT + path.len()) as u32;
    let head = [0, 1, total - 0x10, 0, 3, 0, 0, 0, 0, 0, 1, total - 0x38, BOOT];
    let mut bytes = options.0.to_vec();
    bytes.extend(head.into_iter().flat_map(u32::to_le_bytes));
    bytes.extend(plain(partition));
    bytes.extend(path);
    bytes
}

fn plain_device(bytes: &[u8]) -> Option<Device> {
    let device = bytes.get(OPTIONS_BYTES..)?;
    Some(partition_id(device)?.map_or(Device::Boot, Device::Partition))
}

fn ram_disk_device(bytes: &[u8]) -> Option<Device> {
    let (units, []) = bytes.get(PATH_AT..)?.as_chunks::<2>() else { return None };
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    let path = String::from_utf16(units.strip_suffix(&[0])?).ok()?;
    let options = Guid(bytes.first_chunk().copied()?);
    Some(Device::RamDisk { options, partition: partition_id(&bytes[SOURCE_AT..])?, path })
}

/// `Some(None)` is `boot`.
fn partition_id(device: &[u8]) -> Option<Option<PartitionId>> {
    let u32_at = |at: usize| Some(u32::from_le_bytes(*device.get(at..)?.first_chunk()?));
    let guid_at = |at: usize| Some(Guid(*device.get(at..)?.first_chunk()?));
    match (u32_at(0)?, u32_at(0x24)?) {
        (BOOT, _) => Some(None),
        (PARTITION, GPT) => {
            Some(Some(PartitionId::Gpt { disk: guid_at(0x28)?, partition: guid_at(0x10)? }))
        }
        (PARTITION, MBR) => Some(Some(PartitionId::Mbr {
            signature: u32_at(0x28)?,
            offset_bytes: u64::from_le_bytes(*device.get(0x10..)?.first_chunk()?),
        })),
        _ => None,
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Boot => f.write_str("boot"),
            Device::Partition(id) => write!(f, "partition={id}"),
            Device::RamDisk { options, partition: None, path } => {
                write!(f, "ramdisk=[boot]{path},{{{options}}}")
            }
            Device::RamDisk { options, partition: Some(id), path } => {
                write!(f, "ramdisk=[{id}]{path},{{{options}}}")
            }
            Device::Other(bytes) => write!(f, "device of {} bytes", bytes.len()),
        }
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PartitionId::Gpt { disk, partition } => write!(f, "gpt {partition} of disk {disk}"),
            PartitionId::Mbr { signature, offset_bytes } => {
                write!(f, "mbr {signature:08x} at {offset_bytes}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Device, PartitionId};
    use crate::security::Guid;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_medium_itself() {
        let bytes = Device::Boot.encode();
        let head = format!("{}05000000000000004800000000000000", "00".repeat(16));
        assert_eq!(hex(&bytes), format!("{head}{}", "00".repeat(56)));
        assert_eq!(Device::decode(&bytes), Device::Boot);
    }

    #[test]
    fn a_partition_as_another_program_wrote_it() {
        let id = PartitionId::Mbr { signature: 0x43da_9ab1, offset_bytes: 0x1f50_0000 };
        let bytes = Device::Partition(id).encode();
        let head = "060000000000000048000000000000000000501f00000000000000000000000000000000\
                    01000000b19ada4300";
        assert!(hex(&bytes).starts_with(&format!("{}{head}", "00".repeat(16))), "{}", hex(&bytes));
        assert_eq!(Device::decode(&bytes), Device::Partition(id));
    }

    #[test]
    fn a_ram_disk_of_the_medium() {
        let device = Device::RamDisk {
            options: Guid::parse("ae5534e0-a924-466c-b836-758539a3ee3a").expect("a GUID"),
            partition: None,
            path: r"\sources\boot.wim".into(),
        };
        let bytes = device.encode();
        assert_eq!(bytes.len(), 176);
        assert_eq!(hex(&bytes[..16]), "e03455ae24a96c46b836758539a3ee3a");
        assert_eq!(bytes[0x18], 176 - 0x10);
        assert_eq!(bytes[0x3c], 176 - 0x38);
        assert_eq!(Device::decode(&bytes), device);
    }

    #[test]
    fn what_is_not_known_stays() {
        for bytes in [&b""[..], &[5; 16], &[0; 88], &[0; 200]] {
            assert_eq!(Device::decode(bytes), Device::Other(bytes.to_vec()));
        }
    }
}
