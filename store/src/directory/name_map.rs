//! `NameMap`: a sorted map by name that takes no two names that differ only in case.

use std::collections::BTreeMap;

use super::{DirectoryError, EntryName};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameMap<T> {
    by_name: BTreeMap<EntryName, T>,
    /// Each name by its folded form.
    by_folded: BTreeMap<Box<str>, EntryName>,
}

impl<T> Default for NameMap<T> {
    fn default() -> Self {
        NameMap { by_name: BTreeMap::new(), by_folded: BTreeMap::new() }
    }
}

impl<T> NameMap<T> {
    pub(super) fn insert(&mut self, name: EntryName, value: T) -> Result<(), DirectoryError> {
        let folded = name.folded();
        match self.by_folded.get(&folded) {
            Some(first) => Err(clash(first, &name)),
            None => {
                self.by_folded.insert(folded, name.clone());
                self.by_name.insert(name, value);
                Ok(())
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.by_name.get(name)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.by_name.get_mut(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&EntryName, &T)> {
        self.by_name.iter()
    }

    /// The same names for other values; `map` sees them in order.
    pub(super) fn try_map<U, E>(
        self,
        mut map: impl FnMut(T) -> Result<U, E>,
    ) -> Result<NameMap<U>, E> {
        let by_name = self.by_name.into_iter().map(|(name, value)| Ok((name, map(value)?)));
        Ok(NameMap { by_name: by_name.collect::<Result<_, E>>()?, by_folded: self.by_folded })
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }
}

fn clash(first: &EntryName, second: &EntryName) -> DirectoryError {
    match first == second {
        true => DirectoryError::Duplicate(second.to_string()),
        false => {
            DirectoryError::CaseCollision { first: first.to_string(), second: second.to_string() }
        }
    }
}
