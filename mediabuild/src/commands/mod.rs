//! Verbs: one file each. Only this folder and `progress.rs` print.

mod boot_test;
mod build;
mod check;
mod diff;
mod disc_set;
mod extract;
mod graph;
mod init;
mod inspect;
mod leftover;
mod lock;
mod log;
mod plan;
mod store;
mod target;
mod usb;
mod verify;
mod why;

use crate::cancel;
use crate::cli::{Arguments, Command, EndWithParent, Format};
use crate::failure::Failure;
use crate::os;
use crate::progress::{Progress, leave_with_reader};

/// Does what the user typed.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    trace(arguments.verbose);
    match &arguments.command {
        // They do work: they do not end with who reads their words, and Ctrl-C waits for a good
        // moment. A build has none before its jobs begin, and listens from there on.
        Command::Build(_) | Command::Why(_) | Command::EndWithParent(_) => {}
        Command::Lock(_)
        | Command::Verify(_)
        | Command::Extract(_)
        | Command::Diff(_)
        | Command::BootTest(_)
        | Command::Usb(_)
        | Command::Store(_) => {
            cancel::listen();
        }
        _ => leave_with_reader(),
    }
    let progress = Progress::new(arguments.format);
    match &arguments.command {
        Command::Init(init) => init::run(init, &progress),
        Command::Check(check) => check::run(check, arguments, &progress),
        Command::Plan(plan) => plan::run(plan, arguments, &progress),
        Command::Build(build) => build::run(build, arguments, &progress),
        Command::Lock(lock) => lock::run(lock, arguments, &progress),
        Command::Why(why) => why::run(why, arguments, &progress),
        Command::Log(log) => log::run(log, arguments, &progress),
        Command::Graph(graph) => graph::run(graph, arguments, &progress),
        Command::Inspect(inspect) => inspect::run(inspect, arguments.format, arguments.verbose > 0),
        Command::Verify(verify) => verify::run(verify, &progress),
        Command::Diff(diff) => diff::run(diff, arguments.verbose > 0, &progress),
        Command::Extract(extract) => extract::run(extract, &progress),
        Command::BootTest(boot_test) => boot_test::run(boot_test, &progress),
        Command::Usb(usb) => usb::run(usb, &progress),
        Command::Store(store) => store::run(store, arguments, &progress),
        Command::EndWithParent(program) => end_with_parent(program),
    }
}

fn end_with_parent(program: &EndWithParent) -> Result<(), Failure> {
    let error = os::become_bound(&program.command, program.parent);
    Err(Failure::environment(format!("cannot become {:?}: {error}", program.command.first())))
}

/// `-v` and `-vv` print what the program traces, to stderr; `MEDIABUILD_LOG` filters finer.
fn trace(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("MEDIABUILD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would say them on stderr, which may be what failed, and panic.
        .log_internal_errors(false)
        .without_time()
        .with_target(false)
        .init();
}

/// Whether `--format json` was said.
fn is_json(arguments: &Arguments) -> bool {
    arguments.format == Format::Json
}
