//! `plan`, `why`, `log`, `build --keep-going` and `--check`: what the user is told of a build, and
//! that it is true.

mod harness;

use std::fs;

use harness::{Run, TestSpace};

#[track_caller]
fn why(space: &TestSpace, arguments: &[&str]) -> String {
    let run = Run::of(space.command().arg("why").args(arguments));
    run.expect(0).stdout.clone()
}

/// Appends to a file of the project.
fn grow(space: &TestSpace, path: &str, bytes: usize) {
    let mut content = fs::read(space.project().join(path)).expect("readable");
    content.extend(vec![b'x'; bytes]);
    space.write(path, content);
}

fn edit(space: &TestSpace, from: &str, to: &str) {
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    assert!(text.contains(from), "{from}");
    space.write("mediabuild.kdl", text.replace(from, to));
}

#[test]
fn why_names_the_file_that_changed_and_the_way_to_it() {
    let space = TestSpace::quickstart();
    assert_eq!(
        why(&space, &["factory"]),
        "media factory will be built\n  media factory: was not built here before\n"
    );
    space.build(&[]);
    assert_eq!(why(&space, &[]).matches("is up to date").count(), 2, "all media");
    grow(&space, "drivers/demo-net/demo.sys", 100_000);
    let before = why(&space, &["boot"]);
    for line in [
        "media boot will be built",
        "  media boot: boot-image winpe must run first",
        "    boot-image winpe: driver-package demo-net must run first",
        "      driver-package demo-net: drivers/demo-net/demo.sys changed, 35 B → 100 KB",
    ] {
        assert!(before.lines().any(|said| said == line), "{line}\nin\n{before}");
    }
    space.build(&[]);
    let after = why(&space, &["boot"]);
    for text in [
        "media boot is up to date; built 2",
        "  media boot: boot-image winpe changed",
        "      driver-package demo-net: drivers/demo-net/demo.sys changed, 35 B → 100 KB",
    ] {
        assert!(after.contains(text), "{text}\nin\n{after}");
    }
}

#[test]
fn why_names_the_option_that_changed() {
    let space = TestSpace::quickstart();
    space.build(&[]);
    edit(&space, "OSDComputerName \"FACTORY-01\"", "OSDComputerName \"FACTORY-02\"");
    edit(&space, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
    edit(&space, "label=\"QUICKSTART\"", "label=\"OTHER\"");
    let said = why(&space, &["factory"]);
    for text in [
        r#"variables of factory: variables OSDComputerName changed, "FACTORY-01" → "FACTORY-02""#,
        "media factory: epoch changed, 2026-11-01T00:00:00Z → 2026-11-02T00:00:00Z",
    ] {
        assert!(said.contains(text), "{text}\nin\n{said}");
    }
    let said = why(&space, &["boot"]);
    assert!(said.contains(r#"media boot: label changed, "QUICKSTART" → "OTHER""#), "{said}");
}

#[test]
fn why_of_a_touched_file_says_that_nothing_is_to_be_done() {
    let space = TestSpace::quickstart();
    space.build(&[]);
    let path = space.project().join("drivers/demo-net/demo.sys");
    let bytes = fs::read(&path).expect("readable");
    fs::write(&path, bytes).expect("written");
    let said = why(&space, &["boot"]);
    assert!(said.starts_with("media boot is up to date"), "{said}");
}

#[test]
fn why_is_one_object_a_line_for_machines() {
    let space = TestSpace::quickstart();
    space.build(&[]);
    grow(&space, "overlay/winpe/Tools/hello.cmd", 7);
    let said = why(&space, &["--format", "json", "boot"]);
    let mut reasons = Vec::new();
    for line in said.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("an object");
        if event["event"] == "reason" {
            reasons.push(event);
        }
    }
    let file = reasons.iter().find(|event| event["reason"]["reason"] == "file-changed");
    let file = file.unwrap_or_else(|| panic!("no file in {said}"));
    assert_eq!(file["step"], "boot-image winpe");
    assert_eq!(file["reason"]["path"], "overlay/winpe/Tools/hello.cmd");
}

#[test]
fn why_two_names_shows_the_way_between_them() {
    let space = TestSpace::quickstart();
    assert_eq!(
        why(&space, &["boot", "demo-net"]),
        "media boot\n  boot-image winpe (as boot-image)\n    driver-package demo-net (as drivers/demo-net)\n"
    );
    let file = why(&space, &["media:factory", "drivers/demo-net/demo.inf"]);
    assert!(file.ends_with("    import drivers/demo-net (as source)\n"), "{file}");
    assert_eq!(why(&space, &["boot", "winpe.wim"]).lines().count(), 3);
    let run = Run::of(space.command().args(["why", "boot", "branding"]));
    run.expect(1).says("media boot does not depend on `branding`");
    assert!(!space.store().exists(), "to look at the plan needs no store");
}

#[test]
fn a_plan_says_what_is_known_and_what_would_run() {
    let space = TestSpace::quickstart();
    let cold = Run::of(space.command().arg("plan"));
    cold.expect(0).says("import inputs/winpe.wim  will be read").says("depends on 1 step");
    cold.says("20 steps: 0 known, 9 inputs to read");
    space.build(&[]);
    let same = Run::of(space.command().arg("plan"));
    // Files that were written a moment ago may still change without a trace: they are read again.
    same.expect(0).says("steps: ");
    std::thread::sleep(std::time::Duration::from_millis(2200));
    space.build(&[]);
    let known = Run::of(space.command().arg("plan"));
    known.expect(0).says("20 steps: 20 known, 0 inputs to read (0 B), at most 0 to run");
    edit(&space, "label=\"QUICKSTART\"", "label=\"OTHER\"");
    let changed = Run::of(space.command().arg("plan"));
    changed.expect(0).says(r#"will run: label changed, "QUICKSTART" → "OTHER""#);
    changed.says("at most 1 to run");
    let built = Run::of(space.command().arg("build"));
    assert_eq!(built.expect(0).built(), ["media boot"]);
}

#[test]
fn a_log_tells_when_how_and_why_each_step_was_made() {
    let space = TestSpace::quickstart();
    let run = Run::of(space.command().args(["log", "boot"]));
    run.expect(0).says("boot-image winpe: was not built here yet");
    space.build(&[]);
    grow(&space, "drivers/demo-net/demo.inf", 10);
    space.build(&[]);
    let run = Run::of(space.command().args(["log", "boot"]));
    run.expect(0).says("import drivers/demo-net: imported 2").says("boot-image winpe: built 2");
    run.says("    drivers/demo-net/demo.inf changed, ");
    run.says("    driver-package demo-net changed");
}

#[test]
fn keep_going_builds_what_can_be_built_and_names_what_cannot() {
    let space = TestSpace::quickstart();
    // A WIM whose header is right, so that `check` finds nothing.
    let mut wim = fs::read(space.project().join("inputs/install.wim")).expect("readable");
    let middle = 208 + (wim.len() - 208) / 4;
    wim[middle..middle + 64].fill(0xa5);
    space.write("inputs/install.wim", wim);
    let run = Run::of(space.command().args(["build", "--keep-going"]));
    run.expect(1).says("error: import inputs/install.wim").says("boot.iso");
    run.says("skipped media factory: it needs import inputs/install.wim");
    assert!(space.result("boot.iso").exists());
    assert!(!space.result("factory.wim").exists());
    let run = Run::of(space.command().arg("build"));
    run.expect(1).says("error: import inputs/install.wim");
}

#[test]
fn independent_failures_are_all_reported() {
    let space = TestSpace::quickstart();
    for path in ["inputs/install.wim", "inputs/winpe.wim"] {
        let mut wim = fs::read(space.project().join(path)).expect("readable");
        let middle = 208 + (wim.len() - 208) / 4;
        wim[middle..middle + 64].fill(0xa5);
        space.write(path, wim);
    }
    let run = Run::of(space.command().args(["build", "-k"]));
    run.expect(1).says("error: import inputs/install.wim").says("error: import inputs/winpe.wim");
}

#[test]
fn check_makes_everything_twice_and_finds_it_equal() {
    let space = TestSpace::quickstart();
    let run = space.build(&["--check"]);
    assert_eq!(run.built_and_known(), (11, 0));
    assert_eq!(run.stderr.matches("checked ").count(), 11, "{}", run.stderr);
    let again = space.build(&["--check"]);
    assert_eq!(again.built_and_known(), (0, 11));
    assert_eq!(again.stderr.matches("checked ").count(), 11, "{}", again.stderr);
}

#[test]
fn processes_that_build_at_once_share_the_work() {
    let space = TestSpace::quickstart();
    let builds: Vec<_> = (0..4)
        .map(|at| {
            let out = space.path().join(format!("out{at}"));
            let mut command = space.command();
            command.arg("build").arg("--out").arg(out);
            std::thread::spawn(move || Run::of(&mut command))
        })
        .collect();
    let runs: Vec<Run> = builds.into_iter().map(|build| build.join().expect("ran")).collect();
    let built: usize = runs.iter().map(|run| run.expect(0).built_and_known().0).sum();
    assert_eq!(built, 11, "each step is built by one of them");
}

#[test]
fn timings_are_a_page_and_a_trace_with_a_bar_for_each_job() {
    let space = TestSpace::quickstart();
    let run = Run::of(space.command().args(["build", "--timings"]));
    run.expect(0).says("timings: mediabuild-timings.html and mediabuild-timings.trace.json");
    let read = |name: &str| fs::read_to_string(space.project().join(name)).expect("written");
    let page = read("mediabuild-timings.html");
    assert!(page.contains("<td><span class=\"key build\"></span>media factory</td>"), "{page}");
    let trace: serde_json::Value =
        serde_json::from_str(&read("mediabuild-timings.trace.json")).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("a list");
    let count = |kind: &str| events.iter().filter(|event| event["cat"] == kind).count();
    assert_eq!((count("build"), count("import"), count("export")), (11, 9, 2));
    let run = Run::of(space.command().args(["build", "--timings=nowhere/at/all.html"]));
    run.expect(3).says("cannot write `nowhere/at/all.html`");
}

#[test]
fn a_folder_of_which_each_takes_a_part_is_explained_part_by_part() {
    let space = TestSpace::new();
    for name in ["a", "b", "c"] {
        space.write(&format!("drivers/{name}/x.inf"), name);
    }
    let package = |name: &str| {
        format!(
            "driver-package \"{name}\" {{ source \"drivers\" {{ include \"{name}/**\"; }}; }}\n"
        )
    };
    let project = "project \"p\"\n".to_owned();
    space.write("mediabuild.kdl", project.clone() + &package("a") + &package("b"));
    space.build(&["a", "b"]);
    grow(&space, "drivers/b/x.inf", 10);
    // Alone, `b` is the first to import from that folder; the whole would have `a` before it.
    assert_eq!(
        why(&space, &["b"]),
        "driver-package b will be built\n  driver-package b: drivers/b/x.inf changed, 1 B → 11 B\n"
    );
    let definitions = project + &package("c") + &package("a") + &package("b");
    space.write("mediabuild.kdl", definitions);
    space.build(&["c", "a", "b"]);
    let run = Run::of(space.command().args(["log", "c"]));
    run.expect(0).says("import drivers (include \"c/**\"): imported 2");
    assert!(!run.stdout.contains("changed"), "{}", run.stdout);
    let way = why(&space, &["c", "drivers/c/x.inf"]);
    assert!(way.ends_with("  import drivers (include \"c/**\") (as source)\n"), "{way}");
}

#[test]
fn another_source_is_not_a_source_that_changed() {
    let space = TestSpace::new();
    for name in ["a", "b"] {
        space.write(&format!("drivers/{name}/x.inf"), name);
    }
    let definitions = "project \"p\"\n\
        driver-package \"one\" { source \"drivers/a\"; }\n\
        driver-package \"two\" { source \"drivers/b\"; }\n";
    space.write("mediabuild.kdl", definitions);
    space.build(&["one", "two"]);
    grow(&space, "drivers/b/x.inf", 1);
    space.build(&["two"]);
    edit(&space, "drivers/a", "drivers/b");
    let expected =
        "driver-package one: takes import drivers/b as source, no longer import drivers/a";
    let said = why(&space, &["one"]);
    // The store knows what `two` is made of, and so what `one` is now.
    assert!(said.ends_with(&format!("  {expected}\n")), "{said}");
    assert!(said.starts_with("driver-package one is up to date; built 2"), "{said}");
}

#[test]
fn a_project_is_the_same_however_it_is_named() {
    let space = TestSpace::quickstart();
    space.build(&[]);
    std::thread::sleep(std::time::Duration::from_millis(2200));
    space.build(&[]);
    let mut command = space.command();
    command.current_dir(space.project().join("drivers/demo-net")).args(["plan", "../.."]);
    Run::of(&mut command).expect(0).says("20 steps: 20 known, 0 inputs to read");
}
