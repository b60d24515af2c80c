//! `mediabuild`: from KDL files in git to Windows deployment media, the same bytes everywhere.
//!
//! The journey of a build, one room after the other:
//!
//! 1. [`cli`]: what the user typed
//! 2. [`project`]: definition files → `Definitions`, all errors at once; [`probe`] looks at inputs
//! 3. [`plan`]: `Definitions` → [`plan::Plan`], complete before the first job
//! 4. [`engine`] leads the next three; [`survey`]: what of the plan is known before anything runs
//! 5. [`schedule`]: the rest of the plan → jobs, the longest way first
//! 6. [`realise`]: one derivation: known? else [`builders`] make it; [`history`] records how
//! 7. [`export`]: recipe → file

mod boot_test;
mod builders;
mod cancel;
mod cli;
mod commands;
mod decode;
mod derivation;
mod engine;
mod expected;
mod export;
mod failure;
mod git;
mod history;
mod listing;
mod lock;
mod media_layout;
mod open_store;
mod os;
mod parse_cache;
mod plan;
mod preflight;
mod probe;
mod progress;
mod project;
mod realise;
mod reason;
mod replace;
mod schedule;
mod sealed;
mod secret;
mod set_manifest;
mod size;
mod survey;
mod timeline;
mod usb;
mod without_memos;

use std::process::ExitCode;

use failure::FailureKind;

fn main() -> ExitCode {
    let arguments = cli::parse();
    let done = commands::run(&arguments);
    if let Err(failure) = &done {
        progress::print_failure(arguments.format, failure);
    }
    match (done, progress::stdout_failure()) {
        (Err(failure), _) if failure.kind == FailureKind::Cancelled => failure.exit_code(),
        (_, Some(failure)) => {
            progress::print_failure(arguments.format, &failure);
            failure.exit_code()
        }
        (Err(failure), None) => failure.exit_code(),
        (Ok(()), None) => ExitCode::SUCCESS,
    }
}
