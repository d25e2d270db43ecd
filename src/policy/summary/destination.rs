//! What a destination's confirmation is worth, in the words of the one who has to rely on it.

use crate::policy::{Destination, Durability, HostFrom, Nats, Place, Policy, Redis, SentHost, Server};
use serde::Serialize;
use std::fmt;

/// One destination in words.
#[derive(Clone, Debug, Serialize)]
pub struct DestinationSummary {
    /// Its name.
    pub name: String,
    /// What it is, and where.
    pub at: String,
    /// The Host that it is sent, and who says so; of URLs alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// When an event counts as delivered, and what that is worth.
    pub delivered: &'static str,
    /// Event types that go there; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
}

impl Policy {
    /// Every destination in words.
    pub fn destinations_summary(&self) -> Vec<DestinationSummary> {
        let public_url = self.settings.public_url.as_deref();
        self.destinations.iter().map(|destination| summarize(destination, public_url)).collect()
    }
}

fn summarize(Destination { name, place, only, .. }: &Destination, public_url: Option<&str>) -> DestinationSummary {
    let (at, delivered) = match place {
        Place::Http(http) => (http.url.clone(), "by its 2xx; it tells repeats by `webhook-id`"),
        Place::Nats(Nats { broker, stream, subject }) => {
            let servers: Vec<_> = broker.servers.iter().map(|server| url(["nats", "tls"], server)).collect();
            let at = format!("NATS JetStream at {}, stream `{stream}`, subject `{subject}`", servers.join(", "));
            let delivered = match broker.durability {
                Durability::Synced | Durability::Waited => {
                    "by the stream's acknowledgement, after its sync as you say: no server tells"
                }
                Durability::Stored => {
                    "by the stream's acknowledgement: it is in its files, and on disk when the server syncs them (every 2 \
                     minutes, unless `sync_interval` says otherwise)"
                }
                Durability::Any => "by the stream's acknowledgement, however it is kept",
            };
            (at, delivered)
        }
        Place::Redis(Redis { broker, database, stream, .. }) => {
            let servers: Vec<_> = broker.servers.iter().map(|server| url(["redis", "rediss"], server)).collect();
            let at = format!("Redis Streams at {}/{database}, stream `{stream}`", servers.join(", "));
            let delivered = match broker.durability {
                Durability::Synced => "by the answer of a server that syncs its log before it answers; looked up",
                Durability::Waited => "once the server says that its log is synced (`WAITAOF`)",
                Durability::Stored | Durability::Any => "by the server's answer, however it is kept",
            };
            (at, delivered)
        }
    };
    let host = match place {
        Place::Http(http) => Some(http.sent_host(public_url).to_string()),
        Place::Nats(_) | Place::Redis(_) => None,
    };
    DestinationSummary { name: name.clone(), at, host, delivered, only: only.written() }
}

impl fmt::Display for SentHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, from } = self;
        match from {
            HostFrom::Said => write!(f, "`{host}`, as its `host` says"),
            HostFrom::Site => write!(f, "`{host}`, that of `public_url`; `host: NAME` sends another"),
            HostFrom::Url => write!(f, "`{host}`, that of its `url`; `public_url`, or its `host: NAME`, sends another"),
        }
    }
}

fn url([plain, encrypted]: [&str; 2], Server { tls, host, port }: &Server) -> String {
    let scheme = if *tls { encrypted } else { plain };
    if host.contains(':') { format!("{scheme}://[{host}]:{port}") } else { format!("{scheme}://{host}:{port}") }
}

impl fmt::Display for DestinationSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, at, host, delivered, only } = self;
        writeln!(f, "{name}  ({at})")?;
        if let Some(host) = host {
            writeln!(f, "  host      {host}")?;
        }
        writeln!(f, "  delivered {delivered}")?;
        match only {
            Some(only) => writeln!(f, "  only      {only}"),
            None => Ok(()),
        }
    }
}
