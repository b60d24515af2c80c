//! The quick parser: the longest match, unless the next position has a better one.
//!
//! For the fast level, and for stretches that look compressed already.

use std::ops::Range;

use super::emit::{Emitter, Origin};
use super::finder::{Finder, Match};
use super::model::REPEATS;
use super::window::Window;

/// Shortest repeat match that is taken: it costs about as much as one literal or two, and another
/// match may begin at the next byte.
const MIN_REPEAT: u32 = 3;
/// Shortest match with an offset of its own.
const MIN_EXPLICIT: u32 = 3;
/// A repeat match saves the offset, which is worth this many bytes of length.
const REPEAT_BONUS: u32 = 2;

/// A match that may be taken.
type Found = Option<(Origin, u32)>;

/// Emits items from `range.start` on, at least up to `range.end`; returns where the last one ends.
pub(super) fn parse(
    window: &Window,
    finder: &mut Finder,
    emitter: &mut Emitter,
    range: Range<usize>,
) -> usize {
    let mut position = range.start;
    let mut known = None;
    while position < range.end {
        let after_lz = emitter.recent.after_lz;
        let found =
            known.take().unwrap_or_else(|| best_at(window, finder, emitter, position, after_lz));
        let Some((origin, length)) = found else {
            emitter.literal(window.byte(position));
            position += 1;
            continue;
        };
        if length < finder.nice_length() && position + 1 < window.end() {
            // After a literal, that is.
            let next = best_at(window, finder, emitter, position + 1, 0);
            if next.is_some_and(|(_, next_length)| next_length > length + 1) {
                emitter.literal(window.byte(position));
                position += 1;
                known = Some(next);
                continue;
            }
        }
        emitter.copy(origin, length);
        let end = position + length as usize;
        finder.skip(window, position + 1..end);
        position = end;
    }
    position
}

/// The same for noise: literals, and copies of other noise.
pub(super) fn parse_noise(
    window: &Window,
    finder: &mut Finder,
    emitter: &mut Emitter,
    range: Range<usize>,
) -> usize {
    let mut position = range.start;
    while position < range.end {
        let Match { length, offset } = finder.longest_in_noise(window, position);
        if length == 0 {
            emitter.literal(window.byte(position));
            position += 1;
        } else {
            emitter.copy(Origin::Offset(offset), length);
            position += length as usize;
        }
    }
    position
}

/// The best match at a position; `after_lz` is 1 right behind an LZ match.
#[inline]
fn best_at(
    window: &Window,
    finder: &mut Finder,
    emitter: &Emitter,
    position: usize,
    after_lz: usize,
) -> Found {
    let Match { length, offset } = finder.longest_at(window, position);
    let offsets = &emitter.recent.lz[after_lz..after_lz + REPEATS];
    if let Some((index, repeat_length)) = best_repeat(window, offsets, position)
        && repeat_length + REPEAT_BONUS >= length
    {
        return Some((Origin::Repeat(index), repeat_length));
    }
    let is_worth_it = length >= MIN_EXPLICIT && length >= shortest_worth(offset);
    is_worth_it.then_some((Origin::Offset(offset), length))
}

/// Index and length of the longest match at an offset used before.
fn best_repeat(window: &Window, offsets: &[u32], position: usize) -> Option<(usize, u32)> {
    let mut best = None;
    let mut longest = MIN_REPEAT - 1;
    for (index, &offset) in offsets.iter().enumerate() {
        let offset = offset as usize;
        if offset > position {
            continue;
        }
        let length = window.common(position - offset, position, window.end() - position) as u32;
        if length > longest {
            (best, longest) = (Some((index, length)), length);
        }
    }
    best
}

/// Shorter matches at this offset cost more than their literals: an offset has about as many bits
/// as it is large, a literal six.
fn shortest_worth(offset: u32) -> u32 {
    match offset {
        0..0x40 => 3,
        0x40..0x1000 => 4,
        0x1000..0x4_0000 => 5,
        _ => 6,
    }
}
