//! May this connection come in? A seat first, then who it is, then TLS, all under our own deadlines.

use super::{
    doorway::Doorway,
    proxy_protocol,
    seats::{Seat, Seats},
    shutdown::stopped,
    snapshot::Current,
    ticket::{Desk, TurnedAway},
    wire::Wire,
};
use ipnet::IpNet;
use pingora_core::{
    listeners::tls::Acceptor,
    protocols::{
        GetSocketDigest as _, SocketDigest, Stream, UniqueID as _,
        l4::{socket::SocketAddr as PingoraAddr, stream::Stream as L4Stream},
    },
    server::ShutdownWatch,
};
use pingora_proxy::ProxyHttp;
use std::{
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

/// `accept` fails when file descriptors run out, and would fail again at once.
const BREATH: Duration = Duration::from_millis(100);
/// A balancer sends its preamble with the first packet.
const PREAMBLE: Duration = Duration::from_secs(3);

/// One listener, and the way from it to the doorway.
pub(super) struct Porch<P> {
    pub(super) doorway: Arc<Doorway<P>>,
    pub(super) seats: Arc<Seats>,
    pub(super) desk: Arc<Desk>,
    pub(super) tls: Option<Acceptor>,
    /// Load balancers that open each connection with a PROXY preamble; empty: nobody does.
    pub(super) balancers: Vec<IpNet>,
    /// For limits: each connection is held to those of the moment in which it comes.
    pub(super) snapshot: Current,
}

impl<P> Porch<P>
where
    P: ProxyHttp + Send + Sync + 'static,
    P::CTX: Send + Sync,
{
    /// Until `shutdown`; hands back the connections that are still open.
    pub(super) async fn receive(self: Arc<Self>, listener: TcpListener, shutdown: ShutdownWatch) -> JoinSet<()> {
        let mut guests = JoinSet::new();
        let mut stop = pin!(stopped(&shutdown));
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                // A panic has ended one connection; its ticket has reported the request as lost.
                Some(_) = guests.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((tcp, peer)) => match self.seats.take(self.snapshot.load().limits().connections) {
                        Some(seat) => drop(guests.spawn(self.clone().serve(tcp, peer, seat, shutdown.clone()))),
                        None => self.turn_away(TurnedAway::Full, peer),
                    },
                    Err(error) => {
                        tracing::error!(cause = error.to_string(), "cannot accept connections");
                        sleep(BREATH).await;
                    }
                }
            }
        }
        self.doorway.close().await;
        guests
    }

    async fn serve(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr, mut seat: Seat, shutdown: ShutdownWatch) {
        let admitted = tokio::select! {
            admitted = self.admit(tcp, peer, &mut seat) => admitted,
            () = stopped(&shutdown) => return,
        };
        match admitted {
            Ok(wire) => self.doorway.serve(wire, peer, &shutdown).await,
            Err(reason) => self.turn_away(reason, peer),
        }
    }

    fn turn_away(&self, reason: TurnedAway, peer: SocketAddr) {
        self.desk.observer.turned_away(reason, peer.ip().to_canonical());
    }

    async fn admit(&self, mut tcp: TcpStream, peer: SocketAddr, seat: &mut Seat) -> Result<Wire, TurnedAway> {
        let snapshot = self.snapshot.load_full();
        let limits = snapshot.limits();
        let client = self.client(&mut tcp, peer, limits.handshake).await.ok_or(TurnedAway::Preamble)?;
        if !seat.claim(client.ip(), limits.connections_per_address) {
            return Err(TurnedAway::AddressFull);
        }
        // Pingora's listener does it; else Nagle holds small answers back. A socket that is gone tells so when read.
        let _ = tcp.set_nodelay(true);
        let mut stream = L4Stream::from(tcp);
        let digest = SocketDigest::from_raw_fd(stream.id());
        let _ = digest.peer_addr.set(Some(PingoraAddr::Inet(client)));
        stream.set_socket_digest(digest);
        let stream: Stream = match &self.tls {
            None => Box::new(stream),
            // Pingora's own limit is 60 s, fixed.
            Some(tls) => match timeout(limits.handshake, tls.tls_handshake(stream)).await {
                Ok(Ok(stream)) => Box::new(stream),
                Ok(Err(_)) | Err(_) => return Err(TurnedAway::Handshake),
            },
        };
        Ok(Wire::new(stream))
    }

    async fn client(&self, tcp: &mut TcpStream, peer: SocketAddr, patience: Duration) -> Option<SocketAddr> {
        let canonical = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        if self.balancers.is_empty() {
            return Some(canonical);
        }
        if !self.balancers.iter().any(|net| net.contains::<&IpAddr>(&canonical.ip())) {
            return None; // whoever may write a preamble may claim any address
        }
        let announced = timeout(PREAMBLE.min(patience), proxy_protocol::read(tcp)).await.ok()?.ok()?;
        Some(announced.map_or(canonical, |client| SocketAddr::new(client.ip().to_canonical(), client.port())))
    }
}
