//! RFC 9113 section 8: what is malformed is a stream error, and nothing of it reaches the origin.

use super::raw::*;
use crate::edge::support::*;

const PROTOCOL_ERROR: u32 = 1;

#[tokio::test]
async fn trailers_that_claim_to_be_a_head_reset_their_stream() {
    let origin = Origin::start(Manner::Polite).await;
    let (mut house, pki, _files) = tls_house(origin.address, |_| {}).await;
    for trailers in [
        &[(":path", "/smuggled")][..],
        &[(":method", "DELETE"), ("x-trailer", "smuggled")],
        &[("x-trailer", "smuggled"), (":authority", "smuggled")],
        &[(":status", "200")],
        &[("connection", "smuggled")],
        &[("transfer-encoding", "chunked"), ("x", "smuggled")],
        &[("te", "smuggled")],
    ] {
        let mut raw = Raw::open(&house, &pki, &[]).await;
        raw.send(&post(1, &[])).await;
        raw.send(&frame(DATA, 0, 1, b"body")).await;
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(trailers))).await;
        assert_eq!(raw.ending(1).await, Ending::Reset(PROTOCOL_ERROR), "{trailers:?}");
        assert_eq!(house.hears().await.code, "body_broken", "{trailers:?}");
        raw.send(&get(3)).await;
        assert_eq!(raw.ending(3).await, Ending::Answer("200".into()), "others live on: {trailers:?}");
        house.hears().await;
    }
    assert!(origin.requests().iter().all(|request| request.starts_with("GET ")), "{:?}", origin.requests());
    assert!(!origin.bytes().contains("smuggled"), "{}", origin.bytes());
}

/// `h2` takes an upper-case name for a broken compression state, and ends the connection.
#[tokio::test]
async fn trailers_in_upper_case_end_the_connection() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let mut raw = Raw::open(&house, &pki, &[]).await;
    raw.send(&post(1, &[])).await;
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("X-Trailer", "smuggled")]))).await;
    assert_eq!(raw.ending(1).await, Ending::GoAway(PROTOCOL_ERROR));
    assert!(origin.requests().is_empty() && !origin.bytes().contains("smuggled"), "{}", origin.bytes());
}

#[tokio::test]
async fn good_trailers_are_dropped_and_the_request_passes() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let mut raw = Raw::open(&house, &pki, &[]).await;
    raw.send(&post(1, &[("content-length", "4")])).await;
    raw.send(&frame(DATA, 0, 1, b"body")).await;
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("x-trailer", ":path")]))).await;
    assert_eq!(raw.ending(1).await, Ending::Answer("200".into()));
    let seen = origin.requests().pop().unwrap();
    assert!(seen.ends_with("\r\n\r\nbody") && !seen.contains("x-trailer"), "{seen}");
}

/// As in HTTP/1. The `http` crate cuts it off before anybody sees it.
#[tokio::test]
async fn a_fragment_in_the_path_resets_its_stream() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let mut raw = Raw::open(&house, &pki, &[]).await;
    for (stream, path) in [(1, "/a#b"), (3, "/#"), (5, "/a?b#c"), (7, "#")] {
        let mut fields = GET_FIELDS;
        fields[3].1 = path;
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&fields))).await;
        assert_eq!(raw.ending(stream).await, Ending::Reset(PROTOCOL_ERROR), "{path}");
    }
    raw.send(&get(9)).await;
    assert_eq!(raw.ending(9).await, Ending::Answer("200".into()));
    assert_eq!(origin.requests().len(), 1, "{:?}", origin.requests());
}
