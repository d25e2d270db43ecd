//! `[?...]`: which values pass a test.

use super::{Search, Segment, TooMany};
use crate::json::{Kind, Node};
use regex::Regex;
use serde_json::Number;
use std::cmp::Ordering;

#[derive(Clone, Debug)]
pub(super) enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    Exists(Query),
    Compare(Operand, Relation, Operand),
    /// `match` and `search`; the pattern is anchored already.
    Matches(Operand, Regex),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug)]
pub(super) struct Query {
    /// `$`, and not `@`.
    pub(super) from_root: bool,
    pub(super) segments: Vec<Segment>,
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// One value or none: a singular query, or `value()` of any.
    Sole(Query),
    Length(Box<Operand>),
    Count(Query),
}

/// What an operand is for one candidate.
enum Found<'a> {
    Nothing,
    Null,
    Bool(bool),
    Number(Number),
    Text(&'a str),
    Tree(&'a Node),
}

impl Test {
    pub(super) fn holds<'d>(&self, search: &Search<'d>, candidate: &'d Node) -> Result<bool, TooMany> {
        match self {
            Self::Any(tests) => {
                for test in tests {
                    if test.holds(search, candidate)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::All(tests) => {
                for test in tests {
                    if !test.holds(search, candidate)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(test) => Ok(!test.holds(search, candidate)?),
            Self::Exists(query) => Ok(query.count(search, candidate)? > 0),
            Self::Compare(left, relation, right) => {
                Ok(relation.holds(&left.of(search, candidate)?, &right.of(search, candidate)?))
            }
            Self::Matches(text, pattern) => match text.of(search, candidate)? {
                Found::Text(text) => Ok(pattern.is_match(text)),
                Found::Nothing | Found::Null | Found::Bool(_) | Found::Number(_) | Found::Tree(_) => Ok(false),
            },
        }
    }
}

impl Query {
    fn each<'d>(
        &self,
        search: &Search<'d>,
        candidate: &'d Node,
        take: &mut dyn FnMut(&'d Node),
    ) -> Result<(), TooMany> {
        search.each(&self.segments, if self.from_root { search.root } else { candidate }, take)
    }

    fn count<'d>(&self, search: &Search<'d>, candidate: &'d Node) -> Result<usize, TooMany> {
        let mut count = 0;
        self.each(search, candidate, &mut |_| count += 1)?;
        Ok(count)
    }
}

impl Operand {
    fn of<'s, 'd: 's>(&'s self, search: &Search<'d>, candidate: &'d Node) -> Result<Found<'s>, TooMany> {
        Ok(match self {
            Self::Null => Found::Null,
            Self::Bool(flag) => Found::Bool(*flag),
            Self::Number(number) => Found::Number(number.clone()),
            Self::Text(text) => Found::Text(text),
            Self::Sole(query) => {
                let (mut sole, mut count) = (None, 0);
                query.each(search, candidate, &mut |node| {
                    sole = Some(node);
                    count += 1;
                })?;
                sole.filter(|_| count == 1).map_or(Found::Nothing, found)
            }
            Self::Length(of) => match of.of(search, candidate)? {
                Found::Text(text) => Found::Number(text.chars().count().into()),
                Found::Tree(Node { kind: Kind::Array(items), .. }) => Found::Number(items.len().into()),
                Found::Tree(Node { kind: Kind::Object(members), .. }) => Found::Number(members.as_slice().len().into()),
                Found::Nothing | Found::Null | Found::Bool(_) | Found::Number(_) | Found::Tree(_) => Found::Nothing,
            },
            Self::Count(query) => Found::Number(query.count(search, candidate)?.into()),
        })
    }
}

fn found(node: &Node) -> Found<'_> {
    match &node.kind {
        Kind::Null => Found::Null,
        Kind::Bool(flag) => Found::Bool(*flag),
        Kind::Number(number) => Found::Number(number.clone()),
        Kind::String(text) => Found::Text(text),
        Kind::Array(_) | Kind::Object(_) => Found::Tree(node),
    }
}

impl Relation {
    /// RFC 9535 section 2.3.5.2.2: what cannot be ordered is neither less nor greater.
    fn holds(self, left: &Found<'_>, right: &Found<'_>) -> bool {
        let order = || match (left, right) {
            (Found::Number(left), Found::Number(right)) => compare(left, right),
            (Found::Text(left), Found::Text(right)) => Some(left.cmp(right)),
            (Found::Nothing | Found::Null | Found::Bool(_) | Found::Number(_) | Found::Text(_) | Found::Tree(_), _) => {
                None
            }
        };
        match self {
            Self::Equal => equal(left, right),
            Self::Unequal => !equal(left, right),
            Self::Less => order() == Some(Ordering::Less),
            Self::Greater => order() == Some(Ordering::Greater),
            Self::LessOrEqual => order() == Some(Ordering::Less) || equal(left, right),
            Self::GreaterOrEqual => order() == Some(Ordering::Greater) || equal(left, right),
        }
    }
}

fn equal(left: &Found<'_>, right: &Found<'_>) -> bool {
    match (left, right) {
        (Found::Nothing, Found::Nothing) | (Found::Null, Found::Null) => true,
        (Found::Bool(left), Found::Bool(right)) => left == right,
        (Found::Number(left), Found::Number(right)) => compare(left, right) == Some(Ordering::Equal),
        (Found::Text(left), Found::Text(right)) => left == right,
        (Found::Tree(left), Found::Tree(right)) => equal_trees(left, right),
        (Found::Nothing | Found::Null | Found::Bool(_) | Found::Number(_) | Found::Text(_) | Found::Tree(_), _) => {
            false
        }
    }
}

fn equal_trees(left: &Node, right: &Node) -> bool {
    match (&left.kind, &right.kind) {
        (Kind::Array(left), Kind::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal_trees(left, right))
        }
        (Kind::Object(left), Kind::Object(right)) => {
            // Both are sorted by name.
            let (left, right) = (left.as_slice(), right.as_slice());
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| left.name == right.name && equal_trees(&left.value, &right.value))
        }
        (Kind::Array(_) | Kind::Object(_), _) | (_, Kind::Array(_) | Kind::Object(_)) => false,
        (Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_), _) => equal(&found(left), &found(right)),
    }
}

/// Integers exactly; with a fraction on either side, as doubles.
fn compare(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (_, _) => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}
