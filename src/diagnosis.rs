//! Why does this signature not hold? The doctor tries what goes wrong in life, one thing at a time and then two, by
//! changing request, key or URL and asking the sender's own scheme again.
//!
//! What holds after one change and not before it is the cause: nobody hits a keyed digest by chance. Where two causes
//! that are really different would both explain it, or none does, it says so and names none. What a request shows without any
//! key, and what has it refused whoever signed it, is told as that, and only where no key explains it. It is for operators,
//! who have the keys: nothing of it is ever told to a sender, and neither secrets, signatures nor bodies are in what it says.

mod bodies;
mod cause;
mod clock;
mod digests;
mod entry;
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
    verdict::Rejection,
    verify::{Catalogue, Held, Key, PUBLISHED, Webhook, holds},
};
use bytes::Bytes;
use entry::Entry;
use secrets::Candidate;
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
}

/// What the doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The signature holds, and its time does.
    Healthy,
    /// What went wrong: one thing, or several together. One of the keys proves it.
    Named(Vec<Cause>),
    /// What anybody can see, and what has it refused whoever signed it. Whether that was one of the keys, nobody can tell as
    /// long as it is so.
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

    fn own(&self) -> impl Iterator<Item = &'a KeyText> {
        let patient = *self;
        self.keys.iter().filter(move |key| patient.is_own(key))
    }

    fn public_url(&self) -> Option<&'a str> {
        self.webhook.public_url()
    }

    /// Of a sender that the operator wrote, its file may be what is mistaken.
    fn with_own_sender(&self, found: Found) -> Found {
        let provider = self.webhook.provider();
        if Catalogue::embedded().find(&provider.name).is_some_and(|known| known.text == provider.text) {
            return found;
        }
        let told = |mut cause: Cause| {
            if let Some(words) = cause.code.words_of_entry() {
                cause.mend +=
                    &format!("; or the file of `{}` is mistaken, which is your own: look at {words}", provider.name);
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

/// So many other keys are tried; of more, the first ones.
const KEYS_MAX: usize = 256;

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
        left_out.push("more pairs: enough was hashed".to_owned());
    }
    let pairs = trials.pairs;
    Diagnosis { found, headers: odd_headers(patient), tried: trials.tried(), pairs, left_out }
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

/// Something that holds.
struct Fit {
    causes: Vec<Cause>,
    held: Held,
}

struct Examination<'a> {
    patient: &'a Patient<'a>,
    /// The route's own, as the gate reads them.
    keys: Vec<&'a Key>,
    trials: Trials<'a>,
    found: Vec<Fit>,
    left_out: Vec<String>,
}

impl<'a> Examination<'a> {
    fn of_age(&self, held: &Held) -> Found {
        let causes = clock::look(self.patient.webhook.window(), held, self.patient.now);
        if causes.is_empty() { Found::Healthy } else { Found::Named(causes) }
    }

    fn of_signature(&mut self, own: &'a [Key], rejection: Rejection) -> Found {
        let mut candidates = secrets::candidates(self.patient, own);
        if candidates.len() > KEYS_MAX {
            self.left_out.push(format!("keys: {} of {KEYS_MAX} and more", candidates.len() - KEYS_MAX));
            candidates.truncate(KEYS_MAX);
        }
        let Some(entry) = Entry::of(self.patient.webhook.provider(), self.patient.catalogue) else {
            self.by_key(&candidates);
            return self.settle();
        };
        let signers = self.signers(&candidates);
        let sure = if entry.is_message() { self.by_message(&signers) } else { self.by_token(&entry, &signers) };
        if let Some(sure) = sure {
            return sure;
        }
        self.by_key(&candidates);
        self.by_header(&entry);
        self.by_inside(&entry);
        self.by_scheme(&entry, rejection);
        self.by_account(&entry);
        self.by_url(&entry);
        self.by_body();
        self.by_item(&entry);
        if self.found.is_empty() {
            self.by_two(&candidates, &entry);
        }
        if self.found.is_empty() {
            return self.by_sight(&entry, rejection);
        }
        self.settle()
    }

    fn by_key(&mut self, candidates: &[Candidate]) {
        let (provider, url) = (self.patient.webhook.provider(), self.patient.public_url());
        for Candidate { key, cause } in candidates {
            if let Some(held) = self.trials.one(cause.area, provider, &[key], self.patient.request, url) {
                self.found.push(Fit { causes: vec![cause.clone()], held });
            }
        }
    }

    fn by_header(&mut self, entry: &Entry) {
        let Patient { webhook, request, .. } = self.patient;
        let Some(header) = webhook.provider().scheme.signature_header() else { return };
        let mut first = None;
        fields::each(&request.head, entry, header, |cause, head| {
            let altered = Unverified { head, raw: request.raw.clone() };
            let held =
                self.trials.one(Area::Header, webhook.provider(), &self.keys, &altered, self.patient.public_url());
            first = first.take().or(held.map(|held| Fit { causes: vec![cause], held }));
        });
        self.found.extend(first);
    }

    /// The signature stands in the document.
    fn by_inside(&mut self, entry: &Entry) {
        let Patient { webhook, request, .. } = self.patient;
        let mut first = None;
        inside::each(entry, &request.raw, |cause, body| {
            let altered = Unverified { head: request.head.clone(), raw: body.into() };
            let held =
                self.trials.one(Area::Header, webhook.provider(), &self.keys, &altered, self.patient.public_url());
            first = first.take().or(held.map(|held| Fit { causes: vec![cause], held }));
        });
        self.found.extend(first);
    }

    /// A header of the same family says more than that another sender signs alike; and another sender says more than a
    /// header that happens to hold.
    fn by_scheme(&mut self, entry: &Entry, rejection: Rejection) {
        let Patient { request, webhook, .. } = self.patient;
        let provider = webhook.provider();
        let mut altered = None;
        let mut is_family = false;
        for way in schemes::altered(self.patient, entry) {
            // The time of a signature that cannot be decoded is not what is wrong.
            if way.cause.code == Code::TimeFormat && rejection != Rejection::SignatureMalformed {
                continue;
            }
            let request =
                Unverified { head: way.head.unwrap_or_else(|| request.head.clone()), raw: request.raw.clone() };
            let held = self.trials.one(Area::Scheme, &way.provider, &self.keys, &request, self.patient.public_url());
            if let Some(held) = held.filter(|_| altered.is_none()) {
                let header = provider.scheme.signature_header();
                let of_family = |sibling: &str| header.is_some_and(|header| are_of_one_family(sibling, header));
                is_family = way.sibling.as_deref().is_none_or(of_family);
                altered = Some(Fit { causes: vec![way.cause], held });
            }
        }
        let listed = schemes::listed(self.patient);
        let mut ways = Vec::new();
        let mut by_listed = None;
        for way in &listed {
            let decode = |key: &KeyText| {
                let secret = way.provider.scheme.key(&key.text).ok()?;
                Some(Key { id: key.id.clone(), secret, retire: key.retire })
            };
            let keys: Vec<Key> = self.patient.own().filter_map(decode).collect();
            let keys: Vec<&Key> = keys.iter().collect();
            if let Some(held) = self.trials.one(Area::Scheme, &way.provider, &keys, request, self.patient.public_url())
            {
                ways.push(way);
                by_listed = by_listed.or(Some(held));
            }
        }
        let (Some(held), false) = (by_listed, is_family && altered.is_some()) else {
            self.found.extend(altered);
            return;
        };
        match schemes::alike(&ways, &provider.name) {
            Some(cause) => self.found.push(Fit { causes: vec![cause], held }),
            None => {
                self.found.extend(ways.iter().map(|way| Fit { causes: vec![way.cause.clone()], held: held.clone() }));
            }
        }
    }

    fn by_url(&mut self, entry: &Entry) {
        let Patient { webhook, request, .. } = self.patient;
        let mut first = None;
        urls::each(&request.head, self.patient.public_url(), entry, |cause, base, head| {
            let altered = Unverified { head, raw: request.raw.clone() };
            let held = self.trials.one(Area::Url, webhook.provider(), &self.keys, &altered, base);
            first = first.take().or(held.map(|held| Fit { causes: vec![cause], held }));
        });
        self.found.extend(first);
    }

    fn by_body(&mut self) {
        let (provider, url) = (self.patient.webhook.provider(), self.patient.public_url());
        let keys = self.keys.clone();
        let found = self.body_of(|trials, altered| trials.one(Area::Body, provider, &keys, altered, url));
        self.found.extend(found.into_iter().map(|(cause, held)| Fit { causes: vec![cause], held }));
    }

    /// Of which other writing of the body does this hold? Of one; or, where all that came is white space, of none at all: either
    /// that was added, or the sender signs before it has a body.
    fn body_of<T: Clone>(&mut self, mut ask: impl FnMut(&mut Trials<'a>, &Unverified) -> Option<T>) -> Vec<(Cause, T)> {
        let Patient { request, inflate, .. } = self.patient;
        if request.raw.len() > bodies::BODY_BYTES_MAX {
            self.left_out
                .push(format!("other writings of the body: it has more than {} bytes", bodies::BODY_BYTES_MAX));
        }
        let (trials, mut found) = (&mut self.trials, Vec::new());
        bodies::each(&request.head, &request.raw, *inflate, |cause, body| {
            let altered = Unverified { head: request.head.clone(), raw: Bytes::copy_from_slice(body) };
            let Some(held) = ask(trials, &altered).filter(|_| found.is_empty()) else { return };
            if body.is_empty() && cause.code != Code::BodyUnsigned {
                found.push((bodies::unsigned(&request.raw), held.clone()));
            }
            found.push((cause.clone(), held));
        });
        found
    }

    /// Two things at once: another key, and something else.
    fn by_two(&mut self, candidates: &[Candidate], entry: &Entry) {
        let Patient { webhook, request, inflate, .. } = self.patient;
        let (provider, url) = (webhook.provider(), self.patient.public_url());
        let keys: Vec<&Key> = candidates.iter().map(|candidate| &candidate.key).collect();
        if keys.is_empty() {
            return;
        }
        let mut found = Vec::new();
        let mut ask = |trials: &mut Trials, cause: &Cause, altered: &Unverified, url: Option<&str>| {
            if trials.two(provider, &keys, altered, url).is_none() {
                return;
            }
            for Candidate { key, cause: of_key } in candidates {
                if let Some(held) = trials.two(provider, &[key], altered, url) {
                    found.push(Fit { causes: vec![of_key.clone(), cause.clone()], held });
                }
            }
        };
        let trials = &mut self.trials;
        if let Some(header) = provider.scheme.signature_header() {
            fields::each(&request.head, entry, header, |cause, head| {
                ask(trials, &cause, &Unverified { head, raw: request.raw.clone() }, url);
            });
        }
        urls::each(&request.head, url, entry, |cause, base, head| {
            ask(trials, &cause, &Unverified { head, raw: request.raw.clone() }, base);
        });
        bodies::each(&request.head, &request.raw, *inflate, |cause, body| {
            let raw = Bytes::copy_from_slice(body);
            ask(trials, cause, &Unverified { head: request.head.clone(), raw }, url);
        });
        self.found = found;
    }

    /// One that holds is the cause, and its time may be another one.
    fn settle(&mut self) -> Found {
        match self.found.as_mut_slice() {
            [] => Found::Unknown,
            [Fit { causes, held }] => {
                let mut causes = std::mem::take(causes);
                causes.extend(clock::look(self.patient.webhook.window(), held, self.patient.now));
                Found::Named(causes)
            }
            several => Found::Ambiguous(several.len()),
        }
    }
}

/// As `x-hub-signature` and `x-hub-signature-256`: one name is the beginning of the other.
fn are_of_one_family(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    one.starts_with(&other) || other.starts_with(&one)
}
