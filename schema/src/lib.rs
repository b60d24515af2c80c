//! What you say: KDL text to typed, spanned [`Definitions`], and every diagnostic.
//!
//! Architecture invariant: this crate opens definition files and nothing else, computes no digest
//! and prints nothing.

pub mod definition;
pub mod diagnostic;
pub mod text;
