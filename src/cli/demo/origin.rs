//! A stand-in for WordPress, for people who have none at hand: serves a page, takes relayed webhooks, and checks
//! delivered events as our plugin would.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What the sample origin was asked, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<Hit>>>);

/// One request that reached the origin.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) path: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body_bytes: usize,
}

impl Seen {
    pub(super) fn hits(&self) -> Vec<Hit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, hit: Hit) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(hit);
    }
}

/// Starts the origin on a free port, until the runtime ends.
#[expect(clippy::disallowed_methods, reason = "a demonstration ends with its process")]
pub(super) async fn start() -> io::Result<(SocketAddr, Seen)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let seen = Seen::default();
    let noted = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let noted = noted.clone();
            tokio::spawn(async move { serve(stream, &noted).await });
        }
    });
    Ok((address, seen))
}

/// The gate sends well-formed heads below this, and nobody else is meant to talk to it.
const HEAD_BYTES_MAX: usize = 64 * 1024;

async fn serve(mut stream: TcpStream, seen: &Seen) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if bytes.len() > HEAD_BYTES_MAX || stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        };
        let (head, rest) = bytes.split_at_checked(end + 4).unwrap_or_default();
        let (path, headers) = read_head(&String::from_utf8_lossy(head));
        let body_bytes = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_usize);
        bytes = rest.to_vec();
        while bytes.len() < body_bytes {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        }
        let mut next = bytes.split_off(body_bytes);
        std::mem::swap(&mut bytes, &mut next);
        let answer = answer(&path);
        seen.note(Hit { path, headers, body_bytes });
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn read_head(head: &str) -> (String, HashMap<String, String>) {
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let field =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    (path, lines.filter_map(field).collect())
}

fn answer(path: &str) -> String {
    let (status, body) = match path {
        path if path.starts_with("/wp-json/hookwarden/v1/events") => ("202 Accepted", "{\"status\":\"accepted\"}"),
        path if path.contains("wc-api") => ("200 OK", "{\"hit\":\"the plugin behind wc-api\"}"),
        _ => ("200 OK", "<title>A sample shop</title><p>An ordinary page.\n"),
    };
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Type: text/html\r\n\r\n{body}", body.len())
}
