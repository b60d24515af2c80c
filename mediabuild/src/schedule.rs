//! Jobs on threads: the state machine's commands obeyed, its events reported. The only place that
//! starts threads.
//!
//! Knows positions and dependencies, nothing of builders. What starts when is decided by
//! [`machine`] alone: one thread talks to it, the workers only run what it says.

mod machine;
mod priority;
#[cfg(test)]
mod properties;
mod tokens;

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

pub(crate) use machine::{JobSpec, Policy};
pub(crate) use tokens::Tokens;

use self::machine::{Command, Event, Machine};
use crate::cancel;
use crate::failure::{Failure, FailureKind};

/// What is to be done: every job of a plan, which of them are wanted, and within which limits.
pub(crate) struct Work<'a> {
    pub(crate) jobs: &'a [JobSpec],
    pub(crate) wanted: &'a [usize],
    /// `cpu` is also the number of worker threads.
    pub(crate) limit: Tokens,
    pub(crate) policy: Policy,
}

/// How a build went, by position.
pub(crate) struct Outcome<T> {
    pub(crate) results: Vec<Option<T>>,
    /// In plan order.
    pub(crate) failures: Vec<(usize, Failure)>,
    /// Jobs that never ran, each with the failed job it needed.
    pub(crate) skipped: Vec<(usize, usize)>,
    pub(crate) spans: Vec<Span>,
}

/// When a job ran, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) job: usize,
    /// 0 for the first worker.
    pub(crate) worker: usize,
    pub(crate) started: Instant,
    pub(crate) ended: Instant,
}

/// Sizes the pool for leaf data-parallel work (hashing, decoding); once per process.
pub(crate) fn size_leaf_pool(threads: usize) {
    if let Err(error) = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global() {
        tracing::debug!("leaf pool: {error}");
    }
}

/// A job on its way to a worker, with the results of its inputs.
type Order<T> = (usize, Vec<T>);

/// A job on its way back.
type Report<T> = (Span, Result<T, Failure>);

/// Runs `run` for every wanted job that is not known, inputs first. `known` has the results of
/// those that are. `run` gets a position and the results of its inputs.
pub(crate) fn run<T: Clone + Send>(
    work: &Work<'_>,
    known: Vec<Option<T>>,
    run: impl Fn(usize, &[T]) -> Result<T, Failure> + Sync,
) -> Outcome<T> {
    let machine = Machine::new(work.jobs, work.wanted, work.limit, work.policy);
    let to_run = work.jobs.iter().filter(|job| !job.is_known).count();
    let workers = usize::try_from(work.limit.cpu).unwrap_or(usize::MAX).min(to_run);
    let (order, orders) = channel();
    let orders = Mutex::new(orders);
    let (report, reports) = channel();
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (orders, report, run) = (&orders, report.clone(), &run);
            scope.spawn(move || serve(worker, orders, &report, run));
        }
        // The last sender of orders goes with `Foreman`, which sends the workers home.
        Foreman { machine, jobs: work.jobs, order, reports }.oversee(known)
    })
}

/// The one who talks to the machine.
struct Foreman<'a, T> {
    machine: Machine<'a>,
    jobs: &'a [JobSpec],
    order: Sender<Order<T>>,
    reports: Receiver<Report<T>>,
}

impl<T: Clone> Foreman<'_, T> {
    fn oversee(mut self, known: Vec<Option<T>>) -> Outcome<T> {
        let mut outcome = Outcome {
            results: known,
            failures: Vec::new(),
            skipped: Vec::new(),
            spans: Vec::new(),
        };
        let mut event = Event::Begin;
        loop {
            for command in self.machine.handle(event) {
                self.obey(command, &mut outcome);
            }
            if self.machine.is_over() {
                break;
            }
            let (span, result) = self.reports.recv().expect("workers outlive their orders");
            event = take_in(span, result, &mut outcome);
        }
        outcome.failures.sort_by_key(|(job, _)| *job);
        outcome
    }

    fn obey(&self, command: Command, outcome: &mut Outcome<T>) {
        match command {
            Command::Skip { job, failed } => outcome.skipped.push((job, failed)),
            Command::Run(job) => {
                let results = self.jobs[job].inputs.iter().map(|&input| {
                    outcome.results[input].clone().expect("inputs are done or known")
                });
                let order = (job, results.collect());
                self.order.send(order).expect("workers wait for orders");
            }
        }
    }
}

fn take_in<T>(span: Span, result: Result<T, Failure>, outcome: &mut Outcome<T>) -> Event {
    outcome.spans.push(span);
    match result {
        Ok(result) => {
            outcome.results[span.job] = Some(result);
            Event::Done(span.job)
        }
        Err(failure) => {
            let cancelled = failure.kind == FailureKind::Cancelled;
            outcome.failures.push((span.job, failure));
            // A stop skips nobody: what did not run was not in vain.
            if cancelled { Event::Stopped(span.job) } else { Event::Failed(span.job) }
        }
    }
}

fn serve<T>(
    worker: usize,
    orders: &Mutex<Receiver<Order<T>>>,
    report: &Sender<Report<T>>,
    run: &(impl Fn(usize, &[T]) -> Result<T, Failure> + Sync),
) {
    loop {
        let order = orders.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((job, inputs)) = order else { return };
        let started = Instant::now();
        let result = cancel::check().and_then(|()| survive(|| run(job, &inputs)));
        // A read that Ctrl-C stopped fails in words of its own.
        let result = result.map_err(|failure| cancel::check().err().unwrap_or(failure));
        let span = Span { job, worker, started, ended: Instant::now() };
        if report.send((span, result)).is_err() {
            return;
        }
    }
}

/// A panic in a job is a bug; it must end as an error of that job, not as a build that hangs.
fn survive<T>(run: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    std::panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Failure::build(format!("internal error: {text}")).help("please report this as a bug"))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::{JobSpec, Outcome, Policy, Tokens, Work, run};
    use crate::failure::Failure;

    fn jobs(inputs: &[&[usize]]) -> Vec<JobSpec> {
        let needs = Tokens { cpu: 1, ..Tokens::default() };
        inputs
            .iter()
            .map(|inputs| JobSpec { inputs: inputs.to_vec(), needs, ..JobSpec::default() })
            .collect()
    }

    /// 0 → 1 → 3, 0 → 2 → 3, and 4 alone.
    fn diamond() -> Vec<JobSpec> {
        jobs(&[&[], &[0], &[0], &[1, 2], &[]])
    }

    fn run_all<T: Clone + Send>(
        jobs: &[JobSpec],
        wanted: &[usize],
        workers: u64,
        policy: Policy,
        job: impl Fn(usize, &[T]) -> Result<T, Failure> + Sync,
    ) -> Outcome<T> {
        let limit = Tokens { cpu: workers, memory_mib: 1, disk: 1 };
        let known = jobs.iter().map(|_| None).collect();
        run(&Work { jobs, wanted, limit, policy }, known, job)
    }

    #[test]
    fn inputs_run_first_and_hand_over_their_results() {
        for workers in [1, 2, 8] {
            let tell = |job: usize, inputs: &[String]| Ok(format!("{job}({})", inputs.join(" ")));
            let outcome = run_all(&diamond(), &[3], workers, Policy::StopAtFailure, tell);
            assert_eq!(outcome.results[3].as_deref(), Some("3(1(0()) 2(0()))"));
            assert_eq!(outcome.results[4], None, "unwanted jobs do not run");
            assert_eq!(outcome.spans.len(), 4);
        }
    }

    #[test]
    fn what_is_known_does_not_run() {
        let mut jobs = diamond();
        jobs[1].is_known = true;
        let known = vec![None, Some("known".to_owned()), None, None, None];
        let limit = Tokens { cpu: 2, memory_mib: 1, disk: 1 };
        let work = Work { jobs: &jobs, wanted: &[1], limit, policy: Policy::StopAtFailure };
        let outcome = run(&work, known, |job, _| panic!("{job} runs"));
        assert_eq!(outcome.results[1].as_deref(), Some("known"));
        assert!(outcome.failures.is_empty() && outcome.spans.is_empty());
    }

    #[test]
    fn a_failure_starts_nothing_new_and_names_itself() {
        let started = Mutex::new(Vec::new());
        let outcome = run_all(&diamond(), &[3, 4], 1, Policy::StopAtFailure, |job, _: &[()]| {
            started.lock().expect("no panic").push(job);
            if job == 0 { Err(Failure::build("zero fails")) } else { Ok(()) }
        });
        assert_eq!(outcome.failures.len(), 1);
        assert_eq!(outcome.failures[0].1.to_string(), "zero fails");
        assert_eq!(*started.lock().expect("no panic"), [0]);
    }

    #[test]
    fn keep_going_does_what_can_be_done_and_tells_what_cannot() {
        let outcome = run_all(&diamond(), &[3, 4], 2, Policy::KeepGoing, |job, _: &[()]| {
            if job == 1 || job == 2 { Err(Failure::build(format!("{job} fails"))) } else { Ok(()) }
        });
        let failed: Vec<usize> = outcome.failures.iter().map(|(job, _)| *job).collect();
        assert_eq!(failed, [1, 2]);
        assert_eq!(outcome.skipped.len(), 1);
        assert_eq!(outcome.skipped[0].0, 3);
        assert_eq!(outcome.results[4], Some(()));
    }

    #[test]
    fn a_panic_is_the_failure_of_its_job() {
        let outcome = run_all(&diamond(), &[3], 2, Policy::StopAtFailure, |job, _: &[()]| {
            if job == 0 { panic!("boom {job}") } else { Ok(()) }
        });
        assert_eq!(outcome.failures[0].1.to_string(), "internal error: boom 0");
    }

    #[test]
    fn independent_jobs_run_at_the_same_time() {
        let barrier = std::sync::Barrier::new(2);
        let outcome =
            run_all(&jobs(&[&[], &[]]), &[0, 1], 2, Policy::StopAtFailure, |_, _: &[()]| {
                barrier.wait();
                Ok(())
            });
        assert!(outcome.failures.is_empty());
    }
}
