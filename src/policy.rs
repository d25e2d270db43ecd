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

pub use cases::{Case, Decision, Expected, Message, Raw, Sent, Signed, Stages, cases};
pub use changes::{Change, changes};
pub use compile::{Compiled, Overrides, compile, found};
pub use destinations::{Broker, Destination, Durability, EVENT_ID, Http, Nats, Only, Place, Redis, Server};
pub use effective::effective;
pub use language::{LanguageOf, language};
pub use reference::{Absent, Key, Table, keys};
pub use report::{Diagnostic, Report, Severity};
pub use source::{Source, TextFile};
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
    secret::Secret,
    verdict::Check,
    verify::{
        BadKey, Provider, Respond, Webhook,
        jwt::{Algorithm, TokenRule},
    },
};
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

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

/// What the platform team decides. Absent keys have the defaults that `text/` states, which a test holds to these.
#[derive(Clone, Debug)]
pub struct Settings {
    /// As senders know the site; never taken from the Host header.
    pub public_url: Option<String>,
    /// Where to listen.
    pub listeners: Vec<Listener>,
    /// What stands behind the gate.
    pub origin: Origin,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The embedded queue.
    pub spool: Spool,
    /// Metrics and health.
    pub admin: SocketAddr,
    /// Time and size limits of connections and requests.
    pub limits: EdgeLimits,
}

/// One address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Port 0 takes any free one.
    pub on: SocketAddr,
    /// Speak TLS with the certificates of these files (chain and key in each; `*` in a file's name stands for any
    /// letters), chosen by name.
    pub tls: Option<Vec<PathBuf>>,
    /// Offer HTTP/2, which needs TLS.
    pub http2: bool,
    /// Load balancers that open each connection with a PROXY preamble.
    pub proxy_protocol: Vec<IpNet>,
}

/// What stands behind the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `http://` or `https://`, host and port; no path.
    pub url: String,
    /// So many requests at once to guarded endpoints; below the number of PHP workers.
    pub concurrency: usize,
    /// Where a WebSocket may open on unguarded paths.
    pub websocket: bool,
    /// How long the origin may take for the head of its answer.
    pub first_byte: Duration,
}

/// The embedded queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spool {
    /// Its folder, 0700.
    pub folder: PathBuf,
    /// At most so many bytes of segments.
    pub bytes: u64,
    /// Leave so many bytes of the file system free.
    pub free: u64,
}

/// Time and size limits in front of every route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeLimits {
    /// Until a request's head is complete.
    pub header: Duration,
    /// The longest pause in a body.
    pub body_idle: Duration,
    /// The slowest body, in bytes a second, once `body_idle` has passed.
    pub body_rate_bytes_per_s: u64,
    /// Between two requests of one connection.
    pub keepalive: Duration,
    /// Until TLS is agreed.
    pub handshake: Duration,
    /// Request line and fields together.
    pub head_bytes: usize,
    /// The request line's target.
    pub target_bytes: usize,
    /// Fields of one head.
    pub fields: usize,
    /// One field's value.
    pub field_bytes: usize,
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address (IPv6: of one /64).
    pub connections_per_address: usize,
    /// All bodies of guarded requests together.
    pub bodies_bytes: usize,
    /// The longest pause in reading an answer.
    pub answer_idle: Duration,
    /// All answers over HTTP/2 together whose readers pause.
    pub answers_bytes: usize,
    /// How long a stop waits for what is in flight.
    pub drain: Duration,
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

/// The keys of one name, for one provider.
#[derive(Clone, Debug)]
pub struct KeyReference {
    /// As [`Webhook::keys`] has it: `KEYS/PROVIDER`, so that two providers may share a list and decode it each in its
    /// own way; `KEYS/verify_token` for words that validation calls say.
    pub name: String,
    /// What they are keys of.
    pub kind: KeyKind,
    /// In the order of the file.
    pub entries: Vec<KeyEntry>,
}

/// What a list of keys is for, and so how its texts are decoded.
#[derive(Clone, Debug)]
pub enum KeyKind {
    /// Signatures of this sender.
    Signatures(Arc<Provider>),
    /// Validation calls: the text itself.
    VerifyToken,
}

/// One key.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// A label; never the secret.
    pub id: String,
    /// Where it is.
    pub from: Reference,
    /// From the start of this day, UTC, it verifies nothing.
    pub retire: Option<Timestamp>,
}

/// One issuer, and where its keys are.
#[derive(Clone, Debug)]
pub struct IssuerReference {
    /// What routes call it.
    pub name: String,
    /// What it signs with.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are; never the keys.
    pub keys: IssuerKeys,
}

/// Where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerKeys {
    /// A JWK Set that is fetched, and fetched again.
    Jwks(Jwks),
    /// Public keys in PEM.
    Pem(Reference),
    /// A shared secret, or a JWK Set in a file.
    From(Reference),
}

/// A JWK Set on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// `https://`, but for this machine.
    pub url: String,
    /// It may be at an address that the internet does not reach.
    pub private: bool,
    /// How often it is fetched.
    pub refresh: Duration,
    /// How long what was fetched may be used while nothing newer can be had.
    pub stale: Duration,
}

/// How WordPress is told who shows a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityReference {
    /// Where the secret is that the gate and WordPress share.
    pub sign: Reference,
    /// WordPress's `home_url()`.
    pub audience: String,
}

/// Where a secret is; never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `env:NAME`.
    Env(String),
    /// `file:/path`; refused if others may read it.
    File(PathBuf),
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

impl KeyKind {
    /// The key of this text.
    ///
    /// # Errors
    /// [`BadKey`], which never shows the text.
    pub fn decode(&self, text: &str) -> Result<Secret, BadKey> {
        match self {
            Self::Signatures(provider) => provider.scheme.key(text),
            Self::VerifyToken => Secret::new(text.trim_ascii_end()).map_err(|_| BadKey::Empty),
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
            issuers: Vec::new(),
            identity: None,
            secret: None,
            guards: Guards::default(),
            changes_at: None,
        }
    }
}

impl Settings {
    /// Everything at its default, with one plain listener.
    pub fn new(on: SocketAddr, upstream: &str) -> Self {
        Self {
            public_url: None,
            listeners: vec![Listener { on, tls: None, http2: false, proxy_protocol: Vec::new() }],
            origin: Origin::new(upstream),
            trusted_proxies: Vec::new(),
            spool: Spool::default(),
            admin: SocketAddr::from(([127, 0, 0, 1], 9090)),
            limits: EdgeLimits::default(),
        }
    }
}

impl Origin {
    /// At its defaults: half as many requests at once as a common PHP-FPM pool has workers, and time for slow admin
    /// pages.
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), concurrency: 32, websocket: false, first_byte: Duration::from_secs(120) }
    }
}

impl Default for Spool {
    fn default() -> Self {
        Self { folder: PathBuf::from("hookwarden-spool"), bytes: 1 << 30, free: 256 << 20 }
    }
}

impl Default for EdgeLimits {
    /// CONTRACT: header 15 s, body 30 s idle and 1 KiB/s, keep-alive 75 s, handshake 10 s.
    fn default() -> Self {
        Self {
            header: Duration::from_secs(15),
            body_idle: Duration::from_secs(30),
            body_rate_bytes_per_s: 1024,
            keepalive: Duration::from_secs(75),
            handshake: Duration::from_secs(10),
            head_bytes: 64 * 1024,
            target_bytes: 8 * 1024,
            fields: 100,
            field_bytes: 16 * 1024,
            connections: 10_000,
            connections_per_address: 256,
            bodies_bytes: 256 << 20,
            answer_idle: Duration::from_secs(30),
            answers_bytes: 256 << 20,
            drain: Duration::from_secs(10),
        }
    }
}
