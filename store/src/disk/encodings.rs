//! `Encodings`: what the recipes, directories and part tables of a store say, for a new index.

use std::collections::{HashMap, HashSet};

use super::index::Rows;
use super::place::Place;
use super::stored_file::StoredFile;
use crate::reader::Source;
use crate::require::{self, Need};
use crate::shelf::{Container, Found, Kind, Located};
use crate::{DecodeError, Digest, Directory, Error, Part, Recipe, part_table};

#[derive(Default)]
pub(super) struct Encodings {
    trees: Vec<Tree>,
    tables: Vec<Table>,
}

/// A recipe or directory.
struct Tree {
    digest: Digest,
    found: Found,
    needs: Vec<Need>,
}

struct Table {
    digest: Digest,
    container: Digest,
    parts: Vec<Part>,
}

impl Encodings {
    /// Reads all that is no blob. What is damaged is noted and left out.
    pub(super) fn read(
        place: &Place,
        rows: &Rows,
        found: &HashMap<Digest, Located>,
        notes: &mut Vec<String>,
    ) -> Result<Encodings, Error> {
        let mut encodings = Encodings::default();
        let mut sorted: Vec<_> = found.iter().filter(|(_, it)| it.kind != Kind::Blob).collect();
        sorted.sort_unstable_by_key(|(_, it)| (it.container, it.offset_bytes));
        for (digest, located) in sorted {
            let file = match located.container {
                Container::Object(kind, digest) => StoredFile::Object(kind, digest),
                Container::Pack(number) => StoredFile::Pack(rows.pack_id(number)),
            };
            let source = Source::File(file.path(place));
            let damage =
                |cause: DecodeError| Error::corrupt(*digest, source.path(), cause.to_string());
            let added = source
                .read_verified(digest, located)
                .and_then(|bytes| encodings.add(*digest, located.kind, &bytes).map_err(damage));
            match added {
                Err(error @ Error::Corrupt { .. }) => notes.push(error.to_string()),
                added => added?,
            }
        }
        Ok(encodings)
    }

    fn add(&mut self, digest: Digest, kind: Kind, bytes: &[u8]) -> Result<(), DecodeError> {
        let (needs, size_bytes) = match kind {
            Kind::Recipe => {
                let recipe = Recipe::decode(bytes)?;
                (require::of_recipe(&recipe), recipe.size_bytes())
            }
            Kind::Directory => {
                (require::of_directory(&Directory::decode(bytes)?), bytes.len() as u64)
            }
            Kind::PartTable => {
                let (container, parts) = part_table::decode(bytes)?;
                self.tables.push(Table { digest, container, parts });
                return Ok(());
            }
            Kind::Blob => return Ok(()),
        };
        self.trees.push(Tree { digest, found: Found { kind, size_bytes }, needs });
        Ok(())
    }

    /// Adds to `rows` all of `found` that is whole.
    pub(super) fn finish(self, found: HashMap<Digest, Located>, rows: &mut Rows) {
        let blobs = found.iter().filter(|(_, located)| located.kind == Kind::Blob);
        let mut known = blobs.map(|(digest, located)| (*digest, located.found())).collect();
        let tables = whole_tables(self.tables, &mut known);
        whole_trees(self.trees, &mut known);
        let listed: HashSet<Digest> = tables.iter().map(|table| table.digest).collect();
        for (digest, located) in found {
            let size_bytes = match located.kind {
                Kind::PartTable => listed.contains(&digest).then_some(located.size_bytes),
                _ => known.get(&digest).map(|found| found.size_bytes),
            };
            rows.objects
                .extend(size_bytes.map(|it| (digest, Located { size_bytes: it, ..located })));
        }
        rows.objects.sort_unstable_by_key(|(digest, _)| *digest);
        rows.part_tables =
            tables.into_iter().map(|table| (table.container, table.digest, table.parts)).collect();
    }
}

/// The tables whose container is here, as a blob or as a part of one, outer containers first. Adds
/// their parts to `known`.
fn whole_tables(mut rest: Vec<Table>, known: &mut HashMap<Digest, Found>) -> Vec<Table> {
    rest.sort_unstable_by_key(|table| (table.container, table.digest));
    let mut whole = Vec::new();
    loop {
        let is_here = |table: &mut Table| known.contains_key(&table.container);
        let here: Vec<Table> = rest.extract_if(.., is_here).collect();
        if here.is_empty() {
            return whole;
        }
        for part in here.iter().flat_map(|table| &table.parts) {
            let found = Found { kind: Kind::Blob, size_bytes: part.size_bytes };
            known.entry(part.digest).or_insert(found);
        }
        whole.extend(here);
    }
}

/// Adds to `known` the recipes and directories all of whose needs are met, however deep.
fn whole_trees(mut rest: Vec<Tree>, known: &mut HashMap<Digest, Found>) {
    loop {
        let is_met = |tree: &mut Tree| {
            tree.needs.iter().all(|need| need.is_met_by(known.get(&need.digest())))
        };
        let met: Vec<Tree> = rest.extract_if(.., is_met).collect();
        if met.is_empty() {
            return;
        }
        known.extend(met.into_iter().map(|tree| (tree.digest, tree.found)));
    }
}
