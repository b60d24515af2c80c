//! `canonical`: a WIM image as it comes back when it is encoded and decoded.

use std::collections::BTreeMap;

use mediabuild_formats::wim::{Dentry, Image, Sha1, attribute};

/// Names of one file share an id and a content.
type Link = (u64, Sha1);

/// What encoding may change: the order of siblings, the numbers of hard links, how an empty stream
/// is named, and the padding of tagged items.
pub fn canonical(image: &Image) -> Image {
    let mut image = image.clone();
    let mut counts = BTreeMap::new();
    sort(&mut image.root);
    for (_, dentry) in image.walk() {
        if let Some(link) = link_of(dentry) {
            *counts.entry(link).or_insert(0) += 1;
        }
    }
    number(&mut image, &counts);
    image
}

fn sort(dentry: &mut Dentry) {
    dentry.children.sort_by(|left, right| left.name.cmp(&right.name));
    dentry.children.iter_mut().for_each(sort);
}

/// Numbers links as a writer meets them: list after list, a folder's list before those below it.
fn number(image: &mut Image, counts: &BTreeMap<Link, usize>) {
    let mut numbers = BTreeMap::new();
    plain(&mut image.root, counts, &mut numbers);
    let mut pending = vec![&mut image.root];
    while let Some(folder) = pending.pop() {
        for child in &mut folder.children {
            plain(child, counts, &mut numbers);
        }
        pending.extend(folder.children.iter_mut().rev());
    }
}

fn plain(dentry: &mut Dentry, counts: &BTreeMap<Link, usize>, numbers: &mut BTreeMap<Link, u64>) {
    dentry.hard_link = match link_of(dentry) {
        Some(link) if counts[&link] > 1 => {
            let next = numbers.len() as u64 + 1;
            *numbers.entry(link).or_insert(next)
        }
        _ => 0,
    };
    let reparse = dentry.reparse.iter_mut().map(|reparse| &mut reparse.sha1);
    let streams = dentry.streams.iter_mut().map(|stream| &mut stream.sha1);
    for sha1 in reparse.chain(streams).chain([&mut dentry.data]) {
        if sha1.is_empty_stream() {
            *sha1 = Sha1::ZERO;
        }
    }
    dentry.tagged.resize(dentry.tagged.len().next_multiple_of(8), 0);
}

fn link_of(dentry: &Dentry) -> Option<Link> {
    const SINGLE: u32 = attribute::DIRECTORY | attribute::REPARSE_POINT;
    let is_linked = dentry.hard_link != 0 && dentry.attributes & SINGLE == 0;
    is_linked.then_some((dentry.hard_link, dentry.data))
}
