//! **Hookwarden** stands in front of WordPress. Ordinary traffic streams through it unread. Webhooks that a policy
//! guards are read, verified, remembered, made durable or relayed, and answered.
//!
//! A webhook is a value that changes type as it is believed more:
//! [`Unverified`](request::Unverified) → [`Verified`](verify::Verified) → [`Clean`](payload::Clean) →
//! [`Event`](event::Event) → [`Receipt`](ledger::Receipt), and each believed type has exactly one maker.
//!
//! # The story of one request
//!
//! A sender posts to the gate. `edge` accepts the connection, speaks TLS and HTTP, and parses the request line into a
//! [`Target`](request::Target): what cannot be read surely is refused, the rest keeps its bytes. [`guard`] knows
//! which [`Route`](policy::Route) protects this target, in every spelling that WordPress accepts for it. If none
//! does, the request passes through unread (only form posts are scanned as they stream, because WordPress also routes
//! by form fields).
//!
//! Before the body is read, [`admit`] looks at the head: method, content type, declared length; and [`limit`] takes
//! one token for this address and route. Only then is the body read, up to the route's limit and deadline. It is now
//! an [`Unverified`](request::Unverified) request: complete, bounded, not believed.
//!
//! [`verify`](verify::verify) computes the signature over the exact bytes received, compares in constant time, and
//! checks the signed time against the `now` that it was given. Now the sender is known. A vendor's validation call, which
//! is no event, is answered here: a signed one after its signature held, one that nobody signs before.
//!
//! [`payload`] reads the [`json`] once, as far as the route asks for it; [`repeat`] says by what the event is
//! remembered, and [`order`] behind which other one it waits. A [look](gate::Memory::look) comes first: an event that the gate has is answered at once. Then [`limit`]
//! takes a token for the sender: neither a flood of bad signatures nor one of replays spends a good sender's quota.
//! What passes the route's checks and has lost what the policy takes out is [`Clean`](payload::Clean).
//!
//! [`event`] wraps it in CloudEvents terms, with its lineage. The [`ledger`] answers one question in one step: is
//! this event new, and is it durable now? It hands back a [`Receipt`](ledger::Receipt), or says that it was accepted
//! before. The sender gets its [`answer`] because of that, and for no other reason. [`outcome`] is one line and one
//! count, whatever happened.
//!
//! [`gate::handle`] is this story as code, and [`gate::judge`] the part of it that waits for nothing. Behind the
//! scenes `spool` keeps the log on disk and `deliver` takes events from it to their destinations.
//!
//! # As a library
//!
//! Without default features this crate is the pure core: no sockets, no files, no clock, no runtime. The proxy calls
//! exactly the functions that you would:
//!
//! ```
//! use hookwarden::{clock::Timestamp, gate, outcome::Notes, policy, request, secret::Secret, verify};
//! use std::collections::BTreeMap;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = "
//! routes:
//!   issues:
//!     at: { path: /hooks/github }
//!     sender: { provider: github, keys: github }
//!     repeats: { remember: 72h }
//!     deliver: { via: relay }
//! keys: { github: [{ id: live-2026, from: env:GITHUB }] }
//! ";
//! let now = Timestamp::from_unix_s(1_760_000_000);
//! let catalogue = verify::Catalogue::embedded();
//! let source = policy::Source::one("gate.yaml", text);
//! let policy = policy::compile(&source, &catalogue, &policy::Overrides::default(), now)?.policy;
//! let route = policy.routes.first().ok_or("one route")?;
//!
//! let webhook = route.sender.webhook().ok_or("it signs")?;
//! let secret = webhook.provider().scheme.key("It's a Secret to Everybody")?;
//! let key = verify::Key { id: "live-2026".into(), secret, retire: None };
//! let keys = verify::Keys::new(Secret::new("the gate's own")?, BTreeMap::from([(webhook.keys().into(), vec![key])]));
//!
//! let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
//! let head = request::Head {
//!     method: http::Method::POST,
//!     target: request::Target::parse("/hooks/github")?,
//!     host: "shop.example".into(),
//!     headers: [("x-hub-signature-256".parse()?, signature.parse()?)].into_iter().collect(),
//!     client: [127, 0, 0, 1].into(),
//! };
//! let request = request::Unverified { head, raw: "Hello, World!".into() };
//! let judged = gate::judge(route, &keys, &gate::NoMemory, request, now, &mut Notes::default())?;
//! assert!(matches!(judged, gate::Judged::Clean(_)));
//! # Ok(())
//! # }
//! ```
//!
//! | feature | adds |
//! |---|---|
//! | `spool` | the embedded queue: files and one writer thread |
//! | `edge` (default) | Pingora, tokio, the command line |
//! | `nats`, `redis` (default) | brokers as destinations, each with its client |

// What is printed may find nobody to read it: `cli::out` says so, and the macros panic.
#![warn(clippy::print_stdout, clippy::print_stderr)]

// values
pub mod address;
pub mod clock;
pub mod json;
pub mod secret;
pub mod verdict;

// words of the story
pub mod request;

pub mod admit;
pub mod guard;
pub mod limit;
pub mod order;
pub mod repeat;

pub mod verify;

pub mod payload;

pub mod event;
pub mod identity;
pub mod outcome;

pub mod policy;

// ports
pub mod answer;
pub mod destination;
pub mod gate;
pub mod ledger;
pub mod outbound;
pub mod rehearsal;

pub mod diagnosis;

// engines
#[cfg(feature = "edge")]
pub mod captures;
#[cfg(feature = "edge")]
pub mod deliver;
#[cfg(feature = "edge")]
pub mod keys;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "spool")]
pub mod spool;

// shell
#[cfg(feature = "edge")]
pub mod cli;
#[cfg(feature = "edge")]
pub mod control;
#[cfg(feature = "edge")]
pub mod edge;

#[cfg(test)]
mod contract;
