//! Directories: names to contents.

use mediabuild_store::{
    Content, Digest, Directory, DirectoryBuilder, DirectoryError, Entry, EntryName, Error, Store,
    walk,
};

use super::{commit, put};

fn name(text: &str) -> EntryName {
    EntryName::parse(text).unwrap()
}

pub(crate) fn a_directory_comes_back_as_it_was(store: &dyn Store) {
    let content = put(store, b"x");
    let mut directory = Directory::new();
    directory.insert(name("b"), Entry::File(content)).unwrap();
    directory.insert(name("a"), Entry::File(content)).unwrap();
    let digest = commit(store, |batch| batch.put_directory(&directory).unwrap());
    assert_eq!(digest, directory.digest());
    assert_eq!(store.directory(&digest).unwrap(), directory);
    assert_eq!(directory.get("a"), Some(&Entry::File(content)));
    let names: Vec<_> = directory.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

pub(crate) fn paths_become_nested_directories(store: &dyn Store) {
    let (one, two) = (put(store, b"1"), put(store, b"2"));
    let paths = [("b/c/d.txt", one), ("a.txt", two), ("b/a.txt", two), ("b/c/e", one)];
    let build = |paths: &mut dyn Iterator<Item = &(&str, Content)>| {
        let mut builder = DirectoryBuilder::new();
        paths.for_each(|(path, content)| builder.insert(path, *content).unwrap());
        commit(store, |batch| builder.put(batch).unwrap())
    };
    let digest = build(&mut paths.iter());
    assert_eq!(build(&mut paths.iter().rev()), digest);

    let mut expected = paths.map(|(path, content)| (path.to_owned(), content));
    expected.sort();
    assert_eq!(walk(store, &digest).unwrap(), expected);

    let mut outer = DirectoryBuilder::new();
    outer.insert_directory("sub/inner", digest).unwrap();
    let outer = commit(store, |batch| outer.put(batch).unwrap());
    assert_eq!(walk(store, &outer).unwrap()[0].0, "sub/inner/a.txt");
}

pub(crate) fn names_that_collide_by_case_are_refused(store: &dyn Store) {
    let content = put(store, b"x");
    let mut directory = Directory::new();
    directory.insert(name("Ärger.TXT"), Entry::File(content)).unwrap();
    let error = directory.insert(name("ärger.txt"), Entry::File(content)).unwrap_err();
    assert!(matches!(error, DirectoryError::CaseCollision { .. }));

    let mut builder = DirectoryBuilder::new();
    builder.insert("a/b", content).unwrap();
    for (path, says) in [
        ("A/c", "differ only in case"),
        ("a/B", "differ only in case"),
        ("a/b", "twice"),
        ("a", "twice"),
        ("a/b/c", "no folder"),
        ("a//c", "empty"),
        ("../a", "mean something else"),
        ("/a", "empty"),
    ] {
        let error = builder.insert(path, content).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains(path), "{path}: {error}");
    }
}

pub(crate) fn a_directory_needs_its_entries(store: &dyn Store) {
    let missing = Digest::of(b"missing");
    let file = Entry::File(Content { digest: missing, size_bytes: 7 });
    for entry in [file, Entry::Directory(missing), Entry::Directory(put(store, b"x").digest)] {
        let mut directory = Directory::new();
        directory.insert(name("a"), entry).unwrap();
        let error = store.batch().unwrap().put_directory(&directory).unwrap_err();
        assert!(matches!(error, Error::Missing(_)), "{error}");
    }
}

pub(crate) fn a_directory_is_no_content(store: &dyn Store) {
    let digest = commit(store, |batch| batch.put_directory(&Directory::new()).unwrap());
    assert_eq!(store.find(&digest).unwrap(), None);
    assert!(matches!(store.open(&digest), Err(Error::Missing(_))));
}
