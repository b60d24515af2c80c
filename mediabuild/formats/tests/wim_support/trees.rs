//! Random images, with everything a dentry may have.

use std::collections::BTreeMap;
use std::rc::Rc;

use mediabuild_formats::wim::{
    Dentry, FileTime, Image, Name, NamedStream, Reparse, Sha1, attribute,
};
use proptest::prelude::*;

use super::Bytes;

/// Contents by a number below [`COUNT`], so that files share them.
pub(crate) type Content = fn(u8) -> Bytes;

/// How many contents there are.
const COUNT: u8 = 8;

/// A few bytes.
pub(crate) fn small(number: u8) -> Bytes {
    Rc::new(vec![number; usize::from(number) * 7 % 50])
}

/// From one byte to a few chunks of text, zeros and noise.
pub(crate) fn chunked(number: u8) -> Bytes {
    let size = [0, 1, 300, 32_768, 32_769, 65_536, 70_001, 100_000][usize::from(number % COUNT)];
    let noise = (0..size as u32).scan(u32::from(number), |state, _| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8)
    });
    Rc::new(match number % 3 {
        0 => noise.map(|byte| byte & 1).collect(),
        1 => noise.collect(),
        _ => noise.map(|byte| if byte > 30 { 0 } else { byte }).collect(),
    })
}

/// All contents but empty ones.
pub(crate) fn contents(content: Content) -> BTreeMap<Sha1, Bytes> {
    (0..COUNT)
        .map(|number| (Sha1::of(&content(number)), content(number)))
        .filter(|(_, content)| !content.is_empty())
        .collect()
}

/// A blob, or an empty stream.
fn blob(content: Content) -> impl Strategy<Value = Sha1> {
    (0..COUNT).prop_map(move |number| match content(number).as_slice() {
        [] => Sha1::ZERO,
        bytes => Sha1::of(bytes),
    })
}

fn name() -> impl Strategy<Value = Name> {
    let unit = prop_oneof![
        4 => (0..26_u16).prop_map(|letter| 0x41 + letter),
        4 => (0..26_u16).prop_map(|letter| 0x61 + letter),
        1 => any::<u16>().prop_filter("not in names", |unit| ![0, 0x2f, 0x5c].contains(unit)),
    ];
    prop::collection::vec(unit, 1..6)
        .prop_map(Name::from_units)
        .prop_filter("a dot", |name| !matches!(name.units(), [46] | [46, 46]))
}

fn streams(content: Content) -> impl Strategy<Value = Vec<NamedStream>> {
    let stream = (name(), any::<u64>(), blob(content))
        .prop_map(|(name, reserved, sha1)| NamedStream { name, reserved, sha1 });
    prop::collection::vec(stream, 0..3)
}

fn reparse(content: Content) -> impl Strategy<Value = Reparse> {
    (any::<u32>(), any::<u16>(), any::<u16>(), 1..4_u8).prop_map(
        move |(tag, reserved, flags, number)| Reparse {
            tag,
            reserved,
            flags,
            sha1: Sha1::of(&content(number)),
        },
    )
}

/// Everything but kind, data and children.
fn any_dentry(content: Content) -> impl Strategy<Value = Dentry> {
    let names = (name(), prop_oneof![Just(Name::default()), name()]);
    let fields = (any::<u32>(), -1..2_i32, any::<[u64; 2]>(), any::<[u64; 3]>(), any::<u32>());
    let tagged = prop::collection::vec(any::<u64>(), 0..3);
    (
        names,
        fields,
        prop::option::weighted(0.2, reparse(content)),
        streams(content),
        tagged,
        0..3_u64,
    )
        .prop_map(|((name, short_name), fields, reparse, streams, tagged, hard_link)| {
            let (bits, security_id, reserved, times, unknown) = fields;
            let kind = attribute::DIRECTORY | attribute::REPARSE_POINT;
            let flag = if reparse.is_some() { attribute::REPARSE_POINT } else { 0 };
            let [creation, access, write] = times.map(FileTime);
            Dentry {
                short_name,
                attributes: bits & !kind | flag,
                security_id,
                reserved,
                creation,
                access,
                write,
                unknown,
                reparse,
                hard_link: if reparse.is_some() { 0 } else { hard_link },
                streams,
                tagged: tagged.into_iter().flat_map(u64::to_le_bytes).collect(),
                ..Dentry::file(name, Sha1::ZERO, FileTime(0))
            }
        })
}

fn any_file(content: Content) -> impl Strategy<Value = Dentry> {
    (any_dentry(content), blob(content)).prop_map(|(dentry, data)| Dentry { data, ..dentry })
}

fn any_folder(
    content: Content,
    children: impl Strategy<Value = Vec<Dentry>>,
) -> impl Strategy<Value = Dentry> {
    (any_dentry(content), children).prop_map(|(mut dentry, mut children)| {
        children.sort_by(|left, right| left.name.cmp(&right.name));
        children.dedup_by(|left, right| left.name == right.name);
        dentry.attributes |= attribute::DIRECTORY;
        dentry.hard_link = 0;
        Dentry { children, ..dentry }
    })
}

/// An image whose files have these contents.
pub(crate) fn any_image(content: Content) -> impl Strategy<Value = Image> {
    let below = any_file(content).prop_recursive(4, 30, 6, move |inner| {
        any_folder(content, prop::collection::vec(inner, 0..6))
    });
    let root = any_folder(content, prop::collection::vec(below, 0..6)).prop_map(|root| Dentry {
        name: Name::default(),
        attributes: root.attributes & !attribute::REPARSE_POINT,
        reparse: None,
        ..root
    });
    let descriptor = prop::collection::vec(any::<u8>(), 0..30);
    (root, prop::collection::vec(descriptor, 2))
        .prop_map(|(root, security)| Image { security, root })
}

/// Replaces hard link ids by the number of the first dentry of each group, 0 for groups of one.
pub(crate) fn canonical_links(image: &Image) -> Image {
    let keys: Vec<(u64, Sha1)> = image.walk().map(|(_, d)| (d.hard_link, d.data)).collect();
    let count = |key: &(u64, Sha1)| keys.iter().filter(|other| *other == key).count();
    let mut image = image.clone();
    let mut pending = vec![&mut image.root];
    while let Some(dentry) = pending.pop() {
        let key = (dentry.hard_link, dentry.data);
        if key.0 != 0 {
            let first = keys.iter().position(|other| *other == key).unwrap_or_default();
            dentry.hard_link = if count(&key) > 1 { first as u64 } else { 0 };
        }
        pending.extend(&mut dentry.children);
    }
    image
}
