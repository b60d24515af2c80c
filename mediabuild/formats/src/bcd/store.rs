//! `Store`: objects by their GUIDs, elements by their numbers.

use std::collections::BTreeMap;

use super::element::Element;
use crate::security::Guid;

/// A boot configuration store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Store {
    /// In the order of the GUIDs' text, which is that of the file.
    pub objects: BTreeMap<String, Object>,
}

/// A boot manager, a loader, options of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is: `0x10200003` is an OS loader.
    pub kind: u32,
    /// By number: class, format and meaning in one.
    pub elements: BTreeMap<u32, Element>,
}

impl Object {
    /// An object with these elements.
    pub fn new(kind: u32, elements: impl IntoIterator<Item = (u32, Element)>) -> Object {
        Object { kind, elements: elements.into_iter().collect() }
    }
}

impl Store {
    /// Adds an object, or replaces it.
    pub fn insert(&mut self, id: Guid, object: Object) {
        self.objects.insert(id.to_string(), object);
    }

    /// The object of that GUID.
    pub fn object(&self, id: Guid) -> Option<&Object> {
        self.objects.get(&id.to_string())
    }
}
