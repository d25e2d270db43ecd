//! From marked values to changes of bytes.

use super::{How, Rule};
use crate::{
    json::{Edits, Kind, Node},
    payload::{
        document::{Document, Written},
        form,
    },
    verify::Keys,
};
use std::{collections::BTreeMap, ops::Range};

/// Values that some rule means, by where they start: no two values of a document start at one byte.
#[derive(Debug, Default)]
pub(super) struct Marks(BTreeMap<usize, Mark>);

#[derive(Debug)]
struct Mark {
    end: usize,
    how: How,
    rules: Vec<usize>,
}

impl Marks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where two rules mean one value, what leaves less of it is done. A list or object of a form has no place, and its
    /// values are marked instead.
    pub(super) fn add(&mut self, node: &Node, rule: usize, how: How) {
        match &node.kind {
            Kind::Array(items) if node.at.is_empty() => items.iter().for_each(|item| self.add(item, rule, how)),
            Kind::Object(members) if node.at.is_empty() => {
                members.values().for_each(|value| self.add(value, rule, how));
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => {
                let mark = self.0.entry(node.at.start).or_insert(Mark { end: node.at.end, how, rules: Vec::new() });
                mark.how = mark.how.max(how);
                mark.rules.push(rule);
            }
        }
    }

    /// Whether the value is marked, or lies in one that is.
    pub(super) fn covers(&self, node: &Node) -> bool {
        self.0.range(..=node.at.start).any(|(start, mark)| *start == node.at.start || node.at.start < mark.end)
    }

    fn at(&self, node: &Node) -> Option<&Mark> {
        self.0.get(&node.at.start)
    }

    fn any_in(&self, at: &Range<usize>) -> bool {
        self.0.range(at.clone()).next().is_some()
    }

    /// What is to be changed; `found` tells the rules that changed something.
    pub(super) fn edits(
        &self,
        document: &Document,
        raw: &[u8],
        rules: &[Rule],
        keys: &Keys,
        found: &mut [bool],
    ) -> Edits {
        debug_assert_eq!(rules.len(), found.len());
        let mut scribe = Scribe { marks: self, keys, found, edits: Edits::default() };
        match document.written() {
            Written::Json => scribe.json(document.root()),
            Written::Form => scribe.form(document.root(), raw),
        }
        scribe.edits
    }
}

struct Scribe<'a> {
    marks: &'a Marks,
    keys: &'a Keys,
    found: &'a mut [bool],
    edits: Edits,
}

impl Scribe<'_> {
    fn tell(&mut self, mark: &Mark) {
        for rule in &mark.rules {
            if let Some(found) = self.found.get_mut(*rule) {
                *found = true;
            }
        }
    }

    fn json(&mut self, node: &Node) {
        let mut children: Vec<(&Node, Range<usize>)> = match &node.kind {
            Kind::Array(items) => items.iter().map(|item| (item, item.at.clone())).collect(),
            Kind::Object(members) => members.as_slice().iter().map(|member| (&member.value, member.at())).collect(),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => return,
        };
        let mut goes = false;
        for (child, _) in &children {
            match self.marks.at(child) {
                Some(mark) if mark.how == How::Drop => {
                    self.tell(mark);
                    goes = true;
                }
                Some(mark) => {
                    if let Some(text) = mark.how.text(child, self.keys) {
                        self.tell(mark);
                        self.edits.replace(child.at.clone(), serde_json::Value::from(text).to_string());
                    }
                }
                None if self.marks.any_in(&child.at) => self.json(child),
                None => {}
            }
        }
        if goes {
            children.sort_unstable_by_key(|(_, at)| at.start); // members are sorted by name
            let is_gone = |node| self.marks.at(node).is_some_and(|mark| mark.how == How::Drop);
            let neighbours: Vec<_> = children.into_iter().map(|(node, at)| (at, is_gone(node))).collect();
            self.edits.take_out(&neighbours);
        }
    }

    fn form(&mut self, root: &Node, raw: &[u8]) {
        let mut leaves = BTreeMap::new();
        each_leaf(root, &mut |leaf| _ = leaves.insert(leaf.at.start, leaf));
        let mut neighbours = Vec::new();
        for piece in form::pieces(raw) {
            let mark = self.marks.0.get(&piece.value_at.start);
            let goes = mark.is_some_and(|mark| mark.how == How::Drop);
            if let (Some(mark), Some(leaf)) = (mark, leaves.get(&piece.value_at.start)) {
                let text = mark.how.text(leaf, self.keys);
                if goes || text.is_some() {
                    self.tell(mark);
                }
                if let Some(text) = text.filter(|_| !goes) {
                    self.edits.replace(piece.value_at.clone(), piece.written(&text));
                }
            }
            neighbours.push((piece.at, goes));
        }
        self.edits.take_out(&neighbours);
    }
}

fn each_leaf<'d>(node: &'d Node, take: &mut dyn FnMut(&'d Node)) {
    match &node.kind {
        Kind::Array(items) => items.iter().for_each(|item| each_leaf(item, take)),
        Kind::Object(members) => members.values().for_each(|value| each_leaf(value, take)),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => take(node),
    }
}
