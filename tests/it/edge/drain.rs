//! A stop loses nothing that can still be finished, and waits for nothing else.

use super::support::*;
use hookwarden::edge::Drained;
use http::Request;
use std::time::{Duration, Instant};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

#[tokio::test]
async fn a_drain_closes_idle_connections_and_lets_requests_finish() {
    let origin = Origin::start(Manner::Slow(ms(600))).await;
    let house = house(origin.address, |policy| policy.settings.limits.keepalive = Duration::from_mins(1)).await;
    let address = house.at;
    let (mut idle, mut silent) = (connect(address).await, connect(address).await);
    assert!(ask(&mut idle, GET).await.ends_with("ok"));
    let mut open = connect(address).await;
    open.write_all(GET.as_bytes()).await.unwrap();
    until(|| origin.requests().len() == 2).await;

    let started = Instant::now();
    let stop = tokio::spawn(house.edge.stop(Duration::from_secs(5)));
    assert!(ends(&mut idle, ms(400)).await && ends(&mut silent, ms(400)).await);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
    let answer = soon(read_message(&mut open)).await.unwrap();
    assert!(answer.ends_with("ok") && answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    assert!(ends(&mut open, ms(400)).await);
    assert_eq!(stop.await.unwrap(), Drained { cut: 0, idle: true });
    assert!(started.elapsed() < ms(3000), "no longer than needed: {:?}", started.elapsed());
}

#[tokio::test]
async fn a_drain_ends_at_its_bound_and_says_whom_it_cut() {
    let origin = Origin::start(Manner::Slow(ms(5000))).await;
    let mut house = house(origin.address, |_| {}).await;
    let mut client = connect(house.at).await;
    client.write_all(GET.as_bytes()).await.unwrap();
    until(|| !origin.requests().is_empty()).await;
    let started = Instant::now();
    let drained = house.edge.stop(ms(300)).await;
    assert_eq!(drained.cut, 1);
    assert!((ms(300)..ms(2000)).contains(&started.elapsed()), "{:?}", started.elapsed());
    assert!(ends(&mut client, ms(400)).await);
    assert_eq!(soon(house.heard.recv()).await.unwrap().code, "aborted");
}

#[tokio::test]
async fn http_2_requests_finish_in_a_drain() {
    let origin = Origin::start(Manner::Slow(ms(600))).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let mut send = h2(&house, &pki).await;
    let request = tokio::spawn(async move {
        h2_ask(&mut send, Request::get("https://shop.test/").body(()).unwrap(), b"").await.unwrap().0.status
    });
    until(|| !origin.requests().is_empty()).await;
    let drained = house.edge.stop(Duration::from_secs(5)).await;
    assert_eq!(request.await.unwrap(), 200);
    assert_eq!(drained, Drained { cut: 0, idle: true });
}

#[tokio::test]
async fn an_edge_starts_and_stops_many_times_in_one_process() {
    let origin = Origin::start(Manner::Polite).await;
    for _ in 0..5 {
        let house = house(origin.address, |_| {}).await;
        assert!(ask_once(house.at, GET).await.ends_with("ok"));
        assert_eq!(house.edge.stop(Duration::from_secs(5)).await, Drained { cut: 0, idle: true });
    }
}
