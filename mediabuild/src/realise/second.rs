//! `build --check`: an output is made a second time and compared with the first.

use std::collections::BTreeMap;

use mediabuild_store::{Content, Error, Output, Store, walk};

use super::{Realised, Realiser};
use crate::derivation::{Derivation, Inputs, output_name};
use crate::failure::Failure;
use crate::without_memos::WithoutMemos;

/// Files that are named as different.
const FILES_MAX: usize = 5;

impl Realiser<'_> {
    /// Makes the output again, out of contents alone, and refuses a different one. The store keeps
    /// the first, and remembers that there were two.
    pub(super) fn check(
        &self,
        derivation: &Derivation,
        inputs: &Inputs,
        first: &Realised,
    ) -> Result<(), Failure> {
        let store = WithoutMemos(self.past.store);
        let second = self.make(derivation, inputs, &store, "checked")?.output;
        if second == first.output {
            return Ok(());
        }
        self.remember_conflict(first, &second)?;
        let (one, other) = (output_name(&first.output), output_name(&second));
        let message = format!(
            "{}: made twice, with two different outputs: {one} and {other}{}",
            derivation.label,
            differing_files(self.past.store, &first.output, &second)
        );
        Err(Failure::build(message).help(
            "the first is kept; if no disk or memory is at fault, please report this as a bug",
        ))
    }

    fn remember_conflict(&self, first: &Realised, second: &Output) -> Result<(), Failure> {
        let mut batch = self.past.store.batch()?;
        match batch.put_realisation(&first.id, second).and_then(|()| batch.commit()) {
            Ok(()) | Err(Error::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// `; they differ in a, b`, where the outputs are folders.
fn differing_files(store: &dyn Store, one: &Output, other: &Output) -> String {
    let (Output::Directory(one), Output::Directory(other)) = (one, other) else {
        return String::new();
    };
    let files = |digest| -> BTreeMap<String, Content> {
        walk(store, digest).unwrap_or_default().into_iter().collect()
    };
    let (one, other) = (files(one), files(other));
    let paths: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differing = paths.into_iter().filter(|path| one.get(*path) != other.get(*path));
    let named: Vec<&str> = differing.take(FILES_MAX).map(String::as_str).collect();
    format!("; they differ in {}", named.join(", "))
}
