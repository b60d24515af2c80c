//! What a codec does with files: ratio, speed of encoding and decoding.
//!
//! `cargo run --release -p mediabuild-formats --example codec_figures -- CODEC LEVEL CHUNK FILE…`
//!
//! - `CODEC`: `lzms`, `lzx` or `xpress`
//! - `LEVEL`: `fast`, `default` or `max`
//! - `CHUNK`: bytes per chunk, such as 32768
//! - `FILE…`: files, or folders that are walked; each file is cut into chunks on its own, as in a
//!   WIM, and equal files count once
//!
//! Everything is read first. Figures are of one thread, in MB (10^6 bytes) per second of the CPU's
//! time where the system tells it (`/proc/self/schedstat`), else of the clock. Stored bytes
//! include chunk tables. Each chunk is decoded again and compared.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use mediabuild_formats::codec::{Codec, Encoder, Level, lzms, lzx, xpress};
use sha1::{Digest, Sha1};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [codec, level, chunk_bytes, paths @ ..] = arguments.as_slice() else {
        return Err("usage: codec_figures CODEC LEVEL CHUNK FILE…".into());
    };
    let codec = match codec.as_str() {
        "lzms" => Codec::Lzms,
        "lzx" => Codec::Lzx,
        "xpress" => Codec::Xpress,
        _ => return Err("CODEC is lzms, lzx or xpress".into()),
    };
    let level = Level::from_name(level).ok_or("LEVEL is fast, default or max")?;
    let chunk_bytes: u32 = chunk_bytes.parse()?;
    let files = read_all(paths)?;
    let mut encoder = Encoder::new(codec, chunk_bytes, level).ok_or("no such encoder")?;
    let mut figures = Figures::default();
    for file in &files {
        figures.add(&mut encoder, file, chunk_bytes as usize);
    }
    figures.decode(codec, chunk_bytes)?;
    figures.print();
    Ok(())
}

/// The contents of all files, equal ones once.
fn read_all(paths: &[String]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut pending: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let (mut files, mut seen) = (Vec::new(), BTreeSet::new());
    while let Some(path) = pending.pop() {
        if fs::symlink_metadata(&path)?.is_dir() {
            pending.extend(entries(&path)?);
        } else if path.is_file() && !path.is_symlink() {
            let bytes = fs::read(&path)?;
            let digest: [u8; 20] = Sha1::digest(&bytes).into();
            if !bytes.is_empty() && seen.insert(digest) {
                files.push(bytes);
            }
        }
    }
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// Nanoseconds that this thread has run.
fn cpu_ns(start: &Instant) -> u64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|text| text.split(' ').next()?.parse().ok());
    told.unwrap_or_else(|| start.elapsed().as_nanos() as u64)
}

#[derive(Default)]
struct Figures<'a> {
    /// Chunks and their compressed forms, empty for raw ones.
    chunks: Vec<(&'a [u8], Vec<u8>)>,
    table_bytes: usize,
    encode_ns: u64,
    decode_ns: u64,
}

impl<'a> Figures<'a> {
    fn add(&mut self, encoder: &mut Encoder, file: &'a [u8], chunk_bytes: usize) {
        let start = Instant::now();
        let before_ns = cpu_ns(&start);
        for chunk in file.chunks(chunk_bytes) {
            let mut compressed = Vec::new();
            encoder.encode(chunk, &mut compressed);
            self.chunks.push((chunk, compressed));
        }
        self.encode_ns += cpu_ns(&start) - before_ns;
        self.table_bytes += 4 * (file.len().div_ceil(chunk_bytes) - 1);
    }

    fn decode(&mut self, codec: Codec, chunk_bytes: u32) -> Result<(), Box<dyn Error>> {
        let mut output = vec![0; chunk_bytes as usize];
        let start = Instant::now();
        let before_ns = cpu_ns(&start);
        for (chunk, compressed) in self.chunks.iter().filter(|chunk| !chunk.1.is_empty()) {
            let output = &mut output[..chunk.len()];
            match codec {
                Codec::Lzx => lzx::decode(compressed, output, chunk_bytes)?,
                Codec::Xpress => xpress::decode(compressed, output)?,
                Codec::Lzms => lzms::decode(compressed, output)?,
            }
            if output != *chunk {
                return Err("a chunk does not decode to what it was".into());
            }
        }
        self.decode_ns = cpu_ns(&start) - before_ns;
        Ok(())
    }

    fn print(&self) {
        let plain: usize = self.chunks.iter().map(|(chunk, _)| chunk.len()).sum();
        let raw = self.chunks.iter().filter(|(_, compressed)| compressed.is_empty());
        let raw_bytes: usize = raw.clone().map(|(chunk, _)| chunk.len()).sum();
        let stored: usize = self.chunks.iter().map(|(_, compressed)| compressed.len()).sum();
        let stored = stored + raw_bytes + self.table_bytes;
        let mb_per_s = |bytes: usize, ns: u64| bytes as f64 * 1e3 / ns as f64;
        println!(
            "{plain} bytes to {stored}, ratio {:.5}; {} chunks, {} raw with {raw_bytes} bytes; \
             encode {:.1} MB/s, decode {:.1} MB/s",
            stored as f64 / plain as f64,
            self.chunks.len(),
            raw.count(),
            mb_per_s(plain, self.encode_ns),
            mb_per_s(plain - raw_bytes, self.decode_ns),
        );
    }
}
