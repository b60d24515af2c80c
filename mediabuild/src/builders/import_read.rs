//! Reading files of the world into a batch: a large one by itself, small ones many at once. Each
//! file's stat is compared before and after, so that a file that changes while it is read is an
//! error and never half of each.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mediabuild_store::{Batch, Blobs, Content};
use sha1::{Digest as _, Sha1};

use super::BuildContext;
use super::sha1::{SHA1_MEMO, Sha1Wanted};
use crate::failure::Failure;
use crate::git::{is_lfs_pointer, lfs_help};
use crate::os::StatKey;

/// Smaller files are read many at once. A larger one has a file of its own in the store, and is
/// worth hashing in parallel.
const SMALL_BYTES_MAX: u64 = 1 << 20;

/// How much of small files is read at once, and how many: two such windows are in memory, one that
/// is read and one that is stored. Larger ones gain nothing; smaller ones leave threads waiting.
const WINDOW_BYTES: u64 = 8 << 20;
const WINDOW_FILES: usize = 1024;

/// A file to be read.
#[derive(Clone, Copy)]
pub(super) struct Unread<'a> {
    pub(super) path: &'a Path,
    pub(super) before: StatKey,
}

/// Puts the bytes of one file into `batch`, with their SHA-1 as a memo.
pub(super) fn read_file(
    unread: Unread<'_>,
    sha1_wanted: Sha1Wanted,
    context: &BuildContext<'_>,
    batch: &mut dyn Batch,
) -> Result<Content, Failure> {
    wait_out_tick(unread.before);
    let mut file = unread.open()?;
    let mut sha1 = Sha1::new();
    let mut is_pointer = false;
    let content = batch.put_file(&mut file, &mut |piece| {
        is_pointer |= is_lfs_pointer(unread.before.size_bytes(), piece);
        if sha1_wanted == Sha1Wanted::Yes {
            sha1.update(piece);
        }
        context.observe(piece)
    });
    let content = content.map_err(|error| {
        Failure::from(error).while_doing(format!("reading `{}`", unread.path.display()))
    })?;
    unread.check_unchanged(&file, content.size_bytes)?;
    if is_pointer {
        return Err(pointer(unread.path));
    }
    if sha1_wanted == Sha1Wanted::Yes {
        batch.put_memo(SHA1_MEMO, &content.digest, &sha1.finalize())?;
    }
    Ok(content)
}

/// [`read_file`] for each of `files`: their contents, in order.
pub(super) fn read_files(
    files: &[Unread<'_>],
    sha1_wanted: Sha1Wanted,
    context: &BuildContext<'_>,
    batch: &mut dyn Batch,
) -> Result<Vec<Content>, Failure> {
    let numbered = files.iter().copied().enumerate();
    let (small, large): (Vec<_>, Vec<_>) =
        numbered.partition(|(_, file)| file.before.size_bytes() < SMALL_BYTES_MAX);
    let (numbers, small): (Vec<usize>, Vec<Unread<'_>>) = small.into_iter().unzip();
    let contents = read_small(&small, sha1_wanted, context, batch)?;
    let mut numbered: Vec<(usize, Content)> = numbers.into_iter().zip(contents).collect();
    for (number, file) in large {
        numbered.push((number, read_file(file, sha1_wanted, context, batch)?));
    }
    numbered.sort_unstable_by_key(|(number, _)| *number);
    Ok(numbered.into_iter().map(|(_, content)| content).collect())
}

/// While the leaf pool reads and hashes one window of files, this thread stores the one before.
fn read_small(
    files: &[Unread<'_>],
    sha1_wanted: Sha1Wanted,
    context: &BuildContext<'_>,
    batch: &mut dyn Batch,
) -> Result<Vec<Content>, Failure> {
    let mut contents = Vec::with_capacity(files.len());
    let (mut loading, mut storing) = (Window::default(), Window::default());
    let mut rest = files;
    while contents.len() < files.len() {
        let (window, after) = rest.split_at(window_length(rest));
        window.iter().for_each(|file| wait_out_tick(file.before));
        let mut loaded = Ok(());
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| loaded = loading.load(window, sha1_wanted, context));
            storing.store(batch)
        })?;
        contents.extend_from_slice(storing.blobs.contents());
        loaded?;
        std::mem::swap(&mut loading, &mut storing);
        rest = after;
    }
    Ok(contents)
}

/// How many of `files` make a window.
fn window_length(files: &[Unread<'_>]) -> usize {
    let mut left_bytes = WINDOW_BYTES;
    let fits = |file: &&Unread<'_>| {
        let left = left_bytes.checked_sub(file.before.size_bytes());
        left.inspect(|left| left_bytes = *left).is_some()
    };
    files.iter().take(WINDOW_FILES).take_while(fits).count()
}

/// Small files in memory.
#[derive(Default)]
struct Window {
    blobs: Blobs,
    sha1s: Vec<Option<[u8; 20]>>,
}

impl Window {
    fn load(
        &mut self,
        files: &[Unread<'_>],
        sha1_wanted: Sha1Wanted,
        context: &BuildContext<'_>,
    ) -> Result<(), Failure> {
        let sizes: Vec<usize> =
            files.iter().map(|file| file.before.size_bytes() as usize).collect();
        let read = |number: usize, bytes: &mut [u8]| -> Result<_, Failure> {
            files[number].read(bytes)?;
            if is_lfs_pointer(bytes.len() as u64, bytes) {
                return Err(pointer(files[number].path));
            }
            context.advance(bytes.len() as u64)?;
            Ok((sha1_wanted == Sha1Wanted::Yes).then(|| Sha1::digest(&*bytes).into()))
        };
        self.sha1s = self.blobs.fill(&sizes, read)?;
        Ok(())
    }

    fn store(&self, batch: &mut dyn Batch) -> Result<(), Failure> {
        batch.put_blobs(&self.blobs)?;
        for (content, sha1) in self.blobs.contents().iter().zip(&self.sha1s) {
            if let Some(sha1) = sha1 {
                batch.put_memo(SHA1_MEMO, &content.digest, sha1)?;
            }
        }
        Ok(())
    }
}

impl Unread<'_> {
    fn open(&self) -> Result<File, Failure> {
        File::open(self.path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => changed(self.path),
            _ => Failure::io("open", self.path, &error),
        })
    }

    /// Reads all of it to `bytes`, which is as long as the file was.
    fn read(&self, bytes: &mut [u8]) -> Result<(), Failure> {
        let mut file = self.open()?;
        file.read_exact(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => changed(self.path),
            _ => Failure::io("read", self.path, &error),
        })?;
        self.check_unchanged(&file, bytes.len() as u64)
    }

    fn check_unchanged(&self, file: &File, read_bytes: u64) -> Result<(), Failure> {
        let after = file.metadata().map_err(|error| Failure::io("look at", self.path, &error))?;
        let is_same = self.before == StatKey::of(&after) && read_bytes == after.len();
        if is_same { Ok(()) } else { Err(changed(self.path)) }
    }
}

/// A file that did not stay as it was, or went.
pub(super) fn changed(path: &Path) -> Failure {
    Failure::build(format!("`{}` changed while it was read", path.display()))
        .help("let whatever writes it finish, then build again")
}

/// Media with pointers in place of files would be built without a word, and fail on the machine.
fn pointer(path: &Path) -> Failure {
    let path = path.display();
    Failure::build(format!("`{path}` is a git-lfs pointer, not the file it points to"))
        .help(lfs_help("*"))
}

/// Clocks of file systems tick every few milliseconds: of two writes within a tick the second shows
/// in no time stamp.
const TICK: Duration = Duration::from_millis(20);

/// Waits until a later write would show, if the file was changed just now.
fn wait_out_tick(stat: StatKey) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age_ns = now.as_nanos() as i128 - stat.latest_ns();
    // A time in the future is another clock's, which waiting here does not move.
    if let Ok(age_ns) = u64::try_from(age_ns) {
        std::thread::sleep(TICK.saturating_sub(Duration::from_nanos(age_ns)));
    }
}

#[cfg(test)]
mod tests {
    use mediabuild_store::{MemoryStore, Store};

    use super::*;
    use crate::cli::Format;
    use crate::progress::Progress;

    /// Reads files of these sizes, each looked at, then changed by `change`.
    fn read_after(sizes: &[usize], change: impl Fn(&Path)) -> Result<Vec<Content>, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let write = |(number, size): (usize, &usize)| {
            let path = folder.path().join(number.to_string());
            std::fs::write(&path, vec![number as u8; *size]).unwrap();
            (StatKey::of(&path.metadata().unwrap()), path)
        };
        let files: Vec<_> = sizes.iter().enumerate().map(write).collect();
        change(&files[files.len() - 1].1);
        let unread: Vec<_> =
            files.iter().map(|(before, path)| Unread { path, before: *before }).collect();
        let (store, progress) = (MemoryStore::new(), Progress::new(Format::Json));
        let (job, warn) = (progress.job("test", None), |_: &str| ());
        let context = BuildContext {
            store: &store,
            job: &job,
            sha1: Sha1Wanted::Yes,
            paranoid: false,
            warn: &warn,
        };
        let mut batch = store.batch().unwrap();
        read_files(&unread, Sha1Wanted::Yes, &context, batch.as_mut())
    }

    #[test]
    fn contents_come_in_the_order_of_the_files() {
        let mut sizes = vec![5, 2 << 20, 0, 1 << 20];
        sizes.extend([700_000; 40]);
        let contents = read_after(&sizes, |_| ()).unwrap();
        for (number, (content, size)) in contents.iter().zip(&sizes).enumerate() {
            let expected = mediabuild_store::Digest::of(&vec![number as u8; *size]);
            assert_eq!((content.digest, content.size_bytes), (expected, *size as u64));
        }
        assert_eq!(contents.len(), sizes.len());
    }

    #[test]
    fn a_file_that_changed_since_it_was_looked_at_is_an_error() {
        let changes: [fn(&Path); 4] = [
            |path| std::fs::write(path, b"other").unwrap(),
            |path| File::options().append(true).open(path).unwrap().set_len(3 << 20).unwrap(),
            |path| std::fs::remove_file(path).unwrap(),
            |path| {
                let size = path.metadata().unwrap().len() as usize;
                std::thread::sleep(TICK);
                std::fs::write(path, vec![9; size]).unwrap();
            },
        ];
        for sizes in [&[10, 1000][..], &[10, 2 << 20]] {
            for change in changes {
                let failure = read_after(sizes, change).unwrap_err();
                assert!(failure.to_string().contains("changed while it was read"), "{failure}");
            }
        }
    }
}
