//! A folder of its own for each test, the program under test, and foreign programs when they are
//! installed.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(unreachable_pub, reason = "one module of many test crates")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace's root").to_owned()
}

/// A temporary folder with a project in `project/` and a store in `store/`.
pub struct TestSpace {
    folder: tempfile::TempDir,
}

impl TestSpace {
    pub fn new() -> Self {
        TestSpace { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A space whose project is a copy of the quickstart, without results.
    pub fn quickstart() -> Self {
        let space = Self::new();
        copy_tree(&root().join("examples/quickstart"), &space.project());
        let _ = fs::remove_dir_all(space.project().join("result"));
        space
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn project(&self) -> PathBuf {
        self.path().join("project")
    }

    pub fn store(&self) -> PathBuf {
        self.path().join("store")
    }

    pub fn result(&self, name: &str) -> PathBuf {
        self.project().join("result").join(name)
    }

    /// Writes a file of the project, with its folders.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, bytes).expect("written");
        path
    }

    /// The program, with this space's store, in the project's folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mediabuild"));
        fs::create_dir_all(self.project()).expect("a project folder");
        command.current_dir(self.project()).env("MEDIABUILD_STORE", self.store());
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE"] {
            command.env_remove(proxy).env_remove(proxy.to_lowercase());
        }
        command.env_remove("SOURCE_DATE_EPOCH").env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// Runs it with `arguments`.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command().args(arguments))
    }

    /// Runs `build` and expects success.
    #[track_caller]
    pub fn build(&self, targets: &[&str]) -> Run {
        let run = Run::of(self.command().arg("build").args(targets));
        run.expect(0);
        run
    }
}

/// What a program said, and its exit code.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Run { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The text is somewhere in what it said.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        let said = format!("{}\n{}", self.stdout, self.stderr);
        assert!(said.contains(text), "`{text}` is not said in:\n{said}");
        self
    }

    /// The numbers of the last line: built, known.
    #[track_caller]
    pub fn built_and_known(&self) -> (usize, usize) {
        let line = self.stderr.lines().rev().find(|line| line.contains(" built, "));
        let line = line.unwrap_or_else(|| panic!("no summary in:\n{}", self.stderr));
        let numbers: Vec<usize> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        (numbers[0], numbers[1])
    }

    /// The labels of the steps that were built, sorted.
    pub fn built(&self) -> Vec<String> {
        let built = self.stderr.lines().filter_map(|line| line.trim_start().strip_prefix("built "));
        let mut built: Vec<String> = built.map(str::to_owned).collect();
        built.sort();
        built
    }

    /// `digest` of each result by its file name.
    pub fn digest(&self, name: &str) -> &str {
        let line = self.stdout.lines().find(|line| line.contains(name));
        line.and_then(|line| line.split(' ').next()).expect("a result line")
    }
}

/// A foreign program; `None`, with a line that says so, if it is not installed. With
/// `MEDIABUILD_REQUIRE_TOOLS=1` a missing program fails the test.
pub fn tool(name: &str) -> Option<Command> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skip(name);
    }
    found.map(Command::new)
}

/// Says that a test cannot run without `what`, or fails where everything must be there.
pub fn skip(what: &str) {
    assert!(std::env::var_os("MEDIABUILD_REQUIRE_TOOLS").is_none(), "{what} is missing");
    println!("skipped: no {what}");
}

/// The test data outside the repository; `None`, with a line that says so, without it.
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(path);
    if !path.exists() {
        println!("skipped: no ../shared");
        return None;
    }
    Some(path)
}

/// Copies a folder's files; times are today's.
pub fn copy_tree(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("readable");
        let target = to.join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).expect("a folder");
        } else {
            fs::copy(entry.path(), &target).expect("copied");
        }
    }
}

/// All files below a folder by path with `/`, with their bytes.
pub fn tree(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("readable"));
    let files = files.filter(|entry| entry.file_type().is_file());
    let pair = |entry: walkdir::DirEntry| {
        let name =
            entry.path().strip_prefix(folder).expect("below").to_string_lossy().replace('\\', "/");
        (name, fs::read(entry.path()).expect("readable"))
    };
    files.map(pair).collect()
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
