//! What must not go further, and what stands in its place. Everything else stays byte for byte as it was sent.

mod edits;
mod head;
mod how;
pub(crate) mod names;

use super::{Naming, document::Document};
use crate::{
    json::{Kind, Members, Node, Path, path::Names, path::TooMany},
    request::Head,
    verify::Keys,
};
use edits::Marks;
use http::HeaderName;

pub(crate) use how::How;

/// One rule of a route.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// The policy's words for the place.
    pub(crate) words: String,
    pub(crate) place: Place,
    pub(crate) how: How,
}

/// Which values a rule means. Names are compared without regard to case everywhere.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// The steps of a JSON Pointer; of a form field, those of its name.
    Pointer(Vec<String>),
    Path(Path),
    /// Members of this name, however deep.
    Name(String),
    Header(HeaderName),
    /// Parameters of this name in the query.
    Query(String),
}

/// The rules of one route, in the order of the policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redaction {
    rules: Vec<Rule>,
}

/// What is left.
pub(super) struct Scrubbed {
    /// The body, if any of it had to go.
    pub(super) body: Option<Vec<u8>>,
    pub(super) head: Head,
    /// The policy's words for the places of which this request had some.
    pub(super) redacted: Vec<String>,
    /// Where in the body.
    marks: Marks,
    /// The headers that a rule means.
    headers: Vec<HeaderName>,
}

impl Redaction {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a rule looks into the body, so that it must be read.
    pub(super) fn wants_document(&self) -> bool {
        self.rules.iter().any(|rule| match rule.place {
            Place::Pointer(_) | Place::Path(_) | Place::Name(_) => true,
            Place::Header(_) | Place::Query(_) => false,
        })
    }

    /// # Errors
    /// [`TooMany`], and then nothing of the request may go on.
    pub(super) fn scrub(
        &self,
        document: Option<&Document>,
        raw: &[u8],
        mut head: Head,
        keys: &Keys,
    ) -> Result<Scrubbed, TooMany> {
        let mut marks = Marks::default();
        let mut found = vec![false; self.rules.len()];
        if let Some(document) = document {
            self.mark(document, &mut marks)?;
        }
        let body = document.filter(|_| !marks.is_empty()).map(|document| {
            let edits = marks.edits(document, raw, &self.rules, keys, &mut found);
            edits.apply(raw)
        });
        for (rule, found) in self.rules.iter().zip(&mut found) {
            *found |= match &rule.place {
                Place::Header(name) => head::header(&mut head, name, rule.how, keys),
                Place::Query(name) => head::query(&mut head, name, rule.how, keys),
                Place::Pointer(_) | Place::Path(_) | Place::Name(_) => false,
            };
        }
        let redacted = self.rules.iter().zip(found).filter(|(_, found)| *found).map(|(rule, _)| rule.words.clone());
        let redacted = redacted.collect();
        let headers = self.rules.iter().filter_map(|rule| match &rule.place {
            Place::Header(name) => Some(name.clone()),
            Place::Pointer(_) | Place::Path(_) | Place::Name(_) | Place::Query(_) => None,
        });
        let headers = headers.collect();
        Ok(Scrubbed { body, head, redacted, marks, headers })
    }

    fn mark(&self, document: &Document, marks: &mut Marks) -> Result<(), TooMany> {
        let root = document.root();
        let mut wanted = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            match &rule.place {
                Place::Pointer(steps) => follow(root, steps, &mut |node| marks.add(node, index, rule.how)),
                Place::Path(path) => {
                    path.each(root, Names(names::alike), &mut |node| marks.add(node, index, rule.how))?;
                }
                Place::Name(name) => wanted.push((name.as_str(), index, rule.how)),
                Place::Header(_) | Place::Query(_) => {}
            }
        }
        if !wanted.is_empty() {
            by_name(root, &wanted, marks);
        }
        Ok(())
    }
}

impl Scrubbed {
    /// Whether the event's type was read from what is gone now: it would go on in a field of its own.
    pub(super) fn hides_type(&self, document: Option<&Document>, naming: &Naming) -> bool {
        let member = naming.type_member.as_ref().and_then(|pointer| document?.root().find(pointer));
        let header = naming.type_header.as_ref();
        member.is_some_and(|node| self.marks.covers(node))
            || header.is_some_and(|name| self.headers.iter().any(|gone| gone == name.as_str()))
    }
}

/// Every value that a pointer means; more than one if names differ in case alone.
fn follow<'d>(node: &'d Node, steps: &[String], take: &mut dyn FnMut(&'d Node)) {
    let Some((step, rest)) = steps.split_first() else { return take(node) };
    match &node.kind {
        Kind::Object(members) => {
            for (_, value) in members.iter().filter(|(name, _)| names::alike(step, name)) {
                follow(value, rest, take);
            }
        }
        Kind::Array(items) => {
            let index = step.parse::<usize>().ok().filter(|index| index.to_string() == *step);
            if let Some(item) = index.and_then(|index| items.get(index)) {
                follow(item, rest, take);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
    }
}

/// All rules by name in one walk. What is below a marked value goes with it, and need not be looked at.
fn by_name(node: &Node, wanted: &[(&str, usize, How)], marks: &mut Marks) {
    let mut named = |members: &Members| {
        for (name, value) in members {
            let mut found = false;
            for (_, rule, how) in wanted.iter().filter(|(wanted, ..)| names::alike(wanted, name)) {
                found = true;
                marks.add(value, *rule, *how);
            }
            if !found {
                by_name(value, wanted, marks);
            }
        }
    };
    match &node.kind {
        Kind::Object(members) => named(members),
        Kind::Array(items) => items.iter().for_each(|item| by_name(item, wanted, marks)),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
