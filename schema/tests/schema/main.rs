//! Tests of the crate from outside, as one program. Cases are data beside this folder.

mod case;
mod invalid;
mod reading;
mod reference;
mod safety;
mod valid;
