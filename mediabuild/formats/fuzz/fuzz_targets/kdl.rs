//! Definition files: a text is loaded or explained; panics are bugs.
//!
//! The parser runs on a thread whose panics are caught, as they are not ours: those stay caught.

#![no_main]

use std::collections::BTreeMap;
use std::panic;
use std::path::Path;
use std::thread;

use libfuzzer_sys::fuzz_target;
use mediabuild_schema::{PROJECT_FILE, load_with, position, render};

/// Files besides the project file, in the order of what follows each separator.
const OTHER_FILES: [&str; 3] = ["a.kdl", "sub/b.kdl", "sub/sub/c.kdl"];
const SEPARATOR: u8 = 1;
/// Rendering takes a while; one of many is like the others.
const RENDERED_MAX: usize = 50;

fuzz_target!(init: keep_parser_panics_caught(), |data: &[u8]| {
    let names = [PROJECT_FILE].into_iter().chain(OTHER_FILES);
    let texts = data.split(|&byte| byte == SEPARATOR).map(<[u8]>::to_vec);
    let files: BTreeMap<String, Vec<u8>> = names.map(str::to_owned).zip(texts).collect();
    let loaded = load_with(&files, Path::new("/project"));
    assert!(loaded.definitions.is_some() || !loaded.diagnostics.is_empty());
    for label in loaded.diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
        let text = &loaded.texts.get(label.span.text).text;
        let end = label.span.offset_bytes + label.span.size_bytes;
        assert!(text.is_char_boundary(label.span.offset_bytes) && text.is_char_boundary(end));
        assert!(position(&loaded.texts, label.span) >= (1, 1));
    }
    let diagnostics = &loaded.diagnostics[..loaded.diagnostics.len().min(RENDERED_MAX)];
    let rendered = render(&loaded.texts, diagnostics, data.len().is_multiple_of(2), 20 + data.len() % 100);
    assert_eq!(rendered.is_empty(), diagnostics.is_empty());
});

/// The fuzzer aborts on any panic.
fn keep_parser_panics_caught() {
    let (abort, own) = (panic::take_hook(), thread::current().id());
    panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == own {
            abort(panic);
        }
    }));
}
