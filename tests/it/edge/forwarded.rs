//! Who asked, and how: the gate says it, once, whatever the client says and however often it says it.

use super::{http2::raw, support::*};

const NAMES: [&str; 5] = ["x-forwarded-for", "x-real-ip", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-host"];

/// All that the origin heard under these names.
fn heard(request: &str) -> Vec<(String, String)> {
    let fields = request.lines().skip(1).filter_map(|line| line.split_once(": "));
    let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    let mut fields: Vec<_> = fields.filter(|(name, _)| NAMES.contains(&name.as_str())).collect();
    fields.sort();
    fields
}

fn said(tls: bool) -> Vec<(String, String)> {
    let (scheme, port) = if tls { ("https", "443") } else { ("http", "80") };
    let said = [("for", "127.0.0.1"), ("host", "shop.test"), ("port", port), ("proto", scheme)];
    let said = said.map(|(name, value)| (format!("x-forwarded-{name}"), value.to_owned()));
    said.into_iter().chain([("x-real-ip".to_owned(), "127.0.0.1".to_owned())]).collect()
}

#[tokio::test]
async fn what_the_client_says_is_replaced_once_in_every_spelling() {
    let origin = Origin::start(Manner::Polite).await;
    for trusted in [false, true] {
        let trust = |policy: &mut hookwarden::policy::Policy| {
            policy.settings.trusted_proxies.extend(trusted.then(|| "127.0.0.1/32".parse::<ipnet::IpNet>().unwrap()));
        };
        let plain = house(origin.address, trust).await;
        let (tls, pki, _files) = tls_house(origin.address, trust).await;
        for name in NAMES {
            let capitals: String =
                name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<Vec<_>>().join("-");
            let spellings = [name.to_owned(), capitals, name.to_ascii_uppercase(), name.replace('-', "_")];
            let lines: String =
                spellings.iter().chain(&spellings).map(|name| format!("{name}: 127.0.0.1\r\n")).collect();
            let request = format!("GET / HTTP/1.1\r\nHost: shop.test\r\n{lines}\r\n");
            assert!(ask_once(plain.at, &request).await.ends_with("ok"));
            assert_eq!(heard(&origin.requests().pop().unwrap()), said(false), "{name}, trusted: {trusted}");

            let fields = [&raw::GET_FIELDS[..], &[(name, "127.0.0.1"), (name, "127.0.0.1")]].concat();
            let mut client = raw::Raw::open(&tls, &pki, &[]).await;
            let flags = raw::END_HEADERS | raw::END_STREAM;
            client.send(&raw::frame(raw::HEADERS, flags, 1, &raw::block(&fields))).await;
            assert_eq!(client.ending(1).await, raw::Ending::Answer("200".into()));
            assert_eq!(heard(&origin.requests().pop().unwrap()), said(true), "{name}, HTTP/2, trusted: {trusted}");
        }
    }
}

/// RFC 3986 section 3.1: schemes have no case.
#[tokio::test]
async fn a_trusted_proxy_may_write_its_scheme_in_any_case() {
    let origin = Origin::start(Manner::Polite).await;
    let house =
        house(origin.address, |policy| policy.settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    for (lines, scheme) in [
        ("x-forwarded-proto: HTTPS\r\n", "https"),
        ("X-FORWARDED-PROTO: Https\r\n", "https"),
        ("X-Forwarded-Proto: https\r\nx-forwarded-proto: https\r\n", "http"),
        ("X-Forwarded-Proto: https, http\r\n", "http"),
    ] {
        assert!(ask_once(house.at, &format!("GET / HTTP/1.1\r\nHost: shop.test\r\n{lines}\r\n")).await.ends_with("ok"));
        let told = heard(&origin.requests().pop().unwrap());
        assert!(told.contains(&("x-forwarded-proto".into(), scheme.into())), "{lines}: {told:?}");
    }
}
