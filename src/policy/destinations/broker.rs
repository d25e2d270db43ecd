//! A stream of a broker: where, as whom, and what its confirmation must be worth.

use crate::{
    json::Node,
    policy::{
        Reference,
        notes::Notes,
        text::{DestinationText, DurabilityText},
        units::{ReferenceText, TimeText},
        url,
    },
};
use std::{path::PathBuf, time::Duration};

/// What brokers have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// One of them is asked; the others if it cannot be reached.
    pub servers: Vec<Server>,
    /// A PEM file with the authorities that may vouch for a server; absent: the system's.
    pub ca: Option<PathBuf>,
    /// The name to log in with.
    pub user: Option<String>,
    /// The password or token to log in with.
    pub secret: Option<Reference>,
    /// What a confirmation has to be worth.
    pub durability: Durability,
}

/// One server of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Speak TLS.
    pub tls: bool,
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A stream of NATS JetStream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nats {
    /// Where, and as whom.
    pub broker: Broker,
    /// The stream that must take what is published.
    pub stream: String,
    /// What is published to; with [`EVENT_ID`] in it each event has one of its own.
    pub subject: String,
}

/// A stream of Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    /// Where, and as whom.
    pub broker: Broker,
    /// The number of the database.
    pub database: u16,
    /// The stream's key.
    pub stream: String,
    /// How long the server knows an event again that it has.
    pub remember: Duration,
    /// About so many entries are kept, and the oldest are lost; absent: all.
    pub length: Option<u64>,
}

/// What a broker's confirmation is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is on disk. Of Redis that is looked up; of NATS it is the operator's word, because no server tells.
    Synced,
    /// Redis 7.2 and later: asked for after each event (`WAITAOF`), however the server syncs otherwise.
    Waited,
    /// It is in a file, which the server syncs when it likes. NATS only, looked up.
    Stored,
    /// Whatever the server's is.
    Any,
}

/// As long as a forwarder may try the same event: 75 hours and a half.
const REMEMBER: Duration = Duration::from_secs(76 * 3600);
/// Stands in a subject for the id of the event.
pub const EVENT_ID: &str = "{id}";
/// NATS' own limit, and far below that of Redis.
const NAME_MAX_BYTES: usize = 255;

pub(super) fn nats(text: DestinationText, node: &Node, notes: &mut Notes<'_>) -> Option<Nats> {
    let urls = text.nats.clone().map(|url| url.0).unwrap_or_default();
    let servers = servers(&urls, ["nats", "tls"], 4222, node.find("/nats"), notes);
    let stream = text.stream.as_deref().filter(|name| is_nats_name(name)).map(str::to_owned);
    if stream.is_none() {
        let message = "which stream must take the events? write its name, as in `stream: ORDERS`";
        notes.wrong(node.find("/stream").or(Some(node)), message);
    }
    let subject = text.subject.as_deref().filter(|subject| is_subject(subject)).map(str::to_owned);
    if subject.is_none() {
        let message = "where to publish? write a subject of the stream without wildcards, as in `subject: shop.orders`";
        notes.wrong(node.find("/subject").or(Some(node)), message);
    }
    let durability = match text.durability {
        None => Durability::Stored,
        Some(DurabilityText::Synced) => Durability::Synced,
        Some(DurabilityText::Any) => Durability::Any,
        Some(DurabilityText::Waited) => {
            let message = "NATS cannot be asked to wait for a sync; write `synced` if its servers have \
                           `sync_interval: always`, or leave this out";
            notes.wrong(node.find("/durability"), message);
            Durability::Stored
        }
    };
    if let (Some(_), Some(token)) = (&text.user, node.find("/token")) {
        notes.misnamed(token, "a token is for those without a name; write `password`, or leave `user` out");
    }
    if text.user.is_none() && text.password.is_some() {
        notes.wrong(node.find("/password"), "whose password is it? write `user` too");
    }
    let broker = broker(text, servers?.into_iter().map(|(server, _)| server).collect(), durability, node, notes);
    Some(Nats { broker, stream: stream?, subject: subject? })
}

pub(super) fn redis(text: DestinationText, node: &Node, notes: &mut Notes<'_>) -> Option<Redis> {
    let url = text.redis.clone().map(|url| url.0).unwrap_or_default();
    let place = node.find("/redis");
    let servers = servers(&url, ["redis", "rediss"], 6379, place, notes);
    let server = servers.and_then(|mut servers| {
        if servers.len() > 1 {
            notes.wrong(place, "several servers of Redis are no cluster here; name the one that takes writes");
        }
        servers.pop()
    });
    let database = server.as_ref().and_then(|(_, path)| {
        let number = if path.is_empty() { Some(0) } else { path.parse().ok().filter(|_| !path.starts_with('+')) };
        if number.is_none() {
            let example = "write something such as `redis://127.0.0.1:6379/2`";
            notes.wrong(place, format!("only the number of a database may follow the port; {example}"));
        }
        number
    });
    let fits = |key: &&String| !key.is_empty() && key.len() <= NAME_MAX_BYTES;
    let stream = text.stream.as_ref().filter(fits).cloned();
    if stream.is_none() {
        notes.wrong(node.find("/stream").or(Some(node)), "which stream? write its key, as in `stream: shop:orders`");
    }
    let durability = match text.durability {
        None | Some(DurabilityText::Synced) => Durability::Synced,
        Some(DurabilityText::Waited) => Durability::Waited,
        Some(DurabilityText::Any) => Durability::Any,
    };
    if text.user.is_some() && text.password.is_none() {
        notes.wrong(node.find("/user"), "a user logs in with a password; write `password` too");
    }
    let (remember, length) = (text.remember.map_or(REMEMBER, |TimeText(time)| time), text.length);
    if remember < REMEMBER && text.remember.is_some() {
        let message = "an event may be tried for 75 hours and a half; one that is repeated later than this comes twice";
        notes.warn(node.find("/remember"), message);
    }
    let (server, _) = server?;
    let broker = broker(text, vec![server], durability, node, notes);
    Some(Redis { broker, database: database?, stream: stream?, remember, length })
}

fn broker(
    text: DestinationText,
    servers: Vec<Server>,
    durability: Durability,
    node: &Node,
    notes: &mut Notes<'_>,
) -> Broker {
    let DestinationText { ca, user, password, token, .. } = text;
    let ca = ca.map(PathBuf::from);
    if ca.as_ref().is_some_and(|path| !path.is_absolute()) {
        notes.wrong(node.find("/ca"), "write the whole path, as in `/etc/hookwarden/nats-ca.pem`");
    }
    if ca.is_some() && servers.iter().all(|server| !server.tls) {
        notes.wrong(node.find("/ca"), "nobody has to vouch where no TLS is spoken; write `tls://` or `rediss://`");
    }
    if (password.is_some() || token.is_some()) && servers.iter().any(|server| !server.tls && !server.is_here()) {
        let place = node.find("/password").or_else(|| node.find("/token"));
        notes.warn(place, "it goes over the network in clear text; speak TLS to this server");
    }
    if user.as_deref() == Some("") {
        notes.wrong(node.find("/user"), "write a name, or leave this out");
    }
    let secret = password.or(token).map(|ReferenceText(secret)| secret);
    Broker { servers, ca, user, secret, durability }
}

impl Server {
    /// Whether nobody but this machine sees what is said.
    fn is_here(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

/// One URL, or several with commas between them, and what follows the port of each. `None` where something was told.
fn servers(
    urls: &str,
    [plain, tls]: [&str; 2],
    port: u16,
    node: Option<&Node>,
    notes: &mut Notes<'_>,
) -> Option<Vec<(Server, String)>> {
    let read = |url: &str| {
        let wrong = |what: &str| format!("{what}; write something such as `{tls}://{plain}.example:{port}`");
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("scheme or host is missing"))?;
        if scheme != plain && scheme != tls {
            return Err(wrong(&format!("the scheme is neither `{plain}` nor `{tls}`")));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("a user or a password must not stand in a URL; write `user` and `password`".to_owned());
        }
        url::check_authority(authority).map_err(|what| wrong(&what))?;
        let parsed: http::uri::Authority = authority.parse().map_err(|_| wrong("this is not a host"))?;
        let host = parsed.host().trim_matches(['[', ']']).to_owned();
        Ok((Server { tls: scheme == tls, host, port: parsed.port_u16().unwrap_or(port) }, path.to_owned()))
    };
    let servers: Result<Vec<_>, _> = urls.split(',').map(|url| read(url.trim())).collect();
    let servers = servers.map_err(|why| notes.wrong(node, why)).ok()?;
    if servers.iter().any(|(_, path)| !path.is_empty()) && plain == "nats" {
        notes.wrong(node, "nothing may follow host and port");
        return None;
    }
    if servers.iter().any(|(server, _)| server.tls) && servers.iter().any(|(server, _)| !server.tls) {
        notes.wrong(node, "some of these servers would be spoken to in clear text; write the same scheme for all");
        return None;
    }
    Some(servers)
}

/// <https://docs.nats.io/nats-concepts/jetstream/streams>: no blanks, dots, wildcards or slashes.
fn is_nats_name(name: &str) -> bool {
    let odd = |letter: char| !letter.is_ascii_graphic() || ".*>/\\".contains(letter);
    !name.is_empty() && name.len() <= NAME_MAX_BYTES && !name.contains(odd)
}

/// <https://docs.nats.io/nats-concepts/subjects>: words with dots between them. `$` begins what servers keep for
/// themselves.
fn is_subject(subject: &str) -> bool {
    let odd = |letter: char| !letter.is_ascii_graphic() || "*>{}".contains(letter);
    let words = !subject.split('.').any(str::is_empty);
    let ids = subject.split('.').filter(|word| *word == EVENT_ID).count();
    let subject = if ids == 1 { subject.replace(EVENT_ID, "id") } else { subject.to_owned() };
    words && !subject.starts_with('$') && subject.len() <= NAME_MAX_BYTES && !subject.contains(odd)
}
