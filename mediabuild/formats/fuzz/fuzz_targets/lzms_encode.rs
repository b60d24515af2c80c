//! LZMS encoder: what it emits decodes to the chunk, at every level and chunk size.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::codec::{Codec, Encoder, Level, lzms};

const CHUNK_BYTES: [u32; 3] = [1 << 15, 1 << 17, 1 << 19];

fuzz_target!(|data: &[u8]| {
    let [setting, repeat, bytes @ ..] = data else { return };
    let chunk_bytes = CHUNK_BYTES[usize::from(*setting >> 2) % CHUNK_BYTES.len()];
    let level = Level::ALL[usize::from(*setting & 3) % Level::ALL.len()];
    let Some(mut encoder) = Encoder::new(Codec::Lzms, chunk_bytes, level) else { return };
    // Short inputs reach the end of a chunk too.
    let mut chunk = bytes.repeat(usize::from(*repeat) + 1);
    chunk.truncate(chunk_bytes as usize);
    let mut output = Vec::new();
    if !encoder.encode(&chunk, &mut output) {
        assert!(output.is_empty());
        return;
    }
    assert!(output.len() < chunk.len());
    let mut decoded = vec![0; chunk.len()];
    lzms::decode(&output, &mut decoded).expect("an own chunk");
    assert!(decoded == chunk, "decoded to something else");
});
