//! The senders that are known: one YAML file each, embedded in the binary or beside the policy.

mod embedded;
mod mistakes;

pub use mistakes::Mistake;
pub(super) use mistakes::Mistakes;

use super::{
    Handshake,
    scheme::{Scheme, text::ProviderText},
};
use crate::repeat::Identical;
use mistakes::unreadable;
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
    /// Its validation calls.
    pub handshakes: Vec<Handshake>,
    /// The vendor's page.
    pub documentation: String,
    /// The entry as it is written.
    pub text: String,
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

/// How far back a signed time may lie where neither vendor nor policy says so (CONTRACT.md threat 12).
pub const MAX_AGE: Duration = Duration::from_secs(300);
/// How far ahead, likewise: clocks differ, even where a vendor's library allows nothing.
pub const MAX_FUTURE: Duration = Duration::from_secs(60);

impl Provider {
    /// Compiles one catalogue entry.
    ///
    /// # Errors
    /// Every mistake of meaning at once; of form, the first one.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<Mistake>> {
        let options = serde_saphyr::options! { strict_booleans: true, reject_unsupported_tags: true };
        let read: ProviderText = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| vec![unreadable(error.without_snippet(), text)])?;
        let mut wrong = Mistakes(Vec::new());
        let scheme = Scheme::compile(&read.scheme, &mut wrong);
        let name = &read.name.value;
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            wrong.at(&read.name, "a name has lower-case letters, digits and `-` alone: it is a label of metrics");
        }
        for pointer in &read.event_key {
            if !pointer.value.starts_with('/') {
                wrong.at(pointer, "an event key is a JSON Pointer, as in `/id`");
            }
        }
        let identical = match read.identical.as_ref().map(|word| (word, word.value.as_str())) {
            None | Some((_, "repeat")) => Identical::Repeat,
            Some((_, "normal")) => Identical::Normal,
            Some((word, _)) => {
                wrong.at(word, "write `repeat`, or `normal` if identical bytes can be two events");
                Identical::Repeat
            }
        };
        let (type_member, type_header) = match &read.event_type {
            None => (None, None),
            Some(place) => match place.value.strip_prefix("json:") {
                Some(pointer) if pointer.starts_with('/') => (Some(pointer.to_owned()), None),
                Some(_) => {
                    wrong.at(place, "after `json:` comes a JSON Pointer, as in `json:/type`");
                    (None, None)
                }
                None => (None, wrong.header(place)),
            },
        };
        let handshakes: Vec<_> =
            read.challenge.iter().filter_map(|call| Handshake::compile(call, &mut wrong)).collect();
        let mut time = |written: &serde_saphyr::Spanned<String>| {
            let read = duration(&written.value);
            if read.is_none() {
                wrong.at(
                    written,
                    format!("cannot read `{}`; write something such as `9s`, `5m` or `72h`", written.value),
                );
            }
            read
        };
        let retry_horizon = time(&read.retry_horizon);
        let answer_by = time(&read.answer_by);
        let max_age = read.max_age.as_ref().map(&mut time);
        let max_future = read.max_future.as_ref().map(&mut time);
        let (Some(scheme), Some(retry_horizon), Some(answer_by), true) =
            (scheme, retry_horizon, answer_by, wrong.0.is_empty())
        else {
            wrong.0.sort_by_key(|mistake| mistake.at.start);
            return Err(wrong.0);
        };
        let max_age = scheme.coverage().time.then(|| max_age.flatten().unwrap_or(MAX_AGE));
        Ok(Self {
            name: name.clone(),
            aliases: read.aliases,
            event_key: read.event_key.into_iter().map(|pointer| pointer.value).collect(),
            type_member,
            type_header,
            identical,
            max_age,
            max_future: max_future.flatten().unwrap_or(MAX_FUTURE),
            retry_horizon,
            answer_by,
            respond: Respond {
                accepted: read.respond.accepted,
                accepted_body: read.respond.accepted_body,
                unauthenticated: read.respond.unauthenticated,
            },
            handshakes,
            documentation: read.documentation,
            scheme,
            text: text.to_owned(),
        })
    }

    /// By what a repeat is told from a new event, for people.
    pub fn repeats_by(&self) -> String {
        let coverage = self.scheme.coverage();
        let event = if coverage.id {
            Some("its signed id".to_owned())
        } else if self.event_key.is_empty() {
            None
        } else {
            Some(self.event_key.join(" and "))
        };
        let proof = (coverage.body && self.identical == Identical::Repeat).then(|| "what was signed".to_owned());
        let told: Vec<_> = event.into_iter().chain(proof).collect();
        if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
    }

    /// What its signature does not cover, for people.
    pub fn uncovered(&self) -> String {
        let coverage = self.scheme.coverage();
        let parts =
            [(coverage.body, "body"), (coverage.id || !self.event_key.is_empty(), "id"), (coverage.time, "time")];
        let missing: Vec<_> = parts.iter().filter(|(covered, _)| !covered).map(|(_, name)| *name).collect();
        if missing.is_empty() { "headers".to_owned() } else { format!("{}, headers", missing.join(", ")) }
    }
}

/// `900ms`, `9s`, `5m`, `72h`, `3d`.
fn duration(text: &str) -> Option<Duration> {
    let (digits, ms) = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        .iter()
        .find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, *ms)))?;
    Some(Duration::from_millis(digits.parse::<u64>().ok()?.checked_mul(ms)?))
}

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
        let providers = embedded::FILES.iter().filter_map(|(_, text)| Provider::from_yaml(text).ok()).map(Arc::new);
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
