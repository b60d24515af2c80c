//! Random trees survive writing and reading; random damage gives errors, never panics.

mod wim_support;

use std::fs;

use mediabuild_formats::codec::{lzx, xpress};
use mediabuild_formats::wim::{Image, decode_metadata, encode_metadata};
use proptest::prelude::*;
use wim_support::exercise::{changes, damage, exercise};
use wim_support::trees::{any_image, canonical_links, contents, small};
use wim_support::{open, samples, write_raw};

proptest! {
    #[test]
    fn trees_survive_writing_and_reading(image in any_image(small)) {
        let encoded = encode_metadata(&image).expect("a valid image");
        let decoded = decode_metadata(&encoded).expect("own metadata");
        prop_assert_eq!(canonical_links(&decoded), canonical_links(&image));
        prop_assert_eq!(encode_metadata(&decoded).expect("a valid image"), encoded);
    }

    #[test]
    fn files_survive_rewriting(first in any_image(small), second in any_image(small)) {
        let opened = open(write_raw(&[&first, &second], &contents(small)));
        for blob in opened.wim.blobs.iter().chain(&opened.wim.images) {
            opened.wim.check(&opened.bytes, blob).expect("a valid blob");
        }
        let used: u32 = opened.wim.blobs.iter().map(|blob| blob.reference_count).sum();
        let uses = |image: &Image| -> usize { image.walk().map(|(_, d)| d.blobs().count()).sum() };
        prop_assert_eq!(used as usize, uses(&first) + uses(&second));
        prop_assert!(opened.rewrite().0 == opened.bytes);
    }

    #[test]
    fn damaged_files_never_panic(
        image in any_image(small),
        changes in changes(),
        cut in prop::option::of(any::<usize>()),
    ) {
        let mut bytes = write_raw(&[&image], &contents(small));
        damage(&mut bytes, &changes, cut);
        exercise(&bytes);
    }

    #[test]
    fn damaged_metadata_never_panics(
        image in any_image(small),
        changes in changes(),
        cut in prop::option::of(any::<usize>()),
    ) {
        let mut bytes = encode_metadata(&image).expect("a valid image");
        damage(&mut bytes, &changes, cut);
        let _ = decode_metadata(&bytes);
    }

    #[test]
    fn decoders_take_any_bytes(
        input in prop::collection::vec(any::<u8>(), 0..600),
        size in 0..70_000_usize,
    ) {
        let mut output = vec![0; size];
        let _ = xpress::decode(&input, &mut output);
        let _ = lzx::decode(&input, &mut output, 1 << 15);
        let _ = lzx::decode(&input, &mut output, 1 << 21);
        let _ = lzx::decode(&input, &mut output, size as u32);
    }

    /// A valid code of two symbols gets further than random lengths do.
    #[test]
    fn xpress_symbols_take_any_bytes(
        stream in prop::collection::vec(any::<u8>(), 0..300),
        literal in 0..256_usize,
        other in 256..512_usize,
    ) {
        let mut input = vec![0; 256];
        for symbol in [literal, other] {
            input[symbol / 2] |= 1 << (4 * (symbol % 2));
        }
        input.extend(stream);
        let _ = xpress::decode(&input, &mut vec![0; 65536]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Compressed chunks, solid tables and integrity tables come from the samples.
    #[test]
    fn damaged_samples_never_panic(
        sample in 0..NAMES.len(),
        changes in changes(),
        cut in prop::option::weighted(0.1, any::<usize>()),
    ) {
        let Some(folder) = SAMPLES.with(Clone::clone) else { return Ok(()) };
        let mut bytes = fs::read(folder.join(format!("{}.wim", NAMES[sample]))).expect("a sample");
        damage(&mut bytes, &changes, cut);
        exercise(&bytes);
    }
}

const NAMES: [&str; 7] =
    ["LZX", "XPRESS", "BootLZX", "BootXPRESS", "MultiImage", "LZMS", "VerifyFail"];

thread_local! {
    /// Looked for once, so that their absence is told once.
    static SAMPLES: Option<std::path::PathBuf> = samples();
}
