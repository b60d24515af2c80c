//! What the codec tests share: settings that have an encoder, and chunks that are hard on one.

#![allow(dead_code)] // each test binary uses a part of it

use mediabuild_formats::codec::{Codec, Encoder, Level, lzms, lzx, xpress};

/// One encoder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) codec: Codec,
    pub(crate) chunk_bytes: u32,
    pub(crate) level: Level,
}

/// Every setting that Microsoft's readers know and that has an encoder.
pub(crate) fn settings() -> Vec<Setting> {
    let xpress = [4096, 8192, 16384, 32768, 65536].map(|chunk_bytes| (Codec::Xpress, chunk_bytes));
    // LZMS has larger chunks too: see the tests of its own.
    let lzms = [32768, 131_072].map(|chunk_bytes| (Codec::Lzms, chunk_bytes));
    let codecs = [(Codec::Lzx, 32768)].into_iter().chain(xpress).chain(lzms);
    codecs
        .flat_map(|(codec, chunk_bytes)| {
            Level::ALL.map(|level| Setting { codec, chunk_bytes, level })
        })
        .filter(|setting| setting.try_encoder().is_some())
        .collect()
}

impl Setting {
    fn try_encoder(&self) -> Option<Encoder> {
        Encoder::new(self.codec, self.chunk_bytes, self.level)
    }

    pub(crate) fn encoder(&self) -> Encoder {
        self.try_encoder().expect("a setting that has an encoder")
    }

    /// What a chunk must decode to; panics otherwise.
    pub(crate) fn check(&self, compressed: &[u8], chunk: &[u8]) {
        let mut decoded = vec![0xa5; chunk.len()];
        let result = match self.codec {
            Codec::Lzx => lzx::decode(compressed, &mut decoded, self.chunk_bytes),
            Codec::Xpress => xpress::decode(compressed, &mut decoded),
            Codec::Lzms => lzms::decode(compressed, &mut decoded),
        };
        result.unwrap_or_else(|error| panic!("{self:?}, {} bytes: {error}", chunk.len()));
        assert!(decoded == chunk, "{self:?}: {} bytes decode to others", chunk.len());
    }

    /// Encodes behind bytes that must stay, and checks the result; its size if it is smaller.
    pub(crate) fn round_trip(&self, encoder: &mut Encoder, chunk: &[u8]) -> Option<usize> {
        let mut output = vec![0x5a; 3];
        let smaller = encoder.encode(chunk, &mut output);
        assert_eq!(output[..3], [0x5a; 3]);
        let compressed = &output[3..];
        if !smaller {
            assert!(compressed.is_empty(), "{self:?}");
            return None;
        }
        assert!(compressed.len() < chunk.len(), "{self:?}");
        self.check(compressed, chunk);
        Some(compressed.len())
    }
}

/// Random numbers that are the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) as u32
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.next() >> 7) as u8).collect()
    }
}

/// Adversarial chunks of up to `size` bytes.
pub(crate) fn adversarial(size: usize) -> Vec<Vec<u8>> {
    let mut random = Random(7);
    let mut chunks = vec![
        random.bytes(size),
        (0..size).map(|i| i as u8).collect(),
        (0..size).map(|i| (i >> 8) as u8).collect(),
        (0..size / 4).flat_map(|i| (i as u32).to_le_bytes()).collect(),
        fibonacci(size, &mut random),
        calls(size, &mut random),
        text(size, &mut random),
        half_noise(size, &mut random),
        deep_offsets(size, &mut random),
    ];
    chunks.extend((1..=300).step_by(13).map(|period| periodic(size, period, &mut random)));
    chunks.extend([2, 3, 7].map(|period| periodic(size, period, &mut random)));
    chunks.extend([0, 0xe8, 0xff].map(|byte| vec![byte; size]));
    let mut tail = random.bytes(size * 3 / 4);
    tail.resize(size, b'x');
    let head: Vec<u8> = tail.iter().rev().copied().collect();
    chunks.extend([tail, head]);
    chunks
}

fn periodic(size: usize, period: usize, random: &mut Random) -> Vec<u8> {
    let unit = random.bytes(period);
    unit.into_iter().cycle().take(size).collect()
}

/// Bytes as rare as Fibonacci numbers, shuffled: the deepest codes.
fn fibonacci(size: usize, random: &mut Random) -> Vec<u8> {
    let (mut chunk, mut pair) = (Vec::new(), (1, 1));
    for byte in 0..24_u8 {
        chunk.extend(std::iter::repeat_n(byte.wrapping_mul(83), pair.0));
        pair = (pair.1, pair.0 + pair.1);
    }
    chunk.truncate(size);
    for index in (1..chunk.len()).rev() {
        chunk.swap(index, random.below(index + 1));
    }
    chunk
}

/// `call` wherever it may stand, with operands at the edges of the filter.
fn calls(size: usize, random: &mut Random) -> Vec<u8> {
    let mut chunk = Vec::new();
    while chunk.len() < size {
        let edge = [0, -(chunk.len() as i32), 12_000_000 - chunk.len() as i32, 12_000_000];
        let operand = edge[random.below(4)] + random.below(5) as i32 - 2;
        chunk.push(0xe8);
        chunk.extend(&operand.to_le_bytes()[..4 - random.below(3) / 2]);
        chunk.extend(std::iter::repeat_n(0xe8, random.below(3)));
    }
    chunk.truncate(size);
    chunk
}

/// Words of a small vocabulary.
pub(crate) fn text(size: usize, random: &mut Random) -> Vec<u8> {
    let words: Vec<Vec<u8>> = (0..200)
        .map(|_| (0..2 + random.below(9)).map(|_| b'a' + (random.next() % 26) as u8).collect())
        .collect();
    let mut chunk = Vec::new();
    while chunk.len() < size {
        let word = random.below(200);
        chunk.extend(&words[random.below(word + 1)]);
        chunk.push(b' ');
    }
    chunk.truncate(size);
    chunk
}

/// Stretches of noise and of records, so that blocks of every type pay.
fn half_noise(size: usize, random: &mut Random) -> Vec<u8> {
    let mut chunk = Vec::new();
    while chunk.len() < size {
        let count = 500 + random.below(6000);
        match random.below(2) {
            0 => chunk.extend(random.bytes(count)),
            _ => chunk.extend((0..count).map(|i| if i % 8 < 6 { 0 } else { (i / 8) as u8 })),
        }
    }
    chunk.truncate(size);
    chunk
}

/// Pieces that repeat others from far and near, with lengths around every limit.
fn deep_offsets(size: usize, random: &mut Random) -> Vec<u8> {
    let mut chunk = random.bytes(600.min(size));
    while chunk.len() < size {
        let length = [2, 3, 4, 9, 10, 17, 18, 256, 257, 258, 259, 273, 1000][random.below(13)];
        let from = random.below(chunk.len());
        for index in from..from + length {
            chunk.push(chunk[index % chunk.len()]);
        }
        let count = random.below(3);
        chunk.extend(random.bytes(count));
    }
    chunk.truncate(size);
    chunk
}
