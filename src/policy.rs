//! The rules, compiled. Text becomes a [`Policy`] once, at load; requests only ever see the latter.

mod cases;
mod changes;
mod compile;
mod contract;
mod destinations;
mod effective;
mod floor;
mod flow;
mod hidden;
mod issuers;
mod language;
mod merge;
mod notes;
mod reference;
mod references;
mod report;
mod rollout;
mod route;
mod senders;
mod settings;
mod source;
mod summary;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod tokens;
mod units;
mod url;
mod variables;

pub use cases::{Answered, Case, Decision, Expected, Message, Raw, Sent, Signed, Stages, cases};
pub use changes::{Change, changes};
pub use compile::{Compiled, Overrides, compile, found, found_all};
pub use destinations::{
    Broker, Destination, Durability, EVENT_ID, HostFrom, Http, Nats, Only, Place, Redis, SentHost, Server,
};
pub use effective::effective;
pub use language::{LanguageOf, language};
pub use reference::{Absent, Key, Table, keys};
pub use references::{
    IdentityReference, IssuerKeys, IssuerReference, Jwks, KeyEntry, KeyKind, KeyReference, Reference,
};
pub use report::{Diagnostic, Report, Severity};
pub use settings::{EdgeLimits, Listener, Origin, Settings, Spool};
pub use source::{Part, Source, TextFile, Unread};
pub use summary::{DestinationSummary, RouteSummary};
pub use units::{written_rate, written_size, written_time};

use crate::{
    admit::Admit,
    clock::Timestamp,
    event::Form,
    guard::{Found, Guards, Selector},
    limit::Rate,
    payload::Contract,
    request::Head,
    verdict::Check,
    verify::{Respond, Webhook, jwt::TokenRule},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// Every rule of one running gate. Immutable; a reload swaps the whole value.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Names this policy in every event that it let pass.
    pub digest: String,
    /// What the platform team decides.
    pub settings: Settings,
    /// In the order of the file; guards name them by index.
    pub routes: Vec<Arc<Route>>,
    /// Where queued events can go.
    pub destinations: Vec<Destination>,
    /// Where the senders' keys are; never the keys.
    pub keys: Vec<KeyReference>,
    /// Lists of keys that no route uses: nothing is done with them, and `explain` says so.
    pub spare_keys: Vec<String>,
    /// Whose tokens are taken.
    pub issuers: Vec<IssuerReference>,
    /// How WordPress is told who shows a token, if it is.
    pub identity: Option<IdentityReference>,
    /// The gate's own secret; absent: made at the first start in the spool's folder.
    pub secret: Option<Reference>,
    /// Which endpoint belongs to which route.
    pub guards: Guards,
    /// When the same texts first mean something else: an exception ends. A running gate compiles them again then.
    pub changes_at: Option<Timestamp>,
}

/// One guarded endpoint.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name in the policy: a label of metrics, and the source of its events.
    pub name: Arc<str>,
    /// Whose terms it has where it says nothing itself.
    pub class: Option<String>,
    /// Which endpoint it guards.
    pub at: Selector,
    /// Who is asked about it.
    pub owner: Option<Owner>,
    /// Checks on the head.
    pub admit: Admit,
    /// Tokens per time.
    pub limits: Limits,
    /// Who may send, and how that is known.
    pub sender: Sender,
    /// What is read, checked and taken out.
    pub contract: Contract,
    /// How long the sender's names for events are remembered, where it signs any.
    pub remember: Duration,
    /// What happens to what is clean.
    pub delivery: Delivery,
    /// How long delivered events stay for looking at and redelivery.
    pub keep: Duration,
    /// What is kept of refused requests, if anything is.
    pub capture: Option<Capture>,
    /// What the vendor wants to hear.
    pub respond: Respond,
    /// When the sender's answer is due.
    pub answer_by: Duration,
    /// What is judged and counted, and let through.
    pub observe: Option<Observe>,
}

/// What is kept of refused requests, for who asks why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    /// How long.
    pub keep: Duration,
    /// Bodies too.
    pub body: bool,
}

/// Who may send to a route, and how that is known.
#[derive(Clone, Debug)]
pub enum Sender {
    /// It signs each request.
    Webhook(Webhook),
    /// It shows a token in the request's head.
    Token(Tokens),
}

/// Which tokens, and what becomes of them.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Whose, and what they must say.
    pub rule: TokenRule,
    /// Each is taken once, by its `jti`.
    pub once: bool,
    /// They go on to WordPress; otherwise the request does so without.
    pub forward: bool,
}

/// A route that is tried before it enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observe {
    /// In what.
    pub what: Observed,
    /// Then it enforces: a running gate compiles its policy again at this moment.
    pub until: Timestamp,
    /// The same while everything that a request is judged by is the same: what was found out under other terms says
    /// nothing about these.
    pub terms: u64,
}

/// What is judged and counted, and let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// The whole request, of a relayed route: it reaches WordPress whether or not it would be refused.
    All,
    /// These checks; everything else enforces.
    Checks {
        /// The contract's.
        schema: bool,
        /// Of addresses and of senders.
        limits: bool,
    },
}

/// Who is asked about a route. Documentation: nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Who owns the contract with this sender.
    pub team: String,
    /// Whom to call.
    pub oncall: Option<String>,
}

/// Tokens per time; absent: unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Before verification, by client address and route.
    pub per_address: Option<Rate>,
    /// After verification, by route and key.
    pub per_sender: Option<Rate>,
}

/// What happens to what is clean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Durable first, delivered by the gate.
    Queue {
        /// Names of destinations.
        to: Vec<String>,
        /// What they get.
        form: Form,
    },
    /// Handed to a broker at once, which keeps them instead of the gate.
    Direct {
        /// The destination's name.
        to: String,
        /// What it gets.
        form: Form,
    },
    /// Passed on to the origin at once, verbatim; its answer goes back.
    Relay,
}

impl Sender {
    /// How its signatures are known, if it signs.
    pub fn webhook(&self) -> Option<&Webhook> {
        match self {
            Self::Webhook(webhook) => Some(webhook),
            Self::Token(_) => None,
        }
    }

    /// What is asked of its tokens, if it shows any.
    pub fn tokens(&self) -> Option<&Tokens> {
        match self {
            Self::Webhook(_) => None,
            Self::Token(tokens) => Some(tokens),
        }
    }

    /// The provider's name, or the issuer's.
    pub fn name(&self) -> &str {
        match self {
            Self::Webhook(webhook) => &webhook.provider().name,
            Self::Token(tokens) => &tokens.rule.issuer().terms().name,
        }
    }
}

impl Route {
    /// Whether a request can go on before its body is here: all that is asked of it is a token, in its head.
    pub fn streams(&self) -> bool {
        let is_free = self.delivery == Delivery::Relay && self.contract.is_indifferent();
        is_free && self.sender.tokens().is_some_and(|tokens| !tokens.once)
    }

    /// Whether everything is judged and counted alone.
    pub fn is_observed(&self) -> bool {
        self.observe.is_some_and(|observe| observe.what == Observed::All)
    }

    /// Whether this check alone is judged and counted, while everything else enforces.
    pub fn observes(&self, check: Check) -> bool {
        let Some(Observe { what: Observed::Checks { schema, limits }, .. }) = self.observe else { return false };
        match check {
            Check::Schema => schema,
            Check::Limits => limits,
            Check::All | Check::Guard | Check::Admit | Check::Verify | Check::Repeats => false,
        }
    }
}

impl Policy {
    /// What the guards say about this head, with the route where there is one.
    pub fn find(&self, head: &Head) -> (Found, Option<&Arc<Route>>) {
        let found = self.guards.find(head);
        let route = if let Found::Guarded(index) = found { self.routes.get(index) } else { None };
        (found, route)
    }

    /// Which of these destinations an event of this type is for, and which it is not for.
    pub fn takers(&self, to: &[String], event_type: &str) -> (Vec<String>, Vec<String>) {
        let takes = |name: &&String| {
            let found = self.destinations.iter().find(|destination| destination.name == **name);
            found.is_none_or(|destination| destination.only.takes(event_type))
        };
        to.iter().cloned().partition(|name| takes(&name))
    }
}

/// The URL of an origin, as a policy or a command line may say it.
///
/// # Errors
/// What is wrong with it, with a way out.
pub fn origin_url(text: &str) -> Result<String, String> {
    url::read(text, url::Shape::Origin)
}

impl Policy {
    /// A correct reverse proxy and nothing else: what `hookwarden run --upstream URL` runs.
    pub fn pass_through(on: SocketAddr, upstream: &str) -> Self {
        Self {
            digest: "none".to_owned(),
            settings: Settings::new(on, upstream),
            routes: Vec::new(),
            destinations: Vec::new(),
            keys: Vec::new(),
            spare_keys: Vec::new(),
            issuers: Vec::new(),
            identity: None,
            secret: None,
            guards: Guards::default(),
            changes_at: None,
        }
    }
}
