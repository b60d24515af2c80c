//! Recalling imports: what all imports of a plan would give, without a job for any of them. One
//! batched look at the index, then stats alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use mediabuild_store::{Digest, Output, Store};

use super::Builder;
use super::import_folder::{Filter, Matcher};
use super::import_stat::{Fingerprint, OUTPUT, decode_output};
use crate::failure::Failure;
use crate::listing::Listing;

/// The remembered outputs of imports.
#[derive(Default)]
pub(crate) struct StatCaches {
    outputs: HashMap<Digest, (Fingerprint, Output)>,
    /// Hundreds of folders share one filter, which takes longer to compile than to use.
    matchers: Mutex<BTreeMap<Filter, Option<Arc<Matcher>>>>,
}

impl StatCaches {
    /// What the store remembers of the imports among `builders`, in one batched read. To know
    /// nothing, as `--paranoid` wants, is [`StatCaches::default`].
    ///
    /// Whether the store still has the outputs is not asked: who uses one asks for all at once.
    pub(crate) fn load<'a>(
        store: &dyn Store,
        builders: impl IntoIterator<Item = &'a dyn Builder>,
    ) -> Result<Self, Failure> {
        let keys: Vec<Digest> = builders.into_iter().filter_map(Builder::stat_cache_key).collect();
        let memos = store.memos(OUTPUT, &keys)?;
        let outputs = keys.into_iter().zip(memos).filter_map(|(key, memo)| {
            let output = decode_output(&key, &memo?)?;
            Some((key, output))
        });
        Ok(StatCaches { outputs: outputs.collect(), matchers: Mutex::default() })
    }

    /// The remembered output of the import `key`, if `files` are as they were then.
    pub(super) fn output(
        &self,
        key: &Digest,
        files: impl FnOnce() -> Option<Fingerprint>,
    ) -> Option<Output> {
        let (remembered, output) = self.outputs.get(key)?;
        (files()? == *remembered).then_some(*output)
    }

    /// The fingerprint of what `filter` takes of a folder; `None` if it takes what it may not.
    pub(super) fn fingerprint(&self, listing: &Listing, filter: &Filter) -> Option<Fingerprint> {
        let matcher = self.matcher(filter)?;
        if listing.others.iter().any(|name| matcher.takes(name)) {
            return None;
        }
        let taken = listing.files.iter().filter(|file| matcher.takes(&file.name));
        Some(Fingerprint::of(taken.map(|file| (file.name.as_str(), file.stat))))
    }

    fn matcher(&self, filter: &Filter) -> Option<Arc<Matcher>> {
        let mut matchers = self.matchers.lock().expect("no holder of this lock panics");
        if let Some(matcher) = matchers.get(filter) {
            return matcher.clone();
        }
        let matcher = filter.matcher().ok().map(Arc::new);
        matchers.insert(filter.clone(), matcher.clone());
        matcher
    }
}

#[cfg(test)]
mod tests {
    use crate::builders::sha1::Sha1Wanted;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::Duration;

    use mediabuild_store::{MemoryStore, Output, Store};

    use super::StatCaches;
    use crate::builders::import::ImportFile;
    use crate::builders::import_folder::{Filter, ImportFolder};
    use crate::builders::import_stat::{FILES, OUTPUT};
    use crate::builders::{BuildContext, Builder};
    use crate::cli::Format;
    use crate::derivation::Inputs;
    use crate::listing::Listing;
    use crate::progress::Progress;

    /// Until files that were just written are no longer racy.
    const SETTLED: Duration = Duration::from_millis(2100);

    fn build(store: &MemoryStore, builder: &dyn Builder) -> Output {
        let progress = Progress::new(Format::Text);
        let job = progress.job("test", None);
        let context =
            BuildContext { store, job: &job, sha1: Sha1Wanted::No, paranoid: false, warn: &|_| () };
        builder.build(&Inputs::default(), &context).expect("imported")
    }

    fn recall(store: &MemoryStore, import: &(impl Builder + Looked)) -> Option<Output> {
        let import = import.looked();
        import.recall(&StatCaches::load(store, [&import as &dyn Builder]).expect("loaded"))
    }

    fn folder(path: &Path) -> ImportFolder {
        ImportFolder {
            path: path.to_owned(),
            project_path: "f".into(),
            filter: Filter::default(),
            follow_symlinks: false,
            total_bytes: None,
            listing: None,
        }
    }

    fn file(path: PathBuf) -> ImportFile {
        ImportFile {
            path,
            project_path: "f".into(),
            total_bytes: None,
            listing: None,
            is_container: false,
        }
    }

    /// The import as a plan of now would have it.
    trait Looked {
        fn looked(&self) -> Self;
    }

    impl Looked for ImportFolder {
        fn looked(&self) -> Self {
            let listing = Listing::of(&self.path, self.follow_symlinks).map(Arc::new);
            let (path, filter) = (self.path.clone(), self.filter.clone());
            ImportFolder { filter, follow_symlinks: self.follow_symlinks, listing, ..folder(&path) }
        }
    }

    impl Looked for ImportFile {
        fn looked(&self) -> Self {
            let metadata = self.path.metadata().expect("there");
            let listing = Some(Arc::new(Listing::of_file(&metadata)));
            ImportFile { listing, ..file(self.path.clone()) }
        }
    }

    /// A folder with two settled files.
    fn settled() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("d")).expect("made");
        std::fs::write(folder.path().join("a.txt"), "a").expect("written");
        std::fs::write(folder.path().join("d/b.log"), "b").expect("written");
        std::thread::sleep(SETTLED);
        folder
    }

    #[test]
    fn what_is_as_it_was_is_recalled_and_what_changed_is_not() {
        let (place, store) = (settled(), MemoryStore::new());
        let import = folder(place.path());
        assert_eq!(recall(&store, &import), None, "nothing is known yet");
        let output = build(&store, &import);
        assert_eq!(recall(&store, &import), Some(output));
        let single = file(place.path().join("a.txt"));
        let content = build(&store, &single);
        assert_eq!(recall(&store, &single), Some(content));

        let added = place.path().join("d/c.txt");
        std::fs::write(&added, "c").expect("written");
        assert_eq!(recall(&store, &import), None, "a file came");
        std::fs::remove_file(&added).expect("removed");
        assert_eq!(recall(&store, &import), Some(output));
        std::fs::rename(place.path().join("d/b.log"), &added).expect("renamed");
        assert_eq!(recall(&store, &import), None, "a file has another name");
        std::fs::write(place.path().join("a.txt"), "x").expect("written");
        assert_eq!(recall(&store, &single), None, "as long, with other bytes");
    }

    #[test]
    fn a_young_file_is_not_recalled() {
        let (place, store) = (tempfile::tempdir().expect("a folder"), MemoryStore::new());
        std::fs::write(place.path().join("a"), "a").expect("written");
        let import = folder(place.path());
        build(&store, &import);
        assert_eq!(recall(&store, &import), None);
    }

    #[test]
    fn options_are_part_of_the_key() {
        let (place, store) = (settled(), MemoryStore::new());
        let all = build(&store, &folder(place.path()));
        let mut some = folder(place.path());
        some.filter.exclude = vec!["**/*.log".into()];
        assert_eq!(recall(&store, &some), None);
        let fewer = build(&store, &some);
        assert_ne!(all, fewer);
        assert_eq!(recall(&store, &some), Some(fewer));
        std::fs::write(place.path().join("d/b.log"), "more").expect("written");
        assert_eq!(recall(&store, &some), Some(fewer), "what is left out may change");
        assert_eq!(recall(&store, &folder(place.path())), None);
        some.follow_symlinks = true;
        assert_eq!(recall(&store, &some), None);
        some.follow_symlinks = false;
        (some.filter.include, some.filter.exclude) = (some.filter.exclude, Vec::new());
        assert_eq!(recall(&store, &some), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_is_not_followed_is_left_to_who_says_so() {
        let (place, store) = (settled(), MemoryStore::new());
        let import = folder(place.path());
        build(&store, &import);
        std::os::unix::fs::symlink("a.txt", place.path().join("link")).expect("linked");
        assert_eq!(recall(&store, &import), None);
    }

    /// Whatever a memo became, a build gives what lies there.
    #[test]
    fn a_damaged_memo_is_an_absent_one() {
        let (place, store) = (settled(), MemoryStore::new());
        let import = folder(place.path());
        let output = build(&store, &import);
        let key = import.stat_cache_key().expect("a key");
        for table in [FILES, OUTPUT] {
            let good = store.memo(table, &key).expect("read").expect("there");
            let other = store.memo(if table == FILES { OUTPUT } else { FILES }, &key);
            let mut damaged = vec![Vec::new(), vec![0; 200], other.expect("read").expect("there")];
            damaged.extend((0..good.len()).step_by(7).map(|end| good[..end].to_vec()));
            damaged.extend((0..good.len()).map(|at| {
                let mut flipped = good.clone();
                flipped[at] ^= 1 << (at % 8);
                flipped
            }));
            for bytes in damaged {
                let mut batch = store.batch().expect("a batch");
                batch.put_memo(table, &key, &bytes).expect("put");
                batch.commit().expect("committed");
                assert_eq!(recall(&store, &import), (table == FILES).then_some(output));
                assert_eq!(build(&store, &import), output);
                assert_eq!(recall(&store, &import), Some(output), "healed");
            }
        }
    }
}
