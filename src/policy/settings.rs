//! What the platform team decides: where to listen, what stands behind, and what all connections are held to.

mod read;

pub(super) use read::settings;

use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

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
