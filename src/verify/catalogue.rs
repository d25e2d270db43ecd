//! The senders that are known: one YAML file each, embedded in the binary or beside the policy. (seam: to be written)

use super::{Coverage, Scheme};
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
    /// The senders of this build. (seam: names, and what a policy asks of them)
    pub fn embedded() -> Self {
        let entry = |name: &str, max_age_s: Option<u64>, id: bool, retry_horizon_s: u64, answer_by_s: u64| {
            Arc::new(Provider {
                name: name.to_owned(),
                aliases: Vec::new(),
                scheme: Scheme { coverage: Coverage { body: true, id, time: max_age_s.is_some() } },
                event_key: if name == "stripe" { vec!["/id".to_owned()] } else { Vec::new() },
                type_member: None,
                type_header: None,
                identical: Identical::Repeat,
                max_age: max_age_s.map(Duration::from_secs),
                max_future: Duration::from_secs(60),
                retry_horizon: Duration::from_secs(retry_horizon_s),
                answer_by: Duration::from_secs(answer_by_s),
                respond: Respond::default(),
                documentation: String::new(),
            })
        };
        let providers = vec![
            entry("github", None, false, 0, 9),
            entry("shopify", None, false, 14_400, 4),
            entry("slack", Some(300), false, 600, 2),
            entry("standard-webhooks", Some(300), true, 259_200, 14),
            entry("stripe", Some(300), false, 259_200, 9),
            entry("svix", Some(300), true, 259_200, 14),
            entry("woocommerce", None, false, 3600, 4),
        ];
        Self { providers }
    }

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
