//! LZMS chunks larger than those of other codecs, and data that its delta matches and its x86
//! filter are for.

mod codec_inputs;

use codec_inputs::{Random, Setting, text};
use mediabuild_formats::codec::{Codec, Encoder, Level};

fn settings(chunk_bytes: u32) -> [Setting; 3] {
    Level::ALL.map(|level| Setting { codec: Codec::Lzms, chunk_bytes, level })
}

/// Arrays of numbers that grow evenly, and of records of them.
fn deltas(random: &mut Random) -> Vec<Vec<u8>> {
    let ramp = |i: u32| (i as u16).wrapping_mul(37);
    let sound = |i: u32| (((i % 400) as i16 - 200) * ((i / 400 % 90) as i16)).to_le_bytes();
    let mut chunks: Vec<Vec<u8>> = vec![
        (0..40_000_u32).flat_map(|i| i.wrapping_mul(0x0001_0203).to_le_bytes()).collect(),
        (0..40_000_u32).flat_map(|i| ramp(i).to_be_bytes()).collect(),
        (0..40_000_u32).flat_map(sound).collect(),
        (0..100_000_u32).map(|i| i.wrapping_mul(i) as u8).collect(),
    ];
    for record in [1, 2, 4, 8, 16, 32, 64, 128, 24, 256] {
        let (steps, start) = (random.bytes(record), random.bytes(record));
        let value = |i: usize| {
            start[i % record].wrapping_add(steps[i % record].wrapping_mul((i / record) as u8))
        };
        chunks.push((0..60_000).map(value).collect());
    }
    chunks
}

/// Instructions with few targets between other bytes, near and beyond the windows of the filter.
fn code(size: usize, random: &mut Random) -> Vec<u8> {
    const OPCODES: [&[u8]; 9] = [
        &[0xe8],
        &[0xe9],
        &[0xff, 0x15],
        &[0xf0, 0x83, 0x05],
        &[0x48, 0x8d, 0x0d],
        &[0x4c, 0x8d, 0x3d],
        &[0x48, 0x8b, 0x05],
        &[0x48, 0x8b, 0x0d],
        &[0x48, 0x8b, 0x1d],
    ];
    let mut code = Vec::new();
    while code.len() < size {
        let opcode = OPCODES[random.below(OPCODES.len())];
        let target = 0x1_0000 * random.below(3) as i32 + 64 * random.below(20) as i32;
        let operand = target - code.len() as i32;
        code.extend(opcode);
        code.extend(operand.to_le_bytes());
        let gap = [3, 9, 500, 1010, 1020][random.below(5) * random.below(2)];
        code.extend((0..gap).map(|i| (i * 7) as u8));
    }
    code.truncate(size);
    code
}

fn assert_round_trips(chunk_bytes: u32, chunks: &[Vec<u8>]) {
    for setting in settings(chunk_bytes) {
        let mut encoder = setting.encoder();
        for chunk in chunks {
            setting.round_trip(&mut encoder, chunk);
        }
    }
}

#[test]
fn differences_come_back_and_become_small() {
    let chunks = deltas(&mut Random(3));
    assert_round_trips(1 << 18, &chunks);
    let setting = settings(1 << 18)[1];
    for chunk in &chunks[..2] {
        let size = setting.round_trip(&mut setting.encoder(), chunk);
        assert!(size.is_some_and(|bytes| bytes < chunk.len() / 40), "{size:?}");
    }
}

#[test]
fn code_comes_back_and_the_filter_pays() {
    let mut random = Random(5);
    let chunks = [17, 18, 33, 1000, 70_000, 400_000].map(|size| code(size, &mut random));
    assert_round_trips(1 << 19, &chunks);
    let setting = settings(1 << 19)[1];
    // Calls of one function from places 20 bytes apart.
    let calls: Vec<u8> = (0..10_000_i32)
        .flat_map(|i| {
            let mut bytes = [i as u8; 20];
            bytes[0] = 0xe8;
            bytes[1..5].copy_from_slice(&(1000 - 20 * i).to_le_bytes());
            bytes
        })
        .collect();
    let size = setting.round_trip(&mut setting.encoder(), &calls);
    assert!(size.is_some_and(|bytes| bytes < calls.len() / 40), "{size:?}");
}

/// As many literals, offsets and lengths as make a code be rebuilt, and one less and more.
#[test]
fn chunks_that_end_at_a_rebuild_come_back() {
    let mut random = Random(9);
    let mut chunks = Vec::new();
    for count in [511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049] {
        // Literals only, skewed so that they are worth a code.
        chunks.push((0..count).map(|_| (random.below(16) * random.below(16)) as u8).collect());
        // A new match every few bytes.
        let mut pairs: Vec<u8> = random.bytes(3000);
        for _ in 0..count {
            let from = random.below(2900);
            pairs.extend_from_within(from..from + 5 + random.below(20));
            pairs.push(random.next() as u8);
        }
        chunks.push(pairs);
    }
    assert_round_trips(1 << 17, &chunks);
}

#[test]
fn noise_is_cheap_and_its_copies_are_found() {
    let mut random = Random(11);
    let noise = random.bytes(1_300_000);
    for setting in settings(1 << 22) {
        let mut encoder = setting.encoder();
        assert_eq!(setting.round_trip(&mut encoder, &noise), None);
        let words = text(100_000, &mut random);
        let twice = [&noise[..], &words, &noise[7..], &words].concat();
        let size = setting.round_trip(&mut encoder, &twice).expect("smaller");
        assert!(size < noise.len() + 60_000, "{setting:?}: {size}");
    }
}

#[test]
fn long_matches_and_far_offsets_come_back() {
    let mut random = Random(13);
    let mut chunk = random.bytes(20_000);
    chunk.extend(vec![0; 1_500_000]);
    chunk.extend_from_within(..20_000);
    chunk.extend((0..300_000).map(|i| (i / 256 * (i & 3)) as u8));
    chunk.extend_from_within(10_000..15_000);
    assert_round_trips(1 << 21, &[chunk[..1 << 20].to_vec(), chunk]);
}

/// One encoder, chunks of all sizes: what it emits for each is what a new one does.
#[test]
fn large_chunks_leave_no_trace() {
    let mut random = Random(17);
    let chunks = [text(300_000, &mut random), code(200_000, &mut random), random.bytes(5000)];
    for setting in settings(1 << 19) {
        let mut used: Encoder = setting.encoder();
        for chunk in chunks.iter().chain(&chunks) {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            used.encode(chunk, &mut first);
            setting.encoder().encode(chunk, &mut second);
            assert!(first == second, "{setting:?}");
        }
    }
}
