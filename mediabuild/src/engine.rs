//! The engine: a plan → every wanted output, by survey, schedule and realise.

use std::time::{Duration, Instant};

use mediabuild_store::{DerivationId, Output};

use crate::builders::import_recall::StatCaches;
use crate::derivation::Derivation;
use crate::failure::Failure;
use crate::os::memory_bytes;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::realise::{How, Realised, Realiser};
use crate::reason::Past;
use crate::schedule::{self, JobSpec, Outcome, Policy, Tokens, Work};
use crate::survey::{Asked, Standing, survey};

/// How a build is to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Jobs at a time; as many as there are processors if not said.
    pub(crate) jobs: Option<u16>,
    pub(crate) policy: Policy,
    /// Everything is made a second time and compared.
    pub(crate) check: bool,
    /// Every input is read, whatever its stat says.
    pub(crate) paranoid: bool,
}

/// How the whole of a plan was realised.
pub(crate) struct Built {
    pub(crate) standings: Vec<Standing>,
    pub(crate) outcome: Outcome<Realised>,
    /// When what is known was known, and jobs could start.
    pub(crate) surveyed: Instant,
}

impl Built {
    /// The output at a position, if it exists now.
    pub(crate) fn output(&self, at: usize) -> Option<&Output> {
        let realised = self.outcome.results[at].as_ref().map(|realised| &realised.output);
        realised.or_else(|| self.standings[at].output())
    }

    pub(crate) fn id(&self, at: usize) -> Option<DerivationId> {
        match &self.standings[at] {
            Standing::Known { id, .. } => Some(*id),
            _ => self.outcome.results[at].as_ref().map(|realised| realised.id),
        }
    }

    pub(crate) fn count(&self, how: How) -> usize {
        self.outcome.results.iter().flatten().filter(|realised| realised.how == how).count()
    }
}

/// Realises `wanted` (positions) and all they need. `standings` tells what exists already.
pub(crate) fn run(
    past: Past<'_>,
    standings: Vec<Standing>,
    wanted: &[usize],
    manner: Manner,
    progress: &Progress,
) -> Result<Built, Failure> {
    let jobs = job_specs(&past, &standings)?;
    let limit = machine_size(manner.jobs.map_or_else(processors, usize::from));
    let work = Work { jobs: &jobs, wanted, limit, policy: manner.policy };
    let paranoid = manner.paranoid || manner.check;
    let realiser = Realiser { past, progress, check: manner.check, paranoid };
    let known = standings.iter().map(known).collect();
    let surveyed = Instant::now();
    let outcome = schedule::run(&work, known, |at, inputs| realiser.realise(at, inputs));
    Ok(Built { standings, outcome, surveyed })
}

/// Where every step stands before a build done in this `manner`. `are_in_place` says of recorded
/// outputs whether all results are where they are wanted: then nothing will be read, and whether
/// the store still has it all, which takes longer than everything else, is not asked.
pub(crate) fn standings(
    past: Past<'_>,
    manner: Manner,
    are_in_place: impl FnOnce(&[Standing]) -> Result<bool, Failure>,
) -> Result<Vec<Standing>, Failure> {
    if manner.check {
        return Ok(unknown(past.plan));
    }
    let caches = stat_caches(past, manner.paranoid)?;
    let recorded = survey(past.plan, past.store, &caches, &[], Asked::Recorded)?;
    if are_in_place(&recorded)? {
        return Ok(recorded);
    }
    survey(past.plan, past.store, &caches, &[], Asked::Whole)
}

/// A build of all targets of a plan, remembered as the project's last one.
pub(crate) fn build(
    past: Past<'_>,
    standings: Vec<Standing>,
    manner: Manner,
    progress: &Progress,
) -> Result<Built, Failure> {
    let wanted: Vec<usize> = past.plan.targets.iter().map(|target| target.derivation.0).collect();
    let built = run(past, standings, &wanted, manner, progress)?;
    let keys = past.keys.iter().enumerate();
    let now = keys.filter_map(|(at, key)| Some((key.as_str(), built.id(at)?)));
    // What was made is made, and what failed is to be told: neither depends on a note for `why`.
    if let Err(failure) = past.history.update(past.store, now) {
        progress.warning(&format!("this build is not remembered for `why`: {failure}"));
    }
    Ok(built)
}

/// What the store remembers of imports; nothing for who does not trust it.
pub(crate) fn stat_caches(past: Past<'_>, paranoid: bool) -> Result<StatCaches, Failure> {
    match paranoid {
        true => Ok(StatCaches::default()),
        false => {
            StatCaches::load(past.store, past.plan.derivations.iter().map(|d| d.builder.as_ref()))
        }
    }
}

/// For `--check`: everything is to be made.
fn unknown(plan: &Plan) -> Vec<Standing> {
    plan.derivations.iter().map(|_| Standing::Waits).collect()
}

fn known(standing: &Standing) -> Option<Realised> {
    match standing {
        Standing::Known { id, output } => {
            Some(Realised { id: *id, output: *output, how: How::Known, bytes: 0 })
        }
        _ => None,
    }
}

/// How long what is open may take: the longest chain, or all of it spread over the workers.
pub(crate) fn estimate(
    past: Past<'_>,
    standings: &[Standing],
    manner: Manner,
) -> Result<Duration, Failure> {
    let jobs = job_specs(&past, standings)?;
    let mut ends: Vec<u64> = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let begins = job.inputs.iter().map(|&input| ends[input]).max().unwrap_or(0);
        ends.push(begins + job.weight);
    }
    let longest = ends.into_iter().max().unwrap_or(0);
    let workers = manner.jobs.map_or_else(processors, usize::from).max(1) as u64;
    let spread = jobs.iter().map(|job| job.weight).sum::<u64>() / workers;
    Ok(Duration::from_millis(longest.max(spread)))
}

/// What the scheduler must know of each step.
fn job_specs(past: &Past<'_>, standings: &[Standing]) -> Result<Vec<JobSpec>, Failure> {
    let spec = |(at, derivation): (usize, &Derivation)| {
        let is_known = standings[at].output().is_some();
        Ok(JobSpec {
            inputs: derivation.inputs.iter().map(|input| input.from.0).collect(),
            needs: derivation.builder.needs(),
            weight: if is_known { 0 } else { past.estimate(at)?.as_millis() as u64 },
            is_known,
        })
    };
    past.plan.derivations.iter().enumerate().map(spec).collect()
}

/// Sizes the pool for leaf work if a number was said: its own is the number of processors. Before
/// anything uses it; and a build with nothing to do starts none of its threads.
pub(crate) fn size_pool(jobs: Option<u16>) {
    jobs.into_iter().for_each(|jobs| schedule::size_leaf_pool(jobs.into()));
}

/// How much a build may use. Half of the memory: page cache and other programs want some too.
fn machine_size(jobs: usize) -> Tokens {
    let memory_mib = (memory_bytes().unwrap_or(MEMORY_BYTES_UNKNOWN) / 2) >> 20;
    Tokens { cpu: jobs as u64, memory_mib, disk: DISK_STREAMS }
}

/// Imports that read at the same time: with two, one hashes while the other waits for the disk;
/// more only make a spinning or network disk seek.
const DISK_STREAMS: u64 = 2;

/// Assumed where the system does not tell.
const MEMORY_BYTES_UNKNOWN: u64 = 4 << 30;

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
