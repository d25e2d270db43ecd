//! Every selector, laid out for looking up: a hash of each segment and parameter, never a loop over routes.

use super::selector::{AJAX_SCRIPTS, Selector, key, sanitized_key};
use crate::request::target::trim;
use std::collections::{BTreeSet, HashMap};

/// Everything that is guarded, by kind.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) paths: Tree,
    pub(super) rest: Tree,
    /// REST routes with a dot, which WordPress takes for any byte, a slash among them.
    pub(super) dotted: Vec<(Vec<u8>, usize)>,
    pub(super) wc_api: HashMap<Vec<u8>, usize>,
    pub(super) ajax: HashMap<Vec<u8>, usize>,
    pub(super) queries: HashMap<Vec<u8>, Values>,
    /// Routes that let everything through while they are tried.
    pub(super) observed: BTreeSet<usize>,
    /// What the others are found by.
    pub(super) enforced: Enforced,
}

/// Where a form, or a batch, must not lead.
#[derive(Debug, Default)]
pub(super) struct Enforced {
    pub(super) rest: bool,
    pub(super) wc_api: bool,
    pub(super) ajax: bool,
}

/// What one query parameter selects.
#[derive(Debug, Default)]
pub(super) struct Values {
    any: Option<usize>,
    named: HashMap<Vec<u8>, usize>,
}

/// Paths as a tree of segments.
#[derive(Debug, Default)]
pub(super) struct Tree {
    below: HashMap<Vec<u8>, Tree>,
    route: Option<usize>,
}

impl Table {
    pub(super) fn insert(&mut self, selector: Selector, route: usize) {
        if !self.observed.contains(&route) {
            self.enforced.rest |= matches!(selector, Selector::Rest(_));
            self.enforced.wc_api |= matches!(selector, Selector::WcApi(_));
            self.enforced.ajax |= matches!(selector, Selector::Ajax(_));
        }
        match selector {
            Selector::Path(path) => self.paths.insert(&path, route),
            Selector::Rest(path) if path.contains('.') => self.dotted.push((path.into_bytes(), route)),
            Selector::Rest(path) => self.rest.insert(&path, route),
            Selector::WcApi(name) => drop(self.wc_api.insert(name.into_bytes(), route)),
            Selector::Ajax(action) => drop(self.ajax.insert(action.into_bytes(), route)),
            Selector::Query { name, value } => {
                let values = self.queries.entry(name.into_bytes()).or_default();
                match value {
                    Some(value) => drop(values.named.insert(value.into_bytes(), route)),
                    None => values.any = Some(route),
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
            && !self.has_rest()
            && self.wc_api.is_empty()
            && self.ajax.is_empty()
            && self.queries.is_empty()
    }

    /// Whether any route of the REST API is guarded.
    pub(super) fn has_rest(&self) -> bool {
        !self.rest.is_empty() || !self.dotted.is_empty()
    }

    /// Whether WordPress looks into a form for anything that is guarded; `ajax`: its target dispatches by `action`.
    pub(super) fn looks_into_forms(&self, ajax: bool) -> bool {
        self.has_rest() || !self.wc_api.is_empty() || (ajax && !self.ajax.is_empty())
    }

    /// The same, for anything that must not be reached so.
    pub(super) fn refuses_forms(&self, ajax: bool) -> bool {
        let Enforced { rest, wc_api, ajax: by_action } = self.enforced;
        rest || wc_api || (ajax && by_action)
    }

    /// Which routes a name of WooCommerce's API means.
    pub(super) fn wc_api(&self, name: &[u8]) -> Matches {
        named(&self.wc_api, name)
    }

    /// Which routes an action of admin-ajax.php or admin-post.php means.
    pub(super) fn ajax(&self, action: &[u8]) -> Matches {
        named(&self.ajax, action)
    }

    /// Which route a REST route, as text, means.
    pub(super) fn rest(&self, route: &[u8]) -> Matches {
        let route = route.to_ascii_lowercase();
        let segments: Vec<&[u8]> =
            route.split(|byte| *byte == b'/').map(trim).filter(|segment| !segment.is_empty()).collect();
        self.rest_segments(&segments)
    }

    /// As [`Table::rest`], in segments.
    pub(super) fn rest_segments(&self, segments: &[&[u8]]) -> Matches {
        if !self.has_rest() {
            return Matches::default();
        }
        let batch = self.enforced.rest && segments.starts_with(&[b"batch".as_slice(), b"v1".as_slice()]);
        // Of two that overlap the longer one is meant; of two that are as long, nobody knows.
        let plain = self.rest.longest(segments).map(|(route, depth)| {
            let bytes = segments.iter().take(depth).map(|segment| segment.len() + 1).sum::<usize>();
            (bytes, route)
        });
        let path = [b"/".as_slice(), &segments.join(b"/".as_slice())].concat();
        let dotted = self.dotted.iter().filter(|(pattern, _)| begins(&path, pattern));
        let found: Vec<_> = plain.into_iter().chain(dotted.map(|(pattern, route)| (pattern.len(), *route))).collect();
        let longest = found.iter().map(|(bytes, _)| *bytes).max();
        let mut matches = Matches { batch, ..Matches::default() };
        for (_, route) in found.iter().filter(|(bytes, _)| Some(*bytes) == longest) {
            matches.join(Matches { route: Some(*route), ..Matches::default() });
        }
        matches
    }

    /// What one reading of a path means.
    pub(super) fn path(&self, segments: &[&[u8]]) -> Matches {
        let mut matches = self.anywhere(segments);
        for (at, segment) in segments.iter().enumerate() {
            let after = segments.get(at + 1..).unwrap_or_default();
            if *segment == b"wp-json" {
                matches.join(self.rest_segments(after));
            } else if *segment == b"wc-api" {
                matches.join(after.first().map(|name| self.wc_api(name)).unwrap_or_default());
            } else if AJAX_SCRIPTS.contains(segment) {
                matches.ajax = true;
            }
        }
        matches
    }

    /// `path:` selectors. Of two that overlap as one within the other, the narrower one is meant; of two that stand
    /// beside each other, nobody knows which one WordPress will serve.
    fn anywhere(&self, segments: &[&[u8]]) -> Matches {
        let mut matches = Matches::default();
        let mut best: Option<(usize, usize, usize)> = None;
        if self.paths.is_empty() {
            return matches;
        }
        for start in 0..segments.len() {
            let Some((route, depth)) = self.paths.longest(segments.get(start..).unwrap_or_default()) else { continue };
            let end = start + depth;
            match best {
                Some((_, _, best_end)) if end <= best_end => {} // within it: starts only grow
                Some((best_route, best_start, _)) if start > best_start && best_route != route => {
                    matches.ambiguous = true;
                    best = Some((route, start, end));
                }
                _ => best = Some((route, start, end)),
            }
        }
        matches.route = best.map(|(route, ..)| route);
        matches
    }

    /// What one query parameter means on every URL.
    pub(super) fn query(&self, name: &[u8], value: &[u8]) -> Matches {
        let Some(values) = self.queries.get(name) else { return Matches::default() };
        let found = named(&values.named, value);
        if found.route.is_some() || values.any.is_none() {
            found
        } else {
            Matches { route: values.any, ..Matches::default() }
        }
    }
}

/// What has been found so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Matches {
    pub(super) route: Option<usize>,
    /// Two readings mean two routes.
    pub(super) ambiguous: bool,
    /// The REST batch endpoint.
    pub(super) batch: bool,
    /// A script that dispatches by `action`.
    pub(super) ajax: bool,
}

impl Matches {
    pub(super) fn join(&mut self, other: Self) {
        let two = self.route.is_some() && other.route.is_some() && self.route != other.route;
        self.ambiguous |= other.ambiguous || two;
        self.route = self.route.or(other.route);
        self.batch |= other.batch;
        self.ajax |= other.ajax;
    }
}

impl Tree {
    pub(super) fn is_empty(&self) -> bool {
        self.below.is_empty()
    }

    fn insert(&mut self, path: &str, route: usize) {
        let mut node = self;
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            node = node.below.entry(segment.as_bytes().to_vec()).or_default();
        }
        node.route = Some(route);
    }

    /// The longest guarded beginning of these segments, and how many segments it has.
    fn longest(&self, segments: &[&[u8]]) -> Option<(usize, usize)> {
        let mut node = self;
        let mut longest = None;
        for (at, segment) in segments.iter().enumerate() {
            let Some(below) = node.below.get(*segment) else { break };
            node = below;
            longest = node.route.map(|route| (route, at + 1)).or(longest);
        }
        longest
    }
}

/// Whether a route, or one below it, begins so; a dot stands for any byte.
fn begins(path: &[u8], pattern: &[u8]) -> bool {
    let same = |(byte, wanted): (&u8, &u8)| *wanted == b'.' || byte == wanted;
    let whole = path.get(pattern.len()).is_none_or(|next| *next == b'/');
    path.len() >= pattern.len() && whole && path.iter().zip(pattern).all(same)
}

/// Both ways in which WordPress cleans a name lead to it. What its cutting of tags leaves of `wc_<b>stripe` depends on
/// quotes, comments and scripts in it; no name has a `<`, so such a one is refused.
fn named(names: &HashMap<Vec<u8>, usize>, text: &[u8]) -> Matches {
    let mut matches = Matches::default();
    if names.is_empty() {
        return matches;
    }
    matches.ambiguous = text.contains(&b'<');
    matches.route = names.get(&key(text)).copied();
    if let Some(other) = sanitized_key(text) {
        matches.join(Matches { route: names.get(&other).copied(), ..Matches::default() });
    }
    matches
}
