//! The two traits every store offers: [`Store`] reads, [`Batch`] writes.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use crate::{
    Blobs, Conflict, Content, DerivationId, DerivationLock, Digest, Directory, Error, Output, Part,
    Problem, RandomReader, Reader, Recipe, Root, derivation_lock,
};

/// A place that keeps bytes by digest. Shared by all jobs of a build.
pub trait Store: Send + Sync {
    /// The content named `digest` (a blob, a part or a recipe), or `None`.
    fn find(&self, digest: &Digest) -> Result<Option<Content>, Error>;

    /// [`Store::find`] for each of `digests`, in their order: far cheaper than one by one where
    /// there are thousands.
    fn find_many(&self, digests: &[Digest]) -> Result<Vec<Option<Content>>, Error> {
        digests.iter().map(|digest| self.find(digest)).collect()
    }

    /// Reads a content from its first byte to its last. Every blob and part is hashed on the way:
    /// a difference is an `io::Error` of kind `InvalidData` that wraps [`Error::Corrupt`], before
    /// the reader reports the end. Nested recipes are followed.
    fn open(&self, digest: &Digest) -> Result<Reader, Error>;

    /// Random access to a content, for parsers. Not verified piece by piece: a caller trusts what
    /// was verified on entry, or checks the format's own hashes.
    fn open_at(&self, digest: &Digest) -> Result<RandomReader, Error>;

    /// The recipe named `digest`; `None` if `digest` is not a recipe.
    fn recipe(&self, digest: &Digest) -> Result<Option<Recipe>, Error>;

    /// Whether each of `digests` is a recipe, in their order: far cheaper than [`Store::recipe`] one
    /// by one where there are thousands.
    fn are_recipes(&self, digests: &[Digest]) -> Result<Vec<bool>, Error> {
        digests.iter().map(|digest| Ok(self.recipe(digest)?.is_some())).collect()
    }

    /// The parts registered for an imported container, by offset.
    fn parts(&self, container: &Digest) -> Result<Vec<Part>, Error>;

    /// The directory named `digest`.
    fn directory(&self, digest: &Digest) -> Result<Directory, Error>;

    /// [`Store::directory`] for each of `digests`, in their order: far cheaper than one by one where
    /// there are hundreds.
    fn directories(&self, digests: &[Digest]) -> Result<Vec<Directory>, Error> {
        digests.iter().map(|digest| self.directory(digest)).collect()
    }

    /// What `id` was realised to; `None` if never, or if its output is no longer whole here
    /// (a recipe's contents and a directory's entries are looked up too; that a recipe or directory
    /// is damaged counts, damage inside a blob shows only on reading).
    fn realisation(&self, id: &DerivationId) -> Result<Option<Output>, Error>;

    /// Whether `output` is here, with all it names, as [`Store::realisation`] asks it.
    fn is_whole(&self, output: &Output) -> Result<bool, Error>;

    /// [`Store::is_whole`] for each of `outputs`, in their order: far cheaper than one by one.
    fn are_whole(&self, outputs: &[Output]) -> Result<Vec<bool>, Error> {
        outputs.iter().map(|output| self.is_whole(output)).collect()
    }

    /// [`Store::realisation`] of each of `ids`, in their order: what a build that has nothing to do
    /// asks, so it is far cheaper than one by one.
    fn realisations(&self, ids: &[DerivationId]) -> Result<Vec<Option<Output>>, Error> {
        ids.iter().map(|id| self.realisation(id)).collect()
    }

    /// What each of `ids` was realised to, in their order, whether or not all of that is still here:
    /// for who will read none of it. One look at the index.
    fn recorded(&self, ids: &[DerivationId]) -> Result<Vec<Option<Output>>, Error>;

    /// The right to build `id`, unless a thread or process has it.
    fn try_lock_derivation(&self, id: &DerivationId) -> Result<Option<DerivationLock<'_>>, Error>;

    /// Waits for the right to build `id`. Who had to wait looks the realisation up again: most
    /// likely the other one has made it. `go_on` is asked before each pause of 50 ms at most, so it
    /// is the place to say that somebody else is building; if it answers `false`, that is
    /// [`Error::Cancelled`]. Never wait for one lock while holding another.
    fn lock_derivation(
        &self,
        id: &DerivationId,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<DerivationLock<'_>, Error> {
        derivation_lock::wait(|| self.try_lock_derivation(id), go_on)
    }

    /// Derivations that gave a second, different output, and when they did nothing of it was kept.
    fn conflicts(&self) -> Result<Vec<Conflict>, Error>;

    /// A remembered fact about `key` in `table`, such as the SHA-1 of a content.
    /// Memos save time and never decide an output.
    fn memo(&self, table: &str, key: &Digest) -> Result<Option<Vec<u8>>, Error>;

    /// [`Store::memo`] for each of `keys`, in their order, all of one moment.
    fn memos(&self, table: &str, keys: &[Digest]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        keys.iter().map(|key| self.memo(table, key)).collect()
    }

    /// Starts a batch of writes. Nothing of it is visible before [`Batch::commit`].
    fn batch(&self) -> Result<Box<dyn Batch + '_>, Error>;

    /// The gc root of that name.
    fn root(&self, name: &str) -> Result<Option<Root>, Error>;

    /// All gc roots, by name.
    fn roots(&self) -> Result<Vec<Root>, Error>;

    /// Adds a gc root or replaces the one of that name.
    fn set_root(&self, root: &Root) -> Result<(), Error>;

    /// Says that the root of that name is in use: with a limit, what was used last is collected
    /// last. Kept to the hour, and as far as the store can be written.
    fn touch_root(&self, name: &str);

    /// Removes the gc root of that name, if there is one.
    fn remove_root(&self, name: &str) -> Result<(), Error>;

    /// Re-reads every blob, part, recipe and directory and compares it with its name.
    /// `progress` hears the bytes read so far and the bytes to read in all, and stops the walk
    /// by answering `false` (then [`Error::Cancelled`]).
    fn verify(&self, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<Vec<Problem>, Error>;

    /// A folder for what is under way and outlives its process, such as downloads. Whoever puts
    /// something there takes it away again; nothing in it is a content of the store.
    fn unfinished(&self) -> Result<PathBuf, Error> {
        let path = PathBuf::from("unfinished");
        Err(Error::Io { doing: "keep", path, cause: std::io::ErrorKind::Unsupported.into() })
    }

    /// The store's own random key (file mode 0600), for fingerprints of secrets.
    fn secret_key(&self) -> Result<[u8; 32], Error>;
}

/// Sees each piece of a blob on its way, in order, perhaps on another thread, and answers whether
/// to go on: if not, that is [`Error::Cancelled`].
pub type Observe<'a> = dyn FnMut(&[u8]) -> bool + Send + 'a;

/// Writes that become durable and visible together.
pub trait Batch {
    /// Stores all bytes of `source`; `observe` is for a second hash, progress, and stopping.
    fn put_blob(
        &mut self,
        source: &mut dyn Read,
        observe: &mut Observe<'_>,
    ) -> Result<Content, Error>;

    /// [`Batch::put_blob`] of the bytes of `file` that are not read yet: all of them, of a file that
    /// was just opened. Then it may share the file's bytes where the file system can do that; they
    /// stay as they are now when the file changes.
    fn put_file(&mut self, file: &mut File, observe: &mut Observe<'_>) -> Result<Content, Error> {
        self.put_blob(file, observe)
    }

    /// Stores each of `blobs`: far cheaper than one by one where there are thousands.
    fn put_blobs(&mut self, blobs: &Blobs) -> Result<(), Error> {
        blobs.iter().try_for_each(|(_, bytes)| self.put_bytes(bytes).map(drop))
    }

    /// Stores `bytes`.
    fn put_bytes(&mut self, bytes: &[u8]) -> Result<Content, Error>;

    /// Registers ranges of `container`, a blob that the store or this batch holds, as contents of
    /// their own. The caller has computed each digest from the container's bytes.
    fn put_parts(&mut self, container: &Digest, parts: &[Part]) -> Result<(), Error>;

    /// Stores a recipe. Every content it names must be in the store or in this batch, with the
    /// size it says.
    fn put_recipe(&mut self, recipe: &Recipe) -> Result<Content, Error>;

    /// Stores a directory. Every entry must be in the store or in this batch.
    fn put_directory(&mut self, directory: &Directory) -> Result<Digest, Error>;

    /// [`Batch::put_directory`] for each, where an entry may also be one that comes before it: far
    /// cheaper than one by one where there are thousands.
    fn put_directories(&mut self, directories: &[Directory]) -> Result<(), Error> {
        directories.iter().try_for_each(|directory| self.put_directory(directory).map(drop))
    }

    /// Remembers a fact about `key` in `table`; it goes when `key` is a content that is collected.
    fn put_memo(&mut self, table: &str, key: &Digest, value: &[u8]) -> Result<(), Error>;

    /// [`Batch::put_memo`], of a fact that is worth nothing without `about`, a content or directory:
    /// it goes when that is collected.
    fn put_memo_about(
        &mut self,
        table: &str,
        key: &Digest,
        about: &Digest,
        value: &[u8],
    ) -> Result<(), Error>;

    /// Records what `id` was realised to. A second, different output for one id is
    /// [`Error::Conflict`], now or at the commit; the first one stays, and [`Store::conflicts`]
    /// tells of both.
    fn put_realisation(&mut self, id: &DerivationId, output: &Output) -> Result<(), Error>;

    /// Remembers what `id`, whose realisation is in this batch, was made from: as long as its output
    /// is needed these stay too, so that an unchanged build finds all its steps known.
    fn put_inputs(&mut self, id: &DerivationId, inputs: &[Output]) -> Result<(), Error>;

    /// Makes everything durable, then visible. A dropped batch leaves nothing behind.
    fn commit(self: Box<Self>) -> Result<(), Error>;
}
