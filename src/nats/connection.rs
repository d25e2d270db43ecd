//! One connection. The client would reconnect by itself for ever, and hold back what is published meanwhile; here a
//! connection that has ended is over, so that a server that is down is known to be down.

use super::failure;
use crate::{
    destination::PublishError,
    policy::{Broker, Nats, Server},
    secret::Secret,
};
use async_nats::{
    Client, ConnectOptions, Event, ServerAddr, Subscriber,
    connection::State,
    jetstream::{Context, context::ContextBuilder},
};
use futures_core::Stream as _;
use std::{
    fs::File,
    future::poll_fn,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet};

/// Until there is a connection, TLS and login included.
const CONNECT: Duration = Duration::from_secs(3);
/// A server that is silent for two of these is gone: a cable was pulled, or its machine stands still.
const PING: Duration = Duration::from_secs(10);
/// Publishes that wait for the socket: more than a destination's concurrency.
const WAITING: usize = 1024;

/// The certificate authorities cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("no certificate authorities in `{}`: {why}", .path.display())]
pub struct BadAuthorities {
    path: PathBuf,
    why: std::io::Error,
}

/// Whether the stream is still the one that was looked at. Without asking: an event more would cost a round trip more.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// How often there was reason to look.
    reasons: AtomicU64,
    /// Up to which of them somebody has looked.
    looked: AtomicU64,
    /// The highest number that the stream has given to an event, as far as is known here.
    highest: AtomicU64,
}

impl Watch {
    /// It may be another one by now, or another way.
    pub(super) fn suspect(&self) {
        self.reasons.fetch_add(1, Ordering::AcqRel);
    }

    /// The reasons so far, and whether nobody has looked since the last.
    pub(super) fn suspected(&self) -> (u64, bool) {
        let reasons = self.reasons.load(Ordering::Acquire);
        (reasons, self.looked.load(Ordering::Acquire) < reasons)
    }

    /// Somebody has, for these reasons, and then this was the highest number.
    pub(super) fn looked(&self, reasons: u64, highest: u64) {
        self.highest.store(highest, Ordering::Release);
        self.looked.fetch_max(reasons, Ordering::AcqRel);
    }

    /// What an event that is sent from now on has a higher number than.
    pub(super) fn highest(&self) -> u64 {
        self.highest.load(Ordering::Acquire)
    }

    /// An event has this number that was sent when that was the highest: a stream never gives a number twice, nor a lower
    /// one, so another one took it.
    pub(super) fn numbered(&self, number: u64, highest_before: u64) {
        if number <= highest_before {
            self.suspect();
        }
        self.highest.fetch_max(number, Ordering::AcqRel);
    }
}

/// Makes connections to one cluster.
pub(super) struct Connector {
    servers: Vec<Server>,
    ca: Option<PathBuf>,
    user: Option<String>,
    secret: Option<Secret>,
    timeout: Duration,
    advisories: String,
}

/// True, or closed, once a connection has ended.
pub(super) type Ended = watch::Receiver<bool>;

/// A connection in use.
pub(super) struct Live {
    pub(super) context: Context,
    /// When the stream was looked at.
    pub(super) looked_at: Option<Instant>,
    pub(super) ended: Ended,
    pub(super) watch: Arc<Watch>,
    client: Client,
    /// Ends with the connection.
    _hears: JoinSet<()>,
}

impl Live {
    /// As the server has told it when it was connected to.
    pub(super) fn max_payload_bytes(&self) -> u64 {
        u64::try_from(self.client.max_payload()).unwrap_or(u64::MAX)
    }

    pub(super) fn is_open(&self) -> bool {
        !*self.ended.borrow() && self.client.connection_state() == State::Connected
    }
}

impl Connector {
    /// The client reads the authorities at each connection; here it is seen to that they can be read at all.
    pub(super) fn new(place: &Nats, secret: Option<&Secret>, timeout: Duration) -> Result<Self, BadAuthorities> {
        let Broker { servers, ca, user, .. } = place.broker.clone();
        if let Some(path) = &ca {
            File::open(path).map_err(|why| BadAuthorities { path: path.clone(), why })?;
        }
        let advisories = format!("$JS.EVENT.ADVISORY.STREAM.*.{}", place.stream);
        Ok(Self { servers, ca, user, secret: secret.cloned(), timeout, advisories })
    }

    /// To any server that can be reached.
    pub(super) async fn connect(&self) -> Result<Live, PublishError> {
        let servers: Result<Vec<ServerAddr>, _> = self.servers.iter().map(|server| url(server).parse()).collect();
        let servers = servers.map_err(failure::unreachable)?;
        let (tell, ended) = watch::channel(false);
        let client = self.options(tell).connect(servers).await.map_err(failure::of_connect)?;
        let context = ContextBuilder::new().timeout(self.timeout).ack_timeout(self.timeout).build(client.clone());
        let watch = Arc::<Watch>::default();
        // A login that may not hear them is sent none, and the connection goes on.
        let advisories = client.subscribe(self.advisories.clone()).await.map_err(failure::unreachable)?;
        let mut hears = JoinSet::new();
        hears.spawn(hear(advisories, watch.clone()));
        Ok(Live { context, looked_at: None, ended, watch, client, _hears: hears })
    }

    fn options(&self, tell: watch::Sender<bool>) -> ConnectOptions {
        let mut options = ConnectOptions::new()
            .name(concat!("hookwarden/", env!("CARGO_PKG_VERSION")))
            .connection_timeout(CONNECT)
            .ping_interval(PING)
            .client_capacity(WAITING)
            .max_reconnects(self.servers.len())
            .require_tls(self.servers.iter().any(|server| server.tls))
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    tell.send_replace(true);
                }
                std::future::ready(())
            });
        if let Some(ca) = &self.ca {
            options = options.add_root_certificates(ca.clone());
        }
        let secret = self.secret.as_ref().map(|secret| String::from_utf8_lossy(secret.expose()).into_owned());
        match (&self.user, secret) {
            (Some(user), secret) => options.user_and_password(user.clone(), secret.unwrap_or_default()),
            (None, Some(token)) => options.token(token),
            (None, None) => options,
        }
    }
}

/// The server says when the stream is made, changed or taken away.
/// <https://docs.nats.io/running-a-nats-service/nats_admin/monitoring/monitoring_jetstream>
async fn hear(mut advisories: Subscriber, watch: Arc<Watch>) {
    while poll_fn(|context| Pin::new(&mut advisories).poll_next(context)).await.is_some() {
        watch.suspect();
    }
}

fn url(Server { tls, host, port }: &Server) -> String {
    let scheme = if *tls { "tls" } else { "nats" };
    if host.contains(':') { format!("{scheme}://[{host}]:{port}") } else { format!("{scheme}://{host}:{port}") }
}
