//! Projects that are right, and what they become.

use crate::case::{cases, load_case, rendered};
use mediabuild_schema::Definitions;
use mediabuild_schema::definition::{
    Attribute, Codec, Compression, DriverPackage, ImageBase, ImageSelector, Kind, Level, Mirror,
    SecretReference, Setting, Source, VariableValue,
};

fn everything() -> Definitions {
    let (_, case) = cases("valid").into_iter().find(|(name, _)| name == "everything").expect("it");
    load_case(&case).definitions.expect("no errors")
}

#[test]
fn valid_projects_load_without_diagnostics() {
    for (name, case) in cases("valid") {
        let loaded = load_case(&case);
        assert!(loaded.definitions.is_some(), "{name}:\n{}", rendered(&loaded));
        assert_eq!(rendered(&loaded), "", "{name}");
    }
}

#[test]
fn paths_are_relative_to_the_file_that_says_them() {
    let definitions = everything();
    let path = |package: &DriverPackage| match &package.source {
        Source::Path { path, .. } => path.project_path.clone(),
        Source::WimPart { image, .. } => image.wim.project_path.clone(),
        Source::IsoPart { iso, .. } => iso.project_path.clone(),
        Source::Url(file) => file.url.value.shown(),
    };
    let paths: Vec<String> = definitions.driver_packages.iter().map(path).collect();
    assert_eq!(paths, ["drivers/intel-net", "shared/dell", "inputs/winpe.wim"]);
}

#[test]
fn own_variables_replace_used_ones_in_place() {
    let definitions = everything();
    let media = definitions.media("factory").expect("defined");
    let names: Vec<&str> = media.variables.iter().map(|v| v.name.value.as_str()).collect();
    assert_eq!(
        names,
        ["osdtimezone", "OSDJoinPassword", "OSDUILanguage", "Empty", "OSDComputerName"]
    );
    let time_zone = VariableValue::Text("W. Europe Standard Time".into());
    assert_eq!(media.variables[0].value.value, time_zone);
}

#[test]
fn applications_bring_dependencies_first_and_once() {
    let definitions = everything();
    let closure = definitions.application_closure(&["agent", "vcredist"]);
    let names: Vec<&str> = closure.iter().map(|a| a.name.value.as_str()).collect();
    assert_eq!(names, ["vcredist", "dotnet", "agent"]);
}

#[test]
fn every_definition_is_a_target() {
    let definitions = everything();
    let targets: Vec<String> =
        definitions.targets().map(|(kind, name)| format!("{kind}:{}", name.value)).collect();
    assert_eq!(targets.len(), 20);
    assert_eq!(targets[0], "boot-image:winpe-x64");
    assert_eq!(targets[17], "media:boot");
    assert_eq!(definitions.names(Kind::Variables).len(), 2);
}

#[test]
fn what_is_said_arrives() {
    let definitions = everything();
    let epoch = definitions.project.epoch_seconds.as_ref().expect("said");
    assert_eq!(epoch.value, 1_793_491_200);
    let os = definitions.os_image("win11").expect("defined");
    let ImageBase::Wim(wim) = &os.base else { panic!("a WIM") };
    assert_eq!(wim.selector.value, ImageSelector::Edition("Enterprise".into()));
    let os = definitions.os_image("from-iso").expect("defined");
    let ImageBase::Iso(iso) = &os.base else { panic!("an ISO") };
    assert_eq!(iso.iso.project_path, "inputs/win11.iso");
    assert_eq!(iso.wim.value, "sources/install.wim");
    assert_eq!(iso.selector.value, ImageSelector::Index(6));
    let sxs = definitions.package("sxs").expect("defined");
    let Source::IsoPart { path, filter, .. } = &sxs.source else { panic!("a part of an ISO") };
    assert_eq!(path.as_ref().expect("said").value, "sources/sxs");
    assert_eq!(filter.include[0].value, "*.cab");
    let factory = definitions.media("factory").expect("defined");
    let password = factory.password.as_ref().expect("said");
    let SecretReference::File(file) = &password.value else { panic!("a file") };
    assert_eq!(file.path.to_str(), Some("/run/secrets/media"));
    assert!(factory.dependencies);
    let boot = definitions.media("boot").expect("defined");
    assert!(!boot.dependencies);
    let boot_output = boot.output.as_ref().expect("an output");
    assert_eq!(boot_output.label.as_ref().expect("said").value, "CONTOSO BOOT");
    assert_eq!(boot_output.capacity_bytes.as_ref().expect("said").value, 8_543_666_176);
    assert_eq!(boot_output.order.as_ref().expect("said").project_path, "inputs/order.txt");
    assert_eq!(boot_output.mirror.as_ref().expect("said").value, Mirror::Joliet);
    assert!(boot_output.may_be_folder());
    assert_eq!(boot_output.folder(), "boot");
    let small = definitions.media("small-discs").expect("defined").output.as_ref().expect("it");
    assert_eq!(small.capacity_bytes.as_ref().expect("said").value, 600 << 20);
    let stick = definitions.media("stick").expect("defined");
    assert!(stick.output.is_none());
    assert_eq!(stick.usb.as_ref().expect("said").file.value, "sticks/stick.img");
}

#[test]
fn driver_packages_have_a_folder() {
    let definitions = everything();
    let image = definitions.boot_image("winpe-x64").expect("defined");
    let folders: Vec<String> = image.driver_packages.iter().map(|d| d.folder()).collect();
    let wanted = ["Drivers/intel-net", "Drivers/dell-storage", "Drivers/special/usb"];
    assert_eq!(folders, wanted);
}

#[test]
fn what_is_said_of_a_wim_arrives() {
    let definitions = everything();
    let options = &definitions.os_image("win11").expect("defined").options;
    let compression = options.compression.as_ref().expect("said").value;
    let wanted =
        Compression { codec: Codec::Lzms, level: Level::Max, chunk_bytes: 1 << 20, solid: true };
    assert_eq!(compression, wanted);
    assert_eq!(options.information.texts.len(), 12);
    let languages = options.information.languages.as_ref().expect("said");
    assert_eq!(languages.default.value, "sr-latn-rs");
    let version = options.information.version.as_ref().expect("said");
    assert_eq!(version.value, [10, 0, 26100, 1742]);
    assert_eq!((options.exclude.len(), options.exclusions.len()), (3, 1));
    let Setting::Attributes(attributes) = &options.settings[0].setting else { panic!("first") };
    assert_eq!(attributes, &[(Attribute::ReadOnly, false), (Attribute::Hidden, true)]);
    let parts =
        &definitions.media("parts").expect("defined").output.as_ref().expect("an output").wim;
    assert_eq!(parts.split_bytes.as_ref().expect("said").value, 3800 << 20);
    assert!(parts.has_integrity());
    assert!(definitions.os_image("from-folder").expect("defined").output.is_split());
}

#[test]
fn chunks_are_as_large_as_the_codec_wants_unless_it_is_said() {
    let chunk_bytes = |compression: &str| {
        let case = format!(
            "project \"p\"\nos-image \"o\" arch=\"amd64\" {{ wim \"w.wim\"; {compression} }}"
        );
        let definitions = load_case(&case).definitions.expect("no errors");
        let options = &definitions.os_image("o").expect("defined").options;
        options.compression.as_ref().map(|it| it.value.chunk_bytes)
    };
    assert_eq!(chunk_bytes(""), None);
    assert_eq!(chunk_bytes("compression \"none\""), Some(0));
    assert_eq!(chunk_bytes("compression \"lzx\""), Some(32 << 10));
    assert_eq!(chunk_bytes("compression \"xpress\" chunk=\"4KiB\""), Some(4 << 10));
    assert_eq!(chunk_bytes("compression \"lzms\""), Some(128 << 10));
    assert_eq!(chunk_bytes("compression \"lzms\" solid=#true"), Some(64 << 20));
}
