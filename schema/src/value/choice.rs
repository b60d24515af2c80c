//! `Choice`: one of a few words.

use crate::nearest::{quoted_list, suggestion};
use crate::problem::Problem;

/// A few words to choose from.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) words: &'static [&'static str],
    /// Words of other tools and the word here that means the same.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
    /// Words of the language that are not built yet.
    pub(crate) planned: &'static [&'static str],
}

impl Choice {
    pub(crate) fn describe(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|word| format!("`\"{word}\"`")).collect();
        words.join(" or ")
    }

    /// `key` is the property whose value `written` is.
    pub(crate) fn check(&self, written: &str, key: Option<&str>) -> Result<(), Problem> {
        if self.words.contains(&written) {
            return Ok(());
        }
        let message = match key {
            Some(key) => format!("`{key}=` cannot be `{written}`"),
            None => format!("`{written}` cannot stand here"),
        };
        Err(Problem::new("unknown-word", "unknown word", message, self.help(written)))
    }

    fn help(&self, written: &str) -> String {
        if self.planned.contains(&written) {
            let words = quoted_list(self.words);
            return format!("`{written}` is planned, not built yet; there is {words}");
        }
        let folded = written.to_lowercase();
        match self.elsewhere.iter().find(|(word, _)| *word == folded) {
            Some((_, here)) => format!("write `\"{here}\"`"),
            None => suggestion(written, self.words, "choose from"),
        }
    }
}
