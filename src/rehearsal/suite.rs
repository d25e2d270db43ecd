//! Plays the cases of a policy, and says what they do not touch.

mod compare;
mod touched;

pub use compare::Difference;
pub use touched::Touched;

use super::{Played, Rehearsal};
use crate::{
    clock::Timestamp,
    policy::{
        Case, IssuerReference, KeyEntry, KeyKind, KeyReference, Message, Policy, Raw, Route, Sender, Sent, Signed,
    },
    request::{Head, Target},
    secret::Secret,
    verify::{
        Key, Keys, Provider, SigningKey, Unsigned, Word,
        jwt::{Algorithm, Cache, Issuers, Ring, Trial},
        network,
    },
};
use bytes::Bytes;
use compare::differences;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};
use touched::Tally;

/// The cases of one policy in one stage.
#[expect(missing_debug_implementations, reason = "holds private keys")]
pub struct Suite<'a> {
    policy: &'a Policy,
    cases: &'a [Case],
    now: Timestamp,
    /// The policy as it is on other days, by their first moments: exceptions and rollouts end.
    on: BTreeMap<Timestamp, Policy>,
    /// One for each issuer of the policy, made when it is needed: it may take a moment.
    trials: OnceLock<BTreeMap<String, Trial>>,
}

/// How one case ended.
#[derive(Debug)]
pub struct Verdict<'a> {
    /// Which.
    pub case: &'a Case,
    /// How.
    pub ending: Ending,
}

/// How one case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As expected.
    Passed,
    /// Otherwise.
    Failed(Vec<Difference>),
    /// It could not be played, and why.
    Unplayable(String),
}

impl<'a> Suite<'a> {
    /// `now` is the clock of cases that say none.
    pub fn new(policy: &'a Policy, cases: &'a [Case], now: Timestamp) -> Self {
        Self { policy, cases, now, on: BTreeMap::new(), trials: OnceLock::new() }
    }

    /// With the policy as it is on each day on which a case is played. `compile` may have none for a day: then it is as today.
    #[must_use]
    pub fn on_their_days(mut self, compile: impl Fn(Timestamp) -> Option<Policy>) -> Self {
        for day in self.cases.iter().filter_map(|case| case.clock).map(day_of) {
            if day != day_of(self.now)
                && !self.on.contains_key(&day)
                && let Some(policy) = compile(day)
            {
                self.on.insert(day, policy);
            }
        }
        self
    }

    /// Plays every case by itself, and looks at what they touch together.
    pub fn play(&self) -> (Vec<Verdict<'a>>, Touched) {
        let mut tally = Tally::default();
        let verdicts = self.cases.iter().map(|case| {
            let ending = match self.case(case) {
                Ok(played) => {
                    tally.add(&played);
                    let differences = differences(case, &played);
                    if differences.is_empty() { Ending::Passed } else { Ending::Failed(differences) }
                }
                Err(why) => Ending::Unplayable(why),
            };
            Verdict { case, ending }
        });
        let verdicts = verdicts.collect();
        (verdicts, tally.untouched(self.policy))
    }

    fn case(&self, case: &Case) -> Result<Played, String> {
        let keys = self.keys(case)?;
        let policy = case.clock.and_then(|clock| self.on.get(&day_of(clock))).unwrap_or(self.policy);
        let rehearsal = Rehearsal::new(policy, &keys);
        let mut before: Vec<&Case> = Vec::new();
        let mut next = case;
        while let Some(name) = &next.after {
            let found = self.cases.iter().find(|other| other.file == case.file && other.name == *name);
            let found = found.ok_or_else(|| format!("`{name}` is not played in this stage"))?;
            if before.iter().any(|known| known.name == found.name) {
                return Err("cases follow each other in a circle".to_owned());
            }
            before.push(found);
            next = found;
        }
        let play = |case: &Case| {
            let (head, body, now) = self.request(case, &keys)?;
            rehearsal.arm(case.armed);
            let said = case.confirm.as_ref().map(|said| Word { status: said.status, body: said.body.clone() });
            Ok::<_, String>(rehearsal.play_with(head, body, now, said))
        };
        for earlier in before.into_iter().rev() {
            play(earlier)?;
        }
        play(case)
    }

    /// A test key for each key of the policy; published ones where the case has some.
    fn keys(&self, case: &Case) -> Result<Keys, String> {
        let mut named = BTreeMap::new();
        for reference in &self.policy.keys {
            let list = reference.name.split('/').next().unwrap_or_default();
            let keys = if let Some(text) = case.secrets.get(list) {
                vec![key("published", text, None, reference)?]
            } else {
                let test = |entry: &KeyEntry| {
                    let text = match &reference.kind {
                        KeyKind::Signatures(provider, said) => test_key(list, &entry.id, provider, *said)?.0,
                        KeyKind::VerifyToken | KeyKind::Api => entry.id.clone(),
                    };
                    key(&entry.id, &text, entry.retire, reference)
                };
                reference.entries.iter().map(test).collect::<Result<_, _>>()?
            };
            named.insert(reference.name.clone(), keys);
        }
        for webhook in self.policy.routes.iter().filter_map(|route| route.sender.webhook()) {
            let (name, provider) = (webhook.keys(), webhook.provider());
            if name.starts_with(crate::verify::PUBLISHED) && !named.contains_key(name) {
                let list = name.split('/').next().unwrap_or_default();
                let text = test_key(list, PUBLISHED, provider, None)?.0;
                let secret = provider.scheme.key(&text).map_err(|error| error.to_string())?;
                named.insert(name.to_owned(), vec![Key { id: PUBLISHED.to_owned(), secret, retire: None }]);
            }
        }
        let own = Secret::new("the memory of a rehearsal").map_err(|error| error.to_string())?;
        let mut rings = BTreeMap::new();
        for (name, trial) in self.trials() {
            let keys = trial.keys().map_err(|error| error.to_string())?;
            rings.insert(name.clone(), Arc::new(Ring::new(keys)));
        }
        let cache = Arc::new(Cache::new(own.clone(), 0));
        // No file is read here: a case says who may send by the policy's own words alone.
        let anybody = || ["0.0.0.0/0", "::/0"].iter().filter_map(|net| network(net)).collect::<Vec<_>>();
        let webhooks = self.policy.routes.iter().filter_map(|route| route.sender.webhook());
        let files = webhooks.filter_map(|webhook| webhook.trust().addresses.as_ref()).flat_map(|known| &known.files);
        let lists = files.map(|file| (file.clone(), anybody())).collect();
        Ok(Keys::new(own, named).trusting(Issuers::new(rings, cache)).listing(lists))
    }

    fn trials(&self) -> &BTreeMap<String, Trial> {
        self.trials.get_or_init(|| {
            let trial = |issuer: &IssuerReference| {
                Some((issuer.name.clone(), Trial::new(issuer.algorithms.first().copied()?)?))
            };
            self.policy.issuers.iter().filter_map(trial).collect()
        })
    }

    fn request(&self, case: &Case, keys: &Keys) -> Result<(Head, Bytes, Timestamp), String> {
        let now = case.clock.unwrap_or(self.now);
        match &case.sent {
            Sent::Signed(signed) => self.signed(signed, case, keys, now),
            Sent::Raw(Raw { method, target, message }) => {
                let method = Method::from_bytes(method.as_bytes()).map_err(|_| format!("`{method}` is no method"))?;
                let head = self.head(method, target, message, &[])?;
                Ok((head, message.body.clone().into(), now))
            }
        }
    }

    fn signed(
        &self,
        signed: &Signed,
        case: &Case,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<(Head, Bytes, Timestamp), String> {
        let Signed { route, key, target, id, claims, age, ahead, message } = signed;
        let route = self.policy.routes.iter().find(|known| *known.name == **route).ok_or("the route is gone")?;
        let webhook = match &route.sender {
            Sender::Webhook(webhook) => webhook,
            Sender::Token(tokens) => {
                let issuer = &tokens.rule.issuer().terms().name;
                let trial = self.trials().get(issuer).ok_or("no test key can be made for this issuer")?;
                let token = trial.token(&tokens.rule, id, now - *age + *ahead, claims);
                let field = tokens.rule.place().field(&token.ok_or("the token cannot be signed")?);
                let target = target.clone().unwrap_or_else(|| route.at.example());
                let method = route.admit.methods.iter().find(|method| **method == Method::POST);
                let method = method.or(route.admit.methods.first()).cloned().unwrap_or(Method::POST);
                let head = self.head(method, &target, message, &[field])?;
                return Ok((head, message.body.clone().into(), now));
            }
        };
        if webhook.provider().scheme.shows_nothing() {
            return self.shown(route, webhook.provider(), signed, now);
        }
        let mut in_force = keys.in_force(webhook.keys(), now);
        let wanted = |candidate: &&Key| key.as_ref().is_none_or(|key| candidate.id == *key);
        let signer = in_force.find(wanted).ok_or("no key of this route is in force at that time")?;
        let target = target.clone().unwrap_or_else(|| route.at.example());
        let site = self.policy.settings.public_url.as_deref().unwrap_or("https://gate.example");
        let method = route.admit.methods.first().cloned().unwrap_or(Method::POST);
        let at = now - *age + *ahead;
        let site = site.trim_end_matches('/');
        let url = format!("{site}{target}");
        let content_type = message.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content_type = content_type.map(|(_, value)| value.as_str()).or(message.content_type).unwrap_or_default();
        let what = Unsigned { method: &method, url: &url, content_type, body: &message.body, id, at };
        let provider = webhook.provider();
        let list = webhook.keys().split('/').next().unwrap_or_default();
        let (scheme, config) = (&provider.scheme, webhook.config());
        let private = if let Some(text) = case.secrets.get(list) {
            scheme.signing_key_for(config, text).map_err(|error| error.to_string())?
        } else {
            test_key(list, &signer.id, provider, scheme.algorithm_said(config))?.1
        };
        let made = scheme.sign_for(config, &private, &what);
        let target = made.url.strip_prefix(site).unwrap_or(&target).to_owned();
        let mut fields = made.fields;
        if let Some(name) = provider.type_header.as_ref().filter(|name| !has(&fields, name)) {
            fields.push((name.clone(), "test".to_owned()));
        }
        let config = provider.scheme.config_fields(webhook.config());
        fields.extend(config);
        let head = self.head(method, &target, message, &fields)?;
        Ok((head, made.body.unwrap_or_else(|| message.body.clone()).into(), now))
    }

    /// What a sender sends that shows nothing: what the case says, or something that refers to an id of its kind.
    fn shown(
        &self,
        route: &Route,
        provider: &Provider,
        sent: &Signed,
        now: Timestamp,
    ) -> Result<(Head, Bytes, Timestamp), String> {
        let Signed { target, id, message, .. } = sent;
        let (mut target, mut message) = (target.clone().unwrap_or_else(|| route.at.example()), message.clone());
        let mut fields = Vec::new();
        if let Some(refers) = &provider.refers {
            let made = refers
                .example(id)
                .ok_or("no id can be made as the entry's `refers.like` has it; write one with `id`")?;
            let made = refers.request(&made);
            fields.extend(made.field);
            if let Some(query) = made.query.filter(|_| sent.target.is_none()) {
                target = format!("{target}{}{query}", if target.contains('?') { '&' } else { '?' });
            }
            if message.body.is_empty() && message.content_type.is_none() {
                (message.body, message.content_type) = (made.body, made.content_type);
            }
        }
        let method = route.admit.methods.first().cloned().unwrap_or(Method::POST);
        let head = self.head(method, &target, &message, &fields)?;
        Ok((head, message.body.into(), now))
    }

    fn head(
        &self,
        method: Method,
        target: &str,
        message: &Message,
        signature: &[(String, String)],
    ) -> Result<Head, String> {
        let mut headers = HeaderMap::new();
        let kept = signature.iter().filter(|(name, _)| !has(&message.headers, name));
        let content_type = message.content_type.map(|value| (header::CONTENT_TYPE.to_string(), value.to_owned()));
        let content_type = content_type.filter(|(name, _)| !has(&message.headers, name));
        for (name, value) in kept.chain(&content_type).chain(&message.headers) {
            let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no field name"))?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| format!("`{name}` has no such value"))?;
            headers.append(field, value);
        }
        let site = self.policy.settings.public_url.as_deref().unwrap_or_default();
        let host = site.split_once("://").map_or("gate.example", |(_, host)| host).to_owned();
        let target =
            Target::parse(target).map_err(|_| format!("`{target}` is refused before any route is looked for"))?;
        Ok(Head { method, target, host, headers, client: message.from })
    }
}

/// What the key is called that stands for those that a vendor publishes.
const PUBLISHED: &str = "published";

/// Its first moment, UTC: what has an end in a policy ends then.
fn day_of(at: Timestamp) -> Timestamp {
    const DAY_S: i64 = 24 * 60 * 60;
    Timestamp::from_unix_s(at.unix_s().div_euclid(DAY_S) * DAY_S)
}

fn has(fields: &[(String, String)], name: &str) -> bool {
    fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// Made from its names, so that it is the same in every run.
fn test_key(
    list: &str,
    id: &str,
    provider: &Provider,
    said: Option<Algorithm>,
) -> Result<(String, SigningKey), String> {
    provider.scheme.test_key_of(said, &format!("{list}/{id}")).map_err(|error| error.to_string())
}

fn key(id: &str, text: &str, retire: Option<Timestamp>, reference: &KeyReference) -> Result<Key, String> {
    let secret = reference.kind.decode(text).map_err(|error| format!("the secret of `{id}`: {error}"))?;
    Ok(Key { id: id.to_owned(), secret, retire })
}
