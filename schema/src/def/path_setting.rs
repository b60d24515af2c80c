//! `attributes`, `short-name`, `security`, `exclude`, `exclusions`: what an image says of single
//! paths.

use crate::def::Lowering;
use crate::definition::{Attribute, InputPath, PathSetting, Setting, Spanned};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::spec::{ArgumentSpec, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;
use crate::value::path;

pub(crate) static ATTRIBUTES: NodeSpec = NodeSpec {
    name: "attributes",
    doc: "Sets or clears attributes of a file or folder of the image.",
    argument: PATH,
    properties: &[
        flag("read-only", "Cannot be written.", "read-only=#true"),
        flag("hidden", "Is not listed.", "hidden=#true"),
        flag("system", "Is a part of the system.", "system=#true"),
        flag("archive", "Changed since the last backup.", "archive=#false"),
        flag("not-content-indexed", "Is not searched.", "not-content-indexed=#true"),
    ],
    rule: Some(check_attributes),
    example: r#"attributes "ProgramData/Contoso" hidden=#true read-only=#false"#,
    ..NodeSpec::EMPTY
};

pub(crate) static SHORT_NAME: NodeSpec = NodeSpec {
    name: "short-name",
    doc: "The 8.3 name of a file or folder of the image.",
    argument: PATH,
    properties: &[PropertySpec {
        name: "name",
        value: ValueKind::ShortName,
        required: true,
        doc: "The name, in capitals.",
        example: r#"name="PROGRA~1""#,
    }],
    example: r#"short-name "Program Files" name="PROGRA~1""#,
    ..NodeSpec::EMPTY
};

pub(crate) static SECURITY: NodeSpec = NodeSpec {
    name: "security",
    doc: "The security descriptor of a file or folder of the image; what is in a folder keeps its \
          own.",
    argument: PATH,
    properties: &[PropertySpec {
        name: "sddl",
        value: ValueKind::Text,
        required: true,
        doc: "Owner, group and access, as Windows writes them.",
        example: r#"sddl="O:BAG:SYD:P(A;OICI;FA;;;BA)""#,
    }],
    example: r#"security "ProgramData/Contoso" sddl="O:BAG:SYD:P(A;OICI;FA;;;BA)""#,
    ..NodeSpec::EMPTY
};

pub(crate) static EXCLUDE: NodeSpec = NodeSpec {
    name: "exclude",
    doc: "Leaves out files and folders of the finished image that match a pattern as in the \
          `[ExclusionList]` of a `WimScript.ini`: with a slash in front a path from the root, else \
          a name anywhere; `*` and `?` match anything but a slash.",
    argument: Some(ArgumentSpec {
        name: "pattern",
        value: ValueKind::Exclusion,
        count: Count::OneOrMore,
    }),
    example: r#"exclude "/Windows/Temp/*" "*.tmp""#,
    ..NodeSpec::EMPTY
};

pub(crate) static EXCLUSIONS: NodeSpec = NodeSpec {
    name: "exclusions",
    doc: "A file in the form of DISM's `WimScript.ini`: its `[ExclusionList]` leaves out, its \
          `[ExclusionException]` keeps.",
    argument: Some(ArgumentSpec { name: "path", value: ValueKind::Path, count: Count::One }),
    example: r#"exclusions "WimScript.ini""#,
    ..NodeSpec::EMPTY
};

const PATH: Option<ArgumentSpec> =
    Some(ArgumentSpec { name: "path", value: ValueKind::PathInImage, count: Count::One });

const fn flag(name: &'static str, doc: &'static str, example: &'static str) -> PropertySpec {
    PropertySpec { name, value: ValueKind::Flag, required: false, doc, example }
}

fn check_attributes(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if node.properties().next().is_none() {
        diagnostics.push(
            Diagnostic::error("missing-property", node.span(), "`attributes` says no attribute")
                .label("none of them")
                .help(format!("write `{}`", ATTRIBUTES.example)),
        );
    }
}

/// The settings of an image's paths, in order.
pub(crate) fn lower(node: Node<'_>) -> Vec<PathSetting> {
    node.children().filter_map(setting).collect()
}

fn setting(node: Node<'_>) -> Option<PathSetting> {
    let property = |name: &str| node.property(name)?.spanned();
    let setting = match node.name() {
        "attributes" => Setting::Attributes(attributes(node)),
        "short-name" => Setting::ShortName(property("name")?),
        "security" => Setting::Security(property("sddl")?),
        _ => return None,
    };
    Some(PathSetting { path: path_in_image(node)?, setting })
}

fn path_in_image(node: Node<'_>) -> Option<Spanned<String>> {
    let value = node.argument()?;
    Some(value.at(path::inside(value.string()?).ok()?))
}

fn attributes(node: Node<'_>) -> Vec<(Attribute, bool)> {
    let said = |attribute: Attribute| Some((attribute, node.property(attribute.name())?.flag()?));
    Attribute::ALL.into_iter().filter_map(said).collect()
}

/// The files that `exclusions` names.
pub(crate) fn exclusions(node: Node<'_>, lowering: Lowering<'_>) -> Vec<InputPath> {
    let files = node.children_named("exclusions");
    files.filter_map(|file| lowering.path(file.argument()?)).collect()
}
