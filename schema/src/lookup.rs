//! Finding definitions by name.

use std::collections::BTreeSet;

use crate::definition::{
    Application, BootImage, Definitions, DriverPackage, Kind, Media, OsImage, Package, Spanned,
    Variables,
};

impl Definitions {
    /// The `boot-image` called `name`.
    pub fn boot_image(&self, name: &str) -> Option<&BootImage> {
        self.boot_images.iter().find(|d| d.name.value == name)
    }

    /// The `os-image` called `name`.
    pub fn os_image(&self, name: &str) -> Option<&OsImage> {
        self.os_images.iter().find(|d| d.name.value == name)
    }

    /// The `driver-package` called `name`.
    pub fn driver_package(&self, name: &str) -> Option<&DriverPackage> {
        self.driver_packages.iter().find(|d| d.name.value == name)
    }

    /// The `application` called `name`.
    pub fn application(&self, name: &str) -> Option<&Application> {
        self.applications.iter().find(|d| d.name.value == name)
    }

    /// The `package` called `name`.
    pub fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|d| d.name.value == name)
    }

    /// The top-level `variables` called `name`.
    pub fn variables(&self, name: &str) -> Option<&Variables> {
        self.variables.iter().find(|d| d.name.value == name)
    }

    /// The `media` called `name`.
    pub fn media(&self, name: &str) -> Option<&Media> {
        self.media.iter().find(|d| d.name.value == name)
    }

    /// Everything that can be a target: by kind in the order of [`Kind::ALL`], then in order of
    /// definition.
    pub fn targets(&self) -> impl Iterator<Item = (Kind, &Spanned<String>)> {
        Kind::ALL.into_iter().flat_map(|kind| self.names(kind).into_iter().map(move |n| (kind, n)))
    }

    /// The names of one kind, in order of definition.
    pub fn names(&self, kind: Kind) -> Vec<&Spanned<String>> {
        match kind {
            Kind::BootImage => self.boot_images.iter().map(|d| &d.name).collect(),
            Kind::OsImage => self.os_images.iter().map(|d| &d.name).collect(),
            Kind::DriverPackage => self.driver_packages.iter().map(|d| &d.name).collect(),
            Kind::Application => self.applications.iter().map(|d| &d.name).collect(),
            Kind::Package => self.packages.iter().map(|d| &d.name).collect(),
            Kind::Variables => self.variables.iter().map(|d| &d.name).collect(),
            Kind::Media => self.media.iter().map(|d| &d.name).collect(),
        }
    }

    /// The applications called `names` and all they depend on, each once, dependencies first.
    ///
    /// The order follows `names` and then each `depends-on`, so it depends on the text alone.
    /// A name that is not defined is passed over.
    pub fn application_closure(&self, names: &[impl AsRef<str>]) -> Vec<&Application> {
        let mut closure = Vec::new();
        let mut seen = BTreeSet::new();
        for name in names {
            self.visit_application(name.as_ref(), &mut seen, &mut closure);
        }
        closure
    }

    // Recursion is as deep as the longest dependency path; cycles end at `seen`.
    fn visit_application<'a>(
        &'a self,
        name: &str,
        seen: &mut BTreeSet<&'a str>,
        closure: &mut Vec<&'a Application>,
    ) {
        let Some(application) = self.application(name) else { return };
        if !seen.insert(&application.name.value) {
            return;
        }
        for dependency in &application.depends_on {
            self.visit_application(&dependency.value, seen, closure);
        }
        closure.push(application);
    }
}
