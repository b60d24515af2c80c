//! OSTA compressed Unicode (OSTA UDF 1.02, 2.1.1) and fixed-size dstrings (ECMA-167 1/7.2.12).

use crate::field::{put, u8_at};

/// One byte per character, Latin-1.
const ID_8_BIT: u8 = 8;
/// Two bytes per UTF-16 unit, big-endian.
const ID_16_BIT: u8 = 16;

/// Encodes a name: compression id, then 8-bit characters if they suffice, else 16-bit.
pub(in crate::iso) fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + text.len());
    if text.chars().all(is_latin_1) {
        bytes.push(ID_8_BIT);
        bytes.extend(text.chars().map(|character| u32::from(character) as u8));
    } else {
        bytes.push(ID_16_BIT);
        bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    }
    bytes
}

/// How many bytes the characters of a name take, without the compression id.
pub(in crate::iso) fn characters_size_bytes(text: &str) -> usize {
    if text.chars().all(is_latin_1) {
        text.chars().count()
    } else {
        2 * text.encode_utf16().count()
    }
}

/// Decodes a name; nothing if the compression id is unknown. Half surrogate pairs become U+FFFD.
pub(in crate::iso) fn decode(bytes: &[u8]) -> Option<String> {
    let (&id, text) = bytes.split_first()?;
    match id {
        ID_8_BIT => Some(text.iter().map(|&byte| char::from(byte)).collect()),
        ID_16_BIT => {
            let (units, _) = text.as_chunks::<2>();
            let units = units.iter().map(|&unit| u16::from_be_bytes(unit));
            let characters = char::decode_utf16(units);
            Some(characters.map(|character| character.unwrap_or('\u{FFFD}')).collect())
        }
        _ => None,
    }
}

/// Makes a dstring of `SIZE` bytes with as many whole characters of `text` as fit; the last byte is
/// the used length. An empty text is all zeros.
pub(in crate::iso) fn dstring<const SIZE: usize>(text: &str) -> [u8; SIZE] {
    let mut field = [0; SIZE];
    let mut kept = text;
    while encode(kept).len() > SIZE - 1 {
        let last = kept.char_indices().next_back().expect("an empty text fits");
        kept = &kept[..last.0];
    }
    if !kept.is_empty() {
        let encoded = encode(kept);
        put(&mut field, 0, &encoded);
        field[SIZE - 1] = u8::try_from(encoded.len()).expect("dstrings have at most 128 bytes");
    }
    field
}

/// Whether a dstring of `size_bytes` holds all of `text`.
pub(in crate::iso) fn dstring_fits(text: &str, size_bytes: usize) -> bool {
    encode(text).len() < size_bytes
}

/// Reads a dstring; what is no dstring reads as empty.
pub(in crate::iso) fn decode_dstring(field: &[u8]) -> String {
    let Some((&used, text)) = field.split_last() else { return String::new() };
    let used = usize::from(used).min(text.len());
    decode(&text[..used]).unwrap_or_default().trim_end_matches('\0').to_owned()
}

/// The character set every UDF text is in (ECMA-167 1/7.2.1, OSTA UDF 1.02, 2.1.2).
pub(in crate::iso) fn charspec() -> [u8; 64] {
    let mut field = [0; 64];
    put(&mut field, 1, b"OSTA Compressed Unicode");
    field
}

/// An entity identifier (ECMA-167 1/7.4): flags 0, identifier, suffix.
pub(in crate::iso) fn entity(identifier: &[u8], suffix: [u8; 8]) -> [u8; 32] {
    let mut field = [0; 32];
    put(&mut field, 1, identifier);
    put(&mut field, 24, &suffix);
    field
}

/// Reads the identifier of an entity identifier.
pub(in crate::iso) fn entity_identifier(field: &[u8]) -> String {
    let text = (1..24).map(|at| u8_at(field, at)).take_while(|&byte| byte != 0);
    text.map(char::from).collect()
}

fn is_latin_1(character: char) -> bool {
    u32::from(character) <= 0xFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_8_bits_if_they_can() {
        assert_eq!(encode("aé"), [8, b'a', 0xE9]);
        assert_eq!(encode("aЖ"), [16, 0, b'a', 0x04, 0x16]);
        assert_eq!(decode(&encode("💾.txt")).as_deref(), Some("💾.txt"));
        assert_eq!(decode(&[16, 0xD8, 0x3D]).as_deref(), Some("\u{FFFD}"));
        assert_eq!(decode(&[254]), None);
    }

    #[test]
    fn dstrings_keep_whole_characters() {
        let field: [u8; 8] = dstring("💾💾");
        assert_eq!(field, [16, 0xD8, 0x3D, 0xDC, 0xBE, 0, 0, 5]);
        assert_eq!(decode_dstring(&field), "💾");
        assert_eq!(dstring::<8>(""), [0; 8]);
        assert_eq!(decode_dstring(&dstring::<8>("abcdefgh")), "abcdef");
        assert!(dstring_fits("abcdef", 8) && !dstring_fits("abcdefg", 8));
    }
}
