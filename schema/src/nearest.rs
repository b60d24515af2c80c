//! Did you mean: the nearest of the names that would have been right.

use strsim::damerau_levenshtein;

/// The candidate that `written` most likely was meant to be, if one is near enough.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let folded = written.to_lowercase();
    let distance = |candidate: &str| damerau_levenshtein(&folded, &candidate.to_lowercase());
    let (distance, candidate) = candidates.into_iter().map(|c| (distance(c), c)).min()?;
    // A third of the letters may be wrong: further away a suggestion is a guess.
    let letters = written.chars().count().max(candidate.chars().count());
    (distance <= (letters / 3).max(1) && distance < letters).then_some(candidate)
}

/// "did you mean `x`?", or else what there is to choose from.
pub(crate) fn suggestion(written: &str, candidates: &[&str], what_there_is: &str) -> String {
    match nearest(written, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if candidates.is_empty() => format!("{what_there_is} none"),
        None => format!("{what_there_is} {}", quoted_list(candidates)),
    }
}

/// `a`, `b` and `c`; long lists end after ten with a count.
pub(crate) fn quoted_list(names: &[&str]) -> String {
    const SHOWN_MAX: usize = 10;
    let quoted: Vec<String> = names.iter().take(SHOWN_MAX).map(|n| format!("`{n}`")).collect();
    match (names.len().saturating_sub(SHOWN_MAX), quoted.split_last()) {
        (0, Some((last, []))) => last.clone(),
        (0, Some((last, rest))) => format!("{} and {last}", rest.join(", ")),
        (0, None) => String::new(),
        (more, _) => format!("{} and {more} more", quoted.join(", ")),
    }
}
