//! UDF of all revisions and kinds of media, as mkudffs makes it: empty volumes with all structures.

use mediabuild_formats::iso::{Disc, View};

use crate::images::FileSource;
use crate::images::peer::{Scratch, find_first};

const MEDIA: [&str; 11] =
    ["hd", "dvd", "dvdram", "dvdrw", "dvdr", "worm", "mo", "cdrw", "cdr", "cd", "bdr"];
const REVISIONS: [&str; 6] = ["1.02", "1.50", "2.00", "2.01", "2.50", "2.60"];

/// The program refuses some pairs; what it makes is read without a fault.
#[test]
fn mkudffs_volumes_of_all_revisions_and_media_open() {
    let scratch = Scratch::new();
    let mut made = Vec::new();
    for media in MEDIA {
        for revision in REVISIONS {
            for block_bytes in ["512", "1024", "2048", "4096"] {
                let Some(mut mkudffs) = find_first(&["mkudffs", "/usr/sbin/mkudffs"]) else {
                    return;
                };
                let disc = scratch.path("disc.udf");
                let _ = std::fs::remove_file(&disc);
                std::fs::File::create(&disc).unwrap().set_len(24 << 20).unwrap();
                // The kind of media comes first.
                mkudffs.args(["--media-type", media, "--udfrev", revision, "--label=EMPTY"]);
                mkudffs.args(["--blocksize", block_bytes]);
                if !mkudffs.arg(&disc).output().expect("it starts").status.success() {
                    continue;
                }
                let name = format!("{media} {revision} {block_bytes}");
                let source = FileSource(std::fs::File::open(&disc).unwrap());
                let opened = Disc::open(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(opened.label(View::Udf), Some("EMPTY"), "{name}");
                let faults: Vec<_> =
                    opened.verify(&source).into_iter().filter(|it| it.is_fault).collect();
                assert_eq!(faults, [], "{name}");
                let text = opened.dump(&source).unwrap();
                assert!(text.contains(&format!("volume UDF {revision}")), "{name}: {text}");
                made.push((name, text));
            }
        }
    }
    for kind in ["virtual", "sparable"] {
        let kind = format!(", {kind}");
        assert!(made.iter().any(|(_, text)| text.contains(&kind)), "none is{kind}");
    }
    assert!(made.len() >= 60, "only {} of them", made.len());
}
