//! An edited image → the recipe of a WIM.
//!
//! One codec per WIM. Resources of the base that have it are named, never copied nor recompressed;
//! everything else is compressed, or was once (see [`compress`](super::compress)).

use std::collections::{BTreeMap, BTreeSet};

use mediabuild_formats::layout::Sink;
use mediabuild_formats::wim::{
    Compression, Element, Header, Options, OutputImage, Resource, Sha1, SolidResource, Writer,
    header_flag,
};
use mediabuild_store::{Content, Digest, Output, RecipeBuilder};

use super::BuildContext;
use super::coding::{Coding, CodingRequest};
use super::compress::{self, Encoders, Plain, WimResource};
use super::delivery::{Delivery, Files};
use super::wim_content::{WimContent, is_compressed};
use super::wim_edit::WimEdit;
use crate::failure::Failure;

/// A blob's resource, or what it is to be made of.
enum Blob<'a> {
    Resource(Resource<Content>),
    Plain(Plain<'a>),
}

impl WimEdit {
    /// Stores the recipe of a WIM with this one image, or a folder of those of its parts.
    pub(crate) fn finish(
        mut self,
        context: &BuildContext<'_>,
        boot_index: u32,
        request: &CodingRequest,
        delivery: &Delivery,
    ) -> Result<Output, Failure> {
        self.stamp();
        let said = request.coding(self.header())?;
        let solid = match said.filter(|_| request.is_solid()) {
            Some(coding) => self.solid(&Encoders::new(coding), context)?,
            None => Vec::new(),
        };
        let coding = if request.is_solid() { said.map(Coding::beside_solid) } else { said };
        let encoders = coding.map(Encoders::new);
        let in_solid: BTreeSet<Sha1> =
            solid.iter().flat_map(|it| &it.blobs).map(|blob| blob.sha1).collect();
        let resources = match &encoders {
            Some(encoders) => self.compressed(&in_solid, encoders, context)?,
            None => self.uncompressed(context)?,
        };
        let root = self.base().map_or_else(Element::default, |base| base.wim.xml.root.clone());
        let images = [OutputImage { image: &self.image, xml: self.xml.clone() }];
        let mut failure = None;
        let compress_metadata = |plain: &[u8]| {
            let stored = compress::metadata(plain, encoders.as_ref()?, context);
            stored.unwrap_or_else(|error| {
                failure.get_or_insert(error);
                None
            })
        };
        let options = Options { integrity: delivery.integrity, ..self.options(boot_index, coding) };
        let writer = Writer::new(&images, options);
        let writer = writer.with_root(&root).with_solid(solid).with_metadata(compress_metadata);
        let mut resolve = |sha1: &Sha1| resources.get(sha1).copied();
        let files = match &delivery.split {
            None => Files::Whole(Box::new(writer.place(&mut resolve)?)),
            Some(split) => Files::Parts(split, writer.split(split.part_bytes, &mut resolve)?),
        };
        match failure {
            Some(failure) => Err(failure),
            None => files.deliver(context),
        }
    }

    fn header(&self) -> Option<&Header> {
        self.base().map(|base| &base.wim.header)
    }

    fn options(&self, boot_index: u32, coding: Option<Coding>) -> Options {
        Options {
            compression: coding.map_or(Compression::None, Coding::compression),
            chunk_bytes: coding.map_or(0, |coding| coding.chunk_bytes),
            boot_index,
            rp_fix: self.header().is_none_or(|header| header.flags & header_flag::RP_FIX != 0),
            ..Options::default()
        }
    }

    /// The resources of all blobs in an output of one codec.
    fn compressed(
        &self,
        in_solid: &BTreeSet<Sha1>,
        encoders: &Encoders,
        context: &BuildContext<'_>,
    ) -> Result<BTreeMap<Sha1, Resource<Content>>, Failure> {
        let coding = encoders.coding();
        let (mut resources, mut sha1s, mut plains) = (BTreeMap::new(), Vec::new(), Vec::new());
        for sha1 in self.blobs().into_iter().filter(|sha1| !in_solid.contains(sha1)) {
            match self.blob(&sha1, coding)? {
                None => {}
                Some(Blob::Resource(resource)) => drop(resources.insert(sha1, resource)),
                Some(Blob::Plain(plain)) => {
                    sha1s.push(sha1);
                    plains.push(plain);
                }
            }
        }
        let made = compress::resources(&plains, encoders, context)?;
        resources.extend(sha1s.into_iter().zip(made));
        Ok(resources)
    }

    /// One solid resource for each layer. A content that is a recipe stays by itself.
    fn solid(
        &self,
        encoders: &Encoders,
        context: &BuildContext<'_>,
    ) -> Result<Vec<SolidResource<Content>>, Failure> {
        let mut solid = Vec::new();
        for layer in self.layers() {
            let mut blobs = Vec::with_capacity(layer.len());
            for sha1 in layer {
                blobs.extend(self.plain(&sha1)?.map(|plain| (sha1, plain)));
            }
            let contents = blobs.iter().filter_map(|(_, plain)| plain.content());
            let digests: Vec<Digest> = contents.map(|content| content.digest).collect();
            let are_recipes = context.store.are_recipes(&digests)?;
            let recipes: BTreeSet<Digest> = digests
                .into_iter()
                .zip(are_recipes)
                .filter_map(|(it, is)| is.then_some(it))
                .collect();
            blobs.retain(|(_, plain)| {
                plain.content().is_none_or(|content| !recipes.contains(&content.digest))
            });
            solid.extend(compress::solid(&blobs, encoders, context)?);
        }
        Ok(solid)
    }

    /// A blob's plain bytes, wherever they are.
    fn plain(&self, sha1: &Sha1) -> Result<Option<Plain<'_>>, Failure> {
        if let Some(content) = self.added(sha1) {
            return Ok(Some(Plain::Content(content)));
        }
        match self.base() {
            Some(base) => base_plain(base, sha1),
            None => Ok(None),
        }
    }

    /// The base comes first; `None`: nobody has it, which the writer tells with the file's path.
    fn blob(&self, sha1: &Sha1, coding: Coding) -> Result<Option<Blob<'_>>, Failure> {
        let from_base = match self.base() {
            Some(base) => base_blob(base, sha1, coding)?,
            None => None,
        };
        let added = || self.added(sha1).map(|content| Blob::Plain(Plain::Content(content)));
        Ok(from_base.or_else(added))
    }

    /// The resources of all blobs in an output without a codec.
    fn uncompressed(
        &self,
        context: &BuildContext<'_>,
    ) -> Result<BTreeMap<Sha1, Resource<Content>>, Failure> {
        let mut batch = context.store.batch()?;
        let (mut resources, blobs) = (BTreeMap::new(), self.blobs());
        let of_base = match self.base() {
            None => BTreeMap::new(),
            Some(base) => {
                let of_base = blobs.iter().filter(|sha1| base.wim.blob(sha1).is_some()).copied();
                base.decoded_all(of_base, context, batch.as_mut())?
            }
        };
        for sha1 in blobs {
            let content = of_base.get(&sha1).copied().or_else(|| self.added(&sha1));
            let raw = |content: Content| Resource::Raw { content, size_bytes: content.size_bytes };
            resources.extend(content.map(|content| (sha1, raw(content))));
        }
        batch.commit()?;
        Ok(resources)
    }
}

/// The plain bytes of a blob of the base.
fn base_plain<'a>(base: &'a WimContent, sha1: &Sha1) -> Result<Option<Plain<'a>>, Failure> {
    let Some(entry) = base.wim.blob(sha1) else { return Ok(None) };
    let stored = match base.resource(sha1)? {
        Some(Resource::Raw { content, .. }) => return Ok(Some(Plain::Content(content))),
        Some(Resource::Stored { content, .. }) => Some(content),
        Some(Resource::InBase { .. }) | None => None,
    };
    Ok(Some(Plain::Resource(WimResource { wim: base, entry, stored })))
}

/// What the base has of a blob: its resource if that can be used as it is.
fn base_blob<'a>(
    base: &'a WimContent,
    sha1: &Sha1,
    coding: Coding,
) -> Result<Option<Blob<'a>>, Failure> {
    let Some(entry) = base.wim.blob(sha1) else { return Ok(None) };
    let plain = |stored| Blob::Plain(Plain::Resource(WimResource { wim: base, entry, stored }));
    let Some(resource) = base.resource(sha1)? else { return Ok(Some(plain(None))) };
    Ok(Some(match resource {
        resource if coding.is_of(&base.wim.header) => Blob::Resource(resource),
        Resource::Stored { content: stored, .. } if is_compressed(entry) => plain(Some(stored)),
        Resource::Raw { content, .. } => Blob::Plain(Plain::Content(content)),
        other => Blob::Resource(other),
    }))
}

/// Turns a layout into a recipe.
pub(crate) struct RecipeSink(pub(crate) RecipeBuilder);

impl Sink<Content> for RecipeSink {
    fn literal(&mut self, bytes: &[u8]) {
        self.0.literal(bytes);
    }

    fn zeros(&mut self, count_bytes: u64) {
        self.0.zeros(count_bytes);
    }

    fn content(&mut self, content: &Content, size_bytes: u64) {
        debug_assert_eq!(content.size_bytes, size_bytes, "contents are named whole");
        self.0.content(*content);
    }

    fn position_bytes(&self) -> u64 {
        self.0.position_bytes()
    }
}
