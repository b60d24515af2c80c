//! Text that would abort, hang or confuse the parser gives a diagnostic instead.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::case::{load_case, rendered};
use mediabuild_schema::{Loaded, load_with};
use proptest::prelude::{ProptestConfig, any, prop, proptest};

fn load_bytes(bytes: &[u8]) -> Loaded {
    let files = BTreeMap::from([("mediabuild.kdl".to_string(), bytes.to_vec())]);
    load_with(&files, Path::new("/project"))
}

fn codes(text: &str) -> Vec<&'static str> {
    codes_of(&load_case(text))
}

fn codes_of(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn deep_nesting_is_a_diagnostic() {
    let deep = 10_000;
    let open = "a {\n".repeat(deep);
    let texts = [
        open.clone(),
        format!("{open}{}", "}\n".repeat(deep)),
        "{".repeat(deep),
        "/*".repeat(deep) + &"*/".repeat(deep),
        "/- a {\n".repeat(deep) + &"}\n".repeat(deep),
        "a /- {\n".repeat(deep),
        format!("// {}\n/* {} */\nproject \"x\"\n", "{".repeat(deep), "{".repeat(deep)),
        format!("project #\"{}\"#\n", "{".repeat(deep)),
    ];
    for text in texts {
        assert_eq!(codes(&text), ["nested-too-deep"], "{}", &text[..20]);
    }
}

#[test]
fn unclosed_nested_comments_are_a_diagnostic() {
    assert_eq!(codes(&"/*".repeat(10_000)), ["unclosed-comment"]);
}

#[test]
fn thirty_two_levels_are_parsed() {
    let text = format!("project \"x\"\n{}{}", "a {\n".repeat(32), "}\n".repeat(32));
    assert_eq!(codes(&text), ["unknown-node"]);
}

#[test]
fn nested_disabled_blocks_are_refused_before_they_take_exponential_time() {
    let text = format!("a {}{}", "/- { b ".repeat(20), "}".repeat(20));
    let start = Instant::now();
    assert_eq!(codes(&text), ["nested-too-deep"]);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn balanced_braces_in_strings_are_free() {
    let id = "\"{23170F69-40C1-2702-2408-000001000000}\"\n";
    let values = format!("    V {id}").replace("V", "Guid");
    let many: String = (0..1000).map(|n| values.replace("Guid", &format!("Guid{n}"))).collect();
    let text = format!("project \"x\"\nvariables \"ids\" {{\n{many}}}\n");
    assert_eq!(codes(&text), [""; 0]);
}

#[test]
fn long_chains_of_dependencies_do_not_overflow_the_stack() {
    let count = 10_000;
    let application =
        |n: usize| format!("application \"a{n}\" {{ source \"a\"; depends-on \"a{}\" }}\n", n + 1);
    let chain: String = (0..count).map(application).collect();
    let last = format!("application \"a{count}\" {{ source \"a\" }}\n");
    let definitions = load_case(&format!("project \"x\"\n{chain}{last}")).definitions;
    let definitions = definitions.expect("no errors");
    assert_eq!(definitions.application_closure(&["a0"]).len(), count + 1);
    let cycle = format!("project \"x\"\n{chain}{}", last.replace("{ ", "{ depends-on \"a0\"; "));
    assert_eq!(codes(&cycle), ["dependency-cycle"]);
}

#[test]
fn large_files_are_a_diagnostic() {
    assert_eq!(codes(&"// x\n".repeat(1 << 20)), ["file-too-large"]);
}

#[test]
fn bytes_that_are_not_utf_8_are_a_diagnostic_with_their_offset() {
    let loaded = load_bytes(b"project \"x\"\npackage \"a\xFF\"\n");
    assert_eq!(loaded.diagnostics[0].code, "not-utf-8");
    assert_eq!(loaded.diagnostics[0].labels[0].span.offset_bytes, 22);
    assert!(rendered(&loaded).contains("mediabuild.kdl:2:11"), "{}", rendered(&loaded));
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_allowed() {
    let loaded = load_bytes(
        "\u{FEFF}project \"x\"\r\npackage \"a\" {\r\n  source \"b\"\r\n}\r\n".as_bytes(),
    );
    assert!(loaded.definitions.is_some(), "{}", rendered(&loaded));
}

/// Pieces that are likely to upset a parser when put together.
const PIECES: &[&str] = &[
    "\"",
    "\"\"\"",
    "\n",
    "\\",
    "#",
    "#\"",
    "\"#",
    "{",
    "}",
    "/*",
    "*/",
    "/-",
    "//",
    "(",
    ")",
    "=",
    ";",
    " ",
    "a",
    "r",
    "true",
    "#true",
    "1",
    "\u{FEFF}",
    "\r\n",
    "é",
    "'",
    ",",
    "[",
    "\t",
    "\nproject",
    "media \"m\"",
    "type=",
    "\\u{",
    "include",
    "source",
    "..",
    "😀",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_loaded_or_explained(text in any::<String>()) {
        let loaded = load_bytes(text.as_bytes());
        assert!(loaded.definitions.is_some() || !rendered(&loaded).is_empty());
    }

    #[test]
    fn any_bytes_are_loaded_or_explained(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let loaded = load_bytes(&bytes);
        assert!(loaded.definitions.is_some() || !rendered(&loaded).is_empty());
    }

    /// Codes of text that does not parse are for text that the KDL parser refuses too, except for
    /// habits that KDL happens to read as something else.
    #[test]
    fn text_that_kdl_accepts_is_not_called_malformed(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)
    ) {
        let text = pieces.concat();
        if text.parse::<kdl::KdlDocument>().is_ok() {
            let malformed = [
                "syntax", "unopened-brace", "unclosed-brace", "unclosed-comment", "unclosed-string",
                "invalid-escape", "multi-line-string", "unknown-keyword", "bare-keyword",
                "bracket", "old-raw-string",
            ];
            for code in codes_of(&load_bytes(text.as_bytes())) {
                assert!(!malformed.contains(&code), "{code}: {text:?}");
            }
        }
    }

    #[test]
    fn any_pieces_of_kdl_are_loaded_or_explained(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)
    ) {
        let loaded = load_bytes(pieces.concat().as_bytes());
        assert!(loaded.definitions.is_some() || !rendered(&loaded).is_empty());
    }
}
