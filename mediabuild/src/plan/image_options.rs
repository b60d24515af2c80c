//! What definitions say of an image beside its content → what builders are asked for.

use mediabuild_schema::definition::{
    ImageOptions, InformationField, PathSetting, Setting, Spanned,
};
use mediabuild_schema::position;

use super::{Planner, input};
use crate::builders::image_changes::{self, ImageChanges, Languages, sddl_problem};
use crate::derivation::Input;
use crate::failure::Failure;

impl Planner<'_> {
    /// The changes that `options` ask for; an error for a security descriptor that is none.
    pub(super) fn image_changes(&self, options: &ImageOptions) -> Result<ImageChanges, Failure> {
        let information = &options.information;
        let texts = information
            .texts
            .iter()
            .map(|(field, text)| (element(*field), text.value.clone()))
            .collect();
        let version = information.version.as_ref().map(|version| version.value);
        let exclude = options.exclude.iter().map(|pattern| pattern.value.clone()).collect();
        let languages = information.languages.as_ref().map(|languages| Languages {
            all: languages.all.iter().map(|language| language.value.clone()).collect(),
            default: languages.default.value.clone(),
        });
        let settings = options.settings.iter().map(|setting| self.setting(setting));
        let settings = settings.collect::<Result<_, _>>()?;
        Ok(ImageChanges { exclude, texts, version, languages, settings })
    }

    /// The files that name more of what is left out.
    pub(super) fn exclusions(&mut self, options: &ImageOptions) -> Vec<Input> {
        let mut inputs = Vec::new();
        for (at, file) in options.exclusions.iter().enumerate() {
            inputs.push(input(format!("exclusions/{at}"), self.import_file(file)));
        }
        inputs
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
