//! Registry hives: what is written is read, what is wrong is refused with its place.

use mediabuild_formats::regf::{Error, Key, Value, read, write};
use mediabuild_formats::wim::FileTime;
use proptest::prelude::*;

const TIME: FileTime = FileTime(0x01dc_5a00_0000_0000);

fn sample() -> Key {
    Key::new("root")
        .with_value(Value::string("", "the key's own"))
        .with_value(Value::dword("number", 7))
        .with_key(Key::new("zebra").with_value(Value::binary("data", vec![9; 5000])))
        .with_key(Key::new("Größe").with_key(Key::new("жук")))
        .with_key(Key::new("alpha").with_value(Value::strings("list", ["one", "two"])))
}

fn hive() -> Vec<u8> {
    write(&sample(), TIME).expect("a hive")
}

/// Seals a changed base block, so that what is behind it is looked at.
fn seal(hive: &mut [u8]) {
    let sum = hive[..0x1fc].as_chunks::<4>().0.iter();
    let sum = sum.fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
    hive[0x1fc..0x200].copy_from_slice(&sum.to_le_bytes());
}

/// Overwrites bytes of a valid hive and returns the refusal.
fn refusal(offset: usize, bytes: &[u8]) -> String {
    let mut hive = hive();
    hive[offset..offset + bytes.len()].copy_from_slice(bytes);
    seal(&mut hive);
    read(&hive).expect_err("a refusal").to_string()
}

/// Where a key's cell content starts, by its name.
fn key_at(hive: &[u8], name: &str) -> usize {
    let found = hive.windows(name.len()).position(|window| window == name.as_bytes());
    found.expect("its name") - 0x4c
}

fn u32_at(hive: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(hive[at..at + 4].try_into().expect("four bytes"))
}

#[test]
fn keys_come_back_sorted_and_values_in_order() {
    let hive = read(&hive()).expect("a hive");
    assert_eq!(hive.written, TIME);
    assert!(hive.is_complete);
    let names: Vec<&str> = hive.root.keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["alpha", "Größe", "zebra"]);
    assert_eq!(hive.root.values, sample().values);
    assert_eq!(hive.root.key("ZEBRA"), sample().key("zebra"));
    assert_eq!(hive.root.value("NUMBER").and_then(Value::as_dword), Some(7));
    let list = hive.root.key("alpha").and_then(|key| key.value("list")?.as_strings());
    assert_eq!(list, Some(vec!["one".to_owned(), "two".to_owned()]));
}

#[test]
fn a_small_hive_is_two_pages_and_sums_up() {
    let hive = write(&Key::new("root"), FileTime(0)).expect("a hive");
    assert_eq!(hive.len(), 8192);
    assert_eq!(u32_at(&hive, 0x24), 0x20);
    assert_eq!(u32_at(&hive, 0x28), 4096);
    let words = hive[..0x200].as_chunks::<4>().0.iter();
    assert_eq!(words.fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)), 0);
    assert_eq!(hive, write(&Key::new("root"), FileTime(0)).expect("a hive"));
}

#[test]
fn what_cannot_be_a_hive_is_not_written() {
    let refused = |key: Key| write(&key, TIME).expect_err("a refusal").to_string();
    assert!(refused(Key::new("")).contains("1 to 255 characters"));
    assert!(refused(Key::new("a\\b")).contains("no `\\`"));
    let twice = Key::new("root").with_key(Key::new("Ab")).with_key(Key::new("aB"));
    assert_eq!(refused(twice), "the key `root` cannot be written: two of its keys have one name");
    let twice = Key::new("k").with_value(Value::dword("A", 1)).with_value(Value::dword("a", 1));
    assert!(refused(twice).contains("two of its values"));
    let large = Key::new("k").with_value(Value::binary("v", vec![0; 16_345]));
    assert!(refused(large).contains("16,344 bytes"));
    let deep = (0..600).fold(Key::new("k"), |key, _| Key::new("k").with_key(key));
    assert!(refused(deep).contains("512 keys deep"));
}

#[test]
fn other_files_are_not_hives() {
    let error = |bytes: &[u8]| read(bytes).expect_err("a refusal").to_string();
    assert_eq!(error(b""), "not a registry hive: expected `regf` at offset 0, found an empty file");
    assert!(error(b"MZ\x90\0").ends_with(r"found `MZ\x90\x00`"));
    assert!(error(b"regf").starts_with("offset 0x0: expected all of a structure"));
    let whole = hive();
    for length in [100, 4095, 4096, 5000, whole.len() - 1] {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    let mut changed = hive();
    changed[0x30] = 1;
    assert!(error(&changed).starts_with("offset 0x1fc: expected the base block's checksum"));
}

#[test]
fn absurd_structures_are_refused_with_their_place() {
    assert!(refusal(0x18, &[9]).contains("expected version 1.2 to 1.6"));
    assert!(refusal(0x28, &[0xff; 4]).contains("expected all of a structure"));
    assert!(refusal(0x24, &[0x28]).contains("found no cell's start"));
    assert!(refusal(0x1000, b"nib").contains("offset 0x1000: expected `hbin`"));
    assert!(refusal(0x1008, &[1]).contains("a bin of whole pages"));
    assert!(refusal(0x1008, &[0, 0, 0, 0]).contains("a bin of whole pages"));
    assert!(refusal(0x1020, &[0; 4]).contains("offset 0x1020: expected a cell of whole 8 bytes"));
    assert!(refusal(0x1020, &0x8000_0000_u32.to_le_bytes()).contains("a cell of whole 8 bytes"));
    assert!(refusal(0x1024, b"vk").contains("a key, `nk`"));
    // Counts of the root that its lists cannot have.
    assert!(refusal(0x1024 + 0x14, &[0xff; 4]).contains("the number of keys in its list"));
    assert!(refusal(0x1024 + 0x24, &[0xff; 4]).contains("expected all of a structure"));
    assert!(refusal(0x1024 + 0x48, &[0xff; 2]).contains("expected all of a structure"));
}

#[test]
fn a_loop_is_refused() {
    let bytes = hive();
    let zebra = key_at(&bytes, "zebra");
    // Its list of keys is the root's.
    let list = bytes[0x1024 + 0x1c..0x1024 + 0x20].to_vec();
    let mut looped = bytes.clone();
    looped[zebra + 0x14] = 3;
    looped[zebra + 0x1c..zebra + 0x20].copy_from_slice(&list);
    let error = read(&looped).expect_err("a refusal").to_string();
    assert!(error.contains("a cell that was used before"), "{error}");
}

#[test]
fn one_cell_is_not_the_data_of_many_values() {
    let key = Key::new("k")
        .with_value(Value::binary("a", vec![1; 64]))
        .with_value(Value::binary("b", vec![2; 64]));
    let mut bytes = write(&key, TIME).expect("a hive");
    let value = |name: u8| {
        let is_it = |window: &[u8]| window.starts_with(b"vk") && window[0x14] == name;
        bytes.windows(0x15).position(is_it).expect("a value")
    };
    let (a, b) = (value(b'a'), value(b'b'));
    let data = bytes[a + 8..a + 12].to_vec();
    bytes[b + 8..b + 12].copy_from_slice(&data);
    let error = read(&bytes).expect_err("a refusal");
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

/// Any tree whose names may stand beside each other.
fn key() -> impl Strategy<Value = Key> {
    let name = || "[a-z0-9{}ßжʼ .-]{1,40}";
    let value = ("[a-zж]{0,20}", any::<u32>(), prop::collection::vec(any::<u8>(), 0..200))
        .prop_map(|(name, kind, data)| Value { name, kind, data });
    let values = move || prop::collection::vec(value.clone(), 0..4);
    let leaf = (name(), values()).prop_map(|(name, values)| Key { name, values, keys: vec![] });
    leaf.prop_recursive(6, 200, 12, move |inner| {
        (name(), values(), prop::collection::vec(inner, 0..12))
            .prop_map(|(name, values, keys)| Key { name, values, keys })
    })
}

/// Leaves out what has a name twice, and sorts as the file does.
fn normal(mut key: Key) -> Key {
    let upper = |name: &String| name.to_uppercase();
    key.values.sort_by_key(|value| upper(&value.name));
    key.values.dedup_by_key(|value| upper(&value.name));
    key.keys.dedup_by_key(|key| upper(&key.name));
    key.keys = key.keys.into_iter().map(normal).collect();
    key
}

proptest! {
    #[test]
    fn what_is_written_is_read(key in key()) {
        let key = normal(key);
        match write(&key, TIME) {
            Ok(bytes) => {
                let root = read(&bytes).expect("our own hive").root;
                prop_assert_eq!(sorted(root.clone()), sorted(key));
                prop_assert_eq!(write(&root, TIME).expect("again"), bytes);
            }
            Err(error) => prop_assert!(error.to_string().contains("have one name"), "{}", error),
        }
    }

    #[test]
    fn damage_never_panics(at in 0_usize..12_288, bytes in prop::collection::vec(any::<u8>(), 1..8)) {
        let mut hive = hive();
        let at = at.min(hive.len() - bytes.len());
        hive[at..at + bytes.len()].copy_from_slice(&bytes);
        seal(&mut hive);
        let _ = read(&hive);
    }
}

/// An order of our own for comparing.
fn sorted(mut key: Key) -> Key {
    key.keys.sort_by(|a, b| a.name.cmp(&b.name));
    key.keys = key.keys.into_iter().map(sorted).collect();
    key
}
