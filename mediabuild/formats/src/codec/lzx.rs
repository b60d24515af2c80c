//! todo
use super::Error;
pub fn decode(_input: &[u8], output: &mut [u8], _window_bytes: u32) -> Result<(), Error> {
    output.fill(0);
    Err(Error { codec: "x", output_offset: 0, expected: "a decoder" })
}
