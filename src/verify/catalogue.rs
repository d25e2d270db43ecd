//! The senders that are known: one YAML file each, embedded in the binary or beside the policy. (seam: to be written)

use super::Scheme;
use crate::repeat::Identical;
use std::{sync::Arc, time::Duration};

/// One sender, as its own documentation describes it.
#[derive(Clone, Debug)]
pub struct Provider {
    /// What a policy writes after `provider:`.
    pub name: String,
    /// Other names of the same entry, as in vectors and other catalogues.
    pub aliases: Vec<String>,
    /// How it signs.
    pub scheme: Scheme,
    /// Members of the signed body that name the event, as JSON Pointers; empty where a signed header does, or nothing.
    pub event_key: Vec<String>,
    /// The body member that holds the event's type, as a JSON Pointer.
    pub type_member: Option<String>,
    /// The header that holds the event's type.
    pub type_header: Option<String>,
    /// Whether identical bytes can be two events.
    pub identical: Identical,
    /// How far back a signed time may lie unless the policy says otherwise; `None`: no time is signed.
    pub max_age: Option<Duration>,
    /// How far ahead it may lie.
    pub max_future: Duration,
    /// For how long the vendor repeats an event that was not answered with 2xx.
    pub retry_horizon: Duration,
    /// When the vendor stops waiting for an answer, less a second.
    pub answer_by: Duration,
    /// What the vendor wants to hear, where that is not the gate's own way.
    pub respond: Respond,
    /// The vendor's page.
    pub documentation: String,
}

/// Statuses and bodies that one vendor wants. `None` is the gate's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Respond {
    /// For what was accepted, or is a repeat.
    pub accepted: Option<u16>,
    /// The body to go with it.
    pub accepted_body: Option<String>,
    /// For a signature that did not hold: 401, 403 or 498.
    pub unauthenticated: Option<u16>,
}

/// Every sender that a policy can name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    providers: Vec<Arc<Provider>>,
}

impl Catalogue {
    /// By name or alias.
    pub fn find(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers
            .iter()
            .find(|provider| provider.name == name || provider.aliases.iter().any(|alias| alias == name))
    }

    /// All, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.iter()
    }
}
