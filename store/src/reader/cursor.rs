//! `Cursor`: a position in an assembly, and the pieces that follow it.

use super::assembly::{Assembly, Step, Stored};

/// Where a reader is: in each list from the outermost to the innermost, the next step.
pub(super) struct Cursor {
    frames: Vec<Frame>,
}

struct Frame {
    list: usize,
    step: usize,
    /// How much of that step is behind us.
    within_bytes: u64,
}

/// The next stretch of bytes, inside one step.
pub(super) enum Piece<'a> {
    Literal(&'a [u8]),
    Zeros(usize),
    Stored(StoredPiece),
}

/// A stretch of a blob or part.
#[derive(Clone, Copy)]
pub(super) struct StoredPiece {
    pub(super) stored: Stored,
    /// Where the stretch lies in its source.
    pub(super) offset_bytes: u64,
    pub(super) size_bytes: usize,
    /// Whether it begins, and whether it ends, the blob or part.
    pub(super) is_first: bool,
    pub(super) is_last: bool,
}

impl Cursor {
    pub(super) fn at_start() -> Self {
        Cursor { frames: vec![Frame { list: 0, step: 0, within_bytes: 0 }] }
    }

    pub(super) fn seek(assembly: &Assembly, mut offset_bytes: u64) -> Self {
        let mut frames = Vec::new();
        let mut list = 0;
        loop {
            let current = &assembly.lists[list];
            let step = current.step_at(offset_bytes);
            offset_bytes -= current.step_start_bytes(step);
            let inner = match current.steps.get(step) {
                Some(Step::List(inner)) => *inner,
                _ => {
                    frames.push(Frame { list, step, within_bytes: offset_bytes });
                    return Cursor { frames };
                }
            };
            frames.push(Frame { list, step: step + 1, within_bytes: 0 });
            list = inner;
        }
    }

    /// The next piece, of at most `limit_bytes`; `None` at the end.
    pub(super) fn next<'a>(
        &mut self,
        assembly: &'a Assembly,
        limit_bytes: usize,
    ) -> Option<Piece<'a>> {
        loop {
            let frame = self.frames.last_mut()?;
            match assembly.lists[frame.list].steps.get(frame.step) {
                None => drop(self.frames.pop()),
                Some(Step::List(inner)) => {
                    frame.step += 1;
                    self.frames.push(Frame { list: *inner, step: 0, within_bytes: 0 });
                }
                Some(step) => return Some(frame.take(assembly, step, limit_bytes)),
            }
        }
    }
}

impl Frame {
    /// Takes up to `limit_bytes` of `step`, the step this frame is at.
    fn take<'a>(
        &mut self,
        assembly: &'a Assembly,
        step: &'a Step,
        limit_bytes: usize,
    ) -> Piece<'a> {
        let start_bytes = self.within_bytes;
        let left_bytes = assembly.lists[self.list].step_size_bytes(self.step) - start_bytes;
        let size_bytes = left_bytes.min(limit_bytes as u64) as usize;
        let is_last = size_bytes as u64 == left_bytes;
        match is_last {
            true => (self.step, self.within_bytes) = (self.step + 1, 0),
            false => self.within_bytes += size_bytes as u64,
        }
        match step {
            Step::Literal(bytes) => Piece::Literal(&bytes[start_bytes as usize..][..size_bytes]),
            Step::Zeros => Piece::Zeros(size_bytes),
            Step::Stored(stored) => Piece::Stored(StoredPiece {
                stored: *stored,
                offset_bytes: stored.offset_bytes + start_bytes,
                size_bytes,
                is_first: start_bytes == 0,
                is_last,
            }),
            Step::List(_) => unreachable!("`next` enters lists"),
        }
    }
}
