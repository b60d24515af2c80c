//! The tables of the index.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::index_error;
use crate::Error;

/// Raised with every change of the tables below.
const VERSION: i64 = 3;

/// Digests are 32-byte blobs. Tables keyed by digest have no rowid: the key is the row, one
/// look-up each. Not so [`MEMO`], whose values may be megabytes: where the key is the row, whoever
/// passes such a row on the way to another reads all of it, and a build that stored 11,000 memos
/// read 19 GB so. `container` gives part rows a short number to name their container by.
const TABLES: &str = "
CREATE TABLE pack (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    size_bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE object (
    digest BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,          -- shelf::Kind
    size_bytes INTEGER NOT NULL,    -- what reading it gives
    stored_bytes INTEGER NOT NULL,  -- what it takes here
    pack INTEGER,                   -- NULL: a file of its own
    offset_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE container (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE part_table (
    container INTEGER NOT NULL,
    digest BLOB NOT NULL,           -- the object that lists the parts
    PRIMARY KEY (container, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE part (
    digest BLOB NOT NULL,
    container INTEGER NOT NULL,
    offset_bytes INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (digest, container)
) STRICT, WITHOUT ROWID;

CREATE TABLE realisation (
    derivation BLOB PRIMARY KEY,
    is_directory INTEGER NOT NULL,
    digest BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,    -- 0 for a directory
    inputs BLOB,                    -- digests of the outputs that it was made from
    made_at INTEGER NOT NULL DEFAULT 0, -- seconds since 1970
    generation INTEGER,             -- of the proof that the output is whole; NULL: there is none
    proof BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE root (
    name TEXT PRIMARY KEY,
    is_directory INTEGER NOT NULL,
    digest BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    detail BLOB NOT NULL,
    used_at INTEGER NOT NULL DEFAULT 0  -- seconds since 1970
) STRICT, WITHOUT ROWID;
";

/// Tables that came with version 2.
const TABLES_2: &str = "
CREATE TABLE conflict (             -- two different outputs of one derivation
    derivation BLOB NOT NULL,
    first_is_directory INTEGER NOT NULL,
    first_digest BLOB NOT NULL,
    first_bytes INTEGER NOT NULL,
    second_is_directory INTEGER NOT NULL,
    second_digest BLOB NOT NULL,
    second_bytes INTEGER NOT NULL,
    PRIMARY KEY (derivation, second_digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE whole (                -- proofs of outputs that nobody realised
    digest BLOB PRIMARY KEY,
    is_directory INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    proof BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE state (                -- generation: how often rows were removed
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What changed in other tables with version 2.
const CHANGES_2: &str = "
ALTER TABLE realisation ADD COLUMN inputs BLOB;
ALTER TABLE realisation ADD COLUMN made_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE realisation ADD COLUMN generation INTEGER;
ALTER TABLE realisation ADD COLUMN proof BLOB;
ALTER TABLE memo ADD COLUMN about BLOB;
ALTER TABLE root ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
UPDATE root SET used_at = unixepoch();
";

/// As it is since version 3.
const MEMO: &str = "
CREATE TABLE memo (
    topic TEXT NOT NULL,
    digest BLOB NOT NULL,
    value BLOB NOT NULL,
    about BLOB,                     -- what it goes with; NULL: its digest
    PRIMARY KEY (topic, digest)
) STRICT;
";

/// What version 3 does around that: the memos of before are moved.
const RENAME_MEMO: &str = "ALTER TABLE memo RENAME TO memo_2;";
const MOVE_MEMOS: &str = "
INSERT INTO memo SELECT topic, digest, value, about FROM memo_2;
DROP TABLE memo_2;
";

/// Makes the tables if there are none, brings older ones up to date, refuses those of a newer
/// version.
pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), Error> {
    let found = ensure_tables(connection).map_err(|cause| index_error(path, cause))?;
    match found == VERSION {
        true => Ok(()),
        false => {
            let what = format!(
                "is an index of version {found}, and this program knows {VERSION}; \
                 use a newer mediabuild"
            );
            Err(Error::BadFormat { path: path.to_owned(), what })
        }
    }
}

/// Answers the version of the tables that are there in the end.
fn ensure_tables(connection: &Connection) -> rusqlite::Result<i64> {
    match version(connection)? {
        // Makers of a store hold its lock, so nobody else is changing the journal's mode now.
        0 => connection.pragma_update(None, "journal_mode", "WAL")?,
        1..VERSION => {}
        found => return Ok(found),
    }
    let transaction =
        rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let steps: &[&str] = match version(&transaction)? {
        0 => &[TABLES, TABLES_2, MEMO],
        1 => &[CHANGES_2, TABLES_2, RENAME_MEMO, MEMO, MOVE_MEMOS],
        2 => &[RENAME_MEMO, MEMO, MOVE_MEMOS],
        found => return Ok(found),
    };
    steps.iter().try_for_each(|step| transaction.execute_batch(step))?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    version(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
