//! What a definition may say of single files: attributes, short names, security, named streams.
//!
//! Names belong to one folder; everything else belongs to the file, so it changes under all of its
//! hard links.

use super::dentry::{Dentry, Image, NamedStream, attribute};
use super::error::Error;
use super::hash::Sha1;
use super::name::Name;
use super::tree::split;
use crate::security::Descriptor;

/// Attributes that say nothing about how a file is stored.
const SETTABLE: u32 = attribute::READ_ONLY
    | attribute::HIDDEN
    | attribute::SYSTEM
    | attribute::ARCHIVE
    | attribute::TEMPORARY
    | attribute::OFFLINE
    | attribute::NOT_CONTENT_INDEXED;

impl Image {
    /// The id of a self-relative security descriptor, put into the image if it is new.
    pub fn security_id(&mut self, descriptor: &[u8]) -> Result<i32, Error> {
        let known = self.security.iter().position(|known| known == descriptor);
        let position = known.unwrap_or(self.security.len());
        let id = i32::try_from(position).map_err(|_| Error::Output {
            problem: format!("more than {} security descriptors", i32::MAX),
        })?;
        if known.is_none() {
            self.security.push(descriptor.to_vec());
        }
        Ok(id)
    }

    /// Sets the security descriptor of a file or folder from SDDL; what is below a folder keeps its
    /// own.
    pub fn set_security(&mut self, path: &str, sddl: &str) -> Result<(), Error> {
        let descriptor = Descriptor::from_sddl(sddl).and_then(|descriptor| descriptor.encode());
        let descriptor = descriptor.map_err(|error| Error::path(path, error.to_string()))?;
        let id = self.security_id(&descriptor)?;
        self.change(path, |dentry| {
            dentry.security_id = id;
            Ok(())
        })
    }

    /// Sets and clears [`attribute`] bits of a file or folder; those that say how it is stored
    /// cannot be changed.
    pub fn set_attributes(&mut self, path: &str, set: u32, cleared: u32) -> Result<(), Error> {
        let foreign = (set | cleared) & !SETTABLE;
        if foreign != 0 {
            let problem = format!("attributes {foreign:#x} follow from what it is");
            return Err(Error::path(path, problem));
        }
        self.change(path, |dentry| {
            dentry.attributes = match (dentry.attributes & !cleared | set) & !attribute::NORMAL {
                0 => attribute::NORMAL,
                some => some,
            };
            Ok(())
        })
    }

    /// Sets the 8.3 name of a file or folder; an empty one takes it away.
    pub fn set_short_name(&mut self, path: &str, short_name: &str) -> Result<(), Error> {
        if !short_name.is_empty()
            && let Some(problem) = short_name_problem(short_name)
        {
            return Err(Error::path(path, problem));
        }
        let short = Name::from(short_name);
        let (parent, name) = split(path)?;
        let folder = self.lookup_mut(parent).filter(|folder| folder.child(&name).is_some());
        let Some(folder) = folder else {
            return Err(Error::path(path, "is not in the image"));
        };
        let own = folder.child(&name).map(|dentry| dentry.name.clone()).unwrap_or_default();
        let taken = |other: &&Dentry| {
            let names = [&other.name, &other.short_name];
            other.name != own && names.iter().any(|name| name.equals_ignoring_case(&short))
        };
        if !short.is_empty()
            && let Some(other) = folder.children.iter().find(taken)
        {
            let problem = format!("the short name `{short_name}` is that of `{}`", other.name);
            return Err(Error::path(path, problem));
        }
        if let Some(dentry) = folder.child_mut(&name) {
            dentry.short_name = short;
        }
        Ok(())
    }

    /// Adds a named data stream to a file or folder, or replaces one of that name.
    pub fn add_stream(&mut self, path: &str, name: &str, sha1: Sha1) -> Result<(), Error> {
        let stream_name = Name::from(name);
        if let Some(problem) = stream_name_problem(&stream_name) {
            return Err(Error::path(path, format!("the stream name `{name}` {problem}")));
        }
        let sha1 = if sha1.is_empty_stream() { Sha1::ZERO } else { sha1 };
        self.change(path, |dentry| {
            if dentry.attributes & attribute::ENCRYPTED != 0 {
                return Err(Error::path(path, "is encrypted: its raw form holds all its streams"));
            }
            let same = |stream: &&mut NamedStream| stream.name.equals_ignoring_case(&stream_name);
            match dentry.streams.iter_mut().find(same) {
                Some(stream) => stream.sha1 = sha1,
                None => {
                    let name = stream_name.clone();
                    dentry.streams.push(NamedStream { name, reserved: 0, sha1 });
                }
            }
            Ok(())
        })
    }
}

/// What is wrong with an 8.3 name.
fn short_name_problem(name: &str) -> Option<String> {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let is_part = |part: &str, limit: usize| part.len() <= limit && part.bytes().all(is_short_byte);
    let is_whole = !stem.is_empty() && !name.ends_with('.');
    if is_whole && is_part(stem, 8) && is_part(extension, 3) {
        return None;
    }
    Some(format!(
        "`{name}` is not an 8.3 name: at most 8 capitals, digits or signs, and at most 3 after a dot"
    ))
}

fn is_short_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'()-@^_`{}~".contains(&byte)
}

fn stream_name_problem(name: &Name) -> Option<&'static str> {
    const COLON: u16 = b':' as u16;
    match name.units() {
        [] => Some("is empty"),
        units if units.len() > 255 => Some("has more than 255 units"),
        units if units.iter().any(|&unit| matches!(unit, 0 | 0x2f | 0x5c | COLON)) => {
            Some("contains `/`, `\\`, `:` or NUL")
        }
        _ => None,
    }
}
