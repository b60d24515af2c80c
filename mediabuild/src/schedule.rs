//! Jobs: ready queue, worker threads, failure policy. The only place that starts threads.
//!
//! Knows positions and dependencies, nothing of builders. A job becomes ready when all its inputs
//! are done; ready jobs start in plan order. After a failure no further job starts, running ones
//! finish, and all their errors are reported.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Condvar, Mutex, MutexGuard};

use crate::cancel;
use crate::failure::Failure;

/// Runs `run` for every position of `0..inputs.len()` in `wanted`'s closure, at most `jobs` at a
/// time. `inputs[i]` are the positions `i` waits for, all smaller than `i`. `run` gets a position
/// and the results of its inputs. Gives the results by position, or all failures in plan order.
pub(crate) fn run<T: Clone + Send>(
    inputs: &[Vec<usize>],
    wanted: &[usize],
    jobs: usize,
    run: impl Fn(usize, &[T]) -> Result<T, Failure> + Sync,
) -> Result<Vec<Option<T>>, Vec<Failure>> {
    let queue = Queue::new(inputs, wanted);
    let ready = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| work(&queue, &ready, inputs, &run));
        }
    });
    queue.into_inner().expect("no job panicked").finish()
}

/// Sizes the pool for leaf data-parallel work (hashing, decoding); once per process.
pub(crate) fn size_leaf_pool(threads: usize) {
    if let Err(error) = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global() {
        tracing::debug!("leaf pool: {error}");
    }
}

/// The job states.
struct Queue<T> {
    /// How many inputs of each wanted job are not done yet; `None`: not wanted.
    waiting: Vec<Option<usize>>,
    /// Who waits for each job.
    dependents: Vec<Vec<usize>>,
    /// Jobs whose inputs are all done.
    ready: BTreeSet<usize>,
    running: usize,
    results: Vec<Option<T>>,
    failures: Vec<(usize, Failure)>,
}

impl<T> Queue<T> {
    fn new(inputs: &[Vec<usize>], wanted: &[usize]) -> Mutex<Self> {
        let mut queue = Queue {
            waiting: vec![None; inputs.len()],
            dependents: vec![Vec::new(); inputs.len()],
            ready: BTreeSet::new(),
            running: 0,
            results: inputs.iter().map(|_| None).collect(),
            failures: Vec::new(),
        };
        let mut stack = wanted.to_vec();
        while let Some(job) = stack.pop() {
            if queue.waiting[job].is_none() {
                queue.want(job, &inputs[job]);
                stack.extend(&inputs[job]);
            }
        }
        Mutex::new(queue)
    }

    fn want(&mut self, job: usize, inputs: &[usize]) {
        self.waiting[job] = Some(inputs.len());
        for &input in inputs {
            self.dependents[input].push(job);
        }
        if inputs.is_empty() {
            self.ready.insert(job);
        }
    }

    fn next(&mut self) -> Option<usize> {
        if !self.failures.is_empty() {
            return None;
        }
        let job = self.ready.pop_first()?;
        self.running += 1;
        Some(job)
    }

    fn is_over(&self) -> bool {
        self.running == 0 && (self.ready.is_empty() || !self.failures.is_empty())
    }

    fn done(&mut self, job: usize, result: Result<T, Failure>) {
        self.running -= 1;
        match result {
            Err(failure) => self.failures.push((job, failure)),
            Ok(result) => {
                self.results[job] = Some(result);
                for dependent in std::mem::take(&mut self.dependents[job]) {
                    let waiting = self.waiting[dependent].as_mut().expect("dependents are wanted");
                    *waiting -= 1;
                    if *waiting == 0 {
                        self.ready.insert(dependent);
                    }
                }
            }
        }
    }

    fn finish(mut self) -> Result<Vec<Option<T>>, Vec<Failure>> {
        if self.failures.is_empty() {
            return Ok(self.results);
        }
        self.failures.sort_by_key(|(job, _)| *job);
        Err(self.failures.into_iter().map(|(_, failure)| failure).collect())
    }
}

fn work<T: Clone + Send>(
    queue: &Mutex<Queue<T>>,
    ready: &Condvar,
    inputs: &[Vec<usize>],
    run: &(impl Fn(usize, &[T]) -> Result<T, Failure> + Sync),
) {
    while let Some((job, arguments)) = take(queue, ready, inputs) {
        let result = cancel::check().and_then(|()| survive(|| run(job, &arguments)));
        lock(queue).done(job, result);
        ready.notify_all();
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

/// Waits for a ready job; `None` when there will be no more.
fn take<T: Clone>(
    queue: &Mutex<Queue<T>>,
    ready: &Condvar,
    inputs: &[Vec<usize>],
) -> Option<(usize, Vec<T>)> {
    let mut queue = lock(queue);
    loop {
        if let Some(job) = queue.next() {
            let results = inputs[job].iter().map(|&input| queue.results[input].clone());
            return Some((job, results.map(|result| result.expect("inputs are done")).collect()));
        }
        if queue.is_over() {
            return None;
        }
        queue = ready.wait(queue).expect("no job panicked");
    }
}

fn lock<T>(queue: &Mutex<Queue<T>>) -> MutexGuard<'_, Queue<T>> {
    queue.lock().expect("no job panicked")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::run;
    use crate::failure::Failure;

    /// 0 → 1 → 3, 0 → 2 → 3, and 4 alone.
    fn diamond() -> Vec<Vec<usize>> {
        vec![vec![], vec![0], vec![0], vec![1, 2], vec![]]
    }

    #[test]
    fn inputs_run_first_and_hand_over_their_results() {
        for jobs in [1, 2, 8] {
            let results = run(&diamond(), &[3], jobs, |job, inputs: &[String]| {
                Ok(format!("{job}({})", inputs.join(" ")))
            });
            let results = results.expect("nothing fails");
            assert_eq!(results[3].as_deref(), Some("3(1(0()) 2(0()))"));
            assert_eq!(results[4], None, "unwanted jobs do not run");
        }
    }

    #[test]
    fn a_failure_starts_nothing_new_and_names_itself() {
        let started = Mutex::new(Vec::new());
        let failures = run(&diamond(), &[3, 4], 1, |job, _: &[()]| {
            started.lock().expect("no panic").push(job);
            if job == 1 { Err(Failure::build("one fails")) } else { Ok(()) }
        });
        let failures = failures.expect_err("job 1 fails");
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].to_string(), "one fails");
        assert_eq!(*started.lock().expect("no panic"), [0, 1]);
    }

    #[test]
    fn a_panic_is_the_failure_of_its_job() {
        let failures =
            run(
                &diamond(),
                &[3],
                2,
                |job, _: &[()]| {
                    if job == 0 { panic!("boom {job}") } else { Ok(()) }
                },
            );
        let failures = failures.expect_err("job 0 panics");
        assert_eq!(failures[0].to_string(), "internal error: boom 0");
    }

    #[test]
    fn independent_jobs_run_at_the_same_time() {
        let barrier = std::sync::Barrier::new(2);
        let inputs = vec![vec![], vec![]];
        let results = run(&inputs, &[0, 1], 2, |_, _: &[()]| {
            barrier.wait();
            Ok(())
        });
        assert!(results.is_ok());
    }
}
