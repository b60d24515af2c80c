//! Builders are sealed: the threads that run them open nothing but the store, no socket and no
//! program. Watched from outside with strace, thread by thread. (Clocks
//! and the environment need no system call: `tidy.rs` looks for them in the sources.)

mod harness;

use std::collections::BTreeSet;
use std::fs;

use harness::{Run, TestSpace, tool};

/// Calls that reach outside.
const CALLS: &str = "trace=open,openat,openat2,creat,execve,execveat,socket,connect,getrandom";

#[test]
fn threads_that_build_reach_only_the_store() {
    let Some(mut strace) = tool("strace") else { return };
    let space = TestSpace::quickstart();
    // Until the inputs' stats can be trusted: imports read the world, and shall not run now.
    std::thread::sleep(std::time::Duration::from_millis(2200));
    space.build(&[]);
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    space.write("mediabuild.kdl", text.replace("2026-11-01T", "2026-11-02T"));
    let traces = space.path().join("traces");
    fs::create_dir_all(&traces).expect("a folder");
    strace.args(["-ff", "-qq", "-e", CALLS, "-o"]).arg(traces.join("thread"));
    strace.args(["--", env!("CARGO_BIN_EXE_mediabuild"), "build", "--jobs", "2"]);
    strace.current_dir(space.project()).env("MEDIABUILD_STORE", space.store());
    let run = Run::of(&mut strace);
    let built: BTreeSet<String> = run.expect(0).built().into_iter().collect();
    for step in ["boot-image winpe", "os-image windows", "media boot", "media factory"] {
        assert!(built.contains(step), "{step} is not in {built:?}");
    }
    let mut workers = harness::tree(&traces);
    // The main thread reads definitions, looks at inputs and writes results. It has the least number.
    let main = workers.keys().min_by_key(|name| number(name)).cloned().expect("a thread");
    workers.remove(&main);
    let calls: Vec<String> = workers
        .values()
        .flat_map(|trace| {
            String::from_utf8_lossy(trace).lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let store = space.store();
    let of_store = |call: &&String| call.contains(&format!("\"{}", store.display()));
    assert!(calls.iter().filter(of_store).count() > 3, "builders read the store: {calls:?}");
    let strange: Vec<&String> =
        calls.iter().filter(|call| !of_store(call) && !is_of_the_system(call)).collect();
    assert!(strange.is_empty(), "a worker reached {strange:#?}");
}

/// `thread.1234`.
fn number(name: &str) -> u64 {
    name.rsplit('.').next().and_then(|number| number.parse().ok()).expect("a thread's number")
}

/// What the standard library and SQLite do by themselves on a thread: a hash map's seed, the number
/// of processors, temporary names; and what the C library asks before it gives memory back.
fn is_of_the_system(call: &str) -> bool {
    [
        "getrandom(",
        "\"/proc/self/",
        "\"/proc/sys/vm/overcommit_memory\"",
        "\"/sys/fs/cgroup/",
        "\"/dev/urandom\"",
        "+++",
        "---",
    ]
    .iter()
    .any(|known| call.contains(known))
}
