//! `Snapshot`: the whole index in memory, as it was at one moment.
//!
//! One pass over each table, on a connection of its own, so that nobody waits for it. A million
//! objects take about 80 MB.

use std::collections::HashMap;
use std::ops::Range;

use rusqlite::{Connection, Row, TransactionBehavior};

use super::row::{bytes_at, digest_at, digests_at, object_at};
use super::{Index, RootRow, connect, index_error, read_roots};
use crate::shelf::{Container, Kind, Located};
use crate::{Digest, Error};

/// The rows of the index. Positions in `digests` name objects.
pub(in crate::disk) struct Snapshot {
    /// Ascending.
    pub(in crate::disk) digests: Vec<Digest>,
    places: Vec<ObjectPlace>,
    pub(in crate::disk) packs: HashMap<i64, PackRow>,
    /// By digest, then by container number: the order in which look-ups prefer them.
    pub(in crate::disk) parts: Vec<PartRow>,
    /// Container digests by number.
    pub(in crate::disk) containers: HashMap<i64, Digest>,
    /// Container number and the object that lists its parts.
    pub(in crate::disk) part_tables: Vec<(i64, Digest)>,
    pub(in crate::disk) roots: Vec<RootRow>,
    pub(in crate::disk) realisations: Vec<RealisationRow>,
    pub(in crate::disk) memos: Vec<MemoKeys>,
}

pub(in crate::disk) struct RealisationRow {
    pub(in crate::disk) derivation: Digest,
    pub(in crate::disk) output: Digest,
    pub(in crate::disk) inputs: Vec<Digest>,
    pub(in crate::disk) made_at: i64,
}

/// The keys of the memos of one topic, and what each goes with.
pub(in crate::disk) struct MemoKeys {
    pub(in crate::disk) topic: String,
    pub(in crate::disk) keys: Vec<(Digest, Digest)>,
}

struct ObjectPlace {
    kind: Kind,
    pack: Option<i64>,
    size_bytes: u64,
    stored_bytes: u64,
    offset_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::disk) struct PackRow {
    pub(in crate::disk) id: Digest,
    pub(in crate::disk) size_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::disk) struct PartRow {
    pub(in crate::disk) digest: Digest,
    pub(in crate::disk) container: i64,
    pub(in crate::disk) offset_bytes: u64,
    pub(in crate::disk) size_bytes: u64,
}

impl Index {
    pub(in crate::disk) fn snapshot(&self) -> Result<Snapshot, Error> {
        let read = || {
            let mut connection = connect(&self.path)?;
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            Snapshot::read(&transaction)
        };
        read().map_err(|cause| index_error(&self.path, cause))
    }
}

impl Snapshot {
    /// The position of the object `digest`.
    pub(in crate::disk) fn object(&self, digest: &Digest) -> Option<usize> {
        self.digests.binary_search(digest).ok()
    }

    pub(in crate::disk) fn kind(&self, object: usize) -> Kind {
        self.places[object].kind
    }

    pub(in crate::disk) fn pack(&self, object: usize) -> Option<i64> {
        self.places[object].pack
    }

    pub(in crate::disk) fn stored_bytes(&self, object: usize) -> u64 {
        self.places[object].stored_bytes
    }

    pub(in crate::disk) fn located(&self, object: usize) -> Located {
        let place = &self.places[object];
        let container = match place.pack {
            Some(pack) => Container::Pack(pack),
            None => Container::Object(place.kind, self.digests[object]),
        };
        Located {
            kind: place.kind,
            size_bytes: place.size_bytes,
            container,
            offset_bytes: place.offset_bytes,
            stored_bytes: place.stored_bytes,
        }
    }

    /// Every place where `digest` is a part.
    pub(in crate::disk) fn parts_named(&self, digest: &Digest) -> &[PartRow] {
        let start = self.parts.partition_point(|part| part.digest < *digest);
        let end = self.parts[start..].partition_point(|part| part.digest == *digest);
        &self.parts[Range { start, end: start + end }]
    }

    fn read(connection: &Connection) -> rusqlite::Result<Snapshot> {
        let (mut digests, mut places) = (Vec::new(), Vec::new());
        let objects = "SELECT digest, kind, size_bytes, stored_bytes, pack, offset_bytes
                       FROM object ORDER BY digest";
        each(connection, objects, |row| {
            let (digest, located) = object_at(row)?;
            digests.push(digest);
            places.push(ObjectPlace::of(&located));
            Ok(())
        })?;
        Ok(Snapshot {
            digests,
            places,
            packs: list(connection, "SELECT number, id, size_bytes FROM pack", |row| {
                let pack = PackRow { id: digest_at(row, 1)?, size_bytes: bytes_at(row, 2)? };
                Ok((row.get(0)?, pack))
            })?
            .into_iter()
            .collect(),
            parts: read_parts(connection)?,
            containers: list(connection, "SELECT number, digest FROM container", |row| {
                Ok((row.get(0)?, digest_at(row, 1)?))
            })?
            .into_iter()
            .collect(),
            part_tables: list(connection, "SELECT container, digest FROM part_table", |row| {
                Ok((row.get(0)?, digest_at(row, 1)?))
            })?,
            roots: read_roots(connection)?,
            realisations: read_realisations(connection)?,
            memos: read_memos(connection)?,
        })
    }
}

impl ObjectPlace {
    fn of(located: &Located) -> ObjectPlace {
        ObjectPlace {
            kind: located.kind,
            pack: match located.container {
                Container::Pack(pack) => Some(pack),
                Container::Object(..) => None,
            },
            size_bytes: located.size_bytes,
            stored_bytes: located.stored_bytes,
            offset_bytes: located.offset_bytes,
        }
    }
}

fn read_parts(connection: &Connection) -> rusqlite::Result<Vec<PartRow>> {
    let sql = "SELECT digest, container, offset_bytes, size_bytes
               FROM part ORDER BY digest, container";
    list(connection, sql, |row| {
        Ok(PartRow {
            digest: digest_at(row, 0)?,
            container: row.get(1)?,
            offset_bytes: bytes_at(row, 2)?,
            size_bytes: bytes_at(row, 3)?,
        })
    })
}

fn read_realisations(connection: &Connection) -> rusqlite::Result<Vec<RealisationRow>> {
    list(connection, "SELECT derivation, digest, inputs, made_at FROM realisation", |row| {
        Ok(RealisationRow {
            derivation: digest_at(row, 0)?,
            output: digest_at(row, 1)?,
            inputs: digests_at(row, 2)?,
            made_at: row.get(3)?,
        })
    })
}

fn read_memos(connection: &Connection) -> rusqlite::Result<Vec<MemoKeys>> {
    let mut memos = Vec::<MemoKeys>::new();
    each(
        connection,
        "SELECT topic, digest, coalesce(about, digest) FROM memo ORDER BY topic",
        |row| {
            let topic = row.get_ref(0)?.as_str()?;
            if memos.last().is_none_or(|last| last.topic != topic) {
                memos.push(MemoKeys { topic: topic.to_owned(), keys: Vec::new() });
            }
            let keys = (digest_at(row, 1)?, digest_at(row, 2)?);
            memos.last_mut().expect("one was just put there").keys.push(keys);
            Ok(())
        },
    )?;
    Ok(memos)
}

fn list<T>(
    connection: &Connection,
    sql: &str,
    item: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut items = Vec::new();
    each(connection, sql, |row| {
        items.push(item(row)?);
        Ok(())
    })?;
    Ok(items)
}

fn each(
    connection: &Connection,
    sql: &str,
    mut see: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        see(row)?;
    }
    Ok(())
}
