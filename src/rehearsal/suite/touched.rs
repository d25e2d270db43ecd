//! What the cases of a policy have been through, and what they have not.

use crate::{
    policy::{KeyKind, Policy, Route, Sender},
    rehearsal::Played,
    repeat::Window,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the cases of a policy have been through, and what they have not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Routes that no case reaches.
    pub routes: Vec<String>,
    /// Of a route that is reached: what no case tries.
    pub checks: Vec<(String, Vec<&'static str>)>,
    /// Keys by which no case is verified, as `LIST/ID`.
    pub keys: Vec<String>,
}

/// What was seen to happen.
#[derive(Default)]
pub(super) struct Tally {
    /// By route: the codes.
    codes: BTreeMap<String, BTreeSet<&'static str>>,
    /// By route: the keys that verified.
    keys: BTreeSet<(String, String)>,
}

impl Tally {
    pub(super) fn add(&mut self, played: &Played) {
        let Some(route) = &played.route else { return };
        self.codes.entry(route.name.to_string()).or_default().insert(played.code());
        if let (Some(key), Sender::Webhook(webhook)) = (&played.notes.key_id, &route.sender) {
            self.keys.insert((webhook.keys().to_owned(), key.clone()));
        }
    }

    pub(super) fn untouched(&self, policy: &Policy) -> Touched {
        let mut untouched = Touched::default();
        for route in &policy.routes {
            let name = route.name.to_string();
            match self.codes.get(&name) {
                None => untouched.routes.push(name),
                Some(codes) => {
                    let missing = missing(route, codes);
                    if !missing.is_empty() {
                        untouched.checks.push((name, missing));
                    }
                }
            }
        }
        // A key of a vendor's API verifies nothing.
        for reference in policy.keys.iter().filter(|reference| !matches!(reference.kind, KeyKind::Api)) {
            let list = reference.name.split('/').next().unwrap_or_default();
            for entry in &reference.entries {
                if !self.keys.contains(&(reference.name.clone(), entry.id.clone())) {
                    untouched.keys.push(format!("{list}/{}", entry.id));
                }
            }
        }
        untouched
    }
}

/// What a route's checks are there for, and no case shows.
fn missing(route: &Route, codes: &BTreeSet<&'static str>) -> Vec<&'static str> {
    let seen = |wanted: &[&str]| wanted.iter().any(|code| codes.contains(code));
    let mut missing = Vec::new();
    let mut want = |what: &'static str, due: bool, codes: &[&str]| {
        if due && !seen(codes) {
            missing.push(what);
        }
    };
    want("a good request", true, &["accepted", "relayed", "ok"]);
    match &route.sender {
        Sender::Webhook(webhook) => {
            let (shows, trust) = (!webhook.provider().scheme.shows_nothing(), webhook.trust());
            want("a forged one", shows, &["signature_missing", "signature_malformed", "signature_mismatch"]);
            // Of a file nothing is known here, and everybody may send.
            let knows = trust.addresses.as_ref().is_some_and(|known| known.files.is_empty());
            want("one from elsewhere", knows, &["address_not_listed"]);
            let asks = trust.confirm.as_ref();
            want("one that the vendor does not know", asks.is_some(), &["unconfirmed"]);
            let states = asks.is_some_and(|confirm| !confirm.members.is_empty());
            want("one in another state", states, &["state_refused"]);
            let signs_time = matches!(webhook.window(), Window::Signed { .. });
            want("an old one", signs_time, &["stale"]);
            want("a repeat", webhook.provider().tells_repeats(), &["repeat", "repeat_changed"]);
        }
        Sender::Token(tokens) => {
            want("one without a token", true, &["token_missing"]);
            want("an old one", true, &["token_expired", "token_too_old"]);
            want("one for others", true, &["token_audience", "token_issuer"]);
            want("one without its scopes", !tokens.rule.scopes().is_empty(), &["token_scope"]);
            want("one that was used", tokens.once, &["token_used"]);
        }
    }
    missing
}
