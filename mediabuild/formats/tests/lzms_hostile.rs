//! LZMS chunks that are no LZMS chunks: errors, never panics, and nothing of the old output is left.

use mediabuild_formats::codec::lzms;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};

/// Decodes into two different buffers; both are the same if it succeeds.
fn decode_twice(input: &[u8], size: usize) {
    let (mut first, mut second) = (vec![0; size], vec![0xff; size]);
    let decoded = lzms::decode(input, &mut first);
    assert_eq!(decoded, lzms::decode(input, &mut second));
    assert!(decoded.is_err() || first == second);
}

#[test]
fn odd_and_short_inputs_are_refused() {
    for input in [&[][..], &[0; 2], &[0; 3], &[0; 5]] {
        let error = lzms::decode(input, &mut [0; 8]).expect_err("no chunk");
        assert!(error.to_string().contains("corrupt LZMS data"), "{error}");
    }
}

#[test]
fn a_stream_that_ends_early_is_refused() {
    // Zeros are literals to the range coder, and the first literal to the code.
    lzms::decode(&[0; 64], &mut [7; 40]).expect("40 literals");
    let error = lzms::decode(&[0; 64], &mut [7; 1000]).expect_err("not 1000 literals");
    assert_eq!(error.expected, "more input");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_inputs_do_no_harm(input in vec(any::<u8>(), 0..600), size in 0..100_000_usize) {
        decode_twice(&input, size);
        decode_twice(&input[..input.len() & !1], size);
    }

    /// The first decision is a match often enough.
    #[test]
    fn random_decisions_do_no_harm(
        high in vec(any::<u8>(), 0..40),
        low in vec(0xe0..=0xff_u8, 40..300),
        size in 0..3000_usize,
    ) {
        let input = [low, high].concat();
        decode_twice(&input[..input.len() & !1], size);
    }
}
