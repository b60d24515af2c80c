//! Timeline: what a build did when, on which worker. For `build --timings`; measures, decides nothing.

pub(crate) mod html;
pub(crate) mod trace;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::engine::Built;
use crate::plan::Plan;
use crate::realise::How;

/// What a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Work of the program itself: definitions, survey.
    Phase,
    Import,
    Build,
    /// Somebody else had made it by the time it was its turn.
    Hit,
    Export,
    Failed,
}

impl Kind {
    /// The word shown for it, also its class in the page.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Phase => "phase",
            Kind::Import => "import",
            Kind::Build => "build",
            Kind::Hit => "hit",
            Kind::Export => "export",
            Kind::Failed => "failed",
        }
    }
}

/// One stretch of work.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) kind: Kind,
    /// 0 is the main thread; workers count from 1.
    pub(crate) lane: usize,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    /// Read and written.
    pub(crate) bytes: u64,
    /// Had it been faster, the build would have been.
    pub(crate) is_critical: bool,
}

impl Bar {
    pub(crate) fn took(&self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

/// A whole build.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    started: Instant,
    pub(crate) bars: Vec<Bar>,
    /// Steps that were known before any job started.
    pub(crate) known: usize,
    pub(crate) total: Duration,
}

impl Timeline {
    /// A timeline that began when the command did.
    pub(crate) fn new(started: Instant) -> Self {
        Timeline { started, bars: Vec::new(), known: 0, total: Duration::ZERO }
    }

    /// Something the main thread did from `from` until now.
    pub(crate) fn phase(&mut self, kind: Kind, label: &str, from: Instant, bytes: u64) {
        let (start, end) = (self.at(from), self.at(Instant::now()));
        let label = label.to_owned();
        self.bars.push(Bar { label, kind, lane: 0, start, end, bytes, is_critical: true });
    }

    /// Something the main thread did between two moments.
    pub(crate) fn phase_until(&mut self, kind: Kind, label: &str, from: Instant, until: Instant) {
        let (start, end) = (self.at(from), self.at(until));
        let label = label.to_owned();
        self.bars.push(Bar { label, kind, lane: 0, start, end, bytes: 0, is_critical: true });
    }

    /// The jobs of a build.
    pub(crate) fn jobs(&mut self, plan: &Plan, built: &Built) {
        let critical = critical_path(plan, built);
        for span in &built.outcome.spans {
            let result = built.outcome.results[span.job].as_ref();
            let kind = match result.map(|realised| realised.how) {
                Some(How::Imported) => Kind::Import,
                Some(How::Built) => Kind::Build,
                Some(How::Known) => Kind::Hit,
                None => Kind::Failed,
            };
            self.bars.push(Bar {
                label: plan.derivations[span.job].label.clone(),
                kind,
                lane: span.worker + 1,
                start: self.at(span.started),
                end: self.at(span.ended),
                bytes: result.map_or(0, |realised| realised.bytes),
                is_critical: critical.contains(&span.job),
            });
        }
        self.known = built.standings.iter().filter(|s| s.output().is_some()).count();
    }

    /// The build is over.
    pub(crate) fn finish(&mut self) {
        self.total = self.at(Instant::now());
        self.bars.sort_by_key(|bar| (bar.start, bar.lane));
    }

    fn at(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.started)
    }

    /// The main thread and the workers that did anything.
    pub(crate) fn lanes(&self) -> usize {
        1 + self.bars.iter().map(|bar| bar.lane).max().unwrap_or(0)
    }

    /// Longest first.
    pub(crate) fn longest(&self) -> Vec<&Bar> {
        let mut bars: Vec<&Bar> = self.bars.iter().collect();
        bars.sort_by_key(|bar| std::cmp::Reverse(bar.took()));
        bars
    }
}

/// The chain that ended last: from the job that ended last back to, each time, the input that made
/// it wait longest.
fn critical_path(plan: &Plan, built: &Built) -> BTreeSet<usize> {
    let ended: BTreeMap<usize, Instant> =
        built.outcome.spans.iter().map(|span| (span.job, span.ended)).collect();
    let mut path = BTreeSet::new();
    let mut next = ended.iter().max_by_key(|(_, ended)| **ended).map(|(job, _)| *job);
    while let Some(job) = next {
        path.insert(job);
        let inputs = plan.derivations[job].inputs.iter().map(|input| input.from.0);
        next = inputs.filter(|input| ended.contains_key(input)).max_by_key(|input| ended[input]);
    }
    path
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Bar, Kind, Timeline, html, trace};

    fn timeline() -> Timeline {
        let mut timeline = Timeline::new(Instant::now());
        let ms = Duration::from_millis;
        let bar = |label: &str, kind, lane, start, end, is_critical| Bar {
            label: label.into(),
            kind,
            lane,
            start: ms(start),
            end: ms(end),
            bytes: 2000,
            is_critical,
        };
        timeline.bars = vec![
            bar("definitions", Kind::Phase, 0, 0, 10, true),
            bar("import <drivers> & \"more\"", Kind::Import, 1, 10, 60, true),
            bar("import apps", Kind::Import, 2, 10, 20, false),
            bar("media boot", Kind::Build, 1, 60, 90, true),
            bar("write boot.iso", Kind::Export, 0, 90, 100, true),
        ];
        timeline.known = 3;
        timeline.total = ms(100);
        timeline
    }

    #[test]
    fn the_trace_is_one_event_a_bar_in_microseconds() {
        let trace: serde_json::Value =
            serde_json::from_str(&trace::render(&timeline())).expect("JSON");
        let events = trace["traceEvents"].as_array().expect("a list");
        let complete: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
        assert_eq!(complete.len(), 5);
        assert_eq!(complete[3]["name"], "media boot");
        assert_eq!((&complete[3]["ts"], &complete[3]["dur"]), (&60_000.into(), &30_000.into()));
        let names: Vec<_> = events.iter().filter(|event| event["ph"] == "M").collect();
        assert_eq!(names.len(), 4, "the process and three lanes have names");
    }

    #[test]
    fn the_page_escapes_labels_and_needs_nothing_else() {
        let page = html::render(&timeline(), "a <project>");
        assert!(page.contains("import &lt;drivers&gt; &amp; &quot;more&quot;"));
        assert!(page.contains("a &lt;project&gt;") && !page.contains("<drivers>"));
        for outside in ["http:", "https:", "src=", "href=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(page.matches("<rect class=\"bar").count(), 5);
    }
}
