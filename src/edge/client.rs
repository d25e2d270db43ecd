//! Who asks, and how? The connection's peer, or what a trusted proxy says of it.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// What is known of the client's side of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Client {
    /// Without a port; v4-mapped addresses unwrapped.
    pub(super) address: IpAddr,
    /// Whether the client speaks TLS, to us or to the trusted proxy before us.
    pub(super) tls: bool,
    /// The peer is a trusted proxy: what else it says is kept.
    pub(super) trusted: bool,
}

/// Fewer hops than a sane chain has, so that a long list costs nothing.
const HOPS_MAX: usize = 32;

impl Client {
    /// Believes `X-Forwarded-For` and `X-Forwarded-Proto` only from a trusted peer, and of the former only the
    /// right-most address that is not a trusted proxy's: everything to its left is the client's own word.
    pub(super) fn of(peer: IpAddr, tls: bool, headers: &HeaderMap, trusted_proxies: &[IpNet]) -> Self {
        let is_trusted = |address: &IpAddr| trusted_proxies.iter().any(|net| net.contains(address));
        let peer = peer.to_canonical();
        if !is_trusted(&peer) {
            return Self { address: peer, tls, trusted: false };
        }
        let mut address = peer;
        let values: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        let hops = values.iter().rev().flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops.take(HOPS_MAX) {
            let Some(named) = address_of(hop) else { break };
            address = named;
            if !is_trusted(&named) {
                break;
            }
        }
        let mut said = headers.get_all("x-forwarded-proto").iter();
        let is = |scheme: &[u8], said: &http::HeaderValue| said.as_bytes().eq_ignore_ascii_case(scheme);
        let tls = match (said.next(), said.next()) {
            (Some(said), None) if is(b"https", said) => true,
            (Some(said), None) if is(b"http", said) => false,
            _ => tls,
        };
        Self { address, tls, trusted: true }
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

/// `1.2.3.4`, `1.2.3.4:567`, `::1` or `[::1]:567`.
fn address_of(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded_for: &[&str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for value in forwarded_for {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/64".parse().unwrap()];
        Client::of(peer.parse().unwrap(), false, &headers, &trusted).address
    }

    #[test]
    fn the_right_most_untrusted_address_is_the_client() {
        for (peer, forwarded_for, expected) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["[2001:db9::1]:80"], "2001:db9::1"),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
        ] {
            assert_eq!(client(peer, forwarded_for), expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded_for:?}");
        }
    }

    #[test]
    fn a_trusted_proxy_says_whether_the_client_spoke_tls() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let tls = |peer: &str, said: &str| {
            let headers = HeaderMap::from_iter([("x-forwarded-proto".parse().unwrap(), said.parse().unwrap())]);
            Client::of(peer.parse().unwrap(), false, &headers, &trusted).tls
        };
        assert!(tls("10.0.0.1", "https"));
        assert!(!tls("10.0.0.1", "https, http"), "a list is nobody's word");
        assert!(!tls("203.0.113.9", "https"), "a stranger");
    }
}
