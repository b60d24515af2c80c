//! `Element`: a value of an object, typed by its number.

use super::device::Device;
use crate::regf::{Value, value_kind};
use crate::security::Guid;

/// The value's name in its key.
const VALUE: &str = "Element";

/// A value of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// Format 1.
    Device(Device),
    /// Format 2.
    Text(String),
    /// Format 3: another object.
    Object(Guid),
    /// Format 4.
    Objects(Vec<Guid>),
    /// Format 5.
    Integer(u64),
    /// Format 6.
    Boolean(bool),
    /// Format 7.
    Integers(Vec<u64>),
    /// Anything else: the type in the hive, and the bytes.
    Other(u32, Vec<u8>),
}

impl Element {
    /// The value in the hive.
    pub(super) fn value(&self) -> Value {
        match self {
            Element::Device(device) => Value::binary(VALUE, device.encode()),
            Element::Text(text) => Value::string(VALUE, text),
            Element::Object(id) => Value::string(VALUE, &braced(*id)),
            Element::Objects(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| braced(*id)).collect();
                Value::strings(VALUE, ids.iter().map(String::as_str))
            }
            Element::Integer(number) => Value::binary(VALUE, number.to_le_bytes()),
            Element::Boolean(is) => Value::binary(VALUE, [u8::from(*is)]),
            Element::Integers(numbers) => {
                let bytes: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
                Value::binary(VALUE, bytes)
            }
            Element::Other(kind, data) => {
                Value { name: VALUE.into(), kind: *kind, data: data.clone() }
            }
        }
    }

    /// What element `number` says by that value.
    pub(super) fn of(number: u32, value: &Value) -> Element {
        let typed = Element::typed(number >> 24 & 0xf, value);
        typed.unwrap_or_else(|| Element::Other(value.kind, value.data.clone()))
    }

    fn typed(format: u32, value: &Value) -> Option<Element> {
        let binary = (value.kind == value_kind::BINARY).then_some(value.data.as_slice());
        match format {
            1 => binary.map(|bytes| Element::Device(Device::decode(bytes))),
            2 => value.as_string().map(Element::Text),
            3 => unbraced(&value.as_string()?).map(Element::Object),
            4 => {
                let ids = value.as_strings()?;
                ids.iter().map(|id| unbraced(id)).collect::<Option<_>>().map(Element::Objects)
            }
            5 => Some(Element::Integer(u64::from_le_bytes(binary?.try_into().ok()?))),
            6 => match binary? {
                [0] => Some(Element::Boolean(false)),
                [1] => Some(Element::Boolean(true)),
                _ => None,
            },
            7 => {
                let (numbers, []) = binary?.as_chunks::<8>() else { return None };
                Some(Element::Integers(numbers.iter().map(|it| u64::from_le_bytes(*it)).collect()))
            }
            _ => None,
        }
    }
}

/// `{guid}`
pub(super) fn braced(id: Guid) -> String {
    format!("{{{id}}}")
}

/// The GUID in braces.
pub(super) fn unbraced(text: &str) -> Option<Guid> {
    Guid::parse(text.strip_prefix('{')?.strip_suffix('}')?)
}
