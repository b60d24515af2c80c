//! A disk image, or a FAT volume without a partition table, opened for looking.

use mediabuild_formats::fat::Volume;
use mediabuild_formats::partition::{Part, Partition, Table};
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::{Entry, Finding, ReadError};
use serde_json::{Value, json};

use crate::failure::Failure;

/// A disk with its FAT volumes.
pub(crate) struct DiskImage {
    /// `None`: the whole file is one volume.
    pub(crate) table: Option<Table>,
    pub(crate) volumes: Vec<DiskVolume>,
}

/// A FAT volume and where it starts.
pub(crate) struct DiskVolume {
    /// Its number in the partition table, from 1.
    pub(crate) number: usize,
    start_bytes: u64,
    size_bytes: u64,
    pub(crate) volume: Volume,
}

impl DiskImage {
    /// Opens what is a FAT volume, or has one on a partition; `None` for anything else.
    pub(crate) fn open<S: Source + ?Sized>(source: &S) -> Option<DiskImage> {
        if let Ok(volume) = Volume::open(source) {
            let size_bytes = source.size_bytes();
            let volumes = vec![DiskVolume { number: 1, start_bytes: 0, size_bytes, volume }];
            return Some(DiskImage { table: None, volumes });
        }
        let table = Table::read(source).ok()?;
        let volume = |(number, partition): (usize, &Partition)| {
            let Partition { start_bytes, size_bytes, .. } = *partition;
            let volume = Volume::open(&Part::new(source, start_bytes, size_bytes)).ok()?;
            Some(DiskVolume { number, start_bytes, size_bytes, volume })
        };
        let volumes: Vec<DiskVolume> = (1..).zip(&table.partitions).filter_map(volume).collect();
        (!table.partitions.is_empty()).then_some(DiskImage { table: Some(table), volumes })
    }

    /// What is wrong with a file that has a partition table and yet is no disk image that can be read;
    /// `None` for a file without one.
    pub(crate) fn damage<S: Source + ?Sized>(source: &S) -> Option<String> {
        match Table::read(source) {
            Ok(table) => {
                let all: Vec<String> = table.findings.into_iter().map(|it| it.message).collect();
                (!all.is_empty()).then(|| all.join("; "))
            }
            // Any boot sector ends like one, but only a disk has an entry that says "here is a GPT".
            Err(error) => (error.offset_bytes() > 510).then(|| error.to_string()),
        }
    }

    /// All files and folders, a folder before what is in it, extents counted from the start of the
    /// disk. Of several volumes each is a folder called like its partition's number.
    pub(crate) fn entries<S: Source + ?Sized>(&self, source: &S) -> Result<Vec<Entry>, Failure> {
        let mut entries = Vec::new();
        for volume in &self.volumes {
            let walked =
                volume.volume.walk(&volume.part(source)).map_err(|error| volume.at(&error))?;
            let folder = (self.volumes.len() > 1).then(|| volume.number.to_string());
            entries.extend(folder.as_deref().map(folder_entry));
            for mut entry in walked {
                if let Some(folder) = &folder {
                    entry.path = format!("{folder}/{}", entry.path);
                }
                for extent in &mut entry.extents {
                    extent.offset_bytes = extent.offset_bytes.map(|at| at + volume.start_bytes);
                }
                entries.push(entry);
            }
        }
        entries.sort_by_cached_key(|entry| {
            entry.path.split('/').map(str::to_lowercase).collect::<Vec<_>>()
        });
        Ok(entries)
    }

    /// What it says of itself.
    pub(crate) fn facts(&self, size_bytes: u64) -> Value {
        let volume = |it: &DiskVolume| {
            json!({
                "partition": it.number,
                "file-system": it.volume.variant().name(),
                "label": it.volume.label(),
                "serial": format!("{:08X}", it.volume.serial()),
                "size": it.volume.size_bytes(),
                "cluster-size": it.volume.cluster_bytes(),
            })
        };
        let partition = |(number, it): (usize, &Partition)| {
            json!({
                "number": number,
                "type": it.kind,
                "start": it.start_bytes,
                "size": it.size_bytes,
                "active": it.is_active,
                "name": it.name,
            })
        };
        let table = self.table.as_ref();
        let partitions = table.iter().flat_map(|table| (1..).zip(&table.partitions));
        json!({
            "format": "disk",
            "size": size_bytes,
            "table": table.map(|table| table.scheme),
            "id": table.map(|table| &table.disk_id),
            "partitions": partitions.map(partition).collect::<Vec<_>>(),
            "volumes": self.volumes.iter().map(volume).collect::<Vec<_>>(),
        })
    }

    /// What is wrong with the table and the volumes.
    pub(crate) fn verify<S: Source + ?Sized>(&self, source: &S) -> Vec<String> {
        let of_table = self.table.iter().flat_map(|table| &table.findings);
        let mut found: Vec<String> = of_table.map(|finding| finding.message.clone()).collect();
        for volume in &self.volumes {
            let findings = volume.volume.verify(&volume.part(source));
            let place = |finding: Finding| match volume.start_bytes {
                0 => finding.message,
                _ => format!("partition {}, {}", volume.number, finding.message),
            };
            found.extend(findings.into_iter().map(place));
        }
        found
    }
}

impl DiskVolume {
    fn part<'s, S: Source + ?Sized>(&self, source: &'s S) -> Part<&'s S> {
        Part::new(source, self.start_bytes, self.size_bytes)
    }

    fn at(&self, error: &ReadError) -> Failure {
        Failure::build(format!("partition {}: {error}", self.number))
    }
}

fn folder_entry(path: &str) -> Entry {
    Entry {
        path: path.to_owned(),
        is_directory: true,
        size_bytes: 0,
        modified_seconds: None,
        extents: Vec::new(),
        link: None,
        mode: None,
    }
}
