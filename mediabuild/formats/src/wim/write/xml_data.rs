//! The XML data of an output: the caller's elements with our indexes, counts and sizes.

use super::OutputImage;
use crate::wim::count::Counts;
use crate::wim::xml::{Element, Xml, XmlNode};

/// `WIM{TOTALBYTES, IMAGE…}`, in the order of Windows; what else `base` has stays where it is, with
/// our images in the place of its first one, else at the end.
pub(super) fn xml_data(
    base: &Element,
    images: &[OutputImage<'_>],
    counts: &[Counts],
    xml_offset: u64,
) -> Xml {
    let is_image =
        |node: &XmlNode| matches!(node, XmlNode::Element(element) if element.name == "IMAGE");
    let first_image = base.children.iter().position(is_image).unwrap_or(base.children.len());
    let (before, behind) = base.children.split_at(first_image);
    let kept = |nodes: &[XmlNode]| nodes.iter().filter(|node| is_kept(node)).cloned().collect();
    let mut root = Element::new("WIM");
    root.attributes = base.attributes.clone();
    root.set_text("TOTALBYTES", xml_offset.to_string());
    root.children.extend::<Vec<XmlNode>>(kept(before));
    for ((output, counts), index) in images.iter().zip(counts).zip(1..) {
        root.children.push(XmlNode::Element(image_element(&output.xml, counts, index)));
    }
    root.children.extend::<Vec<XmlNode>>(kept(behind));
    Xml::new(root)
}

/// Whether a child of the root is the caller's: blanks only indent what is not.
fn is_kept(node: &XmlNode) -> bool {
    match node {
        XmlNode::Element(element) => element.name != "IMAGE" && element.name != "TOTALBYTES",
        XmlNode::Text(text) => !text.trim().is_empty(),
    }
}

/// The caller's element with our index and counts: in place where it has them, else in front.
fn image_element(base: &Element, counts: &Counts, index: usize) -> Element {
    let mut element = base.clone();
    element.name = "IMAGE".to_owned();
    element.set_attribute("INDEX", index.to_string());
    let values = [
        ("DIRCOUNT", counts.directories.to_string()),
        ("FILECOUNT", counts.files.to_string()),
        ("TOTALBYTES", counts.total_bytes.to_string()),
        ("HARDLINKBYTES", counts.hard_link_bytes.to_string()),
    ];
    let mut front = 0;
    for (name, value) in values {
        if element.element(name).is_none() {
            element.children.insert(front, XmlNode::Element(Element::new(name)));
            front += 1;
        }
        element.set_text(name, value);
    }
    element
}
