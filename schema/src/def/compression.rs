//! `compression`: how the resources of a WIM are stored.

use crate::definition::{Codec, Compression, Level, Spanned};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, Value};
use crate::spec::{ArgumentSpec, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;
use crate::value::choice::Choice;
use crate::value::size;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "compression",
    doc: "How files are compressed that the base does not have compressed in the same way already. \
          Without it a WIM has the codec and chunk size of its base; made from a folder, from an \
          LZMS or from a solid WIM, it has LZX.",
    argument: Some(ArgumentSpec {
        name: "codec",
        value: ValueKind::Choice(&Choice {
            words: &["none", "xpress", "lzx", "lzms"],
            elsewhere: &[
                ("fast", "xpress"),
                ("max", "lzx"),
                ("maximum", "lzx"),
                ("recovery", "lzms"),
                ("esd", "lzms"),
            ],
            planned: &[],
        }),
        count: Count::One,
    }),
    properties: &[LEVEL, CHUNK, SOLID],
    rule: Some(check),
    example: r#"compression "lzx" level="default""#,
    ..NodeSpec::EMPTY
};

const LEVEL: PropertySpec = PropertySpec {
    name: "level",
    value: ValueKind::Choice(&Choice {
        words: &["fast", "default", "max"],
        elsewhere: &[("normal", "default"), ("best", "max"), ("maximum", "max"), ("low", "fast")],
        planned: &[],
    }),
    required: false,
    doc: "How hard the codec tries; `default` without it.",
    example: r#"level="max""#,
};

const CHUNK: PropertySpec = PropertySpec {
    name: "chunk",
    value: ValueKind::Size,
    required: false,
    doc: "How much is compressed at a time. LZX: 32KiB. XPRESS: 4KiB to 64KiB, 32KiB without it. \
          LZMS: 32KiB to 64MiB, 128KiB without it, 64MiB if solid.",
    example: r#"chunk="32KiB""#,
};

const SOLID: PropertySpec = PropertySpec {
    name: "solid",
    value: ValueKind::Flag,
    required: false,
    doc: "Many files in one resource, as in an ESD: smaller, and slower to build, to apply and to \
          change. LZMS only.",
    example: "solid=#true",
};

/// The chunk sizes of a codec, from and to; powers of two only.
fn chunk_sizes(codec: Codec) -> (u64, u64) {
    match codec {
        Codec::None => (0, 0),
        Codec::Xpress => (4 << 10, 64 << 10),
        Codec::Lzx => (32 << 10, 32 << 10),
        Codec::Lzms => (32 << 10, 64 << 20),
    }
}

/// The chunk size of a codec where none is said.
fn default_chunk(codec: Codec, solid: bool) -> u32 {
    match codec {
        Codec::None => 0,
        Codec::Xpress | Codec::Lzx => 32 << 10,
        Codec::Lzms if solid => 64 << 20,
        Codec::Lzms => 128 << 10,
    }
}

fn check(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(codec) = codec(node) else { return };
    if codec == Codec::None {
        diagnostics.extend(node.properties().next().map(uncompressed));
        return;
    }
    let chunk = node.property("chunk");
    diagnostics.extend(chunk.and_then(|chunk| wrong_chunk(codec, chunk)));
    if let Some(solid) = node.property("solid").filter(|solid| solid.flag() == Some(true))
        && codec != Codec::Lzms
    {
        diagnostics.push(
            Diagnostic::error(
                "conflicting-compression",
                solid.key_span(),
                format!(
                    "`{}` resources are not solid: Windows reads solid LZMS only",
                    codec.name()
                ),
            )
            .label("solid")
            .help("write `compression \"lzms\" solid=#true`, or remove `solid=`"),
        );
    }
}

fn uncompressed(value: Value<'_>) -> Diagnostic {
    let key = value.key().unwrap_or_default();
    let message = format!("`{key}=` is about compression, and there is none");
    Diagnostic::error("conflicting-compression", value.key_span(), message)
        .label("of `none`")
        .help(format!("remove `{key}=`, or name a codec: `compression \"lzx\"`"))
}

fn wrong_chunk(codec: Codec, chunk: Value<'_>) -> Option<Diagnostic> {
    let size_bytes = size::bytes(chunk.string()?).ok()?;
    let (from, to) = chunk_sizes(codec);
    if size_bytes.is_power_of_two() && (from..=to).contains(&size_bytes) {
        return None;
    }
    let (name, from, to) = (codec.name(), size::written(from), size::written(to));
    let message = match from == to {
        true => format!("Windows reads `{name}` chunks of {from} only"),
        false => format!("`{name}` chunks have {from} to {to}, a power of two"),
    };
    let near = size_bytes.clamp(chunk_sizes(codec).0, chunk_sizes(codec).1);
    let near = size::written(1 << near.ilog2());
    Some(
        Diagnostic::error("wrong-chunk", chunk.span(), message)
            .label("not a chunk size of this codec")
            .help(format!("write `chunk=\"{near}\"`, or leave `chunk=` out")),
    )
}

fn codec(node: Node<'_>) -> Option<Codec> {
    let written = node.argument()?.string()?;
    let codecs = [Codec::None, Codec::Xpress, Codec::Lzx, Codec::Lzms];
    codecs.into_iter().find(|codec| codec.name() == written)
}

/// The rule of a boot image: what a boot manager reads.
pub(crate) fn check_bootable(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(compression) = node.child("compression") else { return };
    let Some(codec) = codec(compression) else { return };
    let chunk = compression.property("chunk");
    let chunk_bytes = chunk.and_then(|chunk| size::bytes(chunk.string()?).ok());
    let problem = match codec {
        Codec::Lzms => {
            compression.argument().map(|codec| (codec.span(), "a boot manager does not read LZMS"))
        }
        Codec::Xpress if chunk_bytes.is_some_and(|bytes| bytes != 32 << 10) => {
            chunk.map(|chunk| (chunk.span(), "a boot manager reads chunks of 32KiB only"))
        }
        _ => None,
    };
    if let Some((span, message)) = problem {
        diagnostics.push(
            Diagnostic::error("not-bootable", span, message)
                .label("would not start")
                .help("write `compression \"lzx\"`: chunks of 32KiB, not solid"),
        );
    }
}

/// The `compression` child of an image or a medium.
pub(crate) fn lower(node: Node<'_>) -> Option<Spanned<Compression>> {
    let node = node.child("compression")?;
    let codec = codec(node)?;
    let solid = node.property("solid").and_then(|solid| solid.flag()).unwrap_or(false);
    let chunk = node.property("chunk").and_then(|chunk| size::bytes(chunk.string()?).ok());
    let chunk_bytes = chunk.and_then(|bytes| u32::try_from(bytes).ok());
    let levels = [Level::Fast, Level::Default, Level::Max];
    let level = node.property("level").and_then(|level| level.string());
    let value = Compression {
        codec,
        level: levels.into_iter().find(|it| Some(it.name()) == level).unwrap_or_default(),
        chunk_bytes: chunk_bytes.unwrap_or_else(|| default_chunk(codec, solid)),
        solid,
    };
    Some(Spanned { value, span: node.span() })
}
