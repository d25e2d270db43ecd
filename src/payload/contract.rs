//! What a route's owner, and the sender's catalogue entry, promise about its documents. Compiled by the policy, and
//! nowhere else.

use super::{
    agreed::Agreed,
    less::{self, Less},
    redact::Redaction,
};
use std::{sync::Arc, time::Duration};

/// Where a sender's documents say which event they are, and of which type. JSON Pointers into the signed body, and
/// header names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// Members of the signed body that name the event together; empty where a signed header does, or nothing.
    pub event_key: Vec<String>,
    /// The member that holds the event's type.
    pub type_member: Option<String>,
    /// The header that holds the event's type; hearsay where the scheme does not sign it.
    pub type_header: Option<String>,
    /// How long event keys are remembered: the vendor's retry horizon at least.
    pub remember: Duration,
    /// The member whose value says which events must not overtake one another.
    pub order_by: Option<String>,
    /// Another body under the same event key is another event (`on_changed: deliver`).
    pub changed_is_new: bool,
}

/// The checks and scrubs of one route.
///
/// A document is clean with regard to *this* contract, so nobody else may bring a laxer one:
///
/// ```compile_fail,E0624
/// use hookwarden::payload::{Contract, Naming};
///
/// let anything_goes = Contract::new(Naming::default());
/// ```
///
/// ```compile_fail,E0451
/// use hookwarden::payload::{Contract, Naming};
///
/// fn loosen(other: Contract) -> Contract {
///     Contract { naming: Naming::default(), ..other }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Contract {
    naming: Naming,
    agreed: Option<Arc<Agreed>>,
    redaction: Redaction,
    is_tried: bool,
}

impl Contract {
    pub(crate) fn new(naming: Naming) -> Self {
        Self { naming, agreed: None, redaction: Redaction::default(), is_tried: false }
    }

    /// With a schema that every document must satisfy.
    pub(crate) fn agreed(self, agreed: Agreed) -> Self {
        Self { agreed: Some(Arc::new(agreed)), ..self }
    }

    /// With places that must not go further.
    pub(crate) fn redacted(self, redaction: Redaction) -> Self {
        Self { redaction, ..self }
    }

    /// With a schema that is tried before it enforces: what is not as agreed goes on, and says so.
    pub(crate) fn tried(self) -> Self {
        Self { is_tried: true, ..self }
    }

    /// Whether every document must be as agreed.
    pub fn has_schema(&self) -> bool {
        self.agreed.is_some()
    }

    /// Whether something is taken out of what goes on.
    pub fn redacts(&self) -> bool {
        !self.redaction.is_empty()
    }

    /// Whether nothing is asked of a document and nothing taken out, so that nobody has to read it.
    pub fn is_indifferent(&self) -> bool {
        self.agreed.is_none() && self.redaction.is_empty()
    }

    /// What another contract asks less for than this one, and what it asks for in other words.
    pub(crate) fn against(&self, after: &Self) -> Vec<Less> {
        less::between((self.checks(), &self.redaction), (after.checks(), &after.redaction))
    }

    /// Where a document says which others it must not overtake.
    pub(crate) fn order_by(&self) -> Option<&str> {
        self.naming.order_by.as_deref()
    }

    pub(super) fn is_tried(&self) -> bool {
        self.is_tried
    }

    pub(super) fn naming(&self) -> &Naming {
        &self.naming
    }

    pub(super) fn checks(&self) -> Option<&Agreed> {
        self.agreed.as_deref()
    }

    pub(super) fn scrubs(&self) -> &Redaction {
        &self.redaction
    }

    fn enforces(&self) -> bool {
        self.agreed.is_some() && !self.is_tried
    }

    /// Whether a body that cannot be read must be refused: what was not read was neither checked nor cleaned.
    pub(super) fn needs_document(&self) -> bool {
        self.enforces() || self.redaction.wants_document()
    }

    /// Whether anything of the document has to be known but its bytes.
    pub(super) fn wants_members(&self) -> bool {
        let Naming { event_key, type_member, order_by, .. } = &self.naming;
        !event_key.is_empty() || type_member.is_some() || order_by.is_some()
    }
}
