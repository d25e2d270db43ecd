//! Where does WordPress stand? Its address is known before a request needs it: names are resolved in the background.

use crate::outbound::{Deadlines, Target};
use arc_swap::ArcSwap;
use http::Uri;
use pingora_core::{
    protocols::ALPN,
    upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy},
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// The first answer is waited for before anything is listened to, and a new origin's before it is one.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why `origin.url` names no origin.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// Neither `http://` nor `https://`, or no host.
    #[error("`{0}` is not a URL of an origin; write `http://host:port` or `https://host:port`")]
    Url(String),
    /// Whatever follows would be added to nothing: targets pass byte for byte.
    #[error("`{0}` has a path; an origin is scheme, host and port alone")]
    Path(String),
}

/// The origin, and its addresses of this moment.
pub(super) struct Origin {
    /// As a Host header would say it.
    pub(super) authority: String,
    host: String,
    port: u16,
    tls: bool,
    websocket: bool,
    pub(super) deadlines: Deadlines,
    /// So many calls for guarded requests at once.
    pub(super) places: Arc<Semaphore>,
    addresses: ArcSwap<Vec<SocketAddr>>,
    turn: AtomicUsize,
}

impl Origin {
    pub(super) fn new(settings: &crate::policy::Origin) -> Result<Self, OriginError> {
        let url = || OriginError::Url(settings.url.clone());
        let uri: Uri = settings.url.parse().map_err(|_| url())?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(url()),
        };
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(OriginError::Path(settings.url.clone()));
        }
        let authority = uri.authority().ok_or_else(url)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(url());
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let literal = host.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, port));
        Ok(Self {
            authority: authority.as_str().to_owned(),
            host,
            port,
            tls,
            websocket: settings.websocket,
            deadlines: deadlines(settings.first_byte),
            places: Arc::new(Semaphore::new(settings.concurrency)),
            addresses: ArcSwap::from_pointee(literal.into_iter().collect()),
            turn: AtomicUsize::default(),
        })
    }

    /// Whether there is a name to be resolved.
    fn is_named(&self) -> bool {
        self.host.parse::<IpAddr>().is_err()
    }

    /// Whether there is an address to call.
    pub(super) fn is_known(&self) -> bool {
        !self.addresses.load().is_empty()
    }

    /// Once, bounded.
    pub(super) async fn resolve_first(&self) -> io::Result<()> {
        timeout(PATIENCE, self.resolve()).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Once, for as long as the system takes.
    pub(super) async fn resolve(&self) -> io::Result<()> {
        if !self.is_named() {
            return Ok(());
        }
        let found: Vec<_> = tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect();
        if found.is_empty() {
            return Err(io::Error::other("the name has no address"));
        }
        if found != **self.addresses.load() {
            self.addresses.store(Arc::new(found));
        }
        Ok(())
    }

    /// One after another, so that a dead address of several is passed by at the next try.
    pub(super) fn next_address(&self) -> Option<SocketAddr> {
        let addresses = self.addresses.load();
        let turn = self.turn.fetch_add(usize::from(addresses.len() > 1), Ordering::Relaxed);
        addresses.get(turn.checked_rem(addresses.len())?).copied()
    }

    /// How often connecting is worth a try.
    pub(super) fn tries(&self) -> usize {
        self.addresses.load().len().clamp(2, TRIES_MAX)
    }

    /// For the gate's own client.
    pub(super) fn target(&self) -> Option<Target> {
        let address = self.next_address()?;
        Some(Target { address, tls_name: self.tls.then(|| self.host.clone()) })
    }

    /// For what streams through Pingora. Built from an address: `HttpPeer::new` with a name would resolve it,
    /// blocking, and unwrap.
    pub(super) fn peer(&self) -> Option<HttpPeer> {
        let name = if self.tls { self.host.clone() } else { String::new() };
        let mut peer = HttpPeer::new(self.next_address()?, self.tls, name);
        let options = &mut peer.options;
        options.alpn = ALPN::H1; // an h2 upstream repeats a POST by itself (pingora #979)
        options.total_connection_timeout = Some(self.deadlines.connect);
        options.connection_timeout = Some(self.deadlines.connect);
        options.read_timeout = Some(self.deadlines.first_byte);
        // As long as the head of the answer: an origin whose workers are all busy reads no body either.
        options.write_timeout = Some(self.deadlines.first_byte);
        options.idle_timeout = Some(self.deadlines.idle);
        if !self.websocket {
            options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        }
        Some(peer)
    }
}

/// More addresses than this are tried by later requests.
const TRIES_MAX: usize = 4;

fn deadlines(first_byte: Duration) -> Deadlines {
    let base = Deadlines::default();
    let (connect, write) = (base.connect, Duration::from_secs(30));
    // An answer's body that takes longer than this has no reader any more.
    let body = Duration::from_mins(1);
    Deadlines { connect, write, first_byte, total: connect + write + first_byte + body, idle: base.idle }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Result<Origin, OriginError> {
        Origin::new(&crate::policy::Origin::new(url))
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let at = |url| origin(url).unwrap().target();
        let plain = Target { address: "127.0.0.1:8080".parse().unwrap(), tls_name: None };
        assert_eq!(at("http://127.0.0.1:8080"), Some(plain));
        let secure = Target { address: "[::1]:443".parse().unwrap(), tls_name: Some("::1".into()) };
        assert_eq!(at("https://[::1]/"), Some(secure));
        assert_eq!(at("http://wordpress"), None, "not resolved yet");
        for url in ["", "127.0.0.1:80", "ftp://a", "http://", "http://user@a"] {
            assert!(matches!(origin(url), Err(OriginError::Url(_))), "{url}");
        }
        for url in ["http://a/blog", "http://a/?x"] {
            assert!(matches!(origin(url), Err(OriginError::Path(_))), "{url}");
        }
    }

    #[test]
    fn several_addresses_take_turns() {
        let origin = origin("http://wordpress:80").unwrap();
        let two: Vec<SocketAddr> = vec!["[::1]:80".parse().unwrap(), "127.0.0.1:80".parse().unwrap()];
        origin.addresses.store(Arc::new(two.clone()));
        let seen: Vec<_> = (0..4).filter_map(|_| origin.next_address()).collect();
        assert_eq!(seen, [two.clone(), two].concat());
    }
}
