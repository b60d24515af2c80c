//! What `check` says of content before anything is built: names, paths and sizes that a medium cannot
//! have, wherever the content comes from.

mod harness;

use std::fs::File;
use std::os::unix::fs::symlink;
use std::process::Command;

use harness::{Run, TestSpace};

/// A boot image, what `defined` says, and a disk image with the packages `p` and `q`.
fn project(space: &TestSpace, boot_files: &str, defined: &str) {
    space.write("base/Windows/System32/setup.exe", "not really");
    let text = format!(
        r#"project "p" epoch=(date-time)"2026-11-01T00:00:00Z"
        boot-image "pe" arch="amd64" {{ source "base"; boot-files {{ {boot_files} }} }}
        media "stick" type="bootable" {{ boot-image "pe"; package "p"; usb "stick.img" }}
        {defined}"#
    );
    space.write("mediabuild.kdl", text);
}

/// A path that UDF takes and FAT does not, for Windows could not open it there.
fn long_path() -> String {
    format!("{}/{}.txt", "f".repeat(130), "x".repeat(120))
}

fn sparse(space: &TestSpace, path: &str, size_bytes: u64) {
    let file = File::create(space.write(path, "")).expect("a file");
    file.set_len(size_bytes).expect("a hole");
}

/// Without what long lines are broken by.
fn together(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace() && *character != '│').collect()
}

#[track_caller]
fn check(space: &TestSpace, code: i32, said: &[&str]) -> Run {
    let run = space.run(&["check"]);
    run.expect(code);
    let all = together(&format!("{}{}", run.stdout, run.stderr));
    for text in said {
        assert!(all.contains(&together(text)), "`{text}` is not said in:\n{}", run.stderr);
    }
    run
}

#[test]
fn names_that_no_build_takes_are_told_together() {
    let space = TestSpace::new();
    let defined = r#"package "p" { source "files" }
        package "empty" { source "files" { include "*.none" } }
        package "linked" { source "linked" }
        os-image "os" arch="amd64" { source "tree"; overlay "over" }"#;
    project(&space, r#"from "media""#, defined);
    for name in ["a:b.txt", "aux.txt", "sub/README.txt", "sub/ReadMe.txt", "good.txt"] {
        space.write(&format!("files/{name}"), name);
    }
    space.write("over/what?.txt", "");
    space.write("tree/ends in a dot.", "");
    space.write("media/boot/con", "");
    let link = space.write("linked/a.txt", "").with_file_name("link.txt");
    symlink("a.txt", link).expect("a link");
    let run = check(
        &space,
        2,
        &[
            "`files/a:b.txt`: Windows refuses any of",
            "`files/aux.txt`: Windows takes this name for a device",
            "differ only in case",
            "`files` gives no file",
            "link.txt` is a symbolic link",
            "`over/what?.txt`: Windows refuses",
            "`tree/ends in a dot.`: Windows cannot open",
            "`media/boot/con`: Windows takes this name for a device",
            r#"package "p" { source "files" }"#,
        ],
    );
    assert_eq!(run.stderr.matches("files/a:b.txt").count(), 1, "told once: {}", run.stderr);
    assert!(!run.stderr.contains("good.txt"), "{}", run.stderr);
}

#[test]
fn boot_files_are_held_against_the_disk_too() {
    let space = TestSpace::new();
    project(&space, r#"from "media"; from "other""#, r#"package "p" { source "files" }"#);
    space.write("files/a.txt", "a");
    space.write("media/deep/short.txt", "");
    sparse(&space, "media/sources/install.wim", 5 << 30);
    space.write("other/SOURCES/Install.WIM", "the first place wins");
    check(&space, 0, &[]);
    let path = format!("deep/{}/{}", "f".repeat(130), "x".repeat(130));
    space.write(&format!("media/{path}"), "");
    sparse(&space, "media/huge.bin", 1 << 32);
    check(
        &space,
        2,
        &[
            &format!("`{path}` cannot be on a FAT volume"),
            "`huge.bin` has 4294967296 bytes",
            r#"from "media"; from "other""#,
            "say `output` for `usb`",
        ],
    );
}

#[test]
fn parts_of_wims_and_isos_are_looked_into() {
    let space = TestSpace::new();
    space.write(&format!("tree/{}", long_path()), "text");
    space.write("tree/short/a.txt", "a");
    space.write(
        "mediabuild.kdl",
        r#"project "inputs"
        boot-image "pe" arch="amd64" { source "tree" }
        package "p" { source "tree" }
        media "disc" type="bootable" { boot-image "pe"; package "p"; output "disc.iso" }"#,
    );
    space.build(&["boot-image:pe", "disc"]);
    let results = space.project().join("result");
    std::fs::rename(results.join("boot-image/pe.wim"), space.project().join("tree.wim")).unwrap();
    std::fs::rename(results.join("disc.iso"), space.project().join("disc.iso")).unwrap();
    let too_long = format!("`SMS/PKG/p/{}` cannot be on a FAT volume", long_path());
    for (source, code, said) in [
        (r#"wim="tree.wim""#, 2, too_long.as_str()),
        (r#"wim="tree.wim" path="short""#, 0, "no mistakes found"),
        (r#"wim="tree.wim" path="shorter""#, 2, "the image has no `shorter`"),
        (r#"wim="tree.wim" path="short" { exclude "*.txt" }"#, 2, "`short` gives no file"),
        (r#"iso="disc.iso" path="SMS/PKG/p""#, 2, too_long.as_str()),
        (r#"iso="disc.iso" path="SMS/PKG/p/short""#, 0, "no mistakes found"),
        (r#"iso="disc.iso" path="SMS" { include "*.none" }"#, 2, "gives no file"),
    ] {
        space.write("media/efi/boot/bootx64.efi", "what starts it");
        project(&space, r#"from "media""#, &format!("package \"p\" {{ source {source} }}"));
        let run = check(&space, code, &[said]);
        // Without a mistake a warning may show the line too.
        assert!(code == 0 || run.stderr.contains(source), "{}", run.stderr);
        assert_eq!(
            run.stderr.contains("not-for-a-disc") || run.stderr.contains("missing-in-"),
            code == 2
        );
    }
}

/// What a lock pins is known by it, and by the store, wherever the input is now.
#[test]
fn what_is_pinned_is_looked_into_without_being_here() {
    let space = TestSpace::new();
    project(&space, "", r#"package "p" { source "files" }"#);
    space.write(&format!("files/{}", long_path()), "text");
    Run::of(Command::new("git").arg("init").arg("-q").current_dir(space.project())).expect(0);
    space.run(&["lock"]).expect(0);
    std::fs::remove_dir_all(space.project().join("files")).expect("removed");
    let too_long = format!("`SMS/PKG/p/{}` cannot be on a FAT volume", long_path());
    check(&space, 2, &[&too_long, r#"source "files""#]);
}

/// Nothing is fetched to know how large it is.
#[test]
fn the_size_of_a_download_is_known_by_its_pin() {
    let space = TestSpace::new();
    let url = "https://vendor.example/huge.bin";
    project(&space, "", &format!("package \"p\" {{ source url=\"{url}\" }}"));
    let declaration = format!("url {url:?}");
    let declared =
        blake3::derive_key("mediabuild 2026-11 declaration", declaration.as_bytes())[..8].to_vec();
    let declared: String = declared.iter().map(|byte| format!("{byte:02x}")).collect();
    for (size_bytes, code) in [(4_294_967_295_u64, 0), (4_294_967_296, 2)] {
        let digest = "ab".repeat(32);
        let line = format!(
            "url \"{url}\" digest=\"blake3:{digest}\" size={size_bytes} declared=\"{declared}\"\n"
        );
        space.write("mediabuild.lock", format!("lock version=1\n{line}"));
        let run = check(&space, code, &[]);
        let said = "`SMS/PKG/p/huge.bin` has 4294967296 bytes";
        assert_eq!(run.stderr.contains(said), code == 2, "{}", run.stderr);
    }
}

#[test]
fn a_disk_that_cannot_hold_what_is_known_is_told() {
    let space = TestSpace::new();
    project(&space, "", r#"package "p" { source "files" }"#);
    sparse(&space, "files/large.bin", 100 << 20);
    let text = std::fs::read_to_string(space.project().join("mediabuild.kdl")).expect("written");
    for (size, code) in [("64MiB", 2), ("128MiB", 0)] {
        let sized =
            text.replace(r#"usb "stick.img""#, &format!(r#"usb "stick.img" size="{size}""#));
        space.write("mediabuild.kdl", sized);
        let run = check(&space, code, &[]);
        assert_eq!(run.stderr.contains("and the disk has 64MiB"), code == 2, "{}", run.stderr);
    }
}

#[test]
fn a_large_wim_of_a_package_is_no_error_and_another_large_file_is() {
    let space = TestSpace::new();
    project(&space, "", r#"package "p" { source "files" }"#);
    sparse(&space, "files/install.wim", 5 << 30);
    check(&space, 0, &[]);
    sparse(&space, "files/install.esd", 5 << 30);
    check(
        &space,
        2,
        &["install.esd` has 5368709120 bytes, and a file on a FAT volume has at most 4294967295"],
    );
}
