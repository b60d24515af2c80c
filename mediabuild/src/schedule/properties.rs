//! The state machine driven through random plans, limits and failures.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::machine::{Command, Event, JobSpec, Machine, Policy};
use super::tokens::Tokens;

/// A random plan, what is wanted, the machine's size, who fails, and in which order running jobs
/// end.
#[derive(Debug, Clone)]
struct Case {
    jobs: Vec<JobSpec>,
    wanted: Vec<usize>,
    limit: Tokens,
    policy: Policy,
    fails: Vec<bool>,
    ends: Vec<usize>,
}

fn tokens(max: u64) -> impl Strategy<Value = Tokens> {
    (1..=max, 0..=2 * max, 0..=max).prop_map(|(cpu, memory_mib, disk)| Tokens {
        cpu,
        memory_mib,
        disk,
    })
}

fn job(at: usize) -> impl Strategy<Value = JobSpec> {
    let inputs = match at {
        0 => Just(BTreeSet::new()).boxed(),
        _ => prop::collection::btree_set(0..at, 0..=at.min(4)).boxed(),
    };
    (inputs, tokens(4), 0..50u64, prop::bool::weighted(0.15)).prop_map(
        |(inputs, needs, weight, is_known)| JobSpec {
            inputs: inputs.into_iter().collect(),
            needs,
            weight,
            is_known,
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    (1..30usize).prop_flat_map(|count| {
        (
            (0..count).map(job).collect::<Vec<_>>(),
            prop::collection::vec(0..count, 1..4),
            tokens(4),
            prop_oneof![Just(Policy::StopAtFailure), Just(Policy::KeepGoing)],
            prop::collection::vec(prop::bool::weighted(0.1), count),
            prop::collection::vec(0..1000usize, count),
        )
            .prop_map(|(jobs, wanted, limit, policy, fails, ends)| Case {
                jobs,
                wanted,
                limit,
                policy,
                fails,
                ends,
            })
    })
}

/// What a run did.
#[derive(Default)]
struct History {
    started: Vec<usize>,
    done: BTreeSet<usize>,
    failed: BTreeSet<usize>,
    skipped: BTreeSet<usize>,
}

/// Drives the machine to its end and checks what must hold at every step.
fn drive(case: &Case) -> History {
    let mut machine = Machine::new(&case.jobs, &case.wanted, case.limit, case.policy);
    let mut history = History::default();
    let mut running: Vec<usize> = Vec::new();
    let mut commands = machine.handle(Event::Begin);
    for step in 0.. {
        assert!(step <= case.jobs.len(), "every step ends a job");
        for command in &commands {
            obey(case, *command, &mut history, &mut running);
        }
        check_tokens(case, &running);
        assert_eq!(machine.is_over(), running.is_empty(), "it waits for somebody, or is over");
        let Some(next) = (!running.is_empty()).then(|| case.ends[step] % running.len()) else {
            break;
        };
        let job = running.swap_remove(next);
        let event = if case.fails[job] {
            history.failed.insert(job);
            Event::Failed(job)
        } else {
            history.done.insert(job);
            Event::Done(job)
        };
        commands = machine.handle(event);
    }
    history
}

fn obey(case: &Case, command: Command, history: &mut History, running: &mut Vec<usize>) {
    match command {
        Command::Run(job) => {
            assert!(!case.jobs[job].is_known, "what is known does not run");
            assert!(!history.started.contains(&job), "a job runs once");
            assert!(!history.skipped.contains(&job), "a skipped job does not run");
            let ready = |input: &usize| case.jobs[*input].is_known || history.done.contains(input);
            assert!(case.jobs[job].inputs.iter().all(ready), "inputs run first");
            if case.policy == Policy::StopAtFailure {
                assert!(history.failed.is_empty(), "nothing starts after a failure");
            }
            history.started.push(job);
            running.push(job);
        }
        Command::Skip { job, failed } => {
            assert!(history.failed.contains(&failed));
            assert!(history.skipped.insert(job), "a job is skipped once");
        }
    }
}

/// Together, running jobs never hold more than there is.
fn check_tokens(case: &Case, running: &[usize]) {
    let held = running
        .iter()
        .fold(Tokens::default(), |held, &job| held.with(case.jobs[job].needs.capped(case.limit)));
    assert!(case.limit.without(held).is_some(), "{held:?} of {:?}", case.limit);
}

/// The wanted jobs and all they need that is not known.
fn closure(case: &Case) -> BTreeSet<usize> {
    let mut closure = BTreeSet::new();
    let mut stack = case.wanted.clone();
    while let Some(job) = stack.pop() {
        if !case.jobs[job].is_known && closure.insert(job) {
            stack.extend(&case.jobs[job].inputs);
        }
    }
    closure
}

proptest! {
    #[test]
    fn every_wanted_job_runs_once_and_nothing_else(case in case()) {
        let case = Case { fails: vec![false; case.jobs.len()], ..case };
        let history = drive(&case);
        prop_assert_eq!(history.done, closure(&case));
        prop_assert!(history.skipped.is_empty());
    }

    #[test]
    fn failures_stop_what_they_must_and_no_more(case in case()) {
        let history = drive(&case);
        let closure = closure(&case);
        let ended: BTreeSet<usize> = history.done.union(&history.failed).copied().collect();
        prop_assert!(ended.is_subset(&closure));
        prop_assert!(history.skipped.is_subset(&closure));
        if case.policy == Policy::KeepGoing {
            let all: BTreeSet<usize> = ended.union(&history.skipped).copied().collect();
            prop_assert_eq!(&all, &closure, "everything ran or had a reason not to");
            for &job in &history.skipped {
                let failed = |input: &usize| {
                    history.failed.contains(input) || history.skipped.contains(input)
                };
                prop_assert!(case.jobs[job].inputs.iter().any(failed), "{} had no reason", job);
            }
        }
    }

    #[test]
    fn a_stop_starts_nothing_more(case in case(), after in 0..10usize) {
        let mut machine = Machine::new(&case.jobs, &case.wanted, case.limit, case.policy);
        let mut running = run_jobs(&machine.handle(Event::Begin));
        for _ in 0..after {
            let Some(job) = running.pop() else { break };
            running.extend(run_jobs(&machine.handle(Event::Done(job))));
        }
        let Some(stopped) = running.pop() else { return Ok(()) };
        prop_assert!(machine.handle(Event::Stopped(stopped)).is_empty());
        for job in running {
            prop_assert!(!machine.is_over());
            prop_assert!(run_jobs(&machine.handle(Event::Done(job))).is_empty());
        }
        prop_assert!(machine.is_over());
    }

    #[test]
    fn one_at_a_time_the_longest_way_goes_first(weights in prop::collection::vec(0..9u64, 1..20)) {
        let jobs: Vec<JobSpec> = weights.iter().map(|&weight| JobSpec {
            needs: Tokens { cpu: 1, ..Tokens::default() }, weight, ..JobSpec::default()
        }).collect();
        let wanted: Vec<usize> = (0..jobs.len()).collect();
        let limit = Tokens { cpu: 1, memory_mib: 1, disk: 1 };
        let mut machine = Machine::new(&jobs, &wanted, limit, Policy::KeepGoing);
        let mut order = Vec::new();
        let mut next = run_jobs(&machine.handle(Event::Begin));
        while let Some(job) = next.pop() {
            order.push(job);
            next = run_jobs(&machine.handle(Event::Done(job)));
        }
        let mut expected = wanted;
        expected.sort_by_key(|&job| (std::cmp::Reverse(weights[job]), job));
        prop_assert_eq!(order, expected);
    }
}

fn run_jobs(commands: &[Command]) -> Vec<usize> {
    commands
        .iter()
        .filter_map(|command| match command {
            Command::Run(job) => Some(*job),
            Command::Skip { .. } => None,
        })
        .collect()
}
