//! A route whose senders show tokens: what it asks of them, and what goes with them and what does not.

use super::{
    Sender, Tokens,
    contract::text::RedactText,
    issuers::AllTerms,
    route::{RouteCompiler, Who},
    text::{DeliverText, RepeatsText, SenderText, ViaText},
};
use crate::{
    payload::Naming,
    verify::{
        Respond,
        jwt::{BadTerms, Demand, Issuer, Place, TokenRule},
    },
};
use http::HeaderName;
use std::{sync::Arc, time::Duration};

impl RouteCompiler<'_, '_> {
    /// Which of the keys of `sender:` do not go with the kind of sender that is written.
    pub(super) fn goes_together(&mut self, text: &SenderText) {
        let of_tokens = ["audience", "scopes", "claims", "present", "header", "cookie", "forward"];
        let of_webhooks = [
            "provider",
            "keys",
            "max_age",
            "max_future",
            "verify_token",
            "handshakes",
            "config",
            "accept",
            "addresses",
            "confirm",
        ];
        let (keys, kind): (&[&str], _) = match (&text.provider, &text.jwt) {
            (None, None) => {
                return self
                    .wrong("/sender", "who sends? write `provider` and `keys`, or `jwt` with the name of an issuer");
            }
            (Some(_), None) => {
                if text.keys.is_none() && text.accept.is_none() && !self.publishes(text) {
                    self.wrong("/sender", "`keys` is missing");
                }
                (&of_tokens, "goes with `jwt`, and this sender signs its requests; leave it out")
            }
            (_, Some(_)) => {
                (&of_webhooks, "goes with a sender that signs its requests, and this one shows a token; leave it out")
            }
        };
        for key in keys {
            let pointer = format!("/sender/{key}");
            if self.node.find(&pointer).is_some() {
                self.wrong(&pointer, kind);
            }
        }
    }

    /// Whether the sender's keys are to be had from its vendor.
    fn publishes(&self, text: &SenderText) -> bool {
        let provider = text.provider.as_ref().and_then(|name| self.around.senders.find(name));
        provider.is_some_and(|provider| provider.scheme.published().is_some() || provider.scheme.is_certified())
    }

    /// What is known of clients that show a token of this issuer.
    pub(super) fn who_shows(&mut self, issuer: &str, text: &SenderText, repeats: &RepeatsText) -> Option<Who> {
        let once = repeats.jti.is_some();
        let rule = self.rule(self.around.issuers, issuer, text, once);
        let said = [
            ("remember", repeats.remember.is_some()),
            ("protection", repeats.protection.is_some()),
            ("on_changed", repeats.on_changed.is_some()),
        ];
        for (key, _) in said.iter().filter(|(_, is_said)| *is_said) {
            let message = "a token says nothing of the request that comes with it, so that none is a repeat of another; leave \
                           this out, or write `jti: once`";
            self.wrong(&format!("/repeats/{key}"), message);
        }
        let forward = text.forward.unwrap_or_default();
        let sender = Sender::Token(Tokens { rule: rule?, once, forward });
        let (naming, respond) = (Naming::default(), Respond::default());
        Some(Who { sender, naming, respond, remember: Duration::ZERO, answer_by: ANSWER_BY })
    }

    fn rule(&mut self, issuers: &AllTerms, issuer: &str, text: &SenderText, once: bool) -> Option<TokenRule> {
        let mut terms = issuers.get(issuer)?.clone();
        if let Some(audience) = &text.audience {
            terms.audiences = vec![audience.clone()];
        }
        if terms.audiences.is_empty() {
            self.wrong(
                "/sender",
                format!("whom are its tokens for? write `audience` here, or in `issuers: {{ {issuer}: ... }}`"),
            );
            return None;
        }
        let issuer = match Issuer::new(terms) {
            Ok(issuer) => Arc::new(issuer),
            // Of its own entry it has been told there.
            Err(BadTerms::NoAudience) if text.audience.is_some() => {
                self.wrong("/sender/audience", BadTerms::NoAudience.to_string());
                return None;
            }
            Err(_) => return None,
        };
        let place = self.place(text);
        let demand = |pointer: &String, value| Demand { pointer: pointer.clone(), value };
        let mut claims: Vec<_> =
            text.claims.iter().map(|(pointer, value)| demand(pointer, Some(value.clone()))).collect();
        claims.extend(text.present.iter().map(|pointer| demand(pointer, None)));
        claims.extend(once.then(|| demand(&"/jti".to_owned(), None)));
        let rule = TokenRule::new(self.name, issuer, place?, text.scopes.clone(), claims);
        rule.map_err(|bad| {
            let pointer = match &bad {
                BadTerms::Scope(scope) => {
                    let at = text.scopes.iter().position(|written| written == scope);
                    format!("/sender/scopes/{}", at.unwrap_or_default())
                }
                BadTerms::Claim(claim) => match text.present.iter().position(|written| written == claim) {
                    Some(at) => format!("/sender/present/{at}"),
                    None => "/sender/claims".to_owned(),
                },
                bad => format!("/sender/{}", bad.key()),
            };
            self.wrong(&pointer, bad.to_string());
        })
        .ok()
    }

    /// In one place.
    fn place(&mut self, text: &SenderText) -> Option<Place> {
        match (&text.header, &text.cookie) {
            (None, None) => Some(Place::Bearer),
            (None, Some(cookie)) => Some(Place::Cookie(cookie.clone())),
            (Some(header), None) => match header.parse::<HeaderName>() {
                Ok(name) if name == http::header::AUTHORIZATION => {
                    self.wrong(
                        "/sender/header",
                        "there it stands behind `Bearer`, and is looked for anyway; leave this out",
                    );
                    None
                }
                Ok(name) => Some(Place::Header(name)),
                Err(_) => {
                    self.wrong("/sender/header", "this is no header's name; write something such as `X-Shop-Token`");
                    None
                }
            },
            (Some(_), Some(_)) => {
                self.wrong("/sender", "a token is looked for in one place; write `header` or `cookie`");
                None
            }
        }
    }

    /// A body that nobody vouches for is passed on to whoever asks more of it, or not at all.
    pub(super) fn goes_on(&mut self, deliver: &DeliverText, redact: &[RedactText]) {
        if deliver.via != Some(ViaText::Relay) {
            let message = "a token says nothing of the body that comes with it, so that it cannot become an event; write \
                           `deliver: { via: relay }`";
            self.wrong("/deliver", message);
        }
        for (index, rule) in redact.iter().enumerate() {
            if rule.header.is_some() || rule.query.is_some() {
                let message = "of a relayed request the body alone is cleaned; name a place in it";
                self.wrong(&format!("/redact/{index}"), message);
            }
        }
    }

    /// What streams has no answer of the gate's own.
    pub(super) fn answers_by(&mut self, text: bool, streams: bool) {
        if text && streams {
            let message = "requests of this route go on as they come, and wait as long as `origin: { first_byte: ... }` says; \
                           leave this out";
            self.wrong("/answer_by", message);
        }
    }
}

/// People and programs that wait for an API have given up by then.
const ANSWER_BY: Duration = Duration::from_secs(25);
