//! Clients that pause or leave, and origins that do.

use super::raw::*;
use crate::edge::{repeats::queued, support::*};
use bytes::Bytes;
use http::Request;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    sync::oneshot,
};

const INITIAL_WINDOW: u16 = 4;
const CANCEL: u32 = 8;

/// More than the pipes between origin and client hold.
fn large() -> &'static str {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {0}\r\n\r\n{1}", 1 << 20, "a".repeat(1 << 20)).leak()
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_cut_off() {
    let origin = Origin::start(Manner::Says(large())).await;
    let (mut house, pki, _files) =
        tls_house(origin.address, |policy| policy.settings.limits.answer_idle = ms(300)).await;
    for window in [0, 10_000] {
        let mut raw = Raw::open(&house, &pki, &[(INITIAL_WINDOW, window)]).await;
        raw.send(&get(1)).await;
        assert_eq!(raw.ending(1).await, Ending::Answer("200".into()));
        assert!(matches!(raw.ending(1).await, Ending::Reset(_)), "a window of {window}");
        let heard = house.hears().await;
        assert_eq!((heard.code, heard.status), ("answer_unread", Some(200)), "a window of {window}");
        assert_eq!(raw.ping().await, Some(()), "the connection lives on");
    }
}

/// Room for four, of which an address has a quarter.
#[tokio::test]
async fn only_so_many_answers_lie_unread() {
    let origin = Origin::start(Manner::Says(large())).await;
    let (mut house, pki, _files) =
        tls_house(origin.address, |policy| policy.settings.limits.answers_bytes = 2 << 20).await;
    let mut raw = Raw::open(&house, &pki, &[(INITIAL_WINDOW, 0)]).await;
    raw.send(&[get(1), get(3)].concat()).await;
    assert_eq!(house.hears().await.code, "answer_unread", "long before its patience ends");
    assert_eq!(house.edge.connections(), 1);
    // Whoever was left its place reads on.
    let window = |stream| frame(WINDOW_UPDATE, 0, stream, &(4_u32 << 20).to_be_bytes());
    raw.send(&[window(0), window(1), window(3)].concat()).await;
    assert_eq!(house.hears().await.code, "passed");
    raw.send(&get(5)).await;
    raw.send(&window(5)).await;
    assert_eq!(house.hears().await.code, "passed", "the place is free again");
}

#[tokio::test]
async fn a_slow_reader_gets_all_of_it() {
    let origin = Origin::start(Manner::Says(large())).await;
    let (mut house, pki, _files) =
        tls_house(origin.address, |policy| policy.settings.limits.answer_idle = ms(500)).await;
    let mut raw = Raw::open(&house, &pki, &[(INITIAL_WINDOW, 0)]).await;
    raw.send(&get(1)).await;
    for _ in 0..(1 << 20) / (16 << 10) {
        let window = |stream| frame(WINDOW_UPDATE, 0, stream, &(16_u32 << 10).to_be_bytes());
        raw.send(&[window(0), window(1)].concat()).await;
        tokio::time::sleep(ms(20)).await;
    }
    assert_eq!(house.hears().await.code, "passed");
}

/// An origin that lets an upload wait for as long as it is told to, and then answers.
fn deaf(bytes: usize) -> (std::net::SocketAddr, oneshot::Sender<()>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(8).unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        told.await.unwrap();
        let (mut read, mut space) = (0, vec![0; 1 << 16]);
        while read < bytes {
            read += tcp.read(&mut space).await.unwrap();
        }
        tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        let _ = tcp.read(&mut space).await;
    });
    (address, tell)
}

/// So that every buffer on the way is full.
const UPLOAD_BYTES: usize = 16 << 20;

/// Patience and pace that are those of the client alone.
fn strict(policy: &mut hookwarden::policy::Policy) {
    policy.settings.limits.body_idle = ms(300);
    policy.settings.limits.body_rate_bytes_per_s = 10 << 20;
}

#[tokio::test]
async fn an_upload_waits_while_the_origin_does_not_read() {
    let (address, tell) = deaf(UPLOAD_BYTES);
    let (mut house, pki, _files) = tls_house(address, strict).await;
    let mut send = h2(&house, &pki).await;
    let request =
        Request::post("https://shop.test/").header("content-length", UPLOAD_BYTES.to_string()).body(()).unwrap();
    let (answer, mut body) = send.send_request(request, false).unwrap();
    let upload = tokio::spawn(async move {
        let mut left = UPLOAD_BYTES;
        while left > 0 {
            body.reserve_capacity(left.min(1 << 16));
            let room = std::future::poll_fn(|cx| body.poll_capacity(cx)).await.unwrap().unwrap();
            let now = room.min(left);
            left -= now;
            body.send_data(Bytes::from(vec![b'a'; now]), left == 0).unwrap();
        }
    });
    tokio::time::sleep(ms(2500)).await;
    assert!(!upload.is_finished(), "the buffers hold all of it: send more");
    tell.send(()).unwrap();
    assert_eq!(soon(answer).await.unwrap().status(), 200);
    soon(upload).await.unwrap();
    assert_eq!(house.hears().await.code, "passed");
}

#[tokio::test]
async fn an_http_1_upload_waits_too() {
    let (address, tell) = deaf(UPLOAD_BYTES);
    let mut house = house(address, strict).await;
    let (mut reads, mut writes) = connect(house.at).await.into_split();
    let upload = tokio::spawn(async move {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {UPLOAD_BYTES}\r\n\r\n");
        writes.write_all(head.as_bytes()).await.unwrap();
        writes.write_all(&vec![b'a'; UPLOAD_BYTES]).await.unwrap();
        writes
    });
    tokio::time::sleep(ms(2500)).await;
    assert!(!upload.is_finished(), "the buffers hold all of it: send more");
    tell.send(()).unwrap();
    let answer = soon(read_message(&mut reads)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    soon(upload).await.unwrap();
    assert_eq!(house.hears().await.code, "passed");
}

#[tokio::test]
async fn who_leaves_and_who_falls_silent_are_two() {
    let origin = Origin::start(Manner::Slow(ms(3000))).await;
    let (mut house, pki, _files) = tls_house(origin.address, |policy| policy.settings.limits.body_idle = ms(300)).await;
    let reset = |stream| frame(RESET, 0, stream, &CANCEL.to_be_bytes());
    let mut raw = Raw::open(&house, &pki, &[]).await;

    raw.send(&post(1, &[])).await;
    assert_eq!(raw.ending(1).await, Ending::Answer("408".into()));
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status), ("too_slow", Some(408)), "silent");

    raw.send(&post(3, &[])).await;
    raw.send(&frame(DATA, 0, 3, b"begun")).await;
    raw.send(&reset(3)).await;
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status), ("aborted", Some(499)), "in the middle of the body");

    raw.send(&get(5)).await;
    until(|| !origin.requests().is_empty()).await;
    raw.send(&reset(5)).await;
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status), ("aborted", Some(499)), "before the answer");

    raw.send(&get(7)).await;
    until(|| origin.requests().len() == 2).await;
    drop(raw);
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status), ("aborted", Some(499)), "with the connection");
}

#[tokio::test]
async fn a_reader_that_leaves_in_the_middle_of_an_answer_is_no_broken_body() {
    let origin = Origin::start(Manner::Says(large())).await;
    let (mut house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let mut raw = Raw::open(&house, &pki, &[(INITIAL_WINDOW, 10_000)]).await;
    raw.send(&get(1)).await;
    assert_eq!(raw.ending(1).await, Ending::Answer("200".into()));
    raw.send(&frame(RESET, 0, 1, &CANCEL.to_be_bytes())).await;
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status), ("aborted", Some(200)));
}

/// The same where the gate reads the body itself.
#[tokio::test]
async fn a_webhook_whose_sender_leaves_or_falls_silent() {
    let (folder, pki) = (tempfile::tempdir().unwrap(), p256("shop.test"));
    let files = Certified::new(&[("shop.pem", &pki)]);
    let plain = policy("127.0.0.1:9".parse().unwrap()).settings.listeners;
    let (_, mut house) = queued(&folder, |policy| {
        policy.settings.listeners = [files.listener()].into_iter().chain(plain).collect();
        policy.settings.limits.body_idle = ms(300);
    })
    .await;
    let webhook = |stream| {
        let mut fields = POST_FIELDS;
        fields[3].1 = "/hooks/events";
        let signed = [("webhook-id", "a"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,AAAA")];
        frame(HEADERS, END_HEADERS, stream, &block(&[&fields[..], &signed].concat()))
    };
    let mut raw = Raw::open(&house, &pki, &[]).await;
    raw.send(&webhook(1)).await;
    assert_eq!(raw.ending(1).await, Ending::Answer("408".into()));
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status, heard.route.as_deref()), ("too_slow", Some(408), Some("events")));

    raw.send(&webhook(3)).await;
    raw.send(&frame(DATA, 0, 3, b"{")).await;
    raw.send(&frame(RESET, 0, 3, &CANCEL.to_be_bytes())).await;
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status, heard.route.as_deref()), ("aborted", Some(499), Some("events")));

    let head = "POST /hooks/events HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 9\r\n\
                webhook-id: a\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,AAAA\r\n\r\n{";
    let mut client = connect(house.edge.addresses()[1]).await;
    client.write_all(head.as_bytes()).await.unwrap();
    drop(client);
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status), ("aborted", Some(499)), "HTTP/1");

    let answer = ask_once(house.edge.addresses()[1], head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(house.hears().await.code, "too_slow");
}
