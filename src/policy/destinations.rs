//! Where queued events can go.

mod broker;
mod only;

pub use broker::{Broker, Durability, EVENT_ID, Nats, Redis, Server};
pub use only::Only;

use super::{
    Reference,
    notes::Notes,
    text::DestinationText,
    units::{ReferenceText, TimeText},
    url::{self, Shape},
};
use crate::json::{Node, language::listed};
use std::time::Duration;

/// Where queued events can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Its name in the policy: a label of metrics and a part of records.
    pub name: String,
    /// What it is, and where.
    pub place: Place,
    /// Which events are for it.
    pub only: Only,
    /// So many at once.
    pub concurrency: usize,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What a destination is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// WordPress, or any URL.
    Http(Http),
    /// A stream of NATS JetStream.
    Nats(Nats),
    /// A stream of Redis.
    Redis(Redis),
}

/// A URL that takes POSTs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// `http://` or `https://`, with path and query.
    pub url: String,
    /// The Host to send; absent: that of `public_url`, else that of `url`.
    pub host: Option<String>,
    /// The secret to sign with as Standard Webhooks; absent: unsigned.
    pub sign: Option<Reference>,
}

/// The Host that a destination is sent, and why that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentHost<'a> {
    /// A name or an address, and perhaps a port.
    pub host: &'a str,
    /// Who says so.
    pub from: HostFrom,
}

/// Who says which Host a destination is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFrom {
    /// Its own `host`.
    Said,
    /// The site's `public_url`.
    Site,
    /// Its own `url`.
    Url,
}

impl Http {
    /// WordPress takes a request for another site than its own for one to redirect, so a site's name goes before that of
    /// the URL by which it is reached.
    pub fn sent_host<'a>(&'a self, public_url: Option<&'a str>) -> SentHost<'a> {
        let site = || public_url.map(|url| (url::authority(url), HostFrom::Site));
        let said = self.host.as_deref().map(|host| (host, HostFrom::Said));
        let (host, from) = said.or_else(site).unwrap_or_else(|| (url::authority(&self.url), HostFrom::Url));
        SentHost { host, from }
    }
}

impl Destination {
    /// The one secret that it needs, if any: to sign with, or to log in with.
    pub fn secret(&self) -> Option<&Reference> {
        match &self.place {
            Place::Http(http) => http.sign.as_ref(),
            Place::Nats(Nats { broker, .. }) | Place::Redis(Redis { broker, .. }) => broker.secret.as_ref(),
        }
    }
}

/// The one that a route may leave out of `to`.
pub(super) const DEFAULT_DESTINATION: &str = "wordpress";

pub(super) fn destinations(notes: &mut Notes<'_>) -> Vec<Destination> {
    let mut destinations = Vec::new();
    for (name, node) in notes.members("/destinations") {
        notes.check_name(name, node);
        let Some(text) = notes.decode::<DestinationText>(node) else { continue };
        for (key, reference) in [("sign", &text.sign), ("password", &text.password), ("token", &text.token)] {
            if let Some(ReferenceText(reference)) = reference {
                notes.check_reference(reference, node.find(&format!("/{key}")));
            }
        }
        let only = only::compile(text.only.as_deref(), node, notes);
        let (concurrency, timeout) = (text.concurrency, text.timeout);
        let Some(place) = place(text, node, notes) else { continue };
        let (most, patience) = match place {
            Place::Http(_) => (CONCURRENCY, TIMEOUT),
            Place::Nats(_) | Place::Redis(_) => (BROKER_CONCURRENCY, BROKER_TIMEOUT),
        };
        let concurrency = concurrency.unwrap_or(most);
        let timeout = timeout.map_or(patience, |TimeText(time)| time);
        destinations.push(Destination { name: name.to_string(), place, only, concurrency, timeout });
    }
    destinations
}

/// A server that speaks TLS for another name than the Host it is asked for answers with 421, or as somebody else. Plain
/// HTTP is mostly the site itself, by the address at which it is reached.
pub(super) fn foreign_hosts(destinations: &[Destination], public_url: Option<&str>, notes: &mut Notes<'_>) {
    for Destination { name, place, .. } in destinations {
        let Place::Http(http) = place else { continue };
        let (sent, own) = (http.sent_host(public_url), url::authority(&http.url));
        if sent.from == HostFrom::Site && http.url.starts_with("https:") && !sent.host.eq_ignore_ascii_case(own) {
            let site = sent.host;
            let node = notes.members("/destinations").find(|(known, _)| **known == *name);
            let node = node.and_then(|(_, node)| node.find("/url"));
            notes.warn(
                node,
                format!(
                    "it is sent the Host `{site}`, that of `public_url`; if that is not its name, write `host: {own}` \
                     beside `url`, and `host: {site}` if it is"
                ),
            );
        }
    }
}

/// A quarter of a common PHP-FPM pool: visitors come first.
const CONCURRENCY: usize = 8;
/// WordPress with a full page of plugins needs seconds for an order.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Enough for a broker that syncs for many at once; after a crash so many at the most come twice.
const BROKER_CONCURRENCY: usize = 64;
/// A broker that takes longer to confirm is not well.
const BROKER_TIMEOUT: Duration = Duration::from_secs(10);

/// The keys that say what a destination is.
const KINDS: [&str; 3] = ["url", "nats", "redis"];

/// Exactly one kind, and only what belongs to it.
fn place(text: DestinationText, node: &Node, notes: &mut Notes<'_>) -> Option<Place> {
    let said: Vec<_> = KINDS.into_iter().filter(|kind| node.find(&format!("/{kind}")).is_some()).collect();
    let kind = match said.as_slice() {
        [kind] => *kind,
        [] => {
            notes.wrong(Some(node), format!("where is it? write one of {}", listed(&KINDS, ", ")));
            return None;
        }
        [first, second, ..] => {
            let second = node.find(&format!("/{second}"));
            notes.wrong(second, format!("a destination is one thing; it has `{first}` already"));
            return None;
        }
    };
    for (key, kinds) in OF_KINDS {
        if let Some(alien) = node.find(&format!("/{key}")).filter(|_| !kinds.contains(&kind)) {
            let kinds = listed(kinds, " and ");
            notes.misnamed(alien, format!("`{key}` is for {kinds}, and this destination has `{kind}`; leave it out"));
        }
    }
    match kind {
        "nats" => broker::nats(text, node, notes).map(Place::Nats),
        "redis" => broker::redis(text, node, notes).map(Place::Redis),
        _ => Some(Place::Http(http(text, node, notes))),
    }
}

/// To which kinds a key belongs; those that are not here belong to all.
const OF_KINDS: [(&str, &[&str]); 11] = [
    ("host", &["url"]),
    ("sign", &["url"]),
    ("stream", &["nats", "redis"]),
    ("subject", &["nats"]),
    ("user", &["nats", "redis"]),
    ("password", &["nats", "redis"]),
    ("token", &["nats"]),
    ("ca", &["nats", "redis"]),
    ("durability", &["nats", "redis"]),
    ("remember", &["redis"]),
    ("length", &["redis"]),
];

fn http(text: DestinationText, node: &Node, notes: &mut Notes<'_>) -> Http {
    let url = text.url.map(|url| url::read(&url.0, Shape::Whole)).transpose();
    let url = url.map_err(|why| notes.wrong(node.find("/url"), why));
    if let Some(Err(why)) = text.host.as_deref().map(url::check_authority) {
        notes.wrong(node.find("/host"), format!("{why}; write something such as `shop.example`"));
    }
    let sign = text.sign.map(|ReferenceText(sign)| sign);
    Http { url: url.unwrap_or_default().unwrap_or_default(), host: text.host, sign }
}
