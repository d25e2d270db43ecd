//! The signature is a token: is the token good, and does it say something else than it should?
//!
//! A token that one of the route's keys made says with certainty what is wrong with it, so that several things are told at once.

use super::{
    Cause, Examination, Found, Patient,
    cause::{Area, By, Code},
    claims::Demands,
    clock,
    entry::Entry,
    fields,
    schemes::Way,
    signers::{self, Signer},
    times::Times,
};
use crate::{
    json,
    request::Head,
    verify::{Held, Provider, jwt::Algorithm},
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What a token says of itself, and what it claims. Believed only where its signature held.
pub(super) struct Shown {
    header: Value,
    pub(super) claims: Value,
}

/// So much of what a token says is printed.
const TOLD_LETTERS_MAX: usize = 120;

impl Shown {
    /// The token of the header in which this sender puts it.
    fn of(head: &Head, entry: &Entry, provider: &Provider) -> Option<Self> {
        let value = head.sole(provider.scheme.signature_header()?)?;
        let mut parts = value.strip_prefix(entry.prefix())?.split('.');
        let mut next = || {
            let bytes = BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?;
            Some(json::read(&bytes).ok()?.to_value())
        };
        Some(Self { header: next()?, claims: next()? })
    }

    /// A word that it says of itself, if it is one.
    fn word(&self, name: &str) -> Option<&str> {
        let plain = |word: &&str| (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
        self.header.get(name)?.as_str().filter(plain)
    }

    pub(super) fn claim(&self, name: &str) -> String {
        match self.claims.get(name) {
            None => "is not there".to_owned(),
            Some(value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("is `{}`", text.chars().take(TOLD_LETTERS_MAX).collect::<String>())
            }
        }
    }
}

/// Whether this could be a token: three parts, and the first of them a JSON object.
fn is_token(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    let is_part = |part: &&str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    parts.len() == 3 && word.starts_with("eyJ") && parts.iter().all(is_part)
}

/// The token in the value of a header, with or without a word before it.
pub(super) fn token_in(value: &str) -> Option<&str> {
    value.split_ascii_whitespace().last().map(|word| word.trim_matches(['"', '\''])).filter(|word| is_token(word))
}

/// The token is in another header than the sender's.
pub(super) fn elsewhere(head: &Head, entry: &Entry, provider: &Provider) -> Vec<Way> {
    let Some(header) = provider.scheme.signature_header() else { return Vec::new() };
    let others = head.headers.iter().filter(|(name, _)| !name.as_str().eq_ignore_ascii_case(header));
    let tokens = others.filter_map(|(name, value)| Some((name, token_in(value.to_str().ok()?)?)));
    let way = |(name, token): (&http::HeaderName, &str)| {
        let head = fields::with(head, header, &format!("{}{token}", entry.prefix()))?;
        let what = format!("the token is in `{name}`, and not in `{header}`");
        let mend = format!("whatever renames the header on the way must leave it as `{header}`");
        let cause = Cause::new(Code::HeaderRenamed, Area::Scheme, By::Proxy, what, mend);
        Some(Way { provider: Arc::new(provider.clone()), head: Some(head), cause, sibling: Some(name.to_string()) })
    };
    tokens.take(TOKENS_MAX).filter_map(way).collect()
}

/// No request has more tokens in its head.
const TOKENS_MAX: usize = 8;

/// Those that the sender's tokens are made with.
fn algorithms(token: &Map<String, Value>) -> Vec<&str> {
    token.get("algorithms").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// All of the same kind, so that the same key does.
fn of_its_kind(token: &Map<String, Value>) -> Vec<&'static str> {
    let is_shared = algorithms(token).iter().any(|name| name.starts_with("HS"));
    Algorithm::ALL.into_iter().filter(|known| known.is_symmetric() == is_shared).map(Algorithm::name).collect()
}

impl Examination<'_> {
    /// What a token that one of the keys made says otherwise than it should, and whether that key is another one than the
    /// route's. `None`: no key that is known here made it, or there is nothing wrong with what it says.
    pub(super) fn by_token(&mut self, entry: &Entry, signers: &[Signer<'_>]) -> Option<Found> {
        let Patient { request, webhook, now, .. } = self.patient;
        let shown = Shown::of(&request.head, entry, webhook.provider())?;
        let token = entry.token()?;
        let made = signers::sole(signers, |signer| {
            [None, Some(of_its_kind(token))].into_iter().find_map(|algorithms| {
                let demands = Demands { entry, token, algorithms, keys: &signer.keys };
                let held = self.made(&demands, &demands.only(|_| {})?)?;
                Some((demands, held))
            })
        });
        let (signer, (demands, held)) = match made {
            Ok(found) => found?,
            Err(several) => return Some(several),
        };
        let mut causes: Vec<_> = signer.cause.iter().cloned().collect();
        if demands.algorithms.is_some() {
            causes.push(by_algorithm(&shown, token));
        }
        let times = Times::of(&shown, token, *now);
        causes.extend(times.odd);
        self.by_claims(&shown, &demands, &mut causes);
        if let Err(several) = self.by_hashes(&shown, &demands, &mut causes) {
            return Some(several);
        }
        let until = times.expires.map(|expires| expires + held.leeway);
        let held =
            Held { key_id: held.key_id, signed_at: times.signed_at, from: times.from, until, expires: times.expires };
        causes.extend(clock::look(webhook.window(), &held, *now));
        (!causes.is_empty()).then_some(Found::Named(causes))
    }

    /// What needs no key to be seen of a token.
    pub(super) fn token_by_sight(&self, entry: &Entry) -> Vec<Cause> {
        let Some(token) = entry.token() else { return Vec::new() };
        let Some(shown) = Shown::of(&self.patient.request.head, entry, self.patient.webhook.provider()) else {
            return Vec::new();
        };
        let algorithm = shown.word("alg").unwrap_or("nothing");
        let mut seen = Vec::new();
        if !algorithms(token).contains(&algorithm) {
            seen.push(by_algorithm(&shown, token));
        }
        seen.extend(Times::of(&shown, token, self.patient.now).odd);
        let ids: Option<Vec<String>> =
            self.patient.own().map(|key| key_ids(&key.text)).collect::<Option<Vec<_>>>().map(|ids| ids.concat());
        let other = shown.word("kid").zip(ids.filter(|ids| !ids.is_empty()));
        let other = other.filter(|(named, ids)| !ids.iter().any(|id| id == named));
        seen.extend(other.map(|(named, ids)| by_key_id(named, &ids)));
        seen
    }
}

fn by_algorithm(shown: &Shown, token: &Map<String, Value>) -> Cause {
    let ours: Vec<_> = algorithms(token).iter().map(|name| format!("`{name}`")).collect();
    let (theirs, ours) = (shown.word("alg").unwrap_or("nothing"), ours.join(" or "));
    let what = format!("the token is made with `{theirs}`, and this sender's are made with {ours}");
    let mend =
        format!("choose {ours} in the sender's settings; an algorithm that a token chooses by itself is no way out");
    Cause::new(Code::OtherAlgorithm, Area::Scheme, By::Sender, what, mend)
}

fn by_key_id(named: &str, ids: &[String]) -> Cause {
    let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
    let what = format!("the token names the key `{named}` (`kid`), and the route has {} alone", ids.join(", "));
    let mend = "the sender has a new key: fetch it from where it publishes its keys, and write it beside the old one into the file that `from` names";
    Cause::new(Code::KeyIdOther, Area::Key, By::Operator, what, mend)
}

/// The ids of the public keys that a text has; `None` where one has none, which could be any.
fn key_ids(text: &str) -> Option<Vec<String>> {
    let document = json::read(text.trim().as_bytes()).ok()?.to_value();
    let id = |key: &Value| key.get("kid").and_then(Value::as_str).map(str::to_owned);
    match document.get("keys").and_then(Value::as_array) {
        Some(keys) => keys.iter().map(id).collect(),
        None => Some(vec![id(&document)?]),
    }
}

pub(super) const SAY_IT: &str = "let the sender's code put it in, as the sender's documentation has it";
