//! Where the boot files of a medium come from: what is searched in which order, what is made where
//! nobody has it, and what `check` says of it.

mod harness;

use std::collections::BTreeMap;

use harness::TestSpace;

/// A boot image and an ISO with what `boot_files` says.
fn project(space: &TestSpace, boot_files: &str) {
    space.write("base/Windows/System32/setup.exe", "not really");
    let text = format!(
        r#"project "p" epoch=(date-time)"2026-11-01T00:00:00Z"
        boot-image "pe" arch="amd64" {{
            source "base"
            boot-files {{ {boot_files} }}
        }}
        media "medium" type="bootable" {{ boot-image "pe"; output "medium.iso" }}"#
    );
    space.write("mediabuild.kdl", text);
}

/// Files of the medium, in lower case, with their bytes as text.
fn files(space: &TestSpace) -> BTreeMap<String, String> {
    let _ = std::fs::remove_dir_all(space.path().join("out"));
    let to = space.path().join("out").display().to_string();
    space.run(&["extract", "result/medium.iso", "--to", &to]).expect(0);
    let files = harness::tree(&space.path().join("out")).into_iter();
    files
        .map(|(path, bytes)| (path.to_lowercase(), String::from_utf8_lossy(&bytes).into_owned()))
        .collect()
}

#[test]
fn a_store_that_nobody_has_is_made_for_each_boot_manager() {
    let space = TestSpace::new();
    project(&space, r#"from "media""#);
    space.write("media/bootmgr", "BIOS boot manager");
    space.write("media/EFI/Boot/bootx64.efi", "UEFI boot manager");
    space.write("media/boot/boot.sdi", "RAM disk");
    space.run(&["check"]).expect(0).says("boot/bcd                     made by mediabuild");
    space.build(&["medium"]);
    let dump = |path: &str| space.run(&["inspect", "dump", &format!("result/medium.iso//{path}")]);
    let bios = dump("boot/bcd");
    bios.expect(0).says(r#"path "\\windows\\system32\\boot\\winload.exe""#);
    bios.says(r"osdevice ramdisk=[boot]\\sources\\boot.wim");
    dump("efi/microsoft/boot/bcd").expect(0).says("winload.efi");
}

#[test]
fn a_store_that_somebody_has_is_never_replaced() {
    let space = TestSpace::new();
    project(&space, r#"from "media""#);
    space.write("media/bootmgr", "BIOS boot manager");
    space.write("media/Boot/BCD", "theirs");
    space.run(&["check"]).expect(0).says("boot/bcd                     media");
    space.build(&["medium"]);
    let files = files(&space);
    assert_eq!(files["boot/bcd"], "theirs");
    assert!(!files.contains_key("efi/microsoft/boot/bcd"), "there is no UEFI boot manager");
}
