//! Adding rows: a batch in one transaction, roots one by one.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::realisation::realisation;
use super::row::{bytes_column, output_columns};
use super::{Index, NewObject, index_error, lock};
use crate::disk::publish::Pending;
use crate::{Conflict, DerivationId, Digest, Error, Output, Part, Root};

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
        for (id, output) in &pending.realisations {
            if let Some(first) = insert_realisation(&transaction, id, output).map_err(error)? {
                transaction.rollback().map_err(error)?;
                drop(connection);
                self.add_conflict(&Conflict { id: *id, first, second: *output })?;
                return Err(Error::conflict(*id, first, *output));
            }
        }
        transaction.commit().map_err(error)
    }

    pub(in crate::disk) fn set_root(&self, root: &Root) -> Result<(), Error> {
        let (is_directory, digest, size_bytes) = output_columns(&root.output);
        self.write(|connection| {
            connection.execute(
                "INSERT OR REPLACE INTO root (name, is_directory, digest, size_bytes, detail)
                 VALUES (?, ?, ?, ?, ?)",
                params![root.name, is_directory, digest, size_bytes, root.detail],
            )
        })
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
    let sql = "INSERT OR REPLACE INTO memo (topic, digest, value) VALUES (?, ?, ?)";
    for (topic, key, value) in &pending.memos {
        transaction.prepare_cached(sql)?.execute(params![topic, key.as_bytes(), value])?;
    }
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

/// Records what `id` became; answers the first output if that was another one.
pub(super) fn insert_realisation(
    transaction: &Transaction<'_>,
    id: &DerivationId,
    output: &Output,
) -> rusqlite::Result<Option<Output>> {
    let (is_directory, digest, size_bytes) = output_columns(output);
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO realisation (derivation, is_directory, digest, size_bytes)
         VALUES (?, ?, ?, ?)",
    )?;
    insert.execute(params![id.0.as_bytes(), is_directory, digest, size_bytes])?;
    Ok(realisation(transaction, id)?.filter(|first| first != output))
}
