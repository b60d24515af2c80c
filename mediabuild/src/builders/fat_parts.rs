//! Files of a medium as FAT32 can hold them: a WIM that is too large becomes the parts of a split set,
//! which Windows Setup and DISM take instead. The boot image stays whole: it is started, not applied.

use mediabuild_formats::fat::FILE_MAX_BYTES;
use mediabuild_formats::wim::{
    Compression, Element, Header, Options, OutputImage, Writer, header_flag, part_name,
};
use mediabuild_store::{Content, Output, RecipeBuilder};

use super::BuildContext;
use super::coding::{Coding, CodingRequest};
use super::compress::{self, Encoders};
use super::import_wim::{check, say_what_to_do};
use super::wim_content::WimContent;
use super::wim_output::RecipeSink;
use crate::failure::Failure;
use crate::media_layout::BOOT_WIM;

/// What everybody gives `dism /Split-Image` for FAT32.
const PART_BYTES: u64 = 3800 << 20;

/// The files, with large WIMs as their parts, whose metadata is stored like `metadata`. Another file that
/// is too large is an error.
pub(super) fn divided<'a>(
    files: impl Iterator<Item = &'a (String, Content)>,
    metadata: &CodingRequest,
    context: &BuildContext<'_>,
) -> Result<Vec<(String, Content)>, Failure> {
    let mut divided = Vec::new();
    for (path, content) in files {
        match stem_of_wim(path) {
            _ if content.size_bytes <= FILE_MAX_BYTES => divided.push((path.clone(), *content)),
            None => return Err(too_large(path, content)),
            Some(stem) => {
                let parts = parts(content, PART_BYTES, metadata, context).map_err(|failure| {
                    failure.while_doing(format!("dividing {path}, which is too large for FAT32"))
                })?;
                let first = format!("{stem}.swm");
                if !is_in_sources(path) {
                    (context.warn)(&format!(
                        "`{path}` is too large for FAT32 and is `{first}` with {} more parts on the disk image: \
                         what applies it must name that and its parts (dism /SWMFile)",
                        parts.len() - 1
                    ));
                }
                let named = (1..).zip(parts);
                divided.extend(named.map(|(number, part)| (part_name(&first, number), part)));
            }
        }
    }
    Ok(divided)
}

/// Paths and sizes that a file of this path and size will have on FAT32, about: where the cuts of a WIM
/// are shows when it is built. Another file that is too large stays one.
pub(crate) fn expected(path: &str, size_bytes: u64) -> Vec<(String, u64)> {
    match stem_of_wim(path).filter(|_| size_bytes > FILE_MAX_BYTES) {
        None => vec![(path.to_owned(), size_bytes)],
        Some(stem) => {
            let first = format!("{stem}.swm");
            let part = |number: u64| {
                let part_bytes = (size_bytes - (number - 1) * PART_BYTES).min(PART_BYTES);
                Some((part_name(&first, u16::try_from(number).ok()?), part_bytes))
            };
            (1..=size_bytes.div_ceil(PART_BYTES)).map_while(part).collect()
        }
    }
}

/// The path of a WIM that can be divided, without its extension.
fn stem_of_wim(path: &str) -> Option<&str> {
    let (stem, extension) = path.rsplit_once('.')?;
    let is_started = path.eq_ignore_ascii_case(BOOT_WIM);
    (extension.eq_ignore_ascii_case("wim") && !is_started).then_some(stem)
}

/// Where Windows Setup looks for `install.swm` by itself.
fn is_in_sources(path: &str) -> bool {
    path.to_ascii_lowercase().starts_with("sources/")
}

fn too_large(path: &str, content: &Content) -> Failure {
    Failure::build(format!(
        "`{path}` has {} bytes, and a file on FAT32 has at most {FILE_MAX_BYTES}",
        content.size_bytes
    ))
    .help(
        "divide it into smaller files, or leave out `usb` and use the ISO, which has no such limit",
    )
}

/// The parts of a split set with the resources of a WIM, none of which is made anew.
pub(super) fn parts(
    content: &Content,
    part_bytes: u64,
    metadata: &CodingRequest,
    context: &BuildContext<'_>,
) -> Result<Vec<Content>, Failure> {
    let whole = opened(content, context)?;
    let header = &whole.wim.header;
    let count = header.image_count as usize;
    let images = (1..=count).map(|index| whole.image(index)).collect::<Result<Vec<_>, _>>()?;
    let outputs: Vec<OutputImage<'_>> = (1..)
        .zip(&images)
        .map(|(index, image)| OutputImage { image, xml: element(&whole, index) })
        .collect();
    let coding = metadata.coding(Some(header))?.filter(|coding| coding.is_of(header));
    let encoders = coding.map(Encoders::new);
    let mut failure = None;
    let compress_metadata = |plain: &[u8]| {
        let stored = encoders.as_ref().map(|it| compress::metadata(plain, it, context));
        stored.transpose().map(Option::flatten).unwrap_or_else(|error| {
            failure.get_or_insert(error);
            None
        })
    };
    let mut unreadable = None;
    let mut resolve = |sha1: &_| {
        whole.resource(sha1).unwrap_or_else(|error| {
            unreadable.get_or_insert(error);
            None
        })
    };
    let writer = Writer::new(&outputs, options(header, coding)).with_root(&whole.wim.xml.root);
    let placed = writer.with_metadata(compress_metadata).split(part_bytes, &mut resolve);
    if let Some(failure) = failure.or(unreadable) {
        return Err(failure);
    }
    placed?
        .iter()
        .map(|part| {
            let mut sink = RecipeSink(RecipeBuilder::new());
            part.emit(&mut sink);
            context.put_recipe(&sink.0.finish())
        })
        .collect()
}

/// The WIM, its hashes checked.
fn opened(content: &Content, context: &BuildContext<'_>) -> Result<WimContent, Failure> {
    let output = Output::Content(*content);
    if context.store.recipe(&content.digest)?.is_none() {
        // It came in as any file does; its hashes and resources are not known yet.
        check(&output, context).map_err(say_what_to_do)?;
    }
    WimContent::open(context, &output)
}

/// What the WIM says of an image.
fn element(whole: &WimContent, index: usize) -> Element {
    whole.wim.xml.image(index).cloned().unwrap_or_else(|| Element::new("IMAGE"))
}

/// The whole WIM's settings, for its parts.
fn options(header: &Header, coding: Option<Coding>) -> Options {
    Options {
        compression: coding.map_or(Compression::None, Coding::compression),
        chunk_bytes: coding.map_or(0, |coding| coding.chunk_bytes),
        boot_index: header.boot_index,
        rp_fix: header.flags & header_flag::RP_FIX != 0,
        ..Options::default()
    }
}
