//! The one transaction in which a collector removes rows.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::realisation::count_removal;
use super::row::{bytes_at, digest_at};
use super::{BUSY_TIMEOUT, Index, RootRow, index_error, lock};
use crate::{Digest, Error};

/// How long shrinking waits for other processes' transactions.
const SHRINK_TIMEOUT: Duration = Duration::from_secs(1);

/// Less than this is not worth writing the index anew.
const SHRINK_BYTES_MIN: i64 = 1 << 20;

/// All rows that go.
#[derive(Default)]
pub(in crate::disk) struct Removal<'a> {
    /// Ascending, so that each page of the table is touched once.
    pub(in crate::disk) objects: Vec<&'a Digest>,
    /// Containers, by number, with all their part rows.
    pub(in crate::disk) containers: Vec<i64>,
    pub(in crate::disk) realisations: Vec<&'a Digest>,
    /// Topic, key and what it goes with.
    pub(in crate::disk) memos: Vec<(&'a str, (Digest, Digest))>,
    pub(in crate::disk) roots: Vec<&'a RootRow>,
    /// Packs that stay even if no object lies in them any more.
    pub(in crate::disk) kept_packs: HashSet<i64>,
}

/// A pack that no row names any more.
pub(in crate::disk) struct EmptyPack {
    number: i64,
    pub(in crate::disk) id: Digest,
    pub(in crate::disk) size_bytes: u64,
}

impl Index {
    /// Removes rows, all or none, and answers which packs hold nothing that has a name now.
    pub(in crate::disk) fn remove(&self, removal: &Removal<'_>) -> Result<Vec<EmptyPack>, Error> {
        let error = |cause| index_error(&self.path, cause);
        let mut connection = lock(&self.writer);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = transaction.map_err(error)?;
        let packs = remove(&transaction, removal).map_err(error)?;
        transaction.commit().map_err(error)?;
        Ok(packs)
    }

    /// The recipes and directories there are now.
    pub(in crate::disk) fn encodings(&self) -> Result<Vec<Digest>, Error> {
        self.read(|connection| {
            let mut select =
                connection.prepare("SELECT digest FROM object WHERE kind IN (2, 3)")?;
            select.query_map([], |row| digest_at(row, 0))?.collect()
        })
    }

    /// The containers that `part` is registered for.
    pub(in crate::disk) fn containers_of(&self, part: &Digest) -> Result<Vec<Digest>, Error> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT container.digest FROM part
                 JOIN container ON container.number = part.container WHERE part.digest = ?",
            )?;
            select.query_map([part.as_bytes()], |row| digest_at(row, 0))?.collect()
        })
    }

    /// Whether a pack of that id has a row.
    pub(in crate::disk) fn has_pack(&self, id: &Digest) -> Result<bool, Error> {
        self.read(|connection| {
            connection.prepare_cached("SELECT 1 FROM pack WHERE id = ?")?.exists([id.as_bytes()])
        })
    }

    /// Gives back what is free in the index, if that is a good part of it, and its write-ahead log.
    /// Only saves space, so nobody minds a failure, and nobody waits long for others.
    pub(in crate::disk) fn shrink(&self) {
        let connection = lock(&self.writer);
        let shrink = || {
            connection.busy_timeout(SHRINK_TIMEOUT)?;
            if is_mostly_free(&connection)? {
                connection.execute_batch("VACUUM")?;
            }
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        if let Err(cause) = shrink() {
            tracing::debug!("the index stays as large as it is: {cause}");
        }
        let _ = connection.busy_timeout(BUSY_TIMEOUT);
    }
}

/// Whether writing the index anew pays.
fn is_mostly_free(connection: &Connection) -> rusqlite::Result<bool> {
    let number = |name: &str| -> rusqlite::Result<i64> {
        connection.pragma_query_value(None, name, |row| row.get(0))
    };
    let (free, all, page_bytes) =
        (number("freelist_count")?, number("page_count")?, number("page_size")?);
    Ok(free * 3 > all && free * page_bytes >= SHRINK_BYTES_MIN)
}

fn remove(
    transaction: &Transaction<'_>,
    removal: &Removal<'_>,
) -> rusqlite::Result<Vec<EmptyPack>> {
    let mut delete = transaction.prepare("DELETE FROM object WHERE digest = ?")?;
    for digest in &removal.objects {
        delete.execute([digest.as_bytes()])?;
    }
    let mut delete = transaction.prepare("DELETE FROM realisation WHERE derivation = ?")?;
    for derivation in &removal.realisations {
        delete.execute([derivation.as_bytes()])?;
    }
    let sql = "DELETE FROM memo WHERE topic = ? AND digest = ? AND coalesce(about, digest) = ?";
    let mut delete = transaction.prepare(sql)?;
    for (topic, (key, about)) in &removal.memos {
        delete.execute(params![topic, key.as_bytes(), about.as_bytes()])?;
    }
    let sql = "DELETE FROM root WHERE name = ? AND digest = ? AND used_at = ?";
    let mut delete = transaction.prepare(sql)?;
    for RootRow { root, used_at } in &removal.roots {
        delete.execute(params![root.name, root.output.digest().as_bytes(), used_at])?;
    }
    drop(delete);
    count_removal(transaction)?;
    remove_containers(transaction, &removal.containers)?;
    remove_packs(transaction, &removal.kept_packs)
}

/// Part rows are keyed by digest, so those of all containers go in one pass over the table.
fn remove_containers(transaction: &Transaction<'_>, numbers: &[i64]) -> rusqlite::Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    transaction.execute_batch("CREATE TEMP TABLE gone (number INTEGER PRIMARY KEY)")?;
    let mut insert = transaction.prepare("INSERT INTO temp.gone VALUES (?)")?;
    for number in numbers {
        insert.execute([number])?;
    }
    drop(insert);
    transaction.execute_batch(
        "DELETE FROM part WHERE container IN (SELECT number FROM temp.gone);
         DELETE FROM part_table WHERE container IN (SELECT number FROM temp.gone);
         DELETE FROM container WHERE number IN (SELECT number FROM temp.gone);
         DROP TABLE temp.gone;",
    )
}

/// Whatever this process believes, a pack goes only if no row names it. The row of the highest
/// number stays, so that a number is never given to another pack: processes remember them.
fn remove_packs(
    transaction: &Transaction<'_>,
    kept: &HashSet<i64>,
) -> rusqlite::Result<Vec<EmptyPack>> {
    let mut select = transaction.prepare(
        "SELECT number, id, size_bytes FROM pack
         WHERE number NOT IN (SELECT DISTINCT pack FROM object WHERE pack IS NOT NULL)",
    )?;
    let pack = |row: &rusqlite::Row<'_>| {
        Ok(EmptyPack { number: row.get(0)?, id: digest_at(row, 1)?, size_bytes: bytes_at(row, 2)? })
    };
    let mut packs: Vec<EmptyPack> = select.query_map([], pack)?.collect::<Result<_, _>>()?;
    packs.retain(|pack| !kept.contains(&pack.number));
    let mut delete = transaction
        .prepare("DELETE FROM pack WHERE number = ? AND number < (SELECT max(number) FROM pack)")?;
    let mut empty = transaction.prepare("UPDATE pack SET size_bytes = 0 WHERE number = ?")?;
    for pack in &packs {
        empty.execute([pack.number])?;
        delete.execute([pack.number])?;
    }
    Ok(packs)
}
