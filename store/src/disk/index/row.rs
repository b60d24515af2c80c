//! Columns to types and back.

use rusqlite::Row;
use rusqlite::types::Type;

use crate::shelf::{Container, Kind, Located};
use crate::{Content, Digest, Output};

pub(super) fn digest_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    row.get(column).map(Digest::from_bytes)
}

/// Digests one after the other; none for NULL.
pub(super) fn digests_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<Digest>> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    let (digests, _) = bytes.as_deref().unwrap_or_default().as_chunks::<32>();
    Ok(digests.iter().map(|digest| Digest::from_bytes(*digest)).collect())
}

/// A size or offset. SQLite's integers are signed; sizes here stay below 2^63.
pub(super) fn bytes_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    number.try_into().map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// The column of a size or offset.
pub(super) fn bytes_column(bytes: u64) -> i64 {
    bytes as i64
}

/// An output in the first three columns: is_directory, digest, size_bytes.
pub(super) fn output_at(row: &Row<'_>) -> rusqlite::Result<Output> {
    output_at_column(row, 0)
}

/// The same in three columns further on.
pub(super) fn output_at_column(row: &Row<'_>, column: usize) -> rusqlite::Result<Output> {
    let digest = digest_at(row, column + 1)?;
    match row.get(column)? {
        true => Ok(Output::Directory(digest)),
        false => Ok(Output::Content(Content { digest, size_bytes: bytes_at(row, column + 2)? })),
    }
}

/// The columns that [`output_at`] reads.
pub(super) fn output_columns(output: &Output) -> (bool, [u8; 32], i64) {
    match output {
        Output::Content(content) => {
            (false, *content.digest.as_bytes(), bytes_column(content.size_bytes))
        }
        Output::Directory(digest) => (true, *digest.as_bytes(), 0),
    }
}

/// A whole row of `object`, in the order of its columns.
pub(super) fn object_at(row: &Row<'_>) -> rusqlite::Result<(Digest, Located)> {
    let digest = digest_at(row, 0)?;
    let kind = kind_at(row, 1)?;
    let container = match row.get(4)? {
        Some(pack) => Container::Pack(pack),
        None => Container::Object(kind, digest),
    };
    let located = Located {
        kind,
        size_bytes: bytes_at(row, 2)?,
        stored_bytes: bytes_at(row, 3)?,
        container,
        offset_bytes: bytes_at(row, 5)?,
    };
    Ok((digest, located))
}

fn kind_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    let number = row.get(column)?;
    Kind::from_number(number).ok_or_else(|| {
        let what = format!("{number} is no kind of object");
        rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, what.into())
    })
}
