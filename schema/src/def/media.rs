//! `media`: what is built and carried to a machine.

use crate::def::{Lowering, compression, usb, variables, wim_output};
use crate::definition::{
    ContentLayout, Kind, Media, MediaOutput, MediaType, Mirror, Spanned, Variable, Variables,
    WimOutput,
};
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;
use crate::value::choice::Choice;
use crate::value::{capacity, output};

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "media",
    doc: "A medium: a WIM that is applied to a disk, or an ISO or a disk image that starts a machine.",
    argument: Some(ArgumentSpec { name: "name", value: ValueKind::Name, count: Count::One }),
    properties: &[PropertySpec {
        name: "type",
        value: ValueKind::Choice(&TYPES),
        required: true,
        doc: "A prestaged medium is a WIM with an OS image and the boot image, applied to a disk in \
              a factory; a bootable medium is an ISO, a disk image or both, and starts the boot \
              image.",
        example: r#"type="prestaged""#,
    }],
    children: Children::Specs(&[
        ChildSpec::required(&BOOT_IMAGE),
        ChildSpec::repeated(&OS_IMAGE),
        ChildSpec::repeated(&APPLICATION),
        ChildSpec::optional(&DEPENDENCIES),
        ChildSpec::repeated(&PACKAGE),
        ChildSpec::repeated(&DRIVER_PACKAGE),
        ChildSpec::optional(&CONTENT_LAYOUT),
        ChildSpec::optional(&compression::SPEC),
        ChildSpec::optional(&PASSWORD),
        ChildSpec::repeated(&USE),
        ChildSpec::optional(&variables::INLINE),
        ChildSpec::optional(&OUTPUT),
        ChildSpec::optional(&usb::SPEC),
    ]),
    planned: &[
        "task-sequence",
        "site",
        "management",
        "comment",
        "unattended",
        "unknown-computers",
        "certificate",
        "user-device-affinity",
        "prompt",
        "prestart",
        "valid",
        "across",
        "drop",
    ],
    rule: Some(crate::check::media::check),
    example: r#"media "factory" type="prestaged" {
    boot-image "winpe-x64"
    os-image "win11"
    application "agent"
    package "branding"
    driver-package "dell-storage"
    password (secret)"env:MEDIA_PASSWORD"
    use "common" of="variables"
    variables {
        OSDComputerName "%_SMSTSMachineName%"
    }
    output "factory.wim"
}"#,
    ..NodeSpec::EMPTY
};

static TYPES: Choice = Choice {
    words: &["prestaged", "bootable"],
    elsewhere: &[("boot", "bootable"), ("iso", "bootable"), ("wim", "prestaged")],
    planned: &["stand-alone", "capture"],
};

const fn names_of(kind: Kind, count: Count) -> Option<ArgumentSpec> {
    Some(ArgumentSpec { name: "name", value: ValueKind::Reference(kind), count })
}

static BOOT_IMAGE: NodeSpec = NodeSpec {
    name: "boot-image",
    doc: "The boot image.",
    argument: names_of(Kind::BootImage, Count::One),
    example: r#"boot-image "winpe-x64""#,
    ..NodeSpec::EMPTY
};

pub(crate) static OS_IMAGE: NodeSpec = NodeSpec {
    name: "os-image",
    doc: "The OS image: exactly one on a prestaged medium, none on a bootable one.",
    argument: names_of(Kind::OsImage, Count::OneOrMore),
    example: r#"os-image "win11""#,
    ..NodeSpec::EMPTY
};

static APPLICATION: NodeSpec = NodeSpec {
    name: "application",
    doc: "Applications on the medium, with everything they depend on.",
    argument: names_of(Kind::Application, Count::OneOrMore),
    example: r#"application "agent" "vpn""#,
    ..NodeSpec::EMPTY
};

static DEPENDENCIES: NodeSpec = NodeSpec {
    name: "dependencies",
    doc: "`#false` leaves out what the applications depend on.",
    argument: Some(ArgumentSpec { name: "flag", value: ValueKind::Flag, count: Count::Optional }),
    example: "dependencies #false",
    ..NodeSpec::EMPTY
};

static PACKAGE: NodeSpec = NodeSpec {
    name: "package",
    doc: "Packages on the medium.",
    argument: names_of(Kind::Package, Count::OneOrMore),
    example: r#"package "branding""#,
    ..NodeSpec::EMPTY
};

static DRIVER_PACKAGE: NodeSpec = NodeSpec {
    name: "driver-package",
    doc: "Driver packages on the medium, for the OS.",
    argument: names_of(Kind::DriverPackage, Count::OneOrMore),
    example: r#"driver-package "dell-storage""#,
    ..NodeSpec::EMPTY
};

static CONTENT_LAYOUT: NodeSpec = NodeSpec {
    name: "content-layout",
    doc: "Where applications, packages and driver packages lie: `sms-pkg` is `SMS/PKG`, the default; \
          `task-sequence-cache` is `_SMSTaskSequence/Packages`. Neither is verified against a live \
          site.",
    argument: Some(ArgumentSpec {
        name: "layout",
        value: ValueKind::Choice(&Choice {
            words: &["sms-pkg", "task-sequence-cache"],
            elsewhere: &[],
            planned: &[],
        }),
        count: Count::One,
    }),
    example: r#"content-layout "task-sequence-cache""#,
    ..NodeSpec::EMPTY
};

static PASSWORD: NodeSpec = NodeSpec {
    name: "password",
    doc: "The medium's password. Without it everybody can read the medium's variables.",
    argument: Some(ArgumentSpec { name: "secret", value: ValueKind::Secret, count: Count::One }),
    example: r#"password (secret)"env:MEDIA_PASSWORD""#,
    ..NodeSpec::EMPTY
};

static USE: NodeSpec = NodeSpec {
    name: "use",
    doc: "Takes the variables of named `variables` definitions; a later one wins.",
    argument: names_of(Kind::Variables, Count::OneOrMore),
    properties: &[PropertySpec {
        name: "of",
        value: ValueKind::Choice(&Choice {
            words: &["variables"],
            elsewhere: &[],
            planned: &["fragment"],
        }),
        required: true,
        doc: "What is used.",
        example: r#"of="variables""#,
    }],
    example: r#"use "common" of="variables""#,
    ..NodeSpec::EMPTY
};

static OUTPUT: NodeSpec = NodeSpec {
    name: "output",
    doc: "The file the medium becomes, relative to the result folder. A prestaged medium is a \
          `.wim`, a bootable one an `.iso`. Without it the file is called like the medium; a medium \
          with `usb` has no ISO then.",
    argument: Some(ArgumentSpec { name: "file", value: ValueKind::Output, count: Count::One }),
    properties: &[
        PropertySpec {
            name: "label",
            value: ValueKind::Label,
            required: false,
            doc: "The volume label of an ISO, at most 32 characters; the medium's name without it.",
            example: r#"label="FACTORY""#,
        },
        PropertySpec {
            name: "capacity",
            value: ValueKind::Capacity,
            required: false,
            doc: "How much a disc holds. Content that needs more becomes a folder with `name.1.iso`, \
                  `name.2.iso` and so on: the first one boots, packages stay whole where a disc holds \
                  them, and `mediabuild/set.json` on each disc says what is where.",
            example: r#"capacity="dvd""#,
        },
        PropertySpec {
            name: "order",
            value: ValueKind::Path,
            required: false,
            doc: "A text file that lists what lies first on an ISO, a path relative to its root on \
                  each line, as oscdimg's `-yo` takes it. What a machine boots with comes first \
                  anyway.",
            example: r#"order="inputs/order.txt""#,
        },
        PropertySpec {
            name: "mirror",
            value: ValueKind::Choice(&Choice {
                words: &["joliet"],
                elsewhere: &[("iso9660", "joliet"), ("iso", "joliet"), ("udf-bridge", "joliet")],
                planned: &[],
            }),
            required: false,
            doc: "`joliet` shows the files of an ISO in ISO 9660 (8.3 names) and Joliet trees too, for \
                  systems that read no UDF; their bytes are there once. Names then have 64 characters \
                  at most, and folders are eight deep.",
            example: r#"mirror="joliet""#,
        },
        wim_output::SPLIT,
        wim_output::INTEGRITY,
    ],
    example: r#"output "factory.wim""#,
    ..NodeSpec::EMPTY
};

/// The `type=` of a medium, if it is a word of the language.
pub(crate) fn media_type(node: Node<'_>) -> Option<Spanned<MediaType>> {
    let value = node.property("type")?;
    let types = [MediaType::Prestaged, MediaType::Bootable];
    let media_type = types.into_iter().find(|t| Some(t.name()) == value.string())?;
    Some(value.at(media_type))
}

pub(crate) fn lower(
    node: Node<'_>,
    lowering: Lowering<'_>,
    defined: &[Variables],
) -> Option<Media> {
    let name = node.argument()?.spanned()?;
    let media_type = media_type(node)?;
    Some(Media {
        boot_image: node.child("boot-image")?.argument()?.spanned()?,
        os_image: node.strings_of("os-image").into_iter().next(),
        applications: node.strings_of("application"),
        dependencies: dependencies(node),
        packages: node.strings_of("package"),
        driver_packages: node.strings_of("driver-package"),
        content_layout: content_layout(node),
        compression: compression::lower(node),
        password: password(node, lowering),
        variables: merged_variables(node, lowering, defined)?,
        output: match is_disk_image_only(node, media_type.value) {
            true => None,
            false => Some(output(node, lowering, &name, media_type.value)?),
        },
        usb: node.child("usb").and_then(usb::lower),
        span: node.span(),
        name,
        media_type,
    })
}

fn dependencies(node: Node<'_>) -> bool {
    let flag = node.child("dependencies").and_then(|node| node.argument());
    flag.and_then(|value| value.flag()).unwrap_or(true)
}

fn content_layout(node: Node<'_>) -> ContentLayout {
    let said = node.strings_of("content-layout").into_iter().next();
    let layouts = [ContentLayout::SmsPkg, ContentLayout::TaskSequenceCache];
    let chosen = layouts.into_iter().find(|l| said.as_ref().is_some_and(|s| s.value == l.name()));
    chosen.unwrap_or_default()
}

fn password(
    node: Node<'_>,
    lowering: Lowering<'_>,
) -> Option<Spanned<crate::definition::SecretReference>> {
    let value = node.child("password")?.argument()?;
    Some(value.at(lowering.secret(value)?))
}

/// Used variables in order, then the medium's own. A later one replaces an earlier one in place.
fn merged_variables(
    node: Node<'_>,
    lowering: Lowering<'_>,
    defined: &[Variables],
) -> Option<Vec<Variable>> {
    let mut merged = Vec::new();
    for name in node.strings_of("use") {
        let used = defined.iter().find(|variables| variables.name.value == name.value);
        merge(&mut merged, used.map_or(&[], |variables| &variables.variables));
    }
    if let Some(own) = node.child("variables") {
        merge(&mut merged, &variables::lower_all(own, lowering)?);
    }
    Some(merged)
}

fn merge(merged: &mut Vec<Variable>, later: &[Variable]) {
    for variable in later {
        let name = variable.name.value.to_lowercase();
        match merged.iter_mut().find(|earlier| earlier.name.value.to_lowercase() == name) {
            Some(earlier) => *earlier = variable.clone(),
            None => merged.push(variable.clone()),
        }
    }
}

/// Who names a disk image and no file for an ISO wants no ISO.
fn is_disk_image_only(node: Node<'_>, media_type: MediaType) -> bool {
    let is_bootable = media_type == MediaType::Bootable;
    is_bootable && node.child("usb").is_some() && node.child("output").is_none()
}

fn output(
    node: Node<'_>,
    lowering: Lowering<'_>,
    name: &Spanned<String>,
    media_type: MediaType,
) -> Option<MediaOutput> {
    let Some(node) = node.child("output") else {
        let value = format!("{}.{}", name.value, media_type.extension());
        let file = Spanned { value, span: name.span };
        let (label, capacity_bytes, order, mirror) = (None, None, None, None);
        let wim = WimOutput::default();
        return Some(MediaOutput { file, label, capacity_bytes, order, mirror, wim });
    };
    let value = node.argument()?;
    Some(MediaOutput {
        file: value.at(output::resolve(value.string()?).ok()?),
        label: node.property("label").and_then(|label| label.spanned()),
        capacity_bytes: node
            .property("capacity")
            .and_then(|it| Some(it.at(capacity::bytes(it.string()?).ok()?))),
        order: node.property("order").and_then(|order| lowering.path(order)),
        mirror: node.property("mirror").map(|mirror| mirror.at(Mirror::Joliet)),
        wim: wim_output::lower(Some(node)),
    })
}

impl MediaType {
    /// The extension of the file such a medium becomes, without a dot.
    pub const fn extension(self) -> &'static str {
        match self {
            MediaType::Prestaged => "wim",
            MediaType::Bootable => "iso",
        }
    }
}
