//! Firmware and boot loaders as readers of our discs: they read UDF with code of their own.

mod harness;

use std::path::{Path, PathBuf};

use harness::{Run, TestSpace, tool};

/// What GRUB needs to read a UDF disc and say so; with more it would not fit a floppy's image.
const GRUB_MODULES: &str =
    "udf search search_fs_file serial echo cat probe ls halt part_gpt part_msdos fat test normal";

const GRUB_SCRIPT: &str = "serial --unit=0
terminal_output serial
search --file --set=root /marker.txt
probe --fs $root
echo
ls -l ($root)/sources/
cat /marker.txt
halt
";

/// The quickstart with these files at the root of its medium instead of boot files, and other
/// `el-torito` entries.
fn space_with(files: &[(&str, &str)], el_torito: &str) -> TestSpace {
    let space = TestSpace::quickstart();
    for (name, text) in files {
        space.write(&format!("inputs/root/{name}"), text);
    }
    let definitions = space.project().join("mediabuild.kdl");
    let text = std::fs::read_to_string(&definitions).expect("definitions");
    let text = text.replace("from \"inputs/uefi\"", "from \"inputs/root\"");
    let text = text.replace("        from \"image\"\n", "");
    let text = text.replace("bios=\"inputs/boot.bin\"", el_torito);
    std::fs::write(&definitions, text).expect("written");
    space
}

fn boot_test(space: &TestSpace, marker: &str) -> Run {
    let arguments = ["boot-test", "result/boot.iso", "--firmware", "uefi", "--memory", "256MiB"];
    Run::of(space.command().args(arguments).args(["--time", "3m", "--marker", marker]))
}

/// A FAT volume with GRUB as what UEFI firmware starts.
fn grub_volume(folder: &Path) -> Option<PathBuf> {
    let (mut grub, mut format) = (tool("grub-mkstandalone")?, tool("mkfs.fat")?);
    let (mut make_folders, mut copy) = (tool("mmd")?, tool("mcopy")?);
    let [script, program, volume] =
        ["grub.cfg", "grub.efi", "efi.bin"].map(|name| folder.join(name));
    std::fs::write(&script, GRUB_SCRIPT).expect("written");
    grub.args(["-O", "x86_64-efi", "--fonts=", "--locales=", "--themes=", "-o"]).arg(&program);
    grub.arg(format!("--modules={GRUB_MODULES}"));
    grub.arg(format!("--install-modules={GRUB_MODULES} terminal memdisk tar"));
    Run::of(grub.arg(format!("boot/grub/grub.cfg={}", script.display()))).expect(0);
    std::fs::write(&volume, vec![0; 2880 << 10]).expect("written");
    Run::of(format.args(["-F", "12"]).arg(&volume)).expect(0);
    Run::of(make_folders.arg("-i").arg(&volume).args(["::/EFI", "::/EFI/BOOT"])).expect(0);
    copy.arg("-i").arg(&volume).arg(&program).arg("::/EFI/BOOT/BOOTX64.EFI");
    Run::of(&mut copy).expect(0);
    Some(volume)
}

#[test]
fn grub_reads_our_udf() {
    if tool("qemu-system-x86_64").is_none() {
        return;
    }
    let marker = ("marker.txt", "READ-BY-GRUB\n");
    let space = space_with(&[marker], "uefi=\"inputs/efi.bin\"");
    let Some(volume) = grub_volume(space.path()) else { return };
    std::fs::copy(volume, space.project().join("inputs/efi.bin")).expect("copied");
    space.build(&["boot"]);
    let json = Run::of(space.command().args([
        "boot-test",
        "result/boot.iso",
        "--memory",
        "256MiB",
        "--time",
        "3m",
        "--marker",
        "READ-BY-GRUB",
        "--format",
        "json",
    ]));
    // The file system's name and the size of boot.wim come before the marker.
    json.expect(0).says("\"ok\":true").says("udf").says("boot.wim");
}

#[test]
fn uefi_firmware_reads_our_udf() {
    if tool("qemu-system-x86_64").is_none() {
        return;
    }
    // Without anything to start the firmware starts its shell, which looks for this in every file
    // system that it can read: of a disc that has no FAT volume, in UDF.
    let script = ("startup.nsh", "echo READ-BY-%0-END\r\n");
    let space = space_with(&[script], "bios=\"inputs/boot.bin\"");
    space.build(&["boot"]);
    // The least that this driver takes, and the writer makes.
    let size_bytes = std::fs::metadata(space.result("boot.iso")).expect("a disc").len();
    assert_eq!(size_bytes, 289 * 2048);
    boot_test(&space, "startup.nsh-END").expect(0).says("booted");
}
