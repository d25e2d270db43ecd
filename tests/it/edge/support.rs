//! An edge, an origin that misbehaves as told, and clients that send exactly the bytes they are given.

use hookwarden::{
    captures::Captures,
    clock::{Clock, SystemClock},
    edge::{
        Alarm, Config, Edge, Engine, NoEngine, Observer, PingoraOutbound, Report, StartError, TurnedAway,
        install_crypto,
    },
    policy::{Listener, Policy},
    secret::Secret,
    verify::Keys,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Nothing in these tests may take longer.
pub(super) async fn soon<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), work).await.expect("within 20 s")
}

/// Polls until it is so.
pub(super) async fn until(is_so: impl Fn() -> bool) {
    soon(async {
        while !is_so() {
            tokio::time::sleep(ms(3)).await;
        }
    })
    .await;
}

// --- certificates

pub(super) struct Pki {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) pem: String,
}

pub(super) fn self_signed(name: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> Pki {
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let certificate = rcgen::CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
    Pki { certificate: certificate.der().clone(), pem: certificate.pem() + &key.serialize_pem() }
}

pub(super) fn p256(name: &str) -> Pki {
    self_signed(name, &rcgen::PKCS_ECDSA_P256_SHA256)
}

/// One authority, so that connectors do not load the system's each time.
static CA_FILE: LazyLock<(tempfile::TempDir, String)> = LazyLock::new(|| {
    install_crypto().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let pem = p256("ca.test").pem;
    std::fs::write(&path, pem.split_inclusive("-----END CERTIFICATE-----").next().unwrap()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
});

pub(super) fn ca_file() -> String {
    CA_FILE.1.clone()
}

pub(super) fn outbound() -> PingoraOutbound {
    PingoraOutbound::new(16, Some(ca_file()))
}

// --- the edge

/// Hears everything.
#[derive(Default)]
pub(super) struct Ears {
    finished: Mutex<Vec<mpsc::UnboundedSender<Heard>>>,
    turned_away: Mutex<Vec<TurnedAway>>,
    alarms: AtomicUsize,
}

/// What a test wants to know of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) code: &'static str,
    pub(super) status: Option<u16>,
    pub(super) route: Option<String>,
    pub(super) path: String,
    pub(super) request_id: String,
    pub(super) detail: Option<String>,
    pub(super) client: Option<IpAddr>,
    pub(super) captured: bool,
    /// What was found by checks that are tried.
    pub(super) observed: Vec<(&'static str, &'static str)>,
}

impl Observer for Ears {
    fn finished(&self, report: &Report) {
        let heard = Heard {
            code: report.outcome.code(),
            status: report.status,
            route: report.route.as_deref().map(str::to_owned),
            path: report.path.clone(),
            request_id: report.request_id.to_string(),
            detail: report.detail.clone(),
            client: report.client,
            captured: report.notes.captured,
            observed: report.notes.observed.iter().map(|seen| (seen.check.name(), seen.found.code())).collect(),
        };
        self.finished.lock().unwrap().iter().for_each(|ear| ear.send(heard.clone()).unwrap_or_default());
    }
    fn turned_away(&self, reason: TurnedAway, _: IpAddr) {
        self.turned_away.lock().unwrap().push(reason);
    }
    fn alarm(&self, _: &Alarm) {
        self.alarms.fetch_add(1, Ordering::SeqCst);
    }
}

pub(super) struct House {
    pub(super) edge: Edge,
    pub(super) at: SocketAddr,
    pub(super) ears: Arc<Ears>,
    pub(super) heard: mpsc::UnboundedReceiver<Heard>,
}

impl House {
    /// The next report.
    pub(super) async fn hears(&mut self) -> Heard {
        soon(self.heard.recv()).await.unwrap()
    }
    pub(super) fn turned_away(&self) -> Vec<TurnedAway> {
        self.ears.turned_away.lock().unwrap().clone()
    }
    pub(super) fn alarms(&self) -> usize {
        self.ears.alarms.load(Ordering::SeqCst)
    }
}

/// A reverse proxy with short patience.
pub(super) fn policy(origin: SocketAddr) -> Policy {
    let mut policy = Policy::pass_through("127.0.0.1:0".parse().unwrap(), &format!("http://{origin}"));
    let limits = &mut policy.settings.limits;
    (limits.header, limits.keepalive, limits.handshake, limits.body_idle) = (ms(400), ms(1000), ms(300), ms(500));
    policy
}

pub(super) fn no_keys() -> Keys {
    Keys::new(Secret::new("memory").unwrap(), BTreeMap::new())
}

/// Without routes.
pub(super) async fn house(origin: SocketAddr, change: impl FnOnce(&mut Policy)) -> House {
    let mut policy = policy(origin);
    change(&mut policy);
    open(policy, no_keys(), NoEngine).await
}

/// As [`house`], if it starts.
pub(super) async fn try_open(policy: Policy) -> Result<(), StartError> {
    Edge::start(config(policy, no_keys(), NoEngine, Arc::default())).await.map(drop)
}

pub(super) async fn open<E: Engine>(policy: Policy, keys: Keys, engine: E) -> House {
    open_at(policy, keys, engine, Arc::new(SystemClock)).await
}

/// With somewhere to keep what is refused.
pub(super) async fn open_keeping(policy: Policy, keys: Keys, captures: Captures) -> House {
    let (tell, heard) = mpsc::unbounded_channel();
    let ears = Arc::new(Ears { finished: Mutex::new(vec![tell]), ..Ears::default() });
    let config = Config { captures: Some(captures), ..config(policy, keys, NoEngine, ears.clone()) };
    let edge = Edge::start(config).await.unwrap();
    House { at: edge.addresses()[0], edge, ears, heard }
}

/// By another clock.
pub(super) async fn open_at<E: Engine>(policy: Policy, keys: Keys, engine: E, clock: Arc<dyn Clock>) -> House {
    let (tell, heard) = mpsc::unbounded_channel();
    let ears = Arc::new(Ears { finished: Mutex::new(vec![tell]), ..Ears::default() });
    let config = Config { clock, ..config(policy, keys, engine, ears.clone()) };
    let edge = Edge::start(config).await.unwrap();
    House { at: edge.addresses()[0], edge, ears, heard }
}

fn config<E>(policy: Policy, keys: Keys, engine: E, observer: Arc<Ears>) -> Config<E> {
    install_crypto().unwrap();
    Config {
        policy: Arc::new(policy),
        keys: Arc::new(keys),
        engine,
        observer,
        clock: Arc::new(SystemClock),
        outbound: outbound(),
        ca_file: Some(ca_file()),
        captures: None,
        handovers: None,
    }
}

/// A folder of certificate files, and the listener that presents them.
pub(super) struct Certified {
    pub(super) folder: tempfile::TempDir,
}

impl Certified {
    pub(super) fn new(files: &[(&str, &Pki)]) -> Self {
        let certified = Self { folder: tempfile::tempdir().unwrap() };
        for (name, pki) in files {
            certified.write(name, &pki.pem);
        }
        certified
    }
    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self.permit(name, 0o600);
    }
    pub(super) fn permit(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.folder.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    pub(super) fn pattern(&self) -> PathBuf {
        self.folder.path().join("*.pem")
    }
    pub(super) fn listener(&self) -> Listener {
        let on = "127.0.0.1:0".parse().unwrap();
        Listener { on, tls: Some(vec![self.pattern()]), http2: true, proxy_protocol: vec![] }
    }
}

/// A house that speaks TLS as `shop.test`.
pub(super) async fn tls_house(origin: SocketAddr, change: impl FnOnce(&mut Policy)) -> (House, Pki, Certified) {
    let pki = p256("shop.test");
    let certified = Certified::new(&[("shop.pem", &pki)]);
    let listener = certified.listener();
    let house = house(origin, |policy| {
        policy.settings.listeners = vec![listener];
        change(policy);
    })
    .await;
    (house, pki, certified)
}

// --- an origin

#[derive(Clone)]
pub(super) enum Manner {
    Polite,
    /// Answers in chunks, without a length.
    Chunked,
    /// Answers keep-alive and closes a little later.
    Closes,
    ResetsAfterReading,
    Slow(Duration),
    /// Answers with these bytes.
    Says(&'static str),
    /// Answers with these bytes as soon as it has seen a head, and closes.
    Early(&'static str),
}

pub(super) struct Origin {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
    raw: Arc<Mutex<Vec<u8>>>,
    connections: Arc<AtomicUsize>,
}

impl Origin {
    pub(super) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let origin = Self { address, received: Arc::default(), raw: Arc::default(), connections: Arc::default() };
        let (received, raw, connections) = (origin.received.clone(), origin.raw.clone(), origin.connections.clone());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(tcp, manner.clone(), received.clone(), raw.clone()));
            }
        });
        origin
    }
    /// Whole requests.
    pub(super) fn requests(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
    /// Every byte that arrived, whole request or not.
    pub(super) fn bytes(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn converse(mut tcp: TcpStream, manner: Manner, received: Arc<Mutex<Vec<String>>>, raw: Arc<Mutex<Vec<u8>>>) {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    if let Manner::Early(answer) = manner {
        let mut bytes = Vec::new();
        while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
            if !matches!(tcp.read_buf(&mut bytes).await, Ok(1..)) {
                return;
            }
        }
        let _ = tcp.write_all(answer.as_bytes()).await;
        let _ = tcp.read(&mut [0; 1]).await;
        return;
    }
    while let Some(request) = read_and_note(&mut tcp, Some(&raw)).await {
        received.lock().unwrap().push(request);
        let answer: &[u8] = match &manner {
            Manner::Slow(delay) => {
                tokio::time::sleep(*delay).await;
                OK
            }
            Manner::Polite | Manner::Closes | Manner::Early(_) => OK,
            Manner::Chunked => {
                b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
            }
            Manner::ResetsAfterReading => return tcp.set_zero_linger().unwrap(),
            Manner::Says(answer) => answer.as_bytes(),
        };
        if tcp.write_all(answer).await.is_err() {
            return;
        }
        if matches!(manner, Manner::Closes) {
            return tokio::time::sleep(ms(20)).await;
        }
    }
}

// --- clients

/// One HTTP/1 message with its body, as text; `None` at the end of the stream.
pub(super) async fn read_message(io: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    read_and_note(io, None).await
}

async fn read_and_note(io: &mut (impl AsyncRead + Unpin), note: Option<&Mutex<Vec<u8>>>) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(end) = text.find("\r\n\r\n") {
            let head = text[..end].to_ascii_lowercase();
            let length: Option<usize> =
                head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
            let done = match length {
                Some(length) => text.len() >= end + 4 + length,
                None => !head.contains("transfer-encoding: chunked") || text.ends_with("0\r\n\r\n"),
            };
            if done {
                return Some(text.into_owned());
            }
        }
        let before = bytes.len();
        if !matches!(io.read_buf(&mut bytes).await, Ok(1..)) {
            return None;
        }
        if let Some(note) = note {
            note.lock().unwrap().extend_from_slice(&bytes[before..]);
        }
    }
}

pub(super) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

pub(super) async fn ask(io: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    let _ = io.write_all(request.as_bytes()).await; // may have been refused half-way
    let _ = io.flush().await;
    soon(read_message(io)).await.unwrap_or_default()
}

/// On a connection of its own.
pub(super) async fn ask_once(at: SocketAddr, request: &str) -> String {
    ask(&mut connect(at).await, request).await
}

/// Everything until the other side ends.
pub(super) async fn ask_to_end(at: SocketAddr, request: &str) -> String {
    let mut io = connect(at).await;
    let _ = io.write_all(request.as_bytes()).await;
    let mut bytes = Vec::new();
    let _ = soon(io.read_to_end(&mut bytes)).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// True if the other side ends within `limit` and says nothing first.
pub(super) async fn ends(io: &mut (impl AsyncRead + Unpin), limit: Duration) -> bool {
    matches!(timeout(limit, io.read(&mut [0; 64])).await, Ok(Ok(0) | Err(_)))
}

pub(super) const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

pub(super) fn tls_client(trust: &[&Pki], alpn: &[&str]) -> ClientConfig {
    install_crypto().unwrap();
    let mut roots = RootCertStore::empty();
    for pki in trust {
        roots.add(pki.certificate.clone()).unwrap();
    }
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config
}

pub(super) async fn handshake(
    tcp: TcpStream,
    name: &'static str,
    config: ClientConfig,
) -> std::io::Result<TlsStream<TcpStream>> {
    soon(TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).unwrap(), tcp)).await
}

/// An HTTP/2 connection to `shop.test`, driven in the background.
pub(super) async fn h2(house: &House, pki: &Pki) -> h2::client::SendRequest<bytes::Bytes> {
    let tls = handshake(connect(house.at).await, "shop.test", tls_client(&[pki], &["h2"])).await.unwrap();
    let (send, connection) = h2::client::handshake(tls).await.unwrap();
    tokio::spawn(connection);
    send.ready().await.unwrap()
}

/// Status, and the answer's body.
pub(super) async fn h2_ask(
    send: &mut h2::client::SendRequest<bytes::Bytes>,
    request: http::Request<()>,
    body: &[u8],
) -> Result<(http::response::Parts, String), h2::Error> {
    let (answer, mut stream) = send.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        stream.send_data(bytes::Bytes::copy_from_slice(body), true)?;
    }
    let (parts, mut body) = soon(answer).await?.into_parts();
    let mut text = Vec::new();
    while let Some(chunk) = soon(body.data()).await {
        text.extend_from_slice(&chunk?);
    }
    Ok((parts, String::from_utf8_lossy(&text).into_owned()))
}
