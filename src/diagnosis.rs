//! Why does this signature not hold? The doctor tries what goes wrong in life, one thing at a time and then two, by
//! changing request, key or URL and asking the sender's own scheme again.
//!
//! What holds after one change and not before it is the cause: nobody hits a keyed digest by chance. Where two causes
//! that are really different would both explain it, or none does, it says so and names none. What a request shows without any
//! key is told as that, and only where no key explains it. It is for operators, who have the keys: nothing of it is ever told to a sender, and neither secrets, signatures nor bodies are in what it says.

mod bodies;
mod cause;
mod claims;
mod clock;
mod composed;
mod digests;
mod entry;
mod examination;
mod fields;
mod inside;
mod messages;
mod parts;
mod schemes;
mod secrets;
mod sight;
mod signers;
mod times;
mod tokens;
mod trials;
mod urls;

pub use bodies::Inflate;
pub use cause::{Area, By, Cause, Code};

use crate::{
    clock::Timestamp,
    request::Unverified,
    verify::{Catalogue, Key, PUBLISHED, Webhook, holds},
};
use entry::Entry;
use examination::{Examination, Fit};
use trials::Trials;
use zeroize::Zeroizing;

/// A request that was refused, with all that could explain it.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds secrets")]
pub struct Patient<'a> {
    /// How the route knows its sender.
    pub webhook: &'a Webhook,
    /// The request.
    pub request: &'a Unverified,
    /// When it came.
    pub now: Timestamp,
    /// Every key of the policy, retired ones and those of other stages too.
    pub keys: &'a [KeyText],
    /// Senders that it could be of.
    pub catalogue: &'a Catalogue,
    /// What takes compression off, where this build has it.
    pub inflate: Option<Inflate>,
}

/// A key as the operator has it: the text, not yet decoded.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct KeyText {
    /// The name of the list, as in `keys: { shop: [...] }`.
    pub list: String,
    /// Its label.
    pub id: String,
    /// Another stage than the one that is looked at.
    pub stage: Option<String>,
    /// From then on it verifies nothing.
    pub retire: Option<Timestamp>,
    /// Everybody may have it: what is made with it as a shared secret proves nothing.
    pub is_public: bool,
    /// The secret.
    pub text: Zeroizing<String>,
}

/// What the doctor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What it found.
    pub found: Found,
    /// Headers that the sender signs with and that are not there exactly once, with how often they are.
    pub headers: Vec<(String, usize)>,
    /// How many changes of each kind it tried.
    pub tried: Vec<(Area, usize)>,
    /// And how many of two at once.
    pub pairs: usize,
    /// What it did not try, and why.
    pub left_out: Vec<String>,
    /// The name of the sender, where the operator wrote its file.
    pub own_sender: Option<String>,
}

/// What the doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The signature holds, and its time does.
    Healthy,
    /// What went wrong: one thing, or several together. One of the keys proves it.
    Named(Vec<Cause>),
    /// What anybody can see, and what would explain it. No key proves it: one that is not known here would look the same.
    Seen(Vec<Cause>),
    /// So many causes that are really different would explain it; which one it was, nobody can tell.
    Ambiguous(usize),
    /// Nothing of a signature came: never sent, or dropped on the way, which look alike.
    Unsigned,
    /// Nothing that it knows would explain it.
    Unknown,
}

impl KeyText {
    /// Whether it is the same key of the same name.
    fn is_same(&self, other: &Self) -> bool {
        (&self.list, &self.id, &self.text) == (&other.list, &other.id, &other.text)
    }
}

impl<'a> Patient<'a> {
    /// The name of the route's list of keys.
    fn own_list(&self) -> &'a str {
        self.webhook.keys().split('/').next().unwrap_or_default()
    }

    fn is_own(&self, key: &KeyText) -> bool {
        let in_force = key.retire.is_none_or(|retire| self.now < retire);
        key.stage.is_none() && key.list == self.own_list() && in_force
    }

    /// Those that the gate takes: no word that everybody knows.
    fn own(&self) -> impl Iterator<Item = &'a KeyText> {
        let patient = *self;
        let is_word = move |key: &&KeyText| secrets::is_known_word(patient.webhook.provider(), key);
        self.keys.iter().filter(move |key| patient.is_own(key)).filter(move |key| !is_word(key))
    }

    fn public_url(&self) -> Option<&'a str> {
        self.webhook.public_url()
    }

    /// Its name, if the operator wrote its file.
    fn own_sender(&self) -> Option<&'a str> {
        let provider = self.webhook.provider();
        let is_known = Catalogue::embedded().find(&provider.name).is_some_and(|known| known.text == provider.text);
        (!is_known).then_some(provider.name.as_str())
    }

    /// Of a sender that the operator wrote, its file may be what is mistaken.
    fn with_own_sender(&self, found: Found) -> Found {
        let Some(name) = self.own_sender() else { return found };
        let told = |mut cause: Cause| {
            if let Some(words) = cause.code.words_of_entry() {
                cause.mend += &format!("; or the file of `{name}` is mistaken, which is your own: look at {words}");
            }
            cause
        };
        match found {
            Found::Named(causes) => Found::Named(causes.into_iter().map(told).collect()),
            Found::Seen(causes) => Found::Seen(causes.into_iter().map(told).collect()),
            other => other,
        }
    }
}

/// Says why the signature of this request does not hold, if that can be told.
pub fn diagnose(patient: &Patient<'_>) -> Diagnosis {
    let own = secrets::own(patient);
    let keys: Vec<&Key> = own.iter().collect();
    let provider = patient.webhook.provider();
    let mut examination = Examination {
        patient,
        keys,
        trials: Trials::new(patient.webhook.config()),
        found: Vec::new(),
        left_out: Vec::new(),
    };
    let held = holds(provider, &examination.keys, patient.request, patient.public_url(), patient.webhook.config());
    if patient.webhook.keys().starts_with(PUBLISHED) {
        examination.left_out.push("the keys that the sender publishes: nothing is fetched here".to_owned());
    }
    let found = match &held {
        Ok(held) => examination.of_age(held),
        Err(rejection) => examination.of_signature(&own, *rejection),
    };
    let found = patient.with_own_sender(found);
    let Examination { trials, mut left_out, .. } = examination;
    if trials.are_exhausted() {
        left_out.push("what comes after it: enough was hashed for one request".to_owned());
    }
    let pairs = trials.pairs;
    let own_sender = patient.own_sender().map(str::to_owned);
    Diagnosis { found, headers: odd_headers(patient), tried: trials.tried(), pairs, left_out, own_sender }
}

fn odd_headers(patient: &Patient<'_>) -> Vec<(String, usize)> {
    let headers =
        Entry::of(patient.webhook.provider(), patient.catalogue).map(|entry| entry.headers()).unwrap_or_default();
    let times = |name: String| {
        let times = patient.request.head.headers.get_all(name.as_str()).iter().count();
        (name, times)
    };
    headers.into_iter().map(times).filter(|(_, times)| *times != 1).collect()
}
