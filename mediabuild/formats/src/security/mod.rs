//! Security descriptors of Windows: their binary form, and SDDL, the text for it.
//!
//! ```text
//! O:BAG:SYD:P(A;OICI;FA;;;BA)  <->  head · SACL · DACL · owner · group   (self-relative)
//! ```
//! Sources: [MS-DTYP] 2.4 and 2.5. Names of a domain (`DA`, Domain Admins) are refused: which domain
//! that is, is not known before an image runs. Conditional entries are kept, but have no text here.

mod ace;
mod acl;
mod descriptor;
mod error;
mod guid;
mod rights;
mod sddl_read;
mod sddl_write;
mod sid;

pub use ace::{Ace, AceBody, ace_flag, ace_kind};
pub use acl::Acl;
pub use descriptor::{AccessControl, Descriptor, control};
pub use error::Error;
pub use guid::Guid;
pub use sid::Sid;
