//! A bounded request to somewhere else: pinned address, deadlines, whole bodies, sent at most once.

mod place;

pub use crate::address::is_public;
pub use place::{PATIENCE, Place, Unreachable};

use crate::verdict::BoxError;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use std::{io, net::SocketAddr, time::Duration};

/// Where to, decided before: nothing behind this port resolves a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The address that is connected to.
    pub address: SocketAddr,
    /// The name that the certificate must carry; `None` is plain HTTP.
    pub tls_name: Option<String>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query, byte for byte.
    pub path: String,
    /// Fields, `Host` among them; framing fields are set behind the port.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

/// One answer, whole.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its fields, without those that belong to the connection.
    pub headers: HeaderMap,
    /// Its body, up to the limit that was asked for.
    pub body: Bytes,
}

/// How long each part may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Until there is a connection, TLS included.
    pub connect: Duration,
    /// Until the request is written.
    pub write: Duration,
    /// From then until the head of the answer.
    pub first_byte: Duration,
    /// From the call to the last byte of the answer.
    pub total: Duration,
    /// How long an idle connection is kept: below the other side's keep-alive (Apache 5 s), so that a dead one is
    /// rare.
    pub idle: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(3), write: seconds(10), first_byte: seconds(60), total: seconds(90), idle: seconds(3) }
    }
}

/// What is known about the request, not only what went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing left this house: safe to try again.
    #[error("not sent")]
    NotSent(#[source] BoxError),
    /// The other side may have acted on it (RFC 9110 section 9.2.2: a proxy must not repeat it).
    #[error("outcome unknown")]
    Unknown(#[source] BoxError),
}

/// Port: which addresses a name has at this moment.
pub trait Resolver: Send + Sync {
    /// All of them, in the order of whoever was asked.
    fn resolve(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// Port: the one way out.
pub trait Outbound: Send + Sync {
    /// Sends at most once; reads at most `answer_limit_bytes` of the answer's body.
    fn send(
        &self,
        target: &Target,
        request: Request,
        deadlines: &Deadlines,
        answer_limit_bytes: usize,
    ) -> impl Future<Output = Result<Response, Failure>> + Send;
}
