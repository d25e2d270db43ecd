//! The one way out.

use super::support::*;
use bytes::Bytes;
use hookwarden::{
    edge::PingoraOutbound,
    outbound::{Deadlines, Failure, Outbound as _, Request, Response, Target},
};
use http::{HeaderMap, Method};
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::Notify;

async fn post(
    outbound: &PingoraOutbound,
    address: SocketAddr,
    deadlines: &Deadlines,
    most: usize,
) -> Result<Response, Failure> {
    let headers = HeaderMap::from_iter([("host".parse().unwrap(), "shop.test".parse().unwrap())]);
    let path = "/wp-json/orders".to_owned();
    let request = Request { method: Method::POST, path, headers, body: Bytes::from_static(b"{}") };
    soon(outbound.send(&Target { address, tls_name: None }, request, deadlines, most)).await
}

#[tokio::test]
async fn keeps_a_connection_for_the_next_request() {
    let (origin, outbound) = (Origin::start(Manner::Polite).await, outbound());
    for _ in 0..3 {
        let answer = post(&outbound, origin.address, &Deadlines::default(), 100).await.unwrap();
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"ok"[..]));
    }
    assert_eq!((origin.connections(), origin.requests().len()), (1, 3));
    let sent = origin.requests()[0].to_ascii_lowercase();
    assert!(sent.ends_with("content-length: 2\r\n\r\n{}"), "{sent}");
}

/// A busy thread: tokio turns its event loop seldom, the end lies in the kernel, and Pingora's own test of a pooled
/// connection (a poll of tokio's) hands the dead one out.
#[test]
fn a_pooled_connection_that_the_other_side_closed_is_not_used() {
    let elsewhere = tokio::runtime::Runtime::new().unwrap();
    let origin = elsewhere.block_on(Origin::start(Manner::Closes));
    let here = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(20_000).build().unwrap();
    here.block_on(async {
        let (ping, pong) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        for (mine, theirs) in [(ping.clone(), pong.clone()), (pong, ping.clone())] {
            tokio::spawn(async move {
                loop {
                    mine.notified().await;
                    theirs.notify_one();
                }
            });
        }
        ping.notify_one();
        let (outbound, address) = (outbound(), origin.address);
        let client = tokio::spawn(async move {
            for _ in 0..5 {
                assert_eq!(post(&outbound, address, &Deadlines::default(), 100).await.unwrap().body, "ok");
                std::thread::sleep(ms(60)); // the other side closes after 20 ms
            }
        });
        client.await.unwrap();
    });
    assert_eq!(origin.requests().len(), 5, "each request arrived once");
}

#[tokio::test]
async fn a_reset_after_sending_is_unknown_and_not_tried_again() {
    let (origin, outbound) = (Origin::start(Manner::ResetsAfterReading).await, outbound());
    let failure = post(&outbound, origin.address, &Deadlines::default(), 100).await.err();
    assert!(matches!(failure, Some(Failure::Unknown(_))), "{failure:?}");
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn silence_after_sending_is_unknown_at_the_deadline() {
    let (origin, outbound) = (Origin::start(Manner::Slow(ms(9000))).await, outbound());
    for deadlines in
        [Deadlines { first_byte: ms(200), ..Default::default() }, Deadlines { total: ms(200), ..Default::default() }]
    {
        let started = std::time::Instant::now();
        let failure = post(&outbound, origin.address, &deadlines, 100).await.err();
        assert!(matches!(failure, Some(Failure::Unknown(_))), "{failure:?}");
        assert!((ms(200)..ms(2000)).contains(&started.elapsed()));
    }
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = post(&outbound(), nobody, &Deadlines::default(), 100).await.err();
    assert!(matches!(failure, Some(Failure::NotSent(_))), "{failure:?}");
}

#[tokio::test]
async fn an_answer_is_bounded_and_loses_what_belongs_to_its_connection() {
    let (origin, outbound) = (Origin::start(Manner::Chunked).await, outbound());
    let answer = post(&outbound, origin.address, &Deadlines::default(), 100).await.unwrap();
    assert!(answer.headers.get("transfer-encoding").is_none());
    assert_eq!(answer.body, "hello world");
    let bounded = post(&outbound, origin.address, &Deadlines::default(), 7).await.unwrap();
    assert_eq!((bounded.status.as_u16(), &*bounded.body), (201, &b"hello w"[..]));
}
