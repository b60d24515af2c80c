//! `Sha1`: the name of a blob.

use std::fmt;
use std::str::FromStr;

use sha1::Digest;

/// SHA-1 of a blob's uncompressed bytes; all zeros stands for an empty stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sha1(pub [u8; 20]);

impl Sha1 {
    /// The hash field of an empty stream: it has no blob.
    pub const ZERO: Sha1 = Sha1([0; 20]);

    /// The real SHA-1 of no bytes. The format writes [`Sha1::ZERO`] instead.
    pub const EMPTY: Sha1 = Sha1([
        0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d, 0x32, 0x55, 0xbf, 0xef, 0x95, 0x60, 0x18,
        0x90, 0xaf, 0xd8, 0x07, 0x09,
    ]);

    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Sha1 {
        Sha1(sha1::Sha1::digest(bytes).into())
    }

    /// Whether a stream with this hash has no bytes, hence no blob.
    pub fn is_empty_stream(&self) -> bool {
        *self == Sha1::ZERO || *self == Sha1::EMPTY
    }
}

impl fmt::Display for Sha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha1({self})")
    }
}

impl FromStr for Sha1 {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Sha1, Self::Err> {
        let digits = text.as_bytes();
        if digits.len() != 40 {
            return Err("a SHA-1 has 40 hexadecimal digits");
        }
        let mut hash = Sha1::ZERO;
        for (byte, pair) in hash.0.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(hash)
    }
}

fn hex_digit(digit: u8) -> Result<u8, &'static str> {
    let value = char::from(digit).to_digit(16).ok_or("a SHA-1 has hexadecimal digits only")?;
    Ok(value as u8)
}

#[cfg(test)]
mod tests {
    use super::Sha1;

    #[test]
    fn text_form_round_trips() {
        let hash = Sha1::of(b"abc");
        assert_eq!(hash.to_string(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(Sha1::of(b""), Sha1::EMPTY);
        assert!("xyz".parse::<Sha1>().is_err());
    }
}
