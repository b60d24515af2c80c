//! A store as a hive, and back.

use super::element::{Element, braced, unbraced};
use super::store::{Object, Store};
use crate::regf::{self, Key, Value};
use crate::security::Guid;
use crate::wim::FileTime;

/// What `bcdedit` calls the root of stores it makes; any name does.
const ROOT: &str = "NewStoreRoot";
/// What a store says it is.
const KEY_NAME: &str = "BCD00000001";

/// Why bytes are no store, or a store cannot be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The hive.
    #[error(transparent)]
    Hive(#[from] regf::Error),
    /// A hive of something else.
    #[error("not a boot configuration store: expected {expected} in the hive's key `{key}`")]
    NotAStore {
        /// Where.
        key: String,
        /// What is missing.
        expected: &'static str,
    },
}

/// The store's file.
pub fn write(store: &Store, written: FileTime) -> Result<Vec<u8>, Error> {
    let mut objects = Key::new("Objects");
    for (id, object) in &store.objects {
        let id = Guid::parse(id).ok_or_else(|| not_a_store(id, "GUIDs as names of objects"))?;
        objects.keys.push(object_key(&braced(id), object));
    }
    let description = Key::new("Description").with_value(Value::string("KeyName", KEY_NAME));
    let root = Key::new(ROOT).with_key(description).with_key(objects);
    Ok(regf::write(&root, written)?)
}

fn object_key(name: &str, object: &Object) -> Key {
    let description = Key::new("Description").with_value(Value::dword("Type", object.kind));
    let mut elements = Key::new("Elements");
    for (number, element) in &object.elements {
        elements.keys.push(Key::new(format!("{number:08x}")).with_value(element.value()));
    }
    Key::new(name).with_key(description).with_key(elements)
}

/// Reads a store. Keys and values that are no part of one are left out.
pub fn read(bytes: &[u8]) -> Result<Store, Error> {
    let root = regf::read(bytes)?.root;
    let objects = root.key("Objects").ok_or_else(|| not_a_store(&root.name, "a key `Objects`"))?;
    let mut store = Store::default();
    for key in &objects.keys {
        let id = unbraced(&key.name)
            .ok_or_else(|| not_a_store(&key.name, "a GUID in braces as its name"))?;
        store.insert(id, object(key)?);
    }
    Ok(store)
}

fn object(key: &Key) -> Result<Object, Error> {
    let kind = key.key("Description").and_then(|key| key.value("Type")?.as_dword());
    let kind = kind.ok_or_else(|| not_a_store(&key.name, "`Description` with a `Type`"))?;
    let mut object = Object::new(kind, []);
    for element in key.key("Elements").iter().flat_map(|key| &key.keys) {
        let number = u32::from_str_radix(&element.name, 16).ok();
        let number = number.filter(|_| element.name.len() == 8);
        let number =
            number.ok_or_else(|| not_a_store(&element.name, "8 hexadecimal digits as its name"))?;
        let value = element
            .value("Element")
            .ok_or_else(|| not_a_store(&element.name, "a value `Element`"))?;
        object.elements.insert(number, Element::of(number, value));
    }
    Ok(object)
}

fn not_a_store(key: &str, expected: &'static str) -> Error {
    Error::NotAStore { key: key.to_owned(), expected }
}
