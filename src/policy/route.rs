//! What one route means. Every question is asked even if another one failed, so that all mistakes are told at once.

mod delivery;

use super::{
    Capture, Delivery, Destination, Limits, Owner, Route, Sender,
    contract::{
        self, Said, Shelf,
        text::{ContractText, RedactText},
    },
    issuers::AllTerms,
    notes::Notes,
    senders::{Senders, published_by},
    text::{
        AdmitText, AtText, CaptureText, CapturedBodyText, ChangedText, DeliverText, LimitsText, MediaText, MethodText,
        ProtectionText, RepeatsText, RouteText, SenderText, ViaText,
    },
    units::{RateText, SizeText, TimeText, written_size, written_time},
};
use crate::{
    admit::Admit,
    clock::Timestamp,
    guard::Selector,
    json::{
        self, Library, Node,
        language::{listed, way_out},
    },
    limit::Rate,
    payload::{Contract, Naming},
    repeat::Window,
    verify::{Config, Handshake, Provider, Respond, Webhook},
};
use http::Method;
use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

/// What all routes of a file have in common.
pub(super) struct Surroundings<'a> {
    pub(super) library: &'a Library,
    pub(super) now: Timestamp,
    pub(super) senders: &'a Senders<'a>,
    pub(super) keys: Vec<&'a str>,
    pub(super) issuers: &'a AllTerms,
    pub(super) named_issuers: Vec<&'a str>,
    pub(super) destinations: Vec<&'a str>,
    /// Those of them that are in order.
    pub(super) places: &'a [Destination],
    pub(super) classes: Vec<&'a str>,
    pub(super) public_url: Option<&'a str>,
    pub(super) bodies_bytes: usize,
    pub(super) spool_bytes: u64,
}

impl Surroundings<'_> {
    /// What a route is without its class cannot be said: that would only add mistakes that are none.
    pub(super) fn has_class(&self, named: Option<&str>) -> bool {
        named.is_none_or(|name| self.classes.contains(&name))
    }

    /// Tells which names of a route are nobody's; also of a route that the language refused, because a name is wrong
    /// whatever else is.
    pub(super) fn check_names(&self, route: &Node, notes: &mut Notes<'_>) {
        let text = |pointer: &str| route.find(pointer).and_then(|node| Some((node, node.text()?)));
        if let Some((node, wanted)) = text("/sender/provider")
            && self.senders.find(wanted).is_none()
        {
            let way_out = self.senders.way_out(wanted);
            notes.wrong(Some(node), format!("unknown provider `{wanted}`{way_out}"));
        }
        for (node, wanted) in ["/sender/keys", "/sender/verify_token"].into_iter().filter_map(text) {
            if self.keys.contains(&wanted) {
                continue;
            }
            let way_out = match self.keys.as_slice() {
                [] => format!("; write `keys: {{ {wanted}: [{{ id: live, from: env:NAME }}] }}`"),
                known => way_out(wanted, known.iter().copied()),
            };
            notes.wrong(Some(node), format!("no keys are called `{wanted}`{way_out}"));
        }
        if let Some((node, wanted)) = text("/sender/jwt")
            && !self.named_issuers.contains(&wanted)
        {
            let way_out = match self.named_issuers.as_slice() {
                [] => format!("; write `issuers: {{ {wanted}: {{ issuer: ..., jwks: ... }} }}`"),
                known => way_out(wanted, known.iter().copied()),
            };
            notes.wrong(Some(node), format!("no issuer is called `{wanted}`{way_out}"));
        }
        for (node, wanted) in (0..).map_while(|index| text(&format!("/deliver/to/{index}"))) {
            if !self.destinations.contains(&wanted) {
                let way_out = match self.destinations.as_slice() {
                    [] => format!("; write `destinations: {{ {wanted}: {{ url: ... }} }}`"),
                    known => way_out(wanted, known.iter().copied()),
                };
                notes.wrong(Some(node), format!("no destination is called `{wanted}`{way_out}"));
            }
        }
    }
}

/// What strangers sent is looked at soon, or never.
const CAPTURE_MAX: Duration = Duration::from_hours(7 * 24);

/// What is known of a route's sender.
pub(super) struct Who {
    pub(super) sender: Sender,
    pub(super) naming: Naming,
    pub(super) respond: Respond,
    /// How long its own names for events are kept.
    pub(super) remember: Duration,
    pub(super) answer_by: Duration,
}

/// One route on its way from text to meaning.
pub(super) struct RouteCompiler<'a, 'd> {
    pub(super) around: &'a Surroundings<'a>,
    pub(super) name: &'a str,
    pub(super) node: &'a Node,
    pub(super) notes: &'a mut Notes<'d>,
}

impl<'a> RouteCompiler<'a, '_> {
    /// `None` only where something wrong was told.
    pub(super) fn compile(mut self, text: RouteText, at: Option<Selector>) -> Option<Route> {
        let terms = text.terms;
        let admit = self.admit(terms.admit, text.sender.jwt.is_some());
        let limits = limits(&terms.limits);
        self.goes_together(&text.sender);
        if text.sender.jwt.is_some() {
            self.goes_on(&terms.deliver, &terms.redact);
        }
        let delivery = match &text.sender.jwt {
            // Anything else has been told.
            Some(_) if terms.deliver.via != Some(ViaText::Relay) => None,
            Some(_) | None => self.delivery(terms.deliver, at.as_ref(), admit.body_limit_bytes),
        };
        let keep = self.keep(terms.keep, delivery.as_ref());
        let capture = self.capture(terms.capture, text.sender.jwt.is_some());
        let order_by = self.order_by(terms.order_by, delivery.as_ref());
        let who = match (&text.sender.jwt, &text.sender.provider) {
            (Some(issuer), _) => self.who_shows(issuer, &text.sender, &terms.repeats),
            (None, Some(provider)) => {
                self.changes_bytes(&terms.redact, delivery.as_ref());
                self.who_signs(provider, &text.sender, &terms.repeats, terms.answer_by, delivery.as_ref())
            }
            (None, None) => None,
        };
        let Who { sender, naming, respond, remember, answer_by } = who?;
        let naming = Naming { order_by, ..naming };
        let contract = self.contract(naming, terms.contract.as_ref(), &terms.redact, &admit);
        let owner = terms.owner.map(|owner| Owner { team: owner.team, oncall: owner.oncall });
        let said = terms.answer_by.map(|TimeText(answer_by)| answer_by);
        let route = Route {
            name: Arc::from(self.name),
            class: text.class,
            at: at?,
            owner,
            admit,
            limits,
            sender,
            contract: contract?,
            remember,
            delivery: delivery?,
            keep,
            capture,
            respond,
            answer_by: said.unwrap_or(answer_by),
            observe: None,
        };
        self.answers_by(said.is_some(), route.streams());
        Some(route)
    }

    fn who_signs(
        &mut self,
        provider: &str,
        text: &SenderText,
        repeats: &RepeatsText,
        answer_by: Option<TimeText>,
        delivery: Option<&Delivery>,
    ) -> Option<Who> {
        let provider = self.around.senders.find(provider)?.clone();
        self.protection(&provider, repeats);
        self.is_known_again(&provider, delivery);
        let remember = self.remember(&provider, repeats);
        let changed_is_new = self.changed_is_new(&provider, repeats);
        let answer_by = self.answer_by(&provider, answer_by);
        let window = self.window(&provider, text, repeats)?;
        if repeats.jti.is_some() {
            self.wrong("/repeats/jti", "tokens have a `jti`, and this sender shows none; leave it out");
        }
        let sender = Sender::Webhook(Webhook {
            route: self.name.to_owned(),
            provider: provider.clone(),
            keys: match (&text.keys, provider.scheme.published()) {
                (Some(list), _) => format!("{list}/{}", provider.name),
                (None, Some(_)) => published_by(&provider),
                (None, None) if provider.scheme.is_certified() => published_by(&provider),
                (None, None) => return None,
            },
            window,
            public_url: self.around.public_url.map(str::to_owned),
            config: self.config(&provider, &text.config),
            handshakes: self.handshakes(&provider, text, delivery),
            verify_token: text.verify_token.as_ref().map(|list| format!("{list}/verify_token")),
        });
        let naming = Naming {
            event_key: provider.event_key.clone(),
            type_member: provider.type_member.clone(),
            type_header: provider.type_header.clone(),
            order_by: None,
            remember,
            changed_is_new,
        };
        Some(Who { sender, naming, respond: provider.respond.clone(), remember, answer_by })
    }

    /// Tells what is wrong with the value at this pointer into the route, or with the one that contains it.
    pub(super) fn wrong(&mut self, pointer: &str, message: impl Into<String>) {
        self.notes.wrong(Some(self.nearest(pointer)), message);
    }

    fn warn(&mut self, pointer: &str, message: impl Into<String>) {
        self.notes.warn(Some(self.nearest(pointer)), message);
    }

    fn nearest(&self, pointer: &str) -> &'a Node {
        let mut pointer = pointer;
        loop {
            if let Some(node) = self.node.find(pointer) {
                break node;
            }
            pointer = pointer.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// What can be told of a route that the language refused, without a guess at what was meant.
    pub(super) fn refused(&mut self) -> Option<Selector> {
        let at = self.node.find("/at").and_then(|node| self.notes.decode::<AtText>(node));
        let at = at.and_then(|at| self.at(&at));
        let deliver = self.node.find("/deliver").and_then(|node| self.notes.decode::<DeliverText>(node));
        if let Some(deliver) = deliver {
            self.delivery(deliver, at.as_ref(), 0);
        }
        at
    }

    /// Exactly one kind of endpoint.
    pub(super) fn at(&mut self, at: &AtText) -> Option<Selector> {
        type Parse = fn(&str) -> Result<Selector, String>;
        let kinds: [(&str, &Option<String>, Parse); 5] = [
            ("path", &at.path, Selector::path),
            ("wc-api", &at.wc_api, Selector::wc_api),
            ("rest", &at.rest, Selector::rest),
            ("query", &at.query, Selector::query),
            ("ajax", &at.ajax, Selector::ajax),
        ];
        let names = kinds.map(|(name, ..)| name);
        let written: Vec<_> =
            kinds.iter().filter_map(|(name, text, parse)| Some((*name, text.as_ref()?, parse))).collect();
        let read: Vec<_> = written.iter().map(|(name, text, parse)| (*name, parse(text))).collect();
        if read.len() != 1 {
            let message = if read.is_empty() {
                format!("which endpoint? write one of {}", listed(&names, ", "))
            } else {
                let written: Vec<_> = read.iter().map(|(name, _)| *name).collect();
                format!("one route is one endpoint, and here are {}; make a route of each", listed(&written, " and "))
            };
            self.wrong("/at", message);
        }
        let several = read.len() > 1;
        if let Some((above, _)) = at.path.as_deref().and_then(|path| path.split_once('*')) {
            let above = above.rsplit_once('/').map_or("", |(above, _)| above);
            let above = if above.is_empty() { "/hooks" } else { above };
            let message = format!(
                "a path guards what lies below it as well, and `*` stands for itself in it; write `{above}`, if that is meant"
            );
            self.warn("/at/path", message);
        }
        let mut found = None;
        for (name, selector) in read {
            match selector {
                Ok(selector) => found = Some(selector),
                Err(why) => self.wrong(&format!("/at/{name}"), why),
            }
        }
        found.filter(|_| !several)
    }

    /// Two routes whose requests could not be told from each other.
    pub(super) fn shadowed(&mut self, at: &Selector, others: &[(&str, Selector)]) {
        let other = others.iter().find(|(_, other)| at.covers(other) || other.covers(at));
        if let Some((name, other)) = other {
            let message = if other == at {
                format!("route `{name}` guards this endpoint; one of the two would never be asked")
            } else {
                format!(
                    "route `{name}` guards `{other}`, and some requests would be for both; name endpoints that do not meet"
                )
            };
            self.wrong("/at", message);
        }
    }

    fn admit(&mut self, text: AdmitText, of_tokens: bool) -> Admit {
        let SizeText(body) = text.body.unwrap_or(SizeText(BODY_LIMIT_BYTES));
        let body_limit_bytes = usize::try_from(body).unwrap_or(usize::MAX);
        if body_limit_bytes > self.around.bodies_bytes {
            let bodies = written_size(self.around.bodies_bytes as u64);
            let body = written_size(body);
            self.wrong(
                "/admit/body",
                format!("all bodies together may take `{bodies}`, and one `{body}`; write less, or raise `edge: {{ bodies: ... }}`"),
            );
        }
        let methods = match text.method {
            None if of_tokens => TOKEN_METHODS.to_vec(),
            None | Some(MethodText::Post) => vec![Method::POST],
            Some(MethodText::Put) => vec![Method::PUT],
            Some(MethodText::Patch) => vec![Method::PATCH],
            Some(MethodText::Get) => vec![Method::GET],
            Some(MethodText::Delete) => vec![Method::DELETE],
        };
        if text.content_types.as_ref().is_some_and(Vec::is_empty) {
            self.wrong("/admit/content_types", "no type would be let in; leave this out to let in any");
        }
        let content_types = text.content_types.unwrap_or_default();
        let content_types = content_types.into_iter().map(|MediaText(text)| text).collect();
        Admit { methods, content_types, body_limit_bytes }
    }

    fn protection(&mut self, provider: &Provider, text: &RepeatsText) {
        let name = &provider.name;
        match (provider.tells_repeats(), text.protection) {
            (true, None) | (false, Some(ProtectionText::Impossible)) => {}
            (true, Some(ProtectionText::Impossible)) => {
                let message = format!("repeats of `{name}` can be told; leave this out");
                self.wrong("/repeats/protection", message);
            }
            (false, None) => {
                let message = format!(
                    "nothing tells a captured request of `{name}` from a new one; if that is acceptable, write \
                     `repeats: {{ protection: impossible }}`"
                );
                self.wrong("/sender/provider", message);
            }
        }
    }

    /// A broker that was asked in vain is asked again by the sender's retry, and tells it by the event's id.
    fn is_known_again(&mut self, provider: &Provider, delivery: Option<&Delivery>) {
        let direct = match delivery {
            Some(Delivery::Direct { .. }) => true,
            Some(Delivery::Queue { .. } | Delivery::Relay) | None => false,
        };
        if direct && !provider.tells_repeats() {
            let message = format!(
                "nothing tells repeats of `{}`, so that an event of which the broker's answer did not come in time would \
                 be there twice; write `via: queue`",
                provider.name
            );
            self.wrong("/deliver/via", message);
        }
    }

    /// How long event keys are kept.
    fn remember(&mut self, provider: &Provider, text: &RepeatsText) -> Duration {
        let horizon = provider.retry_horizon;
        let Some(TimeText(remember)) = text.remember else { return horizon };
        if remember < horizon {
            let message = format!(
                "`{}` repeats an event for `{}`, and would bring it twice; remember it for as long at least",
                provider.name,
                written_time(horizon)
            );
            self.wrong("/repeats/remember", message);
        }
        remember
    }

    fn window(&mut self, provider: &Provider, sender: &SenderText, repeats: &RepeatsText) -> Option<Window> {
        let time = |text: Option<TimeText>| text.map(|TimeText(time)| time);
        let (max_age, max_future) = (time(sender.max_age), time(sender.max_future));
        if let Some(signed) = provider.max_age {
            return Some(Window::Signed {
                max_age: max_age.unwrap_or(signed),
                max_future: max_future.unwrap_or(provider.max_future),
            });
        }
        for (key, written) in [("max_age", max_age), ("max_future", max_future)] {
            if written.is_some() {
                let message =
                    format!("`{}` signs no time, so nothing could be held against this; leave it out", provider.name);
                self.wrong(&format!("/sender/{key}"), message);
            }
        }
        match time(repeats.remember) {
            Some(remember) => Some(Window::Unsigned { remember }),
            None if !provider.tells_repeats() => Some(Window::Unsigned { remember: Duration::ZERO }),
            None => {
                let message = format!(
                    "`{}` signs no time; say how long to remember with `repeats: {{ remember: {} }}`",
                    provider.name,
                    written_time(provider.retry_horizon.max(REMEMBER))
                );
                self.wrong("/sender/provider", message);
                None
            }
        }
    }

    /// What the sender's scheme asks of the policy, no more and no less.
    fn config(&mut self, provider: &Provider, config: &BTreeMap<String, String>) -> Config {
        for name in provider.scheme.config() {
            if config.get(name).is_none_or(|value| value.trim().is_empty()) {
                let message = format!(
                    "`{}` has to be told apart from others of its kind; write `config: {{ {name}: ... }}`",
                    provider.name
                );
                self.wrong("/sender/provider", message);
            }
        }
        for name in config.keys() {
            if !provider.scheme.config().chain(provider.scheme.config_optional()).any(|known| known == name) {
                let message = format!("`{}` asks nothing of this name; leave it out", provider.name);
                self.wrong(&format!("/sender/config/{}", json::escape(name)), message);
            }
        }
        for (name, message) in provider.scheme.config_mistakes(config) {
            self.wrong(&format!("/sender/config/{}", json::escape(name)), message);
        }
        config.clone()
    }

    /// The validation calls that the gate answers. A plugin that answers for itself hears of those that were signed.
    fn handshakes(&mut self, provider: &Provider, sender: &SenderText, delivery: Option<&Delivery>) -> Vec<Handshake> {
        let wants_token = provider.handshakes.iter().any(Handshake::needs_token);
        let are_off = sender.handshakes == Some(false);
        if sender.verify_token.is_some() && (!wants_token || are_off) {
            let message = if wants_token {
                "no validation call is answered, says `handshakes: false`; leave out one of the two".to_owned()
            } else {
                format!("no validation call of `{}` says such a word; leave this out", provider.name)
            };
            self.wrong("/sender/verify_token", message);
        }
        if wants_token && !are_off && sender.verify_token.is_none() {
            let message = format!(
                "`{}` asks before it sends, and would hear no; write `verify_token: NAME`, and under `keys` the word that you \
                 typed there",
                provider.name
            );
            self.warn("/sender", message);
        }
        if are_off {
            return Vec::new();
        }
        let relays = matches!(delivery, Some(Delivery::Relay));
        let answered = provider.handshakes.iter().filter(|handshake| !(relays && handshake.is_signed()));
        answered.cloned().collect()
    }

    fn changed_is_new(&mut self, provider: &Provider, text: &RepeatsText) -> bool {
        let Some(ChangedText::Deliver) = text.on_changed else { return false };
        if !provider.names_events() {
            let message = format!(
                "`{}` signs no id for its events, so a changed body is a new event anyway; leave this out",
                provider.name
            );
            self.wrong("/repeats/on_changed", message);
        }
        true
    }

    fn capture(&mut self, text: Option<CaptureText>, takes_tokens: bool) -> Option<Capture> {
        let CaptureText { keep: TimeText(keep), body } = text?;
        if takes_tokens {
            self.wrong(
                "/capture",
                "whoever holds a refused token could use it elsewhere: nothing of it is kept; leave this out",
            );
        }
        if keep > CAPTURE_MAX || keep.is_zero() {
            let message = format!("refused requests are kept for `{}` at most; write `24h`", written_time(CAPTURE_MAX));
            self.wrong("/capture/keep", &message);
        }
        Some(Capture { keep, body: body == CapturedBodyText::Sealed })
    }

    fn contract(
        &mut self,
        naming: Naming,
        contract: Option<&ContractText>,
        redact: &[RedactText],
        admit: &Admit,
    ) -> Option<Contract> {
        let file = self.node.find("/contract").map_or("", |node| self.notes.file(node));
        let shelf = Shelf { library: self.around.library, file, now: self.around.now };
        let said = Said { contract, redact, content_types: &admit.content_types };
        contract::contract(naming, said, shelf, &mut |told| {
            if told.is_warning {
                self.warn(&told.pointer, told.message);
            } else {
                self.wrong(&told.pointer, told.message);
            }
        })
    }

    fn answer_by(&mut self, provider: &Provider, text: Option<TimeText>) -> Duration {
        let Some(TimeText(answer_by)) = text else { return provider.answer_by };
        if answer_by > provider.answer_by {
            let (name, due) = (&provider.name, written_time(provider.answer_by));
            self.wrong("/answer_by", format!("`{name}` stops waiting before; write `{due}` at most"));
        }
        answer_by
    }
}

fn limits(text: &LimitsText) -> Limits {
    let rate = |text: Option<RateText>| text.map(|RateText(rate)| rate);
    Limits { per_address: rate(text.per_address).or(Some(PER_ADDRESS)), per_sender: rate(text.per_sender) }
}

/// What WordPress takes on a small host, and far more than most webhooks have.
const BODY_LIMIT_BYTES: u64 = 1 << 20;

/// No vendor sends more from one address to one shop, and guessing at this speed leads nowhere.
const PER_ADDRESS: Rate = Rate { count: NonZeroU32::MIN.saturating_add(99), per: Duration::from_secs(1) };

/// What is proposed where the vendor itself does not repeat.
const REMEMBER: Duration = Duration::from_hours(72);

/// Of a route that takes tokens and names none. `OPTIONS` comes before a token is shown, and answers to anybody.
const TOKEN_METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
