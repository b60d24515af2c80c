//! Boot configuration stores: the one that is written as a golden, anything there and back, and what
//! hivex reads of them and writes into them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use mediabuild_formats::bcd::{
    Device, Element, Firmware, Object, PartitionId, Store, dump, read, windows_pe, write,
};
use mediabuild_formats::regf::{self, Key, Value};
use mediabuild_formats::security::Guid;
use mediabuild_formats::wim::FileTime;
use proptest::prelude::*;

const TIME: FileTime = FileTime(0);

#[test]
fn the_store_of_a_medium() {
    insta::assert_snapshot!(dump(&windows_pe(Firmware::Bios)), @r#"
    {7619dcc8-fafe-11d9-b411-000476eba25f} (RAM disk of a medium) 0x30000000 options of a device
      31000003 ramdisksdidevice boot
      32000004 ramdisksdipath "\\boot\\boot.sdi"
    {7619dcc9-fafe-11d9-b411-000476eba25f} (loader of a medium) 0x10200003 OS loader
      11000001 device ramdisk=[boot]\\sources\\boot.wim,{7619dcc8-fafe-11d9-b411-000476eba25f}
      12000002 path "\\windows\\system32\\boot\\winload.exe"
      12000004 description "Windows PE"
      12000005 locale "en-US"
      21000001 osdevice ramdisk=[boot]\\sources\\boot.wim,{7619dcc8-fafe-11d9-b411-000476eba25f}
      22000002 systemroot "\\windows"
      26000010 detecthal yes
      26000022 winpe yes
    {9dea862c-5cdd-4e70-acc1-f32b344d4795} (bootmgr) 0x10100002 boot manager
      12000004 description "Windows Boot Manager"
      12000005 locale "en-US"
      23000003 default {7619dcc9-fafe-11d9-b411-000476eba25f} (loader of a medium)
      24000001 displayorder {7619dcc9-fafe-11d9-b411-000476eba25f} (loader of a medium)
      25000004 timeout 0
    "#);
}

#[test]
fn the_two_firmwares_differ_by_the_loader() {
    let (bios, uefi) = (dump(&windows_pe(Firmware::Bios)), dump(&windows_pe(Firmware::Uefi)));
    assert_eq!(bios.replace("winload.exe", "winload.efi"), uefi);
    assert_ne!(bios, uefi);
}

#[test]
fn a_store_is_small_and_comes_back() {
    for firmware in [Firmware::Bios, Firmware::Uefi] {
        let store = windows_pe(firmware);
        let bytes = write(&store, TIME).expect("a store");
        assert_eq!(bytes.len(), 12_288);
        assert_eq!(read(&bytes), Ok(store));
    }
}

#[test]
fn other_hives_are_no_stores() {
    let error = |key: &Key| {
        let hive = regf::write(key, TIME).expect("a hive");
        read(&hive).expect_err("a refusal").to_string()
    };
    let software = Key::new("SOFTWARE").with_key(Key::new("Classes"));
    assert_eq!(
        error(&software),
        "not a boot configuration store: expected a key `Objects` in the hive's key `SOFTWARE`"
    );
    let objects = |object: Key| Key::new("root").with_key(Key::new("Objects").with_key(object));
    assert!(error(&objects(Key::new("{bootmgr}"))).contains("a GUID in braces"));
    let id = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}";
    assert!(error(&objects(Key::new(id))).contains("`Description` with a `Type`"));
    let kind = Key::new("Description").with_value(Value::dword("Type", 1));
    let element = |name: &str| {
        Key::new(id).with_key(kind.clone()).with_key(Key::new("Elements").with_key(Key::new(name)))
    };
    assert!(error(&objects(element("+1000001"))).contains("a value `Element`"));
    assert!(error(&objects(element("1200000x"))).contains("8 hexadecimal digits"));
    assert!(error(&objects(element("12000004"))).contains("a value `Element`"));
}

fn guid() -> impl Strategy<Value = Guid> {
    any::<[u8; 16]>().prop_map(Guid)
}

fn partition() -> impl Strategy<Value = PartitionId> {
    prop_oneof![
        (guid(), guid()).prop_map(|(disk, partition)| PartitionId::Gpt { disk, partition }),
        any::<(u32, u64)>()
            .prop_map(|(signature, offset_bytes)| PartitionId::Mbr { signature, offset_bytes }),
    ]
}

fn device() -> impl Strategy<Value = Device> {
    let ram_disk = (guid(), prop::option::of(partition()), r"\\[a-zж\\.]{0,30}");
    prop_oneof![
        Just(Device::Boot),
        partition().prop_map(Device::Partition),
        ram_disk.prop_map(|(options, partition, path)| Device::RamDisk {
            options,
            partition,
            path
        }),
    ]
}

/// An element and a number whose format goes with it.
fn element() -> impl Strategy<Value = (u32, Element)> {
    let element = prop_oneof![
        device().prop_map(|it| (1, Element::Device(it))),
        ".{0,30}".prop_map(|it| (2, Element::Text(it))),
        guid().prop_map(|it| (3, Element::Object(it))),
        prop::collection::vec(guid(), 0..4).prop_map(|it| (4, Element::Objects(it))),
        any::<u64>().prop_map(|it| (5, Element::Integer(it))),
        any::<bool>().prop_map(|it| (6, Element::Boolean(it))),
        prop::collection::vec(any::<u64>(), 0..4).prop_map(|it| (7, Element::Integers(it))),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|it| (0, Element::Other(11, it))),
    ];
    (element, any::<u32>())
        .prop_map(|((format, element), number)| (number & 0xf0ff_ffff | format << 24, element))
}

proptest! {
    #[test]
    fn what_is_written_is_read(objects in prop::collection::vec(
        (guid(), any::<u32>(), prop::collection::btree_map(any::<u32>(), element(), 0..6)), 0..6,
    )) {
        let mut store = Store::default();
        for (id, kind, elements) in objects {
            let elements: BTreeMap<u32, Element> = elements.into_values().collect();
            store.insert(id, Object { kind, elements });
        }
        let bytes = write(&store, TIME).expect("a store");
        prop_assert!(!dump(&store).contains('\0'));
        prop_assert_eq!(read(&bytes), Ok(store));
    }
}

/// Whether hivex is there; where everything must be, its absence fails the test.
fn has_hivex() -> bool {
    let is_there = Path::new("/usr/bin/hivexsh").exists();
    assert!(is_there || std::env::var_os("MEDIABUILD_REQUIRE_TOOLS").is_none(), "no hivexsh");
    if !is_there {
        eprintln!("skipped: no hivexsh");
    }
    is_there
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A folder of this test process.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("mediabuild-bcd-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn hivex_reads_our_stores() {
    if !has_hivex() {
        return;
    }
    let folder = folder("read");
    let file = folder.join("BCD");
    let name = file.to_str().expect("a name");
    fs::write(&file, write(&windows_pe(Firmware::Uefi), TIME).expect("a store")).expect("written");
    let loader = r"\Objects\{7619dcc9-fafe-11d9-b411-000476eba25f}";
    let path = run("hivexget", &[name, &format!(r"{loader}\Elements\12000002"), "Element"]);
    assert_eq!(path.trim_end(), r"\windows\system32\boot\winload.efi");
    let kind = run("hivexget", &[name, &format!(r"{loader}\Description"), "Type"]);
    assert_eq!(kind.trim_end(), 0x1020_0003.to_string());
    let xml = run("hivexml", &[name]);
    assert_eq!(xml.matches("<node name=").count(), 27);
    assert!(xml.contains(r#"<node name="NewStoreRoot" root="1">"#), "{xml}");
    fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn we_read_what_hivex_changed() {
    if !has_hivex() {
        return;
    }
    let folder = folder("write");
    let (file, script) = (folder.join("BCD"), folder.join("script"));
    fs::write(&file, write(&windows_pe(Firmware::Bios), TIME).expect("a store")).expect("written");
    let bootmgr = r"\Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements";
    let lines = [
        format!("cd {bootmgr}\\12000004"),
        "setval 1\nElement\nstring:Changed".into(),
        format!("cd {bootmgr}"),
        "add 26000020\ncd 26000020".into(),
        "setval 1\nElement\nhex:3:01".into(),
        "commit".into(),
    ];
    fs::write(&script, lines.join("\n") + "\n").expect("written");
    let arguments = ["-w", "-f", script.to_str().expect("a name"), file.to_str().expect("a name")];
    run("hivexsh", &arguments);
    let text = dump(&read(&fs::read(&file).expect("read")).expect("a store"));
    assert!(text.contains("12000004 description \"Changed\""), "{text}");
    assert!(text.contains("26000020 displaybootmenu yes"), "{text}");
    fs::remove_dir_all(folder).expect("removed");
}
