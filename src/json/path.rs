//! Which values of a document does a JSONPath mean? [RFC 9535](https://www.rfc-editor.org/rfc/rfc9535), over the tree
//! that knows its places.
//!
//! No kept crate does this: one takes nothing but `serde_json::Value`, and the other makes a text of the way to every
//! value that it passes.

mod filter;
mod parse;

use super::{Kind, Members, Node};
use filter::Test;
use std::{cell::Cell, fmt};

/// A query, as it was written, and what it means.
#[derive(Clone, Debug)]
pub struct Path {
    text: String,
    segments: Vec<Segment>,
}

/// Why a text is no path, and from which byte on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct BadPath {
    /// Where reading stopped.
    pub at: usize,
    /// What is wrong there, or was due.
    pub why: String,
}

/// When two names are one.
#[derive(Clone, Copy, Debug)]
pub struct Names(pub fn(&str, &str) -> bool);

impl Names {
    /// If they are equal, as RFC 9535 says.
    pub const EXACT: Self = Self(|wanted, name| wanted == name);
}

/// A path asked for more values than may be visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path visits too many values")]
pub struct TooMany;

/// How many values one path may visit in one document: some rounds over the longest body that a route takes, and some
/// ten milliseconds. A path with several `..` in one another could go on for hours.
const VISITS_MAX: usize = 1 << 20;

#[derive(Clone, Debug)]
struct Segment {
    /// `..`: of every value below, itself included.
    deep: bool,
    selectors: Vec<Selector>,
}

#[derive(Clone, Debug)]
enum Selector {
    Name(String),
    Every,
    Index(i64),
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Test),
}

impl Path {
    /// Reads a query.
    ///
    /// # Errors
    /// [`BadPath`]: also for a pattern of `match` or `search` that is no literal, because a sender could choose one.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        Ok(Self { text: text.to_owned(), segments: parse::query(text)? })
    }

    /// Whether this is the whole document, `$`.
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// Hands out every value that is meant, in the order of the RFC; one that is meant twice, twice.
    ///
    /// # Errors
    /// [`TooMany`]: some values have not been handed out.
    pub fn each<'d>(&self, document: &'d Node, names: Names, take: &mut dyn FnMut(&'d Node)) -> Result<(), TooMany> {
        let search = Search { root: document, names, left: Cell::new(VISITS_MAX) };
        search.each(&self.segments, document, take)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One document being searched.
struct Search<'d> {
    root: &'d Node,
    names: Names,
    left: Cell<usize>,
}

type Take<'t, 'd> = &'t mut dyn FnMut(&'d Node);

impl<'d> Search<'d> {
    fn each(&self, segments: &[Segment], node: &'d Node, take: Take<'_, 'd>) -> Result<(), TooMany> {
        let left = self.left.get().checked_sub(1).ok_or(TooMany)?;
        self.left.set(left);
        let Some((segment, rest)) = segments.split_first() else {
            take(node);
            return Ok(());
        };
        for selector in &segment.selectors {
            self.select(selector, rest, node, take)?;
        }
        if segment.deep {
            match &node.kind {
                Kind::Array(items) => items.iter().try_for_each(|item| self.each(segments, item, take))?,
                Kind::Object(members) => members.values().try_for_each(|value| self.each(segments, value, take))?,
                Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
            }
        }
        Ok(())
    }

    fn select(&self, selector: &Selector, rest: &[Segment], node: &'d Node, take: Take<'_, 'd>) -> Result<(), TooMany> {
        let mut go = |child: &'d Node| self.each(rest, child, take);
        match (selector, &node.kind) {
            (Selector::Name(wanted), Kind::Object(members)) => self.named(members, wanted).try_for_each(go),
            (Selector::Every, Kind::Object(members)) => members.values().try_for_each(go),
            (Selector::Every, Kind::Array(items)) => items.iter().try_for_each(go),
            (Selector::Index(index), Kind::Array(items)) => item(items, *index).map_or(Ok(()), go),
            (Selector::Slice { start, end, step }, Kind::Array(items)) => {
                slice(items, *start, *end, *step).try_for_each(go)
            }
            (Selector::Filter(test), Kind::Object(members)) => {
                members.values().try_for_each(|value| if test.holds(self, value)? { go(value) } else { Ok(()) })
            }
            (Selector::Filter(test), Kind::Array(items)) => {
                items.iter().try_for_each(|value| if test.holds(self, value)? { go(value) } else { Ok(()) })
            }
            (
                Selector::Name(_) | Selector::Every | Selector::Index(_) | Selector::Slice { .. } | Selector::Filter(_),
                Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Array(_) | Kind::Object(_),
            ) => Ok(()),
        }
    }

    fn named<'s>(&'s self, members: &'d Members, wanted: &'s str) -> impl Iterator<Item = &'d Node> + 's
    where
        'd: 's,
    {
        let Names(same) = self.names;
        members.iter().filter(move |(name, _)| same(wanted, name)).map(|(_, value)| value)
    }
}

/// A negative index counts from the end.
fn item(items: &[Node], index: i64) -> Option<&Node> {
    let from_end = usize::try_from(index.unsigned_abs()).ok()?;
    let index = if index < 0 { items.len().checked_sub(from_end)? } else { from_end };
    items.get(index)
}

/// RFC 9535 section 2.3.4.2.2.
fn slice(items: &[Node], start: Option<i64>, end: Option<i64>, step: i64) -> impl Iterator<Item = &Node> {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let normal = |index: i64| if index < 0 { length.saturating_add(index) } else { index };
    let (mut at, until) = if step >= 0 {
        (normal(start.unwrap_or(0)).clamp(0, length), normal(end.unwrap_or(length)).clamp(0, length))
    } else {
        let last = length.saturating_sub(1);
        (normal(start.unwrap_or(last)).clamp(-1, last), end.map_or(-1, |end| normal(end).clamp(-1, last)))
    };
    std::iter::from_fn(move || {
        let more = if step > 0 { at < until } else { step < 0 && at > until };
        let found = if more { items.get(usize::try_from(at).ok()?) } else { None };
        at = at.saturating_add(step);
        found
    })
}

#[cfg(test)]
mod tests;
