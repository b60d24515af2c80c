//! Each builder against the store in memory: requests in, trees out.

use std::sync::Mutex;

use mediabuild_formats::iso::{Disc, View};
use mediabuild_formats::wim::{Image, Joined, Wim};
use mediabuild_store::{Content, DirectoryBuilder, MemoryStore, Output, Store};

use super::boot_files::{BootFiles, BootFilesOrigin};
use super::boot_image::BootImageRequest;
use super::bootable::Bootable;
use super::coding::CodingRequest;
use super::delivery::Delivery;
use super::fat_parts::{expected, parts};
use super::image_changes::ImageChanges;
use super::import_folder::Filter;
use super::os_image::OsImageRequest;
use super::package::Package;
use super::prestaged::Prestaged;
use super::sha1::{SHA1_MEMO, Sha1Wanted};
use super::variables::{VariableText, Variables};
use super::wim_content::{ContentSource, ImageChoice};
use super::wim_part::WimPart;
use super::{BUILDERS, BuildContext, Builder};
use crate::cli::Format;
use crate::derivation::{Fields, Inputs};
use crate::failure::Failure;
use crate::progress::Progress;

/// A store, and what builders warned of.
#[derive(Default)]
struct Fake {
    store: MemoryStore,
    warnings: Mutex<Vec<String>>,
}

impl Fake {
    fn build(&self, builder: &dyn Builder, inputs: &[(&str, Output)]) -> Result<Output, Failure> {
        self.with_context(|context| builder.build(&inputs_of(inputs), context))
    }

    fn with_context<T>(&self, run: impl FnOnce(&BuildContext<'_>) -> T) -> T {
        let progress = Progress::new(Format::Text);
        let job = progress.job("test", None);
        let warn = |text: &str| self.warnings.lock().expect("no panic").push(text.to_owned());
        let context = BuildContext {
            store: &self.store,
            job: &job,
            sha1: Sha1Wanted::Yes,
            paranoid: false,
            warn: &warn,
        };
        run(&context)
    }

    fn folder(&self, files: &[(&str, &str)]) -> Output {
        let mut batch = self.store.batch().expect("a batch");
        let mut directory = DirectoryBuilder::default();
        for (path, text) in files {
            let content = batch.put_bytes(text.as_bytes()).expect("stored");
            directory.insert(path, content).expect("a good path");
        }
        let digest = directory.put(batch.as_mut()).expect("stored");
        batch.commit().expect("committed");
        Output::Directory(digest)
    }

    fn file(&self, bytes: &[u8]) -> Output {
        let mut batch = self.store.batch().expect("a batch");
        let content = batch.put_bytes(bytes).expect("stored");
        batch.commit().expect("committed");
        Output::Content(content)
    }

    fn wim(&self, output: &Output) -> (Wim, Image, ContentSource) {
        let source = ContentSource(self.store.open_at(&output.digest()).expect("there"));
        let wim = Wim::open(&source).expect("a WIM");
        let image = wim.image(&source, 1).expect("an image");
        (wim, image, source)
    }

    /// A file of the first image, as text.
    fn text(&self, output: &Output, path: &str) -> String {
        let (wim, image, source) = self.wim(output);
        let dentry = image.lookup(path).unwrap_or_else(|| panic!("no {path}"));
        let entry = wim.blob(&dentry.data).expect("its blob");
        let mut reader = wim.blob_reader(&source, entry).expect("readable");
        String::from_utf8(reader.read_to_vec(1 << 20).expect("small")).expect("text")
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.lock().expect("no panic").clone()
    }
}

fn inputs_of(inputs: &[(&str, Output)]) -> Inputs {
    Inputs::new(inputs.iter().map(|(role, output)| ((*role).to_owned(), *output)).collect())
}

fn paths(image: &Image) -> Vec<String> {
    let files = image.walk().filter(|(_, dentry)| !dentry.is_directory());
    files.map(|(path, _)| path.trim_start_matches('/').to_owned()).collect()
}

fn os_image() -> OsImageRequest {
    OsImageRequest {
        name: "os".into(),
        arch: "amd64".into(),
        image: None,
        epoch_seconds: 0,
        coding: CodingRequest::default(),
        delivery: Delivery::default(),
        changes: ImageChanges::default(),
    }
}

fn boot_image(drivers: &[(&str, &str)], start: Option<&str>) -> BootImageRequest {
    BootImageRequest {
        name: "pe".into(),
        arch: "amd64".into(),
        image: None,
        drivers: drivers.iter().map(|(n, f)| ((*n).to_owned(), (*f).to_owned())).collect(),
        start: start.map(str::to_owned),
        epoch_seconds: 1_600_000_000,
        coding: CodingRequest::default(),
        changes: ImageChanges::default(),
    }
}

const STARTNET: &str = "Windows/System32/startnet.cmd";
const WINPESHL: &str = "Windows/System32/winpeshl.ini";

#[test]
fn a_package_of_one_file_is_a_folder_with_that_file() {
    let fake = Fake::default();
    let package = Package { drivers: false, file_name: Some("agent.msi".into()) };
    let output = fake.build(&package, &[("source", fake.file(b"msi"))]).expect("builds");
    assert_eq!(output, fake.folder(&[("agent.msi", "msi")]));
}

#[test]
fn a_driver_package_without_an_inf_is_warned_of() {
    let fake = Fake::default();
    let package = Package { drivers: true, file_name: None };
    fake.build(&package, &[("source", fake.folder(&[("a.sys", "x")]))]).expect("builds");
    assert!(fake.warnings()[0].contains(".inf"), "{:?}", fake.warnings());
    fake.build(&package, &[("source", fake.folder(&[("A.INF", "x")]))]).expect("builds");
    assert_eq!(fake.warnings().len(), 1);
}

#[test]
fn an_overlay_wins_over_the_base_whatever_its_case() {
    let fake = Fake::default();
    let base = fake.folder(&[("Windows/a.txt", "old"), ("Windows/b.txt", "kept")]);
    let overlay = fake.folder(&[("windows/A.TXT", "new")]);
    let output =
        fake.build(&os_image(), &[("base", base), ("overlay/0", overlay)]).expect("builds");
    assert_eq!(fake.text(&output, "Windows/a.txt"), "new");
    let (_, image, _) = fake.wim(&output);
    assert_eq!(paths(&image), ["Windows/a.txt", "Windows/b.txt"]);
}

#[test]
fn generated_files_carry_the_project_s_epoch() {
    let fake = Fake::default();
    let base = fake.folder(&[("a.txt", "x")]);
    let output = fake.build(&boot_image(&[], None), &[("base", base)]).expect("builds");
    let (_, image, _) = fake.wim(&output);
    assert!(image.walk().all(|(_, dentry)| dentry.write.unix_seconds() == 1_600_000_000));
}

#[test]
fn a_boot_image_is_bootable_and_loads_its_drivers() {
    let fake = Fake::default();
    let inputs = [
        ("base", fake.folder(&[("Windows/System32/x.dll", "x")])),
        ("drivers/net", fake.folder(&[("net.inf", "inf")])),
    ];
    let output = fake
        .build(&boot_image(&[("net", "Drivers/net")], Some("go.cmd")), &inputs)
        .expect("builds");
    let script = fake.text(&output, STARTNET);
    assert!(script.contains("drvload") && script.contains("Drivers\\net"), "{script}");
    assert!(script.ends_with("wpeinit\r\ngo.cmd\r\n"), "{script}");
    let (wim, image, _) = fake.wim(&output);
    assert_eq!(wim.header.boot_index, 1);
    assert!(image.lookup("Drivers/net/net.inf").is_some());
}

#[test]
fn a_task_sequence_shell_keeps_its_line_and_runs_wpeinit_itself() {
    let fake = Fake::default();
    let shell = "[LaunchApps]\r\n%SYSTEMDRIVE%\\sms\\bin\\x64\\TsBootShell.exe\r\n";
    let base = fake.folder(&[("sms/bin/x64/TsBootShell.exe", "exe"), (WINPESHL, shell)]);
    let inputs = [("base", base), ("drivers/net", fake.folder(&[("net.inf", "inf")]))];
    let output = fake.build(&boot_image(&[("net", "Drivers/net")], None), &inputs).expect("builds");
    let ini = fake.text(&output, WINPESHL);
    assert!(ini.ends_with("TsBootShell.exe\r\n") && ini.contains("startnet.cmd"), "{ini}");
    assert!(!fake.text(&output, STARTNET).contains("wpeinit"));
}

#[test]
fn a_base_s_own_start_script_runs_after_the_drivers() {
    let fake = Fake::default();
    let base = fake.folder(&[(STARTNET, "wpeinit\r\ncall X:\\corp\\go.cmd\r\n")]);
    let inputs = [("base", base), ("drivers/net", fake.folder(&[("net.inf", "inf")]))];
    let output = fake.build(&boot_image(&[("net", "Drivers/net")], None), &inputs).expect("builds");
    let script = fake.text(&output, STARTNET);
    assert!(script.ends_with("wpeinit\r\ncall X:\\corp\\go.cmd\r\n"), "{script}");
    assert_eq!(script.matches("wpeinit").count(), 1);
}

#[test]
fn a_shell_with_nothing_to_run_before_it_is_left_alone() {
    let fake = Fake::default();
    let shell = "[LaunchApps]\r\nown.exe\r\n";
    let base = fake.folder(&[(WINPESHL, shell)]);
    let output = fake.build(&boot_image(&[], None), &[("base", base)]).expect("builds");
    assert_eq!(fake.text(&output, WINPESHL), shell);
    assert!(fake.wim(&output).1.lookup(STARTNET).is_none());
}

#[test]
fn a_user_s_own_start_script_is_kept_and_never_contradicted() {
    let fake = Fake::default();
    let inputs = [
        ("base", fake.folder(&[("x.txt", "x")])),
        ("overlay/0", fake.folder(&[("windows/system32/STARTNET.CMD", "mine")])),
        ("drivers/net", fake.folder(&[("net.inf", "inf")])),
    ];
    let drivers = [("net", "Drivers/net")];
    let output = fake.build(&boot_image(&drivers, None), &inputs).expect("builds");
    assert_eq!(fake.text(&output, STARTNET), "mine");
    assert!(fake.warnings()[0].contains("load the drivers itself"));
    let failure = fake.build(&boot_image(&drivers, Some("go.cmd")), &inputs).expect_err("both");
    assert!(failure.to_string().contains("start"), "{failure}");
}

/// A boot image with boot files, an OS image, and all that lies on a medium.
fn medium_inputs(fake: &Fake) -> Vec<(&'static str, Output)> {
    let base = fake.folder(&[
        ("Windows/System32/x.dll", "x"),
        ("Windows/Boot/DVD/PCAT/boot.sdi", "sdi"),
        ("Windows/Boot/Fonts/a.ttf", "font"),
    ]);
    let boot = fake.build(&boot_image(&[], None), &[("base", base)]).expect("boot image");
    let files =
        BootFiles { arch: "amd64".into(), origins: vec![BootFilesOrigin::Image], signer: None };
    let files = fake.build(&files, &[("boot-image", boot)]).expect("boot files");
    let os = fake.folder(&[("Windows/notepad.exe", "exe")]);
    let os = fake.build(&os_image(), &[("base", os)]).expect("OS image");
    let own = ("A".to_owned(), VariableText::Text("1".into()));
    let variables = Variables { variables: vec![own], password: None };
    let variables = fake.build(&variables, &[]).expect("variables");
    vec![
        ("boot-image", boot),
        ("boot-files", files),
        ("os-image", os),
        ("variables", variables),
        ("package/agent", fake.folder(&[("setup.exe", "setup")])),
    ]
}

#[test]
fn a_prestaged_medium_holds_everything_in_its_place() {
    let fake = Fake::default();
    let inputs = medium_inputs(&fake);
    let medium = Prestaged {
        name: "factory".into(),
        packages: "SMS/PKG".into(),
        epoch_seconds: 0,
        coding: CodingRequest::default(),
        delivery: Delivery::default(),
    };
    let output = fake.build(&medium, &inputs).expect("builds");
    let (wim, image, _) = fake.wim(&output);
    assert_eq!(
        paths(&image),
        [
            "boot/boot.sdi",
            "boot/fonts/a.ttf",
            "efi/microsoft/boot/fonts/a.ttf",
            "SMS/data/variables.dat",
            "SMS/PKG/agent/setup.exe",
            "sources/boot.sdi",
            "sources/boot.wim",
            "Windows/notepad.exe",
        ]
    );
    assert_eq!(wim.header.boot_index, 0);
    let Output::Content(content) = output else { panic!("a file") };
    let recipe = fake.store.recipe(&content.digest).expect("store").expect("a recipe");
    let boot = inputs[0].1.digest();
    assert!(
        recipe.contents().any(|part: Content| part.digest == boot),
        "boot.wim is named, not copied"
    );
}

#[test]
fn a_bootable_medium_holds_everything_in_its_place() {
    let fake = Fake::default();
    let mut inputs = medium_inputs(&fake);
    inputs.retain(|(role, _)| *role != "os-image");
    let medium = Bootable {
        label: "BOOT".into(),
        packages: "SMS/PKG".into(),
        epoch_seconds: 0,
        is_mirrored: false,
        set: None,
    };
    let without_entry = fake.build(&medium, &inputs).expect("builds");
    assert!(fake.warnings()[0].contains("does not boot"), "{:?}", fake.warnings());
    inputs.push(("el-torito/bios", fake.file(&[0x90; 2048])));
    let output = fake.build(&medium, &inputs).expect("builds");
    assert_ne!(output, without_entry);
    let source = ContentSource(fake.store.open_at(&output.digest()).expect("there"));
    let disc = Disc::open(&source).expect("a disc");
    assert_eq!(disc.label(View::Udf), Some("BOOT"));
    assert_eq!(disc.boot().expect("a catalog").images.len(), 1);
    let entries = disc.walk(&source, View::Udf).expect("a tree");
    let files: Vec<&str> =
        entries.iter().filter(|e| !e.is_directory).map(|e| e.path.as_str()).collect();
    assert!(files.contains(&"sources/boot.wim") && files.contains(&"SMS/PKG/agent/setup.exe"));
    assert!(disc.verify(&source).is_empty());
}

#[test]
fn a_part_of_an_image_is_taken_with_its_globs() {
    let fake = Fake::default();
    let base = fake.folder(&[("INF/a.inf", "a"), ("INF/b.pnf", "b"), ("INF/x/c.inf", "c")]);
    let wim = fake.build(&os_image(), &[("base", base)]).expect("builds");
    let filter = Filter { include: vec!["**/*.inf".into()], exclude: vec!["x/**".into()] };
    let part = WimPart { image: ImageChoice::Only, path: "inf".into(), filter };
    let output = fake.build(&part, &[("wim", wim)]).expect("builds");
    assert_eq!(output, fake.folder(&[("a.inf", "a")]));
    let missing =
        WimPart { image: ImageChoice::Index(2), path: String::new(), filter: Filter::default() };
    let failure = fake.build(&missing, &[("wim", wim)]).expect_err("one image only");
    assert!(failure.help.expect("help").contains("index=1"));
}

#[test]
fn one_sha1_for_two_contents_is_an_error() {
    let fake = Fake::default();
    let base = fake.folder(&[("a.txt", "honest")]);
    let wim = fake.build(&os_image(), &[("base", base)]).expect("builds");
    let overlay = fake.folder(&[("b.txt", "forged")]);
    let Output::Content(forged) = fake.file(b"forged") else { panic!("a file") };
    let Output::Content(honest) = fake.file(b"honest") else { panic!("a file") };
    let sha1 = fake.store.memo(SHA1_MEMO, &honest.digest).expect("store").expect("known");
    let mut batch = fake.store.batch().expect("a batch");
    batch.put_memo(SHA1_MEMO, &forged.digest, &sha1).expect("stored");
    batch.commit().expect("committed");
    let request = OsImageRequest { image: Some(ImageChoice::Only), ..os_image() };
    let failure =
        fake.build(&request, &[("base", wim), ("overlay/0", overlay)]).expect_err("forged");
    assert!(failure.to_string().contains("two different contents"), "{failure}");
}

#[test]
fn an_identity_depends_on_options_and_input_outputs_alone() {
    let fake = Fake::default();
    let (one, other) = (fake.folder(&[("a", "1")]), fake.folder(&[("a", "2")]));
    let id = |request: &OsImageRequest, base| {
        Fields::with_inputs(request, &inputs_of(&[("base", base)])).id()
    };
    assert_eq!(id(&os_image(), one), id(&os_image(), one));
    assert_ne!(id(&os_image(), one), id(&os_image(), other));
    assert_ne!(id(&os_image(), one), id(&OsImageRequest { epoch_seconds: 1, ..os_image() }, one));
}

#[test]
fn every_builder_is_in_the_table_once() {
    let mut names: Vec<&str> = BUILDERS.iter().map(|builder| builder.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), BUILDERS.len());
    assert!(BUILDERS.iter().all(|builder| builder.version > 0));
}

#[test]
fn only_large_wims_that_are_applied_become_parts() {
    let names = |path: &str, size_bytes: u64| {
        expected(path, size_bytes).into_iter().map(|(path, _)| path).collect::<Vec<String>>()
    };
    let gib = 1 << 30;
    assert_eq!(
        names("SMS/PKG/os/Install.WIM", 4 * gib),
        ["SMS/PKG/os/Install.swm", "SMS/PKG/os/Install2.swm"]
    );
    assert_eq!(
        expected("sources/install.wim", 9 * gib).iter().map(|(_, it)| it).sum::<u64>(),
        9 * gib
    );
    for (path, size_bytes) in [
        ("Sources/Boot.wim", 5 * gib),
        ("a.wim", 4 * gib - 1),
        ("a.esd", 5 * gib),
        ("wim", 5 * gib),
    ] {
        assert_eq!(expected(path, size_bytes), [(path.to_owned(), size_bytes)]);
    }
}

#[test]
fn a_wim_becomes_parts_with_its_own_resources() {
    let fake = Fake::default();
    let texts: Vec<String> = (0..12).map(|at| format!("{at} {}", "x".repeat(at))).collect();
    let names: Vec<String> = (0..12).map(|at| format!("file-{at}.txt")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let base = fake.folder(&files);
    let whole = fake.build(&os_image(), &[("base", base)]).expect("built");
    let Output::Content(whole) = whole else { panic!("a WIM is a file") };
    let part_bytes = whole.size_bytes - 40;
    let divided = |fake: &Fake, whole: &Content| {
        fake.with_context(|context| parts(whole, part_bytes, &CodingRequest::default(), context))
            .expect("parts")
    };
    let parts = divided(&fake, &whole);
    assert!(parts.len() > 1 && parts.iter().all(|part| part.size_bytes <= part_bytes));
    // The same WIM out of a package, as nobody looked at before.
    let elsewhere = Fake::default();
    let bytes = fake.with_context(|context| context.read_whole(&whole)).expect("small");
    let Output::Content(same) = elsewhere.file(&bytes) else { panic!("a file is one") };
    assert_eq!(divided(&elsewhere, &same), parts);
    let source = |part: &Content| ContentSource(fake.store.open_at(&part.digest).expect("there"));
    let joined = Joined::new(parts.iter().map(source).collect());
    let wim = Wim::open_joined(&joined, parts.len()).expect("a set");
    let image = wim.image(&joined, 1).expect("an image");
    for (name, text) in files {
        let dentry = image.lookup(name).expect("listed");
        let entry = wim.blob(&dentry.data).expect("its blob");
        let mut reader = wim.blob_reader(&joined, entry).expect("readable");
        assert_eq!(reader.read_to_vec(1 << 20).expect("small"), text.as_bytes());
    }
}
