//! Targets of links and junctions → the text of a symbolic link that stays in the folder.
//!
//! A target that names a drive is taken from the image's root, for an image is a drive; the link is
//! then made relative, so that the folder can be moved. A relative target keeps its text. Targets
//! that lead out of the folder, and those on other volumes and servers, have no link.

use std::path::Path;

use mediabuild_formats::wim::{JUNCTION, LinkTarget, SYMBOLIC_LINK};

pub(super) fn is_link(tag: u32) -> bool {
    tag == SYMBOLIC_LINK || tag == JUNCTION
}

/// The text of the link at `path`, or why there is none.
pub(super) fn link_text(tag: u32, data: &[u8], path: &Path) -> Result<String, String> {
    let target = LinkTarget::read(tag, data).ok_or("its reparse data is damaged")?;
    text_to(&target, path)
}

fn text_to(target: &LinkTarget, path: &Path) -> Result<String, String> {
    let text = String::from_utf16(&target.units).map_err(|_| "its target is not Unicode")?;
    let text = text.replace('\\', "/");
    if text.contains('\0') || text.is_empty() {
        return Err("its target is no path".to_owned());
    }
    let depth = path.components().count().saturating_sub(1);
    let outside = || format!("its target `{}` is not in the image", text.escape_debug());
    if target.is_relative {
        let (up, names) = relative(&text).ok_or_else(outside)?;
        let inside = up <= depth;
        return if inside { Ok(join(up, &names, &text)) } else { Err(outside()) };
    }
    let names = on_drive(&text).and_then(absolute).ok_or_else(outside)?;
    Ok(join(depth, &names, ""))
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

    use super::{LinkTarget, Path, text_to};

    fn link(path: &str, target: &str, is_relative: bool) -> Result<String, String> {
        let units = target.encode_utf16().collect();
        text_to(&LinkTarget { units, is_relative }, Path::new(path))
    }

    #[test]
    fn relative_targets_keep_their_text_if_they_stay_inside() {
        assert_eq!(link("a", r"sub\b", true).as_deref(), Ok("sub/b"));
        assert_eq!(link("x/y/a", r"..\b", true).as_deref(), Ok("../b"));
        assert_eq!(link("x/y/a", r".\b\", true).as_deref(), Ok("./b/"));
        assert_eq!(link("x/y/a", r"..\..", true).as_deref(), Ok("../.."));
        for (path, target) in [("a", ".."), ("x/a", r"..\..\etc"), ("a", r"b\..\..\c")] {
            assert!(link(path, target, true).is_err(), "{path} -> {target}");
        }
        for target in [r"\etc", r"C:\x", r"c:x", ""] {
            assert!(link("a", target, true).is_err(), "{target}");
        }
    }

    #[test]
    fn a_step_back_through_what_may_be_a_link_is_resolved() {
        assert_eq!(link("x/a", r"link\..\b", true).as_deref(), Ok("b"));
        assert_eq!(link("x/a", r"link\..", true).as_deref(), Ok("."));
        assert_eq!(link("x/a", r"link\..\..\b", true).as_deref(), Ok("../b"));
    }

    #[test]
    fn targets_on_a_drive_are_in_the_image() {
        assert_eq!(link("a/b", r"\??\C:\Users", false).as_deref(), Ok("../Users"));
        assert_eq!(link("b", r"\??\C:\Users\x", false).as_deref(), Ok("Users/x"));
        assert_eq!(link("b", r"\??\C:\", false).as_deref(), Ok("."));
        assert_eq!(link("a/b", r"D:\x\..\y", false).as_deref(), Ok("../y"));
        assert_eq!(link("a/b", r"\y", false).as_deref(), Ok("../y"));
        assert_eq!(link("a/b/c", r"\??\C:\ProgramData", false).as_deref(), Ok("../../ProgramData"));
        let elsewhere =
            [r"\??\Volume{1b3b1146}\x", r"\??\UNC\server\x", r"\\server\x", r"C:\..\x", "x"];
        for target in elsewhere {
            assert!(link("a", target, false).is_err(), "{target}");
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
            is_relative: bool,
        ) {
            let path = "f/".repeat(folders) + "link";
            if let Ok(text) = link(&path, &target, is_relative) {
                let names: Vec<&str> =
                    text.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
                let up = names.iter().take_while(|name| **name == "..").count();
                prop_assert!(!text.starts_with('/') && !text.is_empty(), "{}", text);
                prop_assert!(up <= folders && !names[up..].contains(&".."), "{}", text);
            }
        }
    }
}
