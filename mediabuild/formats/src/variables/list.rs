//! The list: `<MediaVarList><var name="NAME">VALUE</var></MediaVarList>` as UTF-16LE with a U+0000
//! behind it, which readers of the original files rely on to find the end.

use std::fmt::Write;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::envelope::Error;

const ROOT: &str = "MediaVarList";
const VARIABLE: &str = "var";

/// Encodes a list, in the order given.
pub fn encode(variables: &[(String, String)]) -> Result<Vec<u8>, Error> {
    let mut text = String::from(r#"<?xml version="1.0"?><MediaVarList>"#);
    for (name, value) in variables {
        check_characters(name, name)?;
        check_characters(name, value)?;
        text.push_str(r#"<var name=""#);
        escape(name, &mut text);
        text.push_str(r#"">"#);
        escape(value, &mut text);
        text.push_str("</var>");
    }
    text.push_str("</MediaVarList>\0");
    Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
}

/// Decodes a list: with or without terminator, byte order mark, attributes of the root element;
/// values as text, as CDATA or in a `value` attribute.
pub fn decode(plaintext: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let text = text_of(plaintext)?;
    let text = text.trim_start_matches('\u{FEFF}').trim_end_matches('\0');
    if !text.trim_start().starts_with('<') {
        return Err(wrong("the decrypted text is not XML"));
    }
    let mut reader = Reader::from_str(text);
    let mut list = List::default();
    loop {
        match reader.read_event().map_err(wrong)? {
            Event::Eof => return list.finish(),
            event => list.take(&event)?,
        }
    }
}

/// The state while events come in.
#[derive(Default)]
struct List {
    variables: Vec<(String, String)>,
    open: Option<Variable>,
    is_root_seen: bool,
}

/// A `var` element whose end was not seen yet.
struct Variable {
    name: String,
    text: String,
    /// The `value` attribute counts only if there is no text.
    attribute: Option<String>,
}

impl List {
    fn take(&mut self, event: &Event<'_>) -> Result<(), Error> {
        match event {
            Event::Start(element) => self.start(element)?,
            Event::Empty(element) => {
                self.start(element)?;
                self.end(element.local_name().as_ref());
            }
            Event::End(element) => self.end(element.local_name().as_ref()),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(wrong)?;
                match character.or_else(|| predefined(&reference.xml10_content())) {
                    Some(character) => self.text(character.encode_utf8(&mut [0; 4])),
                    None => return Err(wrong("an unknown entity")),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), Error> {
        match element.local_name().as_ref() {
            ROOT => self.is_root_seen = true,
            VARIABLE if self.is_root_seen && self.open.is_none() => {
                let name = attribute(element, "name")?.ok_or_else(|| wrong("a var has no name"))?;
                let attribute = attribute(element, "value")?;
                self.open = Some(Variable { name, text: String::new(), attribute });
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, element: &str) {
        if element != VARIABLE {
            return;
        }
        if let Some(Variable { name, text, attribute }) = self.open.take() {
            let value = attribute.filter(|_| text.is_empty()).unwrap_or(text);
            self.variables.push((name, value));
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(variable) = &mut self.open {
            variable.text.push_str(text);
        }
    }

    fn finish(self) -> Result<Vec<(String, String)>, Error> {
        if !self.is_root_seen {
            return Err(wrong("there is no MediaVarList element"));
        }
        if let Some(variable) = self.open {
            return Err(wrong(format!("the variable `{}` has no end", variable.name)));
        }
        Ok(self.variables)
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Error> {
    for attribute in element.attributes() {
        let attribute = attribute.map_err(wrong)?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(wrong)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

fn predefined(entity: &str) -> Option<char> {
    match entity {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Line ends and tabs are written as references, else a parser turns them into others.
fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '&' => into.push_str("&amp;"),
            '"' => into.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                write!(into, "&#{};", u32::from(character)).expect("a string takes all")
            }
            _ => into.push(character),
        }
    }
}

/// XML 1.0, production 2: `Char`.
fn check_characters(name: &str, text: &str) -> Result<(), Error> {
    let is_allowed = |character: char| {
        matches!(character, '\t' | '\n' | '\r')
            || !matches!(character, '\0'..' ' | '\u{FFFE}' | '\u{FFFF}')
    };
    match text.chars().find(|&character| !is_allowed(character)) {
        None => Ok(()),
        Some(character) => {
            Err(Error::Character { name: name.to_owned(), character: character.into() })
        }
    }
}

fn text_of(plaintext: &[u8]) -> Result<String, Error> {
    let (units, rest) = plaintext.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(wrong("the decrypted text has an odd number of bytes"));
    }
    let units = units.iter().map(|&unit| u16::from_le_bytes(unit));
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(wrong)
}

fn wrong(reason: impl ToString) -> Error {
    Error::WrongPassword { reason: reason.to_string() }
}
