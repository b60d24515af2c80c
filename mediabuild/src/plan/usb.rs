//! A medium's disk image → a derivation of its own, beside that of the ISO if there is one.

use mediabuild_schema::definition::{Kind, Media, PartitionTable};

use super::media::packages_folder;
use super::{Planner, Target};
use crate::builders::coding::CodingRequest;
use crate::builders::usb::{Table, Usb};
use crate::derivation::{DerivationIdx, Input};

/// Bytes of a FAT label.
const LABEL_BYTES: usize = 11;

impl Planner<'_> {
    /// Adds the disk image of a medium that has one; it takes what the ISO takes but its boot images.
    pub(super) fn disk_image(&mut self, media: &Media, inputs: &[Input]) -> Option<DerivationIdx> {
        let usb = media.usb.as_ref()?;
        let label = usb.label.as_ref().map(|label| label.value.clone());
        let builder = Usb {
            table: match usb.table {
                PartitionTable::Mbr => Table::Mbr,
                PartitionTable::Gpt => Table::Gpt,
            },
            label: label.unwrap_or_else(|| label_of(&media.name.value)),
            size_bytes: usb.size_bytes.as_ref().map(|size| size.value),
            packages: packages_folder(media),
            epoch_seconds: self.epoch_seconds,
            metadata: CodingRequest::default(),
        };
        let derivation = self.add(format!("usb {}", media.name.value), builder, inputs.to_vec());
        self.disk_images.insert(media.name.value.clone(), derivation);
        Some(derivation)
    }

    /// The disk image of a medium as a target of its own; not of one that is nothing else.
    pub(super) fn disk_image_target(&self, kind: Kind, name: &str) -> Option<Target> {
        let media = self.definitions.media(name).filter(|_| kind == Kind::Media)?;
        media.output.as_ref()?;
        let derivation = *self.disk_images.get(name)?;
        let result = media.usb.as_ref()?.file.value.clone();
        let name = name.to_owned();
        Some(Target { kind, name, derivation, result, folder: None, former: None })
    }
}

/// What is left of a name as the label of a FAT volume.
fn label_of(name: &str) -> String {
    let kept = name.chars().map(|character| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => character.to_ascii_uppercase(),
        _ => '_',
    });
    kept.take(LABEL_BYTES).collect()
}
