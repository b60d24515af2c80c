//! What two media say of themselves: headers, XML data, labels, partitions, what
//! starts them.

use std::collections::{BTreeMap, BTreeSet};

use mediabuild_formats::iso::Disc;
use mediabuild_formats::partition::Partition;
use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{Element, Wim};

use super::boot_entry;
use super::change::{Change, Field, Kind};
use super::side::{Side, SideKind};
use crate::commands::inspect::disk::DiskImage;
use crate::failure::Failure;
use crate::progress::Job;

/// Elements that follow from the contents, or say how these are stored.
const DERIVED: [&str; 6] =
    ["DIRCOUNT", "FILECOUNT", "TOTALBYTES", "HARDLINKBYTES", "WIMBOOT", "INDEX"];
/// Elements that are times.
const TIMES: [&str; 2] = ["CREATIONTIME", "LASTMODIFICATIONTIME"];

/// Properties that differ; times only for those who want to know everything.
pub(super) fn changes(
    left: &Side,
    right: &Side,
    verbose: bool,
    job: &Job<'_>,
) -> Result<Vec<Change>, Failure> {
    let (left, right) = match (&left.kind, &right.kind) {
        (SideKind::Wim(left), SideKind::Wim(right)) => {
            (of_wim(left, verbose), of_wim(right, verbose))
        }
        (SideKind::Disc(left_disc), SideKind::Disc(right_disc)) => {
            (of_disc(left_disc, &left.source, job)?, of_disc(right_disc, &right.source, job)?)
        }
        (SideKind::Disk(left), SideKind::Disk(right)) => (of_disk(left), of_disk(right)),
        _ => return Ok(Vec::new()),
    };
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let value = |side: &BTreeMap<String, String>, name| side.get(name).cloned().unwrap_or_default();
    let fields = names.into_iter().filter_map(|name| {
        let field = Field::of("value", &value(&left, name), &value(&right, name))?;
        Some(Change { fields: vec![field], ..Change::new(Kind::Property, name) })
    });
    Ok(fields.collect())
}

fn of_wim(wim: &Wim, verbose: bool) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    facts.insert("boot index".to_owned(), wim.header.boot_index.to_string());
    for index in 1..=wim.images.len() {
        if let Some(image) = wim.xml.image(index) {
            add(&mut facts, &format!("image {index}"), image, verbose);
        }
    }
    facts
}

/// The texts of an element and those in it, by their path.
fn add(facts: &mut BTreeMap<String, String>, path: &str, element: &Element, verbose: bool) {
    let known = |name: &str| DERIVED.contains(&name) || (TIMES.contains(&name) && !verbose);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for child in element.elements().filter(|child| !known(&child.name)) {
        let nth = seen.entry(&child.name).or_default();
        *nth += 1;
        let path = match *nth {
            1 => format!("{path}/{}", child.name),
            nth => format!("{path}/{} {nth}", child.name),
        };
        let text = element_text(child);
        if !text.trim().is_empty() {
            facts.insert(path.clone(), text);
        }
        add(facts, &path, child, verbose);
    }
}

fn element_text(element: &Element) -> String {
    let texts = element.children.iter().filter_map(|node| match node {
        mediabuild_formats::wim::XmlNode::Text(text) => Some(text.as_str()),
        mediabuild_formats::wim::XmlNode::Element(_) => None,
    });
    texts.collect()
}

fn of_disc<S: Source + ?Sized>(
    disc: &Disc,
    source: &S,
    job: &Job<'_>,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut facts = BTreeMap::new();
    for view in disc.views() {
        facts.insert(
            format!("label of {}", view.name()),
            disc.label(view).unwrap_or_default().to_owned(),
        );
    }
    for (number, image) in (1..).zip(disc.boot().iter().flat_map(|boot| &boot.images)) {
        facts.insert(format!("boot entry {number}"), boot_entry::text(image, source, job)?);
    }
    Ok(facts)
}

fn of_disk(disk: &DiskImage) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let scheme = disk.table.as_ref().map_or("none", |table| table.scheme);
    facts.insert("partition table".to_owned(), scheme.to_owned());
    let partitions = disk.table.iter().flat_map(|table| &table.partitions);
    for (number, partition) in (1..).zip(partitions) {
        facts.insert(format!("partition {number}"), partition_text(partition));
    }
    for it in &disk.volumes {
        facts.insert(format!("label of volume {}", it.number), it.volume.label());
        let serial = format!("{:08X}", it.volume.serial());
        facts.insert(format!("serial of volume {}", it.number), serial);
    }
    facts
}

fn partition_text(partition: &Partition) -> String {
    let active = if partition.is_active { ", active" } else { "" };
    format!("type {}, {} bytes{active}", partition.kind, partition.size_bytes)
}
