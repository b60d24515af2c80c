//! SDDL to descriptor.

use super::ace::{Ace, AceBody, ace_flag, ace_kind};
use super::acl::Acl;
use super::descriptor::{AccessControl, Descriptor, control};
use super::error::Error;
use super::guid::Guid;
use super::rights;
use super::sid::Sid;

/// Kinds of entries by their letters.
pub(super) const KINDS: [(&str, u8); 11] = [
    ("A", ace_kind::ALLOW),
    ("D", ace_kind::DENY),
    ("AU", ace_kind::AUDIT),
    ("AL", ace_kind::ALARM),
    ("OA", ace_kind::OBJECT_ALLOW),
    ("OD", ace_kind::OBJECT_DENY),
    ("OU", ace_kind::OBJECT_AUDIT),
    ("OL", ace_kind::OBJECT_ALARM),
    ("ML", ace_kind::MANDATORY_LABEL),
    ("SP", ace_kind::SCOPED_POLICY),
    ("TL", ace_kind::TRUST_LABEL),
];

/// Conditional entries and attributes of resources, which carry an expression.
const EXPRESSIONS: [&str; 6] = ["XA", "XD", "XU", "ZA", "RA", "FL"];

/// Flags of entries by their letters, in the order in which Windows writes them.
pub(super) const FLAGS: [(&str, u8); 8] = [
    ("OI", ace_flag::OBJECT_INHERIT),
    ("CI", ace_flag::CONTAINER_INHERIT),
    ("NP", ace_flag::NO_PROPAGATE),
    ("IO", ace_flag::INHERIT_ONLY),
    ("ID", ace_flag::INHERITED),
    ("CR", ace_flag::CRITICAL),
    ("SA", ace_flag::SUCCESS),
    ("FA", ace_flag::FAILURE),
];

/// A null list.
pub(super) const NULL_LIST: &str = "NO_ACCESS_CONTROL";

/// Letters before a list, and the control bits that they set of a DACL and of a SACL.
pub(super) const LIST_FLAGS: [(&str, u16, u16); 3] = [
    ("P", control::DACL_PROTECTED, control::SACL_PROTECTED),
    ("AR", control::DACL_AUTO_INHERIT_REQUEST, control::SACL_AUTO_INHERIT_REQUEST),
    ("AI", control::DACL_AUTO_INHERITED, control::SACL_AUTO_INHERITED),
];

impl Descriptor {
    /// Reads SDDL: `O:BAG:SYD:P(A;OICI;FA;;;BA)`.
    pub fn from_sddl(text: &str) -> Result<Descriptor, Error> {
        let mut descriptor = Descriptor::default();
        let mut seen = String::new();
        let mut rest = Piece { text, start: 0 }.trim();
        if rest.text.is_empty() {
            return Err(rest.error("is empty: write it like `O:BAG:SYD:P(A;OICI;FA;;;BA)`"));
        }
        while !rest.text.is_empty() {
            let (letter, value, behind) = rest.section()?;
            if seen.contains(letter) {
                return Err(rest.error(format!("`{letter}:` is there twice")));
            }
            seen.push(letter);
            descriptor.set(letter, value)?;
            rest = behind;
        }
        Ok(descriptor)
    }

    fn set(&mut self, letter: char, value: Piece<'_>) -> Result<(), Error> {
        match letter {
            'O' => self.owner = Some(value.sid()?),
            'G' => self.group = Some(value.sid()?),
            'D' => self.dacl = self.list(value, |(_, dacl, _)| *dacl)?,
            _ => self.sacl = self.list(value, |(_, _, sacl)| *sacl)?,
        }
        Ok(())
    }

    /// Flags and entries.
    fn list(
        &mut self,
        value: Piece<'_>,
        bit: impl Fn(&(&str, u16, u16)) -> u16,
    ) -> Result<AccessControl, Error> {
        let (mut flags, entries) = value.split_at(value.text.find('(').unwrap_or(value.text.len()));
        let is_null = flags.text == NULL_LIST;
        while !is_null && !flags.text.is_empty() {
            let known = LIST_FLAGS.iter().find(|(letters, ..)| flags.starts_with(letters));
            let Some(known) = known else {
                let text = flags.text;
                return Err(flags.error(format!("`{text}` is no flag of a list: `P`, `AR`, `AI`")));
            };
            self.control |= bit(known);
            flags = flags.split_at(known.0.len()).1;
        }
        let aces = entries.entries()?;
        match is_null {
            true if aces.is_empty() => Ok(AccessControl::Null),
            true => Err(entries.error("a list without access control has no entries")),
            false => Ok(AccessControl::List(Acl { aces })),
        }
    }
}

/// A part of the text and where it begins.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Piece<'a> {
    fn error(&self, problem: impl Into<String>) -> Error {
        Error::Sddl { position: self.start + 1, problem: problem.into() }
    }

    fn split_at(self, at: usize) -> (Piece<'a>, Piece<'a>) {
        let (left, right) = self.text.split_at(at);
        let start = self.start;
        (Piece { text: left, start }, Piece { text: right, start: start + at })
    }

    fn trim(self) -> Piece<'a> {
        let text = self.text.trim_start();
        let start = self.start + self.text.len() - text.len();
        Piece { text: text.trim_end(), start }
    }

    fn starts_with(&self, letters: &str) -> bool {
        let head = self.text.get(..letters.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(letters))
    }

    /// The letter before a colon, what is behind it, and the sections that follow.
    fn section(self) -> Result<(char, Piece<'a>, Piece<'a>), Error> {
        let letter = self.text.chars().next().map(|letter| letter.to_ascii_uppercase());
        let letter =
            letter.filter(|letter| "OGDS".contains(*letter) && self.text[1..].starts_with(':'));
        let Some(letter) = letter else {
            return Err(self.error("expected `O:`, `G:`, `D:` or `S:`"));
        };
        let value = self.split_at(2).1;
        let (value, behind) = value.split_at(value.section_end());
        Ok((letter, value.trim(), behind))
    }

    /// Where the next section begins: a letter and a colon outside of entries.
    fn section_end(&self) -> usize {
        let mut depth = 0_usize;
        let mut previous = 0;
        for (at, character) in self.text.char_indices() {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ':' if depth == 0 => return previous,
                _ => {}
            }
            previous = at;
        }
        self.text.len()
    }

    fn sid(&self) -> Result<Sid, Error> {
        Sid::parse(self.text).map_err(|problem| self.error(problem))
    }

    /// `(…)(…)`.
    fn entries(self) -> Result<Vec<Ace>, Error> {
        let mut aces = Vec::new();
        let mut rest = self.trim();
        while !rest.text.is_empty() {
            let end = rest.text.find(')').filter(|_| rest.text.starts_with('('));
            let Some(end) = end else {
                return Err(rest.error("expected an entry in parentheses: `(A;;FA;;;BA)`"));
            };
            let (entry, behind) = rest.split_at(end + 1);
            aces.push(entry.split_at(1).1.split_at(end - 1).0.ace()?);
            rest = behind.trim();
        }
        Ok(aces)
    }

    /// `kind;flags;rights;object;inherited object;who`.
    fn ace(self) -> Result<Ace, Error> {
        let mut start = self.start;
        let fields: Vec<Piece<'a>> = self
            .text
            .split(';')
            .map(|text| {
                let piece = Piece { text, start };
                start += text.len() + 1;
                piece.trim()
            })
            .collect();
        if EXPRESSIONS.iter().any(|letters| fields[0].text.eq_ignore_ascii_case(letters)) {
            return Err(
                fields[0].error("entries with conditions or attributes are not supported yet")
            );
        }
        let [kind, flags, mask, object, inherited_object, sid] = fields.as_slice() else {
            let count = fields.len();
            return Err(self.error(format!("an entry has six fields, found {count}")));
        };
        let kind = kind.kind()?;
        let flags = flags.flags()?;
        let mask = rights::parse(mask.text).map_err(|problem| mask.error(problem))?;
        let guids = (object.guid()?, inherited_object.guid()?);
        let sid = sid.sid()?;
        let body = match (Ace::is_object_kind(kind), guids) {
            (true, (object, inherited_object)) => {
                AceBody::Object { mask, object, inherited_object, sid }
            }
            (false, (None, None)) => AceBody::Rights { mask, sid },
            (false, _) => {
                return Err(object.error("only `OA`, `OD` and `OU` entries name types of objects"));
            }
        };
        Ok(Ace { kind, flags, body })
    }

    fn kind(&self) -> Result<u8, Error> {
        let known = KINDS.iter().find(|(letters, _)| letters.eq_ignore_ascii_case(self.text));
        let text = self.text;
        known.map(|(_, kind)| *kind).ok_or_else(|| {
            self.error(format!(
                "`{text}` is no kind of an entry: `A` allows, `D` denies, `AU` audits"
            ))
        })
    }

    fn flags(&self) -> Result<u8, Error> {
        let mut flags = 0;
        for pair in self.text.as_bytes().chunks(2) {
            let same = |letters: &str| letters.as_bytes().eq_ignore_ascii_case(pair);
            let Some((_, flag)) = FLAGS.iter().find(|(letters, _)| same(letters)) else {
                let pair = pair.escape_ascii();
                return Err(self.error(format!("`{pair}` is no flag of an entry, such as `OICI`")));
            };
            flags |= flag;
        }
        Ok(flags)
    }

    fn guid(&self) -> Result<Option<Guid>, Error> {
        if self.text.is_empty() {
            return Ok(None);
        }
        let text = self.text;
        Guid::parse(text).map(Some).ok_or_else(|| self.error(format!("`{text}` is no GUID")))
    }
}
