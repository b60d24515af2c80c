//! `Tree`: the nodes of one definition file as plain data, without the parser that read them.
//!
//! Flat: nodes stand in the order of the text, each with the position behind its last descendant,
//! so that a tree is decoded without recursion and kept in a few allocations. What comes out of
//! [`Tree::decode`] is as well-formed as what the parser gave, or it does not come out.

use kdl::{KdlDocument, KdlEntry, KdlNode, KdlValue};
use miette::SourceSpan;
use serde::{Deserialize, Serialize};

use crate::scan::DEPTH_MAX;

/// All nodes of a file.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tree {
    /// All strings, back to back.
    strings: String,
    nodes: Vec<TreeNode>,
    /// The entries of all nodes, in their order.
    entries: Vec<TreeEntry>,
}

/// A node.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TreeNode {
    name: Str,
    name_at: At,
    annotation: Option<Str>,
    /// Its entries end here; they begin where those of the node before end.
    entries_end: u32,
    /// The position behind its last descendant.
    next: u32,
}

/// An argument or a property.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TreeEntry {
    key: Option<(Str, At)>,
    annotation: Option<Str>,
    value: TreeValue,
    /// The value alone.
    at: At,
}

/// A value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum TreeValue {
    String(Str),
    Integer(i128),
    /// As KDL writes it: the language has no use for such a number.
    Float(Str),
    Bool(bool),
    Null,
}

/// A range of [`Tree::strings`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Str {
    offset_bytes: u32,
    size_bytes: u32,
}

/// A range of the file's text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct At {
    pub(crate) offset_bytes: u32,
    pub(crate) size_bytes: u32,
}

impl Tree {
    /// What the parser read. `scan` has held its depth and its size.
    pub(crate) fn of(document: &KdlDocument) -> Tree {
        let mut tree = Tree::default();
        tree.add_all(document);
        tree
    }

    fn add_all(&mut self, document: &KdlDocument) {
        document.nodes().iter().for_each(|node| self.add(node));
    }

    fn add(&mut self, node: &KdlNode) {
        for entry in node.entries() {
            let entry = self.entry(entry);
            self.entries.push(entry);
        }
        let position = self.nodes.len();
        let row = TreeNode {
            name: self.string(node.name().value()),
            name_at: At::of(node.name().span()),
            annotation: node.ty().map(|ty| self.string(ty.value())),
            entries_end: count(self.entries.len()),
            next: 0,
        };
        self.nodes.push(row);
        if let Some(children) = node.children() {
            self.add_all(children);
        }
        self.nodes[position].next = count(self.nodes.len());
    }

    fn entry(&mut self, entry: &KdlEntry) -> TreeEntry {
        let key = entry.name().map(|key| (self.string(key.value()), At::of(key.span())));
        // kdl's span of an entry starts at its key and annotation.
        let written = entry.format().map_or("", |format| format.value_repr.as_str());
        let whole = At::of(entry.span());
        let size_bytes = count(written.len()).min(whole.size_bytes);
        let offset_bytes = whole.offset_bytes + whole.size_bytes - size_bytes;
        TreeEntry {
            key,
            annotation: entry.ty().map(|ty| self.string(ty.value())),
            value: self.value(entry.value()),
            at: At { offset_bytes, size_bytes },
        }
    }

    fn value(&mut self, value: &KdlValue) -> TreeValue {
        match value {
            KdlValue::String(string) => TreeValue::String(self.string(string)),
            KdlValue::Integer(integer) => TreeValue::Integer(*integer),
            KdlValue::Float(_) => TreeValue::Float(self.string(&value.to_string())),
            KdlValue::Bool(flag) => TreeValue::Bool(*flag),
            KdlValue::Null => TreeValue::Null,
        }
    }

    fn string(&mut self, string: &str) -> Str {
        let offset_bytes = count(self.strings.len());
        self.strings.push_str(string);
        Str { offset_bytes, size_bytes: count(string.len()) }
    }

    /// For keeping.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        postcard::to_allocvec(self).ok()
    }

    /// What was kept; `None` if it is not a tree over a text of `text_bytes`, whoever made it.
    pub(crate) fn decode(bytes: &[u8], text_bytes: usize) -> Option<Tree> {
        let (tree, rest) = postcard::take_from_bytes::<Tree>(bytes).ok()?;
        (rest.is_empty() && tree.is_well_formed(text_bytes)).then_some(tree)
    }

    /// Whether every range lies inside what it is a range of, and nodes nest, so that no look-up
    /// can fail.
    fn is_well_formed(&self, text_bytes: usize) -> bool {
        let is_str = |s: &Str| self.strings.get(s.range()).is_some();
        let is_at = |at: &At| at.end_bytes() <= text_bytes;
        let entries_are = self.entries.iter().all(|entry| {
            let is_value = match &entry.value {
                TreeValue::String(string) | TreeValue::Float(string) => is_str(string),
                _ => true,
            };
            let is_key = entry.key.as_ref().is_none_or(|(key, at)| is_str(key) && is_at(at));
            is_value && is_key && is_at(&entry.at) && entry.annotation.iter().all(is_str)
        });
        let nodes_are = self.nodes.iter().all(|node| {
            is_str(&node.name) && is_at(&node.name_at) && node.annotation.iter().all(is_str)
        });
        entries_are && nodes_are && self.nests()
    }

    fn nests(&self) -> bool {
        let mut open: Vec<usize> = Vec::new();
        let mut entries = 0;
        for (position, node) in self.nodes.iter().enumerate() {
            open.retain(|end| *end > position);
            let end = node.next as usize;
            let is_inside = end > position && end <= *open.last().unwrap_or(&self.nodes.len());
            let is_ordered = node.entries_end as usize >= entries;
            if !is_inside || !is_ordered || open.len() > DEPTH_MAX {
                return false;
            }
            entries = node.entries_end as usize;
            open.push(end);
        }
        entries == self.entries.len()
    }

    /// The string at `string`, which is this tree's.
    pub(crate) fn text(&self, string: Str) -> &str {
        &self.strings[string.range()]
    }

    /// The positions of the top level's nodes.
    pub(crate) fn roots(&self) -> Siblings<'_> {
        Siblings { tree: self, position: 0, end: self.nodes.len() }
    }

    /// The positions of a node's children.
    pub(crate) fn children(&self, position: usize) -> Siblings<'_> {
        Siblings { tree: self, position: position + 1, end: self.nodes[position].next as usize }
    }

    pub(crate) fn name(&self, position: usize) -> &str {
        self.text(self.nodes[position].name)
    }

    pub(crate) fn name_at(&self, position: usize) -> At {
        self.nodes[position].name_at
    }

    pub(crate) fn annotation(&self, position: usize) -> Option<&str> {
        self.nodes[position].annotation.map(|annotation| self.text(annotation))
    }

    /// The arguments and properties of a node, in order.
    pub(crate) fn entries(&self, position: usize) -> &[TreeEntry] {
        let before = position.checked_sub(1).map_or(0, |before| self.nodes[before].entries_end);
        &self.entries[before as usize..self.nodes[position].entries_end as usize]
    }
}

/// Positions of nodes that stand beside each other.
pub(crate) struct Siblings<'a> {
    tree: &'a Tree,
    position: usize,
    end: usize,
}

impl Iterator for Siblings<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let position = self.position;
        let node = self.tree.nodes[..self.end].get(position)?;
        self.position = node.next as usize;
        Some(position)
    }
}

impl TreeEntry {
    pub(crate) fn key<'a>(&self, tree: &'a Tree) -> Option<&'a str> {
        self.key.as_ref().map(|(key, _)| tree.text(*key))
    }

    pub(crate) fn key_at(&self) -> Option<At> {
        self.key.as_ref().map(|(_, at)| *at)
    }

    pub(crate) fn annotation<'a>(&self, tree: &'a Tree) -> Option<&'a str> {
        self.annotation.map(|annotation| tree.text(annotation))
    }

    pub(crate) fn value(&self) -> TreeValue {
        self.value
    }

    pub(crate) fn at(&self) -> At {
        self.at
    }
}

impl Str {
    fn range(self) -> std::ops::Range<usize> {
        let start = self.offset_bytes as usize;
        start..start + self.size_bytes as usize
    }
}

impl At {
    fn of(span: SourceSpan) -> At {
        At { offset_bytes: count(span.offset()), size_bytes: count(span.len()) }
    }

    fn end_bytes(self) -> usize {
        self.offset_bytes as usize + self.size_bytes as usize
    }
}

/// `scan` lets files of 4 MiB through at most.
fn count(number: usize) -> u32 {
    u32::try_from(number).expect("a definition file has fewer than 2^32 of anything")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};

    use super::{Tree, TreeNode};

    const TEXT: &str = r#"a "x" 1 k=(t)#true { b -2.50; c #null { d "\u{e9}\n" } }
(u)e 170141183460469231731687303715884105727 #inf #nan 1e300
"#;

    fn tree() -> Tree {
        Tree::of(&kdl::KdlDocument::parse_v2(TEXT).expect("KDL"))
    }

    fn walk(tree: &Tree, positions: super::Siblings<'_>, names: &mut Vec<String>) {
        for position in positions {
            let keys = tree.entries(position).iter().map(|entry| entry.key(tree).unwrap_or("-"));
            let keys: Vec<&str> = keys.collect();
            names.push(format!("{}[{}]", tree.name(position), keys.join(" ")));
            walk(tree, tree.children(position), names);
            names.push(".".into());
        }
    }

    #[test]
    fn nodes_stand_where_they_stood() {
        let (tree, mut names) = (tree(), Vec::new());
        walk(&tree, tree.roots(), &mut names);
        assert_eq!(names.join(""), "a[- - k]b[-].c[-]d[-]...e[- - - -].");
    }

    #[test]
    fn a_tree_comes_back_as_it_was() {
        let bytes = tree().encode().expect("encodes");
        assert_eq!(Tree::decode(&bytes, TEXT.len()), Some(tree()));
        assert_eq!(Tree::decode(&bytes, TEXT.len() / 2), None, "of another text");
    }

    #[test]
    fn nodes_that_do_not_nest_are_refused() {
        let spoil = |change: &dyn Fn(&mut Vec<TreeNode>)| {
            let mut tree = tree();
            change(&mut tree.nodes);
            Tree::decode(&tree.encode().expect("encodes"), TEXT.len())
        };
        assert!(spoil(&|_| ()).is_some());
        assert!(spoil(&|nodes| nodes[0].next = 0).is_none(), "it would never end");
        assert!(spoil(&|nodes| nodes[0].next = 99).is_none());
        assert!(spoil(&|nodes| nodes[1].next = 5).is_none(), "a child outlasts its parent");
        assert!(spoil(&|nodes| nodes[1].entries_end = 0).is_none());
        assert!(spoil(&|nodes| nodes[4].entries_end = 99).is_none());
        assert!(spoil(&|nodes| nodes[0].name.size_bytes = u32::MAX).is_none());
        assert!(spoil(&|nodes| nodes[0].name_at.offset_bytes = u32::MAX).is_none());
    }

    proptest! {
        /// Whatever lies in a cache, a tree that comes out of it can be walked.
        #[test]
        fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = tree().encode().expect("encodes");
            let position = at.index(bytes.len());
            bytes[position] = byte;
            for end in [bytes.len(), cut.index(bytes.len())] {
                if let Some(tree) = Tree::decode(&bytes[..end], TEXT.len()) {
                    walk(&tree, tree.roots(), &mut Vec::new());
                }
            }
        }

        #[test]
        fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(tree) = Tree::decode(&bytes, TEXT.len()) {
                walk(&tree, tree.roots(), &mut Vec::new());
            }
        }
    }
}
