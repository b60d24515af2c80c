//! Finding definitions by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::definition::{
    Application, BootImage, Definitions, DriverPackage, Kind, Media, OsImage, Package, Spanned,
    Variables,
};

/// Where each name stands in the list of its kind: a plan asks for thousands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    by_kind: BTreeMap<Kind, BTreeMap<String, usize>>,
}

impl Places {
    /// Of two definitions with one name, which is an error, the first counts.
    pub(crate) fn of(definitions: &Definitions) -> Self {
        let by_name = |kind| {
            let mut places = BTreeMap::new();
            for (at, name) in definitions.names(kind).into_iter().enumerate() {
                places.entry(name.value.clone()).or_insert(at);
            }
            (kind, places)
        };
        Places { by_kind: Kind::ALL.into_iter().map(by_name).collect() }
    }

    fn get(&self, kind: Kind, name: &str) -> Option<usize> {
        self.by_kind.get(&kind)?.get(name).copied()
    }
}

impl Definitions {
    /// The `boot-image` called `name`.
    pub fn boot_image(&self, name: &str) -> Option<&BootImage> {
        self.boot_images.get(self.places.get(Kind::BootImage, name)?)
    }

    /// The `os-image` called `name`.
    pub fn os_image(&self, name: &str) -> Option<&OsImage> {
        self.os_images.get(self.places.get(Kind::OsImage, name)?)
    }

    /// The `driver-package` called `name`.
    pub fn driver_package(&self, name: &str) -> Option<&DriverPackage> {
        self.driver_packages.get(self.places.get(Kind::DriverPackage, name)?)
    }

    /// The `application` called `name`.
    pub fn application(&self, name: &str) -> Option<&Application> {
        self.applications.get(self.places.get(Kind::Application, name)?)
    }

    /// The `package` called `name`.
    pub fn package(&self, name: &str) -> Option<&Package> {
        self.packages.get(self.places.get(Kind::Package, name)?)
    }

    /// The top-level `variables` called `name`.
    pub fn variables(&self, name: &str) -> Option<&Variables> {
        self.variables.get(self.places.get(Kind::Variables, name)?)
    }

    /// The `media` called `name`.
    pub fn media(&self, name: &str) -> Option<&Media> {
        self.media.get(self.places.get(Kind::Media, name)?)
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
        let by_name: BTreeMap<&str, &Application> =
            self.applications.iter().map(|a| (a.name.value.as_str(), a)).collect();
        let mut closure = Closure { by_name, seen: BTreeSet::new(), applications: Vec::new() };
        for name in names {
            closure.add(name.as_ref());
        }
        closure.applications
    }
}

struct Closure<'a> {
    by_name: BTreeMap<&'a str, &'a Application>,
    seen: BTreeSet<&'a str>,
    applications: Vec<&'a Application>,
}

impl<'a> Closure<'a> {
    /// Adds one application behind what it depends on. The path to it is kept here and not on the
    /// stack, which a long chain of dependencies would overflow.
    fn add(&mut self, name: &str) {
        let mut path: Vec<(&'a Application, usize)> = self.enter(name).into_iter().collect();
        while let Some((application, position)) = path.pop() {
            match application.depends_on.get(position) {
                None => self.applications.push(application),
                Some(dependency) => {
                    path.push((application, position + 1));
                    path.extend(self.enter(&dependency.value));
                }
            }
        }
    }

    /// The application called `name` before its first dependency, the first time it is met.
    fn enter(&mut self, name: &str) -> Option<(&'a Application, usize)> {
        let application = *self.by_name.get(name)?;
        self.seen.insert(&application.name.value).then_some((application, 0))
    }
}
