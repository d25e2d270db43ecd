//! The parts of RFC 9113 that h2spec covers, against the running gate, and the floods that came after it.

use super::raw::*;
use crate::edge::support::*;
use Ending::{Answer, Closed, GoAway, Reset};

const PROTOCOL: u32 = 1;
const FLOW_CONTROL: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE: u32 = 6;
const REFUSED: u32 = 7;
const COMPRESSION: u32 = 9;
const CALM: u32 = 11;

struct Case {
    section: &'static str,
    what: &'static str,
    sends: Vec<u8>,
    /// How stream 1 ends; any of these.
    ends: Vec<Ending>,
}

fn case(section: &'static str, what: &'static str, sends: &[Vec<u8>], ends: &[Ending]) -> Case {
    Case { section, what, sends: sends.concat(), ends: ends.to_vec() }
}

fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(fields))
}

fn with(more: &[(&str, &str)]) -> Vec<u8> {
    fields(&[&GET_FIELDS, more].concat())
}

fn without(name: &str) -> Vec<u8> {
    fields(&GET_FIELDS.into_iter().filter(|(other, _)| *other != name).collect::<Vec<_>>())
}

fn but(name: &str, value: &str) -> Vec<u8> {
    fields(&GET_FIELDS.map(|(other, old)| (other, if other == name { value } else { old })))
}

fn update(stream: u32, by: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

fn setting(id: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

/// Sections 3 to 5: frames as such, header blocks, the states of streams.
fn streams() -> Vec<Case> {
    let (protocol, size) = ([GoAway(PROTOCOL)], [GoAway(FRAME_SIZE)]);
    let ok = [Answer("200".into())];
    vec![
        case("3.4", "a request", &[get(1)], &ok),
        case("4.1", "a frame of an unknown kind", &[frame(99, 255, 7, b"?"), get(1)], &ok),
        case("4.1", "flags that mean nothing", &[frame(PING, 0xfe, 0, b"12345678"), get(1)], &ok),
        case("4.2", "DATA of 16 KiB + 1", &[post(1, &[]), frame(DATA, 0, 1, &[0; 16_385])], &size),
        case("4.2", "HEADERS of 16 KiB + 1", &[frame(HEADERS, END_HEADERS, 1, &[0; 16_385])], &size),
        case(
            "4.3",
            "a block that is no HPACK",
            &[frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff")],
            &[GoAway(COMPRESSION), GoAway(PROTOCOL), Closed],
        ),
        case(
            "4.3",
            "a block that is interrupted",
            &[frame(HEADERS, 0, 1, &block(&GET_FIELDS)), frame(PRIORITY, 0, 1, b"\0\0\0\0\0")],
            &protocol,
        ),
        case(
            "4.3",
            "a block that another stream goes on with",
            &[frame(HEADERS, 0, 1, &block(&GET_FIELDS)), frame(CONTINUATION, END_HEADERS, 3, b"")],
            &protocol,
        ),
        case("5.1", "DATA before HEADERS", &[frame(DATA, 0, 1, b"x")], &protocol),
        case("5.1", "RST_STREAM before HEADERS", &[frame(RESET, 0, 1, b"\0\0\0\x08")], &protocol),
        case("5.1", "WINDOW_UPDATE before HEADERS", &[update(1, 1)], &protocol),
        case("5.1", "CONTINUATION before HEADERS", &[frame(CONTINUATION, END_HEADERS, 1, b"")], &protocol),
        case(
            "5.1",
            "DATA after END_STREAM",
            &[get(1), frame(DATA, 0, 1, b"x")],
            &[Reset(STREAM_CLOSED), GoAway(STREAM_CLOSED), GoAway(PROTOCOL)],
        ),
        case(
            "5.1",
            "HEADERS after END_STREAM",
            &[get(1), get(1)],
            &[Reset(STREAM_CLOSED), GoAway(STREAM_CLOSED), Reset(PROTOCOL)],
        ),
        case("5.1.1", "an even stream", &[get(2)], &protocol),
        case("5.1.1", "a stream that goes back", &[get(5), get(3)], &protocol),
        case(
            "5.3.1",
            "HEADERS that depend on themselves",
            &[frame(
                HEADERS,
                END_HEADERS | END_STREAM | 0x20,
                1,
                &[b"\0\0\0\x01\0".to_vec(), block(&GET_FIELDS)].concat(),
            )],
            &[Reset(PROTOCOL)],
        ),
        case(
            "5.3.1",
            "PRIORITY that depends on itself",
            &[frame(PRIORITY, 0, 1, b"\0\0\0\x01\0")],
            &[Reset(PROTOCOL), GoAway(PROTOCOL)],
        ),
    ]
}

/// Section 6: each kind of frame.
fn frames() -> Vec<Case> {
    let protocol = [GoAway(PROTOCOL)];
    let ok = [Answer("200".into())];
    vec![
        case("6.1", "DATA on stream 0", &[frame(DATA, 0, 0, b"x")], &protocol),
        case("6.1", "DATA with more padding than data", &[post(1, &[]), frame(DATA, 8, 1, b"\x09x")], &protocol),
        case("6.2", "HEADERS on stream 0", &[frame(HEADERS, END_HEADERS, 0, &block(&GET_FIELDS))], &protocol),
        case(
            "6.2",
            "HEADERS with more padding than fields",
            &[frame(HEADERS, END_HEADERS | 8, 1, b"\x09x")],
            &protocol,
        ),
        case("6.3", "PRIORITY on stream 0", &[frame(PRIORITY, 0, 0, b"\0\0\0\x01\0")], &protocol),
        case(
            "6.3",
            "PRIORITY of 4 bytes",
            &[frame(PRIORITY, 0, 1, b"\0\0\0\0")],
            &[Reset(FRAME_SIZE), GoAway(FRAME_SIZE), GoAway(PROTOCOL)],
        ),
        case("6.4", "RST_STREAM on stream 0", &[frame(RESET, 0, 0, b"\0\0\0\x08")], &protocol),
        case(
            "6.4",
            "RST_STREAM of 3 bytes",
            &[post(1, &[]), frame(RESET, 0, 1, b"\0\0\0")],
            &[GoAway(FRAME_SIZE), GoAway(PROTOCOL)],
        ),
        case("6.5", "SETTINGS of a stream", &[frame(SETTINGS, 0, 1, b"")], &protocol),
        case("6.5", "SETTINGS of 5 bytes", &[frame(SETTINGS, 0, 0, b"12345")], &[GoAway(FRAME_SIZE), GoAway(PROTOCOL)]),
        case(
            "6.5",
            "SETTINGS that agree and ask",
            &[frame(SETTINGS, ACK, 0, b"\0\x03\0\0\0\x01")],
            &[GoAway(FRAME_SIZE), GoAway(PROTOCOL)],
        ),
        case("6.5.2", "ENABLE_PUSH of 2", &[setting(2, 2)], &protocol),
        case("6.5.2", "a window of 2^31", &[setting(4, 1 << 31)], &[GoAway(FLOW_CONTROL), GoAway(PROTOCOL)]),
        case("6.5.2", "frames of 16383 bytes", &[setting(5, 16_383)], &protocol),
        case("6.5.2", "frames of 2^24 bytes", &[setting(5, 1 << 24)], &protocol),
        case("6.5.2", "a setting that nobody knows", &[setting(99, 99), get(1)], &ok),
        case(
            "6.6",
            "PUSH_PROMISE of a client",
            &[
                post(1, &[]),
                frame(PUSH_PROMISE, END_HEADERS, 1, &[b"\0\0\0\x02".to_vec(), block(&GET_FIELDS)].concat()),
            ],
            &protocol,
        ),
        case("6.7", "PING of a stream", &[frame(PING, 0, 1, b"12345678")], &protocol),
        case("6.7", "PING of 6 bytes", &[frame(PING, 0, 0, b"123456")], &[GoAway(FRAME_SIZE), GoAway(PROTOCOL)]),
        case("6.8", "GOAWAY of a stream", &[frame(GO_AWAY, 0, 1, &[0; 8])], &protocol),
        case("6.9", "WINDOW_UPDATE by 0", &[update(0, 0)], &protocol),
        case(
            "6.9",
            "a stream's WINDOW_UPDATE by 0",
            &[post(1, &[]), update(1, 0)],
            &[Reset(PROTOCOL), GoAway(PROTOCOL)],
        ),
        case(
            "6.9",
            "WINDOW_UPDATE of 3 bytes",
            &[frame(WINDOW_UPDATE, 0, 0, b"123")],
            &[GoAway(FRAME_SIZE), GoAway(PROTOCOL)],
        ),
        case(
            "6.9.1",
            "a window over 2^31 - 1",
            &[update(0, 0x7fff_ffff), update(0, 0x7fff_ffff)],
            &[GoAway(FLOW_CONTROL)],
        ),
        case(
            "6.9.1",
            "a stream's window over 2^31 - 1",
            &[post(1, &[]), update(1, 0x7fff_ffff)],
            &[Reset(FLOW_CONTROL), GoAway(FLOW_CONTROL)],
        ),
        case(
            "6.10",
            "CONTINUATION after END_HEADERS",
            &[post(1, &[]), frame(CONTINUATION, END_HEADERS, 1, b"")],
            &protocol,
        ),
    ]
}

/// Messages: what a request must have, and must not have.
fn messages() -> Vec<Case> {
    let reset = [Reset(PROTOCOL)];
    let refused = [Reset(PROTOCOL), Answer("400".into())];
    vec![
        case(
            "8.1",
            "trailers without END_STREAM",
            &[post(1, &[]), frame(HEADERS, END_HEADERS, 1, &block(&[("x", "y")]))],
            &reset,
        ),
        case(
            "8.1.1",
            "a length that is too long",
            &[post(1, &[("content-length", "2")]), frame(DATA, END_STREAM, 1, b"x")],
            &reset,
        ),
        case(
            "8.1.1",
            "a length that is too short",
            &[post(1, &[("content-length", "1")]), frame(DATA, END_STREAM, 1, b"xy")],
            &reset,
        ),
        case("8.1.1", "a length without a body", &[with(&[("content-length", "2")])], &reset),
        case("8.2.1", "an upper-case name", &[with(&[("X-Upper", "x")])], &[Reset(PROTOCOL), GoAway(PROTOCOL)]),
        case("8.2.2", "connection", &[with(&[("connection", "close")])], &reset),
        case("8.2.2", "keep-alive", &[with(&[("keep-alive", "1")])], &reset),
        case("8.2.2", "proxy-connection", &[with(&[("proxy-connection", "x")])], &reset),
        case("8.2.2", "transfer-encoding", &[with(&[("transfer-encoding", "chunked")])], &reset),
        case("8.2.2", "upgrade", &[with(&[("upgrade", "websocket")])], &reset),
        case("8.2.2", "te", &[with(&[("te", "gzip")])], &reset),
        case("8.3", "an unknown pseudo-field", &[with(&[(":x", "y")])], &[Reset(PROTOCOL), GoAway(PROTOCOL)]),
        case("8.3", "a pseudo-field of answers", &[with(&[(":status", "200")])], &reset),
        case(
            "8.3",
            "a pseudo-field after others",
            &[fields(&[("x", "y"), GET_FIELDS[0], GET_FIELDS[1], GET_FIELDS[2], GET_FIELDS[3]])],
            &reset,
        ),
        case("8.3.1", "no :method", &[without(":method")], &reset),
        case("8.3.1", "no :scheme", &[without(":scheme")], &reset),
        case("8.3.1", "no :path", &[without(":path")], &reset),
        case("8.3.1", "an empty :path", &[but(":path", "")], &reset),
        case("8.3.1", "no :authority and no host", &[without(":authority")], &refused),
        case("8.3.1", ":method twice", &[with(&[(":method", "POST")])], &reset),
        case("8.3.1", ":path twice", &[with(&[(":path", "/other")])], &reset),
        case("8.3.1", ":authority twice", &[with(&[(":authority", "other.test")])], &reset),
        case("8.5", "CONNECT", &[fields(&[(":method", "CONNECT"), (":authority", "a:443")])], &[Answer("405".into())]),
        case("8.5", "CONNECT with a path", &[but(":method", "CONNECT")], &[Reset(PROTOCOL), Answer("405".into())]),
    ]
}

#[tokio::test]
async fn the_gate_speaks_http_2_as_its_standard_wants_it() {
    let origin = Origin::start(Manner::Polite).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let mut wrong = Vec::new();
    for Case { section, what, sends, ends } in [streams(), frames(), messages()].into_iter().flatten() {
        let mut raw = Raw::open(&house, &pki, &[]).await;
        raw.send(&sends).await;
        let ending = raw.ending(1).await;
        if !ends.contains(&ending) {
            wrong.push(format!("{section} {what}: {ending:?}, not {ends:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let wanted = |request: &&String| !request.starts_with("GET / HTTP/1.1\r\n");
    let whole: Vec<_> = origin.requests().into_iter().filter(|request| wanted(&request)).collect();
    assert!(whole.is_empty(), "{whole:?}");
}

/// More streams than are offered are refused, and may be sent again.
#[tokio::test]
async fn a_stream_too_many_is_refused() {
    let origin = Origin::start(Manner::Slow(ms(5000))).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let mut raw = Raw::open(&house, &pki, &[]).await;
    let gets: Vec<_> = (0..=64).flat_map(|n| get(2 * n + 1)).collect();
    raw.send(&gets).await;
    assert_eq!(raw.ending(129).await, Reset(REFUSED));
}

/// Each costs its sender next to nothing, and would cost the gate memory or work without end.
#[tokio::test]
async fn floods_end_their_connection() {
    let origin = Origin::start(Manner::Slow(ms(500))).await;
    let (house, pki, _files) = tls_house(origin.address, |_| {}).await;
    let reset = |stream| frame(RESET, 0, stream, b"\0\0\0\x08");
    let streams = |count: u32| (0..count).map(|n| 2 * n + 1);
    for (what, sends) in [
        ("rapid reset, CVE-2023-44487", streams(2000).flat_map(|n| [get(n), reset(n)].concat()).collect::<Vec<u8>>()),
        (
            "made you reset, CVE-2025-8671",
            streams(2000).flat_map(|n| [get(n), frame(WINDOW_UPDATE, 0, n, b"\0\0\0\0")].concat()).collect(),
        ),
        ("CONTINUATION, CVE-2024-27316", {
            let more = frame(CONTINUATION, 0, 1, &block(&[("x", "y")]));
            [frame(HEADERS, 0, 1, &block(&GET_FIELDS)), more.repeat(10_000)].concat()
        }),
        ("empty CONTINUATION", {
            [frame(HEADERS, 0, 1, &block(&GET_FIELDS)), frame(CONTINUATION, 0, 1, b"").repeat(10_000)].concat()
        }),
        ("empty DATA, CVE-2019-9518", [post(1, &[]), frame(DATA, 0, 1, b"").repeat(200_000)].concat()),
        (
            "malformed requests",
            streams(200).flat_map(|n| frame(HEADERS, END_HEADERS | END_STREAM, n, &block(&[(":path", "/")]))).collect(),
        ),
    ] {
        let mut raw = Raw::open(&house, &pki, &[]).await;
        raw.send(&sends).await;
        let ending = raw.ending(u32::MAX).await;
        assert!(matches!(ending, GoAway(CALM | PROTOCOL) | Closed), "{what}: {ending:?}");
    }
    let mut raw = Raw::open(&house, &pki, &[]).await;
    raw.send(&get(1)).await;
    assert_eq!(raw.ending(1).await, Answer("200".into()), "others are served");
}
