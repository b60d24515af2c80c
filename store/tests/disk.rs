//! What only a disk store can show: files, other handles, damage.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use mediabuild_store::{
    Content, DerivationId, Digest, Directory, DiskStore, Entry, EntryName, Error, Output, Part,
    Problem, RecipeBuilder, Store,
};

struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
    store: DiskStore,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    Fixture { store: DiskStore::open(&path).unwrap(), path, _folder: folder }
}

fn noise(seed: u64, size_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; size_bytes];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn put(store: &dyn Store, bytes: &[u8]) -> Content {
    let mut batch = store.batch().unwrap();
    let content = batch.put_bytes(bytes).unwrap();
    batch.commit().unwrap();
    content
}

fn object(store: &Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    store.join("objects").join(&name[..2]).join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nested = entries.map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    nested.flatten().collect()
}

fn problems(store: &dyn Store) -> Vec<Problem> {
    store.verify(&mut |_, _| true).unwrap()
}

/// Objects are read-only, so a changed one takes the place of the old.
fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

fn read_error(store: &dyn Store, digest: &Digest) -> Error {
    let mut reader = store.open(digest).unwrap();
    Error::from_read(reader.read_to_end(&mut Vec::new()).unwrap_err())
}

#[test]
fn large_blobs_are_files_and_small_ones_share_a_pack() {
    let fixture = fixture();
    let mut batch = fixture.store.batch().unwrap();
    for seed in 0..100 {
        batch.put_bytes(&noise(seed, 1000)).unwrap();
    }
    let large = batch.put_bytes(&noise(1000, 1 << 20)).unwrap();
    batch.commit().unwrap();
    assert_eq!(files(&fixture.path.join("packs")).len(), 1);
    assert_eq!(files(&fixture.path.join("objects")), [object(&fixture.path, &large.digest)]);
    assert_eq!(fs::read(object(&fixture.path, &large.digest)).unwrap(), noise(1000, 1 << 20));
}

#[cfg(unix)]
#[test]
fn objects_are_read_only_and_the_key_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = fixture();
    let large = put(&fixture.store, &noise(1, 1 << 20));
    put(&fixture.store, b"small");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&object(&fixture.path, &large.digest)), 0o444);
    assert_eq!(mode(&files(&fixture.path.join("packs"))[0]), 0o444);
    assert_eq!(mode(&fixture.path.join("secret-key")), 0o600);
}

#[test]
fn what_is_there_is_not_stored_again() {
    let fixture = fixture();
    put(&fixture.store, b"small");
    put(&fixture.store, &noise(1, 2 << 20));
    let before = files(&fixture.path.join("packs"));
    put(&fixture.store, b"small");
    put(&fixture.store, &noise(1, 2 << 20));
    assert_eq!(files(&fixture.path.join("packs")), before);
}

#[test]
fn a_batch_leaves_no_temporary_file_whether_dropped_or_committed() {
    let fixture = fixture();
    for keep in [false, true] {
        let mut batch = fixture.store.batch().unwrap();
        batch.put_bytes(b"small").unwrap();
        batch.put_blob(&mut &noise(1, 3 << 20)[..], &mut |_| true).unwrap();
        assert!(files(&fixture.path.join("tmp")).len() > 2);
        if keep {
            batch.commit().unwrap();
        } else {
            drop(batch);
            assert!(files(&fixture.path.join("objects")).is_empty());
            assert!(files(&fixture.path.join("packs")).is_empty());
        }
        let left = files(&fixture.path.join("tmp"));
        assert!(left.iter().all(|path| path.ends_with("lock")), "{left:?}");
    }
    drop(fixture.store);
    assert_eq!(files(&fixture.path.join("tmp")), [fixture.path.join("tmp/lock")]);
}

#[test]
fn a_commit_is_visible_to_another_handle() {
    let fixture = fixture();
    let other = DiskStore::open(&fixture.path).unwrap();
    let content = put(&fixture.store, b"small");
    assert_eq!(other.find(&content.digest).unwrap(), Some(content));
    assert_eq!(other.secret_key().unwrap(), fixture.store.secret_key().unwrap());
    let content = put(&other, &noise(1, 2 << 20));
    assert_eq!(fixture.store.find(&content.digest).unwrap(), Some(content));
    drop(fixture.store);
    let later = DiskStore::open(&fixture.path).unwrap();
    assert_eq!(later.find(&content.digest).unwrap(), Some(content));
}

#[test]
fn many_handles_may_make_one_store_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/store");
    std::thread::scope(|scope| {
        for seed in 0..6 {
            let path = &path;
            scope.spawn(move || {
                let store = DiskStore::open(path).unwrap();
                for round in 0..10 {
                    put(&store, &noise(seed % 3 + round, 2000));
                    put(&store, &noise(round, 1 << 20));
                }
            });
        }
    });
    assert_eq!(problems(&DiskStore::open(&path).unwrap()), []);
}

#[test]
fn leftovers_of_a_dead_process_are_removed_and_those_of_a_living_one_stay() {
    let fixture = fixture();
    let mut batch = fixture.store.batch().unwrap();
    batch.put_bytes(&noise(1, 2 << 20)).unwrap();
    let dead = fixture.path.join("tmp/.tmpDEAD");
    fs::create_dir_all(dead.join("batch")).unwrap();
    fs::write(dead.join("lock"), "").unwrap();
    fs::write(dead.join("batch/0"), "half a blob").unwrap();
    fs::create_dir(fixture.path.join("tmp/.tmpUNLOCKED")).unwrap();
    fs::write(fixture.path.join("tmp/.tmpfile"), "").unwrap();

    let other = DiskStore::open(&fixture.path).unwrap();
    assert!(!dead.exists());
    assert!(!fixture.path.join("tmp/.tmpUNLOCKED").exists());
    assert!(!fixture.path.join("tmp/.tmpfile").exists());
    batch.commit().unwrap();
    assert_eq!(problems(&other), []);
    assert!(other.find(&Digest::of(&noise(1, 2 << 20))).unwrap().is_some());
}

#[test]
fn a_store_whose_making_was_cut_short_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("objects")).unwrap();
    fs::write(folder.path().join("index.sqlite"), "").unwrap();
    put(&DiskStore::open(folder.path()).unwrap(), b"x");
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.odt"), "").unwrap();
    let error = DiskStore::open(folder.path()).err().unwrap();
    assert!(matches!(&error, Error::BadFormat { .. }), "{error}");
    assert!(error.to_string().contains("thesis.odt"));
}

#[test]
fn a_newer_format_is_refused() {
    let fixture = fixture();
    damage(&fixture.path.join("format"), |bytes| *bytes = b"mediabuild store 3\n".to_vec());
    let error = DiskStore::open(&fixture.path).err().unwrap();
    assert!(matches!(&error, Error::BadFormat { .. }));
    assert!(error.to_string().contains("newer"), "{error}");
    damage(&fixture.path.join("format"), |bytes| *bytes = b"hello".to_vec());
    assert!(DiskStore::open(&fixture.path).is_err());
}

#[test]
fn a_path_that_cannot_be_a_store_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = DiskStore::open(file.join("store")).err().unwrap();
    assert!(error.is_environment());
    assert!(error.to_string().contains(&format!("{}", file.join("store").display())), "{error}");
}

#[test]
fn a_flipped_byte_is_found_on_reading_and_by_verify() {
    let fixture = fixture();
    let large = put(&fixture.store, &noise(1, 9 << 20));
    let small = put(&fixture.store, b"small");
    let pack = files(&fixture.path.join("packs")).remove(0);
    damage(&object(&fixture.path, &large.digest), |bytes| bytes[5_000_000] ^= 1);
    damage(&pack, |bytes| bytes[9] ^= 1);
    for content in [large, small] {
        let error = read_error(&fixture.store, &content.digest);
        let Error::Corrupt { digest, path, .. } = error else { panic!("{error}") };
        assert_eq!(digest, content.digest);
        assert!(path.starts_with(&fixture.path));
    }
    let found = problems(&fixture.store);
    assert_eq!(found.len(), 2);
    assert!(found.iter().any(|it| it.digest == small.digest && it.path == pack));
    assert!(found.iter().any(|it| it.digest == large.digest));
}

#[test]
fn truncated_and_missing_files_are_named() {
    let fixture = fixture();
    let cut = put(&fixture.store, &noise(1, 9 << 20));
    let gone = put(&fixture.store, &noise(2, 2 << 20));
    let long = put(&fixture.store, &noise(3, 2 << 20));
    damage(&object(&fixture.path, &cut.digest), |bytes| bytes.truncate(8 << 20));
    damage(&object(&fixture.path, &long.digest), |bytes| bytes.push(0));
    fs::remove_file(object(&fixture.path, &gone.digest)).unwrap();

    let found = problems(&fixture.store);
    let what = |content: Content| {
        let problem = found.iter().find(|problem| problem.digest == content.digest);
        problem.unwrap().what.clone()
    };
    assert_eq!(what(cut), "the file ends early");
    assert_eq!(what(gone), "the file is missing");
    assert_eq!(what(long), "the file is too long");
    assert_eq!(found.len(), 3);
    assert!(matches!(read_error(&fixture.store, &cut.digest), Error::Corrupt { .. }));
    assert!(matches!(read_error(&fixture.store, &gone.digest), Error::Corrupt { .. }));
}

#[test]
fn a_lost_pack_is_named_with_all_it_held() {
    let fixture = fixture();
    let mut batch = fixture.store.batch().unwrap();
    for seed in 0..5 {
        batch.put_bytes(&noise(seed, 100)).unwrap();
    }
    batch.commit().unwrap();
    fs::remove_dir_all(fixture.path.join("packs")).unwrap();
    assert_eq!(problems(&fixture.store).len(), 5);
}

#[test]
fn of_a_damaged_container_the_lost_parts_are_named() {
    let fixture = fixture();
    let bytes = noise(1, 2 << 20);
    let container = put(&fixture.store, &bytes);
    let part = |offset_bytes: usize| Part {
        digest: Digest::of(&bytes[offset_bytes..][..1000]),
        offset_bytes: offset_bytes as u64,
        size_bytes: 1000,
    };
    let mut batch = fixture.store.batch().unwrap();
    batch.put_parts(&container.digest, &[part(0), part(1000), part(9000)]).unwrap();
    batch.commit().unwrap();
    damage(&object(&fixture.path, &container.digest), |bytes| bytes[1500] ^= 1);
    let digests: Vec<_> = problems(&fixture.store).iter().map(|it| it.digest).collect();
    assert_eq!(digests, [container.digest, part(1000).digest]);
}

#[test]
fn a_lost_file_unmakes_what_needs_it_and_is_stored_again() {
    let fixture = fixture();
    let large = put(&fixture.store, &noise(1, 2 << 20));
    let small = put(&fixture.store, b"small");
    let id = DerivationId(Digest::of(b"a"));
    let mut builder = RecipeBuilder::new();
    builder.content(large);
    builder.content(small);
    let mut batch = fixture.store.batch().unwrap();
    let recipe = Output::Content(batch.put_recipe(&builder.finish()).unwrap());
    batch.put_realisation(&id, &recipe).unwrap();
    batch.commit().unwrap();

    for lost in [object(&fixture.path, &large.digest), files(&fixture.path.join("packs")).remove(0)]
    {
        fs::remove_file(lost).unwrap();
        let store = DiskStore::open(&fixture.path).unwrap();
        assert_eq!(store.realisation(&id).unwrap(), None);
        let mut batch = store.batch().unwrap();
        batch.put_bytes(&noise(1, 2 << 20)).unwrap();
        batch.put_bytes(b"small").unwrap();
        batch.put_recipe(&builder_of(large, small)).unwrap();
        batch.commit().unwrap();
        assert_eq!(store.realisation(&id).unwrap(), Some(recipe));
        assert_eq!(problems(&store), []);
    }
}

fn builder_of(large: Content, small: Content) -> mediabuild_store::Recipe {
    let mut builder = RecipeBuilder::new();
    builder.content(large);
    builder.content(small);
    builder.finish()
}

/// How many files below `folder` this process has open; 0 where it cannot know.
fn open_files_below(folder: &Path) -> usize {
    let Ok(open) = fs::read_dir("/proc/self/fd") else { return 0 };
    let open = open.flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
    open.filter(|path| path.starts_with(folder)).count()
}

#[test]
fn a_recipe_of_hundreds_of_files_needs_few_file_handles() {
    let fixture = fixture();
    let mut batch = fixture.store.batch().unwrap();
    let mut builder = RecipeBuilder::new();
    for seed in 0..300 {
        let mut bytes = vec![0; 1 << 20];
        bytes[..8].copy_from_slice(&u64::to_le_bytes(seed));
        builder.content(batch.put_bytes(&bytes).unwrap());
    }
    let recipe = batch.put_recipe(&builder.finish()).unwrap();
    let ours = open_files_below(&fixture.path.join("tmp"));
    assert!(ours <= 40, "{ours} files are open");
    batch.commit().unwrap();
    let mut reader = fixture.store.open(&recipe.digest).unwrap();
    assert_eq!(std::io::copy(&mut reader, &mut std::io::sink()).unwrap(), 300 << 20);
    let ours = open_files_below(&fixture.path.join("objects"));
    assert!(ours <= 8, "{ours} files are open");
}

/// Registers the 1000 bytes at `offset_bytes` of a container.
fn put_part(store: &dyn Store, container: Content, bytes: &[u8], offset_bytes: usize) -> Part {
    let digest = Digest::of(&bytes[offset_bytes..][..1000]);
    let part = Part { digest, offset_bytes: offset_bytes as u64, size_bytes: 1000 };
    let mut batch = store.batch().unwrap();
    batch.put_parts(&container.digest, &[part]).unwrap();
    batch.commit().unwrap();
    part
}

fn read(store: &dyn Store, digest: &Digest) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.open(digest).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_part_of_two_containers_survives_the_loss_of_either() {
    let shared = noise(1, 1000);
    let containers =
        [noise(2, 1 << 20), noise(3, 1 << 20)].map(|bytes| [&shared[..], &bytes].concat());
    for lost in 0..2 {
        let fixture = fixture();
        let contents = containers.each_ref().map(|bytes| put(&fixture.store, bytes));
        let parts = [0, 1].map(|it| put_part(&fixture.store, contents[it], &containers[it], 0));
        fs::remove_file(object(&fixture.path, &contents[lost].digest)).unwrap();
        assert_eq!(fixture.store.find(&parts[0].digest).unwrap(), Some(parts[0].content()));
        assert_eq!(read(&fixture.store, &parts[0].digest), shared);
        assert_eq!(put(&fixture.store, &shared), parts[0].content());
        assert!(files(&fixture.path.join("packs")).len() == 2, "it was not stored again");
    }
}

#[test]
fn an_object_that_is_lost_is_read_from_where_it_is_a_part() {
    let fixture = fixture();
    let bytes = noise(1, 1 << 20);
    let small = put(&fixture.store, &bytes[..1000]);
    let pack = files(&fixture.path.join("packs")).remove(0);
    let container = put(&fixture.store, &bytes);
    put_part(&fixture.store, container, &bytes, 0);
    fs::remove_file(pack).unwrap();
    assert_eq!(fixture.store.find(&small.digest).unwrap(), Some(small));
    assert_eq!(read(&fixture.store, &small.digest), &bytes[..1000]);
}

#[test]
fn a_recipe_over_contents_whose_files_are_lost_is_refused() {
    let fixture = fixture();
    let bytes = noise(1, 2 << 20);
    let large = put(&fixture.store, &bytes);
    let part = put_part(&fixture.store, large, &bytes, 5000);
    fs::remove_file(object(&fixture.path, &large.digest)).unwrap();
    for lost in [large, part.content()] {
        let mut builder = RecipeBuilder::new();
        builder.content(lost);
        let mut batch = fixture.store.batch().unwrap();
        let error = batch.put_recipe(&builder.finish()).unwrap_err();
        assert!(matches!(error, Error::Missing(digest) if digest == lost.digest), "{error}");
        // The error of a reader still says which file is gone.
        assert!(matches!(read_error(&fixture.store, &lost.digest), Error::Corrupt { .. }));
    }
}

#[test]
fn parts_are_known_without_their_table() {
    let fixture = fixture();
    let bytes = noise(1, 2 << 20);
    let container = put(&fixture.store, &bytes);
    let parts =
        [5000, 0].map(|offset_bytes| put_part(&fixture.store, container, &bytes, offset_bytes));
    let packs = files(&fixture.path.join("packs"));
    assert_eq!(packs.len(), 2, "one for each table");
    damage(&packs[0], |bytes| bytes[20] ^= 1);
    assert_eq!(fixture.store.parts(&container.digest).unwrap(), [parts[1], parts[0]]);
    packs.iter().for_each(|pack| fs::remove_file(pack).unwrap());
    assert_eq!(fixture.store.parts(&container.digest).unwrap(), [parts[1], parts[0]]);
}

#[test]
fn of_many_those_whose_files_are_lost_are_not_found() {
    let fixture = fixture();
    let large = put(&fixture.store, &noise(1, 1 << 20));
    let cut = put(&fixture.store, &noise(2, 1 << 20));
    let small = put(&fixture.store, b"small");
    fs::remove_file(object(&fixture.path, &large.digest)).unwrap();
    damage(&object(&fixture.path, &cut.digest), |bytes| bytes.truncate(1000));
    let digests = [large, small, cut].map(|content| content.digest);
    assert_eq!(fixture.store.find_many(&digests).unwrap(), [None, Some(small), None]);
}

#[cfg(unix)]
#[test]
fn a_new_store_is_private_and_a_folder_that_is_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    DiskStore::open(folder.path().join("a/b/store")).unwrap();
    assert_eq!(mode(&folder.path().join("a/b/store")), 0o700);
    let existing = folder.path().join("existing");
    fs::create_dir(&existing).unwrap();
    assert_eq!(mode(&folder.path().join("a/b")), mode(&existing), "only the store is private");
    fs::set_permissions(&existing, fs::Permissions::from_mode(0o755)).unwrap();
    DiskStore::open(&existing).unwrap();
    assert_eq!(mode(&existing), 0o755);
    std::os::unix::fs::symlink(&existing, folder.path().join("link")).unwrap();
    DiskStore::open(folder.path().join("link")).unwrap();
}

#[test]
fn a_shard_that_another_process_made_is_used() {
    let fixture = fixture();
    let bytes = noise(1, 1 << 20);
    let place = object(&fixture.path, &Digest::of(&bytes));
    fs::create_dir(place.parent().unwrap()).unwrap();
    let content = put(&fixture.store, &bytes);
    assert!(place.is_file());
    // Nor need one that we know stay.
    fs::remove_dir_all(place.parent().unwrap()).unwrap();
    assert_eq!(put(&fixture.store, &bytes), content);
    assert!(place.is_file());
}

#[test]
fn a_damaged_recipe_or_directory_unmakes_its_output_and_is_replaced() {
    let change: [fn(&mut Vec<u8>); 2] = [|bytes| bytes[20] ^= 1, |bytes| bytes.truncate(9)];
    for change in change {
        let fixture = fixture();
        let large = put(&fixture.store, &noise(1, 2 << 20));
        let mut builder = RecipeBuilder::new();
        builder.content(large);
        // Too large for a pack, unlike the recipe.
        let mut directory = Directory::new();
        for number in 0..20_000 {
            let name = EntryName::parse(&format!("a name of some length {number}")).unwrap();
            directory.insert(name, Entry::File(large)).unwrap();
        }
        let recipe = builder.finish();
        let ids = [b"recipe", b"folder"].map(|name| DerivationId(Digest::of(name)));
        let realise = |store: &dyn Store| {
            let mut batch = store.batch().unwrap();
            let recipe = Output::Content(batch.put_recipe(&recipe).unwrap());
            let directory = Output::Directory(batch.put_directory(&directory).unwrap());
            batch.put_realisation(&ids[0], &recipe).unwrap();
            batch.put_realisation(&ids[1], &directory).unwrap();
            batch.commit().unwrap();
            [recipe, directory]
        };
        let outputs = realise(&fixture.store);
        damage(&files(&fixture.path.join("packs"))[0], change);
        let objects = files(&fixture.path.join("objects"));
        let loose = objects.iter().find(|path| path.extension().is_some()).unwrap();
        damage(loose, change);

        let store = DiskStore::open(&fixture.path).unwrap();
        assert_eq!(ids.map(|id| store.realisation(&id).unwrap()), [None, None]);
        assert_eq!(realise(&store), outputs);
        assert_eq!(ids.map(|id| store.realisation(&id).unwrap()), outputs.map(Some));
        assert_eq!(problems(&store), []);
    }
}

#[test]
fn a_small_blob_that_is_damaged_is_stored_again() {
    let fixture = fixture();
    for (seed, size_bytes) in [(1, 500), (2, 1 << 20)] {
        let bytes = noise(seed, size_bytes);
        let content = put(&fixture.store, &bytes);
        let file = match size_bytes {
            500 => files(&fixture.path.join("packs")).remove(0),
            _ => object(&fixture.path, &content.digest),
        };
        damage(&file, |bytes| bytes[100] ^= 1);
        assert!(matches!(read_error(&fixture.store, &content.digest), Error::Corrupt { .. }));
        assert_eq!(put(&fixture.store, &bytes), content);
        assert_eq!(read(&fixture.store, &content.digest), bytes);
    }
    assert_eq!(problems(&fixture.store), []);
}
