//! Cases: a `.kdl` file holds a whole project, further files begin at a line `// file: name`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mediabuild_schema::{Loaded, ParseCache, load_cached, load_with, render};

/// The `.kdl` files of a folder below `tests`, with their texts.
pub(crate) fn cases(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder of cases is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths.iter().map(|path| (stem(path), read(path))).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a file").to_string_lossy().into_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("cases are UTF-8")
}

/// The project of a case.
pub(crate) fn load_case(case: &str) -> Loaded {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut name = "mediabuild.kdl";
    files.insert(name.into(), Vec::new());
    for line in case.split_inclusive('\n') {
        match line.strip_prefix("// file: ") {
            Some(next) => {
                name = next.trim_end();
                files.insert(name.into(), Vec::new());
            }
            None => files.get_mut(name).expect("inserted above").extend(line.bytes()),
        }
    }
    load_twice(&files)
}

/// Loads a project without a cache, with an empty one and with one that knows it, which must not
/// be told apart.
pub(crate) fn load_twice(files: &BTreeMap<String, Vec<u8>>) -> Loaded {
    let folder = Path::new("/project");
    let (plain, cache) = (load_with(files, folder), MemoryCache::default());
    for _ in 0..2 {
        assert_eq!(said(&load_cached(files, folder, &cache)), said(&plain));
    }
    plain
}

/// Everything that came of loading, as text.
pub(crate) fn said(loaded: &Loaded) -> String {
    format!("{:#?}", (&loaded.definitions, &loaded.partial, &loaded.diagnostics))
}

/// Remembers what texts parsed to, by the texts themselves.
#[derive(Default)]
pub(crate) struct MemoryCache(pub(crate) RefCell<BTreeMap<String, Vec<u8>>>);

impl ParseCache for MemoryCache {
    fn get(&self, texts: &[&str]) -> Vec<Option<Vec<u8>>> {
        texts.iter().map(|text| self.0.borrow().get(*text).cloned()).collect()
    }

    fn put(&self, text: &str, parsed: Vec<u8>) {
        assert_eq!(self.0.borrow_mut().insert(text.into(), parsed), None, "it was parsed anew");
    }
}

/// What the user would read, with lines short enough for a review.
pub(crate) fn rendered(loaded: &Loaded) -> String {
    render(&loaded.texts, &loaded.diagnostics, false, 100)
}
