//! HTTP/2 connections: one task a stream, and all of them joined.

use super::{
    AGE_MAX, Doorway, H2_PREFACE_BYTES, client, head,
    pulse::Pulse,
    stream::{SEND_BUFFER_BYTES, Stream as PatientStream, Unread},
};
use crate::{
    edge::{shutdown::stopped, ticket::TurnedAway, waited::Waited, wire::Wire},
    policy::EdgeLimits,
};
use bytes::BytesMut;
use pingora_core::{
    apps::HttpServerApp as _,
    protocols::{
        Digest, Stream,
        http::{
            ServerSession,
            v2::server::{self, H2Accept, H2Options, HttpSession, default_h2_options},
        },
    },
    server::ShutdownWatch,
};
use pingora_proxy::ProxyHttp;
use std::{net::SocketAddr, pin::pin, sync::Arc};
use tokio::{
    io::AsyncReadExt as _,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

/// So many malformed requests are mistakes; more are an attack on our patience.
const MALFORMED_MAX: usize = 32;

impl<P> Doorway<P>
where
    P: ProxyHttp + Send + Sync + 'static,
    P::CTX: Send + Sync,
{
    /// Pingora's handshake waits for the preface without a deadline, so it is read here and put back.
    pub(super) async fn serve_h2(&self, mut wire: Wire, peer: SocketAddr, shutdown: &ShutdownWatch) {
        let mut preface = BytesMut::zeroed(H2_PREFACE_BYTES);
        let read = tokio::select! {
            read = timeout(self.snapshot.load().limits().header, wire.read_exact(&mut preface)) => read,
            () = stopped(shutdown) => return,
        };
        if !matches!(read, Ok(Ok(_))) {
            return self.desk.observer.turned_away(TurnedAway::Preface, peer.ip().to_canonical());
        }
        wire.begin_h2(preface);
        let mut streams = JoinSet::new();
        self.accept_h2(Box::new(wire), &mut streams, shutdown).await;
        // Whoever is still at work comes to its end: what was begun for a client that left is kept all the same.
        while streams.join_next().await.is_some() {}
    }

    async fn accept_h2(&self, stream: Stream, streams: &mut JoinSet<()>, shutdown: &ShutdownWatch) {
        let client = client(&stream);
        let digest = Arc::new(Digest {
            ssl_digest: stream.get_ssl_digest(),
            timing_digest: stream.get_timing_digest(),
            proxy_digest: stream.get_proxy_digest(),
            socket_digest: stream.get_socket_digest(),
        });
        let shaking = {
            let snapshot = self.snapshot.load();
            let limits = snapshot.limits();
            timeout(limits.header, server::handshake(stream, Some(options(limits))))
        };
        let Ok(Ok(mut connection)) = shaking.await else { return };
        let retire = Instant::now() + AGE_MAX;
        let mut idle_since = Instant::now();
        let (mut leaving, mut malformed) = (false, 0);
        let mut stop = pin!(stopped(shutdown));
        loop {
            let keepalive = self.snapshot.load().limits().keepalive;
            tokio::select! {
                biased;
                () = &mut stop, if !leaving => {
                    connection.graceful_shutdown();
                    leaving = true;
                }
                () = sleep_until(retire), if !leaving => {
                    connection.graceful_shutdown();
                    leaving = true;
                }
                // No graceful goodbye: it could hang on a peer that is gone.
                () = sleep_until(idle_since + keepalive), if streams.is_empty() => return,
                accepted = HttpSession::from_h2_conn(&mut connection, digest.clone()) => match accepted {
                    Ok(Some(H2Accept::Session(session))) => drop(streams.spawn(self.stream(session, shutdown.clone()))),
                    Ok(Some(H2Accept::Rejected)) => {
                        self.report(head::UNREAD, None, client);
                        malformed += 1;
                        if malformed == MALFORMED_MAX {
                            return;
                        }
                    }
                    Ok(None) | Err(_) => return,
                },
                Some(_) = streams.join_next() => idle_since = Instant::now(),
            }
        }
    }

    /// One request.
    fn stream(&self, session: HttpSession, shutdown: ShutdownWatch) -> impl Future<Output = ()> + use<P> {
        let (proxy, desk, snapshot) = (self.proxy.clone(), self.desk.clone(), self.snapshot.load_full());
        let client = session.client_addr().and_then(|address| address.as_inet()).map(SocketAddr::ip);
        let unread = Unread::new(self.unread.clone(), client, snapshot.limits());
        async move {
            let waited = Arc::<Waited>::default();
            let pulse = Pulse::new(waited.clone());
            let session = ServerSession::new_custom(Box::new(PatientStream::new(session, waited, unread)));
            pulse.scope(snapshot, proxy.process_new_http(session, &shutdown)).await;
            if !pulse.is_taken() {
                super::report(&desk, head::UNREAD, None, client);
            }
        }
    }
}

/// From Pingora's defaults: options of one's own lose its limits on streams and header lists.
fn options(limits: &EdgeLimits) -> H2Options {
    let mut options = default_h2_options();
    options
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(64)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(Some(64))
        .max_send_buffer_size(SEND_BUFFER_BYTES)
        .initial_window_size(256 * 1024)
        .initial_connection_window_size(1024 * 1024);
    options
}
