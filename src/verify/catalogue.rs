//! The senders that are known: one YAML file each, embedded in the binary or beside the policy.

mod compile;
mod embedded;
mod lint;
mod listing;
mod mistakes;
mod named;
mod read;
pub mod text;
mod tidy;
mod urls;

pub(super) use compile::{duration, has_no_body};
pub use lint::{Finding, lint};
pub use mistakes::Mistake;
pub(super) use mistakes::Mistakes;
pub(super) use named::is_of_the_connection;
pub(super) use urls::{is_host, url_mistake};

use super::{Confirm, Handshake, Refers, scheme::Scheme};
use crate::repeat::Identical;
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

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
    /// What a request refers to, where it is held to that.
    pub refers: Option<Refers>,
    /// How the vendor is asked about it.
    pub confirm: Option<Confirm>,
    /// Its validation calls.
    pub handshakes: Vec<Handshake>,
    /// What the vendor takes for an answer, in words.
    pub answers: Option<String>,
    /// How often it comes again, in words.
    pub retries: Option<String>,
    /// When it stops sending, in words.
    pub disables: Option<String>,
    /// The entry that it is like, whose words are its own where it has none.
    pub like: Option<String>,
    /// The vendor's page.
    pub documentation: String,
    /// How these facts are known.
    pub source: Source,
    /// The entry as it is written.
    pub text: String,
}

/// How the facts of an entry are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// How it signs.
    pub scheme: Option<Provenance>,
    /// How it behaves: answers, retries, when it gives up.
    pub service: Option<Provenance>,
    /// What else there is to say of it.
    pub how: Option<String>,
    /// The day on which it was looked at, as in `2026-11-23`.
    pub checked: String,
}

/// From whom something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The vendor's own library was read and run.
    Sdk,
    /// The vendor's documentation, or its source, was read.
    Documentation,
    /// The vendor's documentation, from memory: it was not read again.
    Memory,
    /// Others' source was read.
    ThirdParty,
}

impl Provenance {
    /// For people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Sdk => "the vendor's own library, read and run",
            Self::Documentation => "the vendor's documentation",
            Self::Memory => "memory of the vendor's documentation, not read again",
            Self::ThirdParty => "others' source",
        }
    }
}

/// Statuses and bodies that one vendor wants. `None` is the gate's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Respond {
    /// For what was accepted, or is a repeat.
    pub accepted: Option<u16>,
    /// The body to go with it.
    pub accepted_body: Option<String>,
    /// What that body is, where it is no plain text.
    pub accepted_type: Option<&'static str>,
    /// For a signature that did not hold: 401, 403 or 498.
    pub unauthenticated: Option<u16>,
    /// The body to go with it, instead of a problem.
    pub unauthenticated_body: Option<String>,
}

/// What a token says, and a signature that leaves out the body.
pub const UNAUTHENTICATED: &str = "authenticated sender, unauthenticated content";
/// How far back a signed time may lie where neither vendor nor policy says so (CONTRACT.md threat 12).
pub const MAX_AGE: Duration = Duration::from_secs(300);
/// How far ahead, likewise: clocks differ, even where a vendor's library allows nothing.
pub const MAX_FUTURE: Duration = Duration::from_secs(60);

/// Every sender that a policy can name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    providers: Vec<Arc<Provider>>,
}

/// A team's own sender has a name that is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the catalogue has a sender `{0}` already; choose another name")]
pub struct NameTaken(pub String);

impl Catalogue {
    /// The senders that this build knows. Every embedded entry compiles: a test holds it.
    pub fn embedded() -> Self {
        static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(Catalogue::compile_embedded);
        EMBEDDED.clone()
    }

    /// What [`embedded`](Self::embedded) does the first time.
    pub fn compile_embedded() -> Self {
        let providers = embedded::FILES.iter().filter_map(|(_, text)| Provider::known(text).ok()).map(Arc::new);
        Self { providers: providers.collect() }
    }

    /// With a team's own senders.
    ///
    /// # Errors
    /// [`NameTaken`] by the first whose name, or alias, is known.
    pub fn with(mut self, own: Vec<Provider>) -> Result<Self, NameTaken> {
        for provider in own {
            let names = std::iter::once(&provider.name).chain(&provider.aliases);
            if let Some(taken) = names.into_iter().find(|name| self.find(name).is_some()) {
                return Err(NameTaken(taken.clone()));
            }
            self.providers.push(Arc::new(provider));
        }
        self.providers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(self)
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

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.providers.iter().map(|provider| provider.name.as_str())
    }
}
