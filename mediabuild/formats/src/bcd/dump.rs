//! A store as text, one element a line: for people, and as goldens.

use std::fmt::Write;

use super::element::Element;
use super::known::{element_name, object_name};
use super::store::Store;
use crate::security::Guid;

/// All objects in the order of their GUIDs.
pub fn dump(store: &Store) -> String {
    let mut text = String::new();
    for (id, object) in &store.objects {
        let kind = kind_name(object.kind);
        let _ = writeln!(text, "{} {:#010x} {kind}", object_text(id), object.kind);
        for (number, element) in &object.elements {
            let name = element_name(*number).unwrap_or("?");
            let _ = writeln!(text, "  {number:08x} {name} {}", element_text(element));
        }
    }
    text
}

/// What an object's type says, as far as public documents do.
fn kind_name(kind: u32) -> &'static str {
    match kind {
        0x1010_0001 => "firmware boot manager",
        0x1010_0002 => "boot manager",
        0x1020_0003 => "OS loader",
        0x1020_0004 => "resume loader",
        0x1020_0005 => "memory tester",
        0x1030_0006 => "legacy loader",
        0x2010_0000..=0x202f_ffff => "settings that others inherit",
        0x3000_0000..=0x3fff_ffff => "options of a device",
        _ => "?",
    }
}

fn object_text(id: &str) -> String {
    match object_name(id) {
        Some(name) => format!("{{{id}}} ({name})"),
        None => format!("{{{id}}}"),
    }
}

fn element_text(element: &Element) -> String {
    let object = |id: &Guid| object_text(&id.to_string());
    match element {
        Element::Device(device) => device.to_string().escape_debug().to_string(),
        Element::Text(text) => format!("{text:?}"),
        Element::Object(id) => object(id),
        Element::Objects(ids) => ids.iter().map(object).collect::<Vec<_>>().join(", "),
        Element::Integer(number) => number.to_string(),
        Element::Boolean(is) => if *is { "yes" } else { "no" }.into(),
        Element::Integers(numbers) => format!("{numbers:?}"),
        Element::Other(kind, data) => format!("type {kind}, {} bytes", data.len()),
    }
}
