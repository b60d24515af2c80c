//! The timeline as one self-contained page: no script, no font, nothing loaded from anywhere.

use std::fmt::Write;
use std::time::Duration;

use super::{Bar, Kind, Timeline};
use crate::size::{duration_ms, human};

/// Height of a lane and width of the drawing, in pixels of the drawing.
const LANE: usize = 30;
const WIDTH: f64 = 1200.0;

/// Room for the lanes' names.
const NAMES: f64 = 90.0;

/// A bar narrower than this has no room for its name (a letter takes about 6.5).
const NAMED_WIDTH: f64 = 36.0;
const LETTER: f64 = 6.5;

/// Bars drawn; of a larger build the longest.
const BARS_MAX: usize = 4000;

/// Rows of the table of longest steps.
const ROWS: usize = 30;

const STYLE: &str = "
:root { --bg:#fff; --fg:#1c2733; --dim:#5d6b78; --line:#d8dee4; --phase:#8b98a5; --import:#2f7ed8;
  --build:#2e9e6b; --hit:#b8d4c4; --export:#c27c18; --failed:#cf2f3c; --crit:#1c2733; }
@media (prefers-color-scheme: dark) { :root { --bg:#12181e; --fg:#e4e9ee; --dim:#93a1ae;
  --line:#2c3843; --hit:#3d5a4b; --crit:#fff; } }
body { background:var(--bg); color:var(--fg); font:15px/1.5 system-ui,sans-serif;
  max-width:1240px; margin:2rem auto; padding:0 1rem; }
h1 { font-size:1.4rem; margin:0 0 .3rem; } h2 { font-size:1.05rem; margin:1.8rem 0 .5rem; }
p { color:var(--dim); margin:.2rem 0; } b { color:var(--fg); font-weight:600; }
svg { width:100%; height:auto; display:block; }
svg text { font:11px system-ui,sans-serif; fill:var(--fg); }
svg .name { fill:#fff; pointer-events:none; } svg .axis { fill:var(--dim); }
svg .grid { stroke:var(--line); }
.bar { stroke:none; } .critical { stroke:var(--crit); stroke-width:1.5; }
.phase { fill:var(--phase); background:var(--phase); } .import { fill:var(--import);
  background:var(--import); } .build { fill:var(--build); background:var(--build); }
.hit { fill:var(--hit); background:var(--hit); } .export { fill:var(--export);
  background:var(--export); } .failed { fill:var(--failed); background:var(--failed); }
.key { display:inline-block; width:.8em; height:.8em; margin:0 .3em 0 1em; border-radius:2px; }
.key:first-child { margin-left:0; } .box { border:1.5px solid var(--crit); }
table { border-collapse:collapse; width:100%; }
th { text-align:left; color:var(--dim); font-weight:500; }
td,th { padding:.15rem .6rem .15rem 0; border-bottom:1px solid var(--line); }
td:nth-child(-n+3),th:nth-child(-n+3) { text-align:right; white-space:nowrap;
  font-variant-numeric:tabular-nums; width:6.5em; padding-right:1.2rem; }
";

/// The page; `title` names what was built.
pub(crate) fn render(timeline: &Timeline, title: &str) -> String {
    let title = escaped(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}: timings</title>\n<style>{STYLE}</style>\n<h1>{title}: timings</h1>\n"
    );
    page += &summary(timeline);
    page += &drawing(timeline);
    page += &legend();
    page +=
        "<h2>Critical path</h2>\n<p>Had one of these been faster, the build would have been.</p>\n";
    let critical: Vec<&Bar> = timeline.bars.iter().filter(|bar| bar.is_critical).collect();
    page += &table(&critical);
    page += "<h2>Longest</h2>\n";
    page += &table(&timeline.longest());
    page
}

fn summary(timeline: &Timeline) -> String {
    let count = |kind| timeline.bars.iter().filter(|bar| bar.kind == kind).count();
    let bytes = |kind| -> u64 {
        timeline.bars.iter().filter(|bar| bar.kind == kind).map(|bar| bar.bytes).sum()
    };
    let busy: Duration = timeline.bars.iter().filter(|bar| bar.lane > 0).map(Bar::took).sum();
    format!(
        "<p><b>{}</b> in all; workers were busy for <b>{}</b>.</p>\n\
         <p><b>{}</b> steps known before any job, <b>{}</b> found known by a job, <b>{}</b> built, \
         <b>{}</b> inputs looked at (<b>{}</b> read), <b>{}</b> written.</p>\n",
        ms(timeline.total),
        ms(busy),
        timeline.known,
        count(Kind::Hit),
        count(Kind::Build),
        count(Kind::Import),
        human(bytes(Kind::Import)),
        human(bytes(Kind::Export)),
    )
}

fn drawing(timeline: &Timeline) -> String {
    let height = (timeline.lanes() + 1) * LANE;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"bars per worker\">\n"
    );
    let scale = Scale { total: timeline.total.max(Duration::from_micros(1)) };
    svg += &axis(scale, height);
    for lane in 0..timeline.lanes() {
        let y = lane * LANE + LANE / 2 + 4;
        let _ = writeln!(svg, "<text x=\"0\" y=\"{y}\">{}</text>", lane_name(lane));
    }
    let mut drawn = timeline.longest();
    drawn.truncate(BARS_MAX);
    drawn.sort_by_key(|bar| (bar.start, bar.lane));
    for bar in &drawn {
        svg += &rectangle(bar, scale);
    }
    svg += "</svg>\n";
    let left_out = timeline.bars.len() - drawn.len();
    if left_out > 0 {
        let _ = writeln!(svg, "<p>{left_out} shorter bars are not drawn.</p>");
    }
    svg
}

/// Time to pixels.
#[derive(Clone, Copy)]
struct Scale {
    total: Duration,
}

impl Scale {
    fn x(self, at: Duration) -> f64 {
        NAMES + (WIDTH - NAMES) * at.as_secs_f64() / self.total.as_secs_f64()
    }
}

/// Ten lines over the whole time.
fn axis(scale: Scale, height: usize) -> String {
    let mut svg = String::new();
    for tenth in 0..10u32 {
        let at = scale.total * tenth / 10;
        let x = scale.x(at);
        let (bottom, label) = (height - LANE, height - LANE / 2);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"0\" x2=\"{x:.1}\" y2=\"{bottom}\"/>\
             <text class=\"axis\" x=\"{x:.1}\" y=\"{label}\">{}</text>",
            ms(at)
        );
    }
    svg
}

fn rectangle(bar: &Bar, scale: Scale) -> String {
    let (x, y) = (scale.x(bar.start), bar.lane * LANE + 3);
    let width = (scale.x(bar.end) - x).max(0.8);
    let height = LANE - 6;
    let critical = if bar.is_critical { " critical" } else { "" };
    let label = escaped(&bar.label);
    let bytes = if bar.bytes > 0 { format!(", {}", human(bar.bytes)) } else { String::new() };
    let mut svg = format!(
        "<rect class=\"bar {}{critical}\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" \
         height=\"{height}\" rx=\"2\"><title>{label}: {}, {}{bytes}</title></rect>\n",
        bar.kind.word(),
        bar.kind.word(),
        ms(bar.took())
    );
    if width >= NAMED_WIDTH {
        let name = cut(&bar.label, ((width - 8.0) / LETTER) as usize);
        let (x, y) = (x + 4.0, y + height / 2 + 4);
        let _ =
            writeln!(svg, "<text class=\"name\" x=\"{x:.1}\" y=\"{y}\">{}</text>", escaped(&name));
    }
    svg
}

fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let head: String = text.chars().take(letters.saturating_sub(1)).collect();
    format!("{head}…")
}

fn legend() -> String {
    let kinds = [Kind::Phase, Kind::Import, Kind::Build, Kind::Hit, Kind::Export, Kind::Failed];
    let mut html = "<p>".to_owned();
    for kind in kinds {
        let _ = write!(html, "<span class=\"key {0}\"></span>{0}", kind.word());
    }
    html + "<span class=\"key box\"></span>on the critical path</p>\n"
}

fn table(bars: &[&Bar]) -> String {
    let mut html =
        "<table><tr><th>took</th><th>began</th><th>bytes</th><th>step</th></tr>\n".to_owned();
    for bar in bars.iter().take(ROWS) {
        let bytes = if bar.bytes > 0 { human(bar.bytes) } else { String::new() };
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{bytes}</td><td><span class=\"key {}\"></span>{}</td></tr>",
            ms(bar.took()),
            ms(bar.start),
            bar.kind.word(),
            escaped(&bar.label)
        );
    }
    html += "</table>\n";
    if bars.len() > ROWS {
        let _ = writeln!(html, "<p>and {} more</p>", bars.len() - ROWS);
    }
    html
}

/// `main`, `worker 1`.
pub(super) fn lane_name(lane: usize) -> String {
    if lane == 0 { "main".into() } else { format!("worker {lane}") }
}

fn ms(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros < 10_000 {
        return format!("{}.{} ms", micros / 1000, micros % 1000 / 100);
    }
    duration_ms(duration.as_millis() as u64)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
