//! What may WordPress hear about a request? The table of header rules, for what streams through and for what is
//! relayed alike. Everything that is not named here passes byte for byte.

use super::{client::Client, reply::REQUEST_ID};
use http::{HeaderName, header};
use pingora_error::Result;
use pingora_http::{RequestHeader, ResponseHeader};

/// What the gate says instead of the client.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) client: Client,
    /// Host as the client wrote it, with its port.
    pub(super) host: String,
    /// HTTP/2 may carry its cookies in several fields, and browsers do.
    pub(super) http2: bool,
    pub(super) request_id: std::sync::Arc<str>,
}

/// Belongs to the hop from the client: only a trusted proxy's word on it passes. What plugins and servers ask for a
/// visitor's address, scheme or country when a content network stands in front.
const SPOOFABLE: &[&str] = &[
    "forwarded",
    "x-forwarded",
    "front-end-https",
    "x-client-ip",
    "true-client-ip",
    "client-ip",
    "x-cluster-client-ip",
    "x-country-code",
    "x-host",
    "x-original-host",
    "fastly-client-ip",
    "x-sucuri-clientip",
    "incap-client-ip",
    "x-azure-clientip",
    "x-proxyuser-ip",
    // IIS: WordPress takes them for the request's URI (wp-includes/load.php), past every guard.
    "x-original-url",
    "x-rewrite-url",
];
/// Families of them: Cloudflare's, and whatever else proxies forward.
const SPOOFABLE_FAMILIES: &[&str] = &["cf-", "x-forwarded-"];
/// Never: `Proxy` becomes `HTTP_PROXY` in CGI (httpoxy); `Via` turns the origin's compression off.
const NEVER: &[&str] = &["proxy", "via"];
/// Belong to one connection, RFC 9110 section 7.6.1.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Rewrites a request's head for the origin. Framing is the business of whoever sends it.
pub(super) fn to_origin(head: &mut RequestHeader, facts: &Facts) -> Result<()> {
    let dropped: Vec<HeaderName> =
        head.headers.keys().filter(|name| is_dropped(name, facts.client.trusted)).cloned().collect();
    for name in &dropped {
        head.remove_header(name);
    }
    if facts.http2 {
        join_cookies(head)?;
    }
    if facts.host.is_empty() {
        head.remove_header(&header::HOST);
    } else {
        head.insert_header(header::HOST, facts.host.as_str())?;
        head.insert_header("X-Forwarded-Host", facts.host.as_str())?;
    }
    head.insert_header("X-Forwarded-For", facts.client.address.to_string())?;
    head.insert_header("X-Real-IP", facts.client.address.to_string())?;
    head.insert_header("X-Forwarded-Proto", facts.client.scheme())?;
    head.insert_header("X-Forwarded-Port", port(facts))?;
    head.insert_header(REQUEST_ID, &*facts.request_id)
}

/// RFC 9113 section 8.2.3: before they leave HTTP/2. PHP keeps one `Cookie` field of several, and nobody could log in.
fn join_cookies(head: &mut RequestHeader) -> Result<()> {
    let fields: Vec<_> = head.headers.get_all(header::COOKIE).iter().map(http::HeaderValue::as_bytes).collect();
    if fields.len() < 2 {
        return Ok(());
    }
    let joined = fields.join(b"; ".as_slice());
    head.insert_header(header::COOKIE, joined)
}

/// Takes out of an answer what belongs to the origin's connection, and names the request.
pub(super) fn to_client(head: &mut ResponseHeader, request_id: &str) -> Result<()> {
    if head.status != http::StatusCode::SWITCHING_PROTOCOLS {
        for name in nominated(&head.headers) {
            head.remove_header(name.as_str());
        }
        for name in ["connection", "keep-alive", "proxy-connection"] {
            head.remove_header(name);
        }
    }
    head.insert_header(REQUEST_ID, request_id)
}

/// For a request whose body is whole, and sent by the gate's own client.
pub(super) fn strip_hop_by_hop(head: &mut RequestHeader) {
    for name in nominated(&head.headers) {
        head.remove_header(name.as_str());
    }
    for name in HOP_BY_HOP.iter().chain(&["expect", "content-length"]) {
        head.remove_header(*name);
    }
}

/// For an answer that the gate's own client has read.
pub(super) fn strip_answer(head: &mut ResponseHeader) {
    for name in nominated(&head.headers) {
        head.remove_header(name.as_str());
    }
    for name in HOP_BY_HOP {
        head.remove_header(*name);
    }
}

/// Options of `Connection` that are fields of their own. Framing and what says whose request this is cannot be among
/// them: the doorway refuses such requests, and an origin's answer has no say in it.
fn nominated(headers: &http::HeaderMap) -> Vec<String> {
    let options = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let names = options.map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !matches!(name.as_str(), "" | "close" | "content-length" | "set-cookie" | "host")).collect()
}

fn is_dropped(name: &HeaderName, trusted: bool) -> bool {
    let name = name.as_str();
    // PHP folds `-` and `_` into one name, and web servers fold more: `X_Forwarded_For` would speak for the gate.
    let is_foldable = !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_ours = name == "hookwarden" || name.starts_with("hookwarden-");
    is_foldable || is_ours || NEVER.contains(&name) || (!trusted && is_spoofable(name))
}

fn is_spoofable(name: &str) -> bool {
    SPOOFABLE.contains(&name) || SPOOFABLE_FAMILIES.iter().any(|family| name.starts_with(family))
}

/// As the client knows it: of the Host, else the scheme's.
fn port(facts: &Facts) -> u16 {
    let after_address = facts.host.rsplit(']').next().unwrap_or_default();
    let named = after_address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    named.unwrap_or(if facts.client.tls { 443 } else { 80 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(trusted: bool, fields: &[(&str, &str)]) -> RequestHeader {
        let mut head = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in fields {
            head.append_header((*name).to_owned(), *value).unwrap();
        }
        let client = Client { address: "192.0.2.7".parse().unwrap(), tls: true, trusted };
        let facts = Facts { client, host: "shop.test:8443".into(), http2: false, request_id: "id".into() };
        to_origin(&mut head, &facts).unwrap();
        head
    }

    fn all<'h>(head: &'h RequestHeader, name: &str) -> Vec<&'h str> {
        head.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn what_the_client_says_of_its_own_hop_is_replaced() {
        let said: Vec<_> =
            ["x-forwarded-for", "X-Real-IP", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-host"]
                .into_iter()
                .flat_map(|name| [(name, "6.6.6.6"), (name, "7.7.7.7")])
                .collect();
        let head = sent(false, &said);
        assert_eq!(all(&head, "x-forwarded-for"), ["192.0.2.7"]);
        assert_eq!(all(&head, "x-real-ip"), ["192.0.2.7"]);
        assert_eq!(all(&head, "x-forwarded-proto"), ["https"]);
        assert_eq!(all(&head, "x-forwarded-port"), ["8443"]);
        assert_eq!(all(&head, "x-forwarded-host"), ["shop.test:8443"]);
    }

    #[test]
    fn spoofable_fields_pass_from_trusted_proxies_alone() {
        let of_families =
            ["cf-connecting-ip", "cf-ipcountry", "cf-visitor", "cf-ray", "x-forwarded-ssl", "x-forwarded-scheme"];
        for name in SPOOFABLE.iter().chain(&of_families) {
            assert!(all(&sent(false, &[(name, "x")]), name).is_empty(), "{name}");
            assert_eq!(all(&sent(true, &[(name, "x")]), name), ["x"], "{name}");
        }
    }

    #[test]
    fn nobody_speaks_for_the_gate_in_any_spelling() {
        for name in
            ["Hookwarden-Identity", "hookwarden_identity", "HOOKWARDEN.identity", "hookwarden", "x_forwarded_for"]
        {
            for trusted in [false, true] {
                let head = sent(trusted, &[(name, "forged")]);
                assert!(head.headers.values().all(|value| value != "forged"), "{name}");
            }
        }
        assert_eq!(all(&sent(true, &[("Hookwarden-Request-Id", "forged")]), REQUEST_ID), ["id"]);
    }

    #[test]
    fn cookies_leave_http_2_in_one_field() {
        let mut head = RequestHeader::build("GET", b"/", None).unwrap();
        for cookie in ["a=1", "b=2; c=3", "d=\"4\""] {
            head.append_header("cookie", cookie).unwrap();
        }
        let client = Client { address: "192.0.2.7".parse().unwrap(), tls: true, trusted: false };
        let facts = Facts { client, host: String::new(), http2: true, request_id: "id".into() };
        to_origin(&mut head, &facts).unwrap();
        assert_eq!(all(&head, "cookie"), ["a=1; b=2; c=3; d=\"4\""]);
    }

    #[test]
    fn everything_else_passes_as_it_came() {
        let kept = [
            ("authorization", "Basic eA=="),
            ("cookie", "a=b"),
            ("cookie", "c"),
            ("webhook-id", "x"),
            ("accept-encoding", "gzip"),
            ("x-wp-nonce", ""),
        ];
        let head = sent(false, &kept);
        for (name, value) in kept {
            assert!(all(&head, name).contains(&value), "{name}");
        }
        assert!(all(&sent(true, &[("via", "1.1 x"), ("proxy", "x")]), "via").is_empty());
    }
}
