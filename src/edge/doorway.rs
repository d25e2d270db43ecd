//! Can this head be read in one way only? Reads each request head before Pingora does: in bounded time, in bounded
//! space, and strictly. The bytes then go to Pingora's own parser uncopied (`set_pipelined_prefix`).

mod h2;
pub(super) mod head;
mod pulse;
mod stream;

pub(super) use pulse::Pulse;

use super::{
    chunks::{Chunks, Malformed},
    reply::{self, LINGER, LINGER_BYTES},
    seats::Seats,
    shutdown::stopped,
    snapshot::{Current, Snapshot},
    ticket::Desk,
    wire::Wire,
};
use crate::{outcome::Outcome, policy::EdgeLimits, verdict::Rejection};
use bytes::BytesMut;
use head::Refusal;
use pingora_core::{
    apps::{HttpPersistentSettings, HttpServerApp as _},
    protocols::{ALPN, Ssl as _, Stream, http::ServerSession},
    server::ShutdownWatch,
};
use pingora_proxy::{HttpProxy, ProxyHttp};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};

/// The client connection preface, RFC 9113 section 3.4.
const H2_PREFACE_BYTES: usize = 24;
/// A connection that serves for ever never moves to another gate.
const REQUESTS_MAX: u32 = 10_000;
/// No request starts on a connection older than this.
const AGE_MAX: Duration = Duration::from_hours(1);

/// The way from a connection to Pingora.
pub(super) struct Doorway<P> {
    proxy: Arc<HttpProxy<P>>,
    snapshot: Current,
    desk: Arc<Desk>,
    /// Places for answers of HTTP/2 that their readers let lie.
    unread: Arc<Seats>,
}

enum Arrival {
    /// Whole, and let in by these rules.
    Head(BytesMut, Arc<Snapshot>),
    /// Nobody spoke, or nobody is there any more.
    Silence,
    Refused(Refusal, BytesMut),
}

impl<P> Doorway<P>
where
    P: ProxyHttp + Send + Sync + 'static,
    P::CTX: Send + Sync,
{
    pub(super) fn new(proxy: HttpProxy<P>, snapshot: Current, desk: Arc<Desk>) -> Self {
        Self { proxy: Arc::new(proxy), snapshot, desk, unread: Arc::default() }
    }

    /// From here on answers say `Connection: close`: `is_process_shutting_down` is false until Pingora hears this,
    /// and its own listening service, which would say it, is not here.
    pub(super) async fn close(&self) {
        self.proxy.http_cleanup().await;
    }

    /// Until the connection is done.
    pub(super) async fn serve(&self, wire: Wire, peer: SocketAddr, shutdown: &ShutdownWatch) {
        match wire.selected_alpn_proto() {
            Some(ALPN::H2) => self.serve_h2(wire, peer, shutdown).await,
            _ => self.serve_h1(wire, shutdown).await,
        }
    }

    async fn serve_h1(&self, wire: Wire, shutdown: &ShutdownWatch) {
        let born = Instant::now();
        let (chunks, waited) = (wire.chunks(), wire.waited());
        let mut stream: Stream = Box::new(wire);
        let mut settings: Option<HttpPersistentSettings> = None;
        for served in 1..=REQUESTS_MAX {
            chunks.end();
            let (head, snapshot) = match self.read_head(&mut stream, &chunks, served == 1, shutdown).await {
                Arrival::Head(head, snapshot) => (head, snapshot),
                Arrival::Silence => return drop(stream.shutdown().await),
                Arrival::Refused(refusal, bytes) => return self.refuse(stream, refusal, &bytes).await,
            };
            let summary = head::summary(&head);
            let client = client(&stream);
            let mut session = ServerSession::new_http1(stream);
            match settings.take() {
                Some(settings) => settings.apply_to_session(&mut session),
                None => session.set_keepalive(Some(snapshot.limits().keepalive.as_secs().max(1))),
            }
            if served == REQUESTS_MAX || born.elapsed() > AGE_MAX || *shutdown.borrow() {
                session.set_keepalive_reuses_remaining(Some(0));
            }
            session.set_pipelined_prefix(head);
            let pulse = Pulse::new(waited.clone());
            let reused = pulse.scope(snapshot, self.proxy.process_new_http(session, shutdown)).await;
            if !pulse.is_taken() {
                self.report(head::UNREAD, summary, client);
            }
            let Some(reused) = reused else { return };
            (stream, settings) = reused.consume();
        }
    }

    async fn read_head(
        &self,
        stream: &mut Stream,
        chunks: &Chunks,
        is_first: bool,
        shutdown: &ShutdownWatch,
    ) -> Arrival {
        let mut bytes = BytesMut::with_capacity(4096);
        let (header, wait) = {
            let snapshot = self.snapshot.load();
            let limits = snapshot.limits();
            (limits.header, if is_first { limits.header } else { limits.keepalive })
        };
        let first = tokio::select! {
            biased; // a request that has arrived is served
            first = timeout(wait, stream.read_buf(&mut bytes)) => first,
            () = stopped(shutdown) => return Arrival::Silence,
        };
        if !matches!(first, Ok(Ok(1..))) {
            return Arrival::Silence;
        }
        let deadline = Instant::now() + header;
        let mut scanned = 0;
        loop {
            // A head that waits long for its end is not held to what has been replaced meanwhile.
            let snapshot = self.snapshot.load_full();
            match judge(&bytes, scanned, snapshot.limits()) {
                Err(refusal) => return Arrival::Refused(refusal, bytes),
                Ok(Some((end, chunked))) => return arrived(bytes, end, chunked.then_some(chunks), snapshot),
                Ok(None) => scanned = bytes.len(),
            }
            match timeout_at(deadline, stream.read_buf(&mut bytes)).await {
                Err(_) => return Arrival::Refused(head::TOO_SLOW, bytes),
                Ok(Ok(1..)) => {}
                Ok(_) => return Arrival::Silence,
            }
        }
    }

    async fn refuse(&self, mut stream: Stream, refusal: Refusal, bytes: &[u8]) {
        let id = self.report(refusal, head::summary(bytes), client(&stream));
        let answer = reply::raw(&reply::refused_head(refusal.status, &id), &id, bytes.starts_with(b"HEAD "));
        let _ = timeout(LINGER, async {
            stream.write_all(&answer).await?;
            AsyncWriteExt::shutdown(&mut stream).await?;
            tokio::io::copy(&mut stream.take(LINGER_BYTES as u64), &mut tokio::io::sink()).await
        })
        .await;
    }

    fn report(&self, refusal: Refusal, summary: Option<(http::Method, String)>, client: Option<IpAddr>) -> Arc<str> {
        report(&self.desk, refusal, summary, client)
    }
}

/// Where the head ends, if it has; of the bytes before `scanned` it is known that they do not end it.
fn judge(bytes: &[u8], scanned: usize, limits: &EdgeLimits) -> Result<Option<(usize, bool)>, Refusal> {
    match head::end(bytes, scanned)? {
        Some(end) if end <= limits.head_bytes => {
            head::check_h1(bytes.get(..end).unwrap_or_default(), limits).map(|chunked| Some((end, chunked)))
        }
        None if bytes.len() <= limits.head_bytes => Ok(None),
        Some(_) | None if !bytes.iter().take(limits.head_bytes).any(|byte| *byte == b'\n') => {
            Err(head::TARGET_TOO_LONG) // one endless line
        }
        Some(_) | None => Err(head::TOO_LARGE),
    }
}

/// What came with the head is the beginning of its body: the rest is followed as it is read.
fn arrived(bytes: BytesMut, end: usize, chunks: Option<&Chunks>, snapshot: Arc<Snapshot>) -> Arrival {
    let begun = chunks.map_or(Ok(()), |chunks| {
        chunks.begin();
        chunks.follow(bytes.get(end..).unwrap_or_default())
    });
    match begun {
        Ok(()) => Arrival::Head(bytes, snapshot),
        Err(Malformed) => Arrival::Refused(head::CHUNK_MALFORMED, bytes),
    }
}

fn report(
    desk: &Arc<Desk>,
    refusal: Refusal,
    summary: Option<(http::Method, String)>,
    client: Option<IpAddr>,
) -> Arc<str> {
    let mut ticket = desk.ticket();
    ticket.report.status = Some(refusal.status.as_u16());
    ticket.report.detail = Some(refusal.rule.to_owned());
    ticket.report.client = client;
    if let Some((method, path)) = summary {
        ticket.report.method = Some(method);
        ticket.report.path = path;
    }
    ticket.ends(Outcome::Rejected(Rejection::Head(refusal.rule).code()));
    ticket.request_id().clone()
}

fn client(stream: &Stream) -> Option<IpAddr> {
    let digest = stream.get_socket_digest()?;
    digest.peer_addr()?.as_inet().map(SocketAddr::ip)
}
