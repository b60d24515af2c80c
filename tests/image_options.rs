//! What a definition says of an image beside its files: XML data, attributes, short names, security.

mod harness;

use std::process::Command;

use harness::{Run, TestSpace, tool};

fn space(options: &str) -> TestSpace {
    let space = TestSpace::new();
    space.write("tree/Program Files/Contoso/agent.exe", "agent");
    space.write("tree/Windows/Temp/junk.tmp", "junk");
    space.write("tree/Windows/notes.txt", "notes");
    let definition = format!(
        "project \"p\"\nos-image \"os\" arch=\"amd64\" {{\nsource \"tree\"\n{options}\n}}\n"
    );
    space.write("mediabuild.kdl", definition);
    space
}

const INFORMATION: &str = r#"
    information {
        name "Windows 11 Enterprise"; description "Contoso & partners"
        display-name "Windows 11"; display-description "For factories"; flags "Enterprise"
        edition "Enterprise"; installation-type "Client"; product-type "WinNT"
        languages "en-US" "de-DE" default="de-DE"
        version "10.0.26100.1742"
    }"#;

fn wimlib(arguments: &[&str], space: &TestSpace) -> Option<Run> {
    let mut command: Command = tool("wimlib-imagex")?;
    command.arg(arguments[0]).arg(space.result("os-image/os.wim")).args(&arguments[1..]);
    let run = Run::of(&mut command);
    run.expect(0);
    Some(run)
}

#[test]
fn information_is_what_the_wim_says_of_itself() {
    let space = space(INFORMATION);
    space.build(&["os-image:os"]);
    let said = space.run(&["inspect", "info", "result/os-image/os.wim"]);
    said.expect(0).says("Windows 11 Enterprise");
    let Some(info) = wimlib(&["info", "1"], &space) else { return };
    for line in [
        "Name:                   Windows 11 Enterprise",
        "Description:            Contoso & partners",
        "Display Name:           Windows 11",
        "Display Description:    For factories",
        "Architecture:           x86_64",
        "Edition ID:             Enterprise",
        "Installation Type:      Client",
        "Product Type:           WinNT",
        "Languages:              en-US de-DE",
        "Default Language:       de-DE",
        "Major Version:          10",
        "Build:                  26100",
        "Service Pack Build:     1742",
        "Flags:                  Enterprise",
    ] {
        info.says(line);
    }
}

#[test]
fn a_base_keeps_what_is_not_said_of_it() {
    let space = TestSpace::quickstart();
    let definitions = std::fs::read_to_string(space.project().join("mediabuild.kdl"));
    let definitions = definitions.expect("definitions").replace(
        "edition=\"Enterprise\"\n",
        "edition=\"Enterprise\"\n    information { description \"Ours\" }\n",
    );
    space.write("mediabuild.kdl", definitions);
    space.build(&["os-image:windows"]);
    let run = space.run(&["inspect", "info", "--format", "json", "result/os-image/windows.wim"]);
    run.expect(0).says("Enterprise");
}

#[test]
fn attributes_short_names_and_security_are_set() {
    let space = space(
        r#"attributes "Windows/notes.txt" hidden=#true read-only=#true
           attributes "windows/NOTES.TXT" read-only=#false
           short-name "Program Files" name="PROGRA~1"
           security "Program Files" sddl="O:BAG:SYD:P(A;OICI;FA;;;BA)""#,
    );
    space.build(&["os-image:os"]);
    space.run(&["verify", "result/os-image/os.wim"]).expect(0);
    let Some(notes) = wimlib(&["dir", "1", "--detailed", "--path=/Windows/notes.txt"], &space)
    else {
        return;
    };
    notes.says("FILE_ATTRIBUTE_HIDDEN is set");
    assert!(!notes.stdout.contains("READONLY"), "{}", notes.stdout);
    let folder = ["dir", "1", "--detailed", "--one-file-only", "--path=/Program Files"];
    let folder = wimlib(&folder, &space).expect("it was there");
    folder.says("Short Name          = \"PROGRA~1\"").says("Security Descriptor");
}

#[test]
fn what_is_excluded_is_not_in_the_image() {
    let space = space(
        r#"exclude "/Windows/Temp/*" "agent.exe"
           exclusions "WimScript.ini""#,
    );
    space.write("tree/keep/agent.exe", "kept");
    space.write("tree/Windows/a.log", "log");
    let script = "[ExclusionList]\r\n*.log\r\n[ExclusionException]\r\n\\keep\\agent.exe\r\n";
    space.write("WimScript.ini", script);
    space.build(&["os-image:os"]);
    let listed = space.run(&["inspect", "ls", "result/os-image/os.wim"]);
    listed.expect(0).says("notes.txt").says("keep/agent.exe").says("Temp");
    for gone in ["Contoso/agent.exe", "a.log", "junk.tmp"] {
        assert!(!listed.stdout.contains(gone), "{gone} in {}", listed.stdout);
    }
    // Other exclusions, another image.
    space.write("WimScript.ini", script.replace("*.log", "*.txt"));
    assert_eq!(space.build(&["os-image:os"]).built_and_known(), (1, 0));
    space.write("WimScript.ini", "pagefile.sys");
    space.run(&["build", "os-image:os"]).expect(1).says("ExclusionList");
}

#[test]
fn mistakes_in_settings_name_the_path_or_the_line() {
    let built = |options: &str| {
        let space = space(options);
        space.run(&["build", "os-image:os"])
    };
    built("attributes \"Windows/nothing\" hidden=#true").expect(1).says("Windows/nothing");
    let run = built("security \"Windows\" sddl=\"O:XX\"");
    run.expect(2).says("mediabuild.kdl:4").says("no security descriptor");
    built("short-name \"Nowhere\" name=\"NOWHERE\"").expect(1).says("Nowhere");
}

#[test]
fn a_changed_option_builds_the_image_anew_and_why_says_which() {
    let space = space(INFORMATION);
    space.build(&["os-image:os"]);
    let text = std::fs::read_to_string(space.project().join("mediabuild.kdl")).expect("text");
    space.write("mediabuild.kdl", text.replace("For factories", "For everybody"));
    space.run(&["why", "os-image:os"]).expect(0).says("changes");
    assert_eq!(space.build(&["os-image:os"]).built_and_known(), (1, 0));
}
