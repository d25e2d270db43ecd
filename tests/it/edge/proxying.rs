//! Ordinary traffic: what goes in comes out, and WordPress hears who really asked.

use super::support::*;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn targets_arrive_byte_for_byte_and_the_client_is_named() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = house(origin.address, |_| {}).await;
    let mut client = connect(house.at).await;
    for target in ["/", "/a%2Fb?x=%zz", "/?a[]=1&b={2}|3^4\\5`6", "//x/../y", "/wp-json/?rest_route=/a//b"] {
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: Keep-Alive\r\nX_Forwarded_For: 1\r\nX-Forwarded-For: 2\r\n\
             Hookwarden-Request-Id: 3\r\nhookwarden_identity: 4\r\nX-Original-URL: /5\r\nProxy: 6\r\nX-Real-IP: 7\r\n\
             X-Forwarded-Proto: https\r\nCookie: a=b\r\nAccept-Encoding: gzip\r\nAuthorization: Basic eA==\r\n\r\n"
        );
        assert!(ask(&mut client, &head).await.ends_with("ok"), "{target}");
        let seen = origin.requests().pop().unwrap();
        assert!(seen.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{target}: {seen}");
        let heard = house.hears().await;
        let lower = seen.to_ascii_lowercase();
        for field in [
            "x-forwarded-for: 127.0.0.1",
            "x-real-ip: 127.0.0.1",
            "x-forwarded-proto: http",
            "x-forwarded-port: 8080",
            "x-forwarded-host: [::1]:8080",
            "host: [::1]:8080",
            "cookie: a=b",
            "accept-encoding: gzip",
            "authorization: basic ea==",
            &format!("hookwarden-request-id: {}", heard.request_id),
        ] {
            assert!(lower.contains(&format!("\r\n{field}\r\n")), "{field}: {seen}");
        }
        for gone in ["_", "/5", "proxy: 6", "connection", "via"] {
            assert!(!lower.split_once("\r\n").unwrap().1.contains(gone), "{gone}: {seen}");
        }
        assert_eq!((heard.code, heard.status, heard.route), ("passed", Some(200), None));
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn the_right_most_untrusted_address_is_sent_on() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = house(origin.address, |policy| {
        policy.settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 198.51.100.7\r\nX-Forwarded-Proto: https\r\nCF-IPCountry: DE\r\n\r\n";
    assert!(ask_once(house.at, head).await.ends_with("ok"));
    let seen = origin.requests().pop().unwrap().to_ascii_lowercase();
    for field in
        ["x-forwarded-for: 198.51.100.7", "x-forwarded-proto: https", "x-forwarded-port: 443", "cf-ipcountry: de"]
    {
        assert!(seen.contains(&format!("\r\n{field}\r\n")), "{field}: {seen}");
    }
    assert_eq!(house.hears().await.client, Some("198.51.100.7".parse().unwrap()));
}

#[tokio::test]
async fn odd_statuses_and_repeated_fields_pass_unchanged() {
    for (answer, expected) in [
        ("HTTP/1.1 498 Invalid Token\r\nContent-Length: 2\r\n\r\nno", &["HTTP/1.1 498", "\r\n\r\nno"][..]),
        ("HTTP/1.1 204 No Content\r\n\r\n", &["HTTP/1.1 204"]),
        ("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", &["HTTP/1.1 304", "ETag: \"x\""]),
        (
            "HTTP/1.1 503 No\r\nRetry-After: 7\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n",
            &["HTTP/1.1 503", "Retry-After: 7", "Set-Cookie: a=1\r\nSet-Cookie: b=2"],
        ),
        ("HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", &["HTTP/1.1 301", "Location: /x"]),
    ] {
        let origin = Origin::start(Manner::Says(answer)).await;
        let mut house = house(origin.address, |_| {}).await;
        let mut client = connect(house.at).await;
        for _ in 0..2 {
            let heard = ask(&mut client, GET).await;
            let id = house.hears().await.request_id;
            for part in expected {
                assert!(heard.contains(part), "{part}: {heard}");
            }
            assert!(heard.contains(&format!("hookwarden-request-id: {id}\r\n")), "{heard}");
            assert!(!heard.to_ascii_lowercase().contains("keep-alive: timeout"), "{heard}");
        }
    }
}

#[tokio::test]
async fn head_requests_have_no_body_and_keep_their_connection() {
    let origin = Origin::start(Manner::Says("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n")).await;
    let house = house(origin.address, |_| {}).await;
    let mut client = connect(house.at).await;
    for _ in 0..2 {
        client.write_all(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut bytes = [0; 4096];
        let n = soon(client.read(&mut bytes)).await.unwrap();
        let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
        assert!(text.contains("Content-Length: 2000") && text.ends_with("\r\n\r\n"), "{text}");
    }
}

#[tokio::test]
async fn an_http_1_0_client_gets_no_chunks() {
    let origin = Origin::start(Manner::Chunked).await;
    let house = house(origin.address, |_| {}).await;
    for head in ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"] {
        let answer = ask_to_end(house.at, head).await;
        assert!(answer.ends_with("\r\n\r\nhello world"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("transfer-encoding"), "{answer}");
    }
    let first = &origin.requests()[0].to_ascii_lowercase();
    assert!(first.contains(&format!("host: {}\r\n", origin.address)), "{first}");
}

/// An origin that says this and closes.
async fn closing(said: &'static str) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(tcp.read_buf(&mut head).await.unwrap() > 0);
        }
        tcp.write_all(said.as_bytes()).await.unwrap();
    });
    address
}

/// RFC 9112 section 2.3. Python's `http.server` speaks so.
#[tokio::test]
async fn an_origin_of_http_1_0_is_answered_for_in_the_version_of_the_gate() {
    for (method, said, body) in [
        ("GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
        ("GET", "HTTP/1.0 200 OK\r\n\r\nok", "2\r\nok\r\n0\r\n\r\n"),
        ("HEAD", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", ""),
        ("HEAD", "HTTP/1.0 200 OK\r\n\r\n", ""),
        ("GET", "HTTP/1.0 304 Not Modified\r\n\r\n", ""),
    ] {
        let house = house(closing(said).await, |_| {}).await;
        let answer =
            ask_to_end(house.at, &format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 "), "{method} {said:?}: {answer}");
        let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(rest, body, "{method} {said:?}: {answer}");
        assert!(!head.to_ascii_lowercase().contains("connection: keep-alive"), "{method} {said:?}: {answer}");
    }
}

#[tokio::test]
async fn absolute_form_reaches_the_origin_in_origin_form() {
    let origin = Origin::start(Manner::Polite).await;
    let house = house(origin.address, |_| {}).await;
    assert!(ask_once(house.at, "GET http://shop.test/a?b HTTP/1.1\r\nHost: shop.test\r\n\r\n").await.ends_with("ok"));
    let seen = origin.requests().pop().unwrap();
    assert!(seen.starts_with("GET /a?b HTTP/1.1\r\n") && seen.contains("Host: shop.test\r\n"), "{seen}");
}

/// WORDPRESS.md 2.2: an upload over the origin's limit brings back its 413 while it is being sent.
#[tokio::test]
async fn an_early_answer_comes_back_while_the_upload_is_under_way() {
    let origin =
        Origin::start(Manner::Early("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"))
            .await;
    let house = house(origin.address, |_| {}).await;
    let mut client = connect(house.at).await;
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nstart").await.unwrap();
    let answer = soon(read_message(&mut client)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.ends_with("big"), "{answer}");
}

#[tokio::test]
async fn an_origin_that_is_away_is_a_problem_with_a_name() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut away = house(nobody, |_| {}).await;
    let answer = ask_once(away.at, GET).await;
    let heard = away.hears().await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after"), "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains(&heard.request_id), "{answer}");
    assert_eq!((heard.code, heard.status), ("origin_unreachable", Some(503)));

    let resets = Origin::start(Manner::ResetsAfterReading).await;
    let mut broken = house(resets.address, |_| {}).await;
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
    let answer = ask_once(broken.at, post).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert_eq!(broken.hears().await.code, "origin_unknown");
    assert_eq!(resets.requests().len(), 1, "a POST is never sent twice");

    let slow = Origin::start(Manner::Slow(ms(5000))).await;
    let mut late = house(slow.address, |policy| policy.settings.origin.first_byte = ms(200)).await;
    let answer = ask_once(late.at, post).await;
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    assert_eq!(late.hears().await.code, "origin_unknown");
    assert_eq!(slow.requests().len(), 1);
}

/// Apache closes idle connections after 5 s, PHP's own server at once.
#[tokio::test]
async fn a_pooled_connection_that_the_origin_closed_loses_no_post() {
    let origin = Origin::start(Manner::Closes).await;
    let house = house(origin.address, |_| {}).await;
    let mut client = connect(house.at).await;
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
    for _ in 0..4 {
        assert!(ask(&mut client, post).await.ends_with("ok"));
        tokio::time::sleep(ms(60)).await;
    }
    assert_eq!(origin.requests().len(), 4);
}

#[tokio::test]
async fn expect_is_passed_on_and_its_100_comes_back() {
    let origin =
        Origin::start(Manner::Says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
            .await;
    let house = house(origin.address, |_| {}).await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}";
    let mut client = connect(house.at).await;
    assert!(ask(&mut client, request).await.starts_with("HTTP/1.1 100"));
}

const UPGRADE: &str = "GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[tokio::test]
async fn a_websocket_opens_only_where_the_policy_says_so() {
    let origin = Origin::start(Manner::Says(SWITCHED)).await;
    let closed = house(origin.address, |_| {}).await;
    let answer = ask_once(closed.at, UPGRADE).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(!origin.requests()[0].to_ascii_lowercase().contains("upgrade"), "{:?}", origin.requests());

    let open = house(origin.address, |policy| policy.settings.origin.websocket = true).await;
    let answer = ask_once(open.at, UPGRADE).await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
}

#[tokio::test]
async fn an_upload_that_stalls_or_drips_ends_and_others_do_not_notice() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = house(origin.address, |policy| {
        policy.settings.limits.body_idle = ms(400);
        policy.settings.limits.body_rate_bytes_per_s = 1000;
    })
    .await;
    let began = Instant::now();
    let mut stalled = connect(house.at).await;
    stalled.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{").await.unwrap();
    let mut dripping = connect(house.at).await;
    dripping.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n").await.unwrap();
    let (mut reads, mut writes) = dripping.into_split();
    let drip = tokio::spawn(async move {
        while writes.write_all(b"x").await.is_ok() {
            tokio::time::sleep(ms(50)).await;
        }
    });
    assert!(ask_once(house.at, GET).await.ends_with("ok"));
    let answer = soon(read_message(&mut stalled)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let answer = soon(read_message(&mut reads)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(began.elapsed() < ms(5000), "{:?}", began.elapsed());
    soon(drip).await.unwrap();
    let mut codes: Vec<_> = [house.hears().await.code, house.hears().await.code, house.hears().await.code].into();
    codes.sort_unstable();
    assert_eq!(codes, ["passed", "too_slow", "too_slow"]);
}

#[tokio::test]
async fn a_client_that_leaves_is_aborted_and_not_lost() {
    let origin = Origin::start(Manner::Slow(ms(3000))).await;
    let mut house = house(origin.address, |_| {}).await;
    let mut client = connect(house.at).await;
    client.write_all(GET.as_bytes()).await.unwrap();
    until(|| !origin.requests().is_empty()).await;
    drop(client);
    assert_eq!(house.hears().await.code, "aborted");
}
