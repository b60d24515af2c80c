//! What a second build does: only what changed is built, results are what the definitions say
//! whatever happened to them, targets are found by name, and secrets stay secret.

mod harness;

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use harness::{Run, TestSpace, tree};

/// The steps of the quickstart's media, without imports.
const STEPS: usize = 11;

/// A quickstart that is built.
fn built_space() -> TestSpace {
    let space = TestSpace::quickstart();
    space.build(&[]);
    space
}

/// Builds and compares what was built; everything else must be known.
#[track_caller]
fn expect_built(space: &TestSpace, labels: &[&str]) -> Run {
    let run = space.build(&[]);
    assert_eq!(run.built(), labels, "{}", run.stderr);
    assert_eq!(run.built_and_known(), (labels.len(), STEPS - labels.len()));
    run
}

/// Replaces text of the definitions; it must be there.
#[track_caller]
fn edit_definitions(space: &TestSpace, from: &str, to: &str) {
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    assert!(text.contains(from), "no `{from}`");
    space.write("mediabuild.kdl", text.replace(from, to));
}

fn set_modified(path: &Path, time: SystemTime) {
    let file = File::options().write(true).open(path).expect("writable");
    file.set_times(FileTimes::new().set_modified(time)).expect("times");
}

// ---- what is built again ----

#[test]
fn a_second_build_builds_nothing_and_writes_nothing() {
    let space = built_space();
    let modified = |name| fs::metadata(space.result(name)).unwrap().modified().unwrap();
    let before = [modified("boot.iso"), modified("factory.wim")];
    let run = expect_built(&space, &[]);
    run.says("boot.iso  (unchanged)").says("factory.wim  (unchanged)");
    assert_eq!([modified("boot.iso"), modified("factory.wim")], before);
}

#[test]
fn touching_every_input_builds_nothing() {
    let space = built_space();
    for name in tree(&space.project()).keys().filter(|name| !name.starts_with("result/")) {
        set_modified(&space.project().join(name), SystemTime::now() + Duration::from_secs(86_400));
    }
    expect_built(&space, &[]);
}

#[test]
fn a_changed_driver_builds_what_holds_it_and_nothing_else() {
    let space = built_space();
    space.write("drivers/demo-net/demo.sys", "another driver");
    let holders = [
        "boot-files of winpe",
        "boot-image winpe",
        "driver-package demo-net",
        "media boot",
        "media factory",
    ];
    expect_built(&space, &holders);
    expect_built(&space, &[]);
}

#[test]
fn a_changed_application_builds_the_medium_that_carries_it() {
    let space = built_space();
    space.write("apps/runtime/install.cmd", "rem another installer");
    expect_built(&space, &["application runtime", "media factory"]);
}

#[test]
fn a_changed_boot_program_builds_its_iso_only() {
    let space = built_space();
    space.write("inputs/boot.bin", [0x90; 2048]);
    expect_built(&space, &["media boot"]);
}

#[test]
fn a_file_that_comes_or_goes_is_a_change() {
    let space = built_space();
    let added = space.write("packages/branding/new.txt", "new");
    expect_built(&space, &["media factory", "package branding"]);
    fs::rename(&added, added.with_file_name("renamed.txt")).expect("renamed");
    expect_built(&space, &["media factory", "package branding"]);
    fs::remove_file(added.with_file_name("renamed.txt")).expect("removed");
    expect_built(&space, &[]);
}

#[test]
fn a_file_that_is_left_out_may_change_freely() {
    let space = built_space();
    space.write("drivers/demo-net/demo.pdb", "other symbols");
    space.write("drivers/demo-net/deeper/more.pdb", "more symbols");
    expect_built(&space, &[]);
}

#[test]
fn another_filter_with_the_same_files_builds_nothing() {
    let space = built_space();
    edit_definitions(&space, r#"exclude "**/*.pdb""#, r#"include "*.inf" "*.sys" "*.cat""#);
    expect_built(&space, &[]);
}

#[test]
fn equal_output_of_a_changed_step_stops_the_rebuild_there() {
    let space = built_space();
    let folder = space.project().join("drivers");
    fs::rename(folder.join("demo-net"), folder.join("moved")).expect("renamed");
    edit_definitions(&space, r#"source "drivers/demo-net""#, r#"source "drivers/moved""#);
    let run = space.build(&[]);
    let downstream = run.built().into_iter().filter(|label| label != "driver-package demo-net");
    assert_eq!(downstream.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn an_overlay_that_changes_no_boot_file_leaves_the_boot_files_as_they_were() {
    let space = built_space();
    let digest = |run: &Run| {
        let line = run.stderr.lines().find(|line| line.contains(" boot-files of winpe: "));
        line.expect("a line").rsplit(' ').next().expect("an output").to_owned()
    };
    let before = digest(&space.build(&["-v"]));
    space.write("overlay/winpe/Tools/hello.cmd", "rem another command");
    let after = space.build(&["-v"]);
    assert!(after.built().contains(&"boot-files of winpe".to_owned()), "{}", after.stderr);
    assert_eq!(digest(&after), before);
}

#[test]
fn changing_a_file_back_is_known_and_gives_the_first_bytes() {
    let space = TestSpace::quickstart();
    let first = space.build(&[]);
    let path = space.project().join("drivers/demo-net/demo.sys");
    let original = fs::read(&path).expect("a driver");
    fs::write(&path, "another driver").expect("written");
    let second = space.build(&[]);
    assert_ne!(first.digest("boot.iso"), second.digest("boot.iso"));
    fs::write(&path, original).expect("written");
    let third = expect_built(&space, &[]);
    for name in ["boot.iso", "factory.wim"] {
        assert_eq!(third.digest(name), first.digest(name));
        let bytes = fs::read(space.result(name)).expect("a result");
        assert_eq!(blake3::hash(&bytes).to_hex().as_str(), first.digest(name));
    }
}

#[test]
fn an_edit_that_hides_behind_size_and_time_is_seen() {
    let space = TestSpace::quickstart();
    let path = space.project().join("drivers/demo-net/demo.sys");
    // Old enough for the stat cache to remember it, by both of its times.
    std::thread::sleep(Duration::from_millis(2_300));
    space.build(&[]);
    expect_built(&space, &[]);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = fs::read(&path).expect("a driver");
    bytes[0] ^= 1;
    fs::write(&path, &bytes).expect("written");
    set_modified(&path, modified);
    let run = space.build(&["driver-package:demo-net"]);
    assert_eq!(run.built(), ["driver-package demo-net"]);
    assert_eq!(fs::read(space.result("driver-package/demo-net/demo.sys")).unwrap(), bytes);
}

#[test]
fn what_the_definitions_look_like_builds_nothing() {
    let space = built_space();
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    space.write("mediabuild.kdl", format!("// A comment.\n/* And\none */\n{text}\n\n"));
    expect_built(&space, &[]);
    edit_definitions(&space, "    wim ", "  /-wim \"inputs/other.wim\"\n\twim \\\n      ");
    expect_built(&space, &[]);
}

/// Moves the driver package's definition to an included file.
fn move_drivers_to(space: &TestSpace, file: &str, pattern: &str) {
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    let start = text.find("driver-package \"demo-net\" {").expect("the definition");
    let size = text[start..].find("\n}\n").expect("its end") + 3;
    space.write(file, &text[start..start + size]);
    let project = "epoch=(date-time)\"2026-11-01T00:00:00Z\"";
    let rest = format!("{}{}", &text[..start], &text[start + size..]);
    let include = format!("{project} {{\n    include \"{pattern}\"\n}}");
    space.write("mediabuild.kdl", rest.replace(project, &include));
}

#[test]
fn where_a_definition_stands_builds_nothing() {
    let space = built_space();
    move_drivers_to(&space, "net.kdl", "*.kdl");
    expect_built(&space, &[]);
    let folder = space.project();
    fs::rename(folder.join("net.kdl"), folder.join("drivers.kdl")).expect("renamed");
    expect_built(&space, &[]);
}

#[test]
fn a_moved_project_builds_nothing() {
    let space = built_space();
    let moved = space.path().join("moved/to here");
    fs::create_dir_all(moved.parent().unwrap()).expect("a folder");
    fs::rename(space.project(), &moved).expect("renamed");
    let run = Run::of(space.command().arg("build").current_dir(&moved));
    assert_eq!(run.expect(0).built_and_known(), (0, STEPS), "{}", run.stderr);
}

#[test]
fn changed_variables_build_the_variables_and_their_medium() {
    let space = built_space();
    edit_definitions(&space, "FACTORY-01", "FACTORY-02");
    expect_built(&space, &["media factory", "variables of factory"]);
    edit_definitions(&space, "OSDTimeZone \"UTC\"", "OSDTimeZone \"GMT Standard Time\"");
    let all = ["media boot", "media factory", "variables of boot", "variables of factory"];
    expect_built(&space, &all);
}

#[test]
fn a_build_after_a_failed_one_goes_on_where_it_stopped() {
    let space = TestSpace::quickstart();
    let path = space.project().join("inputs/install.wim");
    let good = fs::read(&path).expect("a WIM");
    let mut bad = good.clone();
    bad[0xd0 + 20] ^= 0xff;
    fs::write(&path, bad).expect("written");
    let failed = space.run(&["build", "--jobs", "1"]);
    failed.expect(1).says("inputs/install.wim");
    assert!(!space.result("factory.wim").exists());
    fs::write(&path, good).expect("written");
    let run = space.build(&[]);
    assert!(run.built_and_known().1 > 0, "{}", run.stderr);
}

// ---- results ----

#[test]
fn a_deleted_result_is_written_again_without_building() {
    let space = built_space();
    fs::remove_file(space.result("boot.iso")).expect("removed");
    let run = expect_built(&space, &[]);
    assert!(!run.stdout.contains("boot.iso  (unchanged)"), "{}", run.stdout);
    run.says("factory.wim  (unchanged)");
    space.run(&["verify", "result/boot.iso"]).expect(0);
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    expect_built(&space, &[]);
    space.run(&["verify", "result/boot.iso", "result/factory.wim"]).expect(0);
}

#[test]
fn a_result_that_was_edited_is_written_anew() {
    let space = built_space();
    let path = space.result("boot.iso");
    let good = fs::read(&path).expect("a result");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let edits: [(&str, Vec<u8>); 3] = [
        ("cut short", good[..good.len() / 2].to_vec()),
        ("one byte flipped", good.iter().enumerate().map(|(i, b)| b ^ u8::from(i == 99)).collect()),
        ("empty", Vec::new()),
    ];
    for (what, bytes) in edits {
        fs::write(&path, bytes).expect("written");
        set_modified(&path, modified);
        let run = expect_built(&space, &[]);
        assert!(!run.stdout.contains("boot.iso  (unchanged)"), "{what}: {}", run.stdout);
        assert!(fs::read(&path).unwrap() == good, "{what}");
    }
}

#[test]
fn an_edited_folder_is_written_anew() {
    let space = TestSpace::quickstart();
    space.build(&["driver-package:demo-net"]);
    let folder = space.result("driver-package/demo-net");
    let good = tree(&folder);
    fs::write(folder.join("demo.inf"), "edited").expect("written");
    fs::remove_file(folder.join("demo.sys")).expect("removed");
    space.build(&["driver-package:demo-net"]);
    assert_eq!(tree(&folder), good);
}

#[test]
fn a_folder_loses_files_that_its_source_lost() {
    let space = TestSpace::quickstart();
    space.build(&["driver-package:demo-net"]);
    fs::remove_file(space.project().join("drivers/demo-net/demo.cat")).expect("removed");
    space.build(&["driver-package:demo-net"]);
    assert!(!space.result("driver-package/demo-net/demo.cat").exists());
}

#[test]
fn an_exported_folder_is_left_alone_while_it_is_as_it_was() {
    let space = TestSpace::quickstart();
    space.build(&["driver-package:demo-net"]);
    let file = space.result("driver-package/demo-net/demo.inf");
    let modified = || fs::metadata(&file).unwrap().modified().unwrap();
    let before = modified();
    space.build(&["driver-package:demo-net"]).says("driver-package/demo-net  (unchanged)");
    assert_eq!(modified(), before);
}

#[test]
fn a_folder_that_is_the_users_own_is_never_replaced() {
    let space = TestSpace::quickstart();
    let own = space.write("result/driver-package/demo-net/my-notes.txt", "mine");
    space.run(&["build", "driver-package:demo-net"]).expect(3).says("demo-net").says("--out");
    assert_eq!(tree(own.parent().unwrap()).len(), 1);
}

#[test]
fn a_users_file_in_an_exported_folder_is_never_deleted() {
    let space = TestSpace::quickstart();
    space.build(&["driver-package:demo-net"]);
    let folder = space.result("driver-package/demo-net");
    space.write("result/driver-package/demo-net/NOTES.txt", "mine");
    let refused = space.run(&["build", "driver-package:demo-net"]);
    refused.expect(3).says("NOTES.txt").says("--out");
    fs::remove_dir_all(&folder).expect("removed");
    space.write("result/driver-package/demo-net/mine.txt", "mine");
    space.run(&["build", "driver-package:demo-net"]).expect(3).says("mine.txt");
    fs::remove_dir_all(&folder).expect("removed");
    space.build(&["driver-package:demo-net"]);
}

#[test]
fn a_result_never_replaces_an_input() {
    let space = TestSpace::quickstart();
    let kdl = space.project().join("mediabuild.kdl");
    let text = fs::read_to_string(&kdl).expect("readable");
    let text = text.replace("output \"factory.wim\"", "output \"inputs/install.wim\"");
    fs::write(&kdl, text).expect("written");
    let input = fs::read(space.project().join("inputs/install.wim")).expect("readable");
    space.run(&["build", "factory", "--out", "."]).expect(2).says("would replace an input");
    assert!(fs::read(space.project().join("inputs/install.wim")).expect("readable") == input);
}

#[test]
fn a_damaged_table_of_an_imported_wim_is_never_built_from() {
    let space = TestSpace::quickstart();
    // Older than the stat cache's doubt, else the file is read again, which heals the store.
    std::thread::sleep(std::time::Duration::from_millis(2300));
    space.build(&["windows"]);
    // One character of the XML of the imported WIM, which no hash of the format covers.
    let mut damaged = 0;
    for entry in walkdir::WalkDir::new(space.store()).into_iter().flatten() {
        let in_pack = entry.path().parent().is_some_and(|folder| folder.ends_with("packs"));
        if !in_pack {
            continue;
        }
        let mut bytes = fs::read(entry.path()).expect("readable");
        let needle: Vec<u8> = "en-US".encode_utf16().flat_map(u16::to_le_bytes).collect();
        // The last one: an appended WIM keeps a stale copy of its XML in front.
        let Some(at) = bytes.windows(needle.len()).rposition(|window| window == needle) else {
            continue;
        };
        bytes[at] = b'd';
        fs::remove_file(entry.path()).expect("removed");
        fs::write(entry.path(), bytes).expect("written");
        damaged += 1;
    }
    assert!(damaged > 0, "the WIM lies in a pack");
    let kdl = space.project().join("mediabuild.kdl");
    let text = fs::read_to_string(&kdl).expect("readable").replace("2026-11-01", "2026-11-02");
    fs::write(&kdl, text).expect("written");
    space.run(&["build", "windows"]).expect(1).says("store verify");
    space.run(&["store", "verify"]).expect(1);
}

#[test]
fn another_result_folder_gets_the_same_results_without_building() {
    let space = built_space();
    for out in ["elsewhere/deep", "../outside the project"] {
        let run = space.build(&["--out", out]);
        assert_eq!(run.built_and_known(), (0, STEPS));
        assert_eq!(tree(&space.project().join(out)), tree(&space.project().join("result")));
    }
    expect_built(&space, &[]).says("boot.iso  (unchanged)");
}

#[test]
fn an_emptied_store_is_filled_again_with_the_same_results() {
    let space = TestSpace::quickstart();
    let first = space.build(&[]);
    fs::remove_dir_all(space.store()).expect("removed");
    let second = space.build(&[]);
    assert_eq!(second.built_and_known(), (STEPS, 0));
    assert_eq!(first.digest("factory.wim"), second.digest("factory.wim"));
}

#[test]
fn nothing_unfinished_stays_beside_the_results() {
    let space = built_space();
    space.build(&["winpe", "branding", "driver-package:demo-net"]);
    let hidden: Vec<String> = tree(&space.project().join("result")).into_keys().collect();
    assert!(hidden.iter().all(|name| !name.contains("/.") && !name.starts_with('.')), "{hidden:?}");
}

// ---- targets ----

#[test]
fn two_definitions_of_one_name_need_their_kind() {
    let space = TestSpace::quickstart();
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    let twin = "package \"winpe\" {\n    source \"packages/branding\"\n}\n";
    space.write("mediabuild.kdl", format!("{text}{twin}"));
    let run = space.run(&["build", "winpe"]);
    run.expect(2).says("boot-image:winpe").says("package:winpe");
    assert!(!space.project().join("result").exists());
    space.build(&["package:winpe", "boot-image:winpe"]);
    assert!(space.result("package/winpe/name.txt").is_file());
    assert!(space.result("boot-image/winpe.wim").is_file());
}

#[test]
fn an_unknown_target_is_the_users_mistake_with_a_suggestion() {
    let space = TestSpace::quickstart();
    space.run(&["build", "factry"]).expect(2).says("did you mean `media:factory`");
    space.run(&["build", "media:factry"]).expect(2).says("did you mean `media:factory`");
    space.run(&["build", "media:winp"]).expect(2).says("did you mean `boot-image:winpe`");
    space.run(&["build", "boot", "brandin"]).expect(2).says("did you mean `package:branding`");
    space.run(&["build", "driver:demo-net"]).expect(2).says("driver-package");
    space.run(&["build", "zzz"]).expect(2).says("media:boot").says("os-image:windows");
    assert!(!space.project().join("result").exists());
}

#[test]
fn a_driver_package_gives_a_folder_of_its_files() {
    let space = TestSpace::quickstart();
    space.build(&["driver-package:demo-net"]);
    let mut expected = tree(&space.project().join("drivers/demo-net"));
    expected.remove("demo.pdb").expect("a file that is left out");
    assert_eq!(tree(&space.result("driver-package/demo-net")), expected);
}

#[test]
fn an_os_image_gives_a_wim_with_that_image_only() {
    let space = TestSpace::quickstart();
    space.build(&["windows"]);
    space.run(&["verify", "result/os-image/windows.wim"]).expect(0);
    let run = space.run(&["inspect", "info", "--format", "json", "result/os-image/windows.wim"]);
    let facts: serde_json::Value = serde_json::from_str(&run.expect(0).stdout).expect("JSON");
    let images = facts["images"].as_array().expect("images");
    assert_eq!((images.len(), &facts["format"]), (1, &"WIM".into()));
    assert_eq!(images[0]["WINDOWS"]["EDITIONID"], "Enterprise");
}

#[test]
fn a_target_builds_only_what_it_needs() {
    let space = TestSpace::quickstart();
    let run = space.build(&["boot-image:winpe"]);
    assert_eq!(run.built(), ["boot-image winpe", "driver-package demo-net"]);
    assert_eq!(tree(&space.project().join("result")).len(), 1);
}

// ---- secrets ----

const PASSWORD: &str = "correct horse 7f3a battery";
const JOIN_PASSWORD: &str = "staple-ünïcode-91c2";
const SECRETS: [(&str, &str); 2] = [("MEDIA_PW", PASSWORD), ("JOIN_PW", JOIN_PASSWORD)];

/// A quickstart whose factory medium has a password and a secret variable.
fn secret_space() -> TestSpace {
    let space = TestSpace::quickstart();
    edit_definitions(
        &space,
        "        OSDComputerName \"FACTORY-01\"\n    }",
        "        OSDComputerName \"FACTORY-01\"\n        OSDJoinPassword (secret)\"env:JOIN_PW\"\n    }\n    \
         password (secret)\"env:MEDIA_PW\"",
    );
    space
}

fn run_with(space: &TestSpace, secrets: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = space.command();
    command.env_remove("MEDIA_PW").env_remove("JOIN_PW");
    Run::of(command.args(arguments).envs(secrets.iter().copied()))
}

#[test]
fn a_secret_that_is_not_set_is_named_even_when_nothing_is_to_do() {
    let space = secret_space();
    let missing = |run: Run| {
        run.expect(2).says("MEDIA_PW");
    };
    missing(run_with(&space, &SECRETS[1..], &["build"]));
    run_with(&space, &SECRETS[..1], &["build"]).expect(2).says("JOIN_PW");
    run_with(&space, &SECRETS, &["build"]).expect(0);
    missing(run_with(&space, &SECRETS[1..], &["build"]));
    missing(run_with(&space, &[("MEDIA_PW", ""), SECRETS[1]], &["build"]));
    // A target that needs no secret asks for none; neither does looking.
    for arguments in [["build", "boot"], ["plan", "factory"], ["graph", "factory"], ["check", "."]]
    {
        run_with(&space, &[], &arguments).expect(0);
    }
}

#[test]
fn a_build_with_the_same_secrets_builds_nothing() {
    let space = secret_space();
    run_with(&space, &SECRETS, &["build"]).expect(0);
    let again = run_with(&space, &SECRETS, &["build"]);
    assert_eq!(again.built_and_known(), (0, STEPS), "{}", again.stderr);
}

/// Where a text stands, as UTF-8 or UTF-16LE, among files.
fn holders<'a>(files: &'a BTreeMap<String, Vec<u8>>, text: &str) -> Vec<&'a str> {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let needles = [text.as_bytes().to_vec(), utf16];
    let holds = |bytes: &[u8]| {
        needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle))
    };
    files.iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn the_value_of_a_secret_is_nowhere() {
    let space = secret_space();
    let mut said = String::new();
    for arguments in [
        ["build", "-vv", "--jobs=1"],
        ["build", "-vv", "--format=json"],
        ["plan", "-vv", "factory"],
        ["graph", "--format=json", "factory"],
        ["store", "roots", "-vv"],
        ["build", "factory", "--out=other"],
    ] {
        let run = run_with(&space, &SECRETS, &arguments);
        run.expect(0);
        said += &format!("{}{}", run.stdout, run.stderr);
    }
    assert!(said.contains("MEDIA_PW"), "-vv shows references:\n{said}");
    let mut files = tree(space.path());
    files.insert("what was said".into(), said.into_bytes());
    assert!(!holders(&files, "branding").is_empty(), "the search finds what is there");
    assert_eq!(holders(&files, PASSWORD), [""; 0]);
    assert_eq!(holders(&files, JOIN_PASSWORD), [""; 0]);
}

#[test]
fn the_password_opens_the_variables_and_another_does_not() {
    let space = secret_space();
    run_with(&space, &SECRETS, &["build"]).expect(0);
    let inspect = ["inspect", "variables", "result/factory.wim", "--password-env", "MEDIA_PW"];
    let expected = format!(
        "_SMSTSMediaType=OEMMedia\nOSDTimeZone=UTC\nOSDComputerName=FACTORY-01\nOSDJoinPassword={JOIN_PASSWORD}\n"
    );
    assert_eq!(run_with(&space, &SECRETS, &inspect).expect(0).stdout, expected);
    let wrong = run_with(&space, &[("MEDIA_PW", "guess")], &inspect);
    assert!(!wrong.expect(1).says("password").stdout.contains("OSD"));
    run_with(&space, &[], &inspect).expect(2).says("MEDIA_PW");
    run_with(&space, &SECRETS, &inspect[..3]).expect(1).says("--password-env");
}

#[test]
fn another_password_gives_other_bytes_and_the_first_ones_come_back() {
    let space = secret_space();
    let digest = |password: &str| {
        let secrets = [("MEDIA_PW", password), SECRETS[1]];
        let run = run_with(&space, &secrets, &["build", "factory"]);
        (run.expect(0).digest("factory.wim").to_owned(), run.built())
    };
    let (first, _) = digest(PASSWORD);
    let (other, built) = digest("another password");
    assert_ne!(first, other);
    assert_eq!(built, ["media factory", "variables of factory"]);
    assert_eq!(digest(PASSWORD), (first, vec![]));
}

#[test]
fn the_same_secrets_in_another_store_give_the_same_bytes() {
    let space = secret_space();
    let first = run_with(&space, &SECRETS, &["build"]);
    let other = space.path().join("other-store");
    let second = run_with(&space, &SECRETS, &["build", "--store", other.to_str().unwrap()]);
    assert_eq!(second.expect(0).built_and_known(), (STEPS, 0));
    assert_eq!(first.digest("factory.wim"), second.digest("factory.wim"));
}

#[test]
fn a_secret_of_a_file_is_its_text_without_the_line_end() {
    let space = secret_space();
    let outside = space.path().join("password.txt");
    edit_definitions(&space, "env:MEDIA_PW", &format!("file:{}", outside.display()));
    run_with(&space, &SECRETS, &["build", "factory"]).expect(2).says("password.txt");
    fs::write(outside, format!("{PASSWORD}\r\n")).expect("written");
    run_with(&space, &SECRETS, &["build", "factory"]).expect(0);
    let inspect = ["inspect", "variables", "result/factory.wim", "--password-env", "MEDIA_PW"];
    run_with(&space, &SECRETS, &inspect).expect(0).says("FACTORY-01");
}
