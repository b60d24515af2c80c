//! `Texts` and `Span`: the definition files that were read, and places in them.

use std::path::PathBuf;
use std::sync::Arc;

/// A definition file's position in [`Texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextIdx(pub u32);

/// A range of bytes in a definition file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which file.
    pub text: TextIdx,
    /// Offset of the first byte.
    pub offset_bytes: usize,
    /// How many bytes.
    pub size_bytes: usize,
}

/// One definition file.
#[derive(Debug, Clone)]
pub struct Text {
    /// Relative to the project folder, with `/`, for messages.
    pub name: String,
    /// Where it is on this machine.
    pub path: PathBuf,
    /// Its bytes as text.
    pub text: Arc<str>,
}

/// All definition files that were read, in the order they were read.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    texts: Vec<Text>,
}

impl Texts {
    /// Adds a file and names its position.
    pub fn add(&mut self, text: Text) -> TextIdx {
        let idx =
            TextIdx(u32::try_from(self.texts.len()).expect("fewer than 2^32 definition files"));
        self.texts.push(text);
        idx
    }

    /// The file at `idx`.
    pub fn get(&self, idx: TextIdx) -> &Text {
        &self.texts[idx.0 as usize]
    }

    /// All files, in the order they were read.
    pub fn iter(&self) -> impl Iterator<Item = &Text> {
        self.texts.iter()
    }
}
