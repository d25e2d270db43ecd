//! A client that sends exactly the frames that it is told to.

use crate::edge::support::*;
use std::fmt::Write as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

pub(in crate::edge) const DATA: u8 = 0;
pub(in crate::edge) const HEADERS: u8 = 1;
pub(in crate::edge) const PRIORITY: u8 = 2;
pub(in crate::edge) const RESET: u8 = 3;
pub(in crate::edge) const SETTINGS: u8 = 4;
pub(in crate::edge) const PUSH_PROMISE: u8 = 5;
pub(in crate::edge) const PING: u8 = 6;
pub(in crate::edge) const GO_AWAY: u8 = 7;
pub(in crate::edge) const WINDOW_UPDATE: u8 = 8;
pub(in crate::edge) const CONTINUATION: u8 = 9;

pub(in crate::edge) const END_STREAM: u8 = 1;
pub(in crate::edge) const ACK: u8 = 1;
pub(in crate::edge) const END_HEADERS: u8 = 4;

/// How the gate took what it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::edge) enum Ending {
    /// The head of an answer to this stream.
    Answer(String),
    /// This stream was reset, with this code.
    Reset(u32),
    /// The connection was ended, with this code.
    GoAway(u32),
    /// The connection was ended without a word.
    Closed,
}

pub(in crate::edge) struct Raw {
    io: TlsStream<TcpStream>,
}

pub(in crate::edge) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals that nobody has to remember, RFC 7541 section 6.2.2.
pub(in crate::edge) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        let mut bytes = Vec::new();
        match text.len() {
            length @ ..127 => bytes.push(u8::try_from(length).unwrap()),
            mut left => {
                bytes.push(127);
                left -= 127;
                while left >= 128 {
                    bytes.push(u8::try_from(left % 128 + 128).unwrap());
                    left /= 128;
                }
                bytes.push(u8::try_from(left).unwrap());
            }
        }
        bytes.extend_from_slice(text.as_bytes());
        bytes
    };
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

pub(in crate::edge) const GET_FIELDS: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "https"), (":authority", "shop.test"), (":path", "/")];
pub(in crate::edge) const POST_FIELDS: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "https"), (":authority", "shop.test"), (":path", "/")];

/// A request without a body.
pub(in crate::edge) fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&GET_FIELDS))
}

/// A request whose body is still to come.
pub(in crate::edge) fn post(stream: u32, more: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(&[&POST_FIELDS, more].concat()))
}

impl Raw {
    /// Preface and settings are sent; the gate's own are not waited for.
    pub(in crate::edge) async fn open(house: &House, pki: &Pki, settings: &[(u16, u32)]) -> Self {
        let io = handshake(connect(house.at).await, "shop.test", tls_client(&[pki], &["h2"])).await.unwrap();
        let mut raw = Self { io };
        raw.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        let settings: Vec<_> =
            settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
        raw.send(&frame(SETTINGS, 0, 0, &settings)).await;
        raw
    }

    /// What the gate no longer wants is not sent.
    pub(in crate::edge) async fn send(&mut self, bytes: &[u8]) {
        let _ = soon(async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        })
        .await;
    }

    /// Kind, flags, stream, payload.
    pub(in crate::edge) async fn next(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        soon(self.io.read_exact(&mut head)).await.ok()?;
        let [h, m, l, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, h, m, l]) as usize];
        soon(self.io.read_exact(&mut payload)).await.ok()?;
        if kind == SETTINGS && flags & ACK == 0 {
            self.send(&frame(SETTINGS, ACK, 0, &[])).await;
        }
        Some((kind, flags, u32::from_be_bytes(stream), payload))
    }

    /// Whether somebody is there.
    pub(in crate::edge) async fn ping(&mut self) -> Option<()> {
        self.send(&frame(PING, 0, 0, b"is there")).await;
        loop {
            if let (PING, ACK, _, _) = self.next().await? {
                return Some(());
            }
        }
    }

    /// Of this stream, or of all.
    pub(in crate::edge) async fn ending(&mut self, of: u32) -> Ending {
        while let Some((kind, _, stream, payload)) = self.next().await {
            let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
            match kind {
                GO_AWAY if number(4) != 0 => return Ending::GoAway(number(4)),
                RESET if stream == of => return Ending::Reset(number(0)),
                HEADERS if stream == of => return Ending::Answer(status(&payload)),
                _ => {}
            }
        }
        Ending::Closed
    }
}

/// `:status` stands first: of the static table, or with a literal value, RFC 7541 appendices A and B.
fn status(block: &[u8]) -> String {
    const STATIC: [&str; 7] = ["200", "204", "206", "304", "400", "404", "500"];
    if let index @ 0x88..=0x8e = block[0] {
        return STATIC[usize::from(index - 0x88)].to_owned();
    }
    let (length, value) = (usize::from(block[1] & 0x7f), &block[2..]);
    if block[1] & 0x80 == 0 {
        return String::from_utf8_lossy(&value[..length]).into_owned();
    }
    let bits: String = value[..length].iter().fold(String::new(), |mut bits, byte| {
        write!(bits, "{byte:08b}").unwrap();
        bits
    });
    let (mut digits, mut left) = (String::new(), bits.as_str());
    while digits.len() < 3 {
        let five = u8::from_str_radix(&left[..5], 2).unwrap();
        let (digit, length) =
            if five <= 2 { (five, 5) } else { (u8::from_str_radix(&left[..6], 2).unwrap() - 0x16, 6) };
        digits.push(char::from(b'0' + digit));
        left = &left[length..];
    }
    digits
}
