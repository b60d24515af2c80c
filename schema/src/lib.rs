//! What you say: KDL text to typed, spanned [`Definitions`], and every diagnostic.
//!
//! The journey of a text, one module per step:
//!
//! 1. `files` reads `mediabuild.kdl` and what it includes;
//! 2. `scan` refuses text the parser cannot be trusted with;
//! 3. `syntax` turns text into KDL nodes, with help for common slips;
//! 4. `validate` holds every node against the table in `def`;
//! 5. `def` lowers each node to its typed definition;
//! 6. `check` finds what only shows across definitions.
//!
//! Architecture invariant: this crate opens definition files and nothing else, computes no digest
//! and prints nothing.

pub mod definition;
pub mod diagnostic;
mod files;
mod load;
mod lookup;
mod reference;
mod render;
pub mod text;

pub use definition::Definitions;
pub use diagnostic::Diagnostic;
pub use files::{Files, FolderFiles};
pub use load::{Loaded, load, load_with};
pub use reference::reference;
pub use render::{Report, position, render};
pub use text::{Span, Texts};
