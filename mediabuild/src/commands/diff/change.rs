//! One difference, and how it is told.

use serde_json::{Value, json};

use crate::size::{counted, human};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) kind: Kind,
    pub(super) path: String,
    /// Sizes on both sides, where there are files.
    pub(super) left_bytes: Option<u64>,
    pub(super) right_bytes: Option<u64>,
    /// What else differs: a field and its two values.
    pub(super) fields: Vec<Field>,
    /// The path that it had on the left, if it was renamed.
    pub(super) from: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) left: String,
    pub(super) right: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Added,
    Removed,
    /// Other content at the same path.
    Changed,
    /// The same content at another path.
    Renamed,
    /// Attributes and the like.
    Metadata,
    /// Of the medium itself: what its header and XML data say.
    Property,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
            Kind::Renamed => "renamed",
            Kind::Metadata => "metadata",
            Kind::Property => "property",
        }
    }

    fn sign(self) -> char {
        match self {
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::Changed => '~',
            Kind::Renamed => '>',
            Kind::Metadata => 'm',
            Kind::Property => 'p',
        }
    }
}

impl Change {
    pub(super) fn new(kind: Kind, path: impl Into<String>) -> Change {
        let (left_bytes, right_bytes, fields, from) = (None, None, Vec::new(), None);
        Change { kind, path: path.into(), left_bytes, right_bytes, fields, from }
    }

    /// An image that only one side has.
    pub(super) fn of_image(index: usize, is_left: bool) -> Change {
        let kind = if is_left { Kind::Removed } else { Kind::Added };
        Change::new(kind, format!("image {index}"))
    }

    pub(super) fn json(&self, at: &str) -> Value {
        let fields: Vec<Value> = self.fields.iter().map(Field::json).collect();
        json!({
            "event": "change", "kind": self.kind.name(), "in": at, "path": self.path,
            "from": self.from, "left-size": self.left_bytes, "right-size": self.right_bytes,
            "fields": fields,
        })
    }

    /// `~ image 1//Windows/a.ini  1.2 KB -> 1.4 KB`
    pub(super) fn text(&self, at: &str) -> String {
        let path = super::join(at, &escaped(&self.path));
        let what = match &self.from {
            Some(from) => format!("{} <- {}", path, escaped(from)),
            None => path,
        };
        let sizes = match (self.left_bytes, self.right_bytes) {
            (Some(left), Some(right)) if left == right => format!("  {}", human(left)),
            (Some(left), Some(right)) => format!("  {} -> {}", human(left), human(right)),
            (Some(size), None) | (None, Some(size)) => format!("  {}", human(size)),
            (None, None) => String::new(),
        };
        let fields: Vec<String> = self.fields.iter().map(Field::text).collect();
        let fields = match fields.is_empty() {
            true => String::new(),
            false => format!("  {}", fields.join(", ")),
        };
        format!("{} {what}{sizes}{fields}", self.kind.sign())
    }
}

/// Names of foreign media, as lines of their own.
fn escaped(path: &str) -> String {
    if path.chars().any(char::is_control) { path.escape_debug().to_string() } else { path.into() }
}

impl Field {
    /// Both values, if they differ.
    pub(super) fn of(name: &str, left: &str, right: &str) -> Option<Field> {
        let field = || Field { name: name.into(), left: left.into(), right: right.into() };
        (left != right).then(field)
    }

    fn text(&self) -> String {
        let value = |text: &str| if text.is_empty() { "none".to_owned() } else { escaped(text) };
        format!("{} {} -> {}", self.name, value(&self.left), value(&self.right))
    }

    fn json(&self) -> Value {
        json!({ "name": self.name, "left": self.left, "right": self.right })
    }
}

/// How many of each.
#[derive(Default)]
pub(super) struct Summary {
    counts: [usize; 6],
    added_bytes: u64,
    removed_bytes: u64,
    /// Sizes of changed files on both sides.
    left_bytes: u64,
    right_bytes: u64,
    pub(super) equal_count: usize,
}

impl Summary {
    pub(super) fn add(&mut self, change: &Change) {
        self.counts[change.kind as usize] += 1;
        let (left, right) = (change.left_bytes.unwrap_or(0), change.right_bytes.unwrap_or(0));
        match change.kind {
            Kind::Added => self.added_bytes += right,
            Kind::Removed => self.removed_bytes += left,
            Kind::Changed => {
                self.left_bytes += left;
                self.right_bytes += right;
            }
            Kind::Renamed | Kind::Metadata | Kind::Property => {}
        }
    }

    pub(super) fn is_same(&self) -> bool {
        self.counts.iter().all(|&count| count == 0)
    }

    fn count(&self, kind: Kind) -> usize {
        self.counts[kind as usize]
    }

    pub(super) fn text(&self) -> String {
        if self.is_same() {
            return format!("the same: {}", counted(self.equal_count, "name"));
        }
        let parts = [
            (Kind::Added, format!(" ({})", human(self.added_bytes))),
            (Kind::Removed, format!(" ({})", human(self.removed_bytes))),
            (
                Kind::Changed,
                format!(" ({} -> {})", human(self.left_bytes), human(self.right_bytes)),
            ),
            (Kind::Renamed, String::new()),
            (Kind::Metadata, String::new()),
            (Kind::Property, String::new()),
        ];
        let parts = parts.iter().filter(|(kind, _)| self.count(*kind) > 0);
        let parts: Vec<String> = parts
            .map(|(kind, sizes)| match (kind, self.count(*kind)) {
                (Kind::Property, count) if count > 1 => format!("{count} properties"),
                (kind, count) => format!("{count} {}{sizes}", kind.name()),
            })
            .collect();
        format!("{}; {} equal", parts.join(", "), self.equal_count)
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "event": "summary", "same": self.is_same(),
            "added": self.count(Kind::Added), "added-bytes": self.added_bytes,
            "removed": self.count(Kind::Removed), "removed-bytes": self.removed_bytes,
            "changed": self.count(Kind::Changed),
            "changed-bytes": [self.left_bytes, self.right_bytes],
            "renamed": self.count(Kind::Renamed), "metadata": self.count(Kind::Metadata),
            "properties": self.count(Kind::Property), "equal": self.equal_count,
        })
    }
}
