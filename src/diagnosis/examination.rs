//! The order in which it is looked: what a key proves of tokens and messages, then one thing at a time, then two, and at last
//! what anybody can see.

use super::{
    Area, Cause, Code, Found, KeyText, Patient, bodies, clock,
    entry::Entry,
    fields, inside, schemes,
    secrets::{self, Candidate},
    trials::Trials,
    urls,
};
use crate::{
    request::Unverified,
    verdict::Rejection,
    verify::{Held, Key},
};
use bytes::Bytes;

/// So many other keys are tried; of more, the first ones.
const KEYS_MAX: usize = 256;

/// Something that holds.
pub(super) struct Fit {
    pub(super) causes: Vec<Cause>,
    pub(super) held: Held,
}

/// What was looked at so far, and what was found.
pub(super) struct Examination<'a> {
    pub(super) patient: &'a Patient<'a>,
    /// The route's own, as the gate reads them.
    pub(super) keys: Vec<&'a Key>,
    pub(super) trials: Trials<'a>,
    pub(super) found: Vec<Fit>,
    pub(super) left_out: Vec<String>,
}

impl<'a> Examination<'a> {
    pub(super) fn of_age(&self, held: &Held) -> Found {
        let causes = clock::look(self.patient.webhook.window(), held, self.patient.now);
        if causes.is_empty() { Found::Healthy } else { Found::Named(causes) }
    }

    pub(super) fn of_signature(&mut self, own: &'a [Key], rejection: Rejection) -> Found {
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
        self.by_account(&entry);
        self.by_url(&entry);
        self.by_body();
        self.by_item(&entry);
        // A hundred senders' schemes by every key: of a long body that is most of what may be hashed.
        self.by_scheme(&entry, rejection);
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
        for Candidate { key, cause, .. } in candidates {
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
                // With a public key anybody could have made a keyed digest.
                (!key.is_public || !way.provider.scheme.shares_its_key()).then_some(())?;
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
    pub(super) fn body_of<T: Clone>(
        &mut self,
        mut ask: impl FnMut(&mut Trials<'a>, &Unverified) -> Option<T>,
    ) -> Vec<(Cause, T)> {
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
            for Candidate { key, cause: of_key, .. } in candidates {
                // Of several writings that come to the same with one key, the first is the cause, as with the route's own.
                if found.iter().any(|fit: &Fit| fit.causes.first() == Some(of_key)) {
                    continue;
                }
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
