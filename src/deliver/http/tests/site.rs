//! A site on the loopback that records every request and behaves as it is told.

use super::http;
use crate::{
    contract::destination::{Manner, Received, Rig},
    deliver::http::Http,
    edge::PingoraOutbound,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

/// What it does with a request.
#[derive(Clone, Debug)]
pub(super) enum Says {
    Answer(String),
    AnswerAndClose(String),
    /// Reads it, and nothing more.
    Nothing,
    /// Half of an answer.
    Half,
    /// The head of an answer, and a byte of its body now and then.
    Drips,
    NeverReads,
}

/// One request, whole.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) line: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Seen {
    pub(super) fn field(&self, name: &str) -> String {
        let mut found = self.fields.iter().filter(|(field, _)| field == name);
        let (Some((_, value)), None) = (found.next(), found.next()) else { panic!("not one `{name}`: {self:?}") };
        value.clone()
    }
}

pub(super) struct Site {
    address: Mutex<SocketAddr>,
    says: Arc<Mutex<Says>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Aborted on drop, connections with it.
    open: Mutex<JoinSet<()>>,
}

fn ok() -> String {
    "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok".to_owned()
}

impl Site {
    pub(super) fn new() -> Self {
        Self {
            address: Mutex::new((Ipv4Addr::LOCALHOST, 0).into()),
            says: Arc::new(Mutex::new(Says::Answer(ok()))),
            seen: Arc::default(),
            open: Mutex::default(),
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/wp-json/hookwarden/v1/events", self.address.lock().unwrap())
    }

    pub(super) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Opens it, and the destination that leads to it.
    pub(super) async fn http(&self) -> Http<PingoraOutbound> {
        self.listen().await;
        http(&self.url())
    }

    pub(super) async fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
        if self.open.lock().unwrap().is_empty() {
            self.listen().await;
        }
    }

    async fn listen(&self) {
        let address = *self.address.lock().unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        *self.address.lock().unwrap() = listener.local_addr().unwrap();
        let (says, seen) = (self.says.clone(), self.seen.clone());
        self.open.lock().unwrap().spawn(async move {
            let mut guests = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                guests.spawn(converse(tcp, says.clone(), seen.clone()));
            }
        });
    }

    async fn close(&self) {
        let mut open = std::mem::take(&mut *self.open.lock().unwrap());
        open.shutdown().await;
    }
}

impl Rig for Site {
    type Destination = Http<PingoraOutbound>;

    async fn open(&self) -> Http<PingoraOutbound> {
        self.http().await
    }

    async fn behave(&self, manner: Manner) {
        match manner {
            Manner::Takes => self.says(Says::Answer(ok())).await,
            Manner::TakesAndCloses => self.says(Says::AnswerAndClose(ok())).await,
            Manner::Silent => self.says(Says::Nothing).await,
            Manner::BreaksOff => self.says(Says::Half).await,
            Manner::Down => self.close().await,
        }
    }

    async fn received(&self) -> Vec<Received> {
        let received = |seen: Seen| Received {
            id: seen.field("webhook-id"),
            content_type: seen.field("content-type"),
            payload: seen.body,
        };
        self.requests().into_iter().map(received).collect()
    }
}

async fn converse(mut tcp: TcpStream, says: Arc<Mutex<Says>>, seen: Arc<Mutex<Vec<Seen>>>) {
    if matches!(*says.lock().unwrap(), Says::NeverReads) {
        return std::future::pending().await;
    }
    while let Some(request) = read(&mut tcp).await {
        seen.lock().unwrap().push(request);
        let now = says.lock().unwrap().clone();
        let written = match now {
            Says::Answer(text) => tcp.write_all(text.as_bytes()).await,
            Says::AnswerAndClose(text) => {
                let _ = tcp.write_all(text.as_bytes()).await;
                return;
            }
            Says::Nothing | Says::NeverReads => return std::future::pending().await,
            Says::Half => {
                let _ = tcp.write_all(b"HTTP/1.1 202 Acc").await;
                return;
            }
            Says::Drips => {
                let mut written = tcp.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 10000\r\n\r\n").await;
                while written.is_ok() {
                    sleep(Duration::from_millis(20)).await;
                    written = tcp.write_all(b"x").await;
                }
                written
            }
        };
        if written.is_err() {
            return;
        }
    }
}

async fn read(tcp: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break at;
        }
        if !matches!(tcp.read_buf(&mut bytes).await, Ok(1..)) {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n").map(str::to_owned);
    let line = lines.next().unwrap();
    let field = |line: String| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    let mut seen = Seen { line, fields: lines.filter_map(field).collect(), body: bytes[head_end + 4..].to_vec() };
    let length: usize = seen.field("content-length").parse().unwrap();
    while seen.body.len() < length {
        if !matches!(tcp.read_buf(&mut seen.body).await, Ok(1..)) {
            return None;
        }
    }
    Some(seen)
}
