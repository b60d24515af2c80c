//! What definitions say of an image beside its content → what builders are asked for.

use mediabuild_schema::definition::{
    ImageOptions, InformationField, PathSetting, Setting, Spanned,
};
use mediabuild_schema::position;

use super::Planner;
use crate::builders::image_changes::{self, ImageChanges, Languages, sddl_problem};
use crate::failure::Failure;

/// The elements of the numbers of a version.
const VERSION: [&str; 4] = [
    "WINDOWS/VERSION/MAJOR",
    "WINDOWS/VERSION/MINOR",
    "WINDOWS/VERSION/BUILD",
    "WINDOWS/VERSION/SPBUILD",
];

impl Planner<'_> {
    /// The changes that `options` ask for; an error for a security descriptor that is none.
    pub(super) fn image_changes(&self, options: &ImageOptions) -> Result<ImageChanges, Failure> {
        let information = &options.information;
        let mut texts: Vec<(&'static str, String)> = information
            .texts
            .iter()
            .map(|(field, text)| (element(*field), text.value.clone()))
            .collect();
        if let Some(version) = &information.version {
            let numbers = VERSION.into_iter().zip(version.value);
            texts.extend(numbers.map(|(element, number)| (element, number.to_string())));
        }
        let languages = information.languages.as_ref().map(|languages| Languages {
            all: languages.all.iter().map(|language| language.value.clone()).collect(),
            default: languages.default.value.clone(),
        });
        let settings = options.settings.iter().map(|setting| self.setting(setting));
        let settings = settings.collect::<Result<_, _>>()?;
        Ok(ImageChanges { texts, languages, settings })
    }

    fn setting(&self, said: &PathSetting) -> Result<(String, image_changes::Setting), Failure> {
        let setting = match &said.setting {
            Setting::Attributes(attributes) => image_changes::Setting::Attributes(
                attributes.iter().map(|(attribute, on)| (attribute.name(), *on)).collect(),
            ),
            Setting::ShortName(name) => image_changes::Setting::ShortName(name.value.clone()),
            Setting::Security(sddl) => {
                self.check_sddl(sddl)?;
                image_changes::Setting::Security(sddl.value.clone())
            }
        };
        Ok((said.path.value.clone(), setting))
    }

    fn check_sddl(&self, sddl: &Spanned<String>) -> Result<(), Failure> {
        let Some(problem) = sddl_problem(&sddl.value) else { return Ok(()) };
        let texts = &self.definitions.texts;
        let (line, _) = position(texts, sddl.span);
        let place = format!("{}:{line}", texts.get(sddl.span.text).name);
        let text = &sddl.value;
        Err(Failure::usage(format!("{place}: `{text}` is no security descriptor: {problem}"))
            .help("write it as Windows does, such as `O:BAG:SYD:P(A;OICI;FA;;;BA)`"))
    }
}

/// The element of an `IMAGE` in a WIM's XML data.
fn element(field: InformationField) -> &'static str {
    match field {
        InformationField::Name => "NAME",
        InformationField::Description => "DESCRIPTION",
        InformationField::DisplayName => "DISPLAYNAME",
        InformationField::DisplayDescription => "DISPLAYDESCRIPTION",
        InformationField::Flags => "FLAGS",
        InformationField::Edition => "WINDOWS/EDITIONID",
        InformationField::InstallationType => "WINDOWS/INSTALLATIONTYPE",
        InformationField::ProductType => "WINDOWS/PRODUCTTYPE",
        InformationField::ProductSuite => "WINDOWS/PRODUCTSUITE",
        InformationField::ProductName => "WINDOWS/PRODUCTNAME",
        InformationField::Hal => "WINDOWS/HAL",
        InformationField::SystemRoot => "WINDOWS/SYSTEMROOT",
    }
}
