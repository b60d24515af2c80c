//! `Value`: a name, a type and bytes.

/// Types of values.
pub mod value_kind {
    /// `REG_SZ`
    pub const STRING: u32 = 1;
    /// `REG_BINARY`
    pub const BINARY: u32 = 3;
    /// `REG_DWORD`
    pub const DWORD: u32 = 4;
    /// `REG_MULTI_SZ`
    pub const STRINGS: u32 = 7;
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its name; empty for a key's own value.
    pub name: String,
    /// One of [`value_kind`], or another.
    pub kind: u32,
    /// The data as stored.
    pub data: Vec<u8>,
}

impl Value {
    /// `REG_SZ`
    pub fn string(name: &str, text: &str) -> Value {
        Value { name: name.into(), kind: value_kind::STRING, data: terminated(text) }
    }

    /// `REG_MULTI_SZ`
    pub fn strings<'a>(name: &str, texts: impl IntoIterator<Item = &'a str>) -> Value {
        let mut data: Vec<u8> = texts.into_iter().flat_map(terminated).collect();
        data.extend([0, 0]);
        Value { name: name.into(), kind: value_kind::STRINGS, data }
    }

    /// `REG_BINARY`
    pub fn binary(name: &str, data: impl Into<Vec<u8>>) -> Value {
        Value { name: name.into(), kind: value_kind::BINARY, data: data.into() }
    }

    /// `REG_DWORD`
    pub fn dword(name: &str, number: u32) -> Value {
        Value { name: name.into(), kind: value_kind::DWORD, data: number.to_le_bytes().into() }
    }

    /// The text of a `REG_SZ`, with or without its end.
    pub fn as_string(&self) -> Option<String> {
        let text = (self.kind == value_kind::STRING).then(|| text(&self.data))??;
        Some(text.strip_suffix('\0').map(str::to_owned).unwrap_or(text))
    }

    /// The texts of a `REG_MULTI_SZ`.
    pub fn as_strings(&self) -> Option<Vec<String>> {
        let text = (self.kind == value_kind::STRINGS).then(|| text(&self.data))??;
        let texts = text.trim_end_matches('\0');
        Some(texts.split('\0').filter(|text| !text.is_empty()).map(str::to_owned).collect())
    }

    /// The number of a `REG_DWORD`.
    pub fn as_dword(&self) -> Option<u32> {
        let bytes = self.data.as_slice().try_into().ok()?;
        (self.kind == value_kind::DWORD).then(|| u32::from_le_bytes(bytes))
    }
}

/// UTF-16LE with a NUL behind it.
fn terminated(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// UTF-16LE.
fn text(bytes: &[u8]) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    rest.is_empty().then(|| String::from_utf16(&units).ok())?
}
