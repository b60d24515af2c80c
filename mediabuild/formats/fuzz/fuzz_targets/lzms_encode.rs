//! LZMS encoder: what it emits decodes to the chunk, at every level and chunk size.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::codec::Codec;
use mediabuild_fuzz::check_encoder;

fuzz_target!(|data: &[u8]| check_encoder(Codec::Lzms, &[1 << 15, 1 << 17, 1 << 19], data));
