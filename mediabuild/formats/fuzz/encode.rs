//! A chunk through an encoder and back.

use mediabuild_formats::codec::{Codec, Encoder, Level, lzms, lzx, xpress};

/// Encodes a chunk that `data` describes, at one of the levels and of these chunk sizes, and asserts
/// that it becomes smaller and decodes to itself, or is left alone.
pub fn check_encoder(codec: Codec, chunk_sizes_bytes: &[u32], data: &[u8]) {
    let [setting, repeat, bytes @ ..] = data else { return };
    let chunk_bytes = chunk_sizes_bytes[usize::from(*setting >> 2) % chunk_sizes_bytes.len()];
    let level = Level::ALL[usize::from(*setting & 3) % Level::ALL.len()];
    let Some(mut encoder) = Encoder::new(codec, chunk_bytes, level) else { return };
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
    let result = match codec {
        Codec::Lzms => lzms::decode(&output, &mut decoded),
        Codec::Lzx => lzx::decode(&output, &mut decoded, chunk_bytes),
        Codec::Xpress => xpress::decode(&output, &mut decoded),
    };
    result.expect("an own chunk");
    assert!(decoded == chunk, "decoded to something else");
}
