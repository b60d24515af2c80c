//! Descriptor to SDDL, as Windows writes it.

use super::ace::{Ace, AceBody, ace_kind};
use super::descriptor::{AccessControl, Descriptor};
use super::error::Error;
use super::rights;
use super::sddl_read::{FLAGS, KINDS, LIST_FLAGS, NULL_LIST};
use super::sid::Sid;

impl Descriptor {
    /// The text that [`Descriptor::from_sddl`] reads as this descriptor.
    pub fn to_sddl(&self) -> Result<String, Error> {
        let mut text = String::new();
        for (letter, sid) in [("O:", &self.owner), ("G:", &self.group)] {
            if let Some(sid) = sid {
                text.push_str(letter);
                text.push_str(&render_sid(sid));
            }
        }
        let known = LIST_FLAGS.iter().fold(0, |sum, (_, dacl, sacl)| sum | dacl | sacl);
        if self.control & !known != 0 {
            let what = format!("control bits {:#x}", self.control & !known);
            return Err(Error::NoText { what });
        }
        self.render_list("D:", &self.dacl, |(_, dacl, _)| *dacl, &mut text)?;
        self.render_list("S:", &self.sacl, |(_, _, sacl)| *sacl, &mut text)?;
        Ok(text)
    }

    fn render_list(
        &self,
        letter: &str,
        list: &AccessControl,
        bit: impl Fn(&(&str, u16, u16)) -> u16,
        text: &mut String,
    ) -> Result<(), Error> {
        let set = LIST_FLAGS.iter().filter(|flag| self.control & bit(flag) != 0);
        let flags: String = set.map(|(letters, ..)| *letters).collect();
        match list {
            AccessControl::List(acl) => {
                text.push_str(letter);
                text.push_str(&flags);
                acl.aces.iter().try_for_each(|ace| render_ace(ace, text))
            }
            _ if !flags.is_empty() => {
                Err(Error::NoText { what: format!("`{flags}` of a list that is not there") })
            }
            AccessControl::Null => {
                text.push_str(letter);
                text.push_str(NULL_LIST);
                Ok(())
            }
            AccessControl::Absent => Ok(()),
        }
    }
}

fn render_sid(sid: &Sid) -> String {
    sid.letters().map_or_else(|| sid.to_string(), str::to_owned)
}

fn render_ace(ace: &Ace, text: &mut String) -> Result<(), Error> {
    let kind = KINDS.iter().find(|(_, kind)| *kind == ace.kind).map(|(letters, _)| *letters);
    let (mask, guids, sid) = match &ace.body {
        AceBody::Rights { mask, sid } => (mask, [&None, &None], sid),
        AceBody::Object { mask, object, inherited_object, sid } => {
            (mask, [object, inherited_object], sid)
        }
        AceBody::Other(_) => {
            return Err(Error::NoText { what: format!("an entry of kind {:#x}", ace.kind) });
        }
    };
    let Some(kind) = kind else {
        return Err(Error::NoText { what: format!("an entry of kind {:#x}", ace.kind) });
    };
    let set = FLAGS.iter().filter(|(_, flag)| ace.flags & flag != 0);
    let flags: String = set.map(|(letters, _)| *letters).collect();
    let mask = rights::render(*mask, ace.kind == ace_kind::MANDATORY_LABEL);
    let [object, inherited] =
        guids.map(|guid| guid.map(|guid| guid.to_string()).unwrap_or_default());
    let sid = render_sid(sid);
    text.push_str(&format!("({kind};{flags};{mask};{object};{inherited};{sid})"));
    Ok(())
}
