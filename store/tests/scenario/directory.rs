//! Directories: names to contents.

use mediabuild_store::{
    Content, Digest, Directory, DirectoryBuilder, DirectoryError, Entry, EntryName, Error, Store,
    walk, walk_differing,
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

pub(crate) fn many_directories_need_what_is_before_them(store: &dyn Store) {
    let of = |names: &[(&str, Entry)]| {
        let mut directory = Directory::new();
        names.iter().for_each(|(it, entry)| directory.insert(name(it), *entry).unwrap());
        directory
    };
    let inner = of(&[("x", Entry::File(put(store, b"x")))]);
    let outer = of(&[("a", Entry::Directory(inner.digest()))]);
    let error = store.batch().unwrap().put_directories(&[outer.clone(), inner.clone()]);
    assert!(matches!(error.unwrap_err(), Error::Missing(digest) if digest == inner.digest()));
    for _ in 0..2 {
        let all = [inner.clone(), outer.clone(), inner.clone()];
        commit(store, |batch| batch.put_directories(&all).unwrap());
        assert_eq!(walk(store, &outer.digest()).unwrap().len(), 1);
    }
}

pub(crate) fn trees_that_differ_are_walked_where_they_do(store: &dyn Store) {
    let (one, two) = (put(store, b"1"), put(store, b"2"));
    let tree = |paths: &[(&str, Content)]| {
        let mut builder = DirectoryBuilder::new();
        paths.iter().for_each(|(path, content)| builder.insert(path, *content).unwrap());
        commit(store, |batch| builder.put(batch).unwrap())
    };
    let before = tree(&[("same/x", one), ("d/x", one), ("d/same/y", one), ("gone/z", two)]);
    let after = tree(&[("same/x", one), ("d/x", two), ("d/same/y", one), ("gone", two)]);
    let paths = |files: &std::collections::BTreeMap<String, Content>| -> Vec<_> {
        files.iter().map(|(path, content)| (path.clone(), *content)).collect()
    };
    let [old, new] = walk_differing(store, &before, &after).unwrap();
    assert_eq!(paths(&old), [("d/x".to_owned(), one), ("gone/z".to_owned(), two)]);
    assert_eq!(paths(&new), [("d/x".to_owned(), two), ("gone".to_owned(), two)]);
    let same = walk_differing(store, &after, &after).unwrap();
    assert!(same.iter().all(|files| files.is_empty()));
}

pub(crate) fn a_directory_is_no_content(store: &dyn Store) {
    let digest = commit(store, |batch| batch.put_directory(&Directory::new()).unwrap());
    assert_eq!(store.find(&digest).unwrap(), None);
    assert!(matches!(store.open(&digest), Err(Error::Missing(_))));
}
