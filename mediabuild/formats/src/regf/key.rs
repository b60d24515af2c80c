//! `Key`: a key with its values and keys.

use super::value::Value;
use crate::volume::name::folded as upper_case;

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Key {
    /// Its name. Names that differ by case only are one.
    pub name: String,
    /// Its values, in the order of the file.
    pub values: Vec<Value>,
    /// The keys in it; a file has them sorted.
    pub keys: Vec<Key>,
}

impl Key {
    /// A key with nothing in it.
    pub fn new(name: impl Into<String>) -> Key {
        Key { name: name.into(), values: Vec::new(), keys: Vec::new() }
    }

    /// The same with one value more.
    pub fn with_value(mut self, value: Value) -> Key {
        self.values.push(value);
        self
    }

    /// The same with one key more.
    pub fn with_key(mut self, key: Key) -> Key {
        self.keys.push(key);
        self
    }

    /// A key in it, ignoring case.
    pub fn key(&self, name: &str) -> Option<&Key> {
        let wanted = folded(name);
        self.keys.iter().find(|key| folded(&key.name) == wanted)
    }

    /// A value of it, ignoring case.
    pub fn value(&self, name: &str) -> Option<&Value> {
        let wanted = folded(name);
        self.values.iter().find(|value| folded(&value.name) == wanted)
    }
}

/// A name as Windows compares it: upper-case UTF-16 units. Characters whose upper case is longer stay.
pub(super) fn folded(name: &str) -> Vec<u16> {
    upper_case(name).collect::<String>().encode_utf16().collect()
}
