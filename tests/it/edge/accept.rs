//! Who may come in at all.

use super::support::*;
use hookwarden::edge::TurnedAway;
use tokio::io::AsyncWriteExt as _;

#[tokio::test]
async fn a_full_address_is_turned_away_and_a_free_seat_is_taken_again() {
    let origin = Origin::start(Manner::Polite).await;
    let house = house(origin.address, |policy| policy.settings.limits.connections_per_address = 2).await;
    let (mut first, mut second) = (connect(house.at).await, connect(house.at).await);
    assert!(ask(&mut first, GET).await.ends_with("ok") && ask(&mut second, GET).await.ends_with("ok"));
    assert!(ends(&mut connect(house.at).await, ms(500)).await, "the third is turned away");
    until(|| house.turned_away() == [TurnedAway::AddressFull]).await;
    drop(first);
    until(|| house.edge.connections() == 1).await;
    assert!(ask_once(house.at, GET).await.ends_with("ok"));
}

#[tokio::test]
async fn the_house_holds_only_so_many_connections_in_all() {
    let origin = Origin::start(Manner::Polite).await;
    let house = house(origin.address, |policy| policy.settings.limits.connections = 1).await;
    let mut first = connect(house.at).await;
    assert!(ask(&mut first, GET).await.ends_with("ok"));
    assert!(ends(&mut connect(house.at).await, ms(500)).await);
    until(|| house.turned_away() == [TurnedAway::Full]).await;
}

#[tokio::test]
async fn a_silent_tls_handshake_ends_at_our_deadline() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, _pki, _files) = tls_house(origin.address, |_| {}).await;
    let mut silent = connect(house.at).await;
    let started = std::time::Instant::now();
    assert!(ends(&mut silent, ms(3000)).await);
    assert!((ms(250)..ms(2500)).contains(&started.elapsed()), "{:?}", started.elapsed());
    until(|| house.turned_away() == [TurnedAway::Handshake]).await;
}

const V1: &[u8] = b"PROXY TCP4 203.0.113.7 127.0.0.1 40000 443\r\n";
/// And an empty TLV.
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xcb\0\x71\x08\x7f\0\0\x01\x9c\x40\x01\xbb\x04\0\0";

#[tokio::test]
async fn a_preamble_before_tls_names_the_client() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |policy| {
        policy.settings.listeners[0].proxy_protocol = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    for (preamble, client) in [(V1, "203.0.113.7"), (V2, "203.0.113.8")] {
        let mut tcp = connect(house.at).await;
        tcp.write_all(preamble).await.unwrap();
        let mut tls = handshake(tcp, "shop.test", tls_client(&[&pki], &[])).await.unwrap();
        assert!(ask(&mut tls, GET).await.ends_with("ok"));
        let seen = origin.requests().pop().unwrap().to_ascii_lowercase();
        for field in [format!("x-forwarded-for: {client}\r\n"), "x-forwarded-proto: https\r\n".to_owned()] {
            assert!(seen.contains(&field), "{field}: {seen}");
        }
    }
}

#[tokio::test]
async fn seats_count_the_announced_client_not_the_balancer() {
    let origin = Origin::start(Manner::Polite).await;
    let house = house(origin.address, |policy| {
        policy.settings.listeners[0].proxy_protocol = vec!["127.0.0.1/32".parse().unwrap()];
        policy.settings.limits.connections_per_address = 1;
    })
    .await;
    let from = async |address: &str| {
        let mut tcp = connect(house.at).await;
        let preamble = format!("PROXY TCP4 {address} 127.0.0.1 40000 443\r\n");
        tcp.write_all(preamble.as_bytes()).await.unwrap();
        tcp
    };
    let (mut a, mut b) = (from("203.0.113.1").await, from("203.0.113.2").await);
    assert!(ask(&mut a, GET).await.ends_with("ok") && ask(&mut b, GET).await.ends_with("ok"));
    assert!(ends(&mut from("203.0.113.1").await, ms(500)).await);
}

#[tokio::test]
async fn a_preamble_is_believed_from_balancers_only_and_must_come_at_once() {
    let origin = Origin::start(Manner::Polite).await;
    let stranger = house(origin.address, |policy| {
        policy.settings.listeners[0].proxy_protocol = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let mut tcp = connect(stranger.at).await;
    tcp.write_all(V1).await.unwrap();
    assert!(ends(&mut tcp, ms(500)).await, "a stranger");

    let strict = house(origin.address, |policy| {
        policy.settings.listeners[0].proxy_protocol = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    for (what, bytes) in [
        ("no preamble", GET.as_bytes()),
        ("half a preamble", &V1[..20]),
        ("silence", b""),
        ("v2 too long", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"),
    ] {
        let mut tcp = connect(strict.at).await;
        tcp.write_all(bytes).await.unwrap();
        assert!(ends(&mut tcp, ms(2000)).await, "{what}");
    }
    assert_eq!(origin.requests().len(), 0);
    until(|| strict.turned_away() == [TurnedAway::Preamble; 4]).await;
}

#[tokio::test]
async fn a_taken_address_is_an_error_at_once() {
    let origin = Origin::start(Manner::Polite).await;
    let first = house(origin.address, |_| {}).await;
    let mut policy = policy(origin.address);
    policy.settings.listeners[0].on = first.at;
    let error = try_open(policy).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on `{}`", first.at));
}

#[tokio::test]
async fn several_listeners_have_each_their_own_manner() {
    let origin = Origin::start(Manner::Polite).await;
    let plain = hookwarden::policy::Listener {
        on: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        http2: false,
        proxy_protocol: vec![],
    };
    let (house, pki, _files) = tls_house(origin.address, |policy| policy.settings.listeners.push(plain)).await;
    let [secure, plain] = *house.edge.addresses() else { panic!("two listeners") };
    assert!(ask_once(plain, GET).await.ends_with("ok"));
    let mut tls = handshake(connect(secure).await, "shop.test", tls_client(&[&pki], &[])).await.unwrap();
    assert!(ask(&mut tls, GET).await.ends_with("ok"));
}
