//! `ImageInformation`: what the XML data says of an image, with everything Windows puts there.
//!
//! Setting a field replaces its element where it is; a new one goes where Windows has it among its
//! neighbours. What is not known here, and what is not set, stays as it is.

use std::collections::BTreeMap;

use super::time::FileTime;
use super::xml::{Element, XmlNode};

/// A field that is a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageText {
    /// `NAME`
    Name,
    /// `DESCRIPTION`
    Description,
    /// `FLAGS`: the edition, for product keys.
    Flags,
    /// `DISPLAYNAME`: what Windows Setup shows.
    DisplayName,
    /// `DISPLAYDESCRIPTION`
    DisplayDescription,
    /// `WINDOWS/PRODUCTNAME`
    ProductName,
    /// `WINDOWS/EDITIONID`
    Edition,
    /// `WINDOWS/INSTALLATIONTYPE`: `Client`, `Server`, `Server Core`, `WindowsPE`.
    InstallationType,
    /// `WINDOWS/HAL`
    Hal,
    /// `WINDOWS/PRODUCTTYPE`: `WinNT`, `ServerNT`, `LanmanNT`.
    ProductType,
    /// `WINDOWS/PRODUCTSUITE`
    ProductSuite,
    /// `WINDOWS/SYSTEMROOT`
    SystemRoot,
    /// `WINDOWS/SERVICINGDATA/GDRDUREVISION`
    ServicingRevision,
    /// `WINDOWS/SERVICINGDATA/PKEYCONFIGVERSION`
    KeyConfigVersion,
    /// `WINDOWS/SERVICINGDATA/IMAGESTATE`: `IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE`.
    ImageState,
}

impl ImageText {
    /// All of them.
    pub const ALL: [ImageText; 15] = [
        ImageText::Name,
        ImageText::Description,
        ImageText::Flags,
        ImageText::DisplayName,
        ImageText::DisplayDescription,
        ImageText::ProductName,
        ImageText::Edition,
        ImageText::InstallationType,
        ImageText::Hal,
        ImageText::ProductType,
        ImageText::ProductSuite,
        ImageText::SystemRoot,
        ImageText::ServicingRevision,
        ImageText::KeyConfigVersion,
        ImageText::ImageState,
    ];

    /// Where it is in an `IMAGE` element.
    pub const fn path(self) -> &'static str {
        match self {
            ImageText::Name => "NAME",
            ImageText::Description => "DESCRIPTION",
            ImageText::Flags => "FLAGS",
            ImageText::DisplayName => "DISPLAYNAME",
            ImageText::DisplayDescription => "DISPLAYDESCRIPTION",
            ImageText::ProductName => "WINDOWS/PRODUCTNAME",
            ImageText::Edition => "WINDOWS/EDITIONID",
            ImageText::InstallationType => "WINDOWS/INSTALLATIONTYPE",
            ImageText::Hal => "WINDOWS/HAL",
            ImageText::ProductType => "WINDOWS/PRODUCTTYPE",
            ImageText::ProductSuite => "WINDOWS/PRODUCTSUITE",
            ImageText::SystemRoot => "WINDOWS/SYSTEMROOT",
            ImageText::ServicingRevision => "WINDOWS/SERVICINGDATA/GDRDUREVISION",
            ImageText::KeyConfigVersion => "WINDOWS/SERVICINGDATA/PKEYCONFIGVERSION",
            ImageText::ImageState => "WINDOWS/SERVICINGDATA/IMAGESTATE",
        }
    }
}

/// Fields of an image; those that are `None` are not there, or not to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageInformation {
    /// Texts.
    pub texts: BTreeMap<ImageText, String>,
    /// `WINDOWS/ARCH`.
    pub architecture: Option<Architecture>,
    /// `WINDOWS/LANGUAGES`.
    pub languages: Option<ImageLanguages>,
    /// `WINDOWS/VERSION`.
    pub version: Option<ImageVersion>,
    /// `CREATIONTIME`.
    pub creation: Option<FileTime>,
    /// `LASTMODIFICATIONTIME`.
    pub last_modification: Option<FileTime>,
    /// `WIMBOOT`: whether files on a disk point into the WIM.
    pub wim_boot: Option<bool>,
}

/// What an image runs on, by the number Windows has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    /// 0
    X86,
    /// 5
    Arm,
    /// 6
    Ia64,
    /// 9
    Amd64,
    /// 12
    Arm64,
}

impl Architecture {
    const ALL: [Architecture; 5] = [
        Architecture::X86,
        Architecture::Arm,
        Architecture::Ia64,
        Architecture::Amd64,
        Architecture::Arm64,
    ];

    /// The number in `ARCH`.
    pub const fn number(self) -> u32 {
        match self {
            Architecture::X86 => 0,
            Architecture::Arm => 5,
            Architecture::Ia64 => 6,
            Architecture::Amd64 => 9,
            Architecture::Arm64 => 12,
        }
    }
}

/// The languages of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageLanguages {
    /// `LANGUAGE`, in order.
    pub all: Vec<String>,
    /// `FALLBACK`: a language, and the one that stands in for what it lacks.
    pub fallbacks: Vec<(String, String)>,
    /// `DEFAULT`.
    pub default: Option<String>,
}

/// The version of Windows in an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageVersion {
    /// `MAJOR`, `MINOR`, `BUILD`.
    pub numbers: [u32; 3],
    /// `SPBUILD`: the revision.
    pub service_pack_build: Option<u32>,
    /// `SPLEVEL`.
    pub service_pack_level: Option<u32>,
    /// `BRANCH`.
    pub branch: Option<String>,
}

const VERSION_NUMBERS: [&str; 3] = ["MAJOR", "MINOR", "BUILD"];

/// The children of an element in the order of Windows.
fn order_in(parent: &str) -> &'static [&'static str] {
    match parent {
        "IMAGE" => &[
            "DIRCOUNT",
            "FILECOUNT",
            "TOTALBYTES",
            "HARDLINKBYTES",
            "CREATIONTIME",
            "LASTMODIFICATIONTIME",
            "WIMBOOT",
            "WINDOWS",
            "NAME",
            "DESCRIPTION",
            "FLAGS",
            "DISPLAYNAME",
            "DISPLAYDESCRIPTION",
        ],
        "WINDOWS" => &[
            "ARCH",
            "PRODUCTNAME",
            "EDITIONID",
            "INSTALLATIONTYPE",
            "SERVICINGDATA",
            "HAL",
            "PRODUCTTYPE",
            "PRODUCTSUITE",
            "LANGUAGES",
            "VERSION",
            "SYSTEMROOT",
        ],
        "SERVICINGDATA" => &["GDRDUREVISION", "PKEYCONFIGVERSION", "IMAGESTATE"],
        "LANGUAGES" => &["LANGUAGE", "FALLBACK", "DEFAULT"],
        "VERSION" => &["MAJOR", "MINOR", "BUILD", "SPBUILD", "SPLEVEL", "BRANCH"],
        _ => &[],
    }
}

impl Element {
    /// Puts a child behind the last one that Windows has before it.
    fn insert_in_order(&mut self, parent: &str, child: Element) -> usize {
        let order = order_in(parent);
        let rank = |name: &str| order.iter().position(|known| *known == name);
        let own = rank(&child.name);
        let is_before = |node: &XmlNode| match node {
            XmlNode::Element(other) => {
                own.is_none() || rank(&other.name).is_some_and(|it| Some(it) <= own)
            }
            XmlNode::Text(_) => false,
        };
        let at = self.children.iter().rposition(is_before).map_or(0, |last| last + 1);
        self.children.insert(at, XmlNode::Element(child));
        at
    }

    /// As [`Element::set_text`], with missing elements where Windows has them. This is an `IMAGE`
    /// element, whatever its name.
    pub fn set_text_in_order(&mut self, path: &str, text: impl Into<String>) {
        let (mut element, mut parent) = (self, "IMAGE");
        for name in path.split('/') {
            let is_it = |node: &XmlNode| matches!(node, XmlNode::Element(it) if it.name == name);
            let at = match element.children.iter().position(is_it) {
                Some(at) => at,
                None => element.insert_in_order(parent, Element::new(name)),
            };
            let XmlNode::Element(child) = &mut element.children[at] else { return };
            (element, parent) = (child, name);
        }
        element.children = vec![XmlNode::Text(text.into())];
    }

    /// As [`Element::set_time`] for a time of an `IMAGE` element, made where Windows has it.
    pub fn set_time_in_order(&mut self, path: &str, time: FileTime) {
        // The time's own element is made first: its children are not a text.
        if self.element(path).is_none() {
            self.insert_in_order("IMAGE", Element::new(path));
        }
        self.set_time(path, time);
    }

    fn set_languages(&mut self, languages: &ImageLanguages) {
        const PATH: &str = "WINDOWS/LANGUAGES";
        if self.element(PATH).is_none() {
            self.set_text_in_order(PATH, "");
        }
        let Some(element) = self.element_mut(PATH) else { return };
        let own = order_in("LANGUAGES");
        element.children.retain(|node| match node {
            XmlNode::Element(child) => !own.contains(&child.name.as_str()),
            XmlNode::Text(text) => !text.trim().is_empty(),
        });
        let mut children: Vec<Element> = Vec::new();
        children.extend(languages.all.iter().map(|language| text_element("LANGUAGE", language)));
        for (language, fallback) in &languages.fallbacks {
            let mut element = text_element("FALLBACK", fallback);
            element.set_attribute("LANGUAGE", language);
            children.push(element);
        }
        children.extend(languages.default.iter().map(|default| text_element("DEFAULT", default)));
        let children = children.into_iter().map(XmlNode::Element);
        element.children.splice(0..0, children);
    }

    fn set_version(&mut self, version: &ImageVersion) {
        for (name, number) in VERSION_NUMBERS.iter().zip(version.numbers) {
            self.set_text_in_order(&format!("WINDOWS/VERSION/{name}"), number.to_string());
        }
        let optional = [
            ("SPBUILD", version.service_pack_build.map(|number| number.to_string())),
            ("SPLEVEL", version.service_pack_level.map(|number| number.to_string())),
            ("BRANCH", version.branch.clone()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                self.set_text_in_order(&format!("WINDOWS/VERSION/{name}"), value);
            }
        }
    }
}

fn text_element(name: &str, text: &str) -> Element {
    let children = vec![XmlNode::Text(text.to_owned())];
    Element { children, ..Element::new(name) }
}

impl ImageInformation {
    /// What an `IMAGE` element says. What is not understood, such as a version that is no number, is
    /// left out.
    pub fn of(image: &Element) -> ImageInformation {
        let texts = ImageText::ALL.into_iter();
        let texts = texts.filter_map(|text| Some((text, image.text(text.path())?)));
        let number = |path: &str| image.text(path)?.trim().parse::<u32>().ok();
        let architecture = number("WINDOWS/ARCH").and_then(|number| {
            Architecture::ALL.into_iter().find(|architecture| architecture.number() == number)
        });
        ImageInformation {
            texts: texts.collect(),
            architecture,
            languages: image.element("WINDOWS/LANGUAGES").map(languages_of),
            version: version_of(image),
            creation: image.time("CREATIONTIME"),
            last_modification: image.time("LASTMODIFICATIONTIME"),
            wim_boot: number("WIMBOOT").map(|number| number != 0),
        }
    }

    /// Sets the fields that are there in an `IMAGE` element.
    pub fn apply_to(&self, image: &mut Element) {
        if let Some(time) = self.creation {
            image.set_time_in_order("CREATIONTIME", time);
        }
        if let Some(time) = self.last_modification {
            image.set_time_in_order("LASTMODIFICATIONTIME", time);
        }
        if let Some(wim_boot) = self.wim_boot {
            image.set_text_in_order("WIMBOOT", if wim_boot { "1" } else { "0" });
        }
        if let Some(architecture) = self.architecture {
            image.set_text_in_order("WINDOWS/ARCH", architecture.number().to_string());
        }
        for (text, value) in &self.texts {
            image.set_text_in_order(text.path(), value);
        }
        if let Some(languages) = &self.languages {
            image.set_languages(languages);
        }
        if let Some(version) = &self.version {
            image.set_version(version);
        }
    }
}

fn languages_of(element: &Element) -> ImageLanguages {
    let named = |name: &'static str| element.elements().filter(move |child| child.name == name);
    let fallback =
        |child: &Element| Some((child.attribute("LANGUAGE")?.to_owned(), child.own_text()));
    ImageLanguages {
        all: named("LANGUAGE").map(Element::own_text).collect(),
        fallbacks: named("FALLBACK").filter_map(fallback).collect(),
        default: element.text("DEFAULT"),
    }
}

fn version_of(image: &Element) -> Option<ImageVersion> {
    let version = image.element("WINDOWS/VERSION")?;
    let number = |name: &str| version.text(name)?.trim().parse().ok();
    let [major, minor, build] = VERSION_NUMBERS.map(number);
    Some(ImageVersion {
        numbers: [major?, minor?, build?],
        service_pack_build: number("SPBUILD"),
        service_pack_level: number("SPLEVEL"),
        branch: version.text("BRANCH"),
    })
}

#[cfg(test)]
mod tests {
    use super::{Architecture, ImageInformation, ImageLanguages, ImageText, ImageVersion};
    use crate::wim::{Element, FileTime, Xml};

    fn whole() -> ImageInformation {
        let texts = ImageText::ALL.map(|text| (text, format!("{text:?} & <more>")));
        ImageInformation {
            texts: texts.into_iter().collect(),
            architecture: Some(Architecture::Amd64),
            languages: Some(ImageLanguages {
                all: vec!["en-US".to_owned(), "de-DE".to_owned()],
                fallbacks: vec![("de-DE".to_owned(), "en-US".to_owned())],
                default: Some("en-US".to_owned()),
            }),
            version: Some(ImageVersion {
                numbers: [10, 0, 26100],
                service_pack_build: Some(1742),
                service_pack_level: Some(0),
                branch: Some("ge_release".to_owned()),
            }),
            creation: Some(FileTime(0x1234_5678_9abc_def0)),
            last_modification: Some(FileTime(7)),
            wim_boot: Some(false),
        }
    }

    fn names(element: &Element) -> Vec<&str> {
        element.elements().map(|child| child.name.as_str()).collect()
    }

    #[test]
    fn everything_is_set_in_the_order_of_windows() {
        let mut image = Element::new("IMAGE");
        whole().apply_to(&mut image);
        assert_eq!(ImageInformation::of(&image), whole());
        assert_eq!(names(&image), super::order_in("IMAGE")[4..]);
        let windows = image.element("WINDOWS").expect("an element");
        assert_eq!(names(windows), super::order_in("WINDOWS"));
        let path = "WINDOWS/SERVICINGDATA";
        assert_eq!(names(image.element(path).expect("one")), super::order_in("SERVICINGDATA"));
        let path = "WINDOWS/VERSION";
        assert_eq!(names(image.element(path).expect("one")), super::order_in("VERSION"));
        let once = image.clone();
        whole().apply_to(&mut image);
        assert_eq!(image, once);
        let mut root = Element::new("WIM");
        root.children.push(crate::wim::XmlNode::Element(image));
        let read = Xml::decode(&Xml::new(root).encode()).expect("XML data");
        let image = read.root.element("IMAGE").expect("an image");
        assert_eq!(ImageInformation::of(image), whole());
    }

    #[test]
    fn what_is_not_set_stays() {
        let text = "<WIM><IMAGE INDEX=\"1\"><X>1</X><NAME>old</NAME><Y/><WINDOWS><Z>2</Z>\
                    <LANGUAGES><Q/><LANGUAGE>fr-FR</LANGUAGE><DEFAULT>fr-FR</DEFAULT></LANGUAGES>\
                    <VERSION><MAJOR>6</MAJOR><SPLEVEL>9</SPLEVEL></VERSION></WINDOWS></IMAGE></WIM>";
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut xml = Xml::decode(&bytes).expect("XML data");
        let super::XmlNode::Element(image) = &mut xml.root.children[0] else { unreachable!() };
        let before = image.clone();
        ImageInformation::default().apply_to(image);
        assert_eq!(*image, before);
        let information = ImageInformation {
            texts: [(ImageText::Name, "new".to_owned()), (ImageText::Edition, "Pro".to_owned())]
                .into(),
            languages: Some(ImageLanguages { all: vec!["de-DE".to_owned()], ..Default::default() }),
            version: Some(ImageVersion { numbers: [10, 1, 2], ..Default::default() }),
            ..Default::default()
        };
        information.apply_to(image);
        assert_eq!(
            Xml::new(xml.root).to_text(),
            "<WIM><IMAGE INDEX=\"1\"><X>1</X><NAME>new</NAME><Y/><WINDOWS><EDITIONID>Pro</EDITIONID>\
             <Z>2</Z><LANGUAGES><LANGUAGE>de-DE</LANGUAGE><Q/></LANGUAGES><VERSION><MAJOR>10</MAJOR>\
             <MINOR>1</MINOR><BUILD>2</BUILD><SPLEVEL>9</SPLEVEL></VERSION></WINDOWS></IMAGE></WIM>"
        );
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        let mut image = Element::new("IMAGE");
        image.set_text("WINDOWS/ARCH", "amd64");
        image.set_text("WINDOWS/VERSION/MAJOR", "ten");
        assert_eq!(ImageInformation::of(&image), ImageInformation::default());
    }
}
