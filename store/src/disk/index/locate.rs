//! Looking up digests, hundreds in one query.

use std::sync::LazyLock;

use rusqlite::{Connection, Row, params_from_iter};

use super::Index;
use super::row::{bytes_at, digest_at, object_at};
use crate::shelf::Located;
use crate::{Digest, Error, Part};

/// How many digests one query asks for. Fewer are padded, so that there is one statement to
/// prepare; and one for single look-ups, the most frequent ones.
pub(super) const MANY: usize = 256;

const OBJECT: &str = "SELECT digest, kind, size_bytes, stored_bytes, pack, offset_bytes
     FROM object WHERE digest IN ";
const PART: &str = "SELECT part.digest, container.digest, offset_bytes, size_bytes
     FROM part JOIN container ON container.number = part.container WHERE part.digest IN ";

static OBJECT_ONE: LazyLock<String> = LazyLock::new(|| select(OBJECT, 1));
static OBJECT_MANY: LazyLock<String> = LazyLock::new(|| select(OBJECT, MANY));
static PART_ONE: LazyLock<String> = LazyLock::new(|| select(PART, 1));
static PART_MANY: LazyLock<String> = LazyLock::new(|| select(PART, MANY));

impl Index {
    /// Those of `digests` that are objects.
    pub(in crate::disk) fn objects_named(
        &self,
        digests: &[Digest],
    ) -> Result<Vec<(Digest, Located)>, Error> {
        let mut objects = Vec::with_capacity(digests.len());
        self.read(|connection| {
            query(connection, [&OBJECT_ONE, &OBJECT_MANY], digests, |row| {
                objects.push(object_at(row)?);
                Ok(())
            })
        })?;
        Ok(objects)
    }

    /// Everywhere that `digests` are parts: the container's digest and the part.
    pub(in crate::disk) fn parts_named(
        &self,
        digests: &[Digest],
    ) -> Result<Vec<(Digest, Part)>, Error> {
        let mut parts = Vec::new();
        self.read(|connection| {
            query(connection, [&PART_ONE, &PART_MANY], digests, |row| {
                parts.push(part_at(row)?);
                Ok(())
            })
        })?;
        Ok(parts)
    }

    /// Every object that is a file of its own or lies in a pack, in the order they lie on disk.
    pub(in crate::disk) fn objects(&self) -> Result<Vec<(Digest, Located)>, Error> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT digest, kind, size_bytes, stored_bytes, pack, offset_bytes
                 FROM object ORDER BY pack, offset_bytes, digest",
            )?;
            select.query_map([], object_at)?.collect()
        })
    }

    /// Every part that is registered for `container`.
    pub(in crate::disk) fn parts_of(&self, container: &Digest) -> Result<Vec<Part>, Error> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT part.digest, container.digest, offset_bytes, size_bytes
                 FROM part JOIN container ON container.number = part.container
                 WHERE container.digest = ? ORDER BY offset_bytes",
            )?;
            select.query_map([container.as_bytes()], |row| Ok(part_at(row)?.1))?.collect()
        })
    }
}

/// The container's digest and the part.
fn part_at(row: &Row<'_>) -> rusqlite::Result<(Digest, Part)> {
    let (offset_bytes, size_bytes) = (bytes_at(row, 2)?, bytes_at(row, 3)?);
    Ok((digest_at(row, 1)?, Part { digest: digest_at(row, 0)?, offset_bytes, size_bytes }))
}

/// Runs the statement for one, or that for many as often as needed, and hands out every row.
pub(super) fn query(
    connection: &Connection,
    [one, many]: [&str; 2],
    digests: &[Digest],
    mut see: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let (sql, width) = if digests.len() == 1 { (one, 1) } else { (many, MANY) };
    let mut select = connection.prepare_cached(sql)?;
    for chunk in digests.chunks(width) {
        let last = chunk.last().expect("chunks are not empty");
        let padded = chunk.iter().chain(std::iter::repeat(last)).take(width);
        let mut rows = select.query(params_from_iter(padded.map(Digest::as_bytes)))?;
        while let Some(row) = rows.next()? {
            see(row)?;
        }
    }
    Ok(())
}

pub(super) fn select(head: &str, count: usize) -> String {
    format!("{head} ({})", vec!["?"; count].join(","))
}
