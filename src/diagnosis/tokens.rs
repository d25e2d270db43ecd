//! The signature is a token: is the token good, and does it say something else than it should?
//!
//! A token that one of the route's keys made says with certainty what is wrong with it, so that several things are told at once.

use super::{
    Cause, Examination, Found, Patient,
    cause::{Area, By, Code},
    clock, digests,
    entry::Entry,
    fields,
    schemes::Way,
    sight,
    signers::{self, Signer},
    times::Times,
    urls,
};
use crate::{
    json,
    request::{Head, Unverified},
    verify::{Held, HeldToken, Key, Provider, jwt::Algorithm},
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
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

    fn claim(&self, name: &str) -> String {
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

/// The sender's token with nothing asked of it but that one of the keys made it; and each demand by itself.
struct Demands<'e> {
    entry: &'e Entry,
    token: &'e Map<String, Value>,
    /// Others than its own, where it takes one of those alone.
    algorithms: Option<Vec<&'static str>>,
    keys: &'e [&'e Key],
}

impl Demands<'_> {
    fn only(&self, demand: impl FnOnce(&mut Map<String, Value>)) -> Option<Provider> {
        let mut token = self.token.clone();
        for name in ["claims", "require", "url", "body"] {
            token.remove(name);
        }
        if let Some(algorithms) = &self.algorithms {
            token.insert("algorithms".to_owned(), json!(algorithms));
        }
        demand(&mut token);
        let covers = token.contains_key("body");
        self.entry.signing(|scheme| {
            scheme.insert("token".to_owned(), Value::Object(token));
            scheme.remove("content");
            if !covers {
                scheme.insert("content".to_owned(), json!("unauthenticated"));
            }
        })
    }
}

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
        let mut made = Vec::new();
        for signer in signers {
            let found = [None, Some(of_its_kind(token))].into_iter().find_map(|algorithms| {
                let demands = Demands { entry, token, algorithms, keys: &signer.keys };
                let held = self.made(&demands, &demands.only(|_| {})?)?;
                Some((demands, held))
            });
            made.extend(found.map(|found| (signer, found)));
            if signer.cause.is_none() && !made.is_empty() {
                break;
            }
        }
        let (signer, (demands, held)) = match signers::sole(made) {
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

    fn made(&mut self, demands: &Demands<'_>, provider: &Provider) -> Option<HeldToken> {
        let (request, url) = (self.patient.request, self.patient.public_url());
        self.trials.but_for_times(Area::Scheme, provider, demands.keys, request, url)
    }

    fn by_claims(&mut self, shown: &Shown, demands: &Demands<'_>, causes: &mut Vec<Cause>) {
        let claims = demands.token.get("claims").and_then(Value::as_object);
        for (name, wanted) in claims.into_iter().flatten() {
            let only = demands.only(|token| drop(token.insert("claims".to_owned(), json!({ name: wanted }))));
            if only.is_none_or(|only| self.made(demands, &only).is_some()) {
                continue;
            }
            let written = wanted.as_str().unwrap_or_default();
            if written == "url" {
                let (url, head) = (self.patient.public_url(), &self.patient.request.head);
                let by_guess =
                    self.url_of(demands, |token| drop(token.insert("claims".to_owned(), json!({ name: "url" }))));
                let claimed = shown.claims.get(name).and_then(Value::as_str);
                let compared = || claimed.and_then(|claimed| urls::compared(claimed, url, head));
                let other = || {
                    let what = format!(
                        "`{name}` of the token {}, and this sender says there which URL it is for",
                        shown.claim(name)
                    );
                    let mend = "let the sender's code say the URL exactly as it has it: scheme, host, path and query";
                    Cause::new(Code::ClaimOther, Area::Scheme, By::Sender, what, mend)
                };
                causes.push(by_guess.or_else(compared).unwrap_or_else(other));
                continue;
            }
            let configured = written.split_once(':').filter(|(kind, _)| kind.starts_with("config"));
            let (ours, mend) = match configured {
                Some((_, key)) => {
                    let ours =
                        self.patient.webhook.config().get(key).map_or_else(String::new, |said| format!("`{said}`"));
                    let mend = format!(
                        "write what the sender has into `config: {{ {key}: ... }}` of the route, or send to the route of that account"
                    );
                    (ours, mend)
                }
                None => (
                    format!("`{written}`"),
                    "is it this sender, and its current version? look at who sent the token".to_owned(),
                ),
            };
            let what = format!("`{name}` of the token {}, and this route wants {ours}", shown.claim(name));
            causes.push(Cause::new(Code::ClaimOther, Area::Scheme, By::Operator, what, mend));
        }
        let required = demands.token.get("require").and_then(Value::as_array);
        for name in required.into_iter().flatten() {
            let only = demands.only(|token| drop(token.insert("require".to_owned(), json!([name]))));
            if only.is_some_and(|only| self.made(demands, &only).is_none()) {
                let name = name.as_str().unwrap_or_default();
                let what = format!("the token does not say `{name}`, and this sender's tokens do");
                causes.push(Cause::new(Code::ClaimMissing, Area::Scheme, By::Sender, what, SAY_IT));
            }
        }
    }

    /// The digests of URL and body.
    fn by_hashes(&mut self, shown: &Shown, demands: &Demands<'_>, causes: &mut Vec<Cause>) -> Result<(), Found> {
        let Patient { request, .. } = self.patient;
        for which in ["url", "body"] {
            let Some(hash) = demands.token.get(which) else { continue };
            let demand = |token: &mut Map<String, Value>| drop(token.insert(which.to_owned(), hash.clone()));
            let Some(only) = demands.only(demand) else { continue };
            if self.made(demands, &only).is_some() {
                continue;
            }
            let claim = hash.get("claim").and_then(Value::as_str).unwrap_or_default();
            let Some(said) = shown.claims.get(claim) else {
                let what = format!("the token does not say `{claim}`, the digest of the {which}");
                causes.push(Cause::new(Code::ClaimMissing, Area::Scheme, By::Sender, what, SAY_IT));
                continue;
            };
            let url = self.patient.public_url().map(|base| urls::full(base, &request.head)).unwrap_or_default();
            let digested = if which == "url" { url.as_bytes() } else { &request.raw };
            let place = format!("`{claim}` of the token");
            if let Some(cause) = said.as_str().and_then(|said| digests::written(said, digested, &place)) {
                causes.push(cause);
            } else if which == "url" {
                let other = || {
                    let what = format!("{place} is the digest of another URL than `public_url` and the one that came");
                    let mend = "give the sender the URL exactly as the gate has it: `public_url`, then path and query as they arrive";
                    Cause::new(Code::UrlOther, Area::Url, By::Operator, what, mend)
                };
                causes.push(self.url_of(demands, demand).unwrap_or_else(other));
            } else {
                let (keys, url) = (demands.keys, self.patient.public_url());
                let found = self.body_of(|trials, altered| trials.but_for_times(Area::Body, &only, keys, altered, url));
                causes.push(match found.as_slice() {
                    [] => other_body(request, &place),
                    [(cause, _)] => cause.clone(),
                    several => return Err(Found::Ambiguous(several.len())),
                });
            }
        }
        Ok(())
    }

    /// Which other URL this demand holds of.
    fn url_of(&mut self, demands: &Demands<'_>, demand: impl FnOnce(&mut Map<String, Value>)) -> Option<Cause> {
        let only = demands.only(demand)?;
        let request = self.patient.request;
        let mut first = None;
        urls::each(&request.head, self.patient.public_url(), demands.entry, |cause, base, head| {
            let altered = Unverified { head, raw: request.raw.clone() };
            let held = self.trials.but_for_times(Area::Url, &only, demands.keys, &altered, base);
            first = first.take().or(held.map(|_| cause));
        });
        first
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

/// The bytes that came are not those of the digest, and no other writing of them that is known here is.
pub(super) fn other_body(request: &Unverified, digest: &str) -> Cause {
    if let Some(cause) = sight::decompressed(&request.head, &request.raw) {
        return cause;
    }
    let what =
        format!("{digest} is the digest of another body than the one that came, and no other writing of this one fits");
    let mend =
        "pass the body byte for byte: something between the sender's signing and the gate has changed what it says";
    Cause::new(Code::BodyOther, Area::Body, By::Proxy, what, mend)
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
