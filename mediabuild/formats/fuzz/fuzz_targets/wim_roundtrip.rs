//! Arbitrary small trees: what can be written is read back equal.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use mediabuild_formats::layout::{Extent, Layout};
use mediabuild_formats::wim::{
    Compression, Dentry, Element, FileSpec, FileTime, Image, Integrity, Name, NamedStream, Options,
    OutputImage, Reparse, Resource, Sha1, Wim, attribute, write,
};
use mediabuild_fuzz::canonical;

const DEPTH_MAX: usize = 5;
const IMAGE_COUNT_MAX: usize = 3;

fuzz_target!(|data: &[u8]| {
    if let Ok(input) = Input::arbitrary(&mut Unstructured::new(data)) {
        check(&input);
    }
});

struct Input {
    images: Vec<(Image, String)>,
    options: Options,
}

fn check(Input { images, options }: &Input) {
    let contents: BTreeMap<Sha1, Vec<u8>> =
        (1..8).map(content).map(|bytes| (Sha1::of(&bytes), bytes)).collect();
    let outputs: Vec<OutputImage<'_>> = images
        .iter()
        .map(|(image, description)| {
            let mut xml = Element::new("IMAGE");
            xml.set_text("DESCRIPTION", description);
            OutputImage { image, xml }
        })
        .collect();
    let mut resolve = |sha1: &Sha1| {
        let size_bytes = contents.get(sha1)?.len() as u64;
        Some(Resource::Raw { content: *sha1, size_bytes })
    };
    let mut layout = Layout::default();
    // Not every tree can be written; what cannot is an error.
    let Ok(written) = write(&outputs, options, &mut resolve, &mut layout) else { return };
    let file = materialise(&layout, &contents);
    assert_eq!(written.size_bytes, file.len() as u64);

    let wim = Wim::open(&file).expect("an own file");
    assert_eq!(wim.header, written.header);
    assert_eq!((&wim.blobs, &wim.images), (&written.blobs, &written.images));
    assert_eq!(wim.integrity(&file).expect("an own file"), Integrity::Absent);
    for entry in wim.blobs.iter().chain(&wim.images) {
        wim.check(&file, entry).expect("an own blob");
    }
    for (index, (image, description)) in (1..).zip(images) {
        assert_eq!(wim.image(&file, index).expect("an own image"), canonical(image));
        let xml = wim.xml.image(index).expect("an own image");
        assert_eq!(xml.text("DESCRIPTION").as_ref(), Some(description));
    }
}

fn content(number: u8) -> Vec<u8> {
    vec![number; usize::from(number) * 7]
}

fn materialise(layout: &Layout<Sha1>, contents: &BTreeMap<Sha1, Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for extent in &layout.extents {
        match extent {
            Extent::Literal(literal) => bytes.extend_from_slice(literal),
            Extent::Zeros(count) => bytes.resize(bytes.len() + *count as usize, 0),
            Extent::Content { content, .. } => bytes.extend_from_slice(&contents[content]),
        }
    }
    bytes
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Input> {
        let count = input.int_in_range(0..=IMAGE_COUNT_MAX)?;
        let images = (0..count).map(|_| Ok((image(input)?, String::arbitrary(input)?)));
        let images = images.collect::<Result<Vec<_>>>()?;
        let (compression, chunk_bytes) = match input.int_in_range(0..=2)? {
            0 => (Compression::None, 0),
            1 => (Compression::Xpress, 1 << 15),
            _ => (Compression::Lzx, 1 << 15),
        };
        let boot_index = input.int_in_range(0..=count as u32)?;
        let rp_fix = input.arbitrary()?;
        let options =
            Options { compression, chunk_bytes, boot_index, rp_fix, ..Options::default() };
        Ok(Input { images, options })
    }
}

fn image(input: &mut Unstructured<'_>) -> Result<Image> {
    let mut root = Dentry::folder(Name::default(), FileTime(input.arbitrary()?));
    root.children = children(input, 0)?;
    let security = Vec::arbitrary(input)?;
    let mut image = Image { security, root };
    for _ in 0..input.int_in_range(0..=4)? {
        let path = path(input)?;
        let file = FileSpec::new(sha1(input)?, FileTime(input.arbitrary()?));
        // What is refused must leave a tree that can be written all the same.
        let _ = match input.arbitrary()? {
            true => image.insert_file(&path, file),
            false => image.make_folder(&path, FileTime(0)).map(drop),
        };
    }
    Ok(image)
}

/// A path in a tree of short names, so that it often meets what is there.
fn path(input: &mut Unstructured<'_>) -> Result<String> {
    let mut path = String::new();
    for _ in 0..input.int_in_range(0..=4)? {
        path.push_str(&name(input)?.to_string());
        path.push('/');
    }
    Ok(path.trim_end_matches('/').to_owned())
}

fn children(input: &mut Unstructured<'_>, depth: usize) -> Result<Vec<Dentry>> {
    let count = input.int_in_range(0..=if depth < DEPTH_MAX { 5 } else { 0 })?;
    (0..count).map(|_| dentry(input, depth)).collect()
}

fn dentry(input: &mut Unstructured<'_>, depth: usize) -> Result<Dentry> {
    let mut dentry = Dentry::file(name(input)?, sha1(input)?, FileTime(0));
    if input.ratio(1, 3)? {
        dentry.attributes = attribute::DIRECTORY;
        dentry.children = children(input, depth + 1)?;
    }
    if input.ratio(1, 4)? {
        dentry.attributes |= attribute::REPARSE_POINT;
        let (tag, reserved, flags) = input.arbitrary()?;
        dentry.reparse = Some(Reparse { tag, reserved, flags, sha1: sha1(input)? });
    }
    if input.ratio(1, 4)? {
        let kind = attribute::DIRECTORY | attribute::REPARSE_POINT;
        let bits: u32 = input.arbitrary()?;
        dentry.attributes = dentry.attributes & kind | bits & !kind;
        dentry.short_name = name(input)?;
        dentry.security_id = input.int_in_range(-1..=2)?;
        dentry.reserved = input.arbitrary()?;
        dentry.unknown = input.arbitrary()?;
        [dentry.creation, dentry.access, dentry.write] =
            <[u64; 3]>::arbitrary(input)?.map(FileTime);
        dentry.tagged = input.arbitrary()?;
    }
    if input.ratio(1, 4)? && dentry.reparse.is_none() {
        dentry.hard_link = input.int_in_range(0..=3)?;
    }
    for _ in 0..input.int_in_range(0..=2)? {
        let (name, reserved, sha1) = (name(input)?, input.arbitrary()?, sha1(input)?);
        dentry.streams.push(NamedStream { name, reserved, sha1 });
    }
    Ok(dentry)
}

/// A content, an empty stream in both spellings, or a content that is not there.
fn sha1(input: &mut Unstructured<'_>) -> Result<Sha1> {
    Ok(match input.int_in_range(0..=9)? {
        0 => Sha1::ZERO,
        8 => Sha1::EMPTY,
        9 if input.ratio(1, 50)? => Sha1([9; 20]),
        number => Sha1::of(&content(number.clamp(1, 7))),
    })
}

/// Mostly short names, in both cases; any units now and then.
fn name(input: &mut Unstructured<'_>) -> Result<Name> {
    const LETTERS: [&str; 8] = ["a", "A", "b", "ab", "aB", "é", "É", "windows"];
    if input.ratio(7, 8)? {
        return Ok(Name::from(*input.choose(&LETTERS)?));
    }
    Ok(Name::from_units(Vec::<u16>::arbitrary(input)?))
}
