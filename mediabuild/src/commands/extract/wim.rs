//! Files of an image: each content is decoded once, and written to all files that have it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::sync::{Mutex, PoisonError};

use mediabuild_formats::source::Source;
use mediabuild_formats::wim::{BlobEntry, Sha1, Wim};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::place::Place;
use super::reparse::link_text;
use super::tree::{Content, Plan};
use crate::decode::{BlobSink, decode};
use crate::failure::Failure;
use crate::progress::Job;

/// Files of one content that are written at once; further ones are copied from the first.
const OPEN_FILES: usize = 16;
/// Reparse data is no larger in Windows.
const REPARSE_LIMIT_BYTES: u64 = 16 << 10;

/// The image that is meant, by its number or its name.
pub(super) fn index_of(wim: &Wim, image: Option<&str>) -> Result<usize, Failure> {
    let name = |index| wim.xml.image(index).and_then(|xml| xml.text("NAME")).unwrap_or_default();
    let listed = || {
        let images = (1..=wim.images.len()).map(|index| format!("{index} ({})", name(index)));
        images.collect::<Vec<_>>().join(", ")
    };
    let Some(wanted) = image else {
        return match wim.images.len() {
            1 => Ok(1),
            _ => Err(Failure::usage("it has several images, or none")
                .help(format!("choose one with --image: {}", listed()))),
        };
    };
    let by_name = (1..=wim.images.len()).find(|&index| name(index) == wanted);
    let by_number = wanted.parse().ok().filter(|index| (1..=wim.images.len()).contains(index));
    by_number
        .or(by_name)
        .ok_or_else(|| Failure::build(format!("there is no image `{wanted}`: it has {}", listed())))
}

/// Writes the files, links and symbolic links of a plan, whose folders are there.
pub(super) fn write<S: Source + Send + Sync>(
    wim: &Wim,
    source: &S,
    plan: &Plan,
    place: &Place,
    job: &Job<'_>,
) -> Result<(), Failure> {
    let writer = Writer::new(wim, plan, place);
    writer.empty.par_iter().try_for_each(|&file| {
        let file = &plan.files[file];
        match place.make_file(&file.path)? {
            Some(opened) => place.finish_file(&file.path, &opened, 0, file.modified),
            None => Ok(()),
        }
    })?;
    job.expect(writer.entries.iter().map(|entry| entry.resource.stored_bytes).sum());
    decode(wim, source, &writer.entries, &writer, |bytes| job.advance(bytes))?;
    // Links come last: nothing is ever written with one of them there.
    for (first, path) in &plan.hard_links {
        place.link(&plan.files[*first].path, path)?;
    }
    let data = writer.reparse_data.into_inner().unwrap_or_else(PoisonError::into_inner);
    for link in &plan.links {
        let Some(data) = data.get(&link.sha1) else { continue };
        match link_text(link.tag, data, &link.path) {
            Ok(text) => place.symlink(&text, &link.path, link.modified)?,
            Err(problem) => place.problem(&link.path, &problem),
        }
    }
    Ok(())
}

/// Where contents go.
struct Writer<'a> {
    plan: &'a Plan,
    place: &'a Place,
    /// What is decoded, and who uses it: files, or else links.
    entries: Vec<&'a BlobEntry>,
    users: Vec<Vec<User>>,
    empty: Vec<usize>,
    reparse_data: Mutex<BTreeMap<Sha1, Vec<u8>>>,
}

/// A position in the plan's files or links.
#[derive(Clone, Copy)]
enum User {
    File(usize),
    Link(usize),
}

/// One content on its way to disk.
struct Opened {
    files: Vec<(usize, File)>,
    /// Files that get a copy of the first.
    later: Vec<usize>,
    reparse_data: Option<Vec<u8>>,
}

impl<'a> Writer<'a> {
    fn new(wim: &'a Wim, plan: &'a Plan, place: &'a Place) -> Writer<'a> {
        let mut users: BTreeMap<Sha1, Vec<User>> = BTreeMap::new();
        let mut empty = Vec::new();
        for (position, file) in plan.files.iter().enumerate() {
            match &file.content {
                Content::Blob(sha1) if sha1.is_empty_stream() => empty.push(position),
                Content::Blob(sha1) => users.entry(*sha1).or_default().push(User::File(position)),
                Content::Disc(_) => {}
            }
        }
        for (position, link) in plan.links.iter().enumerate() {
            users.entry(link.sha1).or_default().push(User::Link(position));
        }
        let reparse_data = Mutex::default();
        let mut writer =
            Writer { plan, place, entries: Vec::new(), users: Vec::new(), empty, reparse_data };
        for (sha1, users) in users {
            match wim.blob(&sha1) {
                Some(entry) => {
                    writer.entries.push(entry);
                    writer.users.push(users);
                }
                None => writer.missing(&sha1, &users),
            }
        }
        writer
    }

    fn missing(&self, sha1: &Sha1, users: &[User]) {
        let problem = format!("its content {sha1} is not in the file: a delta of another WIM?");
        users.iter().for_each(|user| self.place.problem(self.path(*user), &problem));
    }

    fn path(&self, user: User) -> &'a std::path::Path {
        match user {
            User::File(position) => &self.plan.files[position].path,
            User::Link(position) => &self.plan.links[position].path,
        }
    }

    /// Files of the content of the first one.
    fn copy(&self, from: &mut File, to: &[usize], size_bytes: u64) -> Result<(), Failure> {
        for &position in to {
            let file = &self.plan.files[position];
            let Some(mut opened) = self.place.make_file(&file.path)? else { continue };
            let copied = from.rewind().and_then(|()| io::copy(from, &mut opened));
            copied.map_err(|error| self.place.failure(&file.path, &error))?;
            self.place.finish_file(&file.path, &opened, size_bytes, file.modified)?;
        }
        Ok(())
    }
}

impl BlobSink for Writer<'_> {
    type Open = Opened;

    fn open(&self, blob: usize) -> Result<Opened, Failure> {
        let users = &self.users[blob];
        let is_link = users.iter().any(|user| matches!(user, User::Link(_)));
        let is_small = self.entries[blob].size_bytes() <= REPARSE_LIMIT_BYTES;
        let reparse_data = (is_link && is_small).then(Vec::new);
        let mut opened = Opened { files: Vec::new(), later: Vec::new(), reparse_data };
        for user in users {
            let User::File(position) = *user else { continue };
            if opened.files.len() == OPEN_FILES {
                opened.later.push(position);
            } else if let Some(file) = self.place.make_file(&self.plan.files[position].path)? {
                opened.files.push((position, file));
            }
        }
        Ok(opened)
    }

    fn write(&self, opened: &mut Opened, bytes: &[u8]) -> Result<(), Failure> {
        for (position, file) in &mut opened.files {
            let written = file.write_all(bytes);
            written.map_err(|e| self.place.failure(&self.plan.files[*position].path, &e))?;
        }
        if let Some(data) = &mut opened.reparse_data {
            data.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn close(&self, blob: usize, opened: Opened, damage: Option<String>) -> Result<(), Failure> {
        if let Some(damage) = damage {
            let offset = self.entries[blob].resource.offset_bytes;
            let problem = format!("its content, at offset {offset:#x}, is damaged: {damage}");
            return self.users[blob].iter().try_for_each(|user| match user {
                User::File(_) => self.place.give_up(self.path(*user), &problem),
                User::Link(_) => {
                    self.place.problem(self.path(*user), &problem);
                    Ok(())
                }
            });
        }
        let size_bytes = self.entries[blob].size_bytes();
        let Opened { mut files, later, reparse_data } = opened;
        for (position, opened) in &files {
            let file = &self.plan.files[*position];
            self.place.finish_file(&file.path, opened, size_bytes, file.modified)?;
        }
        if let Some((_, first)) = files.first_mut() {
            self.copy(first, &later, size_bytes)?;
        }
        if let Some(data) = reparse_data {
            let mut all = self.reparse_data.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(self.entries[blob].sha1, data);
        } else if self.users[blob].iter().any(|user| matches!(user, User::Link(_))) {
            let too_large = "its reparse data is larger than Windows has it";
            let links = self.users[blob].iter().filter(|user| matches!(user, User::Link(_)));
            links.for_each(|user| self.place.problem(self.path(*user), too_large));
        }
        Ok(())
    }
}
