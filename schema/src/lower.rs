//! Nodes to definitions: each kind's nodes through its `lower`.

use std::path::Path;

use crate::check::{Lowered, check};
use crate::def::{
    Lowering, application, boot_image, driver_package, media, os_image, package, project, variables,
};
use crate::definition::{
    Application, BootImage, Definitions, DriverPackage, Kind, Media, OsImage, Package, Project,
    Spanned, Variables,
};
use crate::diagnostic::Diagnostic;
use crate::lookup::Places;
use crate::node::Node;
use crate::text::{Span, TextIdx, Texts};

/// The definitions that could be lowered. Those that could not have diagnostics.
#[derive(Debug)]
pub(crate) struct Partial {
    project: Option<Project>,
    boot_images: Vec<BootImage>,
    os_images: Vec<OsImage>,
    driver_packages: Vec<DriverPackage>,
    applications: Vec<Application>,
    packages: Vec<Package>,
    variables: Vec<Variables>,
    media: Vec<Media>,
}

/// Lowers all nodes of the top level.
pub(crate) fn lower(lowering: Lowering<'_>, nodes: &[Node<'_>]) -> Partial {
    let of = |kind: Kind| nodes.iter().copied().filter(move |n| n.name() == kind.node_name());
    let mut projects = nodes.iter().filter(|node| node.name() == "project");
    let variables: Vec<Variables> =
        of(Kind::Variables).filter_map(|n| variables::lower(n, lowering)).collect();
    Partial {
        project: projects.find_map(|node| project::lower(*node, lowering.folder)),
        boot_images: of(Kind::BootImage).filter_map(|n| boot_image::lower(n, lowering)).collect(),
        os_images: of(Kind::OsImage).filter_map(|n| os_image::lower(n, lowering)).collect(),
        driver_packages: of(Kind::DriverPackage)
            .filter_map(|n| driver_package::lower(n, lowering))
            .collect(),
        applications: of(Kind::Application)
            .filter_map(|n| application::lower(n, lowering))
            .collect(),
        packages: of(Kind::Package).filter_map(|n| package::lower(n, lowering)).collect(),
        media: of(Kind::Media).filter_map(|n| media::lower(n, lowering, &variables)).collect(),
        variables,
    }
}

impl Partial {
    /// Everything that is wrong between the definitions there are.
    pub(crate) fn check(&self) -> Vec<Diagnostic> {
        check(&Lowered {
            applications: &self.applications,
            boot_images: &self.boot_images,
            os_images: &self.os_images,
            media: &self.media,
        })
    }

    /// The definitions. A project node that could not be lowered is an error of its own; a
    /// nameless one stands in for it.
    pub(crate) fn finish(self, texts: Texts, folder: &Path) -> Definitions {
        let mut definitions = Definitions {
            texts,
            project: self.project.unwrap_or_else(|| nameless(folder)),
            boot_images: self.boot_images,
            os_images: self.os_images,
            driver_packages: self.driver_packages,
            applications: self.applications,
            packages: self.packages,
            variables: self.variables,
            media: self.media,
            places: Places::default(),
        };
        definitions.places = Places::of(&definitions);
        definitions
    }
}

fn nameless(folder: &Path) -> Project {
    let span = Span { text: TextIdx(0), offset_bytes: 0, size_bytes: 0 };
    let name = Spanned { value: String::new(), span };
    Project { name, epoch_seconds: None, folder: folder.to_owned() }
}
