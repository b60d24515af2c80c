//! Boot configuration data (BCD): what `bootmgr` starts. A typed view of a registry hive.
//!
//! ```text
//! NewStoreRoot\Description                        KeyName = BCD00000001
//! NewStoreRoot\Objects\{guid}\Description         Type
//! NewStoreRoot\Objects\{guid}\Elements\12000004   Element
//! ```
//! [`windows_pe`] is the store of a medium that starts Windows PE from `boot.wim`. Its devices are
//! relative to the medium it lies on, so that one store serves discs, sticks and disks.

mod device;
mod dump;
mod element;
mod hive;
mod known;
mod store;
mod windows_pe;

pub use device::{Device, PartitionId};
pub use dump::dump;
pub use element::Element;
pub use hive::{Error, read, write};
pub use known::{element_name, object_name};
pub use store::{Object, Store};
pub use windows_pe::{Firmware, windows_pe};
