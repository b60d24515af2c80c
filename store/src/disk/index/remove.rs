//! Removing rows.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Index, index_error, lock};
use crate::disk::stored_file::StoredFile;
use crate::shelf::Located;
use crate::{Digest, Error};

use super::realisation::count_removal;
use super::row::{digest_at, object_at};

impl Index {
    /// The objects that lie in `file`, in their order.
    pub(in crate::disk) fn objects_in(
        &self,
        file: &StoredFile,
    ) -> Result<Vec<(Digest, Located)>, Error> {
        let columns =
            "SELECT digest, kind, size_bytes, stored_bytes, pack, offset_bytes FROM object";
        self.read(|connection| match file {
            StoredFile::Pack(id) => {
                let Some(pack) = pack_number(connection, id)? else { return Ok(Vec::new()) };
                let sql = format!("{columns} WHERE pack = ? ORDER BY offset_bytes, digest");
                connection.prepare(&sql)?.query_map([pack], object_at)?.collect()
            }
            StoredFile::Object(kind, digest) => {
                let sql = format!("{columns} WHERE digest = ? AND kind = ? AND pack IS NULL");
                let key = params![digest.as_bytes(), *kind as i64];
                connection.prepare(&sql)?.query_map(key, object_at)?.collect()
            }
        })
    }

    /// The containers whose parts `table` lists.
    pub(in crate::disk) fn containers_listed_by(
        &self,
        table: &Digest,
    ) -> Result<Vec<Digest>, Error> {
        self.read(|connection| {
            let mut select = connection.prepare(
                "SELECT container.digest FROM part_table
                 JOIN container ON container.number = part_table.container
                 WHERE part_table.digest = ?",
            )?;
            select.query_map([table.as_bytes()], |row| digest_at(row, 0))?.collect()
        })
    }

    /// Removes the rows of `digests`, as far as they still lie in `file`.
    pub(in crate::disk) fn remove_objects(
        &self,
        digests: &BTreeSet<Digest>,
        file: &StoredFile,
    ) -> Result<(), Error> {
        let error = |cause| index_error(&self.path, cause);
        let mut connection = lock(&self.writer);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = transaction.map_err(error)?;
        let remove = || {
            let pack = match file {
                StoredFile::Pack(id) => pack_number(&transaction, id)?,
                StoredFile::Object(..) => None,
            };
            let sql = "DELETE FROM object WHERE digest = ? AND pack IS ?";
            let mut delete = transaction.prepare_cached(sql)?;
            for digest in digests {
                delete.execute(params![digest.as_bytes(), pack])?;
            }
            count_removal(&transaction)
        };
        remove().map_err(error)?;
        transaction.commit().map_err(error)
    }
}

fn pack_number(connection: &Connection, id: &Digest) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT number FROM pack WHERE id = ?";
    connection.query_row(sql, [id.as_bytes()], |row| row.get(0)).optional()
}
