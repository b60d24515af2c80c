//! Looking into WIMs and ISOs, our own and those of other programs, and verifying them.

mod harness;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use harness::{Run, TestSpace, shared, tool};
use serde_json::Value;

/// A quickstart that is built.
fn built_space() -> TestSpace {
    let space = TestSpace::quickstart();
    space.build(&[]);
    space
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// What `inspect VERB` says, on stdout alone.
#[track_caller]
fn inspect(space: &TestSpace, arguments: &[&str]) -> String {
    let run = space.run(&[&["inspect"], arguments].concat());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    run.stdout
}

#[track_caller]
fn info(space: &TestSpace, file: &str) -> Value {
    serde_json::from_str(&inspect(space, &["info", "--format", "json", file])).expect("JSON")
}

/// The bytes of a file, as `inspect cat` gives them.
#[track_caller]
fn cat(space: &TestSpace, arguments: &[&str]) -> Vec<u8> {
    let output = space.command().args(["inspect", "cat"]).args(arguments).output().expect("a run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.as_ref()), (Some(0), ""), "{arguments:?}");
    output.stdout
}

// ---- the quickstart's results ----

#[test]
fn info_says_what_a_wim_is() {
    let space = built_space();
    let facts = info(&space, "result/factory.wim");
    let size = fs::metadata(space.result("factory.wim")).unwrap().len();
    assert_eq!((&facts["format"], facts["size"].as_u64()), (&"WIM".into(), Some(size)));
    assert_eq!((&facts["compression"], &facts["boot-index"]), (&"LZX".into(), &0.into()));
    let images = facts["images"].as_array().expect("images");
    assert_eq!((images.len(), &images[0]["NAME"]), (1, &"factory".into()));
    let text = inspect(&space, &["info", "result/factory.wim"]);
    assert!(text.contains("NAME: factory") && text.contains(&format!("size: {size} (")), "{text}");
}

#[test]
fn info_says_what_an_iso_is_and_how_it_starts() {
    let space = built_space();
    let facts = info(&space, "result/boot.iso");
    assert_eq!(facts["format"], "ISO");
    assert_eq!(facts["volumes"][0]["file-system"], "UDF");
    assert_eq!(facts["volumes"][0]["label"], "QUICKSTART");
    let boot = facts["boot-entries"].as_array().expect("entries");
    assert_eq!((boot.len(), &boot[0]["firmware"]), (2, &"BIOS".into()));
    // Made of the medium's own `efi` folder.
    assert_eq!(boot[1]["firmware"], "UEFI");
    assert_eq!((&boot[0]["bootable"], &boot[0]["emulation"]), (&true.into(), &false.into()));
}

#[test]
fn a_wim_inside_an_iso_is_looked_into() {
    let space = built_space();
    let inner = "result/boot.iso//sources/boot.wim";
    assert_eq!(info(&space, inner)["boot-index"], 1);
    let files = inspect(&space, &["ls", inner]);
    assert!(files.lines().any(|line| line == "Drivers/demo-net/demo.inf"), "{files}");
    let driver = fs::read(space.project().join("drivers/demo-net/demo.inf")).expect("a driver");
    assert_eq!(cat(&space, &[inner, "Drivers/demo-net/demo.inf"]), driver);
    // The WIM inside is the target of its own.
    space.build(&["winpe"]);
    let whole = fs::read(space.result("boot-image/winpe.wim")).expect("a WIM");
    assert!(cat(&space, &["result/boot.iso", "sources/boot.wim"]) == whole);
}

#[test]
fn ls_lists_a_folder_without_regard_to_case() {
    let space = built_space();
    let expected = "SMS/PKG/agent/agent.txt\nSMS/PKG/agent/install.cmd\n";
    for folder in ["SMS/PKG/agent", "/SMS/PKG/agent/"] {
        assert_eq!(inspect(&space, &["ls", "result/factory.wim", folder]), expected);
    }
    assert_eq!(inspect(&space, &["ls", "result/factory.wim", "sms/pkg/AGENT"]).lines().count(), 2);
    let iso = inspect(&space, &["ls", "result/boot.iso", "sources"]);
    assert_eq!(iso, "sources/boot.wim\n");
    assert_eq!(inspect(&space, &["ls", "result/boot.iso", "SOURCES"]), iso);
}

#[test]
fn ls_in_json_and_long_say_the_sizes_of_files() {
    let space = built_space();
    let path = "SMS/PKG/branding/name.txt";
    let size = fs::metadata(space.project().join("packages/branding/name.txt")).unwrap().len();
    let line = inspect(&space, &["ls", "--format", "json", "result/factory.wim", path]);
    let file: Value = serde_json::from_str(&line).expect("one JSON object");
    assert_eq!((&file["path"], file["size"].as_u64()), (&path.into(), Some(size)));
    assert_eq!((&file["folder"], file["modified"].as_i64()), (&false.into(), Some(1_793_491_200)));
    let long = inspect(&space, &["ls", "--long", "result/factory.wim", path]);
    assert_eq!(long.split_whitespace().next(), Some(size.to_string().as_str()));
    assert!(long.trim_end().ends_with(path), "{long}");
}

#[test]
fn cat_gives_the_bytes_that_went_in() {
    let space = built_space();
    for (inside, outside) in [
        ("SMS/PKG/agent/agent.txt", "apps/agent/agent.txt"),
        ("sms/pkg/runtime/INSTALL.CMD", "apps/runtime/install.cmd"),
        ("SMS/PKG/demo-net/demo.sys", "drivers/demo-net/demo.sys"),
    ] {
        let expected = fs::read(space.project().join(outside)).expect("an input");
        assert_eq!(cat(&space, &["result/factory.wim", inside]), expected, "{inside}");
    }
    assert_eq!(cat(&space, &["result/factory.wim", "Program Files/Empty.txt"]), b"");
}

#[test]
fn each_image_of_a_wim_has_its_own_bytes() {
    let space = TestSpace::quickstart();
    let first_line = |image: &[&str]| {
        let file = ["inputs/install.wim", "Windows/System32/edition.txt"];
        let bytes = cat(&space, &[&file, image].concat());
        String::from_utf8(bytes).expect("text").lines().next().expect("a line").to_owned()
    };
    assert_eq!(first_line(&["--image", "1"]), "Home");
    assert_eq!(first_line(&["--image", "2"]), "Enterprise");
    assert_eq!(first_line(&[]), "Home");
    let beyond = ["inspect", "ls", "inputs/install.wim", "--image", "3"];
    space.run(&beyond).expect(1).says("no image 3").says("2");
}

#[test]
fn variables_show_from_a_wim_an_iso_and_a_file() {
    let space = built_space();
    space.build(&["variables:common"]);
    let wim = "_SMSTSMediaType=OEMMedia\nOSDTimeZone=UTC\nOSDComputerName=FACTORY-01\n";
    assert_eq!(inspect(&space, &["variables", "result/factory.wim"]), wim);
    let iso = "_SMSTSMediaType=BootMedia\nOSDTimeZone=UTC\n";
    assert_eq!(inspect(&space, &["variables", "result/boot.iso"]), iso);
    let file = "result/variables/common.dat";
    assert_eq!(inspect(&space, &["variables", file]), "OSDTimeZone=UTC\n");
    let json = inspect(&space, &["variables", "--format", "json", file]);
    assert_eq!(json, "{\"name\":\"OSDTimeZone\",\"value\":\"UTC\"}\n");
}

#[test]
fn looking_makes_no_store() {
    let space = built_space();
    fs::remove_dir_all(space.store()).expect("removed");
    inspect(&space, &["ls", "result/boot.iso"]);
    space.run(&["verify", "result/boot.iso"]).expect(0);
    assert!(!space.store().exists());
}

// ---- closed pipes ----

/// Runs it, takes one byte of its output, and goes away.
#[track_caller]
fn leave_early(space: &TestSpace, arguments: &[&str]) {
    let mut command = space.command();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut output = child.stdout.take().expect("a pipe");
    output.read_exact(&mut [0]).expect("a byte");
    drop(output);
    let left = child.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&left.stderr);
    assert_eq!((left.status.code(), said.as_ref()), (Some(0), ""), "{arguments:?}");
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let space = TestSpace::quickstart();
    // More than a pipe holds.
    space.write("packages/branding/large.bin", vec![7; 4 << 20]);
    for at in 0..3000 {
        space.write(&format!("packages/branding/many/file-with-a-long-name-{at:06}.txt"), "");
    }
    space.build(&["factory"]);
    leave_early(&space, &["inspect", "cat", "result/factory.wim", "SMS/PKG/branding/large.bin"]);
    leave_early(&space, &["inspect", "ls", "result/factory.wim"]);
    leave_early(&space, &["inspect", "ls", "--format", "json", "result/factory.wim"]);
}

// ---- samples of other writers ----

/// Samples that are read, with how many images they have.
const SAMPLES: [(&str, usize); 6] = [
    ("LZX.wim", 1),
    ("XPRESS.wim", 1),
    ("BootLZX.wim", 1),
    ("BootXPRESS.wim", 1),
    ("MultiImage.wim", 3),
    ("VerifySuccess.wim", 1),
];

fn sample(name: &str) -> Option<PathBuf> {
    shared(&format!("data/wim/{name}"))
}

#[test]
fn samples_verify_and_have_their_images() {
    let space = TestSpace::new();
    for (name, images) in SAMPLES {
        let Some(path) = sample(name) else { return };
        let facts = info(&space, text(&path));
        assert_eq!(facts["images"].as_array().expect("images").len(), images, "{name}");
        space.run(&["verify", text(&path)]).expect(0).says(": ok");
    }
}

/// Paths of an image, as `wimlib-imagex dir` lists them: with a slash in front, the root too.
fn wimlib_paths(path: &Path, image: &str) -> Option<Vec<String>> {
    let run = Run::of(tool("wimlib-imagex")?.arg("dir").arg(path).arg(image));
    let names = run.expect(0).stdout.lines().map(|line| line.trim_start_matches('/').to_owned());
    let mut names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    names.sort();
    Some(names)
}

#[test]
fn ls_of_samples_agrees_with_wimlib() {
    let space = TestSpace::new();
    for (name, images) in SAMPLES {
        for image in (1..=images).map(|image| image.to_string()) {
            let Some(path) = sample(name) else { return };
            let Some(expected) = wimlib_paths(&path, &image) else { return };
            let listed = inspect(&space, &["ls", text(&path), "--image", &image]);
            let names = listed.lines().map(|line| line.trim_end_matches('/').to_owned());
            let mut names: Vec<String> = names.collect();
            names.sort();
            assert_eq!(names, expected, "{name}, image {image}");
        }
    }
}

#[test]
fn cat_of_samples_agrees_with_wimlib() {
    let space = TestSpace::new();
    for (name, _) in SAMPLES {
        let Some(path) = sample(name) else { return };
        let files = inspect(&space, &["ls", text(&path)]);
        for file in files.lines().filter(|line| !line.ends_with('/')) {
            let Some(mut wimlib) = tool("wimlib-imagex") else { return };
            wimlib.arg("extract").arg(&path).args(["1", &format!("/{file}"), "--to-stdout"]);
            let expected = wimlib.output().expect("a run");
            assert!(expected.status.success(), "{name}: {file}");
            assert_eq!(cat(&space, &[text(&path), file]), expected.stdout, "{name}: {file}");
        }
    }
}

#[test]
fn the_image_that_is_named_is_shown() {
    let Some(path) = sample("MultiImage.wim") else { return };
    let space = TestSpace::new();
    let ls = |image: &str| inspect(&space, &["ls", text(&path), "--image", image]);
    assert_eq!(inspect(&space, &["ls", text(&path)]), ls("1"));
    assert!(!ls("1").contains("Z.txt") && ls("2").contains("Z.txt"));
    let run = space.run(&["inspect", "ls", text(&path), "--image", "9"]);
    run.expect(1).says("no image 9").says("3");
    space.run(&["inspect", "ls", text(&path), "--image", "0"]).expect(1).says("no image 0");
}

#[test]
fn a_damaged_sample_fails_with_its_resource_named() {
    let Some(path) = sample("VerifyFail.wim") else { return };
    let space = TestSpace::new();
    let run = space.run(&["verify", text(&path)]);
    run.expect(1).says("resource at offset 0xd9").says("integrity").says("1 file");
    run.says("metadata of image 1").says("SHA-1 d6c6d48c6e9bce8af6397da97a0c892f4f261d44");
    assert!(!run.stdout.contains(": ok"), "{}", run.stdout);
}

#[test]
fn a_solid_sample_is_verified_and_listed() {
    let Some(path) = sample("LZMS.wim") else { return };
    let space = TestSpace::new();
    space.run(&["verify", text(&path)]).expect(0).says("ok");
    space.run(&["inspect", "ls", text(&path)]).expect(0);
    assert_eq!(info(&space, text(&path))["compression"], "LZMS");
}

#[test]
fn a_split_set_is_verified_from_any_part_and_each_part_looked_into() {
    let space = TestSpace::new();
    for (name, part) in [("Split.swm", "1 of 2"), ("Split2.swm", "2 of 2")] {
        let Some(path) = sample(name) else { return };
        assert_eq!(info(&space, text(&path))["part"], part);
        space.run(&["verify", text(&path)]).expect(0).says(": ok");
        assert!(inspect(&space, &["ls", text(&path)]).lines().count() > 0);
    }
}

// ---- discs of other writers ----

/// A folder with a text, a larger file and a WIM, and its disc by a foreign program.
fn foreign_disc(space: &TestSpace, program: &str, options: &[&str]) -> Option<PathBuf> {
    space.write("disc/Read Me.txt", "a text\r\n");
    space.write(
        "disc/sub/data.bin",
        (0..100_000_u32).map(|i| (i * 7 % 251) as u8).collect::<Vec<_>>(),
    );
    fs::copy(
        harness::root().join("examples/quickstart/inputs/winpe.wim"),
        space.project().join("disc/sub/pe.wim"),
    )
    .expect("copied");
    let iso = space.project().join("foreign.iso");
    let mut command = tool(program)?;
    command.args(options).arg("-o").arg(&iso).arg(space.project().join("disc"));
    Run::of(&mut command).expect(0);
    Some(iso)
}

/// Looks into it; `case` changes a path as the file system does.
#[track_caller]
fn look_into(space: &TestSpace, view: &str, case: fn(&str) -> String) {
    assert_eq!(info(space, "foreign.iso")["volumes"][0]["file-system"], view);
    let listed = inspect(space, &["ls", "foreign.iso", "sub"]);
    let expected = format!("{}\n{}\n", case("sub/data.bin"), case("sub/pe.wim"));
    assert_eq!(listed, expected);
    let bytes = fs::read(space.project().join("disc/sub/data.bin")).expect("an input");
    assert!(cat(space, &["foreign.iso", "sub/data.bin"]) == bytes);
    let inner = inspect(space, &["ls", "foreign.iso//sub/pe.wim", "Windows/Boot/PCAT"]);
    assert_eq!(inner, "Windows/Boot/PCAT/bootmgr\n");
}

#[test]
fn a_disc_of_xorriso_is_read_and_verified() {
    let space = TestSpace::new();
    let options = ["-as", "mkisofs", "-quiet", "-J", "-R", "-V", "XORRISO"];
    if foreign_disc(&space, "xorriso", &options).is_none() {
        return;
    }
    look_into(&space, "Joliet", str::to_owned);
    assert_eq!(cat(&space, &["foreign.iso", "Read Me.txt"]), b"a text\r\n");
    space.run(&["verify", "foreign.iso"]).expect(0).says("foreign.iso: ok");
}

#[test]
fn a_plain_disc_of_genisoimage_is_read_and_verified() {
    let space = TestSpace::new();
    if foreign_disc(&space, "genisoimage", &["-quiet", "-V", "PLAIN"]).is_none() {
        return;
    }
    look_into(&space, "ISO 9660", str::to_uppercase);
    space.run(&["verify", "foreign.iso"]).expect(0).says("foreign.iso: ok");
}

#[test]
fn a_udf_disc_of_genisoimage_is_read() {
    let space = TestSpace::new();
    if foreign_disc(&space, "genisoimage", &["-quiet", "-udf", "-J", "-V", "BRIDGE"]).is_none() {
        return;
    }
    look_into(&space, "UDF", str::to_owned);
    assert_eq!(cat(&space, &["foreign.iso", "Read Me.txt"]), b"a text\r\n");
}

#[test]
fn of_names_that_differ_by_case_the_exact_one_is_meant() {
    let space = TestSpace::new();
    let (winpe, iso) = ("examples/quickstart/inputs/winpe.wim", space.project().join("case.iso"));
    space.write("case/README", "upper\n");
    space.write("case/readme", "lower\n");
    space.write("case/PE.WIM", "no WIM");
    space.write("case/pe.wim", fs::read(harness::root().join(winpe)).expect("an input"));
    let Some(mut command) = tool("xorriso") else { return };
    command.args(["-as", "mkisofs", "-quiet", "-R", "-o"]).arg(&iso);
    Run::of(command.arg(space.project().join("case"))).expect(0);
    assert_eq!(cat(&space, &["case.iso", "readme"]), b"lower\n");
    assert_eq!(cat(&space, &["case.iso", "README"]), b"upper\n");
    assert!(inspect(&space, &["ls", "case.iso//pe.wim"]).contains("Windows"));
}

#[test]
fn damage_in_a_wim_on_a_foreign_disc_names_the_wim() {
    let space = TestSpace::new();
    let options = ["-as", "mkisofs", "-quiet", "-J", "-R", "-V", "XORRISO"];
    let Some(iso) = foreign_disc(&space, "xorriso", &options) else { return };
    let mut bytes = fs::read(&iso).expect("a disc");
    let wim = bytes.windows(5).position(|window| window == b"MSWIM").expect("a WIM");
    bytes[wim + 0xd0 + 50] ^= 1;
    fs::write(&iso, bytes).expect("written");
    space.run(&["verify", "foreign.iso"]).expect(1).says("sub/pe.wim: resource at offset 0x");
}

// ---- verify ----

/// The bytes of a result with one of them changed, as a file of the project.
fn flipped(space: &TestSpace, good: &[u8], at: usize) -> String {
    let mut bytes = good.to_vec();
    bytes[at] ^= 0x20;
    space.write("flipped", bytes);
    "flipped".to_owned()
}

/// Where a WIM's resources begin: behind the header.
const RESOURCES_OFFSET: usize = 0xd0;

#[test]
fn every_flipped_byte_of_a_resource_fails_with_the_resource_named() {
    let space = built_space();
    let good = fs::read(space.result("factory.wim")).expect("a WIM");
    let end = resources_end(&good);
    assert!(end > 10_000 && end < good.len(), "{end}");
    for at in (RESOURCES_OFFSET..end).step_by(487) {
        let run = space.run(&["verify", &flipped(&space, &good, at)]);
        assert_eq!(run.code, Some(1), "byte {at}\n{}", run.stdout);
        assert!(run.stdout.contains("resource at offset 0x"), "byte {at}\n{}", run.stdout);
    }
}

/// The offset of the blob table, which stands behind all resources, from the WIM's header.
fn resources_end(wim: &[u8]) -> usize {
    u64::from_le_bytes(wim[0x38..0x40].try_into().expect("eight bytes")) as usize
}

#[test]
fn flipped_bytes_of_an_iso_fail_where_something_is_said_twice_or_hashed() {
    let space = built_space();
    let good = fs::read(space.result("boot.iso")).expect("an ISO");
    let wim = good.windows(5).position(|window| window == b"MSWIM").expect("a WIM");
    let anchor = 256 * 2048;
    for (what, at, says) in [
        ("the WIM's header", wim, "sources/boot.wim"),
        ("a resource", wim + RESOURCES_OFFSET + 7, "sources/boot.wim: resource at offset 0x"),
        ("the UDF anchor", anchor + 17, "at 524288"),
        ("the ISO 9660 volume", 16 * 2048 + 80, "at 32"),
    ] {
        let run = space.run(&["verify", &flipped(&space, &good, at)]);
        assert_eq!(run.code, Some(1), "{what}\n{}", run.stdout);
        assert!(run.stdout.contains(says), "{what}: `{says}` in\n{}", run.stdout);
        let repeats = |line: &str| line.matches(": at ").count() > 1;
        assert!(!run.stdout.lines().any(repeats), "a place is said once:\n{}", run.stdout);
    }
}

#[test]
fn verify_checks_all_files_and_says_so_of_each() {
    let space = built_space();
    let good = fs::read(space.result("factory.wim")).expect("a WIM");
    let damaged = flipped(&space, &good, RESOURCES_OFFSET + 5);
    space.write("text.txt", "not a WIM, not an ISO");
    let run = space.run(&["verify", "text.txt", &damaged, "result/factory.wim", "result/boot.iso"]);
    run.expect(1).says("text.txt").says("is no WIM, ISO or disk image");
    run.says("flipped: resource at offset 0x").says("2 files");
    run.says("result/factory.wim: ok").says("result/boot.iso: ok");
}

#[test]
fn verify_in_json_has_an_object_for_each_file_and_finding() {
    let space = built_space();
    let good = fs::read(space.result("factory.wim")).expect("a WIM");
    let damaged = flipped(&space, &good, RESOURCES_OFFSET + 5);
    let run = space.run(&["verify", "--format", "json", &damaged, "result/boot.iso"]);
    let lines = run.expect(1).stdout.lines().map(|line| serde_json::from_str(line).expect(line));
    let events: Vec<Value> = lines.collect();
    let of = |name: &str| events.iter().filter(|e| e["event"] == name).collect::<Vec<_>>();
    let verified: Vec<_> =
        of("verified").iter().map(|e| (&e["file"], &e["ok"])).collect::<Vec<_>>();
    assert_eq!(
        verified,
        [(&"flipped".into(), &false.into()), (&"result/boot.iso".into(), &true.into())]
    );
    assert!(of("finding").iter().all(|event| event["file"] == "flipped"));
    assert_eq!(of("error").len(), 1);
}

// ---- what is not a WIM or an ISO ----

#[test]
fn a_file_that_is_neither_is_told_from_one_that_is_damaged() {
    let space = built_space();
    space.write("text.txt", "hello");
    space.write("empty", "");
    let wim = fs::read(space.result("factory.wim")).expect("a WIM");
    space.write("short.wim", &wim[..100]);
    let iso = fs::read(space.result("boot.iso")).expect("an ISO");
    space.write("short.iso", &iso[..40_000]);
    for (file, says) in [
        ("text.txt", "is no WIM, ISO or disk image"),
        ("empty", "is no WIM, ISO or disk image"),
        ("short.wim", "damaged WIM"),
        ("text.txt//a/b.wim", "is no ISO"),
        ("result/factory.wim//Windows", "is no ISO or disk image"),
        ("result/boot.iso//sources/none.wim", "there is no `sources/none.wim`"),
        ("result/boot.iso//bootmgr", "is no WIM, ISO or disk image"),
    ] {
        space.run(&["inspect", "info", file]).expect(1).says(says);
        space.run(&["verify", file]).expect(1).says(says);
        space.run(&["inspect", "ls", file]).expect(1).says(says);
    }
    space.run(&["verify", "short.iso"]).expect(1);
}

#[test]
fn a_path_that_is_not_inside_is_named() {
    let space = built_space();
    for file in ["result/factory.wim", "result/boot.iso"] {
        for verb in ["ls", "cat"] {
            space.run(&["inspect", verb, file, "no/such"]).expect(1).says("there is no `no/such`");
        }
        let run = space.run(&["inspect", "cat", file, "boot"]);
        run.expect(1).says("`boot` is a folder");
        assert_eq!(run.stdout, "");
    }
    space.run(&["inspect", "variables", "result/boot.iso//sources/boot.wim"]).expect(1);
}

#[test]
fn a_file_that_does_not_exist_is_a_wrong_command_line() {
    let space = built_space();
    space.run(&["verify", "result"]).expect(2).says("name a file in it: result/boot.iso");
    for file in ["none.wim", "none.iso//a.wim", "result"] {
        space.run(&["inspect", "info", file]).expect(2).says("cannot open");
        space.run(&["inspect", "cat", file, "a"]).expect(2).says("cannot open");
        space.run(&["inspect", "variables", file]).expect(2).says("cannot open");
        space.run(&["verify", file]).expect(2).says("cannot open");
    }
}
