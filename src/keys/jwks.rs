//! Which keys does an issuer publish? One fetch of a JWK Set: a name resolved once, an address that may be asked, one
//! request to that address, a bounded answer. Nothing else is followed.

use crate::{
    clock::Timestamp,
    outbound::{Deadlines, Failure, Outbound, Request, Resolver, Target, is_public},
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

/// A set that is not here by then is tried for again.
const PATIENCE: Duration = Duration::from_secs(2);

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
    let mut place = Place::of(url).ok_or(FetchError::Url)?;
    place.request.headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
    let target = place.target(resolver, private).await?;
    let deadlines = Deadlines {
        connect: PATIENCE,
        write: PATIENCE,
        first_byte: PATIENCE,
        total: PATIENCE,
        // The next time is minutes away.
        idle: Duration::ZERO,
    };
    let answer = outbound.send(&target, place.request, &deadlines, most + 1).await.map_err(FetchError::Send)?;
    if answer.status != StatusCode::OK {
        return Err(FetchError::Status(answer.status));
    }
    Ok(answer.body)
}

/// A URL, taken apart.
struct Place {
    host: String,
    port: u16,
    tls: bool,
    request: Request,
}

impl Place {
    fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let tls = uri.scheme_str()? == "https";
        let authority = uri.authority()?;
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(authority.as_str()).ok()?);
        headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("hookwarden/", env!("CARGO_PKG_VERSION"))));
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Some(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            request: Request { method: Method::GET, path, headers, body: Bytes::new() },
        })
    }

    /// The address that was looked at is the one that is connected to: a name that leads elsewhere a moment later gains
    /// nothing by it.
    async fn target(&self, resolver: &impl Resolver, private: bool) -> Result<Target, FetchError> {
        let found = timeout(PATIENCE, resolver.resolve(&self.host, self.port)).await;
        let found = found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(FetchError::Name)?;
        let first = found.first().copied();
        let address = found.into_iter().find(|address| private || is_public(address.ip()));
        match (address, first) {
            (Some(address), _) => Ok(Target { address, tls_name: self.tls.then(|| self.host.clone()) }),
            (None, Some(other)) => Err(FetchError::NotPublic(other)),
            (None, None) => Err(FetchError::Name(io::Error::other("the name has no address"))),
        }
    }
}

#[cfg(test)]
mod tests;
