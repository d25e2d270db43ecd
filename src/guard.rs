//! Which endpoint is this, in every spelling that WordPress accepts for it? (seam: to be written)

pub mod form;
mod selector;

pub use selector::Selector;

use crate::request::Head;

/// Every guarded endpoint of a policy, compiled for looking up.
#[derive(Clone, Debug, Default)]
pub struct Guards {}

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
}

impl Guards {
    /// Compiles selectors; each comes with the index of its route.
    pub fn new(selectors: impl IntoIterator<Item = (Selector, usize)>) -> Self {
        drop(selectors.into_iter().count());
        Self {}
    }

    /// Looks at every reading of path and query.
    pub fn find(&self, _head: &Head) -> Found {
        Found::Open
    }

    /// A scanner for the body of one form post.
    pub fn scanner(&self, _head: &Head, kind: form::Kind) -> form::Scanner {
        form::Scanner::new(kind)
    }
}
