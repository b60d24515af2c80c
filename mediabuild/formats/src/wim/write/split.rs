//! Split sets: which part holds which resource.
//!
//! Each resource, in order, goes to the first part that has room, else to a new one; none is
//! divided. The first part has all metadata, every part the XML data. The smallest of the other
//! parts is the last one: 7-Zip takes a set for cut off if its last file is larger than its first.

use super::OutputImage;
use super::inventory::{Inventory, Single, Solid};
use crate::wim::error::Error;
use crate::wim::hash::Sha1;

/// How much fits into a part.
pub(super) struct Room {
    /// Largest size of a file.
    pub(super) part_bytes: u64,
    /// What every part has: header, XML data, integrity table.
    pub(super) fixed_bytes: u64,
}

/// Deals an inventory out to parts.
pub(super) fn deal<C>(
    whole: Inventory<C>,
    room: &Room,
    images: &[OutputImage<'_>],
) -> Result<Vec<Inventory<C>>, Error> {
    let Inventory { singles, solid, metadata } = whole;
    let metadata_bytes = metadata.iter().map(|metadata| metadata.cost_bytes()).sum::<u64>();
    if room.fixed_bytes + metadata_bytes > room.part_bytes {
        let problem = format!(
            "the metadata of all images has {metadata_bytes} bytes and must be in the first part, \
             which has at most {}: use larger parts",
            room.part_bytes
        );
        return Err(Error::Output { problem });
    }
    let mut parts = Parts { room, parts: Vec::new() };
    parts.open(Inventory { metadata, ..Inventory::new() }, metadata_bytes);
    for single in singles {
        let part = parts
            .with_room(single.cost_bytes())
            .ok_or_else(|| too_large(images, &single.sha1, single_text(&single), room))?;
        part.singles.push(single);
    }
    for solid in solid {
        let part = parts
            .with_room(solid.cost_bytes())
            .ok_or_else(|| too_large(images, &first_blob(&solid), solid_text(&solid), room))?;
        part.solid.push(solid);
    }
    Ok(parts.in_order(metadata_bytes))
}

struct Parts<'a, C> {
    room: &'a Room,
    parts: Vec<Filling<C>>,
}

/// A part and how many bytes it has so far.
struct Filling<C> {
    inventory: Inventory<C>,
    used_bytes: u64,
}

impl<C> Parts<'_, C> {
    /// The first part that takes so many bytes more; `None` if even an empty one does not.
    fn with_room(&mut self, cost_bytes: u64) -> Option<&mut Inventory<C>> {
        let Room { part_bytes, fixed_bytes } = *self.room;
        let fits = |used_bytes: u64| used_bytes.saturating_add(cost_bytes) <= part_bytes;
        let at = match self.parts.iter().position(|part| fits(part.used_bytes)) {
            Some(at) => at,
            None if !fits(fixed_bytes) => return None,
            None => self.open(Inventory::new(), 0),
        };
        let part = &mut self.parts[at];
        part.used_bytes += cost_bytes;
        Some(&mut part.inventory)
    }

    /// Begins a part; returns its position.
    fn open(&mut self, inventory: Inventory<C>, cost_bytes: u64) -> usize {
        self.parts.push(Filling { inventory, used_bytes: self.room.fixed_bytes + cost_bytes });
        self.parts.len() - 1
    }

    /// Puts large parts before small ones, also before the contents of the first one where they
    /// have room beside its metadata.
    fn in_order(mut self, metadata_bytes: u64) -> Vec<Inventory<C>> {
        let Some((first, others)) = self.parts.split_first_mut() else { return Vec::new() };
        others.sort_by_key(|part| std::cmp::Reverse(part.used_bytes));
        if let Some(last) = others.last_mut()
            && last.used_bytes > first.used_bytes
            && last.used_bytes + metadata_bytes <= self.room.part_bytes
        {
            std::mem::swap(&mut first.inventory, &mut last.inventory);
            std::mem::swap(&mut first.inventory.metadata, &mut last.inventory.metadata);
        }
        self.parts.into_iter().map(|part| part.inventory).collect()
    }
}

fn single_text<C>(single: &Single<C>) -> String {
    format!("is stored in {} bytes", single.stored_bytes)
}

fn solid_text<C>(solid: &Solid<C>) -> String {
    format!(
        "is one of {} contents in a solid resource of {} bytes",
        solid.used().count(),
        solid.resource.stored_bytes
    )
}

fn first_blob<C>(solid: &Solid<C>) -> Sha1 {
    solid.used().next().map(|(blob, _)| blob.sha1).unwrap_or_default()
}

/// Names the first file that refers to the blob.
fn too_large(images: &[OutputImage<'_>], sha1: &Sha1, what: String, room: &Room) -> Error {
    let path = images.iter().find_map(|output| {
        output.image.walk().find(|(_, dentry)| dentry.blobs().any(|blob| blob == *sha1))
    });
    let path = path.map(|(path, _)| path).unwrap_or_default();
    let limit = room.part_bytes;
    let problem = format!(
        "{what}, more than a part of at most {limit} bytes has room for, and is never divided: use \
         larger parts, or leave it out of the image"
    );
    Error::path(path, problem)
}

/// The name of a part: `install.swm`, `install2.swm`, `install3.swm`…
pub fn part_name(first: &str, number: u16) -> String {
    if number <= 1 {
        return first.to_owned();
    }
    match first.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !extension.contains('/') => {
            format!("{stem}{number}.{extension}")
        }
        _ => format!("{first}{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::part_name;

    #[test]
    fn parts_are_numbered_before_the_extension() {
        let names = [1, 2, 10].map(|number| part_name("sources/install.swm", number));
        let expected = ["sources/install.swm", "sources/install2.swm", "sources/install10.swm"];
        assert_eq!(names, expected);
        assert_eq!(part_name("a.b/install", 2), "a.b/install2");
        assert_eq!(part_name(".swm", 3), ".swm3");
    }
}
