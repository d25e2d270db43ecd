//! What one route means. Every question is asked even if another one failed, so that all mistakes are told at once.

mod delivery;
mod sender;
mod trust;

use super::{
    Capture, Destination, Limits, Owner, Route, Sender,
    contract::{
        self, Said, Shelf,
        text::{ContractText, RedactText},
    },
    issuers::AllTerms,
    notes::Notes,
    senders::Senders,
    text::{
        AdmitText, AtText, CaptureText, CapturedBodyText, DeliverText, LimitsText, MediaText, MethodText, RouteText,
        ViaText,
    },
    units::{RateText, SizeText, TimeText, written_size, written_time},
};
use crate::{
    admit::Admit,
    clock::Timestamp,
    guard::Selector,
    json::{
        Library, Node,
        language::{listed, way_out},
    },
    limit::Rate,
    payload::{Contract, Naming},
    verify::Respond,
};
use http::Method;
use std::{num::NonZeroU32, sync::Arc, time::Duration};

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
            && self.senders.lacks(wanted)
        {
            let way_out = self.senders.way_out(wanted);
            notes.wrong(Some(node), format!("unknown provider `{wanted}`{way_out}"));
        }
        for (node, wanted) in
            ["/sender/keys", "/sender/verify_token", "/sender/confirm/key"].into_iter().filter_map(text)
        {
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

/// Nothing on the way to a queue waits for an origin: whoever sends has its answer by then, however patient it is.
const QUEUED_WITHIN: Duration = Duration::from_secs(10);
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
        let is_relay = delivery.as_ref().is_some_and(|delivery| *delivery == super::Delivery::Relay);
        let usual = if is_relay { answer_by } else { answer_by.min(QUEUED_WITHIN) };
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
            answer_by: said.unwrap_or(usual),
            observe: None,
        };
        self.answers_by(said.is_some(), route.streams());
        Some(route)
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
}

fn limits(text: &LimitsText) -> Limits {
    let rate = |text: Option<RateText>| text.map(|RateText(rate)| rate);
    Limits { per_address: rate(text.per_address).or(Some(PER_ADDRESS)), per_sender: rate(text.per_sender) }
}

/// What WordPress takes on a small host, and far more than most webhooks have.
const BODY_LIMIT_BYTES: u64 = 1 << 20;

/// No vendor sends more from one address to one shop, and guessing at this speed leads nowhere.
const PER_ADDRESS: Rate = Rate { count: NonZeroU32::MIN.saturating_add(99), per: Duration::from_secs(1) };

/// Of a route that takes tokens and names none. `OPTIONS` comes before a token is shown, and answers to anybody.
const TOKEN_METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
