//! Contents → their stored forms in a WIM. Compressing costs nearly all the time of a build, so it is
//! paid once: what a content became is remembered by what decides it, and shared by every
//! medium and project of the store.
//!
//! What is not remembered goes through a pipeline of windows:
//!
//! ```text
//! leaf pool      read 3   | read 4   | read 5   ...
//! leaf pool      encode 2 | encode 3 | encode 4 ...      in batches of chunks, results in order
//! this thread    store 1  | store 2  | store 3  ...
//! ```
//! A window holds many small contents, or a segment of a large one, so that memory is bounded whatever
//! a WIM holds. A large content's stored form is a recipe: its chunk table, then its segments.
//! Chunks are encoded one by one, and segments have one size, so no byte depends on how many threads
//! there are, or on what else is compressed.

mod encode;
mod memo;
mod metadata;
mod plain;
mod sample;
mod save;
mod solid;
mod window;

use mediabuild_formats::wim::Resource;
use mediabuild_store::Content;

pub(crate) use encode::Encoders;
pub(crate) use memo::COMPRESSED_MEMO;
pub(crate) use metadata::metadata;
pub(crate) use plain::{Plain, WimResource};
pub(crate) use solid::solid;

use self::memo::Memos;
use self::save::Saver;
use self::window::{OrderedReader, Window, windows};
use super::BuildContext;
use super::coding::Coding;
use super::solid_stream::solid_place;
use crate::cancel;
use crate::failure::Failure;

/// Larger contents are read, encoded and stored in segments of so many bytes, or of one chunk if
/// that is more. Part of what a stored form is called: another size is another recipe.
const SEGMENT_BYTES: u64 = 16 << 20;

/// How a content is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Raw(Content),
    /// As chunk table and chunks.
    Compressed(Content),
}

impl Form {
    fn content(&self) -> Content {
        match self {
            Form::Raw(content) | Form::Compressed(content) => *content,
        }
    }

    /// The form as the resource of a content of `size_bytes`.
    fn resource(self, size_bytes: u64) -> Resource<Content> {
        match self {
            Form::Raw(content) => Resource::Raw { content, size_bytes },
            Form::Compressed(content) => {
                Resource::Stored { content, stored_bytes: content.size_bytes, size_bytes }
            }
        }
    }
}

/// The resources of `plains`, in their order.
pub(crate) fn resources(
    plains: &[Plain<'_>],
    encoders: &Encoders,
    context: &BuildContext<'_>,
) -> Result<Vec<Resource<Content>>, Failure> {
    let coding = encoders.coding();
    if !encoders.are_there() {
        return plains.iter().map(raw).collect();
    }
    let mut forms = Memos::new(coding).recall(plains, context)?;
    raw_recipes(plains, &mut forms, context)?;
    let unknown = unknown(&forms);
    let small = sample::raw_large(plains, &unknown, context)?;
    small.into_iter().for_each(|(number, form)| forms[number] = Some(form));
    let unknown = self::unknown(&forms);
    if !unknown.is_empty() {
        tracing::info!("compressing {} of {} contents", unknown.len(), plains.len());
        let work = Work { plains, coding, encoders, context };
        work.run(&unknown, &mut forms)?;
    }
    let resource = |(plain, form): (&Plain<'_>, Option<Form>)| {
        form.expect("every content has a form now").resource(plain.size_bytes())
    };
    Ok(plains.iter().zip(forms).map(resource).collect())
}

/// What a codec without an encoder makes of a content.
fn raw(plain: &Plain<'_>) -> Result<Resource<Content>, Failure> {
    let content = plain.content();
    let content = content.ok_or_else(|| Failure::build("its base is of two codecs"))?;
    Ok(Form::Raw(content).resource(plain.size_bytes()))
}

fn unknown(forms: &[Option<Form>]) -> Vec<usize> {
    (0..forms.len()).filter(|&number| forms[number].is_none()).collect()
}

/// A content that is a recipe is stored as it is, so that it can be named and nothing is copied.
fn raw_recipes(
    plains: &[Plain<'_>],
    forms: &mut [Option<Form>],
    context: &BuildContext<'_>,
) -> Result<(), Failure> {
    let contents: Vec<(usize, Content)> = unknown(forms)
        .into_iter()
        .filter_map(|number| Some((number, plains[number].content()?)))
        .collect();
    let digests: Vec<_> = contents.iter().map(|(_, content)| content.digest).collect();
    let are_recipes = context.store.are_recipes(&digests)?;
    for ((number, content), _) in contents.into_iter().zip(are_recipes).filter(|(_, it)| *it) {
        forms[number] = Some(Form::Raw(content));
    }
    Ok(())
}

/// Those in solid resources behind the others, in their order there.
fn solid_last(plains: &[Plain<'_>], unknown: &[usize]) -> Result<Vec<usize>, Failure> {
    let mut keyed = Vec::with_capacity(unknown.len());
    for &number in unknown {
        let place = plains[number].solid().map(|it| solid_place(&it.wim.wim, it.entry));
        keyed.push((place.transpose()?, number));
    }
    keyed.sort_unstable();
    Ok(keyed.into_iter().map(|(_, number)| number).collect())
}

/// All that compressing needs, the same for every window.
struct Work<'a> {
    plains: &'a [Plain<'a>],
    coding: Coding,
    encoders: &'a Encoders,
    context: &'a BuildContext<'a>,
}

impl Work<'_> {
    fn run(&self, unknown: &[usize], forms: &mut [Option<Form>]) -> Result<(), Failure> {
        let unknown = solid_last(self.plains, unknown)?;
        let windows = windows(self.plains, &unknown, self.coding);
        let mut ordered = OrderedReader::default();
        let mut saver = Saver::new(self)?;
        let [mut loading, mut encoding, mut saving] = [(); 3].map(|()| Window::default());
        for step in 0..windows.len() + 2 {
            cancel::check()?;
            let units = windows.get(step).map_or(&[][..], Vec::as_slice);
            let (mut loaded, mut encoded) = (Ok(()), Ok(()));
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| encoded = encoding.encode(self));
                scope.spawn(|_| loaded = loading.load(units, &mut ordered, self));
                saver.save(&saving, forms)
            })?;
            encoded?;
            loaded?;
            std::mem::swap(&mut saving, &mut encoding);
            std::mem::swap(&mut encoding, &mut loading);
        }
        saver.finish()
    }
}
