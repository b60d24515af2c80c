//! What a build that has nothing to do asks of a store: 30,000 realisations, each committed alone.
//!
//! `cargo run --release -p mediabuild-store --example lookup_figures [FOLDER]`

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use mediabuild_store::{
    DerivationId, Digest, Directory, DiskStore, Entry, EntryName, GcOptions, Output, Root, Store,
};

const DERIVATIONS: usize = 30_000;

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args_os().nth(1).unwrap_or_else(|| std::env::temp_dir().into());
    let folder = tempfile::tempdir_in(parent)?;
    let path = folder.path().join("store");
    let ids: Vec<DerivationId> = (0..DERIVATIONS).map(id).collect();
    let start = Instant::now();
    fill(&path, &ids)?;
    let each_us = start.elapsed().as_micros() as usize / DERIVATIONS;
    println!("30,000 commits of a small folder: {each_us} us each");
    for name in ["first", "second", "third"] {
        look_up(&path, &ids, name)?;
    }
    DiskStore::open(&path)?.gc(&GcOptions::default(), &mut |_, _| true)?;
    for name in ["first after gc", "second after gc", "third after gc"] {
        look_up(&path, &ids, name)?;
    }
    let store = DiskStore::open(&path)?;
    let start = Instant::now();
    for id in &ids {
        assert!(store.realisation(id)?.is_some());
    }
    let each_us = start.elapsed().as_micros() as usize / DERIVATIONS;
    println!("one by one: {each_us} us each");
    Ok(())
}

fn id(number: usize) -> DerivationId {
    DerivationId(Digest::of(&number.to_le_bytes()))
}

fn look_up(path: &Path, ids: &[DerivationId], name: &str) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let store = DiskStore::open(path)?;
    let found = store.realisations(ids)?;
    let found_ms = start.elapsed().as_millis();
    drop(store);
    let all_ms = start.elapsed().as_millis();
    assert!(found.iter().all(Option::is_some));
    println!("30,000 realisations at once, {name}: {found_ms} ms, {all_ms} ms with closing");
    Ok(())
}

fn fill(path: &Path, ids: &[DerivationId]) -> Result<(), Box<dyn Error>> {
    let store = DiskStore::open(path)?;
    let mut root = Directory::new();
    for (number, id) in ids.iter().enumerate() {
        let mut batch = store.batch()?;
        let blob = batch.put_bytes(format!("file {number}").as_bytes())?;
        let mut directory = Directory::new();
        directory.insert(EntryName::parse("file")?, Entry::File(blob))?;
        let directory = batch.put_directory(&directory)?;
        batch.put_realisation(id, &Output::Directory(directory))?;
        batch.commit()?;
        root.insert(EntryName::parse(&number.to_string())?, Entry::Directory(directory))?;
    }
    let mut batch = store.batch()?;
    let output = Output::Directory(batch.put_directory(&root)?);
    batch.commit()?;
    Ok(store.set_root(&Root { name: "all".to_owned(), output, detail: Vec::new() })?)
}
