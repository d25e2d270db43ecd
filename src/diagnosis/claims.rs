//! What a token claims, held against what its sender's tokens have to say: each demand by itself.

use super::{
    Cause, Code, Examination, Found, Patient, bodies,
    cause::{Area, By},
    digests,
    entry::Entry,
    sight,
    tokens::{SAY_IT, Shown},
    urls,
};
use crate::{
    request::Unverified,
    verify::{HeldToken, Key, Provider},
};
use serde_json::{Map, Value, json};

/// The sender's token with nothing asked of it but that one of the keys made it; and each demand by itself.
pub(super) struct Demands<'e> {
    pub(super) entry: &'e Entry,
    pub(super) token: &'e Map<String, Value>,
    /// Others than its own, where it takes one of those alone.
    pub(super) algorithms: Option<Vec<&'static str>>,
    pub(super) keys: &'e [&'e Key],
}

impl Demands<'_> {
    pub(super) fn only(&self, demand: impl FnOnce(&mut Map<String, Value>)) -> Option<Provider> {
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

impl Examination<'_> {
    pub(super) fn made(&mut self, demands: &Demands<'_>, provider: &Provider) -> Option<HeldToken> {
        let (request, url) = (self.patient.request, self.patient.public_url());
        self.trials.but_for_times(Area::Scheme, provider, demands.keys, request, url)
    }

    pub(super) fn by_claims(&mut self, shown: &Shown, demands: &Demands<'_>, causes: &mut Vec<Cause>) {
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
                        "`{name}` of the token is no URL with scheme and host, and this sender says there which one it is for"
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
                        "if that is your own account at the sender, write what it has there into `config: {{ {key}: ... }}` of the route; if it is not, this is somebody else's: anybody may have an account there"
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
    pub(super) fn by_hashes(
        &mut self,
        shown: &Shown,
        demands: &Demands<'_>,
        causes: &mut Vec<Cause>,
    ) -> Result<(), Found> {
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
                    Cause::new(Code::UrlOther, Area::Url, By::Both, what, mend)
                };
                causes.push(self.url_of(demands, demand).unwrap_or_else(other));
            } else {
                let is_of_none = said.as_str().is_some_and(|said| digests::written(said, b"", &place).is_some());
                if is_of_none && !request.raw.is_empty() {
                    // Of white space it is that, or that the white space was added.
                    if request.raw.trim_ascii().is_empty() {
                        return Err(Found::Ambiguous(2));
                    }
                    causes.push(bodies::unsigned(&request.raw));
                    continue;
                }
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
}

/// The bytes that came are not those of the digest, and no other writing of them that is known here is.
pub(super) fn other_body(request: &Unverified, digest: &str) -> Cause {
    let cut = sight::cut(&request.head, &request.raw)
        .map_or_else(String::new, |cause| format!(" ({}: the rest may be missing)", cause.what));
    let coded = sight::uncoded(&request.head, &request.raw).map_or_else(String::new, |coding| {
        format!(" (the head says `content-encoding: {coding}`, and it is not compressed: that could be why, or is put there to look so)")
    });
    let what = format!(
        "{digest} is the digest of another body than the one that came, and no other writing of this one fits{cut}{coded}"
    );
    let mend = "pass the body byte for byte: something between the sender's signing and the gate has changed what it says, or somebody has";
    Cause::new(Code::BodyOther, Area::Body, By::Proxy, what, mend)
}
