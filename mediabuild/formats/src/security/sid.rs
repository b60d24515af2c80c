//! `Sid`: who an entry is about, and the two letters SDDL has for some of them.

use std::fmt;

use super::error::Error;

/// Most sub-authorities.
const SUB_AUTHORITY_LIMIT: usize = 15;
/// Fixed part.
const HEAD_BYTES: usize = 8;

/// A security identifier of revision 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    /// 48 bits.
    authority: u64,
    sub_authorities: Vec<u32>,
}

/// Well-known identifiers and their letters. Sorted by letters.
#[rustfmt::skip]
const ALIASES: [(&str, u64, &[u32]); 54] = [
    ("AA", 5, &[32, 579]), ("AC", 15, &[2, 1]), ("AN", 5, &[7]), ("AO", 5, &[32, 548]),
    ("AS", 18, &[1]), ("AU", 5, &[11]), ("BA", 5, &[32, 544]), ("BG", 5, &[32, 546]),
    ("BO", 5, &[32, 551]), ("BU", 5, &[32, 545]), ("CD", 5, &[32, 574]), ("CG", 3, &[1]),
    ("CO", 3, &[0]), ("CY", 5, &[32, 569]), ("ED", 5, &[9]), ("ER", 5, &[32, 573]),
    ("ES", 5, &[32, 576]), ("HA", 5, &[32, 578]), ("HI", 16, &[12288]), ("IS", 5, &[32, 568]),
    ("IU", 5, &[4]), ("LS", 5, &[19]), ("LU", 5, &[32, 559]), ("LW", 16, &[4096]),
    ("ME", 16, &[8192]), ("MP", 16, &[8448]), ("MS", 5, &[32, 577]), ("MU", 5, &[32, 558]),
    ("NO", 5, &[32, 556]), ("NS", 5, &[20]), ("NU", 5, &[2]), ("OW", 3, &[4]),
    ("PO", 5, &[32, 550]), ("PS", 5, &[10]), ("PU", 5, &[32, 547]), ("RA", 5, &[32, 575]),
    ("RC", 5, &[12]), ("RD", 5, &[32, 555]), ("RE", 5, &[32, 552]), ("RM", 5, &[32, 580]),
    ("RU", 5, &[32, 554]), ("SI", 16, &[16384]), ("SO", 5, &[32, 549]), ("SS", 18, &[2]),
    ("SU", 5, &[6]), ("SY", 5, &[18]), ("UD", 5, &[84, 0, 0, 0, 0, 0]), ("WD", 1, &[0]),
    ("WR", 5, &[33]),
    // Written as numbers by current Windows, read all the same.
    ("DL", 5, &[1]), ("IL", 5, &[3]), ("LO", 2, &[0]), ("PX", 5, &[8]), ("TE", 5, &[13]),
];

/// Letters that name somebody of the domain or machine, and what they are called.
const OF_DOMAIN: [(&str, &str); 17] = [
    ("AP", "Protected Users"),
    ("CA", "Cert Publishers"),
    ("CN", "Cloneable Domain Controllers"),
    ("DA", "Domain Admins"),
    ("DC", "Domain Computers"),
    ("DD", "Domain Controllers"),
    ("DG", "Domain Guests"),
    ("DU", "Domain Users"),
    ("EA", "Enterprise Admins"),
    ("EK", "Enterprise Key Admins"),
    ("KA", "Key Admins"),
    ("LA", "the local Administrator"),
    ("LG", "the local Guest"),
    ("PA", "Group Policy Admins"),
    ("RO", "Read-only Domain Controllers"),
    ("RS", "RAS and IAS Servers"),
    ("SA", "Schema Admins"),
];

impl Sid {
    /// `BA` or `S-1-5-32-544`; the problem if it is neither.
    pub fn parse(text: &str) -> Result<Sid, String> {
        let same = |letters: &str| letters.eq_ignore_ascii_case(text);
        if let Some((_, authority, parts)) = ALIASES.iter().find(|(letters, ..)| same(letters)) {
            return Ok(Sid { authority: *authority, sub_authorities: parts.to_vec() });
        }
        if let Some((_, name)) = OF_DOMAIN.iter().find(|(letters, _)| same(letters)) {
            return Err(format!(
                "`{text}` is {name} of a domain or machine that is not known: write its SID, \
                 `S-1-5-21-…`"
            ));
        }
        Sid::parse_numbers(text).ok_or_else(|| {
            format!("`{text}` is nobody: write letters such as `BA`, or a SID, `S-1-5-32-544`")
        })
    }

    /// `S-1-5-32-544`.
    fn parse_numbers(text: &str) -> Option<Sid> {
        let mut parts = text.split('-');
        let head = (parts.next()?, parts.next()?);
        if !head.0.eq_ignore_ascii_case("S") || head.1 != "1" {
            return None;
        }
        let authority = number(parts.next()?).filter(|authority| *authority < 1 << 48)?;
        let sub_authorities: Option<Vec<u32>> =
            parts.map(|part| u32::try_from(number(part)?).ok()).collect();
        let sub_authorities = sub_authorities?;
        let is_short = sub_authorities.len() <= SUB_AUTHORITY_LIMIT;
        is_short.then_some(Sid { authority, sub_authorities })
    }

    /// Its letters in SDDL, if it has some.
    pub fn letters(&self) -> Option<&'static str> {
        let same = |authority: u64, parts: &[u32]| {
            authority == self.authority && parts == self.sub_authorities
        };
        let found = ALIASES.iter().find(|(_, authority, parts)| same(*authority, parts));
        found.map(|(letters, ..)| *letters)
    }

    pub(super) fn size_bytes(&self) -> usize {
        HEAD_BYTES + 4 * self.sub_authorities.len()
    }

    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        // +0x00: revision; +0x01: sub-authorities; +0x02: authority, big-endian
        bytes.extend_from_slice(&[1, self.sub_authorities.len() as u8]);
        bytes.extend_from_slice(&self.authority.to_be_bytes()[2..]);
        bytes.extend(self.sub_authorities.iter().flat_map(|part| part.to_le_bytes()));
    }

    /// The identifier that `bytes` begin with; they are at `offset_bytes`.
    pub(super) fn decode(bytes: &[u8], offset_bytes: usize) -> Result<Sid, Error> {
        let expected = || Error::malformed(offset_bytes, "a SID of revision 1");
        let head = bytes.get(..HEAD_BYTES).ok_or_else(expected)?;
        let count = usize::from(head[1]);
        if head[0] != 1 || count > SUB_AUTHORITY_LIMIT {
            return Err(expected());
        }
        let parts = bytes.get(HEAD_BYTES..HEAD_BYTES + 4 * count).ok_or_else(expected)?;
        let authority = head[2..].iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        let part = |part: &[u8]| u32::from_le_bytes([part[0], part[1], part[2], part[3]]);
        Ok(Sid { authority, sub_authorities: parts.chunks_exact(4).map(part).collect() })
    }
}

/// A decimal or, with `0x`, hexadecimal number.
pub(super) fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let all_digits = digits.chars().all(|character| character.is_digit(radix));
    all_digits.then(|| u64::from_str_radix(digits, radix).ok())?
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.authority < 1 << 32 {
            true => write!(f, "S-1-{}", self.authority)?,
            false => write!(f, "S-1-0x{:012X}", self.authority)?,
        }
        self.sub_authorities.iter().try_for_each(|part| write!(f, "-{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{ALIASES, OF_DOMAIN, Sid};

    #[test]
    fn letters_numbers_and_bytes_agree() {
        for (letters, ..) in ALIASES {
            let sid = Sid::parse(letters).expect("an alias");
            assert_eq!(sid.letters(), Some(letters));
            assert_eq!(Sid::parse(&sid.to_string()), Ok(sid.clone()));
            let mut bytes = Vec::new();
            sid.encode(&mut bytes);
            assert_eq!(bytes.len(), sid.size_bytes());
            assert_eq!(Sid::decode(&bytes, 0), Ok(sid));
            assert!(OF_DOMAIN.iter().all(|(other, _)| *other != letters));
        }
        let sid = Sid::parse("s-1-5-21-1-2-3-0x200").expect("a SID");
        assert_eq!((sid.to_string().as_str(), sid.letters()), ("S-1-5-21-1-2-3-512", None));
        let large = Sid::parse("S-1-0xFFFFFFFFFFFF-1").expect("a SID");
        assert_eq!(large.to_string(), "S-1-0xFFFFFFFFFFFF-1");
    }

    #[test]
    fn nobody_is_an_error() {
        for bad in ["", "XX", "S-1", "S-2-5-1", "S-1-5-x", "S-1-5-4294967296", "S-1-5-", "S-1-+5"] {
            assert!(Sid::parse(bad).is_err(), "{bad}");
        }
        let problem = Sid::parse("DA").expect_err("a domain's");
        assert!(problem.contains("Domain Admins"), "{problem}");
        let long = format!("S-1-5{}", "-1".repeat(16));
        assert!(Sid::parse(&long).is_err());
        for bytes in [
            &[][..],
            &[1, 1, 0, 0, 0, 0, 0, 5],
            &[2, 0, 0, 0, 0, 0, 0, 5],
            &[1, 16, 0, 0, 0, 0, 0, 5],
        ] {
            Sid::decode(bytes, 7).expect_err("no SID");
        }
    }
}
