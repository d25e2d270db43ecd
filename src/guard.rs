//! Which endpoint is this, in every spelling that WordPress accepts for it?

pub mod form;
mod readings;
mod selector;
mod table;
#[cfg(test)]
mod tests;

pub use readings::Reading;
pub use selector::Selector;

use crate::request::Head;
use std::sync::Arc;
use table::{Matches, Table};

/// Every guarded endpoint of a policy, compiled for looking up. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    /// Absent: nothing is guarded, and nothing is looked at.
    table: Option<Arc<Table>>,
}

/// What a head says about guarded endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// None: let it pass unread.
    Open,
    /// None in the head, but its body is a form in which WordPress would also look: scan it as it streams.
    Form(form::Kind),
    /// The route with this index.
    Guarded(usize),
    /// The REST batch endpoint, which could carry requests for a guarded route.
    Batch,
    /// Two readings mean two routes, and a sender of the one could reach the other: refuse it as unclear.
    Ambiguous,
}

impl Guards {
    /// Compiles selectors; each comes with the index of its route.
    pub fn new(selectors: impl IntoIterator<Item = (Selector, usize)>) -> Self {
        Self::trying(selectors, [])
    }

    /// Those of routes that are observed are found as others are, and may be reached in every way: what would be refused
    /// there passes until they enforce.
    pub fn trying(
        selectors: impl IntoIterator<Item = (Selector, usize)>,
        observed: impl IntoIterator<Item = usize>,
    ) -> Self {
        let mut table = Table { observed: observed.into_iter().collect(), ..Table::default() };
        for (selector, route) in selectors {
            table.insert(selector, route);
        }
        Self { table: (!table.is_empty()).then(|| Arc::new(table)) }
    }

    /// Looks at every reading of path and query, whatever the method: what any of them puts on a guarded endpoint is
    /// guarded.
    pub fn find(&self, head: &Head) -> Found {
        let Some(table) = &self.table else { return Found::Open };
        let matches = read(table, head);
        if matches.batch {
            return Found::Batch;
        }
        if matches.ambiguous {
            return Found::Ambiguous;
        }
        if let Some(route) = matches.route {
            return Found::Guarded(route);
        }
        match form::Kind::of(head) {
            Some(kind) if table.looks_into_forms(matches.ajax) => Found::Form(kind),
            Some(_) | None => Found::Open,
        }
    }

    /// A scanner for the body of a request that streams to an observed route: where that is a form, it could name another
    /// one that enforces.
    pub fn bystander(&self, head: &Head) -> Option<form::Scanner> {
        let (table, kind) = (self.table.as_ref()?, form::Kind::of(head)?);
        table.refuses_forms(read(table, head).ajax).then(|| self.scanner(head, kind))
    }

    /// A scanner for the body of a request that streams to a route that let it in by its head: where that is a form, it could
    /// name another one.
    pub fn streaming(&self, head: &Head, route: usize) -> Option<form::Scanner> {
        let (_, kind) = (self.table.as_ref()?, form::Kind::of(head)?);
        Some(form::Scanner::new(kind, self.fields(head, Some(route))))
    }

    /// A scanner for the body of one form post to a target that is not guarded.
    pub fn scanner(&self, head: &Head, kind: form::Kind) -> form::Scanner {
        form::Scanner::new(kind, self.fields(head, None))
    }

    /// Whether the whole body of a request for a guarded route is a form that also names another guarded endpoint, or
    /// cannot be read as one: a sender of one route must not reach the next one through a field.
    pub fn strays(&self, head: &Head, raw: &bytes::Bytes, route: usize) -> bool {
        let (Some(_), Some(kind)) = (&self.table, form::Kind::of(head)) else { return false };
        let mut scanner = form::Scanner::new(kind, self.fields(head, Some(route)));
        scanner.scan(raw, true) == form::Verdict::Refuse
    }

    fn fields(&self, head: &Head, own: Option<usize>) -> form::Fields {
        let table = self.table.clone().unwrap_or_default();
        let ajax = !table.ajax.is_empty() && read(&table, head).ajax;
        form::Fields { table, ajax, own, observed: None }
    }
}

/// The union of what path and query name.
fn read(table: &Table, head: &Head) -> Matches {
    let mut matches = Matches::default();
    head.target.each_path(|segments| matches.join(table.path(segments)));
    for (name, value) in head.target.parameters() {
        match name.as_ref() {
            b"wc-api" => matches.join(table.wc_api(&value)),
            b"rest_route" => matches.join(table.rest(&value)),
            b"action" if matches.ajax => matches.join(table.ajax(&value)),
            _ => {}
        }
        if !table.queries.is_empty() {
            matches.join(table.query(&name, &value));
        }
    }
    matches
}
