//! The signature is a token: is the token good, and does it say something else than it should?
//!
//! A token that one of the route's keys made says with certainty what is wrong with it, so that several things are told at once.

use super::{
    Cause, Examination, Found,
    cause::{Area, By, Code},
    clock,
    entry::Entry,
    fields,
    schemes::Way,
    sight, urls,
};
use crate::{
    json,
    request::{Head, Unverified},
    verify::{Held, Provider, jwt::Algorithm},
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a token says of itself, and what it claims. Believed only where its signature held.
pub(super) struct Shown {
    header: Value,
    claims: Value,
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
    /// It has no time.
    timeless: bool,
}

impl Demands<'_> {
    fn only(&self, demand: impl FnOnce(&mut Map<String, Value>)) -> Option<Provider> {
        let mut token = self.token.clone();
        for name in ["claims", "require", "url", "body"] {
            token.remove(name);
        }
        if self.timeless {
            token.remove("time");
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

    fn algorithms(&self) -> Vec<&str> {
        self.token.get("algorithms").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// All of the same kind, so that the same key does.
    fn of_its_kind(&self) -> Vec<&'static str> {
        let ours = self.algorithms();
        let is_shared = ours.iter().any(|name| name.starts_with("HS"));
        Algorithm::ALL.into_iter().filter(|known| known.is_symmetric() == is_shared).map(Algorithm::name).collect()
    }
}

impl Examination<'_> {
    /// What a token that one of the route's keys made says otherwise than it should. `None`: no key of the route made it, or
    /// there is nothing wrong with what it says.
    pub(super) fn by_token(&mut self, entry: &Entry) -> Option<Found> {
        let provider = self.patient.webhook.provider();
        let shown = Shown::of(&self.patient.request.head, entry, provider)?;
        let mut demands = Demands { entry, token: entry.token()?, algorithms: None, timeless: false };
        let ways = [(false, false), (true, false), (false, true), (true, true)];
        let (other, timeless, held) = ways.into_iter().find_map(|(other, timeless)| {
            demands.algorithms = other.then(|| demands.of_its_kind());
            demands.timeless = timeless;
            Some((other, timeless, self.made(&demands.only(|_| {})?)?))
        })?;
        let mut causes = Vec::new();
        if other {
            causes.push(by_algorithm(&shown, &demands));
        }
        if timeless {
            let name = demands.token.get("time").and_then(Value::as_str).unwrap_or_default();
            let what = format!("`{name}` of the token is not there, which is when it was made");
            causes.push(Cause::new(Code::TimeMissing, Area::Clock, By::Sender, what, SAY_IT));
        }
        self.by_claims(&shown, &demands, &mut causes);
        self.by_hashes(&shown, &demands, &mut causes);
        causes.extend(clock::look(self.patient.webhook.window(), &held, self.patient.now));
        (!causes.is_empty()).then_some(Found::Named(causes))
    }

    fn made(&mut self, provider: &Provider) -> Option<Held> {
        let (request, url) = (self.patient.request, self.patient.public_url());
        self.trials.one(Area::Scheme, provider, &self.keys, request, url)
    }

    fn by_claims(&mut self, shown: &Shown, demands: &Demands<'_>, causes: &mut Vec<Cause>) {
        let claims = demands.token.get("claims").and_then(Value::as_object);
        for (name, wanted) in claims.into_iter().flatten() {
            let only = demands.only(|token| drop(token.insert("claims".to_owned(), json!({ name: wanted }))));
            if only.is_none_or(|only| self.made(&only).is_some()) {
                continue;
            }
            let written = wanted.as_str().unwrap_or_default();
            if written == "url" {
                let claimed = shown.claims.get(name).and_then(Value::as_str).unwrap_or_default();
                let (url, head) = (self.patient.public_url(), &self.patient.request.head);
                let by_guess =
                    self.url_of(demands, |token| drop(token.insert("claims".to_owned(), json!({ name: "url" }))));
                causes.push(by_guess.unwrap_or_else(|| urls::compared(claimed, url, head)));
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
            if only.is_some_and(|only| self.made(&only).is_none()) {
                let name = name.as_str().unwrap_or_default();
                let what = format!("the token does not say `{name}`, and this sender's tokens do");
                causes.push(Cause::new(Code::ClaimMissing, Area::Scheme, By::Sender, what, SAY_IT));
            }
        }
    }

    /// The digests of URL and body.
    fn by_hashes(&mut self, shown: &Shown, demands: &Demands<'_>, causes: &mut Vec<Cause>) {
        for which in ["url", "body"] {
            let Some(hash) = demands.token.get(which) else { continue };
            let demand = |token: &mut Map<String, Value>| drop(token.insert(which.to_owned(), hash.clone()));
            if demands.only(demand).is_none_or(|only| self.made(&only).is_some()) {
                continue;
            }
            let claim = hash.get("claim").and_then(Value::as_str).unwrap_or_default();
            if shown.claims.get(claim).is_none() {
                let what = format!("the token does not say `{claim}`, the digest of the {which}");
                causes.push(Cause::new(Code::ClaimMissing, Area::Scheme, By::Sender, what, SAY_IT));
            } else if which == "url" {
                let other = || {
                    let what = format!(
                        "`{claim}` of the token is the digest of another URL than `public_url` and the one that came"
                    );
                    let mend = "give the sender the URL exactly as the gate has it: `public_url`, then path and query as they arrive";
                    Cause::new(Code::UrlOther, Area::Url, By::Operator, what, mend)
                };
                causes.push(self.url_of(demands, demand).unwrap_or_else(other));
            } else {
                let only = demands.only(demand);
                let found = only.and_then(|only| self.body_of(&only, self.patient.webhook.config()));
                causes.push(
                    found.unwrap_or_else(|| other_body(self.patient.request, &format!("`{claim}` of the token"))),
                );
            }
        }
    }

    /// Which other URL this demand holds of.
    fn url_of(&mut self, demands: &Demands<'_>, demand: impl FnOnce(&mut Map<String, Value>)) -> Option<Cause> {
        let only = demands.only(demand)?;
        let request = self.patient.request;
        let mut first = None;
        urls::each(&request.head, self.patient.public_url(), demands.entry, |cause, base, head| {
            let altered = Unverified { head, raw: request.raw.clone() };
            let held = self.trials.one(Area::Url, &only, &self.keys, &altered, base);
            first = first.take().or(held.map(|_| cause));
        });
        first
    }

    /// What needs no key to be seen of a token.
    pub(super) fn token_by_sight(&self, entry: &Entry) -> Vec<Cause> {
        let Some(token) = entry.token() else { return Vec::new() };
        let demands = Demands { entry, token, algorithms: None, timeless: false };
        let Some(shown) = Shown::of(&self.patient.request.head, entry, self.patient.webhook.provider()) else {
            return Vec::new();
        };
        let algorithm = shown.word("alg").unwrap_or("nothing");
        if !demands.algorithms().contains(&algorithm) {
            return vec![by_algorithm(&shown, &demands)];
        }
        let odd = ["exp", "nbf", "iat"].into_iter().find_map(|name| by_odd_time(&shown, name));
        if odd.is_some() {
            return odd.into_iter().collect();
        }
        let ids: Option<Vec<String>> =
            self.patient.own().map(|key| key_ids(&key.text)).collect::<Option<Vec<_>>>().map(|ids| ids.concat());
        let other = shown.word("kid").zip(ids.filter(|ids| !ids.is_empty()));
        let other = other.filter(|(named, ids)| !ids.iter().any(|id| id == named));
        other.map(|(named, ids)| by_key_id(named, &ids)).into_iter().collect()
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

fn by_algorithm(shown: &Shown, demands: &Demands<'_>) -> Cause {
    let ours: Vec<_> = demands.algorithms().iter().map(|name| format!("`{name}`")).collect();
    let (theirs, ours) = (shown.word("alg").unwrap_or("nothing"), ours.join(" or "));
    let what = format!("the token is made with `{theirs}`, and this sender's are made with {ours}");
    let mend =
        format!("choose {ours} in the sender's settings; an algorithm that a token chooses by itself is no way out");
    Cause::new(Code::OtherAlgorithm, Area::Scheme, By::Sender, what, mend)
}

/// A time that is no `NumericDate` (RFC 7519 section 2), so that no more of the token is read.
fn by_odd_time(shown: &Shown, name: &str) -> Option<Cause> {
    let (code, how) = match shown.claims.get(name)? {
        Value::Number(number) if number.as_f64().is_some_and(|number| number > SECONDS_MAX) => {
            (Code::TimeUnit, "in milliseconds")
        }
        Value::String(_) => (Code::TimeFormat, "a text"),
        _ => return None,
    };
    let what = format!("`{name}` of the token is {how}, and a token says its times as numbers of seconds");
    Some(Cause::new(code, Area::Clock, By::Sender, what, "write the time as a number of seconds since 1970"))
}

/// The last second of the year 9999.
const SECONDS_MAX: f64 = 253_402_300_799.0;

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

const SAY_IT: &str = "let the sender's code put it in, as the sender's documentation has it";
