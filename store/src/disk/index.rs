//! `Index`: the SQLite database that says what lies where.
//!
//! One connection reads and one writes, each behind a lock that is held for single statements
//! (reading) or the one transaction of a commit, never while bytes are copied.

mod collect;
mod locate;
mod realisation;
mod rebuild;
mod remove;
mod row;
mod schema;
mod shared_memory;
mod snapshot;
mod write;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

pub(super) use collect::Removal;
pub(super) use rebuild::{Kept, Rows};
pub(super) use snapshot::{PackRow, RealisationRow, Snapshot};

use row::{digest_at, output_at};

use crate::shelf::Kind;
use crate::{Digest, Error, Root};

/// How long one process waits for another's transaction. The longest of them add a few hundred
/// thousand rows.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct Index {
    path: PathBuf,
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
    /// Pack ids by number. A pack's number never changes.
    packs: Mutex<HashMap<i64, Digest>>,
}

/// A root, and when it was set or used last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RootRow {
    pub(super) root: Root,
    /// Seconds since 1970.
    pub(super) used_at: i64,
}

/// A row to be of table `object`.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewObject {
    pub(super) digest: Digest,
    pub(super) kind: Kind,
    pub(super) size_bytes: u64,
    pub(super) stored_bytes: u64,
    /// Where it lies in the batch's pack; `None` if it is a file of its own.
    pub(super) pack_offset_bytes: Option<u64>,
}

impl Index {
    pub(super) fn open(path: &Path) -> Result<Index, Error> {
        let writer = connect(path).map_err(|cause| index_error(path, cause))?;
        let reader = connect(path).map_err(|cause| index_error(path, cause))?;
        schema::migrate(&writer, path)?;
        shared_memory::allocate(path)?;
        Ok(Index {
            path: path.to_owned(),
            reader: Mutex::new(reader),
            writer: Mutex::new(writer),
            packs: Mutex::default(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The id, and so the file name, of a pack; `None` if it was collected.
    pub(super) fn pack_id(&self, number: i64) -> Result<Option<Digest>, Error> {
        if let Some(id) = self.packs.lock().expect("no holder panics").get(&number) {
            return Ok(Some(*id));
        }
        let id = self.read(|connection| {
            let mut select = connection.prepare_cached("SELECT id FROM pack WHERE number = ?")?;
            select.query_row([number], |row| digest_at(row, 0)).optional()
        })?;
        self.packs.lock().expect("no holder panics").extend(id.map(|id| (number, id)));
        Ok(id)
    }

    /// The digests of the part tables of `container`.
    pub(super) fn part_tables(&self, container: &Digest) -> Result<Vec<Digest>, Error> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT part_table.digest FROM part_table
                 JOIN container ON container.number = part_table.container
                 WHERE container.digest = ? ORDER BY 1",
            )?;
            select.query_map([container.as_bytes()], |row| digest_at(row, 0))?.collect()
        })
    }

    pub(super) fn memo(&self, table: &str, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.read(|connection| memo(connection, table, key))
    }

    /// In one transaction: a look-up of its own takes and gives back the locks of the file, which
    /// costs more than the look-up. And in the order of the index, so that each page is met once.
    pub(super) fn memos(
        &self,
        table: &str,
        keys: &[Digest],
    ) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let mut order: Vec<usize> = (0..keys.len()).collect();
            order.sort_unstable_by_key(|&number| keys[number]);
            let mut memos = vec![None; keys.len()];
            for number in order {
                memos[number] = memo(&snapshot, table, &keys[number])?;
            }
            Ok(memos)
        })
    }

    pub(super) fn root(&self, name: &str) -> Result<Option<Root>, Error> {
        self.read(|connection| {
            let sql = format!("{ROOT} WHERE name = ?");
            let row = connection.prepare_cached(&sql)?.query_row([name], root_at).optional()?;
            Ok(row.map(|row| row.root))
        })
    }

    pub(super) fn roots(&self) -> Result<Vec<Root>, Error> {
        Ok(self.root_rows()?.into_iter().map(|row| row.root).collect())
    }

    pub(super) fn root_rows(&self) -> Result<Vec<RootRow>, Error> {
        self.read(read_roots)
    }

    /// Where the last verification ended that did not reach the end: pack (-1: none), digest.
    pub(super) fn scrub_position(&self) -> Result<Option<(i64, Digest)>, Error> {
        self.read(|connection| {
            let sql = "SELECT value FROM state WHERE name = 'scrub'";
            let value: Option<Vec<u8>> =
                connection.query_row(sql, [], |row| row.get(0)).optional()?;
            Ok(value.and_then(|value| {
                let (pack, digest) = value.split_first_chunk()?;
                Some((i64::from_le_bytes(*pack), Digest::from_bytes(digest.try_into().ok()?)))
            }))
        })
    }

    /// Remembers it, or forgets it. Only saves time, so a store that cannot be written is no matter.
    pub(super) fn set_scrub_position(&self, position: Option<(i64, Digest)>) {
        let value =
            position.map(|(pack, digest)| [&pack.to_le_bytes()[..], digest.as_bytes()].concat());
        if value.is_none() && matches!(self.scrub_position(), Ok(None)) {
            return;
        }
        let connection = lock(&self.writer);
        let done = match value {
            Some(value) => connection
                .execute("INSERT OR REPLACE INTO state (name, value) VALUES ('scrub', ?)", [value]),
            None => connection.execute("DELETE FROM state WHERE name = 'scrub'", []),
        };
        if let Err(cause) = done {
            tracing::debug!("where the verification ended is not kept: {cause}");
        }
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        query(&lock(&self.reader)).map_err(|cause| index_error(&self.path, cause))
    }
}

const ROOT: &str = "SELECT is_directory, digest, size_bytes, name, detail, used_at FROM root";

fn read_roots(connection: &Connection) -> rusqlite::Result<Vec<RootRow>> {
    let mut select = connection.prepare_cached(&format!("{ROOT} ORDER BY name"))?;
    select.query_map([], root_at)?.collect()
}

fn root_at(row: &rusqlite::Row<'_>) -> rusqlite::Result<RootRow> {
    let root = Root { output: output_at(row)?, name: row.get(3)?, detail: row.get(4)? };
    Ok(RootRow { root, used_at: row.get(5)? })
}

fn memo(connection: &Connection, table: &str, key: &Digest) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut select =
        connection.prepare_cached("SELECT value FROM memo WHERE topic = ? AND digest = ?")?;
    select.query_row(params![table, key.as_bytes()], |row| row.get(0)).optional()
}

/// A query that panics leaves the connection usable, so a poisoned lock is no reason to stop.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // FULL: a commit is on the disk when it returns. NORMAL could lose the last ones to a power
    // cut, and with them the only record of files that are there.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn index_error(path: &Path, cause: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
    let path = path.to_owned();
    // What a full disk says where the index's shared memory should be.
    let is_shared_memory = cause.sqlite_error().map(|it| it.extended_code)
        == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
    match cause.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked) => Error::Locked { path },
        Some(code) if code == DiskFull || is_shared_memory => {
            let cause = std::io::Error::new(std::io::ErrorKind::StorageFull, cause);
            Error::DiskFull { path, size_bytes: 0, cause }
        }
        _ => Error::Index { path, cause },
    }
}
