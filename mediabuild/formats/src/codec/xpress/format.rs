//! What XPRESS decoder and encoder both know.

/// Literals, then 16 lengths for each of 16 magnitudes of offsets.
pub(super) const SYMBOLS: usize = 512;
pub(super) const TABLE_BYTES: usize = SYMBOLS / 2;
pub(super) const MIN_MATCH: usize = 3;
/// The length in a symbol that says that more of it follows, and the byte that says so again.
pub(super) const LONG_LENGTH: usize = 15;
pub(super) const LONGER_LENGTH: u8 = 255;
