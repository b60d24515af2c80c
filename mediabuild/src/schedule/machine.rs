//! The scheduler's state machine: events in, commands out. No threads, no clock, no builders, so
//! that `properties.rs` can drive it through any history.
//!
//! ```text
//!   Waiting(n) ──inputs done──► Ready ──tokens──► Running ──► Done
//!       │                         │                  └──────► Failed
//!       └──an input failed──► Skipped
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::priority::{Priority, critical_paths};
use super::tokens::Tokens;

/// A job: what it waits for, what it holds while it runs, how long it may take.
#[derive(Debug, Clone, Default)]
pub(crate) struct JobSpec {
    /// Positions of other jobs, all smaller than its own.
    pub(crate) inputs: Vec<usize>,
    pub(crate) needs: Tokens,
    /// An estimate in any unit, the same for all; decides order only.
    pub(crate) weight: u64,
    /// Its result is known: it does not run.
    pub(crate) is_known: bool,
}

/// What happens after the first failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Nothing more is started.
    StopAtFailure,
    /// Everything that does not depend on it runs.
    KeepGoing,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The beginning; once.
    Begin,
    Done(usize),
    Failed(usize),
    /// It ended early because the user wants no more: running jobs end, none is started.
    Stopped(usize),
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Run(usize),
    /// `job` will never run, for `failed` has.
    Skip {
        job: usize,
        failed: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unwanted,
    /// For so many inputs.
    Waiting(usize),
    Ready,
    Running,
    Done,
    Failed,
    Skipped,
}

/// All jobs of a build and where each stands.
pub(crate) struct Machine<'a> {
    jobs: &'a [JobSpec],
    states: Vec<State>,
    dependents: Vec<Vec<usize>>,
    priorities: Vec<u64>,
    /// Ready jobs by what they need: there are few kinds of needs and may be many jobs, of which none
    /// of a kind fits if one does not.
    ready: BTreeMap<Tokens, BTreeSet<Priority>>,
    free: Tokens,
    limit: Tokens,
    policy: Policy,
    running: usize,
    stopped: bool,
}

impl<'a> Machine<'a> {
    /// Nothing runs before [`Event::Begin`].
    pub(crate) fn new(
        jobs: &'a [JobSpec],
        wanted: &[usize],
        limit: Tokens,
        policy: Policy,
    ) -> Self {
        let mut machine = Machine {
            jobs,
            states: vec![State::Unwanted; jobs.len()],
            dependents: vec![Vec::new(); jobs.len()],
            priorities: Vec::new(),
            ready: BTreeMap::new(),
            free: limit,
            limit,
            policy,
            running: 0,
            stopped: false,
        };
        machine.want(wanted);
        machine.priorities = critical_paths(jobs, &machine.dependents);
        machine
    }

    /// Marks the closure of `wanted`, not looking behind what is known.
    fn want(&mut self, wanted: &[usize]) {
        let mut stack = wanted.to_vec();
        while let Some(job) = stack.pop() {
            if self.states[job] != State::Unwanted {
                continue;
            }
            let spec = &self.jobs[job];
            if spec.is_known {
                self.states[job] = State::Done;
                continue;
            }
            let inputs = || spec.inputs.iter().copied().filter(|&input| !self.jobs[input].is_known);
            self.states[job] = State::Waiting(inputs().count());
            for input in inputs() {
                self.dependents[input].push(job);
            }
            stack.extend(inputs());
        }
    }

    /// Takes in what happened and says what to do now.
    pub(crate) fn handle(&mut self, event: Event) -> Vec<Command> {
        let mut commands = Vec::new();
        match event {
            Event::Begin => self.begin(),
            Event::Done(job) => self.finish(job, State::Done),
            Event::Stopped(job) => {
                self.finish(job, State::Failed);
                self.stopped = true;
            }
            Event::Failed(job) => {
                self.finish(job, State::Failed);
                self.stopped |= self.policy == Policy::StopAtFailure;
                self.skip_dependents(job, &mut commands);
            }
        }
        self.start(&mut commands);
        commands
    }

    /// No job runs, and none will.
    pub(crate) fn is_over(&self) -> bool {
        self.running == 0 && (self.stopped || self.ready.values().all(BTreeSet::is_empty))
    }

    fn begin(&mut self) {
        for job in 0..self.jobs.len() {
            if self.states[job] == State::Waiting(0) {
                self.set(job, State::Ready);
            }
        }
    }

    /// The one place where a job changes its state.
    fn set(&mut self, job: usize, state: State) {
        let needs = self.jobs[job].needs.capped(self.limit);
        match self.states[job] {
            State::Ready => {
                let priority = Priority::new(self.priorities[job], job);
                self.ready.entry(needs).or_default().remove(&priority);
            }
            State::Running => {
                self.running -= 1;
                self.free = self.free.with(needs);
            }
            _ => {}
        }
        match state {
            State::Ready => {
                let priority = Priority::new(self.priorities[job], job);
                self.ready.entry(needs).or_default().insert(priority);
            }
            State::Running => {
                self.running += 1;
                self.free = self.free.without(needs).expect("only what fits is started");
            }
            _ => {}
        }
        self.states[job] = state;
    }

    fn finish(&mut self, job: usize, state: State) {
        assert_eq!(self.states[job], State::Running, "only a running job ends");
        self.set(job, state);
        if state != State::Done {
            return;
        }
        for at in 0..self.dependents[job].len() {
            let dependent = self.dependents[job][at];
            match self.states[dependent] {
                State::Waiting(1) => self.set(dependent, State::Ready),
                State::Waiting(count) => self.set(dependent, State::Waiting(count - 1)),
                _ => {}
            }
        }
    }

    fn skip_dependents(&mut self, failed: usize, commands: &mut Vec<Command>) {
        let mut stack = self.dependents[failed].clone();
        while let Some(job) = stack.pop() {
            if matches!(self.states[job], State::Waiting(_)) {
                self.set(job, State::Skipped);
                commands.push(Command::Skip { job, failed });
                stack.extend(&self.dependents[job]);
            }
        }
    }

    /// Starts what fits, the longest way to the end first. A job too large for what is free is
    /// passed over: there are finitely many smaller ones, so its turn comes.
    fn start(&mut self, commands: &mut Vec<Command>) {
        if self.stopped {
            return;
        }
        while let Some(job) = self.first_that_fits() {
            self.set(job, State::Running);
            commands.push(Command::Run(job));
        }
    }

    fn first_that_fits(&self) -> Option<usize> {
        let fit = self.ready.iter().filter(|(needs, _)| self.free.without(**needs).is_some());
        fit.filter_map(|(_, jobs)| jobs.first()).min().map(Priority::job)
    }
}
