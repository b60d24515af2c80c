//! Exclusions: errors are fine; panics and long matching are bugs. A tree loses what is excluded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::wim::{FileSpec, FileTime, Image, Sha1, WimScript};

const PATHS: [&str; 5] = [
    "pagefile.sys",
    "Windows/Temp/a.tmp",
    "aaaaaaaaaaaaaaaa/aaaaaaaaaaaaaaab",
    "Ä/?x",
    "a/b/c/d/e",
];

fuzz_target!(|data: &[u8]| {
    let Ok(script) = WimScript::decode(data) else { return };
    let mut image = Image::new(FileTime(0));
    for path in PATHS {
        let file = FileSpec::new(Sha1::ZERO, FileTime(0));
        image.insert_file(path, file).expect("a new file");
        let _ = script.compresses(path);
    }
    image.exclude(&script);
    for path in PATHS {
        assert_eq!(image.lookup(path).is_none(), script.excludes(path), "{path}");
    }
});
