//! Looking after a store on disk: healing, leases, proofs, collecting garbage, rebuilding the index.

mod gc;
mod heal;
mod lease;
mod limits;
mod proof;
mod rebuild;
mod scrub;
mod together;
mod usage;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use mediabuild_store::{
    Batch, Content, DerivationId, Digest, DiskStore, Output, Part, Problem, RecipeBuilder, Store,
};

/// A store in a folder that goes with it.
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

fn commit<T>(store: &dyn Store, put: impl FnOnce(&mut dyn Batch) -> T) -> T {
    let mut batch = store.batch().unwrap();
    let result = put(&mut *batch);
    batch.commit().unwrap();
    result
}

fn put(store: &dyn Store, bytes: &[u8]) -> Content {
    commit(store, |batch| batch.put_bytes(bytes).unwrap())
}

fn read(store: &dyn Store, digest: &Digest) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.open(digest).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// A recipe of `contents`, recorded as what `name` was realised to.
fn realise(store: &dyn Store, name: &str, contents: &[Content]) -> Content {
    let mut builder = RecipeBuilder::new();
    builder.literal(name.as_bytes());
    contents.iter().for_each(|content| builder.content(*content));
    commit(store, |batch| {
        let recipe = batch.put_recipe(&builder.finish()).unwrap();
        batch.put_realisation(&id(name), &Output::Content(recipe)).unwrap();
        recipe
    })
}

fn id(name: &str) -> DerivationId {
    DerivationId(Digest::of(name.as_bytes()))
}

/// `count` parts of `bytes`, each of `size_bytes`, one after the other.
fn parts(bytes: &[u8], size_bytes: usize, count: usize) -> Vec<Part> {
    let part = |index: usize| Part {
        digest: Digest::of(&bytes[index * size_bytes..][..size_bytes]),
        offset_bytes: (index * size_bytes) as u64,
        size_bytes: size_bytes as u64,
    };
    (0..count).map(part).collect()
}

fn problems(store: &dyn Store) -> Vec<Problem> {
    store.verify(&mut |_, _| true).unwrap()
}

fn object(store: &Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    store.join("objects").join(&name[..2]).join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap().path());
    let nested = entries.map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    nested.flatten().collect()
}

/// The file in `folder` that holds `needle`.
fn file_with(folder: &Path, needle: &[u8]) -> PathBuf {
    let holds = |path: &PathBuf| {
        fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle)
    };
    files(folder).into_iter().find(holds).unwrap()
}

/// Flips a bit of `needle` where it lies in a file of `folder`; the length stays.
fn damage(folder: &Path, needle: &[u8]) {
    let path = file_with(folder, needle);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[at] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(path, bytes).unwrap();
}
