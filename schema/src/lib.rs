//! What you say: KDL text to typed, spanned [`Definitions`], and every diagnostic.
//!
//! The journey of a text, one module per step:
//!
//! 1. `read` reads `mediabuild.kdl` and what it includes, through `files`;
//! 2. `scan` refuses text the parser cannot be trusted with, and explains common slips;
//! 3. `syntax` turns text into KDL nodes, a `tree`, unless a `parse_cache` has kept them;
//! 4. `validate` holds every node against the table in `def`;
//! 5. `lower` takes each node through its kind's file in `def` to a typed definition;
//! 6. `check` finds what only shows across definitions.
//!
//! Architecture invariant: this crate opens definition files and nothing else, computes no digest
//! and prints nothing.

mod check;
mod def;
pub mod definition;
pub mod diagnostic;
mod files;
mod inputs;
mod load;
mod lock;
mod lookup;
mod lower;
mod names;
mod nearest;
mod node;
mod parse_cache;
mod problem;
mod read;
mod reference;
mod render;
mod scan;
mod spec;
mod syntax;
pub mod text;
mod tree;
mod validate;
mod value;

pub use definition::Definitions;
pub use diagnostic::Diagnostic;
pub use files::{Files, FolderFiles};
pub use inputs::{DeclaredInput, Place, path_declaration, url_declaration};
pub use load::{Loaded, load, load_cached, load_with};
pub use lock::{LOCK_FILE, LockEntry, LockKind, LockLine, parse_lock, render_lock};
pub use parse_cache::{NoParseCache, PARSER, ParseCache};
pub use read::PROJECT_FILE;
pub use reference::reference;
pub use render::{Report, position, render};
pub use text::{Span, Texts};
