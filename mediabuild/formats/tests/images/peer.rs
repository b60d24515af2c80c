//! Independent programs. A missing one skips a test, unless `MEDIABUILD_REQUIRE_TOOLS=1`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that is removed with its content.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("iso-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a writable target folder");
        Scratch(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program, if it starts.
pub(crate) fn find(program: &str) -> Option<Command> {
    find_first(&[program])
}

/// The first of the programs that starts.
pub(crate) fn find_first(programs: &[&str]) -> Option<Command> {
    let starts = |program: &&&str| Command::new(program).arg("--version").output().is_ok();
    let found = programs.iter().find(starts);
    found.map(Command::new).or_else(|| skip(programs[0]))
}

/// A Python that has pycdlib.
pub(crate) fn pycdlib() -> Option<Command> {
    let has_it = |python: &&str| {
        let output = Command::new(python).args(["-c", "import pycdlib"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let python = ["python3", "/usr/bin/python3"].into_iter().find(has_it);
    python.map(Command::new).or_else(|| skip("pycdlib"))
}

/// Says that a test is not run for want of `what`.
pub(crate) fn skip<T>(what: &str) -> Option<T> {
    let is_required = std::env::var_os("MEDIABUILD_REQUIRE_TOOLS").is_some_and(|it| it == "1");
    assert!(!is_required, "MEDIABUILD_REQUIRE_TOOLS=1, but there is no {what}");
    println!("skipped: no {what}");
    None
}

/// Runs to success and gives what was printed on standard output.
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("the program was found");
    assert!(output.status.success(), "{command:?}: {}", told(&output));
    output.stdout
}

/// Both outputs as text.
pub(crate) fn told(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}\n{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}
