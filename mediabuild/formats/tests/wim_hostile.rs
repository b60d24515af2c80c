//! Malformed and hostile WIMs: each is refused with the place and what was expected there.

mod wim_support;

use std::collections::BTreeMap;
use std::rc::Rc;

use mediabuild_formats::wim::{
    Counts, Dentry, FileTime, Image, NO_SECURITY, Name, NamedStream, Sha1, Wim, decode_metadata,
    encode_metadata,
};
use wim_support::{Bytes, open, write_raw};

const TIME: FileTime = FileTime(0);

/// An image with one file in one folder.
fn image(name: &str) -> (Image, BTreeMap<Sha1, Bytes>) {
    let content: Bytes = Rc::new(b"content".to_vec());
    let sha1 = Sha1::of(&content);
    let mut folder = Dentry::folder(Name::from("folder"), TIME);
    folder.children.push(Dentry::file(Name::from(name), sha1, TIME));
    let mut image = Image::new(TIME);
    image.root.children.push(folder);
    (image, BTreeMap::from([(sha1, content)]))
}

fn file() -> Vec<u8> {
    let (image, contents) = image("file");
    write_raw(&[&image], &contents)
}

fn open_error(bytes: &[u8]) -> String {
    Wim::open(bytes).expect_err("a refusal").to_string()
}

/// Overwrites bytes of a valid file and returns the refusal.
fn refusal(offset: usize, bytes: &[u8]) -> String {
    let mut file = file();
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
    open_error(&file)
}

#[test]
fn other_files_are_not_wims() {
    assert_eq!(open_error(b""), "not a WIM: expected `MSWIM` at offset 0, found an empty file");
    let zip = open_error(b"PK\x03\x04");
    assert_eq!(zip, r"not a WIM: expected `MSWIM` at offset 0, found `PK\x03\x04`");
    assert!(open_error(b"MSWIM\0\0\0").starts_with("offset 0x0: "));
    assert_eq!(open_error(b"WLPWM\0\0\0\0"), "offset 0x0: unexpected end of file");
    // A pipable file says everything in its last header.
    let mut pipable = file();
    pipable[..8].copy_from_slice(b"WLPWM\0\0\0");
    assert!(open_error(&pipable).contains("expected `WLPWM` in front of the last header"));
    assert_eq!(
        refusal(8, &[0x60, 0, 0, 0]),
        "file offset 0x8: expected a header of 208 bytes, found 96 (a pre-release WIM?)"
    );
}

#[test]
fn resources_outside_the_file_are_refused() {
    let end = file().len();
    // the blob table's offset, its size, and the offset of the XML data
    let far = u64::MAX.to_le_bytes();
    assert_eq!(
        refusal(0x38, &far),
        format!(
            "file offset 0xffffffffffffffff: expected the blob table of 100 bytes inside the file \
             of {end} bytes"
        )
    );
    assert!(refusal(0x30, &[0x65]).contains("the blob table to be uncompressed"));
    assert!(refusal(0x50, &far).contains("the XML data"));
    assert!(refusal(0x2c, &[9]).contains("expected an image count of 1"));
    let error = refusal(0x2c, &65_536_u32.to_le_bytes());
    assert_eq!(error, "file offset 0x2c: expected at most 65535 images, found 65536");
}

#[test]
fn blob_entries_are_checked() {
    let opened = open(file());
    // the metadata entry comes first
    let entry = opened.wim.header.blob_table.offset_bytes as usize + 50;
    assert!(refusal(entry + 8, &u64::MAX.to_le_bytes()).contains("a resource of 7 bytes inside"));
    assert!(refusal(entry + 16, &[8]).contains("equal sizes of an uncompressed resource"));
    // entries without a hash, without bytes or of removed images are ignored
    let mut bytes = file();
    bytes[entry + 30..entry + 50].fill(0);
    assert_eq!(Wim::open(&bytes).expect("a WIM").blobs, []);
    let mut bytes = file();
    bytes[entry + 24] = 7;
    let wim = Wim::open(&bytes).expect("a WIM");
    let error = wim.check(&bytes, &wim.blobs[0]).expect_err("another part").to_string();
    assert!(error.ends_with("is in part 7 of the set, this is part 1"), "{error}");
}

#[test]
fn compressed_resources_need_a_codec_and_a_chunk_table() {
    let opened = open(file());
    let entry = opened.wim.header.blob_table.offset_bytes as usize + 50;
    let error_with = |changes: &[(usize, &[u8])]| {
        let mut bytes = file();
        for (offset, change) in changes {
            bytes[*offset..*offset + change.len()].copy_from_slice(change);
        }
        let wim = Wim::open(&bytes).expect("a WIM");
        wim.check(&bytes, &wim.blobs[0]).expect_err("a refusal").to_string()
    };
    let compressed: (usize, &[u8]) = (entry + 7, &[4]);
    let lzx: (usize, &[u8]) = (0x10, &[0x82, 0, 4, 0]);
    let chunk: (usize, &[u8]) = (0x14, &[0, 0x80]);
    assert!(error_with(&[compressed]).contains("a codec in the flags"));
    assert!(error_with(&[compressed, lzx]).contains("a chunk size of 32768 to 2097152, found 0"));
    let huge: (usize, &[u8]) = (entry + 16, &[0xff; 7]);
    assert!(error_with(&[compressed, lzx, chunk, huge]).contains("chunk table entries"));
    let longer: (usize, &[u8]) = (entry + 16, &[100]);
    let error = error_with(&[compressed, lzx, chunk, longer]);
    assert!(error.contains("chunk 0: corrupt LZX data at output byte 0: expected"), "{error}");
    let error = error_with(&[(entry + 7, &[0x10])]);
    assert!(error.contains("of 7 bytes at 0xd0 inside solid resources of 0x0 bytes"), "{error}");
}

#[test]
fn names_that_leave_their_folder_are_refused() {
    let (image, _) = image("abc");
    let valid = encode_metadata(&image).expect("metadata");
    let units = Name::from("abc").units().iter().flat_map(|u| u.to_le_bytes()).collect::<Vec<_>>();
    let start = valid.windows(6).position(|window| window == units).expect("the name");
    for bad in ["a/c", "a\\c", "a\0c"] {
        let mut metadata = valid.clone();
        let name: Vec<u8> = bad.encode_utf16().flat_map(u16::to_le_bytes).collect();
        metadata[start..start + 6].copy_from_slice(&name);
        let error = decode_metadata(&metadata).expect_err(bad).to_string();
        assert!(error.starts_with(&format!("metadata offset {:#x}: ", start - 102)), "{error}");
        assert!(error.contains("a name contains"), "{error}");
    }
    for (dots, problem) in [(1, "`.`"), (2, "`..`"), (0, "empty")] {
        let mut metadata = valid.clone();
        metadata[start..start + 6].copy_from_slice(&[b'.', 0, b'.', 0, 0, 0]);
        metadata[start - 2] = dots * 2;
        let error = decode_metadata(&metadata).expect_err(problem).to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn equal_names_are_refused_and_names_in_another_case_are_kept() {
    let (mut image, _) = image("abc");
    let folder = &mut image.root.children[0];
    folder.children.push(Dentry::file(Name::from("ABC"), Sha1::ZERO, TIME));
    let mut metadata = encode_metadata(&image).expect("metadata");
    let decoded = decode_metadata(&metadata).expect("both names");
    assert_eq!(decoded.root.children[0].children.len(), 2);
    let units = Name::from("ABC").units().iter().flat_map(|u| u.to_le_bytes()).collect::<Vec<_>>();
    let start = metadata.windows(6).position(|window| window == units).expect("the name");
    metadata[start..start + 6].copy_from_slice(&[b'a', 0, b'b', 0, b'c', 0]);
    let error = decode_metadata(&metadata).expect_err("two files").to_string();
    assert!(error.ends_with("one file `abc` per folder, found two"), "{error}");
}

#[test]
fn folders_that_contain_themselves_are_refused() {
    let (image, _) = image("file");
    let mut metadata = encode_metadata(&image).expect("metadata");
    // 8 bytes of security data, the root's dentry (104 bytes), the end of its list
    let root_list = u64::from_le_bytes(metadata[8 + 16..8 + 24].try_into().expect("8 bytes"));
    let folder = root_list as usize;
    metadata[folder + 16..folder + 24].copy_from_slice(&root_list.to_le_bytes());
    let error = decode_metadata(&metadata).expect_err("a cycle").to_string();
    assert!(error.contains("folders contain each other"), "{error}");
}

#[test]
fn folders_nest_up_to_a_limit() {
    let nested = |depth: usize| {
        let mut image = Image::new(TIME);
        for _ in 0..depth {
            let inner = std::mem::replace(&mut image.root, Dentry::folder(Name::default(), TIME));
            let name = Name::from("d");
            image.root.children.push(Dentry { name, ..inner });
        }
        image
    };
    // a thread's default stack must be enough
    let deepest = encode_metadata(&nested(1023)).expect("metadata");
    assert_eq!(decode_metadata(&deepest).expect("an image").walk().count(), 1024);
    let error = encode_metadata(&nested(1024)).expect_err("too deep").to_string();
    assert!(error.contains("folders nest at most 1024 deep"), "{error}");
}

#[test]
fn truncated_metadata_names_the_missing_field() {
    let (image, _) = image("file");
    let metadata = encode_metadata(&image).expect("metadata");
    for size in 0..metadata.len() {
        decode_metadata(&metadata[..size]).expect_err("truncated");
    }
    let error = decode_metadata(&[]).expect_err("empty").to_string();
    assert_eq!(
        error,
        "metadata offset 0x0: expected security data of 8 bytes, found 0 bytes in all"
    );
}

#[test]
fn declared_sizes_are_not_trusted() {
    let (image, _) = image("file");
    let mut metadata = encode_metadata(&image).expect("metadata");
    metadata[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = decode_metadata(&metadata).expect_err("no room").to_string();
    assert!(error.contains("sizes of security descriptors"), "{error}");
    let mut bytes = file();
    let opened = open(bytes.clone());
    bytes[0x48..0x4f].fill(0xff);
    bytes[0x58..0x5f].fill(0xff);
    assert!(open_error(&bytes).contains("the XML data of 72057594037927935 bytes inside"));
    assert_eq!(opened.wim.images.len(), 1);
}

/// Found by fuzzing.
#[test]
fn sums_of_declared_sizes_do_not_overflow() {
    let (mut image, contents) = image("file");
    let sha1 = *contents.keys().next().expect("a content");
    let stream = NamedStream { name: Name::from("stream"), reserved: 0, sha1 };
    image.root.children[0].children[0].streams.push(stream);
    assert_eq!(Counts::of(&image, |_| Some(u64::MAX)).total_bytes, u64::MAX);
}

/// Each may be as large as the metadata; together they may not.
#[test]
fn overlapping_dentries_are_refused() {
    let (image, _) = image("file");
    let mut metadata = encode_metadata(&image).expect("metadata");
    // 8 bytes of security data, the root's dentry of 104 bytes, the end of its list
    let folder = 8 + 104 + 8;
    let size = (metadata.len() - 8 - folder) as u64;
    metadata[folder..folder + 8].copy_from_slice(&size.to_le_bytes());
    let error = decode_metadata(&metadata).expect_err("an overlap").to_string();
    assert!(error.contains("no more dentries than fit"), "{error}");
}

/// Folders nested in each other, each with a name of `units`.
fn long_paths(depth: usize, units: usize) -> Image {
    let mut image = Image::new(TIME);
    for _ in 0..depth {
        let inner = std::mem::replace(&mut image.root, Dentry::folder(Name::default(), TIME));
        let name = Name::from("n".repeat(units).as_str());
        image.root.children.push(Dentry { name, ..inner });
    }
    image
}

#[test]
fn paths_are_as_long_as_those_of_windows() {
    // 32 names of 1023 units and 31 separators are 32767 units
    let metadata = encode_metadata(&long_paths(32, 1023)).expect("metadata");
    assert_eq!(decode_metadata(&metadata).expect("an image").walk().count(), 33);
    let mut image = long_paths(32, 1023);
    let first = &mut image.root.children[0];
    first.name = Name::from("n".repeat(1024).as_str());
    let error = encode_metadata(&image).expect_err("too long").to_string();
    assert!(error.ends_with("n`: has a path of more than 32767 units"), "{error}");
    // a name of 1023 units that grows by one, into the padding behind it
    let mut metadata = metadata;
    let root_list = 8 + 104 + 8;
    let size = u64::from_le_bytes(metadata[root_list..root_list + 8].try_into().expect("8 bytes"));
    assert_eq!(size, 2152);
    metadata[root_list + 0x64..root_list + 0x66].copy_from_slice(&2048_u16.to_le_bytes());
    metadata[root_list + 102 + 2046] = b'n';
    let error = decode_metadata(&metadata).expect_err("too long").to_string();
    let last = metadata.len() - 8 - 8 - 2152;
    assert_eq!(
        error,
        format!("metadata offset {last:#x}: expected a path of at most 32767 units, found 32768")
    );
}

/// Their paths are 5 GB together: none is made where only the dentries matter.
#[test]
fn many_siblings_below_a_long_path_are_written_and_read() {
    let mut image = long_paths(32, 1020);
    let mut folder = &mut image.root;
    while !folder.children.is_empty() {
        folder = &mut folder.children[0];
    }
    let file =
        |number: u32| Dentry::file(Name::from(number.to_string().as_str()), Sha1::ZERO, TIME);
    folder.children.extend((0..150_000).map(file));
    let metadata = encode_metadata(&image).expect("metadata");
    let decoded = decode_metadata(&metadata).expect("an image");
    let mut walk = decoded.walk();
    let mut path_bytes = 0;
    while let Some((path, _)) = walk.next_in_place() {
        path_bytes += path.len();
    }
    assert!(path_bytes > 4_900_000_000, "{path_bytes}");
    assert_eq!(Counts::of(&decoded, |_| None).files, 150_000);
    assert!(encode_metadata(&decoded).expect("metadata") == metadata);
}

/// Each is decoded by whoever lists them.
#[test]
fn images_are_no_more_than_a_writer_makes() {
    let mut bytes = file();
    let table = open(bytes.clone()).wim.header.blob_table.offset_bytes as usize;
    let metadata = bytes[table..table + 50].to_vec();
    let offset = bytes.len() as u64;
    bytes.extend(metadata.repeat(65_536));
    for at in [0x30, 0x40] {
        let size = (bytes.len() as u64 - offset).to_le_bytes();
        bytes[at..at + 7].copy_from_slice(&size[..7]);
    }
    bytes[0x38..0x40].copy_from_slice(&offset.to_le_bytes());
    let last = offset + 50 * 65_535;
    let expected = format!("file offset {last:#x}: expected at most 65535 images");
    assert_eq!(open_error(&bytes), expected);
}

#[test]
fn security_ids_without_a_descriptor_are_none() {
    let (mut image, _) = image("file");
    image.security = vec![vec![1; 8]];
    image.root.security_id = 0;
    let metadata = encode_metadata(&image).expect("metadata");
    // 24 bytes of security data
    let id = 24 + 0x0c;
    assert_eq!(metadata[id..id + 4], [0; 4]);
    assert_eq!(decode_metadata(&metadata).expect("an image"), image);
    for wrong in [1, i32::MAX, -2, i32::MIN] {
        let mut metadata = metadata.clone();
        metadata[id..id + 4].copy_from_slice(&wrong.to_le_bytes());
        let decoded = decode_metadata(&metadata).expect("an image");
        assert_eq!(decoded.root.security_id, NO_SECURITY);
        encode_metadata(&decoded).expect("metadata");
    }
}
