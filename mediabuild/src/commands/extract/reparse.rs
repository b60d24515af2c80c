//! Reparse data of links and junctions → the text of a symbolic link that stays in the folder.
//!
//! A target that names a drive is taken from the image's root, for an image is a drive; the link is
//! then made relative, so that the folder can be moved. A relative target keeps its text. Targets
//! that lead out of the folder, and those on other volumes and servers, have no link.

use std::path::Path;

const SYMLINK: u32 = 0xa000_000c;
const JUNCTION: u32 = 0xa000_0003;
/// Flag of a symbolic link whose target is relative.
const RELATIVE: u32 = 1;

pub(super) fn is_link(tag: u32) -> bool {
    tag == SYMLINK || tag == JUNCTION
}

/// The text of the link at `path`, or why there is none.
pub(super) fn link_text(tag: u32, data: &[u8], path: &Path) -> Result<String, String> {
    let target = substitute_name(tag, data).ok_or("its reparse data is damaged")?;
    let Target { text, is_relative } = target;
    let text = String::from_utf16(&text).map_err(|_| "its target is not Unicode")?;
    let text = text.replace('\\', "/");
    if text.contains('\0') || text.is_empty() {
        return Err("its target is no path".to_owned());
    }
    let depth = path.components().count().saturating_sub(1);
    let outside = || format!("its target `{}` is not in the image", text.escape_debug());
    if is_relative {
        let (up, names) = relative(&text).ok_or_else(outside)?;
        let inside = up <= depth;
        return if inside { Ok(join(up, &names, &text)) } else { Err(outside()) };
    }
    let names = on_drive(&text).and_then(absolute).ok_or_else(outside)?;
    Ok(join(depth, &names, ""))
}

struct Target {
    text: Vec<u16>,
    is_relative: bool,
}

/// The name that Windows follows, as opposed to the one that it shows.
fn substitute_name(tag: u32, data: &[u8]) -> Option<Target> {
    // +0x00: offset of the name; +0x02: its size; +0x04: the same of the shown name;
    // +0x08: flags, of symbolic links only
    let u16_at = |offset: usize| Some(u16::from_le_bytes(*data.get(offset..)?.first_chunk()?));
    let (offset, size) = (usize::from(u16_at(0)?), usize::from(u16_at(2)?));
    let flags = u32::from(u16_at(8)?);
    let (names, is_relative) =
        if tag == SYMLINK { (12, flags & RELATIVE != 0) } else { (8, false) };
    let name = data.get(names + offset..)?.get(..size)?;
    let text = name.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    Some(Target { text, is_relative })
}

/// How many folders a relative target goes up, and the names it goes down: a `..` behind a name is
/// resolved, for that name may be a link, whose parent is elsewhere. `None` if it is not relative.
fn relative(text: &str) -> Option<(usize, Vec<&str>)> {
    if text.starts_with('/') || text.get(1..2) == Some(":") {
        return None;
    }
    let (mut up, mut names) = (0, Vec::new());
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." if names.pop().is_none() => up += 1,
            ".." => {}
            name => names.push(name),
        }
    }
    Some((up, names))
}

/// What follows the drive: `/??/C:/Users` → `Users`.
fn on_drive(text: &str) -> Option<&str> {
    let text = ["/??/", "//?/"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let mut letters = text.chars();
    let is_drive = letters.next()?.is_ascii_alphabetic() && letters.next() == Some(':');
    match is_drive {
        true => text.get(2..).filter(|rest| rest.is_empty() || rest.starts_with('/')),
        // From the root of the drive the link is on; two slashes begin a server's name.
        false => text.strip_prefix('/').filter(|rest| !rest.starts_with('/')),
    }
}

/// The names of an absolute target; `None` if it leads above the root.
fn absolute(text: &str) -> Option<Vec<&str>> {
    let (up, names) = relative(text.trim_start_matches('/'))?;
    (up == 0).then_some(names)
}

/// `..` so many times, then the names; `original` if that says the same.
fn join(up: usize, names: &[&str], original: &str) -> String {
    let parts: Vec<&str> = std::iter::repeat_n("..", up).chain(names.iter().copied()).collect();
    let same = original.trim_end_matches('/').split('/').filter(|name| !matches!(*name, "" | "."));
    if !original.is_empty() && same.eq(parts.iter().copied()) {
        return original.to_owned();
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{JUNCTION, Path, SYMLINK, link_text};

    fn data(tag: u32, target: &str, flags: u32) -> Vec<u8> {
        let name: Vec<u8> = target.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut data = vec![0, 0];
        data.extend((name.len() as u16).to_le_bytes());
        data.extend([0; 4]);
        if tag == SYMLINK {
            data.extend(flags.to_le_bytes());
        }
        data.extend(name);
        data
    }

    fn link(path: &str, target: &str, flags: u32) -> Result<String, String> {
        link_text(SYMLINK, &data(SYMLINK, target, flags), Path::new(path))
    }

    #[test]
    fn relative_targets_keep_their_text_if_they_stay_inside() {
        assert_eq!(link("a", r"sub\b", 1).as_deref(), Ok("sub/b"));
        assert_eq!(link("x/y/a", r"..\b", 1).as_deref(), Ok("../b"));
        assert_eq!(link("x/y/a", r".\b\", 1).as_deref(), Ok("./b/"));
        assert_eq!(link("x/y/a", r"..\..", 1).as_deref(), Ok("../.."));
        for (path, target) in [("a", ".."), ("x/a", r"..\..\etc"), ("a", r"b\..\..\c")] {
            assert!(link(path, target, 1).is_err(), "{path} -> {target}");
        }
        for target in [r"\etc", r"C:\x", r"c:x", ""] {
            assert!(link("a", target, 1).is_err(), "{target}");
        }
    }

    #[test]
    fn a_step_back_through_what_may_be_a_link_is_resolved() {
        assert_eq!(link("x/a", r"link\..\b", 1).as_deref(), Ok("b"));
        assert_eq!(link("x/a", r"link\..", 1).as_deref(), Ok("."));
        assert_eq!(link("x/a", r"link\..\..\b", 1).as_deref(), Ok("../b"));
    }

    #[test]
    fn targets_on_a_drive_are_in_the_image() {
        assert_eq!(link("a/b", r"\??\C:\Users", 0).as_deref(), Ok("../Users"));
        assert_eq!(link("b", r"\??\C:\Users\x", 0).as_deref(), Ok("Users/x"));
        assert_eq!(link("b", r"\??\C:\", 0).as_deref(), Ok("."));
        assert_eq!(link("a/b", r"D:\x\..\y", 0).as_deref(), Ok("../y"));
        assert_eq!(link("a/b", r"\y", 0).as_deref(), Ok("../y"));
        let junction = data(JUNCTION, r"\??\C:\ProgramData", 0);
        assert_eq!(
            link_text(JUNCTION, &junction, Path::new("a/b/c")).as_deref(),
            Ok("../../ProgramData")
        );
        let elsewhere =
            [r"\??\Volume{1b3b1146}\x", r"\??\UNC\server\x", r"\\server\x", r"C:\..\x", "x"];
        for target in elsewhere {
            assert!(link("a", target, 0).is_err(), "{target}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        /// Whatever the target: up no further than the folder, and never up again behind a name,
        /// which may be a link to anywhere in it.
        #[test]
        fn no_link_leads_out(
            target in r"(\\\?\?\\)?([Cc]:)?([.a\\/]|\.\.){0,12}",
            folders in 0..4_usize,
            is_junction: bool,
            flags in 0..2_u32,
        ) {
            let tag = if is_junction { JUNCTION } else { SYMLINK };
            let path = "f/".repeat(folders) + "link";
            if let Ok(text) = link_text(tag, &data(tag, &target, flags), Path::new(&path)) {
                let names: Vec<&str> =
                    text.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
                let up = names.iter().take_while(|name| **name == "..").count();
                prop_assert!(!text.starts_with('/') && !text.is_empty(), "{}", text);
                prop_assert!(up <= folders && !names[up..].contains(&".."), "{}", text);
            }
        }
    }

    #[test]
    fn damaged_data_has_no_target() {
        let good = data(SYMLINK, "target", 1);
        for size in 0..good.len() {
            assert!(link_text(SYMLINK, &good[..size], Path::new("a")).is_err(), "{size}");
        }
    }
}
