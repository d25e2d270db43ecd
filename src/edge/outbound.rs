//! The one way out: a request to a pinned, already resolved address, under deadlines, sent at most once.
//!
//! Only connecting is tried again. From the first byte sent the outcome is unknown until an answer comes
//! (RFC 9110 section 9.2.2: a proxy must not repeat it), whatever state the connection was in.

use super::forward::{strip_answer, strip_hop_by_hop};
use crate::{
    outbound::{Deadlines, Failure, Outbound, Request, Resolver, Response, Target},
    verdict::BoxError,
};
use bytes::{Bytes, BytesMut};
use http::{Method, Version, header};
use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, recv},
};
use pingora_core::{
    connectors::{ConnectorOptions, http::Connector},
    protocols::{ALPN, UniqueIDType, http::client::HttpSession},
    upstreams::peer::HttpPeer,
};
use pingora_http::{RequestHeader, ResponseHeader};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

const CONNECT_TRIES: usize = 2;

/// The gate's own client, on Pingora's connector. Cheap to clone; clones share the pool.
#[derive(Clone)]
pub struct PingoraOutbound {
    connector: Arc<Connector>,
}

impl std::fmt::Debug for PingoraOutbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PingoraOutbound").finish_non_exhaustive()
    }
}

/// Why a call did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("no time left to {0}")]
    Deadline(&'static str),
    #[error("the answer has no head")]
    Headless,
    #[error(transparent)]
    Pingora(#[from] Box<pingora_error::Error>),
}

impl PingoraOutbound {
    /// Keeps at most `pool_size` idle connections. Loads the system's certificate authorities, unless `ca_file`
    /// names others: build it once. [`install_crypto`](super::install_crypto) comes first.
    pub fn new(pool_size: usize, ca_file: Option<String>) -> Self {
        let options = ConnectorOptions { ca_file, ..ConnectorOptions::new(pool_size) };
        Self { connector: Arc::new(Connector::new(Some(options))) }
    }

    /// Sends `head` and `body`; framing is set here, and what belongs to one connection is taken out.
    ///
    /// # Errors
    /// [`Failure::NotSent`] if nothing left this house, else [`Failure::Unknown`].
    pub(super) async fn call(
        &self,
        target: &Target,
        mut head: RequestHeader,
        body: Bytes,
        deadlines: &Deadlines,
    ) -> Result<Streaming, Failure> {
        let until = Instant::now() + deadlines.total;
        let peer = peer(target, deadlines);
        frame(&mut head, body.len()).map_err(Failure::NotSent)?;

        let connecting = within(deadlines.connect, until, "connect", Box::pin(self.connect(&peer)));
        let mut session = connecting.await.map_err(|cause| Failure::NotSent(cause.into()))?;

        let writing = async {
            session.write_request_header(Box::new(head)).await?;
            session.write_request_body(body, true).await?;
            session.finish_request_body().await
        };
        let unknown = |cause: Cause| Failure::Unknown(cause.into());
        within(deadlines.write, until, "write", writing).await.map_err(unknown)?;

        let answering = async {
            loop {
                session.read_response_header().await?;
                match session.response_header() {
                    Some(head) if head.status.is_informational() => {}
                    head => return Ok(head.cloned()),
                }
            }
        };
        let head = within(deadlines.first_byte, until, "answer", answering).await.map_err(unknown)?;
        let mut head = head.ok_or_else(|| unknown(Cause::Headless))?;
        strip_answer(&mut head);
        Ok(Streaming {
            head,
            session: Some(session),
            peer,
            idle: deadlines.idle,
            until,
            connector: self.connector.clone(),
        })
    }

    async fn connect(&self, peer: &HttpPeer) -> pingora_error::Result<HttpSession> {
        let mut tries = 0;
        loop {
            match self.connector.get_http_session(peer).await {
                // A dead one: drop it, take the next.
                Ok((session, reused)) if reused && !session.stream().is_some_and(|stream| is_open(stream.id())) => {}
                Ok((session, _)) => return Ok(session),
                Err(error) => {
                    tries += 1;
                    if tries == CONNECT_TRIES {
                        return Err(error);
                    }
                }
            }
        }
    }
}

/// Asks the kernel. Pingora's own test (`test_reusable_stream`) asks tokio, which knows of an end only after its
/// event loop turned; on a busy thread it says "open" about a connection that is closed.
pub(super) fn is_open(socket: UniqueIDType) -> bool {
    let peeked = recv(socket, &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT);
    peeked == Err(Errno::EAGAIN) // bytes nobody asked for are as bad as the end
}

fn peer(target: &Target, deadlines: &Deadlines) -> HttpPeer {
    let name = target.tls_name.clone();
    let mut peer = HttpPeer::new(target.address, name.is_some(), name.unwrap_or_default());
    peer.options.alpn = ALPN::H1; // an h2 upstream repeats a POST by itself (pingora #979)
    peer.options.total_connection_timeout = Some(deadlines.connect);
    peer.options.idle_timeout = Some(deadlines.idle);
    peer
}

/// The body is whole, so it has a length; an `Expect` would wait for nothing.
fn frame(head: &mut RequestHeader, length: usize) -> Result<(), BoxError> {
    head.set_version(Version::HTTP_11);
    strip_hop_by_hop(head);
    if length > 0 || !matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        head.insert_header(header::CONTENT_LENGTH, length)?;
    }
    Ok(())
}

async fn within<T>(
    limit: Duration,
    until: Instant,
    what: &'static str,
    work: impl Future<Output = pingora_error::Result<T>>,
) -> Result<T, Cause> {
    let deadline = Instant::now().checked_add(limit).map_or(until, |at| at.min(until));
    Ok(timeout_at(deadline, work).await.map_err(|_| Cause::Deadline(what))??)
}

/// The head has come; the body is streamed with [`next`](Streaming::next) or taken with [`take`](Streaming::take).
/// The connection is kept only after the last byte.
pub(super) struct Streaming {
    pub(super) head: ResponseHeader,
    session: Option<HttpSession>,
    peer: HttpPeer,
    idle: Duration,
    until: Instant,
    connector: Arc<Connector>,
}

impl Streaming {
    /// The next piece of the body; `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(session) = &mut self.session else { return Ok(None) };
        let read = within(Duration::MAX, self.until, "read the answer", session.read_response_body());
        let chunk = read.await.map_err(|cause| Failure::Unknown(cause.into()))?;
        if chunk.is_none()
            && let Some(session) = self.session.take()
        {
            self.connector.release_http_session(session, &self.peer, Some(self.idle)).await;
        }
        Ok(chunk)
    }

    /// The first `most` bytes of the body. If there are more, the connection is closed on them.
    pub(super) async fn take(mut self, most: usize) -> Result<(ResponseHeader, Bytes), Failure> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.next().await? {
            whole.extend_from_slice(chunk.get(..most - whole.len()).unwrap_or(&chunk));
            if whole.len() == most {
                break;
            }
        }
        Ok((self.head, whole.freeze()))
    }
}

/// Asks the system, as everything else on it does.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

impl Outbound for PingoraOutbound {
    async fn send(
        &self,
        target: &Target,
        request: Request,
        deadlines: &Deadlines,
        answer_limit_bytes: usize,
    ) -> Result<Response, Failure> {
        let Request { method, path, headers, body } = request;
        let not_sent = |error: Box<pingora_error::Error>| Failure::NotSent(error.into());
        let mut head = RequestHeader::build(method, path.as_bytes(), Some(headers.len())).map_err(not_sent)?;
        for (name, value) in &headers {
            head.append_header(name.clone(), value.clone()).map_err(not_sent)?;
        }
        let answer = self.call(target, head, body, deadlines).await?;
        let (head, body) = answer.take(answer_limit_bytes).await?;
        Ok(Response { status: head.status, headers: head.headers.clone(), body })
    }
}
