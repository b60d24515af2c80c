//! How fast a warm verification is beside `b3sum`: one blob of 2 GiB, then 2,000 of 1 MiB.
//!
//! `cargo run --release -p mediabuild-store --example verify_figures [FOLDER]`

use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use mediabuild_store::{DiskStore, Store};

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args_os().nth(1).unwrap_or_else(|| std::env::temp_dir().into());
    for (name, count, size_bytes) in
        [("one of 2 GiB", 1u64, 2u64 << 30), ("2,000 of 1 MiB", 2000, 1 << 20)]
    {
        let folder = tempfile::tempdir_in(&parent)?;
        let path = folder.path().join("store");
        let store = DiskStore::open(&path)?;
        for seed in 0..count {
            let mut batch = store.batch()?;
            let mut noise = Noise { reader: reader(seed), left_bytes: size_bytes };
            batch.put_blob(&mut noise, &mut |_| true)?;
            batch.commit()?;
        }
        drop(store);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let store = DiskStore::open(&path)?;
            let start = Instant::now();
            assert_eq!(store.verify(&mut |_, _| true)?, []);
            ours.push(start.elapsed().as_secs_f64());
            theirs.extend(b3sum(&path.join("objects"))?);
        }
        let gib = (count * size_bytes) as f64 / f64::from(1 << 30);
        println!("{name}: verify {:.2} GiB/s", gib / median(ours));
        match theirs.is_empty() {
            true => println!("{name}: no b3sum"),
            false => println!("{name}: b3sum {:.2} GiB/s", gib / median(theirs)),
        }
    }
    Ok(())
}

/// How long `b3sum` takes for all files below `folder`; `None` without it.
fn b3sum(folder: &Path) -> Result<Option<f64>, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for shard in std::fs::read_dir(folder)? {
        for file in std::fs::read_dir(shard?.path())? {
            files.push(file?.path());
        }
    }
    let start = Instant::now();
    let run = Command::new("b3sum").args(files).stdout(Stdio::null()).status();
    Ok(run.is_ok_and(|status| status.success()).then(|| start.elapsed().as_secs_f64()))
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

struct Noise {
    reader: blake3::OutputReader,
    left_bytes: u64,
}

fn reader(seed: u64) -> blake3::OutputReader {
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof()
}

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = buffer.len().min(self.left_bytes as usize);
        self.reader.fill(&mut buffer[..size]);
        self.left_bytes -= size as u64;
        Ok(size)
    }
}
