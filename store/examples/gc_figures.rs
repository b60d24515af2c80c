//! How long a collection takes: 30,000 loose and 1,000,000 packed objects, half of them dead.
//!
//! `cargo run --release -p mediabuild-store --example gc_figures [FOLDER]`

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use mediabuild_store::{
    Content, Digest, Directory, DiskStore, Entry, EntryName, GcOptions, Output, RecipeBuilder,
    Root, Store,
};

const LOOSE: u64 = 30_000;
const PACKS: u64 = 100;
const MEMBERS: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args_os().nth(1).unwrap_or_else(|| std::env::temp_dir().into());
    let folder = tempfile::tempdir_in(parent)?;
    let path = folder.path().join("store");
    timed("fill 1,000,000 packed, 30,000 loose", || fill(&path))?;
    timed("look up 30,000, each leased", || look_up(&path))?;
    for dry_run in [true, false, false] {
        let options = GcOptions { dry_run, ..GcOptions::default() };
        let name = if dry_run { "gc --dry-run" } else { "gc" };
        let report = timed(name, || Ok(DiskStore::open(&path)?.gc(&options, &mut |_, _| true)?))?;
        println!("  {} gone, {} left", report.removed_objects, report.kept_objects);
    }
    timed("rebuild-index of what is left", || Ok(DiskStore::rebuild_index(&path)?))?;
    Ok(())
}

fn timed<T>(
    name: &str,
    work: impl FnOnce() -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let start = Instant::now();
    let done = work()?;
    println!("{name}: {:.2} s", start.elapsed().as_secs_f64());
    Ok(done)
}

/// Loose objects are written as files, smaller than the store's own: a collection sees only their
/// names.
fn fill(path: &Path) -> Result<(), Box<dyn Error>> {
    drop(DiskStore::open(path)?);
    let mut loose = Vec::new();
    for number in 0..LOOSE {
        let bytes = format!("loose {number}");
        let content =
            Content { digest: Digest::of(bytes.as_bytes()), size_bytes: bytes.len() as u64 };
        let name = content.digest.to_string();
        let shard = path.join("objects").join(&name[..2]);
        std::fs::create_dir_all(&shard)?;
        std::fs::write(shard.join(name), bytes)?;
        loose.push(content);
    }
    DiskStore::rebuild_index(path)?;
    let store = DiskStore::open(path)?;
    let mut builder = RecipeBuilder::new();
    loose.iter().step_by(2).for_each(|content| builder.content(*content));
    let mut batch = store.batch()?;
    let recipe = batch.put_recipe(&builder.finish())?;
    batch.commit()?;
    pin(&store, "loose", Output::Content(recipe))?;
    (0..PACKS).try_for_each(|pack| fill_pack(&store, pack))
}

fn fill_pack(store: &DiskStore, pack: u64) -> Result<(), Box<dyn Error>> {
    let mut batch = store.batch()?;
    let mut directory = Directory::new();
    for member in 0..MEMBERS {
        let content = batch.put_bytes(format!("packed {pack} {member}").as_bytes())?;
        directory.insert(EntryName::parse(&format!("{member}"))?, Entry::File(content))?;
    }
    let directory = batch.put_directory(&directory)?;
    batch.commit()?;
    match pack % 2 {
        0 => pin(store, &format!("pack {pack}"), Output::Directory(directory)),
        _ => Ok(()),
    }
}

fn pin(store: &DiskStore, name: &str, output: Output) -> Result<(), Box<dyn Error>> {
    Ok(store.set_root(&Root { name: name.to_owned(), output, detail: Vec::new() })?)
}

fn look_up(path: &Path) -> Result<(), Box<dyn Error>> {
    let store = DiskStore::open(path)?;
    for number in 0..LOOSE {
        let (pack, member) = (number / MEMBERS, number % MEMBERS);
        let digest = Digest::of(format!("packed {pack} {member}").as_bytes());
        store.find(&digest)?;
    }
    Ok(())
}
