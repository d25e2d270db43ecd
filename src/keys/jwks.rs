//! Which keys does an issuer publish? One fetch of a JWK Set.

use crate::{
    clock::Timestamp,
    outbound::{Deadlines, Failure, Outbound, PATIENCE, Place, Request, Resolver, Unreachable},
    policy::Jwks,
    verify::jwt::{Algorithm, BadKeySet, KeySet, SET_MAX_BYTES, Skipped},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use std::{io, net::SocketAddr, time::Duration};
use tokio::time::timeout;

/// Why there are no newer keys. Those that are there stay.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The policy's URL cannot be used.
    #[error("its URL cannot be used")]
    Url,
    /// The name has no address, or none in time.
    #[error("its name does not resolve")]
    Name(#[source] io::Error),
    /// It leads into somebody's own network.
    #[error("`{0}` is not on the internet; if that is where it should be, write `private: allow`")]
    NotPublic(SocketAddr),
    /// No answer.
    #[error("it did not answer")]
    Send(#[source] Failure),
    /// A redirect, an error: anything but a set.
    #[error("it answered with the status {}, and nothing but 200 is a set", .0.as_u16())]
    Status(StatusCode),
    /// What came is no certificate.
    #[error("what it answered is no certificate")]
    Certificate,
    /// Nobody whom this machine believes vouches for it.
    #[error("no authority of this machine vouches for that certificate and its name")]
    Chain,
    /// What came is no set of keys.
    #[error("what it answered cannot be used")]
    Set(#[from] BadKeySet),
}

impl From<Unreachable> for FetchError {
    fn from(why: Unreachable) -> Self {
        match why {
            Unreachable::Name(why) => Self::Name(why),
            Unreachable::NotPublic(address) => Self::NotPublic(address),
        }
    }
}

/// Asks once. `now` is when the keys were good at least.
pub(super) async fn fetch<O: Outbound, R: Resolver>(
    outbound: &O,
    resolver: &R,
    jwks: &Jwks,
    algorithms: &[Algorithm],
    now: Timestamp,
) -> Result<(KeySet, Vec<Skipped>), FetchError> {
    let body = get(outbound, resolver, &jwks.url, jwks.private, SETS, SET_MAX_BYTES).await?;
    Ok(KeySet::fetched(&body, algorithms, now, jwks.stale)?)
}

const SETS: &str = "application/jwk-set+json, application/json";

/// What stands at this URL, and one byte more than `most` at most.
pub(super) async fn get<O: Outbound, R: Resolver>(
    outbound: &O,
    resolver: &R,
    url: &str,
    private: bool,
    accept: &'static str,
    most: usize,
) -> Result<Bytes, FetchError> {
    let (place, request) = question(url, private, accept).ok_or(FetchError::Url)?;
    let target = timeout(PATIENCE, place.pin(resolver)).await;
    let target = target.unwrap_or_else(|_| Err(Unreachable::Name(io::ErrorKind::TimedOut.into())))?;
    // The next time is minutes away.
    let deadlines = Deadlines::of_a_fetch(Duration::ZERO);
    let answer = outbound.send(&target, request, &deadlines, most + 1).await.map_err(FetchError::Send)?;
    if answer.status != StatusCode::OK {
        return Err(FetchError::Status(answer.status));
    }
    Ok(answer.body)
}

/// A URL, taken apart.
fn question(url: &str, private: bool, accept: &'static str) -> Option<(Place, Request)> {
    let uri: Uri = url.parse().ok()?;
    let tls = uri.scheme_str()? == "https";
    let authority = uri.authority()?;
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_str(authority.as_str()).ok()?);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("hookwarden/", env!("CARGO_PKG_VERSION"))));
    headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let request = Request { method: Method::GET, path, headers, body: Bytes::new() };
    Some((Place { host, port, tls, private }, request))
}

#[cfg(test)]
mod tests;
