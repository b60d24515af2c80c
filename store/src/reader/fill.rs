//! `fill`: copies the next bytes of an assembly into a buffer.
//!
//! Stretches that follow each other in the file as they do in the content (a WIM's resources, a
//! pack's small files) become one run: one `pread` straight to their place in the caller's buffer,
//! and each is hashed right after, while its bytes are in cache.

use super::assembly::Assembly;
use super::cursor::{Cursor, Piece, StoredPiece};
use super::ends_early;
use super::source::OpenFiles;
use super::verifier::Verifier;
use crate::Error;

/// What one reader keeps from fill to fill.
#[derive(Default)]
pub(super) struct Filler {
    files: OpenFiles,
    /// The pieces of the run that is being collected.
    run: Vec<StoredPiece>,
}

/// Fills `out` from the cursor on; answers how much of it, less than all only at the end.
pub(super) fn fill(
    assembly: &Assembly,
    cursor: &mut Cursor,
    filler: &mut Filler,
    mut verifier: Option<&mut Verifier>,
    out: &mut [u8],
) -> Result<usize, Error> {
    let (mut run_start, mut end) = (0, 0);
    filler.run.clear();
    while end < out.len() {
        let Some(piece) = cursor.next(assembly, out.len() - end) else { break };
        let joins = matches!(&piece, Piece::Stored(piece) if filler.continues_run(piece));
        if !joins {
            filler.finish_run(assembly, verifier.as_deref_mut(), &mut out[run_start..end])?;
        }
        let rest = &mut out[end..];
        end += match piece {
            Piece::Literal(bytes) => {
                rest[..bytes.len()].copy_from_slice(bytes);
                bytes.len()
            }
            Piece::Zeros(size_bytes) => {
                rest[..size_bytes].fill(0);
                size_bytes
            }
            Piece::Stored(piece) => {
                if !joins {
                    run_start = end;
                }
                filler.run.push(piece);
                piece.size_bytes
            }
        };
    }
    filler.finish_run(assembly, verifier, &mut out[run_start..end])?;
    Ok(end)
}

impl Filler {
    fn continues_run(&self, piece: &StoredPiece) -> bool {
        self.run.last().is_some_and(|last| {
            last.stored.source == piece.stored.source
                && last.offset_bytes + last.size_bytes as u64 == piece.offset_bytes
        })
    }

    /// Reads the collected run into `out`, which may go on behind it, and verifies its pieces.
    fn finish_run(
        &mut self,
        assembly: &Assembly,
        verifier: Option<&mut Verifier>,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let Some(first) = self.run.first() else { return Ok(()) };
        let size_bytes = self.run.iter().map(|piece| piece.size_bytes).sum();
        let out = &mut out[..size_bytes];
        let source = first.stored.source;
        if !self.files.read(&assembly.sources, source, first, out)? {
            return Err(ends_early(first.stored.digest, &assembly.sources[source]));
        }
        if let Some(verifier) = verifier {
            let mut rest = &*out;
            for piece in &self.run {
                let (bytes, after) = rest.split_at(piece.size_bytes);
                verifier.see(piece, bytes, &assembly.sources[source])?;
                rest = after;
            }
        }
        self.run.clear();
        Ok(())
    }
}
