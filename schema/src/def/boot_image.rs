//! `boot-image`: WinPE, with drivers and files of the user's own.

use std::collections::BTreeMap;

use crate::def::{Lowering, boot_files, compression, image, information, path_setting, source};
use crate::definition::{BootImage, DriverPlacement, Kind, Spanned};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, PropertySpec};
use crate::text::Span;
use crate::value::ValueKind;
use crate::value::path;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "boot-image",
    doc: "A boot image (WinPE): what a medium starts.",
    argument: Some(ArgumentSpec { name: "name", value: ValueKind::Name, count: Count::One }),
    properties: &[image::ARCH],
    children: Children::Specs(&[
        ChildSpec::optional(&image::WIM),
        ChildSpec::optional(&image::ISO),
        ChildSpec::optional(&source::SPEC),
        ChildSpec::repeated(&DRIVER_PACKAGE),
        ChildSpec::repeated(&source::OVERLAY),
        ChildSpec::optional(&START),
        ChildSpec::optional(&boot_files::SPEC),
        ChildSpec::optional(&compression::SPEC),
        ChildSpec::optional(&information::SPEC),
        ChildSpec::repeated(&path_setting::EXCLUDE),
        ChildSpec::repeated(&path_setting::EXCLUSIONS),
        ChildSpec::repeated(&path_setting::ATTRIBUTES),
        ChildSpec::repeated(&path_setting::SHORT_NAME),
        ChildSpec::repeated(&path_setting::SECURITY),
    ]),
    one_of: image::BASES,
    planned: &["remove", "scratch-space", "background", "command-support"],
    rule: Some(check),
    example: r##"boot-image "winpe-x64" arch="amd64" {
    wim "inputs/winpe.wim" index=1
    driver-package "intel-net" "dell-storage"
    overlay "overlay/winpe"
    start #"cmd /c %MEDIA%\apply-factory.cmd"#
}"##,
};

static DRIVER_PACKAGE: NodeSpec = NodeSpec {
    name: "driver-package",
    doc: "Driver packages that go into the image, each to `Drivers/<name>`.",
    argument: Some(ArgumentSpec {
        name: "name",
        value: ValueKind::Reference(Kind::DriverPackage),
        count: Count::OneOrMore,
    }),
    properties: &[PropertySpec {
        name: "to",
        value: ValueKind::PathInImage,
        required: false,
        doc: "Another folder of the image, for one package.",
        example: r#"to="Drivers/net""#,
    }],
    rule: Some(check_placement),
    example: r#"driver-package "intel-net" "dell-storage""#,
    ..NodeSpec::EMPTY
};

static START: NodeSpec = NodeSpec {
    name: "start",
    doc: "The command that runs after start-up on media without a site.",
    argument: Some(ArgumentSpec { name: "command", value: ValueKind::Text, count: Count::One }),
    example: r#"start "cmd /c setup.cmd""#,
    ..NodeSpec::EMPTY
};

fn check_placement(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let (Some(to), Some(second)) = (node.property("to"), node.arguments().nth(1)) else { return };
    let first = node.argument().and_then(|name| name.string()).unwrap_or_default();
    let help = format!("write one line per package: `driver-package \"{first}\" to=\"…\"`");
    diagnostics.push(
        Diagnostic::error("ambiguous-place", to.key_span(), "`to=` places one driver package only")
            .label("place of which?")
            .also(second.span(), "second package")
            .help(help),
    );
}

/// Two driver packages must not be laid into one folder: their files would overwrite each other.
fn check(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    compression::check_bootable(node, diagnostics);
    let mut places: BTreeMap<String, Span> = BTreeMap::new();
    for placement in placements(node) {
        let place = placement.folder();
        let span = placement.span();
        match places.get(&place.to_lowercase()) {
            None => drop(places.insert(place.to_lowercase(), span)),
            Some(first) => diagnostics.push(
                Diagnostic::error(
                    "same-place",
                    span,
                    format!("two driver packages go to `{place}`"),
                )
                .label("second")
                .also(*first, "first")
                .help(format!("give one its own folder: `to=\"{place}-2\"`")),
            ),
        }
    }
}

impl DriverPlacement {
    /// The folder in the image, with `/`.
    pub fn folder(&self) -> String {
        match &self.to {
            Some(to) => to.value.clone(),
            None => format!("Drivers/{}", self.name.value),
        }
    }

    fn span(&self) -> Span {
        self.to.as_ref().map_or(self.name.span, |to| to.span)
    }
}

fn placements(node: Node<'_>) -> Vec<DriverPlacement> {
    let nodes = node.children_named("driver-package");
    nodes
        .filter(|node| is_clear(*node))
        .flat_map(|node| {
            let to = placed_to(node);
            node.strings().into_iter().map(move |name| DriverPlacement { name, to: to.clone() })
        })
        .collect()
}

/// Whether it is known where the packages go; if not, validation said so.
fn is_clear(node: Node<'_>) -> bool {
    let to = node.property("to");
    to.is_none() || (placed_to(node).is_some() && node.arguments().count() == 1)
}

fn placed_to(node: Node<'_>) -> Option<Spanned<String>> {
    let value = node.property("to")?;
    Some(value.at(path::inside(value.string()?).ok()?))
}

pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<BootImage> {
    Some(BootImage {
        name: node.argument()?.spanned()?,
        arch: image::arch(node)?,
        base: image::base(node, lowering)?,
        driver_packages: placements(node),
        overlays: image::overlays(node, lowering)?,
        start: node.child("start").and_then(|start| start.argument()?.spanned()),
        boot_files: node.child("boot-files").and_then(|node| boot_files::lower(node, lowering)),
        options: image::options(node, lowering),
    })
}
