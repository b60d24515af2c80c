//! `WimScript`: which files of a tree are left out of an image, and which are not compressed.
//!
//! ```text
//! [ExclusionList]             \pagefile.sys    a path from the root
//! [ExclusionException]        *.tmp            a name in any folder
//! [CompressionExclusionList]  cache\*.zip      the end of a path
//! ```
//! `*` matches any and `?` one unit of a name, never a separator; case is ignored as Windows does. A
//! folder that is left out takes everything below it along, except what an exception keeps.

use super::dentry::{Dentry, Image};
use super::error::Error;
use super::name::{Name, upcase};

/// Largest script that is read: real ones have a page.
const SIZE_LIMIT_BYTES: usize = 1 << 20;

/// What a `WimScript.ini` says. A list that nobody wrote is empty: Windows' own defaults, such as
/// `\pagefile.sys`, are not taken for granted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WimScript {
    /// `[ExclusionList]`: left out.
    pub exclusions: Vec<Pattern>,
    /// `[ExclusionException]`: kept all the same.
    pub exceptions: Vec<Pattern>,
    /// `[CompressionExclusionList]`: stored as they are.
    pub uncompressed: Vec<Pattern>,
    /// `[PrepopulateList]` of a `WimBootCompress.ini`: not left in the WIM by WIMBoot.
    pub prepopulated: Vec<Pattern>,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Whether it begins at the root.
    is_rooted: bool,
    /// Upcased names, of which the last must be the last of a path; never empty.
    names: Vec<Vec<u16>>,
}

const ANY: u16 = b'*' as u16;
const ONE: u16 = b'?' as u16;

impl Pattern {
    /// Reads a pattern; `/` is as good as `\`, and the drive of `C:\pagefile.sys` is ignored, as an
    /// image has none. The problem if no file can ever match.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let text = text.trim();
        let bytes = text.as_bytes();
        let has_drive = bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
        let path = if has_drive { &text[2..] } else { text };
        let is_separator = |character: char| matches!(character, '/' | '\\');
        let is_rooted = path.starts_with(is_separator);
        let names: Vec<&str> = path.split(is_separator).filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Err(format!("`{text}` names no file"));
        }
        if names.iter().any(|name| matches!(*name, "." | "..") || name.contains('\0')) {
            return Err(format!("`{text}` has a name that no file has"));
        }
        let names = names.into_iter().map(upcased_pattern).collect();
        Ok(Pattern { is_rooted, names })
    }

    /// Whether it matches a path, given as upcased names from the root.
    fn matches(&self, path: &[Box<[u16]>]) -> bool {
        let Some(skipped) = path.len().checked_sub(self.names.len()) else { return false };
        let mut pairs = self.names.iter().zip(&path[skipped..]);
        !(self.is_rooted && skipped > 0) && pairs.all(|(pattern, name)| glob(pattern, name))
    }
}

/// Windows takes `*.*` for everything, also for names without a dot.
fn upcased_pattern(name: &str) -> Vec<u16> {
    match name {
        "*.*" => vec![ANY],
        name => name.encode_utf16().map(upcase).collect(),
    }
}

/// Whether a pattern matches a name, in time that is at most the product of their sizes.
fn glob(pattern: &[u16], name: &[u16]) -> bool {
    let (mut at, mut position) = (0, 0);
    // Behind the last `*`, and the first unit that it does not cover.
    let mut retry: Option<(usize, usize)> = None;
    while position < name.len() {
        match pattern.get(at) {
            Some(&ANY) => {
                at += 1;
                retry = Some((at, position));
            }
            Some(&unit) if unit == ONE || unit == name[position] => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((behind, covered)) = retry else { return false };
                (at, position) = (behind, covered + 1);
                retry = Some((behind, covered + 1));
            }
        }
    }
    pattern[at..].iter().all(|&unit| unit == ANY)
}

impl WimScript {
    /// Reads a file: UTF-8, or UTF-16 with a byte order mark.
    pub fn decode(bytes: &[u8]) -> Result<WimScript, Error> {
        if bytes.len() > SIZE_LIMIT_BYTES {
            let problem = format!("has {} bytes, at most {SIZE_LIMIT_BYTES}", bytes.len());
            return Err(Error::Script { line: 1, problem });
        }
        let utf16 = |read: fn([u8; 2]) -> u16, bytes: &[u8]| {
            let units = bytes.chunks_exact(2).map(|unit| read([unit[0], unit[1]]));
            String::from_utf16_lossy(&units.collect::<Vec<u16>>())
        };
        let text = match bytes {
            [0xff, 0xfe, rest @ ..] => utf16(u16::from_le_bytes, rest),
            [0xfe, 0xff, rest @ ..] => utf16(u16::from_be_bytes, rest),
            bytes => match std::str::from_utf8(bytes) {
                Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
                Err(error) => {
                    let line = line_of(&bytes[..error.valid_up_to()]);
                    let problem = "is not UTF-8: save the file as UTF-8 or Unicode".to_owned();
                    return Err(Error::Script { line, problem });
                }
            },
        };
        WimScript::parse(&text)
    }

    /// Reads the text of a `WimScript.ini`. Lists of other names are ignored, as Windows does.
    pub fn parse(text: &str) -> Result<WimScript, Error> {
        let mut script = WimScript::default();
        let mut section: Option<String> = None;
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            let wrong = |problem: String| Error::Script { line, problem };
            if text.is_empty() || text.starts_with([';', '#']) {
                continue;
            }
            if let Some(name) = text.strip_prefix('[') {
                let name = name.strip_suffix(']');
                let name = name.ok_or_else(|| wrong(format!("`{text}` has no closing bracket")))?;
                section = Some(name.trim().to_ascii_lowercase());
                continue;
            }
            let Some(section) = &section else {
                return Err(wrong(format!("`{text}` is in no list, such as `[ExclusionList]`")));
            };
            if let Some(list) = script.list(section) {
                list.push(Pattern::parse(unquoted(text)).map_err(wrong)?);
            }
        }
        Ok(script)
    }

    fn list(&mut self, section: &str) -> Option<&mut Vec<Pattern>> {
        match section {
            "exclusionlist" => Some(&mut self.exclusions),
            "exclusionexception" => Some(&mut self.exceptions),
            "compressionexclusionlist" => Some(&mut self.uncompressed),
            "prepopulatelist" => Some(&mut self.prepopulated),
            _ => None,
        }
    }

    /// Adds what another script says.
    pub fn extend(&mut self, other: WimScript) {
        self.exclusions.extend(other.exclusions);
        self.exceptions.extend(other.exceptions);
        self.uncompressed.extend(other.uncompressed);
        self.prepopulated.extend(other.prepopulated);
    }

    /// Whether a file at this path, `Windows/Temp/x`, is left out.
    pub fn excludes(&self, path: &str) -> bool {
        let names = upcased_names(path);
        let matched = |patterns: &[Pattern]| {
            let mut prefixes = (1..=names.len()).map(|length| &names[..length]);
            prefixes.any(|prefix| is_any(patterns, prefix))
        };
        matched(&self.exclusions) && !matched(&self.exceptions)
    }

    /// Whether a file at this path is compressed, as far as the script says.
    pub fn compresses(&self, path: &str) -> bool {
        let names = upcased_names(path);
        !(1..=names.len()).any(|length| is_any(&self.uncompressed, &names[..length]))
    }
}

fn is_any(patterns: &[Pattern], path: &[Box<[u16]>]) -> bool {
    patterns.iter().any(|pattern| pattern.matches(path))
}

fn upcased_names(path: &str) -> Vec<Box<[u16]>> {
    let names = path.split(['/', '\\']).filter(|name| !name.is_empty());
    names.map(|name| Name::from(name).upcased()).collect()
}

fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
}

fn line_of(before: &[u8]) -> usize {
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

impl Image {
    /// Takes out what a script leaves out; returns the paths of what went, without what was below.
    pub fn exclude(&mut self, script: &WimScript) -> Vec<String> {
        let mut exclusion = Exclusion { script, trail: Vec::new(), gone: Vec::new() };
        if !script.exclusions.is_empty() {
            exclusion.sift(&mut self.root, "", false);
        }
        exclusion.gone
    }
}

struct Exclusion<'a> {
    script: &'a WimScript,
    /// Upcased names from the root.
    trail: Vec<Box<[u16]>>,
    gone: Vec<String>,
}

impl Exclusion<'_> {
    /// Takes out children of a folder that is itself left out, or not; whether some stay.
    fn sift(&mut self, folder: &mut Dentry, path: &str, is_excluded: bool) -> bool {
        let children = std::mem::take(&mut folder.children);
        for mut child in children {
            let child_path = match path {
                "" => child.name.to_string(),
                path => format!("{path}/{}", child.name),
            };
            self.trail.push(child.name.upcased());
            if self.keeps(&mut child, &child_path, is_excluded) {
                folder.children.push(child);
            } else {
                self.gone.push(child_path);
            }
            self.trail.pop();
        }
        !folder.children.is_empty()
    }

    /// Whether a child stays, perhaps without some of what is below it.
    fn keeps(&mut self, child: &mut Dentry, path: &str, is_excluded: bool) -> bool {
        if is_any(&self.script.exceptions, &self.trail) {
            return true;
        }
        let is_excluded = is_excluded || is_any(&self.script.exclusions, &self.trail);
        if is_excluded && self.script.exceptions.is_empty() {
            return false;
        }
        let before = self.gone.len();
        if self.sift(child, path, is_excluded) || !is_excluded {
            return true;
        }
        // It goes as a whole.
        self.gone.truncate(before);
        false
    }
}

/// For callers that have patterns of a definition, and no script.
impl FromIterator<Pattern> for WimScript {
    fn from_iter<T: IntoIterator<Item = Pattern>>(patterns: T) -> WimScript {
        WimScript { exclusions: patterns.into_iter().collect(), ..WimScript::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, WimScript};
    use crate::wim::{FileSpec, FileTime, Image, Sha1};

    const SCRIPT: &str = "; the defaults of Windows\r\n[ExclusionList]\r\n\\$ntfs.log\r\n\
        \\hiberfil.sys\r\nC:\\pagefile.sys\r\n\"\\System Volume Information\"\r\n\\Windows\\CSC\r\n\
        *.tmp\r\ncache\\*\r\n\r\n[ExclusionException]\r\n\\Windows\\CSC\\keep\r\nkeep.tmp\r\n\
        [Unknown]\r\n..\r\n[compressionexclusionlist]\r\n*.mp3\r\n\\WINDOWS\\inf\\*.pnf\r\n";

    #[test]
    fn paths_match_as_windows_says() {
        let script = WimScript::parse(SCRIPT).expect("a script");
        for excluded in [
            "$NTFS.LOG",
            "pagefile.sys",
            "system volume information/x/y",
            "Windows/CSC",
            "windows/csc/other/file",
            "a.TMP",
            "deep/er/.tmp",
            "folder.tmp/x",
            "a/Cache/b",
            "cache/b/c",
        ] {
            assert!(script.excludes(excluded), "{excluded}");
        }
        for kept in [
            "",
            "x/pagefile.sys",
            "Windows",
            "Windows/CSC2",
            "windows/CSC/KEEP/x",
            "a/keep.tmp",
            "a.tmpx",
            "cache",
            "C:",
        ] {
            assert!(!script.excludes(kept), "{kept}");
        }
        assert!(!script.compresses("a/b.MP3") && !script.compresses("windows/inf/x.pnf"));
        assert!(script.compresses("inf/x.pnf") && script.compresses("b.mp3x"));
    }

    #[test]
    fn wildcards_cover_names_and_no_more() {
        let matches = |pattern: &str, path: &str| {
            let pattern = Pattern::parse(pattern).expect("a pattern");
            pattern.matches(&super::upcased_names(path))
        };
        for (pattern, path) in [
            ("*", "x"),
            ("*.*", "no dot"),
            ("a*b*c", "aXbXbc"),
            ("?", "é"),
            ("a?c", "ABC"),
            ("**a", "a"),
            ("ä*", "Äx"),
            (r"\a\*\c", "a/b/c"),
            (r"b\c", "a/b/c"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("?", ""),
            ("?", "ab"),
            ("a*b", "abc"),
            (r"\*", "a/b"),
            (r"\a\*\c", "a/b/b/c"),
            (r"b\c", "c"),
            ("", "x"),
        ] {
            assert!(pattern.is_empty() || !matches(pattern, path), "{pattern} {path}");
        }
        // Exponential time would never end here.
        assert!(!matches(&"*a".repeat(2000), &"a".repeat(1999)));
    }

    #[test]
    fn mistakes_are_named_with_their_lines() {
        for (text, expected) in [
            ("\n\nx", "line 3: `x` is in no list"),
            ("[ExclusionList\n", "line 1: `[ExclusionList` has no closing bracket"),
            ("[ExclusionList]\n\\\n", "line 2: `\\` names no file"),
            ("[ExclusionList]\na\n..\\x", "line 3: `..\\x` has a name that no file has"),
        ] {
            let error = WimScript::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = WimScript::decode(b"[x]\n\xe4").expect_err("no UTF-8").to_string();
        assert!(error.contains("line 2: is not UTF-8"), "{error}");
        WimScript::decode(&vec![b' '; 2 << 20]).expect_err("too large");
    }

    #[test]
    fn encodings_of_windows_editors_are_read() {
        let expected = WimScript::parse(SCRIPT).expect("a script");
        let units = || ['\u{feff}'].into_iter().chain(SCRIPT.chars()).collect::<String>();
        let utf8 = units().into_bytes();
        let little: Vec<u8> = units().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [SCRIPT.as_bytes(), &utf8, &little, &big] {
            assert_eq!(WimScript::decode(bytes).expect("a script"), expected);
        }
        for odd in [&[0xff, 0xfe, 0][..], &[0xff, 0xfe, 0, 0xd8], &[0xfe, 0xff], b""] {
            let _ = WimScript::decode(odd);
        }
    }

    #[test]
    fn images_lose_what_is_excluded_and_nothing_else() {
        let script = WimScript::parse(SCRIPT).expect("a script");
        let time = FileTime(0);
        let paths = [
            "pagefile.sys",
            "a/pagefile.sys",
            "Windows/CSC/x/y",
            "Windows/CSC/keep/z",
            "Windows/CSC/v/keep.tmp",
            "Windows/x.tmp",
            "t.tmp/only/keep.tmp",
            "u.tmp/gone",
        ];
        let mut image = Image::new(time);
        for path in paths {
            image.insert_file(path, FileSpec::new(Sha1::ZERO, time)).expect("a new file");
        }
        image.make_folder("Windows/Temp.tmp/empty", time).expect("a folder");
        image.make_folder("empty", time).expect("a folder");
        let gone = image.exclude(&script);
        let expected =
            ["pagefile.sys", "Windows/CSC/x", "Windows/x.tmp", "Windows/Temp.tmp", "u.tmp"];
        assert_eq!(gone, expected);
        for path in paths {
            assert_eq!(image.lookup(path).is_none(), script.excludes(path), "{path}");
        }
        assert!(image.lookup("empty").is_some() && image.lookup("Windows/CSC/x").is_none());
        assert!(image.exclude(&script).is_empty());
        assert!(image.exclude(&WimScript::default()).is_empty());
    }

    #[test]
    fn patterns_of_a_definition_make_a_script() {
        let patterns = ["/Windows/Temp/*", "*.tmp"].map(|text| Pattern::parse(text).expect("it"));
        let script: WimScript = patterns.into_iter().collect();
        assert!(script.excludes("windows/temp/x") && !script.excludes("windows/temp"));
    }
}
