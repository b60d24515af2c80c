//! Definitions through the command line: every mistake at once and on its line, documents whose
//! definitions hold, starting and finding projects, exit codes, help, plans and graphs.

mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::{Run, TestSpace, root};
use serde_json::Value;

// ---- diagnostics ----

/// One mistake of each kind that a first project makes, in the language and in its inputs.
const MISTAKES: &str = r#"project "mistakes"

boot-image "winpe" arch="amd64" {
    wim "inputs/WinPE.wim" index=1
    driver-package "demo-nett"
    overlay "overlay/winpee"
    boot-files {
        from "inputs/boot.bin"
        el-torito bios="boot"
    }
}

boot-image "old" arch="x64" {
    wim "inputs/winpe.wim" name="Quickstart PE"
}

os-image "windows" arch="amd64" {
    wim "inputs/install.wim" index=7
}

os-image "server" arch="amd64" {
    wim "inputs/boot.bin"
}

driver-package "demo-net" {
    source "drivers/nothing-like-it"
}

application "agent" version="4.2" {
    sorce "apps/agent"
}

package "branding" {
    source "C:\\packages\\branding"
}

media "boot" type="bootable" {
    boot-image "winpe"
    password "not-a-reference"
    output "boot.wim"
}
"#;

/// The codes of [`MISTAKES`], in order of lines.
const MISTAKE_CODES: [&str; 13] = [
    "missing-input",
    "unknown-reference",
    "missing-input",
    "not-a-folder",
    "not-a-file",
    "unknown-word",
    "no-such-image",
    "bad-wim",
    "missing-input",
    "unknown-node",
    "absolute-path",
    "missing-annotation",
    "wrong-extension",
];

/// The quickstart's inputs under other definitions.
fn space_with(definitions: &str) -> TestSpace {
    let space = TestSpace::quickstart();
    space.write("mediabuild.kdl", definitions);
    space
}

#[test]
fn every_mistake_shows_in_one_run() {
    let space = space_with(MISTAKES);
    // `.` keeps the test's folder out of the picture.
    let run = space.run(&["check", "."]);
    insta::assert_snapshot!("every_mistake", run.expect(2).stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn every_command_that_needs_definitions_shows_the_same_mistakes() {
    let space = space_with(MISTAKES);
    let expected = space.run(&["check", "."]).stderr;
    for command in ["plan", "build", "graph"] {
        let run = space.run(&[command, "./"]);
        assert_eq!((run.code, &run.stderr), (Some(2), &expected), "{command}");
    }
    assert!(!space.store().exists(), "nothing was begun");
}

/// The lines of stdout as JSON objects.
#[track_caller]
fn json_lines(run: &Run) -> Vec<Value> {
    let line = |line: &str| -> Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    run.stdout.lines().map(line).collect()
}

#[test]
fn json_gives_an_object_for_each_mistake_with_its_place() {
    let space = space_with(MISTAKES);
    let run = space.run(&["check", "--format", "json", "."]);
    run.expect(2);
    let diagnostics = json_lines(&run);
    let codes: Vec<&str> =
        diagnostics.iter().map(|d| d["code"].as_str().expect("a code")).collect();
    assert_eq!(codes, MISTAKE_CODES);
    for diagnostic in &diagnostics {
        assert_eq!(
            (&diagnostic["event"], &diagnostic["severity"]),
            (&"diagnostic".into(), &"error".into())
        );
        assert!(
            diagnostic["message"].is_string() && diagnostic["help"].is_string(),
            "{diagnostic}"
        );
        for place in diagnostic["places"].as_array().expect("places") {
            assert_eq!(place["file"], "mediabuild.kdl");
            assert_eq!(
                place_of_offset(MISTAKES, place),
                (place["line"].as_u64(), place["column"].as_u64())
            );
        }
    }
    let first = &diagnostics[0]["places"][0];
    assert_eq!((first["line"].as_u64(), first["column"].as_u64()), (Some(4), Some(9)));
    assert_eq!(first["size"].as_u64(), Some("\"inputs/WinPE.wim\"".len() as u64));
}

/// Line and column, 1-based, of a place's offset.
fn place_of_offset(text: &str, place: &Value) -> (Option<u64>, Option<u64>) {
    let before = &text[..place["offset"].as_u64().expect("an offset") as usize];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() as u64 + 1;
    (Some(line), Some(before[line_start..].chars().count() as u64 + 1))
}

#[test]
fn a_mistake_in_an_included_file_names_that_file() {
    let space = TestSpace::quickstart();
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    let included = text.replacen("00Z\"", "00Z\" {\n    include \"more/*.kdl\"\n}", 1);
    space.write("mediabuild.kdl", included);
    space.write("more/net.kdl", "driver-package \"net\" {\n    source \"missing\"\n}\n");
    let run = space.run(&["check", "--format", "json"]);
    let place = &json_lines(run.expect(2))[0]["places"][0];
    assert_eq!((&place["file"], place["line"].as_u64()), (&"more/net.kdl".into(), Some(2)));
}

#[test]
fn a_path_in_the_wrong_case_is_told_its_right_case() {
    let space = TestSpace::quickstart();
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    for (right, wrong, hint) in [
        ("inputs/winpe.wim", "inputs/WinPE.WIM", "it is called `winpe.wim`"),
        ("packages/branding", "Packages/branding", "it is called `packages`"),
        ("drivers/demo-net", "drivers/Demo-Net", "it is called `demo-net`"),
    ] {
        space.write("mediabuild.kdl", text.replace(right, wrong));
        space.run(&["check"]).expect(2).says("missing-input").says("the case differs").says(hint);
    }
}

#[test]
fn text_that_does_not_parse_is_a_diagnostic_on_its_line() {
    let space = space_with("project \"a\"\nmedia \"b\" type=true {\n");
    let run = space.run(&["check", "--format", "json"]);
    let diagnostics = json_lines(run.expect(2));
    assert!(!diagnostics.is_empty());
    assert!(
        diagnostics.iter().all(|d| d["places"][0]["line"].as_u64() >= Some(2)),
        "{diagnostics:?}"
    );
}

#[test]
fn the_quickstart_has_no_mistakes_and_no_warnings() {
    let space = TestSpace::quickstart();
    let run = space.run(&["check"]);
    assert_eq!(run.expect(0).stderr, "");
    run.says("9 definitions, 13 inputs").says("no mistakes found");
}

// ---- documents ----

/// Markdown files whose definitions must hold.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    for folder in ["docs", "examples"] {
        let entries = walkdir::WalkDir::new(root().join(folder)).sort_by_file_name();
        let paths = entries.into_iter().flatten().map(walkdir::DirEntry::into_path);
        found.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "md")));
    }
    found
}

/// The ```` ```kdl ```` blocks of a document with their first line's number.
fn kdl_blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        match line.trim() {
            "```kdl" => {
                inside = true;
                blocks.push((at + 2, String::new()));
            }
            "```" => inside = false,
            _ if inside => {
                let block = &mut blocks.last_mut().expect("an open block").1;
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

/// What is wrong with a block, apart from inputs that are not there or not pinned.
fn mistakes_of(block: &str) -> Vec<Value> {
    let has_project = block.lines().any(|line| line.starts_with("project "));
    let head = if has_project { "" } else { "project \"document\"\n" };
    let space = TestSpace::new();
    space.write("mediabuild.kdl", format!("{head}{block}"));
    let run = space.run(&["check", "--format", "json", "."]);
    let events = json_lines(&run).into_iter().filter(|event| event["event"] == "diagnostic");
    let is_input = |code: &Value| code == "missing-input" || code == "not-pinned";
    events.filter(|diagnostic| !is_input(&diagnostic["code"])).collect()
}

#[test]
fn definitions_in_documents_hold() {
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("readable");
        for (line, block) in kdl_blocks(&text) {
            let mistakes = mistakes_of(&block);
            assert!(mistakes.is_empty(), "{}:{line}: {mistakes:#?}", document.display());
            checked += 1;
        }
    }
    assert!(checked > 0, "the README shows definitions");
}

#[test]
fn a_document_with_a_mistake_would_be_found() {
    let blocks = kdl_blocks("text\n```kdl\npackage \"a\" {\n    sorce \"b\"\n}\n```\nmore\n");
    assert_eq!(blocks.len(), 1);
    assert_eq!(blocks[0].0, 3);
    assert_eq!(mistakes_of(&blocks[0].1)[0]["code"], "unknown-node");
}

// ---- starting and finding a project ----

#[test]
fn init_writes_a_project_that_passes_and_never_overwrites_it() {
    let space = TestSpace::new();
    space.run(&["init", "new/place"]).expect(0).says("new/place/mediabuild.kdl");
    space.run(&["check", "new/place"]).expect(0).says("no mistakes found");
    let path = space.project().join("new/place/mediabuild.kdl");
    fs::write(&path, "project \"mine\"\n").expect("written");
    space.run(&["init", "new/place"]).expect(2).says("exists already");
    assert_eq!(fs::read_to_string(&path).unwrap(), "project \"mine\"\n");
}

#[test]
fn init_in_a_folder_of_any_name_gives_a_project_that_passes() {
    let long = "long".repeat(40);
    for name in ["it's \"quoted\"", "ünïcode ", "...", "con", "a\\b", "-dash", &long] {
        let space = TestSpace::new();
        let folder = space.project().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        Run::of(space.command().arg("init").current_dir(&folder)).expect(0);
        Run::of(space.command().arg("check").current_dir(&folder)).expect(0);
    }
}

/// The template's definitions, each switched on by removing `/-`, hold once their inputs exist.
#[test]
fn the_template_that_init_writes_holds_when_it_is_switched_on() {
    let space = TestSpace::new();
    space.run(&["init"]).expect(0);
    let template = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("a project");
    assert!(template.matches("\n/-").count() >= 5, "{template}");
    let mistakes = mistakes_of(&template.replace("\n/-", "\n"));
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[test]
fn without_a_project_the_user_learns_how_to_get_one() {
    let space = TestSpace::new();
    for command in ["check", "plan", "build", "graph"] {
        space.run(&[command]).expect(2).says("no `mediabuild.kdl`").says("mediabuild init");
        space.run(&[command, "some/folder"]).expect(2).says("is not a project");
    }
}

#[test]
fn a_project_is_found_from_its_sub_folders() {
    let space = TestSpace::quickstart();
    let below = space.project().join("drivers/demo-net");
    let run = Run::of(space.command().current_dir(&below).args(["build", "boot"]));
    run.expect(0);
    assert!(space.result("boot.iso").is_file(), "results are in the project's folder");
    assert!(!below.join("result").exists());
}

#[test]
fn a_project_is_named_by_its_folder_or_its_file() {
    let space = TestSpace::quickstart();
    for name in ["project", "./project/", "project/mediabuild.kdl"] {
        let run = Run::of(space.command().current_dir(space.path()).args(["build", name, "boot"]));
        run.expect(0).says("boot.iso");
    }
    assert!(space.result("boot.iso").is_file());
}

// ---- exit codes ----

#[test]
fn exit_code_0_is_success() {
    let space = TestSpace::quickstart();
    for arguments in [&["build"][..], &["check"], &["plan"], &["store", "verify"], &["--version"]] {
        space.run(arguments).expect(0);
    }
}

#[test]
fn exit_code_1_is_a_failed_build_or_verification() {
    let space = TestSpace::quickstart();
    space.build(&["boot"]);
    let mut bytes = fs::read(space.result("boot.iso")).expect("a result");
    let wim = bytes.windows(5).position(|window| window == b"MSWIM").expect("a WIM");
    bytes[wim + 0xd0 + 9] ^= 0xff;
    fs::write(space.project().join("damaged.iso"), bytes).expect("written");
    space.run(&["verify", "damaged.iso"]).expect(1).says("sources/boot.wim");
    // A link is found only when its folder is imported.
    std::os::unix::fs::symlink("/etc/hostname", space.project().join("apps/agent/link")).unwrap();
    space.run(&["build", "factory"]).expect(1).says("link");
}

#[test]
fn exit_code_2_is_a_wrong_command_line() {
    let space = TestSpace::quickstart();
    for arguments in [
        &[][..],
        &["bild"],
        &["build", "--no-such-option"],
        &["build", "--jobs", "0"],
        &["build", "--jobs", "many"],
        &["build", "nothing-of-that-name"],
        &["check", "--format", "yaml"],
        &["verify"],
        &["inspect", "ls"],
        &["build", "--store", ""],
    ] {
        let run = space.run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}\n{}", run.stderr);
    }
}

#[test]
fn exit_code_3_is_a_failed_environment() {
    let space = TestSpace::quickstart();
    space.write("in-the-way", "a file");
    space.run(&["build", "--out", "in-the-way"]).expect(3).says("in-the-way");
    space.run(&["build", "--store", "in-the-way"]).expect(3).says("in-the-way");
    fs::create_dir_all(space.result("boot.iso/full")).expect("a folder");
    space.run(&["build", "boot"]).expect(3).says("boot.iso").says("--out");
    assert!(space.result("boot.iso/full").is_dir(), "nothing of the user's was removed");
}

// ---- help ----

/// Every command with words that its help must hold.
const HELP: [(&[&str], &[&str]); 32] = [
    (&[], &["init", "check", "plan", "build", "graph", "inspect", "verify", "store", "Exit codes"]),
    (&["init"], &["[FOLDER]"]),
    (&["check"], &["[PROJECT]"]),
    (&["plan"], &["[TARGET]"]),
    (&["lock"], &["[PROJECT]", "--update [<NAME>...]", "git"]),
    (
        &["build"],
        &[
            "[TARGET]",
            "--out <DIR>",
            "--jobs <N>",
            "--keep-going",
            "--check",
            "--locked",
            "--timings",
            "--offline",
        ],
    ),
    (&["why"], &["[TARGET]", "[ON]", "--project <DIR>"]),
    (&["log"], &["[TARGET]"]),
    (&["graph"], &["[TARGET]"]),
    (&["inspect"], &["info", "ls", "cat", "dump", "signers", "variables"]),
    (&["inspect", "info"], &["<FILE>"]),
    (&["inspect", "ls"], &["<FILE>", "[PATH]", "--image <INDEX>", "--long"]),
    (&["inspect", "cat"], &["<FILE>", "<PATH>", "--image <INDEX>"]),
    (&["inspect", "dump"], &["<FILE>", "--ref <WIM>"]),
    (&["inspect", "signers"], &["<FILE>", "--image <INDEX>"]),
    (&["inspect", "variables"], &["<FILE>", "--password-env <NAME>"]),
    (&["verify"], &["<FILES>..."]),
    (&["extract"], &["<FILE>", "[PATH]...", "--to <DIR>", "--image <IMAGE>", "--ref <WIM>"]),
    (&["diff"], &["<LEFT>", "<RIGHT>", "--ref <WIM>"]),
    (&["store"], &["add", "verify", "roots", "gc", "du", "pin", "unpin", "rebuild-index"]),
    (&["store", "add"], &["--expect <DIGEST>", "<FILE>...", "licensed"]),
    (&["store", "verify"], &["--repair", "--resume", "--max <SIZE>", "--time <TIME>"]),
    (&["store", "gc"], &["--dry-run", "--max <SIZE>", "--keep <AGE>"]),
    (&["store", "pin"], &["<NAME> <TARGET>"]),
    (&["store", "unpin"], &["<NAME>"]),
    (&["store", "du"], &["Usage: mediabuild store du"]),
    (&["store", "rebuild-index"], &["Usage: mediabuild store rebuild-index"]),
    (&["store", "roots"], &["Usage: mediabuild store roots"]),
    (&["boot-test"], &["<FILE>", "--marker <TEXT>", "--screen <PPM>", "--firmware <FIRMWARE>"]),
    (&["usb"], &["list", "write"]),
    (&["usb", "list"], &["Usage: mediabuild usb list"]),
    (&["usb", "write"], &["<IMAGE>", "<DEVICE>", "--yes", "--serial <SERIAL>"]),
];

/// The options of every command.
const GLOBAL_OPTIONS: [&str; 4] = ["--store <DIR>", "--format <FORMAT>", "--verbose", "--help"];

#[test]
fn help_of_every_command_names_its_arguments() {
    let space = TestSpace::new();
    for (command, words) in HELP {
        let run = space.run(&[command, &["--help"]].concat());
        run.expect(0);
        for word in words.iter().chain(&GLOBAL_OPTIONS) {
            assert!(
                run.stdout.contains(word),
                "no `{word}` in help of {command:?}:\n{}",
                run.stdout
            );
        }
        assert_eq!(run.stderr, "");
    }
}

/// The sub-commands that a help text lists.
fn listed_commands(help: &str) -> Vec<String> {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    // A description goes on in lines that are indented deeper.
    let name = |line: &str| {
        let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?;
        name.split_whitespace().next().map(str::to_owned)
    };
    commands.filter_map(name).filter(|name| name != "help").collect()
}

#[test]
fn no_command_is_missing_from_the_list_above() {
    let space = TestSpace::new();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::from([vec![]]);
    let mut open = vec![vec![]];
    while let Some(command) = open.pop() {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        for name in listed_commands(&space.run(&arguments).stdout) {
            let deeper = [command.as_slice(), &[name]].concat();
            found.insert(deeper.clone());
            open.push(deeper);
        }
    }
    let listed = HELP.map(|(command, _)| command.iter().map(|s| (*s).to_owned()).collect());
    assert_eq!(found, BTreeSet::from(listed));
}

// ---- plans and graphs ----

/// The quickstart with a password that is not set.
fn space_with_secret() -> TestSpace {
    let space = TestSpace::quickstart();
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    let output = "    output \"factory.wim\"";
    let password = "    password (secret)\"env:NOT_SET_ANYWHERE\"";
    space.write("mediabuild.kdl", text.replace(output, &format!("{password}\n{output}")));
    space
}

/// Position, label and inputs' positions of each line of a plan.
fn steps(plan: &str) -> Vec<(usize, String, Vec<usize>)> {
    let step = |line: &str| {
        let (at, rest) = line.trim_start().split_once("   ")?;
        let (label, rest) = rest.split_once("  ").unwrap_or((rest, ""));
        let after = rest.strip_prefix("after ").and_then(|rest| rest.split("  ").next());
        let after = after.unwrap_or("");
        let after = after.split(", ").filter_map(|at| at.parse().ok()).collect();
        Some((at.parse().ok()?, label.to_owned(), after))
    };
    plan.lines().filter_map(step).collect()
}

#[test]
fn a_plan_lists_each_step_after_what_it_waits_for() {
    let space = space_with_secret();
    let run = space.run(&["plan"]);
    let steps = steps(&run.expect(0).stdout);
    assert_eq!(steps.len(), 20, "{}", run.stdout);
    for (expected, (at, label, after)) in steps.iter().enumerate() {
        assert_eq!(*at, expected);
        assert!(after.iter().all(|input| input < at), "{label} comes before what it waits for");
        assert_eq!(
            after.is_empty(),
            label.starts_with("import ") || label.starts_with("variables ")
        );
    }
    run.says("→ boot.iso").says("→ factory.wim");
    assert!(!space.store().exists(), "a plan builds and stores nothing");
}

#[test]
fn a_plan_of_a_target_has_only_its_steps() {
    let space = TestSpace::quickstart();
    let run = space.run(&["plan", "driver-package:demo-net"]);
    let steps = steps(&run.expect(0).stdout);
    let labels: Vec<&str> = steps.iter().map(|(_, label, _)| label.as_str()).collect();
    assert_eq!(labels, ["import drivers/demo-net", "driver-package demo-net"]);
    run.says("→ driver-package/demo-net");
}

#[test]
fn a_build_does_the_steps_of_its_plan() {
    let space = TestSpace::quickstart();
    let steps = steps(&space.run(&["plan"]).stdout).into_iter().map(|(_, label, _)| label);
    let mut planned: Vec<String> = steps.filter(|label| !label.starts_with("import ")).collect();
    planned.sort();
    assert_eq!(space.build(&[]).built(), planned);
}

/// The labels of the JSON graph.
fn graph_labels(space: &TestSpace) -> Vec<String> {
    let graph: Value = serde_json::from_str(&graph(space, "json")).expect("JSON");
    let nodes = graph["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| node["label"].as_str().expect("a label").to_owned()).collect()
}

fn graph(space: &TestSpace, format: &str) -> String {
    let run = space.run(&["graph", "--format", format]);
    run.expect(0);
    run.stdout
}

#[test]
fn a_graph_for_graphviz_has_the_nodes_and_edges_of_the_plan() {
    let space = space_with_secret();
    let dot = graph(&space, "text");
    assert!(dot.starts_with("digraph {") && dot.ends_with("}\n"), "{dot}");
    let steps = steps(&space.run(&["plan"]).stdout);
    for (at, label, after) in &steps {
        assert!(dot.contains(&format!("{at} [ label=\"{label}\"")), "{label} in {dot}");
        for input in after {
            assert!(dot.contains(&format!("{input} -> {at} ")), "{input} -> {at} in {dot}");
        }
    }
    assert_eq!(dot.matches("label=").count(), steps.len());
    assert_eq!(
        dot.matches("->").count(),
        steps.iter().map(|(.., after)| after.len()).sum::<usize>()
    );
    assert_eq!(
        graph_labels(&space),
        steps.into_iter().map(|(_, label, _)| label).collect::<Vec<_>>()
    );
}

#[test]
fn a_graph_in_json_is_one_object_with_edges_between_its_nodes() {
    let space = TestSpace::quickstart();
    let text = graph(&space, "json");
    assert_eq!(text.lines().count(), 1);
    let graph: Value = serde_json::from_str(&text).expect("JSON");
    let ids: BTreeSet<Option<u64>> =
        graph["nodes"].as_array().expect("nodes").iter().map(|node| node["id"].as_u64()).collect();
    let edges = graph["edges"].as_array().expect("edges");
    assert_eq!(edges.len(), 22);
    for edge in edges {
        assert!(
            ids.contains(&edge["from"].as_u64()) && ids.contains(&edge["to"].as_u64()),
            "{edge}"
        );
        assert!(edge["role"].as_str().is_some_and(|role| !role.is_empty()), "{edge}");
    }
}

#[test]
fn a_graph_of_awkward_names_is_still_a_graph() {
    let space = TestSpace::quickstart();
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    let folder = "odd \"name\" 'x'";
    copy_branding(&space.project(), folder);
    let definition = format!("package \"odd\" {{\n    source #\"packages/{folder}\"#\n}}\n");
    space.write("mediabuild.kdl", format!("{text}{definition}"));
    let run = space.run(&["graph", "odd"]);
    run.expect(0).says(r#"label="import packages/odd \"name\" 'x'""#);
}

fn copy_branding(project: &Path, folder: &str) {
    harness::copy_tree(&project.join("packages/branding"), &project.join("packages").join(folder));
}
