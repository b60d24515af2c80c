//! Cases: a `.kdl` file holds a whole project, further files begin at a line `// file: name`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mediabuild_schema::{Loaded, load_with, render};

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
    load_with(&files, Path::new("/project"))
}

/// What the user would read, with lines short enough for a review.
pub(crate) fn rendered(loaded: &Loaded) -> String {
    render(&loaded.texts, &loaded.diagnostics, false, 100)
}
