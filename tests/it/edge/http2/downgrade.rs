//! What is harmless in HTTP/2 and another request in HTTP/1. The origin's record is the judge.

use super::raw::*;
use crate::edge::support::*;

fn request(changed: &[(&str, &str)], more: &[(&str, &str)]) -> Vec<(String, String)> {
    let fields = POST_FIELDS.map(|(name, value)| {
        let value = changed.iter().find(|(other, _)| *other == name).map_or(value, |(_, value)| value);
        (name.to_owned(), value.to_owned())
    });
    fields.into_iter().chain(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
}

const SPLIT: &str = "x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn nothing_is_smuggled_on_the_way_to_http_1() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    for (what, fields) in [
        ("CRLF in a value", request(&[], &[("x", "a\r\nsmuggled: b")])),
        ("LF in a value", request(&[], &[("x", "a\nsmuggled: b")])),
        ("CR in a value", request(&[], &[("x", "a\rsmuggled: b")])),
        ("NUL in a value", request(&[], &[("x", "smuggled\0")])),
        ("a whole request in a value", request(&[], &[("x", SPLIT)])),
        ("CRLF in a name", request(&[], &[("x\r\nsmuggled", "b")])),
        ("a colon in a name", request(&[], &[("x: smuggled", "b")])),
        ("a space in a name", request(&[], &[("smuggled ", "b")])),
        ("an empty name", request(&[], &[("", "smuggled")])),
        ("CRLF in :path", request(&[(":path", SPLIT)], &[])),
        ("a space in :path", request(&[(":path", "/ HTTP/1.1\r\nsmuggled: b")], &[])),
        ("a plain space in :path", request(&[(":path", "/smuggled b")], &[])),
        ("a tab in :path", request(&[(":path", "/smuggled\tb")], &[])),
        ("absolute :path", request(&[(":path", "http://smuggled.test/")], &[])),
        (":path without a slash", request(&[(":path", "smuggled")], &[])),
        (":path with a double slash and an authority", request(&[(":path", "smuggled.test:80/")], &[])),
        ("CRLF in :method", request(&[(":method", "GET /smuggled HTTP/1.1\r\n\r\nPOST")], &[])),
        ("a space in :method", request(&[(":method", "GET /smuggled")], &[])),
        ("CRLF in :authority", request(&[(":authority", "a\r\nsmuggled: b")], &[])),
        ("a path in :authority", request(&[(":authority", "shop.test/smuggled")], &[])),
        ("a user in :authority", request(&[(":authority", "smuggled@shop.test")], &[])),
        ("a list in :authority", request(&[(":authority", "shop.test,smuggled.test")], &[])),
        ("a port that is none", request(&[(":authority", "shop.test:smuggled")], &[])),
        ("CRLF in :scheme", request(&[(":scheme", "https\r\nsmuggled: b")], &[])),
        ("a request in :scheme", request(&[(":scheme", "http://shop.test/smuggled?")], &[])),
        ("another host", request(&[], &[("host", "smuggled.test")])),
        ("two hosts", request(&[], &[("host", "shop.test"), ("host", "smuggled.test")])),
        ("an empty host", request(&[], &[("host", ""), ("x", "smuggled")])),
        ("two lengths", request(&[], &[("content-length", "5"), ("content-length", "0"), ("x", "smuggled")])),
        ("a length twice", request(&[], &[("content-length", "5"), ("content-length", "5"), ("x", "smuggled")])),
        ("a list of lengths", request(&[], &[("content-length", "5, 5"), ("x", "smuggled")])),
        ("a length with a sign", request(&[], &[("content-length", "+5"), ("x", "smuggled")])),
        ("a length that overflows", request(&[], &[("content-length", "18446744073709551621"), ("x", "smuggled")])),
        ("an empty length", request(&[], &[("content-length", ""), ("x", "smuggled")])),
        ("chunks", request(&[], &[("transfer-encoding", "chunked"), ("x", "smuggled")])),
        ("chunks by another name", request(&[], &[("transfer_encoding", "chunked"), ("content-length", "9")])),
        ("connection", request(&[], &[("connection", "x-forwarded-for"), ("x", "smuggled")])),
        ("upgrade", request(&[], &[("upgrade", "h2c"), ("http2-settings", "smuggled")])),
        ("te", request(&[], &[("te", "trailers, chunked"), ("x", "smuggled")])),
        ("expect", request(&[], &[("expect", "smuggled")])),
    ] {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut raw = Raw::open(&house, &pki, &[]).await;
        raw.send(&frame(HEADERS, END_HEADERS, 1, &block(&fields))).await;
        raw.send(&frame(DATA, END_STREAM, 1, b"12345")).await;
        match raw.ending(1).await {
            Ending::Answer(status) => assert!(status.starts_with('4'), "{what}: {status}"),
            Ending::Reset(_) | Ending::GoAway(_) | Ending::Closed => {}
        }
    }
    assert!(origin.requests().is_empty(), "{:?}", origin.requests());
    assert!(!origin.bytes().contains("smuggled"), "{}", origin.bytes());
}

/// A body that holds a request is a body.
#[tokio::test]
async fn a_body_without_a_length_is_framed_anew() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let body = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for (stream, fields) in [(1, vec![]), (3, vec![("content-length", body.len().to_string())])] {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut raw = Raw::open(&house, &pki, &[]).await;
        raw.send(&post(stream, &fields)).await;
        raw.send(&frame(DATA, END_STREAM, stream, body.as_bytes())).await;
        assert_eq!(raw.ending(stream).await, Ending::Answer("200".into()), "{fields:?}");
    }
    assert_eq!(origin.requests().len(), 2, "{:?}", origin.requests());
    assert!(origin.requests().iter().all(|request| request.starts_with("POST / ")), "{:?}", origin.requests());
}
