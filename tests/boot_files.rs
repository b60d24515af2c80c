//! Where the boot files of a medium come from: what is searched in which order, what is made where
//! nobody has it, and what `check` says of it.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use harness::{Run, TestSpace, root, skip, tool};

/// A program for x64 that certificates with these names signed (see `formats/tests/authenticode.rs`).
fn signed(name: &str) -> Vec<u8> {
    let folder = root().join("mediabuild/formats/tests/authenticode");
    fs::read(folder.join(format!("{name}.efi"))).expect("a sample")
}

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

#[test]
fn places_are_searched_in_order_and_a_disc_gives_only_what_starts_it() {
    let space = TestSpace::new();
    project(&space, r#"from "first"; from "second""#);
    space.write("first/boot/bcd", "first");
    space.write("second/boot/bcd", "second");
    space.write("second/BOOTMGR", "boot manager");
    space.write("second/boot/boot.sdi", "RAM disk");
    space.write("second/setup.exe", "setup");
    space.build(&["medium"]);
    let found = files(&space);
    assert_eq!((found["boot/bcd"].as_str(), found["bootmgr"].as_str()), ("first", "boot manager"));
    fs::rename(space.result("medium.iso"), space.project().join("windows.iso")).expect("moved");
    project(&space, r#"from iso="windows.iso""#);
    let check = space.run(&["check"]);
    check.expect(0).says("boot/boot.sdi                windows.iso");
    space.build(&["medium"]);
    let from_disc = files(&space);
    assert_eq!(from_disc["boot/bcd"], "first");
    assert!(!from_disc.contains_key("setup.exe"), "{:?}", from_disc.keys());
}

#[test]
fn a_disc_that_is_none_is_told_on_its_line() {
    let space = TestSpace::new();
    project(&space, r#"from iso="windows.iso""#);
    space.run(&["check"]).expect(2).says("missing-input");
    space.write("windows.iso", "not a disc");
    space.run(&["check"]).expect(2).says("bad-iso").says("no ISO 9660 or UDF volume");
    space.run(&["build"]).expect(2).says("bad-iso");
}

#[test]
fn a_medium_starts_one_architecture_by_uefi() {
    let space = TestSpace::new();
    project(&space, r#"from "media""#);
    space.write("media/efi/boot/bootx64.efi", "x64");
    space.write("media/efi/boot/bootaa64.efi", "arm64");
    space.run(&["check"]).expect(2).says("two-architectures").says("bootaa64.efi` for arm64");
    space.run(&["build"]).expect(1).says("`efi/boot/bootaa64.efi` is for arm64");
    fs::remove_file(space.project().join("media/efi/boot/bootaa64.efi")).expect("removed");
    space.run(&["check"]).expect(0);
    // The name says x64, the headers do not.
    let mut program = signed("2011");
    program[0x44..0x46].copy_from_slice(&[0x64, 0xaa]);
    space.write("media/efi/boot/bootx64.efi", program);
    space.run(&["build"]).expect(1).says("for machine 0xaa64, not for amd64");
}

#[test]
fn check_and_inspect_name_the_signers() {
    let space = TestSpace::new();
    project(&space, r#"from "media""#);
    space.write("media/bootmgr.efi", "not a program");
    space.write("media/efi/boot/bootx64.efi", signed("nested"));
    let check = space.run(&["check"]);
    let old =
        "signed by Microsoft Windows < Microsoft Windows Production PCA 2011; SHA-256: the file is";
    check.expect(0).says(old).says("and by Microsoft Windows < Windows UEFI CA 2023");
    check.says("signers unknown: not a PE file");
    space.build(&["medium"]);
    let inspect = |file: &str| space.run(&["inspect", "signers", file]);
    inspect("result/medium.iso").expect(0).says(old).says("no key was verified");
    inspect("result/medium.iso//efi/boot/bootx64.efi").expect(0).says(old);
    let json = space.run(&["inspect", "signers", "--format", "json", "result/medium.iso"]);
    json.expect(0).says(r#""authority":"2011""#).says(r#""authority":"2023""#);
    inspect("mediabuild.kdl").expect(1).says("is no WIM, ISO or disk image");
}

#[test]
fn a_changed_program_is_told() {
    let space = TestSpace::new();
    project(&space, r#"from "media""#);
    let mut program = signed("2011");
    program[0x210] ^= 1;
    space.write("media/efi/boot/bootx64.efi", program);
    space.run(&["check"]).expect(0).says("changed-program").says("THE FILE WAS CHANGED");
    let build = space.build(&["medium"]);
    build.says("was changed after it was signed: Secure Boot refuses it");
}

#[test]
fn a_slip_in_the_word_for_the_image_itself_is_told() {
    let space = TestSpace::new();
    project(&space, r#"from "imagee""#);
    space.run(&["check"]).expect(2).says("did you mean `from \"image\"`");
    project(&space, r#"from "adk""#);
    space.run(&["check"]).expect(2).says("put it at");
}

/// The definitions alone show it; the build that would warn of it may take an hour.
#[test]
fn a_medium_that_starts_nothing_is_told_by_check() {
    let space = TestSpace::new();
    let says = |boot_files: &str, media: &str| {
        project(&space, boot_files);
        let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("readable");
        space.write("mediabuild.kdl", text.replace("output \"medium.iso\"", media));
        let run = space.run(&["check"]);
        run.expect(0);
        run.stderr
    };
    space.write("media/boot/boot.sdi", "RAM disk");
    space.write("bios.bin", [0xEB; 2048]);
    let (iso, disk) = ("output \"m.iso\"", "usb \"m.img\"");
    let both = format!("{iso}; {disk}");
    let no_loader = "it starts no machine: no `efi/boot/bootx64.efi` was found";
    assert!(says("", iso).contains(no_loader));
    assert!(says(r#"from "media""#, disk).contains(no_loader));
    let bios = r#"from "media"; el-torito bios="bios.bin""#;
    assert!(!says(bios, iso).contains("starts-nothing"));
    assert!(says(bios, &both).contains("its disk image starts no machine"));
    // What an image made of a folder has is not looked into.
    assert!(!says(r#"from "image""#, iso).contains("starts-nothing"));
    space.write("media/efi/boot/bootx64.efi", "a boot manager");
    assert!(!says(bios, &both).contains("starts-nothing"));
    space.write("bios.bin", vec![0xEB; 1_474_560]);
    let large = says(bios, iso);
    assert!(large.contains("BIOS has room for 623 KB of a boot program"), "{large}");
    assert!(large.contains("a FAT image such as `efisys.bin` is named by"), "{large}");
}

#[test]
fn boot_managers_of_two_sets_are_refused() {
    let space = TestSpace::new();
    project(&space, r#"from "media""#);
    space.write("media/bootmgr.efi", signed("2011"));
    space.write("media/efi/boot/bootx64.efi", signed("2023"));
    let mixed = "boot managers of two sets: `bootmgr.efi` is signed for 2011";
    space.run(&["check"]).expect(2).says("mixed-signers").says(mixed);
    space.run(&["build"]).expect(1).says(mixed);
    // One that both signed goes with either.
    space.write("media/bootmgr.efi", signed("nested"));
    space.run(&["check"]).expect(0);
    space.build(&["medium"]);
}

/// An image that has both sets, and what its medium gets.
fn image_with_both_sets(space: &TestSpace) {
    for (path, bytes) in [
        ("EFI/bootmgr.efi", signed("2011")),
        ("EFI/bootmgfw.efi", signed("2011")),
        ("EFI_EX/bootmgr_EX.efi", signed("2023")),
        ("EFI_EX/bootmgfw_EX.efi", signed("2023")),
        ("Fonts/wgl4_boot.ttf", b"old font".to_vec()),
        ("Fonts_EX/wgl4_boot_EX.ttf", b"new font".to_vec()),
    ] {
        space.write(&format!("base/Windows/Boot/{path}"), bytes);
    }
}

#[test]
fn the_2023_set_is_taken_whole() {
    let space = TestSpace::new();
    image_with_both_sets(&space);
    for (signer, year, font) in [
        ("", "2011", "old font"),
        (r#"; signer "2011""#, "2011", "old font"),
        (r#"; signer "2023""#, "2023", "new font"),
    ] {
        project(&space, &format!(r#"from "image"{signer}"#));
        space.run(&["check"]).expect(0).says("the boot image");
        space.build(&["medium"]);
        let found = files(&space);
        let program = String::from_utf8_lossy(&signed(year)).into_owned();
        assert_eq!(found["efi/boot/bootx64.efi"], program, "{year}");
        assert_eq!(found["bootmgr.efi"], program, "{year}");
        assert_eq!(found["efi/microsoft/boot/fonts/wgl4_boot.ttf"], font, "{year}");
    }
}

#[test]
fn a_torn_2023_set_is_refused() {
    let space = TestSpace::new();
    image_with_both_sets(&space);
    project(&space, r#"from "image"; from "media"; signer "2023""#);
    space.write("media/efi/microsoft/boot/fonts/wgl4_boot.ttf", "a font of the other set");
    fs::remove_dir_all(space.project().join("base/Windows/Boot/Fonts_EX")).expect("removed");
    let torn = "no `efi/microsoft/boot/fonts/*`";
    space.run(&["check"]).expect(2).says("torn-set").says(torn);
    space.run(&["build"]).expect(1).says(torn);
}

#[test]
fn a_signer_that_is_asked_for_is_there() {
    let space = TestSpace::new();
    project(&space, r#"from "media"; signer "2023""#);
    space.write("media/bootmgr.efi", signed("2011"));
    space.write("media/efi/boot/bootx64.efi", signed("2011"));
    space.write("media/efi/microsoft/boot/fonts/wgl4_boot.ttf", "font");
    let wanted = "`signer \"2023\"`, but `bootmgr.efi` is signed for 2011";
    space.run(&["check"]).expect(2).says("mixed-signers").says(wanted);
    space.run(&["build"]).expect(1).says(wanted);
}

#[test]
fn the_boot_manager_inside_efisys_is_of_the_set_too() {
    let (Some(_), Some(_), Some(_)) = (tool("mkfs.fat"), tool("mmd"), tool("mcopy")) else {
        return;
    };
    let space = TestSpace::new();
    project(&space, r#"from "media"; el-torito uefi="efisys.bin""#);
    space.write("media/efi/boot/bootx64.efi", signed("2023"));
    for (inside, code) in [("2023", 0), ("2011", 2)] {
        let image = space.write("efisys.bin", vec![0; 1_474_560]).display().to_string();
        let program = space.write("inside.efi", signed(inside)).display().to_string();
        for (name, arguments) in [
            ("mkfs.fat", vec!["-F", "12", &image]),
            ("mmd", vec!["-i", &image, "::/EFI", "::/EFI/BOOT"]),
            ("mcopy", vec!["-i", &image, &program, "::/EFI/BOOT/BOOTX64.EFI"]),
        ] {
            Run::of(tool(name).expect("it was there").args(arguments)).expect(0);
        }
        let check = space.run(&["check"]);
        check.expect(code).says("EFI/BOOT/BOOTX64.EFI of the `uefi=` image efisys.bin");
        let build = space.run(&["build"]);
        if code == 0 {
            build.expect(0);
        } else {
            check.says("mixed-signers");
            build.expect(1).says("EFI/BOOT/BOOTX64.EFI of the `uefi=` image` is signed for 2011");
        }
    }
}

/// What is no FAT volume has no signers to look at: that is said, with what was found where.
#[test]
fn an_odd_uefi_image_is_told_with_the_offset() {
    let space = TestSpace::new();
    project(&space, r#"from "media"; el-torito uefi="efisys.bin""#);
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("written");
    let disk = "\nmedia \"disk\" type=\"bootable\" { boot-image \"pe\"; usb \"disk.img\" }";
    space.write("mediabuild.kdl", text + disk);
    space.write("media/boot/boot.sdi", "RAM disk");
    space.write("efisys.bin", [0xEF; 512]);
    space.build(&["disk"]).says("the `uefi=` image is no FAT volume: at ");
    let image = fs::read(space.result("disk.img")).expect("a result");
    let volume = &image[1 << 20..];
    let mut damaged = volume.to_vec();
    let fat = usize::from(u16::from_le_bytes([volume[14], volume[15]])) * 512;
    damaged[fat + 8..fat + 4096].fill(0x0A);
    for (image, said) in [
        (&[0xEF; 8192][..], "`efisys.bin` is no FAT volume: at 510: expected 55 aa"),
        (&[0xEF; 100], "`efisys.bin` is no FAT volume: cannot read 512 bytes at 0"),
        (&damaged, "`efisys.bin` is a damaged FAT32 volume: at "),
        (volume, "`efisys.bin` has no `efi/boot/boot*.efi`"),
    ] {
        space.write("efisys.bin", image);
        let check = space.run(&["check"]);
        check.expect(0).says("bad-uefi-image").says(said).says("uefi=\"efisys.bin\"");
    }
    // Also where no boot files are looked for.
    project(&space, r#"el-torito uefi="efisys.bin""#);
    space.run(&["check"]).expect(0).says("`efisys.bin` has no `efi/boot/boot*.efi`");
}

/// Signs a program with certificates of its own by OpenSSL and osslsigncode, once more nested.
#[test]
fn what_osslsigncode_signs_is_read() {
    let (Some(_), Some(_)) = (tool("osslsigncode"), tool("openssl")) else { return };
    let space = TestSpace::new();
    let folder = space.path().to_owned();
    let run = |program: &str, arguments: &str| {
        let mut command = tool(program).expect("it was there");
        Run::of(command.args(arguments.split(' ')).current_dir(&folder)).expect(0);
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let authority = format!("req -x509 {key} -subj /CN=Authority -keyout ca.key -out ca.pem");
    run("openssl", &authority);
    run("openssl", &format!("req {key} -subj /O=Test/CN=Signer -keyout s.key -out s.csr"));
    run("openssl", "x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out s.pem");
    fs::write(folder.join("plain.efi"), signed("2011")).expect("written");
    run("osslsigncode", "remove-signature -in plain.efi -out bare.efi");
    run("osslsigncode", "sign -certs s.pem -key s.key -h sha1 -in bare.efi -out one.efi");
    run("osslsigncode", "sign -nest -certs s.pem -key s.key -h sha384 -in one.efi -out two.efi");
    let file = folder.join("two.efi").display().to_string();
    let signers = space.run(&["inspect", "signers", &file]);
    signers.expect(0).says("signed by Signer < Authority; SHA-1: the file is what was signed");
    signers.says("and by Signer < Authority; SHA-384: the file is what was signed");
    let bare = folder.join("bare.efi").display().to_string();
    space.run(&["inspect", "signers", &bare]).expect(0).says("not signed");
}

/// A resource that binutils made, and SBAT data of its own and of GRUB's.
#[test]
fn security_versions_are_shown() {
    let space = TestSpace::new();
    let folder = space.path().to_owned();
    let signers = |file: &str| space.run(&["inspect", "signers", file]);
    let grub = Path::new("/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi");
    match grub.exists() {
        true => {
            signers(&grub.display().to_string()).expect(0).says("security version: grub ");
        }
        false => skip("GRUB's monolithic image"),
    }
    let names =
        ["x86_64-w64-mingw32-windres", "x86_64-w64-mingw32-ld", "x86_64-w64-mingw32-objcopy"];
    let [Some(mut windres), Some(mut ld), Some(mut objcopy)] = names.map(tool) else { return };
    let rc =
        format!("1 RCDATA {{ 5L }}\n{} RCDATA {{ 0x00070002L }}\n", "BOOTMGRSECURITYVERSIONNUMBER");
    fs::write(folder.join("a.rc"), rc).expect("written");
    fs::write(folder.join("sbat.csv"), "sbat,1,x\nshim,4,UEFI shim\n").expect("written");
    Run::of(windres.args(["a.rc", "-O", "coff", "-o", "a.o"]).current_dir(&folder)).expect(0);
    Run::of(
        ld.args(["--subsystem", "10", "-shared", "-e", "0", "a.o", "-o", "a.efi"])
            .current_dir(&folder),
    )
    .expect(0);
    let sbat = ["--add-section", ".sbat=sbat.csv", "--change-section-address", ".sbat=0x180009000"];
    let flags =
        ["--set-section-flags", ".sbat=contents,alloc,load,readonly,data", "a.efi", "b.efi"];
    Run::of(objcopy.args(sbat).args(flags).current_dir(&folder)).expect(0);
    let file = folder.join("b.efi").display().to_string();
    signers(&file).expect(0).says("not signed").says("security version: bootmgr 7.2, shim 4");
    let json = space.run(&["inspect", "signers", &file, "--format", "json"]);
    json.expect(0).says(r#""security-versions":[{"component":"bootmgr","version":"7.2"}"#);
}
