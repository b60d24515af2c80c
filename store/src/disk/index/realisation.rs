//! Realisations, with proofs that their outputs are whole, and conflicts.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::locate::{MANY, query, select};
use super::row::{digest_at, output_at, output_at_column, output_columns};
use super::{BUSY_TIMEOUT, Index, lock};
use crate::disk::proof::{NewProof, Proof, Subject};
use crate::{Conflict, DerivationId, Digest, Error, Output};

const REALISATION: &str = "SELECT is_directory, digest, size_bytes, derivation, generation, proof
     FROM realisation WHERE derivation IN ";

const PROOF: &str = "SELECT is_directory, digest, size_bytes, generation, proof
     FROM whole WHERE digest IN ";

static PROOF_ONE: LazyLock<String> = LazyLock::new(|| select(PROOF, 1));
static PROOF_MANY: LazyLock<String> = LazyLock::new(|| select(PROOF, MANY));
static REALISATION_ONE: LazyLock<String> = LazyLock::new(|| select(REALISATION, 1));
static REALISATION_MANY: LazyLock<String> = LazyLock::new(|| select(REALISATION, MANY));

impl Index {
    pub(in crate::disk) fn realisation(&self, id: &DerivationId) -> Result<Option<Output>, Error> {
        self.read(|connection| realisation(connection, id))
    }

    /// What those of `ids` that are known were realised to, and maybe why that is whole.
    pub(in crate::disk) fn realisations(
        &self,
        ids: &[DerivationId],
    ) -> Result<HashMap<DerivationId, (Output, Option<Proof>)>, Error> {
        let mut digests: Vec<Digest> = ids.iter().map(|id| id.0).collect();
        // Neighbours in the table share a page.
        digests.sort_unstable();
        let mut known = HashMap::with_capacity(ids.len());
        self.read(|connection| {
            query(connection, [&REALISATION_ONE, &REALISATION_MANY], &digests, |row| {
                known
                    .insert(DerivationId(digest_at(row, 3)?), (output_at(row)?, proof_at(row, 4)?));
                Ok(())
            })
        })?;
        Ok(known)
    }

    /// Why those of `outputs` are whole that were proven to be.
    pub(in crate::disk) fn proofs(
        &self,
        outputs: &[Output],
    ) -> Result<HashMap<Output, Proof>, Error> {
        let mut digests: Vec<Digest> = outputs.iter().map(Output::digest).collect();
        digests.sort_unstable();
        let mut proofs = HashMap::with_capacity(outputs.len());
        self.read(|connection| {
            query(connection, [&PROOF_ONE, &PROOF_MANY], &digests, |row| {
                let output = output_at(row)?;
                proofs.extend(proof_at(row, 3)?.map(|proof| (output, proof)));
                Ok(())
            })
        })?;
        Ok(proofs)
    }

    /// How often rows were removed so far.
    pub(in crate::disk) fn generation(&self) -> Result<i64, Error> {
        self.read(|connection| {
            let sql = "SELECT value FROM state WHERE name = 'generation'";
            let generation = connection.prepare_cached(sql)?.query_row([], |row| row.get(0));
            Ok(generation.optional()?.unwrap_or(0))
        })
    }

    /// Keeps `proofs`. They only save time, so it waits for nobody and minds no failure.
    pub(in crate::disk) fn keep_proofs(&self, proofs: &[NewProof]) {
        let mut connection = lock(&self.writer);
        let mut keep = || {
            connection.busy_timeout(Duration::ZERO)?;
            let transaction = connection.transaction()?;
            proofs
                .iter()
                .try_for_each(|(subject, proof)| keep_proof(&transaction, subject, proof))?;
            transaction.commit()
        };
        if let Err(cause) = keep() {
            tracing::debug!("proofs are not kept: {cause}");
        }
        let _ = connection.busy_timeout(BUSY_TIMEOUT);
    }

    /// Records a conflict, durably, on its own.
    pub(in crate::disk) fn add_conflict(&self, conflict: &Conflict) -> Result<(), Error> {
        self.write(|connection| insert_conflict(connection, conflict).map(|()| 1))
    }

    pub(in crate::disk) fn conflicts(&self) -> Result<Vec<Conflict>, Error> {
        self.read(read_conflicts)
    }
}

pub(super) fn insert_conflict(
    connection: &Connection,
    conflict: &Conflict,
) -> rusqlite::Result<()> {
    let (first, second) = (output_columns(&conflict.first), output_columns(&conflict.second));
    let id = conflict.id.0.as_bytes();
    connection.execute(
        "INSERT OR IGNORE INTO conflict VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![id, first.0, first.1, first.2, second.0, second.1, second.2],
    )?;
    Ok(())
}

pub(super) fn read_conflicts(connection: &Connection) -> rusqlite::Result<Vec<Conflict>> {
    let mut select = connection.prepare_cached(
        "SELECT first_is_directory, first_digest, first_bytes,
                second_is_directory, second_digest, second_bytes, derivation
         FROM conflict ORDER BY derivation, second_digest",
    )?;
    let conflict = |row: &Row<'_>| {
        Ok(Conflict {
            id: DerivationId(digest_at(row, 6)?),
            first: output_at(row)?,
            second: output_at_column(row, 3)?,
        })
    };
    select.query_map([], conflict)?.collect()
}

/// A proof in two columns: generation, files.
fn proof_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Proof>> {
    match (row.get(column)?, row.get(column + 1)?) {
        (Some(generation), Some(files)) => Ok(Some(Proof { generation, files })),
        _ => Ok(None),
    }
}

fn keep_proof(connection: &Connection, subject: &Subject, proof: &Proof) -> rusqlite::Result<()> {
    let (is_directory, digest, size_bytes) = output_columns(&subject.output());
    match subject {
        Subject::Realisation(id, _) => connection
            .prepare_cached(
                "UPDATE realisation SET generation = ?, proof = ?
                 WHERE derivation = ? AND digest = ?",
            )?
            .execute(params![proof.generation, proof.files, id.0.as_bytes(), digest])?,
        Subject::Output(_) => connection
            .prepare_cached("INSERT OR REPLACE INTO whole VALUES (?, ?, ?, ?, ?)")?
            .execute(params![digest, is_directory, size_bytes, proof.generation, proof.files])?,
    };
    Ok(())
}

pub(super) fn realisation(
    connection: &Connection,
    id: &DerivationId,
) -> rusqlite::Result<Option<Output>> {
    let mut select = connection.prepare_cached(
        "SELECT is_directory, digest, size_bytes FROM realisation WHERE derivation = ?",
    )?;
    select.query_row([id.0.as_bytes()], output_at).optional()
}

/// Counts a removal of rows: every proof from before must be made again.
pub(super) fn count_removal(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO state (name, value) VALUES ('generation', 1)
               ON CONFLICT (name) DO UPDATE SET value = value + 1";
    connection.execute(sql, [])?;
    connection.execute("DELETE FROM whole", []).map(drop)
}
