//! Projects that are wrong: the whole text a user would read, as snapshots.

use crate::case::{cases, load_case, rendered};

fn snapshot(folder: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path(format!("../snapshots/{folder}"));
    settings.bind(|| {
        for (name, case) in cases(folder) {
            let loaded = load_case(&case);
            assert!(!loaded.diagnostics.is_empty(), "{name} has no diagnostic");
            insta::assert_snapshot!(name, rendered(&loaded));
        }
    });
}

#[test]
fn every_mistake_is_shown_on_its_line() {
    snapshot("invalid");
}

#[test]
fn text_that_does_not_parse_is_explained() {
    snapshot("unparsable");
}

#[test]
fn all_mistakes_are_shown_at_once() {
    let (_, case) =
        cases("invalid").into_iter().find(|(name, _)| name == "ten-mistakes").expect("it");
    let loaded = load_case(&case);
    assert!(loaded.definitions.is_none());
    assert!(loaded.diagnostics.len() >= 10, "{}", rendered(&loaded));
}

#[test]
fn every_diagnostic_has_a_label_and_a_help() {
    for (name, case) in cases("invalid").into_iter().chain(cases("unparsable")) {
        for diagnostic in load_case(&case).diagnostics {
            assert!(!diagnostic.labels.is_empty(), "{name}: {diagnostic:?}");
            assert!(diagnostic.labels.iter().all(|l| l.text != "here"), "{name}: {diagnostic:?}");
            assert!(diagnostic.help.is_some(), "{name}: {diagnostic:?}");
            assert!(!diagnostic.message.ends_with('.'), "{name}: {diagnostic:?}");
        }
    }
}
