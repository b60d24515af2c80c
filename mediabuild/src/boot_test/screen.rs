//! `Picture`: a screen, as QEMU writes it (a binary PPM), and whether two look the same.

use std::fs;
use std::io;
use std::path::Path;

use crate::failure::Failure;

/// Of so many pixels one may differ: a cursor blinks, a clock runs.
const PIXELS_PER_DIFFERENCE: usize = 50;
/// A colour that differs by no more is the same: text is smoothed.
const COLOUR_TOLERANCE: u8 = 24;
/// No screen has more pixels on a side.
const SIDE_MAX: usize = 16_384;

/// Pixels in rows, from the top left, three bytes each.
pub(crate) struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Reads a file that `--screenshot X.ppm` wrote.
    pub(crate) fn open(path: &Path) -> Result<Picture, Failure> {
        let bytes = fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Failure::usage(format!("cannot open `{}`: {error}", path.display()))
            }
            _ => Failure::io("read", path, &error),
        })?;
        Picture::parse(&bytes).ok_or_else(|| {
            Failure::usage(format!("`{}` is no binary PPM picture", path.display()))
                .help("make one when the screen is right: --screenshot screen.ppm")
        })
    }

    /// `P6`, width, height, 255, one white space, the pixels; `None` for anything else, or if
    /// pixels are missing.
    pub(super) fn parse(bytes: &[u8]) -> Option<Picture> {
        let mut rest = bytes.strip_prefix(b"P6")?;
        let [width, height, depth] = [number(&mut rest)?, number(&mut rest)?, number(&mut rest)?];
        let sides_fit = (1..=SIDE_MAX).contains(&width) && (1..=SIDE_MAX).contains(&height);
        let pixels = rest.get(1..)?;
        let is_whole = sides_fit && depth == 255 && pixels.len() == width * height * 3;
        is_whole.then(|| Picture { width, height, pixels: pixels.to_vec() })
    }

    /// Whether people would call the two the same screen.
    pub(super) fn looks_like(&self, other: &Picture) -> bool {
        if (self.width, self.height) != (other.width, other.height) {
            return false;
        }
        let (ours, _) = self.pixels.as_chunks::<3>();
        let (theirs, _) = other.pixels.as_chunks::<3>();
        let is_other = |(one, other): &(&[u8; 3], &[u8; 3])| {
            one.iter().zip(*other).any(|(one, other)| one.abs_diff(*other) > COLOUR_TOLERANCE)
        };
        let differing = ours.iter().zip(theirs).filter(is_other).count();
        differing * PIXELS_PER_DIFFERENCE <= ours.len()
    }
}

/// The next number of a header, and white space before it.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let start = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let digits = rest[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(&rest[start..start + digits]).ok()?;
    *rest = &rest[start + digits..];
    text.parse().ok()
}

/// Whether a file that QEMU writes has its last byte.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    // The last chunk of a PNG and its checksum.
    bytes.ends_with(b"IEND\xAE\x42\x60\x82") || Picture::parse(bytes).is_some()
}

#[cfg(test)]
mod tests {
    use super::{Picture, is_whole};

    fn picture(size: &str, pixels: &[u8]) -> Option<Picture> {
        Picture::parse(&[format!("P6\n{size}\n255\n").as_bytes(), pixels].concat())
    }

    #[test]
    fn screens_look_alike_or_do_not() {
        let dark = picture("100 1", &[10; 300]).unwrap();
        let mut pixels = [12; 300];
        pixels[..6].fill(255);
        let cursor = picture("100 1", &pixels).unwrap();
        assert!(dark.looks_like(&cursor));
        pixels[..9].fill(255);
        assert!(!dark.looks_like(&picture("100 1", &pixels).unwrap()));
        assert!(!dark.looks_like(&picture("1 100", &[10; 300]).unwrap()));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(picture("2 2", &[0; 12]).is_some());
        assert!(picture("2 2", &[0; 11]).is_none());
        assert!(picture("0 2", &[]).is_none());
        assert!(picture("99999999999999999999 2", &[]).is_none());
        for text in [&b""[..], b"P6", b"P6 1", b"P6 1 1 255", b"P5 1 1 255 x"] {
            assert!(Picture::parse(text).is_none());
            assert!(!is_whole(text));
        }
    }
}
