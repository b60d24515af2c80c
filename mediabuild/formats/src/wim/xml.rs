//! `Xml`: the XML data, as a small tree that keeps elements it does not know.

use std::collections::BTreeMap;

use super::error::Error;
use super::header::{ResourceHeader, read_at};
use super::time::FileTime;
use super::xml_text;
use crate::source::Source;

/// Largest XML data that is read: thousands of images have less.
const SIZE_LIMIT_BYTES: u64 = 8 << 20;

/// The XML data of a WIM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xml {
    /// The `WIM` element.
    pub root: Element,
    /// Position among the root's children by `INDEX`; the first one wins.
    by_index: BTreeMap<usize, usize>,
}

/// An element: name, attributes and children in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// Its tag.
    pub name: String,
    /// Names and unescaped values.
    pub attributes: Vec<(String, String)>,
    /// Elements and texts.
    pub children: Vec<XmlNode>,
}

/// What an element contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum XmlNode {
    /// An element.
    Element(Element),
    /// Unescaped text.
    Text(String),
}

impl Xml {
    /// The XML data with this `WIM` element.
    pub fn new(root: Element) -> Xml {
        let mut by_index = BTreeMap::new();
        for (position, child) in root.children.iter().enumerate() {
            if let Some(index) = index_of(child) {
                by_index.entry(index).or_insert(position);
            }
        }
        Xml { root, by_index }
    }

    /// Reads the XML data at `resource`.
    pub(super) fn read<S: Source + ?Sized>(
        source: &S,
        resource: &ResourceHeader,
    ) -> Result<Xml, Error> {
        super::blob::check_plain("the XML data", resource, source.size_bytes())?;
        if resource.stored_bytes > SIZE_LIMIT_BYTES {
            return Err(Error::TooLarge {
                resource_offset_bytes: resource.offset_bytes,
                size_bytes: resource.stored_bytes,
                limit_bytes: SIZE_LIMIT_BYTES,
            });
        }
        // The range was checked against the file, so the bytes are really there.
        let mut bytes = vec![0; resource.stored_bytes as usize];
        read_at(source, resource.offset_bytes, &mut bytes)?;
        Xml::decode(&bytes)
    }

    /// Parses UTF-16LE text.
    pub fn decode(bytes: &[u8]) -> Result<Xml, Error> {
        let root = xml_text::parse(&xml_text::decode_utf16(bytes)?)?;
        Ok(Xml::new(root))
    }

    /// UTF-16LE with a byte order mark, as in files.
    pub fn encode(&self) -> Vec<u8> {
        xml_text::encode_utf16(&self.to_text())
    }

    /// The text, without a declaration, as Windows writes it. Characters that XML does not have are
    /// written as U+FFFD; [`write`](super::write()) refuses them.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        xml_text::render(&self.root, &mut text);
        text
    }

    /// The `IMAGE` element with this `INDEX`, as the root was when this was made.
    pub fn image(&self, index: usize) -> Option<&Element> {
        match self.root.children.get(*self.by_index.get(&index)?)? {
            XmlNode::Element(element) => Some(element),
            XmlNode::Text(_) => None,
        }
    }

    /// An error unless every name and every character is one of XML 1.0, which a reader takes.
    pub(super) fn check(&self) -> Result<(), Error> {
        xml_text::check(&self.root)
    }
}

/// The `INDEX` of an `IMAGE` element, if it is a number as Windows writes it.
fn index_of(node: &XmlNode) -> Option<usize> {
    let XmlNode::Element(element) = node else { return None };
    let index = element.attribute("INDEX").filter(|_| element.name == "IMAGE")?;
    index.parse().ok().filter(|number: &usize| number.to_string() == index)
}

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<String>) -> Element {
        Element { name: name.into(), ..Element::default() }
    }

    /// Child elements in order.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|child| match child {
            XmlNode::Element(element) => Some(element),
            XmlNode::Text(_) => None,
        })
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(attribute, _)| attribute == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Sets an attribute.
    pub fn set_attribute(&mut self, name: &str, value: impl Into<String>) {
        match self.attributes.iter_mut().find(|(attribute, _)| attribute == name) {
            Some((_, old)) => *old = value.into(),
            None => self.attributes.push((name.to_owned(), value.into())),
        }
    }

    /// The first element at a path such as `WINDOWS/VERSION`.
    pub fn element(&self, path: &str) -> Option<&Element> {
        path.split('/')
            .try_fold(self, |element, name| element.elements().find(|child| child.name == name))
    }

    /// As [`Element::element`], to change it.
    pub fn element_mut(&mut self, path: &str) -> Option<&mut Element> {
        path.split('/').try_fold(self, |element, name| {
            element.children.iter_mut().find_map(|child| match child {
                XmlNode::Element(element) if element.name == name => Some(element),
                _ => None,
            })
        })
    }

    /// The text of the first element at a path such as `WINDOWS/EDITIONID`.
    pub fn text(&self, path: &str) -> Option<String> {
        Some(self.element(path)?.own_text())
    }

    /// The text of this element, without that of its children.
    pub fn own_text(&self) -> String {
        let texts = self.children.iter().filter_map(|child| match child {
            XmlNode::Text(text) => Some(text.as_str()),
            XmlNode::Element(_) => None,
        });
        texts.collect()
    }

    /// Replaces what the element at a path contains by a text; makes missing elements at the end.
    pub fn set_text(&mut self, path: &str, text: impl Into<String>) {
        let element = path.split('/').fold(self, |element, name| element.child_mut(name));
        element.children = vec![XmlNode::Text(text.into())];
    }

    /// Sets a time, such as `CREATIONTIME`.
    pub fn set_time(&mut self, path: &str, time: FileTime) {
        self.set_text(&format!("{path}/HIGHPART"), format!("0x{:08X}", time.0 >> 32));
        self.set_text(&format!("{path}/LOWPART"), format!("0x{:08X}", time.0 as u32));
    }

    /// A time, such as `CREATIONTIME`.
    pub fn time(&self, path: &str) -> Option<FileTime> {
        let part = |name| {
            let text = self.text(&format!("{path}/{name}"))?;
            u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
        };
        Some(FileTime(u64::from(part("HIGHPART")?) << 32 | u64::from(part("LOWPART")?)))
    }

    /// The first child element of this name, made at the end if it is missing.
    fn child_mut(&mut self, name: &str) -> &mut Element {
        let found = self
            .children
            .iter()
            .position(|child| matches!(child, XmlNode::Element(element) if element.name == name));
        let position = found.unwrap_or_else(|| {
            self.children.push(XmlNode::Element(Element::new(name)));
            self.children.len() - 1
        });
        match &mut self.children[position] {
            XmlNode::Element(element) => element,
            XmlNode::Text(_) => unreachable!("the position of an element"),
        }
    }
}
