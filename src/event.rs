//! What leaves the gate. Field names follow CloudEvents 1.0.

use crate::{clock::Timestamp, order::OrderKey, payload::Clean, repeat::RepeatKeys};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

mod cloud;

/// When a request came in, and the name it is traced by. Both are chosen by the edge.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The wall clock when the head was complete.
    pub at: Timestamp,
    /// Returned to the sender, sent to WordPress, and written into the event; also the event's id where it has no
    /// key to derive one from, so 128 random bits at least.
    pub request_id: Arc<str>,
}

/// What a destination gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A CloudEvents 1.0 document in structured JSON, with its lineage.
    #[default]
    Event,
    /// The body as it came, with its own content type.
    Verbatim,
}

impl Form {
    /// How large what a destination gets can be, of bodies of at most this size. About: a sender's own words for type and
    /// content type may be longer than is counted here.
    pub const fn largest_bytes(self, body_limit_bytes: usize) -> usize {
        let payload = match self {
            // What is no JSON goes in as base64.
            Self::Event => body_limit_bytes.div_ceil(3).saturating_mul(4),
            Self::Verbatim => body_limit_bytes,
        };
        payload.saturating_add(AROUND_BYTES)
    }

    /// The largest body of which everything fits into this.
    pub const fn fitting_bytes(self, destination_takes_bytes: usize) -> usize {
        let payload = destination_takes_bytes.saturating_sub(AROUND_BYTES);
        match self {
            Self::Event => payload / 4 * 3,
            Self::Verbatim => payload,
        }
    }

    /// As a policy writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Verbatim => "verbatim",
        }
    }
}

/// A clean document on its way.
///
/// ```compile_fail,E0624
/// fn forge(clean: &hookwarden::payload::Clean, arrival: hookwarden::event::Arrival) {
///     hookwarden::event::Event::new(clean, todo!(), arrival);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Event {
    keys: RepeatKeys,
    record: Record,
}

/// What the route adds to the document.
#[derive(Clone, Debug)]
pub struct Lineage<'a> {
    /// Digest of the policy that let it pass.
    pub policy: &'a str,
    /// The catalogue's name of the sender.
    pub provider: &'a str,
    /// What its destinations get.
    pub form: Form,
    /// The destinations, by their names in the policy.
    pub to: &'a [String],
    /// How long it stays when all of them have it.
    pub keep: Duration,
}

/// An event as a ledger keeps it and hands it back: everything that a destination needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Our own id: the same for every retry of the same event.
    pub id: String,
    /// The route's name; CloudEvents `source`.
    pub route: String,
    /// CloudEvents `type`.
    pub event_type: String,
    /// When the gate accepted it; CloudEvents `time`.
    pub accepted_at: Timestamp,
    /// The request that brought it.
    pub request_id: String,
    /// The destinations, by their names in the policy.
    pub to: Vec<String>,
    /// How long it stays for looking at and redelivery when it is settled for all of them.
    pub keep: Duration,
    /// Events with the same one are delivered one after another, in the order of acceptance.
    pub order: Option<OrderKey>,
    /// Of `payload`.
    pub content_type: String,
    /// What a destination is sent, ready to be signed.
    pub payload: Bytes,
}

/// What stands around a body: the attributes of an event, or the same in headers beside it. They have some hundred bytes;
/// what is redacted is listed there too.
const AROUND_BYTES: usize = 4096;
/// For senders that name no type.
const TYPE_UNNAMED: &str = "event";
/// For a body that came without a content type.
const CONTENT_TYPE_UNNAMED: &str = "application/octet-stream";

impl Event {
    pub(crate) fn new(clean: &Clean, lineage: &Lineage<'_>, arrival: &Arrival) -> Self {
        let keys = *clean.keys();
        let id = keys.id().unwrap_or_else(|| arrival.request_id.to_string());
        let (content_type, payload) = match lineage.form {
            Form::Event => (cloud::CONTENT_TYPE.to_owned(), cloud::document(&id, clean, lineage, arrival)),
            Form::Verbatim => (content_type(clean).to_owned(), clean.body().clone()),
        };
        let record = Record {
            id,
            route: clean.route().to_owned(),
            event_type: event_type(clean).to_owned(),
            accepted_at: arrival.at,
            request_id: arrival.request_id.to_string(),
            to: lineage.to.to_vec(),
            keep: lineage.keep,
            order: clean.order(),
            content_type,
            payload,
        };
        Self { keys, record }
    }

    /// For the contract suites of ledgers, which need no request.
    #[cfg(all(test, feature = "spool"))]
    pub(crate) fn for_tests(keys: RepeatKeys, record: Record) -> Self {
        Self { keys, record }
    }

    /// What the sender's retry is known by.
    pub fn keys(&self) -> &RepeatKeys {
        &self.keys
    }

    /// What is kept.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// What is kept, to keep it.
    pub fn into_record(self) -> Record {
        self.record
    }
}

/// CloudEvents `type`: the sender's word for it, if it has one.
pub(crate) fn event_type(clean: &Clean) -> &str {
    clean.event_type().unwrap_or(TYPE_UNNAMED)
}

fn content_type(clean: &Clean) -> &str {
    clean.head().sole(http::header::CONTENT_TYPE.as_str()).unwrap_or(CONTENT_TYPE_UNNAMED)
}
