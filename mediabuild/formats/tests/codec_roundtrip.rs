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
    ("Lzx 32768 fast v4", "bf0321d1515125c0681bd70911e54aa90b10b387"),
    ("Lzx 32768 default v7", "4bde40956beaee62f4ebb988a82c3010b5c25c61"),
    ("Lzx 32768 max v8", "097278eed8528736f572efd9d8c2b4c897015ae7"),
    ("Xpress 4096 fast v2", "39422aa3d9024aea22aad55e9c8a4f9bfcaea4bb"),
    ("Xpress 4096 default v2", "2ac16b3af1f69ba00aedbb8326737037e8afb00c"),
    ("Xpress 4096 max v2", "2662ab78972b92e72325434c09f7a1cc26a3ae93"),
    ("Xpress 8192 fast v2", "54f6f24bc7d920b795fe284aede8a20332725df6"),
    ("Xpress 8192 default v2", "b55c23825b45a2c6e13ef0c300672629c6635904"),
    ("Xpress 8192 max v2", "db65610e81c758951ddfa4ad02882a02ce862bb3"),
    ("Xpress 16384 fast v2", "c56d849726fcff51ea2fa04ea71c1827254c1e4c"),
    ("Xpress 16384 default v2", "b6a3b906688979d5bfa4f639431abda527afceea"),
    ("Xpress 16384 max v2", "0dbc5e66744e826121c9a86edcf5637ef5ce5560"),
    ("Xpress 32768 fast v2", "d8043ef26b4883fca5589f83290f1a61605d3e33"),
    ("Xpress 32768 default v2", "aa304b8ae65ae813ad4ba7810b917aab02197577"),
    ("Xpress 32768 max v2", "893281fe1f2e2613380b5d1003335da0b38911f5"),
    ("Xpress 65536 fast v2", "5bc24c7c7a6944a456675f5b9e9250001ca6b12f"),
    ("Xpress 65536 default v2", "5a56ea706c9ec7789f6c9fe6e5bfe344fe17be0b"),
    ("Xpress 65536 max v2", "24d090b23ac319c2ab63fc9272de686914bf9d64"),
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
