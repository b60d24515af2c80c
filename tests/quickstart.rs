//! The quickstart, as the README shows it, and what real tools say of its results.

mod harness;

use harness::{Run, TestSpace, tool};

#[test]
fn it_builds_and_a_second_build_does_nothing() {
    let space = TestSpace::quickstart();
    let first = space.build(&[]);
    assert_eq!(first.built_and_known().1, 0);
    let second = space.build(&[]);
    assert_eq!(second.built_and_known().0, 0, "{}", second.stderr);
    second.says("boot.iso  (unchanged)").says("factory.wim  (unchanged)");
    assert_eq!(first.digest("boot.iso"), second.digest("boot.iso"));
}

#[test]
fn its_iso_boots() {
    let Some(mut qemu) = tool("qemu-system-x86_64") else { return };
    let space = TestSpace::quickstart();
    space.build(&["boot"]);
    let serial = space.path().join("serial.txt");
    let drive = format!(
        "file={},media=cdrom,if=ide,readonly=on,format=raw",
        space.result("boot.iso").display()
    );
    qemu.args([
        "-machine",
        "pc,accel=tcg",
        "-m",
        "64",
        "-display",
        "none",
        "-no-reboot",
        "-nodefaults",
    ])
    .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-boot", "d"])
    .args(["-serial", &format!("file:{}", serial.display()), "-drive", &drive]);
    let run = Run::of(&mut qemu);
    run.expect(33);
    let said = std::fs::read_to_string(serial).expect("serial output");
    assert!(said.contains("MEDIABUILD-BIOS-OK"), "{said}");
}

#[test]
fn real_tools_accept_its_results() {
    let space = TestSpace::quickstart();
    space.build(&[]);
    let (iso, wim) = (space.result("boot.iso"), space.result("factory.wim"));
    space.run(&["verify", "result/boot.iso", "result/factory.wim"]).expect(0);
    if let Some(mut wimlib) = tool("wimlib-imagex") {
        Run::of(wimlib.arg("verify").arg(&wim)).expect(0);
    }
    if let Some(mut sevenzip) = tool("7zz") {
        Run::of(sevenzip.arg("t").arg(&wim)).expect(0);
    }
    if let Some(mut sevenzip) = tool("7zz") {
        Run::of(sevenzip.args(["t", "-tudf"]).arg(&iso)).expect(0);
    }
    if let Some(mut udfinfo) = tool("udfinfo") {
        Run::of(udfinfo.arg(&iso)).expect(0).says("label=QUICKSTART");
    }
    if let Some(mut xorriso) = tool("xorriso") {
        xorriso.arg("-indev").arg(&iso).args(["-report_el_torito", "plain"]);
        Run::of(&mut xorriso).expect(0).says("BIOS");
    }
}
