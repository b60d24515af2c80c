//! What encoders emit decodes to the chunk, whatever the chunk, and never changes by accident.

mod codec_inputs;

use codec_inputs::{Random, adversarial, settings, text};
use mediabuild_formats::codec::{Codec, Encoder, Level, encoder_version};
use mediabuild_formats::wim::Sha1;
use proptest::prelude::*;

#[test]
fn adversarial_chunks_come_back() {
    for setting in settings() {
        let mut encoder = setting.encoder();
        for chunk in adversarial(setting.chunk_bytes as usize) {
            setting.round_trip(&mut encoder, &chunk);
        }
    }
}

#[test]
fn every_small_size_comes_back() {
    for setting in settings() {
        let mut encoder = setting.encoder();
        for size in (0..=330).chain([1023, 4095]) {
            let mut random = Random(size as u64);
            let noise = random.bytes(size);
            assert_eq!(setting.round_trip(&mut encoder, &noise), None, "{setting:?}, {size}");
            setting.round_trip(&mut encoder, &vec![3; size]);
            setting.round_trip(&mut encoder, &vec![0xe8; size]);
            setting.round_trip(&mut encoder, &text(size, &mut random));
        }
    }
}

#[test]
fn chunks_with_order_become_small() {
    for setting in settings() {
        let mut encoder = setting.encoder();
        let size = setting.chunk_bytes as usize;
        let mut encoded = |chunk: &[u8]| setting.round_trip(&mut encoder, chunk);
        assert!(encoded(&vec![0; size]).is_some_and(|bytes| bytes < 300), "{setting:?}");
        let words = encoded(&text(size, &mut Random(1)));
        assert!(words.is_some_and(|bytes| bytes < size / 2), "{setting:?}: {words:?}");
    }
}

#[test]
fn a_chunk_larger_than_the_chunk_size_is_left_raw() {
    for setting in settings() {
        let chunk = vec![0; setting.chunk_bytes as usize + 1];
        assert!(!setting.encoder().encode(&chunk, &mut Vec::new()), "{setting:?}");
    }
}

#[test]
fn earlier_chunks_leave_no_trace() {
    for setting in settings() {
        let mut used = setting.encoder();
        let mut chunks = adversarial(setting.chunk_bytes as usize);
        chunks.truncate(9);
        chunks.push(chunks[6][..777].to_vec());
        chunks.rotate_right(3);
        for chunk in &chunks {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            used.encode(chunk, &mut first);
            setting.encoder().encode(chunk, &mut second);
            assert!(first == second, "{setting:?}");
        }
    }
}

#[test]
fn sizes_without_a_codec_have_no_encoder() {
    for level in Level::ALL {
        assert_eq!(Level::from_name(level.name()), Some(level));
        for chunk_bytes in [0, 1, 4096, 32767, 65536, u32::MAX] {
            assert!(Encoder::new(Codec::Lzx, chunk_bytes, level).is_none());
        }
        for chunk_bytes in [0, 1, 2048, 32767, 1 << 17] {
            assert!(Encoder::new(Codec::Xpress, chunk_bytes, level).is_none());
        }
        for chunk_bytes in [0, 1, 16384, 32769, 1 << 27] {
            assert!(Encoder::new(Codec::Lzms, chunk_bytes, level).is_none());
        }
    }
    assert_eq!(Level::from_name("slow"), None);
}

/// What each encoder emits. Whoever changes a digest raises the version of that codec and level,
/// or caches hold what is no longer written.
const PINNED: &[(&str, &str)] = &[
    ("Lzx 32768 fast v2", "afd9cf899d669696b4544e62226d9407509eeac8"),
    ("Xpress 4096 fast v1", "35bd0fd039e7217a62820b6a72954d802086ddfc"),
    ("Xpress 4096 default v1", "24a4fa23be74c52f9878d5b93da92ec793e3a9c7"),
    ("Xpress 8192 fast v1", "d2e470b55acc985a4749dcabf266f048fa032537"),
    ("Xpress 8192 default v1", "c832be97340e377c1c890fc7438f051b504e691a"),
    ("Xpress 16384 fast v1", "4a19f3d108cf14a437249130baf6df1e69996618"),
    ("Xpress 16384 default v1", "46e8f409dd848b24301602e26d657349c6cbf2e3"),
    ("Xpress 32768 fast v1", "5097c23ddb6969a2b78130a98613c0466b576468"),
    ("Xpress 32768 default v1", "b25f3d5677990359ae6cdcbe5c644f7fe9db58d0"),
    ("Xpress 65536 fast v1", "a9d5101679aa2cd04f53f6656004f5e7b814fa9a"),
    ("Xpress 65536 default v1", "51f7ebbaad8dba9b6a0b03c79f262708308b88e2"),
    ("Lzms 32768 fast v2", "9b0ebd9a8b0d52958baafe146bed99da30a82bd5"),
    ("Lzms 32768 default v2", "de6e3e4d8a58ce15cdd11e8c9423edf55faa4cfe"),
    ("Lzms 32768 max v2", "d2ca6fea26490061c54730db376006dab037ce88"),
    ("Lzms 131072 fast v2", "7be4cb52f72672cf972e15d8dc6f1a46029ea310"),
    ("Lzms 131072 default v2", "e5889104466ec5c3eaa091fbc919ab7c1dca7c6e"),
    ("Lzms 131072 max v2", "53c624c202e2376f9b7213830e55191a2d364e9f"),
];

#[test]
fn emitted_bytes_change_with_the_version_only() {
    let found: Vec<(String, String)> = settings()
        .iter()
        .map(|setting| {
            let version = encoder_version(setting.codec, setting.level);
            let name = format!(
                "{:?} {} {} v{version}",
                setting.codec,
                setting.chunk_bytes,
                setting.level.name()
            );
            let (mut encoder, mut output) = (setting.encoder(), Vec::new());
            for chunk in adversarial(setting.chunk_bytes as usize) {
                encoder.encode(&chunk, &mut output);
            }
            (name, Sha1::of(&output).to_string())
        })
        .collect();
    let pinned: Vec<(String, String)> =
        PINNED.iter().map(|(name, digest)| (name.to_string(), digest.to_string())).collect();
    assert_eq!(found, pinned);
}

/// Bytes with some order in them: runs, repeats from before, noise.
fn ordered_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| (bytes, 0, 0)),
        (any::<u8>(), 1..400_usize).prop_map(|(byte, count)| (vec![byte; count], 0, 0)),
        (1..40_000_usize, 2..600_usize).prop_map(|(offset, length)| (Vec::new(), offset, length)),
        any::<i32>().prop_map(|operand| ([&[0xe8], &operand.to_le_bytes()[..]].concat(), 0, 0)),
    ];
    prop::collection::vec(piece, 0..120).prop_map(|pieces| {
        let mut bytes: Vec<u8> = Vec::new();
        for (new, offset, length) in pieces {
            bytes.extend(new);
            let offset = offset.min(bytes.len());
            (0..length).take(offset * length).for_each(|_| bytes.push(bytes[bytes.len() - offset]));
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_chunk_comes_back(bytes in ordered_bytes()) {
        for setting in settings() {
            let chunk = &bytes[..bytes.len().min(setting.chunk_bytes as usize)];
            setting.round_trip(&mut setting.encoder(), chunk);
        }
    }
}
