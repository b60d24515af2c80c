//! The parse cache: what definition files parse to, kept in the store by a digest of the text and of
//! the parser. It saves parsing and decides nothing: everything that can be wrong with definitions
//! is looked for in every run, and `--paranoid` does without it.
//!
//! It lives in a store that is there. No store is made for its sake: `check` in a fresh checkout
//! parses, and the first `build` keeps what was parsed.

use std::cell::RefCell;

use mediabuild_schema::{PARSER, ParseCache};
use mediabuild_store::{Digest, Error, Store};

use crate::sealed::{seal, unseal};

/// The memo table of parsed definition files.
const PARSED: &str = "parsed definitions 1";

/// What a store has parsed, and what was parsed now.
#[derive(Default)]
pub(crate) struct ParsedFiles<'a> {
    store: Option<&'a dyn Store>,
    fresh: RefCell<Vec<(Digest, Vec<u8>)>>,
}

impl<'a> ParsedFiles<'a> {
    /// Those of `store`; without one, nothing is known.
    pub(crate) fn of(store: Option<&'a impl Store>) -> Self {
        let store = store.map(|store| store as &dyn Store);
        ParsedFiles { store, fresh: RefCell::default() }
    }

    /// Keeps what was parsed now in the store it is of, if it is of one.
    pub(crate) fn keep(&self) {
        if let Some(store) = self.store {
            self.keep_in(store);
        }
    }

    /// Keeps what was parsed now, and is not kept, in `store`. That it cannot be is no failure.
    pub(crate) fn keep_in(&self, store: &dyn Store) {
        let fresh = self.fresh.take();
        if !fresh.is_empty()
            && let Err(error) = put(store, fresh)
        {
            tracing::debug!("what was parsed is not kept: {error}");
        }
    }
}

fn put(store: &dyn Store, parsed: Vec<(Digest, Vec<u8>)>) -> Result<(), Error> {
    let mut batch = store.batch()?;
    for (key, parsed) in parsed {
        batch.put_memo(PARSED, &key, &seal(&key, parsed))?;
    }
    batch.commit()
}

fn key_of(text: &str) -> Digest {
    let parser = PARSER.to_le_bytes();
    let bytes = [parser.as_slice(), text.as_bytes()].concat();
    Digest::derive("mediabuild 2026-11 parsed definitions", &bytes)
}

impl ParseCache for ParsedFiles<'_> {
    fn get(&self, texts: &[&str]) -> Vec<Option<Vec<u8>>> {
        let Some(store) = self.store else { return vec![None; texts.len()] };
        let keys: Vec<Digest> = texts.iter().map(|text| key_of(text)).collect();
        let sealed = store.memos(PARSED, &keys).unwrap_or_default();
        let parsed =
            |(key, sealed): (&Digest, Option<Vec<u8>>)| unseal(key, &sealed?).map(<[u8]>::to_vec);
        keys.iter().zip(sealed).map(parsed).collect()
    }

    fn put(&self, text: &str, parsed: Vec<u8>) {
        self.fresh.borrow_mut().push((key_of(text), parsed));
    }
}

#[cfg(test)]
mod tests {
    use mediabuild_schema::ParseCache;
    use mediabuild_store::{MemoryStore, Store};

    use super::{PARSED, ParsedFiles, key_of};

    #[test]
    fn what_was_parsed_is_found_by_its_text_alone() {
        let store = MemoryStore::new();
        let parsed = ParsedFiles::of(Some(&store));
        assert_eq!(parsed.get(&["a"]), [None]);
        parsed.put("a", b"tree".to_vec());
        assert_eq!(parsed.get(&["a"]), [None], "not before it is kept");
        parsed.keep();
        let found = ParsedFiles::of(Some(&store)).get(&["b", "a", ""]);
        assert_eq!(found, [None, Some(b"tree".to_vec()), None]);
        assert_eq!(ParsedFiles::default().get(&["a"]), [None]);
    }

    #[test]
    fn what_is_damaged_or_another_text_s_is_not_found() {
        let store = MemoryStore::new();
        let parsed = ParsedFiles::of(Some(&store));
        parsed.put("a", b"tree".to_vec());
        parsed.keep();
        let good = store.memo(PARSED, &key_of("a")).expect("read").expect("kept");
        for at in 0..good.len() {
            let mut flipped = good.clone();
            flipped[at] ^= 0x10;
            let mut batch = store.batch().expect("a batch");
            batch.put_memo(PARSED, &key_of("a"), &flipped).expect("put");
            batch.put_memo(PARSED, &key_of("b"), &good).expect("put");
            batch.commit().expect("committed");
            assert_eq!(ParsedFiles::of(Some(&store)).get(&["a", "b"]), [None, None]);
        }
    }
}
