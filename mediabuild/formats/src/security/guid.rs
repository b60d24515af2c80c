//! `Guid`: the type of an object that an entry is about.

use std::fmt;

/// Sixteen bytes as they are stored: the first three groups of the text are little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

/// Positions of the stored bytes in the order of the text.
const TEXT_ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
/// Digits of the text's groups.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

impl Guid {
    /// `bf967aba-0de6-11d0-a285-00aa003049e2`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Guid> {
        let groups: Vec<&str> = text.split('-').collect();
        if !groups.iter().map(|group| group.len()).eq(GROUPS) {
            return None;
        }
        let digits = groups.concat();
        let mut bytes = [0; 16];
        for (pair, position) in digits.as_bytes().chunks_exact(2).zip(TEXT_ORDER) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            bytes[position] = (digit(0)? << 4 | digit(1)?) as u8;
        }
        Some(Guid(bytes))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, at) in TEXT_ORDER.into_iter().zip(0..) {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02x}", self.0[position])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Guid;

    #[test]
    fn text_and_bytes() {
        let text = "bf967aba-0de6-11d0-a285-00aa003049e2";
        let guid = Guid::parse(text).expect("a GUID");
        assert_eq!(guid.0[..8], [0xba, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11]);
        assert_eq!(guid.to_string(), text);
        for bad in [
            "",
            "bf967aba",
            "bf967aba-0de6-11d0-a285-00aa003049eg",
            "äbcdefg-0de6-11d0-a285-00aa003049e2",
        ] {
            assert_eq!(Guid::parse(bad), None);
        }
    }
}
