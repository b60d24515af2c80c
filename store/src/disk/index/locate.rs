//! Looking up digests, hundreds in one query.

use std::collections::HashMap;
use std::sync::LazyLock;

use rusqlite::{Connection, Row, params_from_iter};

use super::Index;
use super::row::{bytes_at, digest_at, object_at};
use crate::shelf::{Kind, Located};
use crate::{Digest, Error, Part};

/// How many digests one query asks for. Fewer are padded, so that there is one statement to
/// prepare; and one for single look-ups, the most frequent ones.
const MANY: usize = 256;

/// How deep containers lie in containers at most: a resource in a WIM in an ISO makes two.
const DEPTH_MAX: usize = 8;

const OBJECT: &str = "SELECT digest, kind, size_bytes, stored_bytes, pack, offset_bytes
     FROM object WHERE digest IN ";
const PART: &str = "SELECT part.digest, container.digest, offset_bytes, size_bytes
     FROM part JOIN container ON container.number = part.container WHERE part.digest IN ";

static OBJECT_ONE: LazyLock<String> = LazyLock::new(|| select(OBJECT, 1));
static OBJECT_MANY: LazyLock<String> = LazyLock::new(|| select(OBJECT, MANY));
static PART_ONE: LazyLock<String> = LazyLock::new(|| select(PART, 1));
static PART_MANY: LazyLock<String> = LazyLock::new(|| select(PART, MANY));

impl Index {
    /// Where each of `digests` lies: as an object, else as a part of one.
    pub(in crate::disk) fn locate(
        &self,
        digests: &[Digest],
    ) -> Result<HashMap<Digest, Located>, Error> {
        self.read(|connection| locate(connection, digests, 0))
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

fn locate(
    connection: &Connection,
    digests: &[Digest],
    depth: usize,
) -> rusqlite::Result<HashMap<Digest, Located>> {
    let mut located = HashMap::with_capacity(digests.len());
    query(connection, [&OBJECT_ONE, &OBJECT_MANY], digests, |row| {
        located.extend([object_at(row)?]);
        Ok(())
    })?;
    let is_absent = |digest: &&Digest| !located.contains_key(*digest);
    let rest: Vec<Digest> = digests.iter().filter(is_absent).copied().collect();
    if !rest.is_empty() && depth < DEPTH_MAX {
        locate_parts(connection, &rest, depth, &mut located)?;
    }
    Ok(located)
}

fn locate_parts(
    connection: &Connection,
    digests: &[Digest],
    depth: usize,
    located: &mut HashMap<Digest, Located>,
) -> rusqlite::Result<()> {
    let mut parts = Vec::new();
    query(connection, [&PART_ONE, &PART_MANY], digests, |row| {
        parts.push(part_at(row)?);
        Ok(())
    })?;
    let mut containers: Vec<Digest> = parts.iter().map(|(container, _)| *container).collect();
    containers.sort_unstable();
    containers.dedup();
    if containers.is_empty() {
        return Ok(());
    }
    let containers = locate(connection, &containers, depth + 1)?;
    for (container, part) in parts {
        let blob = containers.get(&container).filter(|located| located.kind == Kind::Blob);
        if let Some(blob) = blob {
            located.entry(part.digest).or_insert(blob.part(&part));
        }
    }
    Ok(())
}

/// The container's digest and the part.
fn part_at(row: &Row<'_>) -> rusqlite::Result<(Digest, Part)> {
    let (offset_bytes, size_bytes) = (bytes_at(row, 2)?, bytes_at(row, 3)?);
    Ok((digest_at(row, 1)?, Part { digest: digest_at(row, 0)?, offset_bytes, size_bytes }))
}

/// Runs the statement for one, or that for many as often as needed, and hands out every row.
fn query(
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

fn select(head: &str, count: usize) -> String {
    format!("{head} ({})", vec!["?"; count].join(","))
}
