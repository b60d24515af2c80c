//! The timeline in Chrome's trace event format (`chrome://tracing`, Perfetto): complete events (`X`)
//! with microseconds, and names of threads (`M`).

use serde_json::{Value, json};

use super::{Bar, Timeline};

/// One JSON object.
pub(crate) fn render(timeline: &Timeline) -> String {
    let mut events = vec![json!({
        "ph": "M", "pid": 1, "tid": 0, "name": "process_name", "args": { "name": "mediabuild" },
    })];
    events.extend((0..timeline.lanes()).map(lane));
    events.extend(timeline.bars.iter().map(event));
    json!({ "traceEvents": events, "displayTimeUnit": "ms" }).to_string()
}

fn lane(lane: usize) -> Value {
    let name = super::html::lane_name(lane);
    json!({ "ph": "M", "pid": 1, "tid": lane, "name": "thread_name", "args": { "name": name } })
}

fn event(bar: &Bar) -> Value {
    json!({
        "ph": "X",
        "pid": 1,
        "tid": bar.lane,
        "name": bar.label,
        "cat": bar.kind.word(),
        "ts": bar.start.as_micros() as u64,
        "dur": bar.took().as_micros() as u64,
        "args": { "bytes": bar.bytes, "critical": bar.is_critical },
    })
}
