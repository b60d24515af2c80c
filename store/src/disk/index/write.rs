//! Adding rows: a batch in one transaction, roots one by one.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::realisation::realisation;
use super::row::{bytes_column, output_columns};
use super::{Index, NewObject, index_error, lock};
use crate::disk::publish::{NewMemo, NewRealisation, Pending};
use crate::{Conflict, Digest, Error, Output, Part, Root};

/// How old the time of a root's last use may be before it is written again.
const TOUCH_SECONDS: u64 = 3600;

impl Index {
    /// Adds all of `pending`, whose files are durable in their places, and the batch's pack by id
    /// and size. The commit point: all of it, or nothing.
    pub(in crate::disk) fn commit(
        &self,
        pack: Option<(Digest, u64)>,
        pending: &Pending,
    ) -> Result<(), Error> {
        let error = |cause| index_error(&self.path, cause);
        let mut connection = lock(&self.writer);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = transaction.map_err(error)?;
        insert(&transaction, pack, pending).map_err(error)?;
        let now = seconds_now();
        for it in &pending.realisations {
            if let Some(first) = insert_realisation(&transaction, it, now).map_err(error)? {
                transaction.rollback().map_err(error)?;
                drop(connection);
                self.add_conflict(&Conflict { id: it.id, first, second: it.output })?;
                return Err(Error::conflict(it.id, first, it.output));
            }
        }
        transaction.commit().map_err(error)
    }

    pub(in crate::disk) fn set_root(&self, root: &Root) -> Result<(), Error> {
        self.write(|connection| insert_root(connection, root, seconds_now()).map(|()| 1))
    }

    /// Says that a root is in use, unless that was said within the hour. A clock that went back
    /// makes it be said again.
    pub(in crate::disk) fn touch_root(&self, name: &str) -> Result<(), Error> {
        let now = seconds_now();
        let used_at: Option<i64> = self.read(|connection| {
            let mut select =
                connection.prepare_cached("SELECT used_at FROM root WHERE name = ?")?;
            select.query_row([name], |row| row.get(0)).optional()
        })?;
        match used_at {
            Some(used_at) if now.abs_diff(used_at) > TOUCH_SECONDS => self.write(|connection| {
                connection.execute("UPDATE root SET used_at = ? WHERE name = ?", params![now, name])
            }),
            _ => Ok(()),
        }
    }

    pub(in crate::disk) fn remove_root(&self, name: &str) -> Result<(), Error> {
        self.write(|connection| connection.execute("DELETE FROM root WHERE name = ?", [name]))
    }

    pub(super) fn write(
        &self,
        statement: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
    ) -> Result<(), Error> {
        let done = statement(&lock(&self.writer));
        done.map(drop).map_err(|cause| index_error(&self.path, cause))
    }
}

fn insert(
    transaction: &Transaction<'_>,
    pack: Option<(Digest, u64)>,
    pending: &Pending,
) -> rusqlite::Result<()> {
    let pack =
        pack.map(|(id, size_bytes)| insert_pack(transaction, &id, size_bytes)).transpose()?;
    for object in &pending.objects {
        insert_object(transaction, pack, object)?;
    }
    for (container, table, parts) in &pending.part_tables {
        insert_parts(transaction, container, table, parts)?;
    }
    pending.memos.iter().try_for_each(|memo| insert_memo(transaction, memo))
}

/// Most facts are about their key, which need not be said twice.
pub(super) fn insert_memo(transaction: &Transaction<'_>, memo: &NewMemo) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO memo (topic, digest, value, about) VALUES (?, ?, ?, ?)";
    let about = (memo.about != memo.key).then_some(memo.about.as_bytes());
    let mut insert = transaction.prepare_cached(sql)?;
    insert.execute(params![memo.topic, memo.key.as_bytes(), memo.value, about])?;
    Ok(())
}

/// Answers the pack's number. Two processes that pack the same things make the same pack.
fn insert_pack(
    transaction: &Transaction<'_>,
    id: &Digest,
    size_bytes: u64,
) -> rusqlite::Result<i64> {
    transaction.query_row(
        "INSERT INTO pack (id, size_bytes) VALUES (?, ?)
         ON CONFLICT (id) DO UPDATE SET size_bytes = excluded.size_bytes RETURNING number",
        params![id.as_bytes(), bytes_column(size_bytes)],
        |row| row.get(0),
    )
}

/// A row that is there is replaced: either another process was faster, and both places are good,
/// or the old file was lost, and this heals it.
fn insert_object(
    transaction: &Transaction<'_>,
    pack: Option<i64>,
    object: &NewObject,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO object
         (digest, kind, size_bytes, stored_bytes, pack, offset_bytes) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    insert.execute(params![
        object.digest.as_bytes(),
        object.kind as i64,
        bytes_column(object.size_bytes),
        bytes_column(object.stored_bytes),
        object.pack_offset_bytes.and(pack),
        bytes_column(object.pack_offset_bytes.unwrap_or(0)),
    ])?;
    Ok(())
}

pub(super) fn insert_root(
    connection: &Connection,
    root: &Root,
    used_at: i64,
) -> rusqlite::Result<()> {
    let (is_directory, digest, size_bytes) = output_columns(&root.output);
    connection.execute(
        "INSERT OR REPLACE INTO root (name, is_directory, digest, size_bytes, detail, used_at)
         VALUES (?, ?, ?, ?, ?, ?)",
        params![root.name, is_directory, digest, size_bytes, root.detail, used_at],
    )?;
    Ok(())
}

pub(super) fn insert_parts(
    transaction: &Transaction<'_>,
    container: &Digest,
    table: &Digest,
    parts: &[Part],
) -> rusqlite::Result<()> {
    let digest = container.as_bytes();
    transaction.execute("INSERT OR IGNORE INTO container (digest) VALUES (?)", [digest])?;
    let select = "SELECT number FROM container WHERE digest = ?";
    let container: i64 = transaction.query_row(select, [digest], |row| row.get(0))?;
    transaction.execute(
        "INSERT OR IGNORE INTO part_table (container, digest) VALUES (?, ?)",
        params![container, table.as_bytes()],
    )?;
    let mut by_digest: Vec<&Part> = parts.iter().collect();
    by_digest.sort_unstable_by_key(|part| part.digest);
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO part (digest, container, offset_bytes, size_bytes)
         VALUES (?, ?, ?, ?)",
    )?;
    for part in by_digest {
        let digest = part.digest.as_bytes();
        let (offset, size) = (bytes_column(part.offset_bytes), bytes_column(part.size_bytes));
        insert.execute(params![digest, container, offset, size])?;
    }
    Ok(())
}

/// Records what a derivation became; answers the first output if that was another one. What it was
/// made from is that of the last time.
pub(super) fn insert_realisation(
    transaction: &Transaction<'_>,
    new: &NewRealisation,
    made_at: i64,
) -> rusqlite::Result<Option<Output>> {
    let (is_directory, digest, size_bytes) = output_columns(&new.output);
    let inputs: Vec<u8> = new.inputs.iter().flat_map(|digest| *digest.as_bytes()).collect();
    let mut insert = transaction.prepare_cached(
        "INSERT INTO realisation (derivation, is_directory, digest, size_bytes, inputs, made_at)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (derivation) DO UPDATE
         SET inputs = excluded.inputs, made_at = excluded.made_at
         WHERE digest = excluded.digest AND is_directory = excluded.is_directory",
    )?;
    let id = new.id.0.as_bytes();
    insert.execute(params![id, is_directory, digest, size_bytes, inputs, made_at])?;
    Ok(realisation(transaction, &new.id)?.filter(|first| *first != new.output))
}

/// Now, in seconds since 1970.
pub(super) fn seconds_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(i64::MAX)
}
