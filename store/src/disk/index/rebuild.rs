//! A whole index at once, from what files and an old index say.

use std::path::Path;

use rusqlite::{Connection, Row, Transaction, params};

use super::realisation::{insert_conflict, read_conflicts};
use super::row::{bytes_column, digest_at, digests_at, output_at};
use super::{Index, RootRow, connect, index_error, read_roots, schema, write};
use crate::disk::publish::{NewMemo, NewRealisation};
use crate::shelf::{Container, Located};
use crate::{Conflict, DerivationId, Digest, Error, Part};

/// What the files say.
#[derive(Default)]
pub(in crate::disk) struct Rows {
    /// Id and size; a pack's number is its position, counted from 1.
    pub(in crate::disk) packs: Vec<(Digest, u64)>,
    /// By digest.
    pub(in crate::disk) objects: Vec<(Digest, Located)>,
    /// Container, table, parts.
    pub(in crate::disk) part_tables: Vec<(Digest, Digest, Vec<Part>)>,
}

/// What only an index knows.
#[derive(Default)]
pub(in crate::disk) struct Kept {
    pub(in crate::disk) realisations: Vec<NewRealisation>,
    pub(in crate::disk) memos: Vec<NewMemo>,
    pub(in crate::disk) roots: Vec<RootRow>,
    pub(in crate::disk) conflicts: Vec<Conflict>,
}

impl Rows {
    /// The id of the pack of that number.
    pub(in crate::disk) fn pack_id(&self, number: i64) -> Digest {
        self.packs[number as usize - 1].0
    }
}

impl Kept {
    /// As much as can be read of the index at `path`; what cannot is noted. Memos come over only
    /// from an index without any damage: a wrong one would be believed.
    pub(in crate::disk) fn read(path: &Path, notes: &mut Vec<String>) -> Kept {
        let old = path.exists().then(|| connect(path));
        let Some(Ok(old)) = old else {
            notes.push("there is no old index to take realisations and roots from".to_owned());
            return Kept::default();
        };
        let mut note = |what: &str, cause: rusqlite::Error| {
            notes.push(format!("{what} of the old index are lost: {cause}"));
        };
        let realisations = read_realisations(&old);
        let roots = read_roots(&old);
        // An index of version 1 has none.
        let conflicts = read_conflicts(&old).unwrap_or_default();
        let memos = is_intact(&old).and_then(|()| read_memos(&old));
        Kept {
            conflicts,
            realisations: realisations
                .map_err(|cause| note("realisations", cause))
                .unwrap_or_default(),
            roots: roots.map_err(|cause| note("roots", cause)).unwrap_or_default(),
            memos: memos.map_err(|cause| note("memos", cause)).unwrap_or_default(),
        }
    }
}

impl Index {
    /// Makes an index at `path`, where there is none, that holds just this.
    pub(in crate::disk) fn create_from(path: &Path, rows: &Rows, kept: &Kept) -> Result<(), Error> {
        let error = |cause| index_error(path, cause);
        let mut connection = connect(path).map_err(error)?;
        schema::migrate(&connection, path)?;
        let fill = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            insert_rows(&transaction, rows)?;
            insert_kept(&transaction, kept)?;
            transaction.commit()?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        fill(&mut connection).map_err(error)?;
        connection.close().map_err(|(_, cause)| error(cause))
    }
}

fn insert_rows(transaction: &Transaction<'_>, rows: &Rows) -> rusqlite::Result<()> {
    let mut insert =
        transaction.prepare("INSERT INTO pack (number, id, size_bytes) VALUES (?, ?, ?)")?;
    for (number, (id, size_bytes)) in (1i64..).zip(&rows.packs) {
        insert.execute(params![number, id.as_bytes(), bytes_column(*size_bytes)])?;
    }
    let mut insert = transaction.prepare(
        "INSERT INTO object (digest, kind, size_bytes, stored_bytes, pack, offset_bytes)
         VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for (digest, located) in &rows.objects {
        let pack = match located.container {
            Container::Pack(number) => Some(number),
            Container::Object(..) => None,
        };
        insert.execute(params![
            digest.as_bytes(),
            located.kind as i64,
            bytes_column(located.size_bytes),
            bytes_column(located.stored_bytes),
            pack,
            bytes_column(located.offset_bytes),
        ])?;
    }
    let mut tables = rows.part_tables.iter();
    tables.try_for_each(|(container, table, parts)| {
        write::insert_parts(transaction, container, table, parts)
    })
}

fn insert_kept(transaction: &Transaction<'_>, kept: &Kept) -> rusqlite::Result<()> {
    let now = write::seconds_now();
    for realisation in &kept.realisations {
        write::insert_realisation(transaction, realisation, now)?;
    }
    kept.memos.iter().try_for_each(|memo| write::insert_memo(transaction, memo))?;
    kept.conflicts.iter().try_for_each(|it| insert_conflict(transaction, it))?;
    kept.roots.iter().try_for_each(|row| write::insert_root(transaction, &row.root, row.used_at))
}

fn read_realisations(connection: &Connection) -> rusqlite::Result<Vec<NewRealisation>> {
    let sql = "SELECT is_directory, digest, size_bytes, derivation, inputs FROM realisation";
    let realisation = |row: &Row<'_>| {
        let (id, output) = (DerivationId(digest_at(row, 3)?), output_at(row)?);
        Ok(NewRealisation { id, output, inputs: digests_at(row, 4)? })
    };
    connection.prepare(sql)?.query_map([], realisation)?.collect()
}

/// Those of an index of version 1 are not worth a second way to read them.
fn read_memos(connection: &Connection) -> rusqlite::Result<Vec<NewMemo>> {
    let sql = "SELECT topic, digest, coalesce(about, digest), value FROM memo";
    let memo = |row: &Row<'_>| {
        let (key, about) = (digest_at(row, 1)?, digest_at(row, 2)?);
        Ok(NewMemo { topic: row.get(0)?, key, about, value: row.get(3)? })
    };
    connection.prepare(sql)?.query_map([], memo)?.collect()
}

fn is_intact(connection: &Connection) -> rusqlite::Result<()> {
    let answer: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    match answer == "ok" {
        true => Ok(()),
        false => Err(rusqlite::Error::ToSqlConversionFailure(answer.into())),
    }
}
