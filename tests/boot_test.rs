//! `mediabuild boot-test`: media of the quickstart, started by SeaBIOS and OVMF in QEMU.

mod harness;

use std::fs;

use harness::{Run, TestSpace, root, tool};

const BIOS_MARKER: &str = "MEDIABUILD-BIOS-OK";

fn quickstart() -> Option<TestSpace> {
    tool("qemu-system-x86_64")?;
    let space = TestSpace::quickstart();
    space.build(&["boot"]);
    Some(space)
}

fn boot_test(space: &TestSpace, arguments: &[&str]) -> Run {
    let mut command = space.command();
    Run::of(command.args(["boot-test", "result/boot.iso", "--memory", "256MiB"]).args(arguments))
}

#[test]
fn a_marker_is_waited_for() {
    let Some(space) = quickstart() else { return };
    let marker = ["--firmware", "bios", "--time", "2m", "--marker"];
    let run = boot_test(&space, &[&marker[..], &[BIOS_MARKER, "--serial", "serial.txt"]].concat());
    run.expect(0).says("boot.iso (BIOS, CD): booted: the marker came after");
    let serial = fs::read_to_string(space.project().join("serial.txt")).expect("a log");
    assert!(serial.contains(BIOS_MARKER), "{serial}");
    let json = boot_test(&space, &[&marker[..], &[BIOS_MARKER, "--format", "json"]].concat());
    json.expect(0).says("\"event\":\"boot\"").says("\"ok\":true").says("\"firmware\":\"BIOS\"");
}

/// Every way to attach a medium, and every table of a disk, by real firmware.
#[test]
fn discs_and_disks_start_by_bios_and_uefi() {
    if tool("qemu-system-x86_64").is_none() {
        return;
    }
    let space = TestSpace::quickstart();
    let definitions = space.project().join("mediabuild.kdl");
    let mut text = fs::read_to_string(&definitions).expect("definitions");
    for table in ["mbr", "gpt"] {
        text += &format!(
            "\nmedia \"{table}\" type=\"bootable\" {{ boot-image \"winpe\"; usb \"{table}.img\" table=\"{table}\" }}"
        );
    }
    fs::write(&definitions, text).expect("written");
    space.build(&["boot", "mbr", "gpt"]);
    let test = |arguments: &[&str], marker: &str| {
        let always = ["boot-test", "--memory", "256MiB", "--time", "3m", "--marker", marker];
        Run::of(space.command().args(always).args(arguments))
    };
    // Both markers begin so; without being told, each firmware that the ISO has an entry for.
    let both = test(&["result/boot.iso"], "MEDIABUILD-");
    both.expect(0).says("boot.iso (BIOS, CD): booted").says("boot.iso (UEFI, CD): booted");
    test(&["result/boot.iso", "--firmware", "uefi"], "MEDIABUILD-UEFI-OK").expect(0);
    for image in ["mbr.img", "gpt.img"] {
        for device in ["usb", "virtio"] {
            let image = format!("result/{image}");
            test(&[&image, "--as", device], "MEDIABUILD-UEFI-OK").expect(0).says("booted");
        }
    }
    // Nobody signed our program.
    let unsigned = test(&["result/mbr.img", "--secure-boot"], "MEDIABUILD-UEFI-OK");
    unsigned.expect(1).says("found nothing that it starts").says("Access Denied");
}

#[test]
fn what_does_not_come_is_a_failure_that_shows_the_log() {
    let Some(space) = quickstart() else { return };
    let run = boot_test(&space, &["--firmware", "bios", "--time", "4s", "--marker", "NEVER"]);
    run.expect(1).says("no sign of it after 4").says(&format!("serial {BIOS_MARKER}"));
    run.says("did not boot").says("help: --screenshot FILE.png").says("--serial FILE keeps");
    let kept = ["--screenshot", "a.png", "--serial", "a.txt"];
    let never = ["--firmware", "bios", "--time", "1s", "--marker", "NEVER"];
    let run = boot_test(&space, &[&never[..], &kept[..2]].concat());
    run.expect(1).says("help: --serial FILE keeps the log");
    let run = boot_test(&space, &[&never[..], &kept].concat());
    assert!(!run.expect(1).stderr.contains("help:"), "{}", run.stderr);
    let disk = space.project().join("mediabuild.kdl");
    let text = fs::read_to_string(&disk).expect("definitions");
    fs::write(
        disk,
        text.replace("    output \"boot.iso\"", "    usb \"boot.img\"\n    output \"boot.iso\""),
    )
    .expect("written");
    space.build(&["boot"]);
    let bios = ["boot-test", "result/boot.img", "--firmware", "bios", "--time", "2s"];
    let run = space.run(&[&bios[..], &["--marker", "NEVER"]].concat());
    run.expect(1).says("a disk image starts UEFI machines only");
}

#[test]
fn a_screen_is_kept_and_known_again() {
    let Some(space) = quickstart() else { return };
    let bios = ["--firmware", "bios", "--time", "2m"];
    let kept = ["--marker", BIOS_MARKER, "--screenshot", "right.ppm"];
    // The program writes to the screen what it writes to the port, letter by letter.
    boot_test(&space, &["--firmware", "bios", "--time", "4s", "--screenshot", "right.ppm"])
        .expect(0);
    boot_test(&space, &[&bios[..], &["--screen", "right.ppm"]].concat())
        .expect(0)
        .says("the screen came after");
    let png = [&bios[..], &kept[..2], &["--screenshot", "shot.png"]].concat();
    boot_test(&space, &png).expect(0).says("shot.png");
    let shot = fs::read(space.project().join("shot.png")).expect("a picture");
    assert!(shot.starts_with(b"\x89PNG"));
    // Another screen: nothing of what was there.
    let mut right = fs::read(space.project().join("right.ppm")).expect("a picture");
    let pixels = right.len() - 720 * 400 * 3;
    right[pixels..].iter_mut().for_each(|byte| *byte = !*byte);
    space.write("wrong.ppm", right);
    boot_test(&space, &["--firmware", "bios", "--time", "4s", "--screen", "wrong.ppm"]).expect(1);
}

/// A disk of one partition whose boot code turns the machine off, as far as `-no-reboot` goes.
fn disk_that_ends() -> Vec<u8> {
    let mut disk = vec![0; 1 << 20];
    // mov al, 0xFE; out 0x64, al: the keyboard controller resets; hlt.
    disk[..5].copy_from_slice(&[0xB0, 0xFE, 0xE6, 0x64, 0xF4]);
    // An entry of FAT32: one sector behind the table.
    disk[450] = 0x0C;
    (disk[454], disk[458]) = (1, 1);
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    disk
}

#[test]
fn a_picture_of_another_boot_is_not_shown_as_this_ones() {
    if tool("qemu-system-x86_64").is_none() {
        return;
    }
    let space = TestSpace::new();
    space.write("off.img", disk_that_ends());
    space.write("shot.png", "of another boot");
    let boot = ["boot-test", "off.img", "--as", "virtio", "--firmware", "bios", "--time", "1m"];
    let run = space.run(&[&boot[..], &["--marker", "NEVER", "--screenshot", "shot.png"]].concat());
    run.expect(1).says("went off").says("no picture of the screen: `shot.png` is not written");
    assert!(!run.stderr.contains("   screen shot.png"), "{}", run.stderr);
}

/// What process `parent` started, once it is QEMU.
#[cfg(target_os = "linux")]
fn machine_of(parent: u32) -> Option<std::path::PathBuf> {
    let processes = fs::read_dir("/proc").expect("processes").flatten().map(|it| it.path());
    let is_machine = |process: &std::path::PathBuf| {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        let (name, rest) = stat.rsplit_once(") ").unwrap_or_default();
        name.contains("(qemu-system") && rest.split(' ').nth(1) == Some(&parent.to_string())
    };
    processes.into_iter().find(is_machine)
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_ends_with_a_boot_test_that_is_killed() {
    use std::time::Duration;
    if tool("qemu-system-x86_64").is_none() {
        return;
    }
    let space = TestSpace::new();
    let mut disk = disk_that_ends();
    // hlt, for ever
    disk[..3].copy_from_slice(&[0xF4, 0xEB, 0xFD]);
    space.write("on.img", disk);
    let boot = ["boot-test", "on.img", "--as", "virtio", "--firmware", "bios", "--time", "1m"];
    let mut command = space.command();
    let mut test =
        command.args(boot).args(["--emulated", "--marker", "NEVER"]).spawn().expect("started");
    let wait_for = |what: &mut dyn FnMut() -> bool| {
        (0..300).any(|_| what() || (std::thread::sleep(Duration::from_millis(100)), false).1)
    };
    let mut machine = None;
    assert!(wait_for(&mut || {
        machine = machine_of(test.id());
        machine.is_some()
    }));
    test.kill().expect("killed");
    test.wait().expect("ended");
    let machine = machine.expect("a machine");
    assert!(wait_for(&mut || !machine.exists()), "{} runs on", machine.display());
}

#[test]
fn what_cannot_boot_is_told_at_once() {
    let space = TestSpace::quickstart();
    space.build(&["boot", "factory"]);
    let marker = ["--marker", "X"];
    let test = |file: &str| Run::of(space.command().args(["boot-test", file]).args(marker));
    test("result/factory.wim").expect(2).says("neither an ISO nor a disk image");
    test("result/none.iso").expect(2).says("none.iso");
    Run::of(space.command().args(["boot-test", "result/boot.iso"])).expect(2).says("--marker");
    for (option, value, says) in [
        ("--time", "5parsec", "such as 90s or 5m"),
        ("--screenshot", "shot.jpg", "call it .png"),
        ("--screen", "none.ppm", "cannot open `none.ppm`"),
    ] {
        let wrong = [&["boot-test", "result/boot.iso"], &marker[..], &[option, value]].concat();
        space.run(&wrong).expect(2).says(says);
    }
    let bios = ["boot-test", "result/boot.iso", "--secure-boot", "--firmware", "bios"];
    space.run(&[&bios[..], &marker].concat()).expect(2).says("a BIOS has no Secure Boot");
    let mut without_programs = space.command();
    without_programs.env("PATH", space.path()).args(["boot-test", "result/boot.iso"]).args(marker);
    Run::of(&mut without_programs).expect(3).says("install QEMU");

    let definitions = space.project().join("mediabuild.kdl");
    let text = fs::read_to_string(&definitions).expect("definitions");
    // Nothing that starts: neither an entry nor an `efi` folder to make one of.
    fs::write(&definitions, text.replace("    boot-files {", "    /-boot-files {"))
        .expect("written");
    space.build(&["boot"]);
    test("result/boot.iso").expect(1).says("has no boot entry").says("el-torito");
}

#[test]
fn the_programs_are_what_their_sources_say() {
    for (source, program, model, base) in [
        ("boot.S", "boot.bin", ("--32", "elf_i386"), "0x7c00"),
        ("uefi.S", "uefi/EFI/BOOT/BOOTX64.EFI", ("--64", "elf_x86_64"), "0"),
    ] {
        let (Some(mut assembler), Some(mut linker)) = (tool("as"), tool("ld")) else { return };
        let space = TestSpace::new();
        let quickstart = root().join("examples/quickstart");
        let (object, made) = (space.path().join("x.o"), space.path().join("made"));
        assembler.arg(model.0).arg(quickstart.join("boot").join(source)).arg("-o").arg(&object);
        Run::of(&mut assembler).expect(0);
        linker.args(["-m", model.1, "-Ttext", base, "--oformat", "binary", "-o"]);
        Run::of(linker.arg(&made).arg(&object)).expect(0);
        let kept = fs::read(quickstart.join("inputs").join(program)).expect("the program");
        assert!(fs::read(&made).expect("made") == kept, "{program} differs from {source}");
    }
}
