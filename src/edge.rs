//! The shell that listens: the only module that names Pingora. In the order in which a connection meets it:
//!
//! `accept` takes a connection if its address has a seat left, learns the client's address from a PROXY preamble
//! where a trusted load balancer sends one, and lets `tls` shake hands under a deadline. The `doorway` reads each
//! request head itself, strictly and in bounded time, and gives the bytes to Pingora. In `gateway` ordinary traffic
//! streams through, with the header rules of `forward`; a guarded request is read by `body`, goes through
//! [`gate::handle`](crate::gate::handle), and is either kept by an [`Engine`] or passed on by `relay` over the one
//! client there is, `outbound`; one that has `shown` a token, and of whose body nothing is asked, streams. Of a route that is `observed` whole it streams through too, and what it would have come to
//! is judged afterwards. Each request ends in one [`Report`]. [`Edge`] starts all this and drains it.

mod accept;
mod arming;
mod body;
mod chunks;
mod client;
mod doorway;
mod engine;
mod escort;
mod forward;
mod frames;
mod gateway;
mod guarded;
mod observed;
mod origin;
mod outbound;
mod proxy_protocol;
mod relay;
mod reload;
mod reply;
mod resolving;
mod seats;
mod shown;
mod shutdown;
mod snapshot;
mod ticket;
mod tls;
mod vendor;
mod waited;
mod wire;

pub use arming::{Armed, Arming, Handovers, Offer};
pub use engine::{Engine, NoEngine};
pub use origin::OriginError;
pub use outbound::{PingoraOutbound, SystemResolver};
pub use reload::{Prepared, ReloadError};
pub use ticket::{Alarm, CLIENT_LEFT, Observer, Report, Took, TurnedAway};
pub use tls::{CertificateError, CryptoTaken, check_certificates, install_crypto};

use crate::{
    captures::Captures,
    clock::Clock,
    policy::{Listener, Policy},
    verify::Keys,
};
use accept::Porch;
use arc_swap::ArcSwap;
use doorway::Doorway;
use gateway::Gateway;
use guarded::{Guarded, Limiter};
use observed::Shadow;
use origin::Origin;
use pingora_core::{apps::HttpServerOptions, server::configuration::ServerConf};
use pingora_proxy::http_proxy;
use relay::Relay;
use seats::Seats;
use snapshot::{Current, Snapshot};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use ticket::Desk;
use tls::{Certificates, Fresh};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, interval, timeout_at},
};

/// Everything that an edge is started with.
#[expect(missing_debug_implementations, reason = "the keys hold secrets")]
pub struct Config<E> {
    /// The rules. Listeners are taken from it once; [`Edge::replace`] swaps the rest.
    pub policy: Arc<Policy>,
    /// The keys of this moment.
    pub keys: Arc<Keys>,
    /// Where events are kept; [`NoEngine`] for a gate without routes.
    pub engine: E,
    /// Who hears what happened.
    pub observer: Arc<dyn Observer>,
    /// When requests came in.
    pub clock: Arc<dyn Clock>,
    /// The client for what is relayed; may be shared with whatever else goes out.
    pub outbound: PingoraOutbound,
    /// Certificate authorities for an origin over TLS; the system's if absent.
    pub ca_file: Option<String>,
    /// Where refused requests are kept, for routes that say so.
    pub captures: Option<Captures>,
    /// What becomes of keys that vendors hand over; without it none is taken.
    pub handovers: Option<Handovers>,
}

/// Why an edge does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// `install_crypto` was not called, or came too late.
    #[error(transparent)]
    Crypto(#[from] CryptoTaken),
    /// The origin's URL.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// A listener's certificates.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    /// The certificates do not go with the cryptography.
    #[error("cannot speak TLS on `{on}`")]
    Tls {
        /// The listener.
        on: SocketAddr,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The address is taken, not ours, or needs a privilege.
    #[error("cannot listen on `{on}`")]
    Listen {
        /// The listener.
        on: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A running edge. Dropped without [`stop`](Self::stop) it goes on until its runtime ends.
#[expect(missing_debug_implementations, reason = "its parts are Pingora's")]
pub struct Edge {
    addresses: Vec<SocketAddr>,
    seats: Arc<Seats>,
    desk: Arc<Desk>,
    snapshot: Current,
    doors: Vec<Door>,
    stop: watch::Sender<bool>,
    accept: Vec<JoinHandle<JoinSet<()>>>,
    background: JoinSet<()>,
    busy: mpsc::Receiver<()>,
}

/// One listener, as it was opened.
struct Door {
    listener: Listener,
    certificates: Option<Arc<Certificates>>,
}

/// What a stop found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that the deadline cut.
    pub cut: usize,
    /// Nothing works on a request any more, late answers included.
    pub idle: bool,
}

/// Changes of certificate files are seen this often.
const CERTIFICATES_LOOK: Duration = Duration::from_secs(3);
/// Connections to the origin that are kept for the next request, for what streams through.
const ORIGIN_POOL: usize = 256;

impl Edge {
    /// Binds every listener of the policy and serves. On a Tokio runtime.
    ///
    /// # Errors
    /// A busy port is one, at once; Pingora would try for 30 s and then panic in a task.
    pub async fn start<E: Engine>(config: Config<E>) -> Result<Self, StartError> {
        install_crypto()?;
        let settings = config.policy.settings.clone();
        let origin = Origin::new(&settings.origin)?;
        let desk = Desk::new(config.observer.clone());
        let (stop, shutdown) = watch::channel(false);
        let (busy, last) = mpsc::channel(1);
        let seats = Arc::new(Seats::default());

        // All addresses and certificates first: an edge listens everywhere or nowhere.
        let mut bound_doors = Vec::new();
        for listener in settings.listeners {
            let on = listener.on;
            let certificates = listener.tls.clone().map(Fresh::read).transpose()?.map(Certificates::new);
            let acceptor = certificates.clone().map(|certificates| tls::acceptor(certificates, listener.http2));
            let acceptor = acceptor.transpose().map_err(|source| StartError::Tls { on, source })?;
            let bound = TcpListener::bind(on).await.and_then(|bound| Ok((bound.local_addr()?, bound)));
            let (address, bound) = bound.map_err(|source| StartError::Listen { on, source })?;
            bound_doors.push((address, bound, acceptor, Door { listener, certificates }));
        }
        if let Err(error) = origin.resolve_first().await {
            // No reason not to start: the queue is needed most when the origin is away.
            desk.observer.alarm(&Alarm::OriginName(error));
        }

        let snapshot = Snapshot {
            policy: config.policy.clone(),
            keys: config.keys.clone(),
            origin: Arc::new(origin),
            room: body::Room::new(settings.limits.bodies_bytes),
        };
        let snapshot = Arc::new(ArcSwap::from_pointee(snapshot));
        let doorway = Arc::new(doorway(config, &desk, &snapshot, busy));
        let (mut addresses, mut doors, mut accept) = (Vec::new(), Vec::new(), Vec::new());
        for (address, bound, tls, door) in bound_doors {
            let (doorway, seats, desk, snapshot) = (doorway.clone(), seats.clone(), desk.clone(), snapshot.clone());
            let porch = Porch { doorway, seats, desk, tls, balancers: door.listener.proxy_protocol.clone(), snapshot };
            accept.push(spawn(Arc::new(porch).receive(bound, shutdown.clone())));
            addresses.push(address);
            doors.push(door);
        }
        let mut background = JoinSet::new();
        background.spawn(resolving::keep_resolving(snapshot.clone(), desk.clone()));
        let watched: Vec<_> = doors.iter().filter_map(|door| door.certificates.clone()).collect();
        if !watched.is_empty() {
            background.spawn(watch_certificates(watched, desk.clone()));
        }
        Ok(Self { addresses, seats, desk, snapshot, doors, stop, accept, background, busy: last })
    }

    /// Where it listens, in the order of the policy's listeners.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.seats.in_use()
    }

    /// No new connections; idle ones close; requests and late answers have `within` to finish.
    pub async fn stop(mut self, within: Duration) -> Drained {
        let deadline = Instant::now() + within;
        let _ = self.stop.send(true);
        self.background.shutdown().await;
        let mut guests = Vec::new();
        for accept in self.accept {
            guests.push(accept.await.unwrap_or_default());
        }
        for guests in &mut guests {
            while let Ok(Some(_)) = timeout_at(deadline, guests.join_next()).await {}
        }
        self.desk.cutting.store(true, Ordering::Release);
        let cut = guests.iter().map(JoinSet::len).sum();
        for mut guests in guests {
            guests.shutdown().await;
        }
        // Every request holds the gateway and every call a clone of `busy`: the channel ends with the last of them.
        let idle = timeout_at(deadline, self.busy.recv()).await.is_ok();
        Drained { cut, idle }
    }
}

#[expect(clippy::disallowed_methods, reason = "the accept loops; `Edge::stop` joins them")]
fn spawn(receive: impl Future<Output = JoinSet<()>> + Send + 'static) -> JoinHandle<JoinSet<()>> {
    tokio::spawn(receive)
}

fn doorway<E: Engine>(
    config: Config<E>,
    desk: &Arc<Desk>,
    snapshot: &Current,
    busy: mpsc::Sender<()>,
) -> Doorway<Gateway<E>> {
    let Config { engine, outbound, clock, captures, .. } = config;
    let relay = Relay { engine, outbound, desk: desk.clone(), busy };
    let guarded = Guarded { limiter: Limiter::new(), relay: Arc::new(relay), captures, handovers: config.handovers };
    let gateway = Gateway { snapshot: snapshot.clone(), desk: desk.clone(), clock, guarded, shadow: Shadow::new() };
    let conf = ServerConf {
        max_retries: 16, // the gateway counts by itself: dead connections of the pool are no failures
        ca_file: config.ca_file,
        upstream_keepalive_pool_size: ORIGIN_POOL,
        ..ServerConf::default()
    };
    let mut proxy = http_proxy(&Arc::new(conf), gateway);
    // h2c stays off: it waits for 24 bytes without a deadline
    proxy.server_options = Some(HttpServerOptions::default());
    Doorway::new(proxy, snapshot.clone(), desk.clone())
}

async fn watch_certificates(certificates: Vec<Arc<Certificates>>, desk: Arc<Desk>) {
    let mut look = interval(CERTIFICATES_LOOK);
    loop {
        look.tick().await;
        for certificates in &certificates {
            if let Err(error) = certificates.reload_if_changed() {
                desk.observer.alarm(&Alarm::Certificates(error));
            }
        }
    }
}
