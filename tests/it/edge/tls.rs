//! Which certificate answers which name, with which cryptography.

use super::support::*;
use hookwarden::{
    edge::{PingoraOutbound, install_crypto},
    outbound::{Deadlines, Outbound as _, Request, Target},
};
use rustls::{
    crypto::{CryptoProvider, aws_lc_rs, ring},
    pki_types::{PrivateKeyDer, pem::PemObject as _},
};
use std::sync::Arc;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

async fn presented(house: &House, name: &'static str, trust: &[&Pki]) -> Vec<u8> {
    let tls = handshake(connect(house.at).await, name, tls_client(trust, &[])).await.unwrap();
    tls.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn a_name_chooses_its_certificate_and_a_bad_reload_changes_nothing() {
    let origin = Origin::start(Manner::Polite).await;
    let (shop, wild, renewed) = (p256("shop.test"), p256("*.sites.test"), p256("shop.test"));
    let files = Certified::new(&[("shop.pem", &shop), ("wild.pem", &wild)]);
    files.write("notes.txt", "not a certificate");
    let listener = files.listener();
    let house = house(origin.address, |policy| policy.settings.listeners = vec![listener]).await;

    assert_eq!(presented(&house, "shop.test", &[&shop]).await, shop.certificate.to_vec());
    assert_eq!(presented(&house, "one.sites.test", &[&wild]).await, wild.certificate.to_vec());

    let mismatched = shop.pem.split_once("-----BEGIN PRIVATE").unwrap().0.to_owned()
        + &wild.pem[wild.pem.find("-----BEGIN PRIVATE").unwrap()..];
    for (what, bad) in [
        ("no PEM", ""),
        ("no key", renewed.pem.split_once("-----BEGIN PRIVATE").unwrap().0),
        ("another's key", &mismatched),
    ] {
        files.write("shop.pem", bad);
        let error = house.edge.reload_certificates().unwrap_err().to_string();
        assert!(error.contains("shop.pem") && !error.contains("PRIVATE"), "{what}: {error}");
    }
    assert_eq!(presented(&house, "shop.test", &[&shop]).await, shop.certificate.to_vec(), "the old set stays");

    files.write("shop.pem", &renewed.pem);
    house.edge.reload_certificates().unwrap();
    assert_eq!(presented(&house, "shop.test", &[&renewed]).await, renewed.certificate.to_vec());
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused_until_they_cannot() {
    let origin = Origin::start(Manner::Polite).await;
    let (old, renewed) = (p256("shop.test"), p256("shop.test"));
    let files = Certified::new(&[("shop.pem", &old)]);
    let listener = files.listener();
    let house = house(origin.address, |policy| policy.settings.listeners = vec![listener.clone()]).await;
    files.write("shop.pem", &renewed.pem);
    for mode in [0o644, 0o640, 0o604, 0o620] {
        files.permit("shop.pem", mode);
        let error = house.edge.reload_certificates().unwrap_err().to_string();
        assert!(error.contains(&format!("mode {mode:04o}); run `chmod 0400 ")), "{error}");
        let mut policy = policy(origin.address);
        policy.settings.listeners = vec![listener.clone()];
        assert!(try_open(policy).await.is_err(), "nothing starts with it");
    }
    assert_eq!(presented(&house, "shop.test", &[&old]).await, old.certificate.to_vec(), "the old set stays");
    // Nobody says "reload", and no byte of the file is another.
    files.permit("shop.pem", 0o400);
    soon(async {
        while presented(&house, "shop.test", &[&old, &renewed]).await != renewed.certificate.to_vec() {
            tokio::time::sleep(ms(100)).await;
        }
    })
    .await;
}

/// Nobody says "reload": a renewed file is found.
#[tokio::test]
async fn a_changed_file_is_presented_and_open_connections_live_on() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, old, files) =
        tls_house(origin.address, |policy| policy.settings.limits.keepalive = std::time::Duration::from_secs(30)).await;
    let mut open = handshake(connect(house.at).await, "shop.test", tls_client(&[&old], &[])).await.unwrap();
    assert!(ask(&mut open, GET).await.ends_with("ok"));
    files.write("shop.pem", "broken");
    until(|| house.alarms() == 1).await;
    let renewed = p256("shop.test");
    files.write("shop.pem", &(renewed.pem.clone() + "\n"));
    soon(async {
        loop {
            let tls =
                handshake(connect(house.at).await, "shop.test", tls_client(&[&old, &renewed], &[])).await.unwrap();
            if tls.get_ref().1.peer_certificates().unwrap()[0] == renewed.certificate {
                break;
            }
            tokio::time::sleep(ms(100)).await;
        }
    })
    .await;
    assert!(ask(&mut open, GET).await.ends_with("ok"));
}

#[tokio::test]
async fn alpn_offers_http_2_where_the_listener_does() {
    let origin = Origin::start(Manner::Polite).await;
    for (http2, offered, chosen) in [
        (true, &["h2", "http/1.1"][..], Some("h2")),
        (true, &["http/1.1"], Some("http/1.1")),
        (true, &[], None),
        (false, &["h2", "http/1.1"], Some("http/1.1")),
    ] {
        let (house, pki, _files) = tls_house(origin.address, |policy| policy.settings.listeners[0].http2 = http2).await;
        let tls = handshake(connect(house.at).await, "shop.test", tls_client(&[&pki], offered)).await.unwrap();
        assert_eq!(tls.get_ref().1.alpn_protocol(), chosen.map(str::as_bytes));
    }
}

/// ring knows neither P-521 nor X25519MLKEM768: a handshake that needs both cannot have used it.
#[tokio::test]
async fn listeners_use_aws_lc_rs() {
    let (origin, pki) = (Origin::start(Manner::Polite).await, self_signed("shop.test", &rcgen::PKCS_ECDSA_P521_SHA512));
    let key = PrivateKeyDer::from_pem_slice(pki.pem.as_bytes()).unwrap();
    assert!(ring::sign::any_supported_type(&key).is_err(), "ring has learned P-521: find another difference");

    let files = Certified::new(&[("shop.pem", &pki)]);
    let listener = files.listener();
    let house = house(origin.address, |policy| policy.settings.listeners = vec![listener]).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(pki.certificate.clone()).unwrap();
    let only_hybrid =
        CryptoProvider { kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768], ..aws_lc_rs::default_provider() };
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(only_hybrid))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tls = handshake(connect(house.at).await, "shop.test", client).await.unwrap();
    assert!(ask(&mut tls, GET).await.ends_with("ok"));
}

/// Pingora's connector takes the process default: ring if nobody installed another first.
#[tokio::test]
async fn outbound_uses_aws_lc_rs() {
    install_crypto().unwrap();
    let pki = self_signed("origin.test", &rcgen::PKCS_ECDSA_P521_SHA512);
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("p521.pem");
    std::fs::write(&ca, pki.pem.split_inclusive("-----END CERTIFICATE-----").next().unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let key = PrivateKeyDer::from_pem_slice(pki.pem.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![pki.certificate.clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut tls = acceptor.accept(tcp).await.unwrap();
        read_message(&mut tls).await.unwrap();
        tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        tls.flush().await.unwrap();
    });
    let outbound = PingoraOutbound::new(4, Some(ca.to_str().unwrap().to_owned()));
    let target = Target { address, tls_name: Some("origin.test".to_owned()) };
    let headers = http::HeaderMap::from_iter([("host".parse().unwrap(), "origin.test".parse().unwrap())]);
    let request = Request { method: http::Method::GET, path: "/".to_owned(), headers, body: bytes::Bytes::new() };
    let answer = soon(outbound.send(&target, request, &Deadlines::default(), 10)).await.unwrap();
    assert_eq!(answer.body, "ok");
}

/// The listener is the same; where its certificates are is another matter.
#[tokio::test]
async fn other_files_are_presented_after_a_reload_or_none_of_them() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, old, _files) = tls_house(origin.address, |_| {}).await;
    let mut policy = policy(origin.address);
    let (renewed, keys) = (p256("shop.test"), || Arc::new(no_keys()));
    let elsewhere = Certified::new(&[("shop.pem", &renewed)]);
    policy.settings.listeners = vec![elsewhere.listener()];
    elsewhere.write("shop.pem", "broken");
    let policy = Arc::new(policy);
    let error = house.edge.prepare(policy.clone(), keys()).await.err().unwrap();
    assert!(error.to_string().contains("shop.pem"), "{error}");
    assert_eq!(presented(&house, "shop.test", &[&old]).await, old.certificate.to_vec());

    elsewhere.write("shop.pem", &renewed.pem);
    let prepared = house.edge.prepare(policy.clone(), keys()).await.unwrap();
    assert!(house.edge.listens_as(&policy.settings.listeners), "nothing to restart for");
    house.edge.replace(prepared);
    assert_eq!(presented(&house, "shop.test", &[&renewed]).await, renewed.certificate.to_vec());
    let again = p256("shop.test");
    elsewhere.write("shop.pem", &again.pem);
    house.edge.reload_certificates().unwrap();
    assert_eq!(
        presented(&house, "shop.test", &[&again]).await,
        again.certificate.to_vec(),
        "those are read from now on"
    );
}
