//! `Sink` and `Layout`: the byte positions a writer produces, over contents it never reads.

/// One run of bytes of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent<C> {
    /// Bytes the writer made up: headers, tables.
    Literal(Vec<u8>),
    /// Zero bytes.
    Zeros(u64),
    /// A whole content, named, not read.
    Content {
        /// The caller's name of it.
        content: C,
        /// How many bytes it has.
        size_bytes: u64,
    },
}

/// Takes a layout from its first byte to its last, so that a large one is never held as a whole.
pub trait Sink<C> {
    /// Appends bytes.
    fn literal(&mut self, bytes: &[u8]);
    /// Appends zero bytes.
    fn zeros(&mut self, count_bytes: u64);
    /// Appends a whole content.
    fn content(&mut self, content: &C, size_bytes: u64);
    /// How many bytes were appended so far: the offset of the next one.
    fn position_bytes(&self) -> u64;
}

/// A layout held in memory: adjacent literals and zero runs merged, nothing empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout<C> {
    /// The extents in order.
    pub extents: Vec<Extent<C>>,
    /// Sum of the extents' sizes.
    pub size_bytes: u64,
}

impl<C> Default for Layout<C> {
    fn default() -> Self {
        Layout { extents: Vec::new(), size_bytes: 0 }
    }
}

impl<C: Clone> Sink<C> for Layout<C> {
    fn literal(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.size_bytes += bytes.len() as u64;
        match self.extents.last_mut() {
            Some(Extent::Literal(last)) => last.extend_from_slice(bytes),
            _ => self.extents.push(Extent::Literal(bytes.to_vec())),
        }
    }

    fn zeros(&mut self, count_bytes: u64) {
        if count_bytes == 0 {
            return;
        }
        self.size_bytes += count_bytes;
        match self.extents.last_mut() {
            Some(Extent::Zeros(last)) => *last += count_bytes,
            _ => self.extents.push(Extent::Zeros(count_bytes)),
        }
    }

    fn content(&mut self, content: &C, size_bytes: u64) {
        if size_bytes == 0 {
            return;
        }
        self.size_bytes += size_bytes;
        self.extents.push(Extent::Content { content: content.clone(), size_bytes });
    }

    fn position_bytes(&self) -> u64 {
        self.size_bytes
    }
}
