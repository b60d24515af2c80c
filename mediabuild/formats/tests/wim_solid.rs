//! Solid resources, made by hand: blobs that lie across chunks, resources and files, and forged ones.

mod wim_support;

use std::io::Read;

use mediabuild_formats::wim::{BlobEntry, Error, Joined, Sha1, Wim};
use wim_support::read_by_units;

const CHUNK_BYTES: usize = 4096;

/// A part of a set: solid resources without compression, and entries of the blob table.
#[derive(Default, Clone)]
struct Part {
    number: u16,
    count: u16,
    /// Uncompressed bytes of each resource.
    resources: Vec<Vec<u8>>,
    entries: Vec<Entry>,
}

#[derive(Clone)]
enum Entry {
    /// One of the part's resources, by position.
    Own(usize),
    /// A resource that another part has: offset and stored size there.
    Foreign { part: u16, offset: u64, stored: u64 },
    /// A blob at an offset of the run.
    Blob { offset: u64, bytes: Vec<u8> },
    /// Any entry: stored size, flags, offset, size, part, hash.
    Raw(u64, u8, u64, u64, u16, Sha1),
}

/// Bytes that are all different for a while.
fn noise(seed: u32, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}

fn solid_resource(bytes: &[u8]) -> Vec<u8> {
    let mut resource = (bytes.len() as u64).to_le_bytes().to_vec();
    resource.extend((CHUNK_BYTES as u32).to_le_bytes());
    resource.extend(0_u32.to_le_bytes());
    for chunk in bytes.chunks(CHUNK_BYTES) {
        resource.extend((chunk.len() as u32).to_le_bytes());
    }
    resource.extend(bytes);
    resource
}

fn entry(stored: u64, flags: u8, offset: u64, size: u64, part: u16, sha1: Sha1) -> Vec<u8> {
    let mut entry = (stored | u64::from(flags) << 56).to_le_bytes().to_vec();
    entry.extend(offset.to_le_bytes());
    entry.extend(size.to_le_bytes());
    entry.extend(part.to_le_bytes());
    entry.extend(1_u32.to_le_bytes());
    entry.extend(sha1.0);
    entry
}

impl Part {
    fn single(resources: Vec<Vec<u8>>, entries: Vec<Entry>) -> Part {
        Part { number: 1, count: 1, resources, entries }
    }

    /// The file.
    fn bytes(&self) -> Vec<u8> {
        let mut file = vec![0; 208];
        let mut places = Vec::new();
        for resource in &self.resources {
            let resource = solid_resource(resource);
            places.push((file.len() as u64, resource.len() as u64));
            file.extend(resource);
        }
        let table_offset = file.len() as u64;
        for it in &self.entries {
            file.extend(match it {
                Entry::Own(position) => {
                    let (offset, stored) = places[*position];
                    entry(stored, 0x10, offset, 1 << 32, self.number, Sha1::ZERO)
                }
                Entry::Foreign { part, offset, stored } => {
                    entry(*stored, 0x10, *offset, 1 << 32, *part, Sha1::ZERO)
                }
                Entry::Blob { offset, bytes } => {
                    entry(bytes.len() as u64, 0x10, *offset, 0, self.number, Sha1::of(bytes))
                }
                Entry::Raw(stored, flags, offset, size, part, sha1) => {
                    entry(*stored, *flags, *offset, *size, *part, *sha1)
                }
            });
        }
        let table_bytes = file.len() as u64 - table_offset;
        let xml_offset = file.len() as u64;
        file.extend("\u{feff}<WIM></WIM>".encode_utf16().flat_map(u16::to_le_bytes));
        let xml_bytes = file.len() as u64 - xml_offset;
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"MSWIM\0\0\0");
        put(0x08, &208_u32.to_le_bytes());
        put(0x0c, &0xe00_u32.to_le_bytes());
        put(0x18, &[7; 16]);
        put(0x28, &self.number.to_le_bytes());
        put(0x2a, &self.count.to_le_bytes());
        put(0x30, &entry(table_bytes, 2, table_offset, table_bytes, 0, Sha1::ZERO)[..24]);
        put(0x48, &entry(xml_bytes, 2, xml_offset, xml_bytes, 0, Sha1::ZERO)[..24]);
        file
    }
}

fn blob(run: &[u8], offset: usize, size: usize) -> Entry {
    Entry::Blob { offset: offset as u64, bytes: run[offset..offset + size].to_vec() }
}

/// Two resources, and blobs: in one chunk, across chunks, across resources, with a hole before the
/// last.
fn two_resources() -> (Vec<u8>, Vec<Entry>) {
    let (first, second) = (noise(1, 10_000), noise(2, 9_000));
    let run = [first, second].concat();
    let blobs = vec![
        blob(&run, 0, 100),
        blob(&run, 100, 4000),
        blob(&run, 4100, 5000),
        blob(&run, 9100, 6000),
        blob(&run, 15_100, 1),
        blob(&run, 18_900, 100),
    ];
    (run, blobs)
}

fn parts_of(run: &[u8]) -> Vec<Vec<u8>> {
    vec![run[..10_000].to_vec(), run[10_000..].to_vec()]
}

/// Every blob, one at a time, backwards, and all of them in units.
fn assert_readable<S: mediabuild_formats::source::Source>(wim: &Wim, source: &S, count: usize) {
    assert_eq!(wim.blobs.len(), count);
    wim.check_layout().expect("no overlaps");
    for entry in wim.blobs.iter().rev() {
        wim.check(source, entry).expect("the right bytes");
        let mut start = [0; 10];
        let size = entry.size_bytes().min(10) as usize;
        let mut reader = wim.blob_reader(source, entry).expect("readable");
        reader.read_exact(&mut start[..size]).expect("its first bytes");
    }
    let entries: Vec<&BlobEntry> = wim.blobs.iter().collect();
    for (entry, content) in entries.iter().zip(read_by_units(wim, source, &entries)) {
        assert_eq!(Sha1::of(&content.expect("valid")), entry.sha1);
    }
    let some: Vec<&BlobEntry> = entries.iter().copied().rev().step_by(2).collect();
    for (entry, content) in some.iter().zip(read_by_units(wim, source, &some)) {
        assert_eq!(Sha1::of(&content.expect("valid")), entry.sha1);
    }
}

#[test]
fn blobs_lie_across_chunks_and_resources_in_any_order_of_entries() {
    let (run, blobs) = two_resources();
    let resources = [Entry::Own(0), Entry::Own(1)];
    let (first, second) = resources.split_at(1);
    let orders = [
        [&resources, &blobs[..]].concat(),
        [&blobs[..], &resources].concat(),
        [first, &blobs[..3], second, &blobs[3..]].concat(),
        [first, &blobs[3..], second, &blobs[..3]].concat(),
    ];
    for entries in orders {
        let bytes = Part::single(parts_of(&run), entries).bytes();
        assert_readable(&Wim::open(&bytes).expect("a WIM"), &bytes, 6);
    }
}

#[test]
fn two_runs_have_offsets_of_their_own() {
    let (one, two) = (noise(3, 5000), noise(4, 5000));
    let plain = Sha1::of(&[]);
    let separator = Entry::Raw(0, 0, 0, 0, 1, plain);
    let entries =
        vec![Entry::Own(0), blob(&one, 1000, 4000), separator, blob(&two, 0, 4999), Entry::Own(1)];
    let bytes = Part::single(vec![one, two], entries).bytes();
    assert_readable(&Wim::open(&bytes).expect("a WIM"), &bytes, 2);
}

#[test]
fn a_run_may_have_resources_in_several_parts_of_a_set() {
    let (run, blobs) = two_resources();
    let halves = parts_of(&run);
    let second = Part {
        number: 2,
        count: 2,
        resources: vec![halves[1].clone()],
        entries: vec![Entry::Own(0), Entry::Raw(0, 0, 0, 0, 2, Sha1::ZERO)],
    };
    let foreign =
        Entry::Foreign { part: 2, offset: 208, stored: solid_resource(&halves[1]).len() as u64 };
    let first = Part {
        number: 1,
        count: 2,
        resources: vec![halves[0].clone()],
        entries: [&[Entry::Own(0), foreign], &blobs[..]].concat(),
    };
    let (first, second) = (first.bytes(), second.bytes());
    let joined = Joined::new(vec![second, first.clone()]);
    let wim = Wim::open_joined(&joined, 2).expect("a set");
    assert_readable(&wim, &joined, 6);
    // Alone, what lies in the other part is named.
    let alone = Wim::open(&first).expect("a part");
    assert!(wim.is_run_whole(&joined, 0).unwrap() && !alone.is_run_whole(&first, 0).unwrap());
    let error = alone.check(&first, &alone.blobs[0]).expect_err("two parts").to_string();
    assert!(error.contains("part 2"), "{error}");
    let error = Wim::open_joined(&Joined::new(vec![first]), 1).expect_err("a part").to_string();
    assert_eq!(error, "part 2 of the 2 of the split set is missing");
}

/// As the tools of Windows make them: each part lists its own resource and blobs, and offsets go on
/// from part to part.
#[test]
fn offsets_may_go_on_from_part_to_part() {
    let (run, blobs) = two_resources();
    let halves = parts_of(&run);
    let part = |number: u16, half: usize, blobs: &[Entry]| Part {
        number,
        count: 2,
        resources: vec![halves[half].clone()],
        entries: [&[Entry::Own(0)], blobs].concat(),
    };
    // The fourth blob begins in the first part and ends in the second.
    let parts = [part(1, 0, &blobs[..3]).bytes(), part(2, 1, &blobs[3..]).bytes()];
    for order in [[0, 1], [1, 0]] {
        let joined = Joined::new(order.map(|at| parts[at].clone()).to_vec());
        let wim = Wim::open_joined(&joined, 2).expect("a set");
        assert_readable(&wim, &joined, 6);
    }
    // The first part does not go on from another.
    let is_whole = parts.map(|part| Wim::open(&part).unwrap().is_run_whole(&part, 0).unwrap());
    assert_eq!(is_whole, [true, false]);
}

#[test]
fn what_a_part_says_of_another_is_not_believed() {
    let far = |offset| Entry::Raw(7, 0, offset, 7, 2, Sha1([9; 20]));
    for offset in [u64::MAX, u64::MAX - 3, u64::MAX - 300, 1 << 40] {
        let first = Part { number: 1, count: 2, entries: vec![far(offset)], ..Part::default() };
        let second = Part { number: 2, count: 2, ..Part::default() };
        let joined = Joined::new(vec![first.bytes(), second.bytes()]);
        let wim = Wim::open_joined(&joined, 2).expect("a set");
        let entries: Vec<&BlobEntry> = wim.blobs.iter().collect();
        assert!(read_by_units(&wim, &joined, &entries)[0].is_err());
        assert!(wim.check(&joined, entries[0]).is_err());
        let _ = (wim.check_layout(), wim.place_of(entries[0]));
    }
}

#[test]
fn parts_that_do_not_belong_together_are_told_apart() {
    let part = |number, count| Part { number, count, ..Part::default() };
    let error = |parts: Vec<Vec<u8>>| {
        let count = parts.len();
        let error = Wim::open_joined(&Joined::new(parts), count).expect_err("no set");
        (error.file, error.to_string())
    };
    let (one, two) = (part(1, 2).bytes(), part(2, 2).bytes());
    let (file, text) = error(vec![one.clone(), part(3, 3).bytes()]);
    assert!(file == 1 && text.contains("2 parts, found 3"), "{text}");
    let (file, text) = error(vec![one.clone(), one.clone()]);
    assert!(file == 1 && text.contains("part 1 of the set once"), "{text}");
    let mut other = two.clone();
    other[0x18] = 8;
    let (file, text) = error(vec![one.clone(), other]);
    assert!(file == 1 && text.contains("the GUID that the other parts"), "{text}");
    let (_, text) = error(vec![two.clone()]);
    assert_eq!(text, "part 1 of the 2 of the split set is missing");
    assert!(Wim::open_joined(&Joined::new(vec![two, one]), 2).is_ok());
    let (file, text) = error(vec![part(1, 1).bytes(), b"PK".to_vec()]);
    assert!(file == 1 && text.contains("not a WIM"), "{text}");
}

/// What reading the only blob of a forged file says.
fn refusal(part: &Part, change: impl Fn(&mut Vec<u8>)) -> String {
    let mut bytes = part.bytes();
    change(&mut bytes);
    let wim = Wim::open(&bytes).expect("a WIM");
    let entries: Vec<&BlobEntry> = wim.blobs.iter().collect();
    let by_units = read_by_units(&wim, &bytes, &entries);
    let error = wim.check(&bytes, &wim.blobs[0]).expect_err("a refusal").to_string();
    assert_eq!(by_units[0].as_ref().expect_err("a refusal"), &error);
    error
}

#[test]
fn forged_solid_resources_are_refused_before_memory_is_taken() {
    let run = noise(5, 5000);
    let good = Part::single(vec![run.clone()], vec![Entry::Own(0), blob(&run, 10, 4990)]);
    let put = |at: usize, value: &'static [u8]| {
        move |bytes: &mut Vec<u8>| bytes[at..at + value.len()].copy_from_slice(value)
    };
    let huge = refusal(&good, put(208, &[0xff; 8]));
    assert!(huge.contains("chunk table entries in a resource of"), "{huge}");
    let large_chunk = refusal(&good, put(216, &[0, 0, 0, 8]));
    assert!(
        large_chunk.contains("a chunk size of 4096 to 67108864, found 134217728"),
        "{large_chunk}"
    );
    let codec = refusal(&good, put(220, &[4]));
    assert!(codec.contains("a codec of 0 to 3, found 4"), "{codec}");
    let chunk = refusal(&good, put(224, &[0xff; 4]));
    assert!(chunk.contains("chunk 0 in 1 to 4096 bytes"), "{chunk}");
    let empty_chunk = refusal(&good, put(224, &[0; 4]));
    assert!(empty_chunk.contains("chunk 0 in 1 to 4096 bytes"), "{empty_chunk}");
    let short = refusal(&good, put(228, &[1, 0, 0, 0]));
    assert!(short.contains("chunk 1 of an uncompressed resource in full"), "{short}");
    // 64 MiB of zeros, says a file of a few hundred bytes: nothing is decoded, and little is taken.
    let zeros = refusal(&good, |bytes| {
        bytes[208..216].copy_from_slice(&(64_u64 << 20).to_le_bytes());
        bytes[216..224].copy_from_slice(&[0, 0, 0, 4, 3, 0, 0, 0]);
        bytes[224..228].copy_from_slice(&4096_u32.to_le_bytes());
    });
    assert!(zeros.contains("chunk 0: corrupt LZMS data"), "{zeros}");
}

#[test]
fn forged_places_of_solid_blobs_are_refused() {
    let run = noise(6, 5000);
    let outside = |offset: u64, size: u64| {
        let forged = Entry::Raw(size, 0x10, offset, 0, 1, Sha1([9; 20]));
        refusal(&Part::single(vec![run.clone()], vec![Entry::Own(0), forged]), |_| {})
    };
    for (offset, size) in
        [(4990, 11), (5000, 1), (u64::MAX, 1), (u64::MAX - 3, 1 << 50), (0, 1 << 55)]
    {
        let error = outside(offset, size);
        assert!(error.contains("inside solid resources of 0x1388 bytes"), "{error}");
    }
    let open = |entries: Vec<Entry>| {
        let bytes =
            Part::single(vec![run.clone()], [&[Entry::Own(0)], &entries[..]].concat()).bytes();
        Wim::open(&bytes)
    };
    let overlapping = open(vec![blob(&run, 0, 100), blob(&run, 99, 100)]).expect("a WIM");
    let error = overlapping.distinct_solid_blobs().expect_err("shared bytes").to_string();
    assert!(error.contains("solid blobs of their own"), "{error}");
    let twice = open(vec![blob(&run, 0, 100), blob(&run, 0, 100)]).expect("a WIM");
    assert_eq!(twice.distinct_solid_blobs().expect("one content").len(), 1);
    let metadata = open(vec![Entry::Raw(100, 0x12, 0, 0, 1, Sha1([9; 20]))]);
    let error = metadata.expect_err("solid metadata").to_string();
    assert!(error.contains("metadata outside of solid resources"), "{error}");
}

#[test]
fn overlapping_blobs_are_each_read_all_the_same() {
    let run = noise(7, 20_000);
    let entries = vec![
        Entry::Own(0),
        blob(&run, 0, 20_000),
        blob(&run, 10, 20),
        blob(&run, 4000, 200),
        blob(&run, 4090, 12_000),
        blob(&run, 19_000, 1000),
    ];
    let bytes = Part::single(vec![run], entries).bytes();
    assert_readable(&Wim::open(&bytes).expect("a WIM"), &bytes, 5);
}

#[test]
fn an_encrypted_file_is_not_called_damaged() {
    let mut bytes = Part { number: 1, count: 1, ..Part::default() }.bytes();
    let xml = "\u{feff}<WIM><ESD><ENCRYPTED/></ESD></WIM>";
    let xml: Vec<u8> = xml.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let place = entry(xml.len() as u64, 2, bytes.len() as u64, xml.len() as u64, 0, Sha1::ZERO);
    bytes[0x48..0x60].copy_from_slice(&place[..24]);
    bytes.extend(xml);
    let error = Wim::open(&bytes).expect_err("no key");
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("encrypted ESDs"), "{error}");
}
