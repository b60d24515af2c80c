//! XML text to elements and back, and its UTF-16 encoding.
//!
//! Untrusted: no document type declarations (so no entities but the five predefined ones), elements
//! nest at most [`DEPTH_LIMIT`] deep, characters that XML 1.0 does not have are refused.

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::error::Error;
use super::xml::{Element, XmlNode};

/// Deepest nesting of elements; files have about six levels.
const DEPTH_LIMIT: usize = 64;

/// Parses text with one root element.
pub(super) fn parse(text: &str) -> Result<Element, Error> {
    check_characters(text)?;
    let mut reader = Reader::from_str(text);
    // Open elements; the first one stands for the document.
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|error| problem(reader.error_position(), error))?;
        let position = reader.buffer_position();
        match event {
            Event::Start(start) if open.len() > DEPTH_LIMIT => {
                let name = start.name().into_inner();
                let text = format!("`{name}` is nested more than {DEPTH_LIMIT} levels deep");
                return Err(problem(position, text));
            }
            Event::Start(start) => open.push(element(&start, position)?),
            Event::Empty(start) => add(&mut open, XmlNode::Element(element(&start, position)?)),
            Event::End(_) => close(&mut open, position)?,
            Event::Text(text) => add_text(&mut open, &text.xml10_content()),
            Event::CData(text) => add_text(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => add_text(&mut open, &resolve(&reference, position)?),
            Event::DocType(_) => return Err(problem(position, "a document type declaration")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return root(open, position),
        }
    }
}

fn problem(position: u64, problem: impl ToString) -> Error {
    Error::Xml { position, problem: problem.to_string() }
}

fn element(start: &BytesStart<'_>, position: u64) -> Result<Element, Error> {
    let mut element = Element::new(name(start.name().into_inner(), position)?);
    // The check for duplicates takes quadratic time, which hostile data could use.
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| problem(position, error))?;
        let value = unescape(&attribute.value).map_err(|error| problem(position, error))?;
        check_references(&value, position)?;
        let key = name(attribute.key.into_inner(), position)?;
        element.attributes.push((key, value.into_owned()));
    }
    Ok(element)
}

/// The parser takes nearly everything for a name; only what is still one when it is written again
/// is taken here.
fn name(text: &str, position: u64) -> Result<String, Error> {
    match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err(problem(position, format!("`{}` is no name", text.escape_debug()))),
    }
}

fn is_name(text: &str) -> bool {
    let is_foreign = |character: char| {
        character.is_whitespace() || matches!(character, '/' | '<' | '>' | '&' | '"' | '\'' | '=')
    };
    !text.is_empty() && !text.contains(is_foreign)
}

/// `Char` of XML 1.0.
fn is_character(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    }
}

fn foreign_character(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, character)| !is_character(*character))
}

/// Text as it is in the file: every character is where it says.
fn check_characters(text: &str) -> Result<(), Error> {
    match foreign_character(text) {
        None => Ok(()),
        Some((offset, character)) => Err(problem(offset as u64, no_character(character))),
    }
}

/// Text that references stand for.
fn check_references(text: &str, position: u64) -> Result<(), Error> {
    match foreign_character(text) {
        None => Ok(()),
        Some((_, character)) => Err(problem(position, no_character(character))),
    }
}

fn no_character(character: char) -> String {
    format!("`&#{};` is no character of XML", u32::from(character))
}

fn add(open: &mut [Element], node: XmlNode) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(node);
    }
}

/// Appends text to the innermost element, joined with text that is there already.
fn add_text(open: &mut [Element], text: &str) {
    let Some(parent) = open.last_mut() else { return };
    match parent.children.last_mut() {
        Some(XmlNode::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => parent.children.push(XmlNode::Text(text.to_owned())),
    }
}

fn close(open: &mut Vec<Element>, position: u64) -> Result<(), Error> {
    match open.pop() {
        Some(element) if !open.is_empty() => {
            add(open, XmlNode::Element(element));
            Ok(())
        }
        _ => Err(problem(position, "an end tag without a start tag")),
    }
}

fn resolve(reference: &BytesRef<'_>, position: u64) -> Result<String, Error> {
    let unknown = || problem(position, "an unknown entity");
    match reference.resolve_char_ref().map_err(|error| problem(position, error))? {
        Some(character) if !is_character(character) => {
            Err(problem(position, no_character(character)))
        }
        Some(character) => Ok(character.to_string()),
        None => resolve_predefined_entity(&reference.xml10_content())
            .map(str::to_owned)
            .ok_or_else(unknown),
    }
}

/// The only element of the document.
fn root(mut open: Vec<Element>, position: u64) -> Result<Element, Error> {
    let (Some(document), true) = (open.pop(), open.is_empty()) else {
        return Err(problem(position, "an element is not closed"));
    };
    let mut elements = document.children.into_iter().filter_map(|node| match node {
        XmlNode::Element(element) => Some(element),
        XmlNode::Text(_) => None,
    });
    match (elements.next(), elements.next()) {
        (Some(root), None) if root.name == "WIM" => Ok(root),
        _ => Err(problem(0, "expected one `WIM` element")),
    }
}

/// An error unless what [`render`] makes of an element is read as that element.
pub(super) fn check(element: &Element) -> Result<(), Error> {
    let keys = element.attributes.iter().map(|(key, _)| key);
    let mut names = [&element.name].into_iter().chain(keys);
    if let Some(name) = names.find(|name| !is_name(name) || foreign_character(name).is_some()) {
        let problem = format!("XML data: `{}` is no name", name.escape_debug());
        return Err(Error::Output { problem });
    }
    let values = element.attributes.iter().map(|(_, value)| value);
    let texts = element.children.iter().filter_map(|child| match child {
        XmlNode::Text(text) => Some(text),
        XmlNode::Element(_) => None,
    });
    if let Some((_, character)) = values.chain(texts).find_map(|text| foreign_character(text)) {
        let problem = format!("XML data, `{}`: {}", element.name, no_character(character));
        return Err(Error::Output { problem });
    }
    element.elements().try_for_each(check)
}

/// Appends an element, without indentation.
pub(super) fn render(element: &Element, text: &mut String) {
    text.push('<');
    text.push_str(&element.name);
    for (name, value) in &element.attributes {
        text.push(' ');
        text.push_str(name);
        text.push_str("=\"");
        escape(value, true, text);
        text.push('"');
    }
    if element.children.is_empty() {
        text.push_str("/>");
        return;
    }
    text.push('>');
    for child in &element.children {
        match child {
            XmlNode::Element(element) => render(element, text),
            XmlNode::Text(content) => escape(content, false, text),
        }
    }
    text.push_str("</");
    text.push_str(&element.name);
    text.push('>');
}

/// Appends text so that a parser gives it back, line ends included.
fn escape(content: &str, in_attribute: bool, text: &mut String) {
    for character in content.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' if in_attribute => text.push_str("&quot;"),
            '\r' => text.push_str("&#13;"),
            '\n' if in_attribute => text.push_str("&#10;"),
            '\t' if in_attribute => text.push_str("&#9;"),
            foreign if !is_character(foreign) => text.push(char::REPLACEMENT_CHARACTER),
            other => text.push(other),
        }
    }
}

/// UTF-16LE, with or without a byte order mark.
pub(super) fn decode_utf16(bytes: &[u8]) -> Result<String, Error> {
    let bytes = bytes.strip_prefix(&[0xff, 0xfe]).unwrap_or(bytes);
    if !bytes.len().is_multiple_of(2) {
        return Err(problem(bytes.len() as u64, "half a UTF-16 unit"));
    }
    let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let mut text = String::new();
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => text.push(character),
            Err(_) => return Err(problem(text.len() as u64, "an unpaired surrogate")),
        }
    }
    // Some writers terminate the text.
    text.truncate(text.trim_end_matches('\0').len());
    Ok(text)
}

/// UTF-16LE with a byte order mark.
pub(super) fn encode_utf16(text: &str) -> Vec<u8> {
    ['\u{feff}'.to_string().as_str(), text]
        .into_iter()
        .flat_map(str::encode_utf16)
        .flat_map(u16::to_le_bytes)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{parse, render};

    fn rendered(text: &str) -> String {
        let mut out = String::new();
        render(&parse(text).expect("valid"), &mut out);
        out
    }

    #[test]
    fn unknown_elements_order_and_escapes_are_kept() {
        let text =
            r#"<WIM><IMAGE INDEX="1"><X A="&quot;&amp;"/>a &lt;&gt;&amp; b<Y>é</Y></IMAGE></WIM>"#;
        assert_eq!(rendered(text), text);
        assert_eq!(rendered("<WIM>&#65;<![CDATA[<]]></WIM>"), "<WIM>A&lt;</WIM>");
    }

    #[test]
    fn hostile_documents_are_errors() {
        let deep = format!("<WIM>{}", "<a>".repeat(100_000));
        let cases = [
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><WIM/>", "document type"),
            ("<WIM>&b;</WIM>", "unknown entity"),
            (deep.as_str(), "levels deep"),
            ("<WIM>", "not closed"),
            ("</WIM>", ""),
            ("<WIM/><WIM/>", "one `WIM` element"),
            ("", "one `WIM` element"),
            ("<ISO/>", "one `WIM` element"),
            // These would be written as something else.
            ("<WIM><></></WIM>", "no name"),
            ("<WIM><a/ >b</a/ ></WIM>", "`a/` is no name"),
            ("<WIM a/='b'>c</WIM>", "`a/` is no name"),
            // Other readers refuse the whole file.
            ("<WIM>&#1;</WIM>", "`&#1;` is no character"),
            ("<WIM>a\u{b}</WIM>", "XML data, character 6: `&#11;` is no character"),
            ("<WIM><![CDATA[\u{ffff}]]></WIM>", "`&#65535;` is no character"),
            ("<WIM a='&#x1f;'/>", "`&#31;` is no character"),
        ];
        for (text, expected) in cases {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
