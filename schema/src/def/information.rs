//! `information`: what a WIM's XML data says of an image.

use crate::definition::{Information, InformationField, Languages};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, PropertySpec};
use crate::value::{ValueKind, windows};

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "information",
    doc: "What the WIM says of the image, as DISM and Windows Setup show and check it. What is not \
          set stays as the base has it, also what is not listed here.",
    children: Children::Specs(&[
        ChildSpec::optional(&NAME),
        ChildSpec::optional(&DESCRIPTION),
        ChildSpec::optional(&DISPLAY_NAME),
        ChildSpec::optional(&DISPLAY_DESCRIPTION),
        ChildSpec::optional(&FLAGS),
        ChildSpec::optional(&EDITION),
        ChildSpec::optional(&INSTALLATION_TYPE),
        ChildSpec::optional(&PRODUCT_TYPE),
        ChildSpec::optional(&PRODUCT_SUITE),
        ChildSpec::optional(&PRODUCT_NAME),
        ChildSpec::optional(&HAL),
        ChildSpec::optional(&SYSTEM_ROOT),
        ChildSpec::optional(&LANGUAGES),
        ChildSpec::optional(&VERSION),
    ]),
    example: r#"information {
    name "Windows 11 Enterprise"
    edition "Enterprise"
    installation-type "Client"
    languages "en-US" "de-DE" default="en-US"
    version "10.0.26100.1742"
}"#,
    ..NodeSpec::EMPTY
};

const fn text(name: &'static str, doc: &'static str, example: &'static str) -> NodeSpec {
    NodeSpec { name, doc, argument: TEXT, example, ..NodeSpec::EMPTY }
}

const TEXT: Option<ArgumentSpec> =
    Some(ArgumentSpec { name: "text", value: ValueKind::Text, count: Count::One });

static NAME: NodeSpec =
    text("name", "The image's name: `NAME`.", r#"name "Windows 11 Enterprise""#);
static DESCRIPTION: NodeSpec =
    text("description", "`DESCRIPTION`.", r#"description "Contoso, November 2026""#);
static DISPLAY_NAME: NodeSpec = text(
    "display-name",
    "The name that Windows Setup shows: `DISPLAYNAME`.",
    r#"display-name "Windows 11 Enterprise""#,
);
static DISPLAY_DESCRIPTION: NodeSpec = text(
    "display-description",
    "`DISPLAYDESCRIPTION`.",
    r#"display-description "Windows 11 Enterprise""#,
);
static FLAGS: NodeSpec =
    text("flags", "The edition, for product keys: `FLAGS`.", r#"flags "Enterprise""#);
static EDITION: NodeSpec =
    text("edition", "`EDITIONID`; Windows Setup needs it.", r#"edition "Enterprise""#);
static INSTALLATION_TYPE: NodeSpec = text(
    "installation-type",
    "`INSTALLATIONTYPE`: `Client`, `Server`, `Server Core` or `WindowsPE`.",
    r#"installation-type "Client""#,
);
static PRODUCT_TYPE: NodeSpec = text(
    "product-type",
    "`PRODUCTTYPE`: `WinNT`, `ServerNT` or `LanmanNT`.",
    r#"product-type "WinNT""#,
);
static PRODUCT_SUITE: NodeSpec =
    text("product-suite", "`PRODUCTSUITE`.", r#"product-suite "Terminal Server""#);
static PRODUCT_NAME: NodeSpec = text(
    "product-name",
    "`PRODUCTNAME`.",
    r#"product-name "Microsoft® Windows® Operating System""#,
);
static HAL: NodeSpec = text("hal", "`HAL`.", r#"hal "acpiapic""#);
static SYSTEM_ROOT: NodeSpec = text("system-root", "`SYSTEMROOT`.", r#"system-root "WINDOWS""#);

static LANGUAGES: NodeSpec = NodeSpec {
    name: "languages",
    doc: "The languages of the image; Windows Setup needs them.",
    argument: Some(ArgumentSpec {
        name: "language",
        value: ValueKind::Language,
        count: Count::OneOrMore,
    }),
    properties: &[PropertySpec {
        name: "default",
        value: ValueKind::Language,
        required: false,
        doc: "The one it starts in; the first one without it.",
        example: r#"default="en-US""#,
    }],
    rule: Some(check_languages),
    example: r#"languages "en-US" "de-DE" default="en-US""#,
    ..NodeSpec::EMPTY
};

static VERSION: NodeSpec = NodeSpec {
    name: "version",
    doc: "Major, minor, build and revision: `MAJOR`, `MINOR`, `BUILD`, `SPBUILD`.",
    argument: Some(ArgumentSpec {
        name: "version",
        value: ValueKind::WindowsVersion,
        count: Count::One,
    }),
    example: r#"version "10.0.26100.1742""#,
    ..NodeSpec::EMPTY
};

const FIELDS: [(&str, InformationField); 12] = [
    ("name", InformationField::Name),
    ("description", InformationField::Description),
    ("display-name", InformationField::DisplayName),
    ("display-description", InformationField::DisplayDescription),
    ("flags", InformationField::Flags),
    ("edition", InformationField::Edition),
    ("installation-type", InformationField::InstallationType),
    ("product-type", InformationField::ProductType),
    ("product-suite", InformationField::ProductSuite),
    ("product-name", InformationField::ProductName),
    ("hal", InformationField::Hal),
    ("system-root", InformationField::SystemRoot),
];

/// The default language is one of the image's.
fn check_languages(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(default) = node.property("default") else { return };
    let Some(language) = default.string() else { return };
    let all = node.strings();
    if all.is_empty() || all.iter().any(|it| it.value.eq_ignore_ascii_case(language)) {
        return;
    }
    let message = format!("the default language `{language}` is not among the languages");
    let diagnostic = Diagnostic::error("unknown-language", default.span(), message)
        .label("not in the list")
        .help(format!("add it: `languages \"{language}\" \"{}\"`", all[0].value));
    diagnostics.push(diagnostic);
}

/// The `information` child of an image.
pub(crate) fn lower(node: Node<'_>) -> Information {
    let Some(node) = node.child("information") else { return Information::default() };
    let text = |(name, field): (&'static str, InformationField)| {
        Some((field, node.child(name)?.argument()?.spanned()?))
    };
    Information {
        texts: FIELDS.into_iter().filter_map(text).collect(),
        languages: node.child("languages").and_then(languages),
        version: node.child("version").and_then(|node| {
            let value = node.argument()?;
            Some(value.at(windows::version(value.string()?).ok()?))
        }),
    }
}

fn languages(node: Node<'_>) -> Option<Languages> {
    let all = node.strings();
    let said = node.property("default").and_then(|default| default.spanned());
    let default = said.or_else(|| all.first().cloned())?;
    Some(Languages { all, default })
}
