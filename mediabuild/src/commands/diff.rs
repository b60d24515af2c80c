//! `mediabuild diff`: what two WIMs, discs or folders differ in, by content.
//!
//! How contents are stored (compression, order, places) makes no difference. A file that differs and
//! is a WIM is looked into, so that a changed driver shows as that and not as another boot image.

mod boot_entry;
mod change;
mod compare;
mod property;
mod side;
mod tree;

use self::change::{Change, Kind, Summary};
use self::side::Side;
use crate::cli::Diff;
use crate::failure::Failure;
use crate::progress::{Job, Progress};

/// WIMs in discs in folders are looked into, and no deeper.
const DEPTH_LIMIT: usize = 3;

/// Tells every difference; a failure without words, for its exit code, if there is one.
pub(super) fn run(diff: &Diff, verbose: bool, progress: &Progress) -> Result<(), Failure> {
    let left = Side::open(&diff.left, &diff.references)?;
    let right = Side::open(&diff.right, &diff.references)?;
    let job = progress.job("compare", None);
    let mut report = Report { verbose, progress, job, summary: Summary::default() };
    report.sides(&left, &right, "", 0)?;
    let Report { summary, job, .. } = report;
    job.finish("compared", false);
    progress.json(summary.json());
    progress.result(&summary.text());
    match summary.is_same() {
        true => Ok(()),
        false => Err(Failure::build("they differ").already_printed()),
    }
}

struct Report<'a> {
    verbose: bool,
    progress: &'a Progress,
    job: Job<'a>,
    summary: Summary,
}

impl Report<'_> {
    /// Compares two media; `within` is the path of the file that they are, if they are inside others.
    fn sides(
        &mut self,
        left: &Side,
        right: &Side,
        within: &str,
        depth: usize,
    ) -> Result<(), Failure> {
        self.tell(within, property::changes(left, right, self.verbose, &self.job)?);
        let (left_count, right_count) = (left.tree_count(), right.tree_count());
        for index in 0..left_count.max(right_count) {
            let several = left_count.max(right_count) > 1;
            let at = match several {
                true => join(within, &format!("image {}", index + 1)),
                false => within.to_owned(),
            };
            match (index < left_count, index < right_count) {
                (true, true) => self.trees(left, right, index, &at, depth)?,
                (is_left, _) => self.tell(within, vec![Change::of_image(index + 1, is_left)]),
            }
        }
        Ok(())
    }

    fn trees(
        &mut self,
        left: &Side,
        right: &Side,
        index: usize,
        at: &str,
        depth: usize,
    ) -> Result<(), Failure> {
        let (mut left_tree, mut right_tree) = (left.tree(index)?, right.tree(index)?);
        compare::hash_where_needed(&mut left_tree, &mut right_tree, left, right, &self.job)?;
        let (changes, equal_count) = compare::changes(&left_tree, &right_tree, self.verbose);
        self.summary.equal_count += equal_count;
        let changed: Vec<String> = changes
            .iter()
            .filter(|change| change.kind == Kind::Changed)
            .map(|change| change.path.clone())
            .collect();
        self.tell(at, changes);
        for path in changed.iter().filter(|_| depth < DEPTH_LIMIT) {
            let inner = left.inner(&left_tree, path).zip(right.inner(&right_tree, path));
            if let Some((left, right)) = inner {
                self.sides(&left, &right, &join(at, path), depth + 1)?;
            }
        }
        Ok(())
    }

    fn tell(&mut self, at: &str, changes: Vec<Change>) {
        for change in changes {
            self.progress.json(change.json(at));
            self.progress.result(&change.text(at));
            self.summary.add(&change);
        }
    }
}

/// A place inside a place.
fn join(outer: &str, inner: &str) -> String {
    if outer.is_empty() { inner.to_owned() } else { format!("{outer}//{inner}") }
}
