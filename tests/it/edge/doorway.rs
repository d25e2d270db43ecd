//! What two parsers could read in two ways reaches nobody. The origin's record is the judge.

use super::support::*;
use http::Request;
use std::time::Instant;
use tokio::io::AsyncWriteExt as _;

/// A request, and the status that it is refused with.
fn refused() -> Vec<(&'static str, String)> {
    let with = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
    let to = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    let host = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    vec![
        ("505", "GET / HTTP/1.2\r\nHost: a\r\n\r\n".into()),
        ("400", "GET /\r\n\r\n".into()),
        ("400", "get / HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        ("405", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n".into()),
        ("405", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        ("414", to(&format!("/{}", "a".repeat(9000)))),
        ("414", to(&format!("/{}", "a".repeat(70_000)))),
        ("400", to("/a\0b")),
        ("400", to("/a\\b")),
        ("400", to("/a%00b")),
        ("400", to("/a%2")),
        ("400", to("/caf\u{e9}")),
        ("400", to("/a#b")),
        ("400", to("/?<script>")),
        ("400", to("*")),
        ("400", to("/a b")),
        ("431", with(&["X: y"; 101].join("\r\n"))),
        ("431", with(&format!("X: {}", "a".repeat(17 * 1024)))),
        ("431", with(&vec![format!("X: {}", "a".repeat(15_000)); 5].join("\r\n"))),
        ("400", with("Content-Length: 3\r\nTransfer-Encoding: chunked")),
        ("400", with("Content-Length: 3\r\nContent-Length: 3")),
        ("400", with("Content-Length: 3, 3")),
        ("400", with("Content-Length: +3")),
        ("400", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")),
        ("400", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".into()),
        ("501", with("Transfer-Encoding: identity, chunked")),
        ("400", "GET / HTTP/1.1\r\nX: y\r\n\r\n".into()),
        ("400", with("Host: a")),
        ("400", host("a/../b")),
        ("400", host("a:99999")),
        ("400", host("a,b")),
        ("400", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        ("400", with("Connection: close, X-Forwarded-For")),
        ("417", with("Expect: something")),
        ("400", with("X: a\r\n folded")),
        ("400", with("X : a")),
        ("400", with("X: a\rb")),
        ("400", with("X: a\0b")),
        ("400", "GET / HTTP/1.1\nHost: a\n\n".into()),
        ("400", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        ("400", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\n".into()),
    ]
}

#[tokio::test]
async fn what_two_parsers_could_read_in_two_ways_reaches_nobody() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = house(origin.address, |_| {}).await;
    for (status, head) in refused() {
        // What would be a request of its own, were the first one read in another way.
        let smuggled = format!("{head}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = ask_to_end(house.at, &smuggled).await;
        let heard = house.hears().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head:.80?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:.80?}: {answer}");
        assert!(answer.contains("Connection: close") && answer.contains("application/problem+json"), "{answer}");
        assert!(answer.contains(&heard.request_id) && heard.code == "head_refused", "{answer} {heard:?}");
        assert_eq!(heard.status.map(|status| status.to_string()).as_deref(), Some(status));
    }
    assert_eq!(origin.bytes(), "");
}

/// PINGORA.md 4.2: what the head does not show.
#[tokio::test]
async fn a_body_whose_chunks_cannot_be_read_ends_the_connection() {
    let origin = Origin::start(Manner::Polite).await;
    let house = house(origin.address, |_| {}).await;
    for chunks in [
        "ZZ\r\nab\r\n0\r\n\r\n",
        "-1\r\nab\r\n0\r\n\r\n",
        "0x2\r\nab\r\n0\r\n\r\n",
        "2\r\nabXX0\r\n\r\n",
        "fffffffffffffffff\r\nab\r\n0\r\n\r\n",
        "\r\n2\r\nab\r\n0\r\n\r\n",
        "2\nab\n0\n\n",
    ] {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let answer = ask_to_end(house.at, &request).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1 && !answer.contains(" 200 "), "{chunks:?}: {answer}");
    }
    assert!(!origin.bytes().contains("smuggled"), "{}", origin.bytes());
}

#[tokio::test]
async fn good_chunks_arrive_and_trailers_do_not() {
    let origin = Origin::start(Manner::Polite).await;
    let house = house(origin.address, |_| {}).await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nX-Trailer: z\r\n\r\n";
    assert!(ask_once(house.at, request).await.ends_with("ok"));
    let seen = origin.bytes();
    assert!(seen.contains("ab") && seen.contains("cde") && seen.ends_with("0\r\n\r\n"), "{seen}");
    assert!(!seen.contains("x=y") && !seen.contains("X-Trailer"), "{seen}");
}

/// Allowed by RFC 9112 section 9.3.2, and the only safe thing while every request must pass the doorway.
#[tokio::test]
async fn a_pipelined_request_is_dropped_with_its_connection() {
    let origin = Origin::start(Manner::Polite).await;
    let house = house(origin.address, |_| {}).await;
    let answer = ask_to_end(house.at, &format!("{GET}GET /second HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    assert!(!origin.bytes().contains("/second"), "{}", origin.bytes());
}

#[tokio::test]
async fn a_body_without_a_length_is_no_body() {
    let origin = Origin::start(Manner::Polite).await;
    let house = house(origin.address, |_| {}).await;
    let answer =
        ask_to_end(house.at, "POST / HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(!origin.bytes().contains("/smuggled"), "{}", origin.bytes());
}

#[tokio::test]
async fn slow_heads_silence_and_idling_end_at_their_deadlines() {
    let origin = Origin::start(Manner::Polite).await;
    let house = house(origin.address, |policy| policy.settings.limits.keepalive = ms(400)).await;
    let mut slow = connect(house.at).await;
    for byte in GET.bytes().take(12) {
        let _ = slow.write_all(&[byte]).await;
        tokio::time::sleep(ms(50)).await;
    }
    assert!(soon(read_message(&mut slow)).await.unwrap().starts_with("HTTP/1.1 408"));

    assert!(ends(&mut connect(house.at).await, ms(2000)).await, "silence");

    let mut idle = connect(house.at).await;
    assert!(ask(&mut idle, GET).await.ends_with("ok"));
    assert!(ends(&mut idle, ms(2000)).await, "idling");

    let mut half = connect(house.at).await;
    assert!(ask(&mut half, GET).await.ends_with("ok"));
    assert!(ask(&mut half, &GET[..20]).await.starts_with("HTTP/1.1 408"), "a half second head");
}

#[tokio::test]
async fn http_2_is_served_and_idle_http_2_ends() {
    let origin = Origin::start(Manner::Chunked).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let tls = handshake(connect(house.at).await, "shop.test", tls_client(&[&pki], &["h2"])).await.unwrap();
    let (mut send, connection) = h2::client::handshake(tls).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::post("https://shop.test/a%2Fb?c").body(()).unwrap();
    let (answer, body) = h2_ask(&mut send, request, b"{}").await.unwrap();
    assert_eq!((answer.status.as_u16(), &*body), (201, "hello world"));
    let seen = origin.requests()[0].to_ascii_lowercase();
    assert!(seen.starts_with("post /a%2fb?c http/1.1\r\n") && seen.contains("host: shop.test\r\n"), "{seen}");
    assert!(seen.contains("x-forwarded-proto: https\r\n") && seen.contains("x-forwarded-port: 443\r\n"), "{seen}");
    let started = Instant::now();
    let _ = soon(connection).await;
    assert!(started.elapsed() < ms(4000), "{:?}", started.elapsed());
}

#[tokio::test]
async fn http_2_meets_the_same_rules() {
    let origin = Origin::start(Manner::Polite).await;
    let (mut house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let at = |target: &str| Request::get(format!("https://shop.test{target}"));
    for (status, request) in [
        ("400", at("/").header("host", "other.test")),
        ("400", at("/a%00b")),
        ("400", at("/a%2")),
        ("414", at(&format!("/{}", "a".repeat(9000)))),
        ("405", at("/").method("TRACE")),
        ("400", at("/").method("get")),
        ("400", at("/").header("content-length", "0").header("content-length", "0")),
        ("417", at("/").header("expect", "x")),
        ("431", (0..101).fold(at("/"), |request, n| request.header(format!("x-{n}"), "y"))),
        ("431", at("/").header("x", "a".repeat(17 * 1024))),
    ] {
        let mut send = h2(&house, &pki).await;
        let request = request.body(()).unwrap();
        let shown = format!("{} {:.60}", request.method(), request.uri());
        match h2_ask(&mut send, request, b"").await {
            Ok((answer, body)) => {
                assert_eq!(answer.status.as_str(), status, "{shown} {body}");
                assert_eq!(house.hears().await.code, "head_refused");
            }
            Err(reset) => assert!(reset.is_reset() || reset.is_go_away(), "{shown} {reset}"),
        }
    }
    assert_eq!(origin.bytes(), "");
}

/// RFC 9113 section 8.1.1: a length that is a lie ends the stream, and the origin never sees a whole request.
#[tokio::test]
async fn an_http_2_body_that_breaks_its_length_never_arrives_whole() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    for body in [&b"{}{}"[..], b"{"] {
        let mut send = h2(&house, &pki).await;
        let request = Request::post("https://shop.test/").header("content-length", "2").body(()).unwrap();
        let outcome = h2_ask(&mut send, request, body).await;
        assert!(!matches!(&outcome, Ok((answer, _)) if answer.status == 200), "{outcome:?}");
    }
    assert!(origin.requests().is_empty(), "{:?}", origin.requests());
}

/// Pingora's h2 handshake waits for the preface without a deadline; ours is before it.
#[tokio::test]
async fn http_2_without_a_preface_ends() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    for part in [&b""[..], b"PRI * HTTP/2.0\r\n"] {
        let mut tls = handshake(connect(house.at).await, "shop.test", tls_client(&[&pki], &["h2"])).await.unwrap();
        tls.write_all(part).await.unwrap();
        assert!(ends(&mut tls, ms(2500)).await);
    }
    until(|| house.turned_away().len() == 2).await;
}

#[tokio::test]
async fn a_silent_http_2_upload_ends() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let mut send = h2(&house, &pki).await;
    let began = Instant::now();
    let request = Request::post("https://shop.test/").body(()).unwrap();
    let (answer, _silent) = send.send_request(request, false).unwrap();
    match soon(answer).await {
        Ok(answer) => assert_eq!(answer.status(), 408),
        Err(error) => assert!(error.is_reset(), "{error}"),
    }
    assert!(began.elapsed() < ms(4000), "{:?}", began.elapsed());
}
