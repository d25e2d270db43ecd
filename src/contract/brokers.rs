//! Real brokers of this machine, in front of which stands a wire that breaks as a suite wants it.

use super::destination::Manner;
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener, TcpStream as StdStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// A server of its own, with a folder of its own. Ends with this.
pub(crate) struct Server {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
    program: &'static str,
    arguments: Vec<String>,
    child: Mutex<Option<Child>>,
}

/// So long until a server listens, also where it reads a log first.
const UP: Duration = Duration::from_secs(20);

impl Server {
    /// `arguments` are those after the port and the folder, which each program names in its own way.
    pub(crate) fn new(program: &'static str, arguments: impl FnOnce(u16, &Path) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let arguments = arguments(port, folder.path());
        let server = Self { folder, port, program, arguments, child: Mutex::default() };
        server.start();
        server
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Returns when it listens; also after [`Server::kill`].
    pub(crate) fn start(&self) {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let child = Command::new(self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; `deploy/dev/brokers` installs it", self.program));
        *self.child.lock().unwrap() = Some(child);
        let until = Instant::now() + UP;
        while StdStream::connect(self.address()).is_err() {
            let ended = self.child.lock().unwrap().as_mut().is_some_and(|child| child.try_wait().unwrap().is_some());
            let said = || std::fs::read_to_string(self.log()).unwrap_or_default();
            assert!(!ended && Instant::now() < until, "{} is not up:\n{}", self.program, said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// It stands still, with its connections open, or goes on.
    pub(crate) fn pause(&self, paused: bool) {
        let signal = if paused { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, &self.id()]).status().unwrap().success());
    }

    fn id(&self) -> String {
        self.child.lock().unwrap().as_ref().map(Child::id).unwrap().to_string()
    }

    /// From now on none of its files can be longer: to it that is a disk without room.
    pub(crate) fn limit_files(&self, bytes: u64) {
        let size = format!("--fsize={bytes}:{bytes}");
        let limited = Command::new("prlimit").args(["--pid", &self.id(), &size]).status();
        assert!(limited.unwrap().success());
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.child.lock().unwrap().as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Between a client and a server.
pub(crate) struct Wire {
    address: Mutex<SocketAddr>,
    server: SocketAddr,
    manner: watch::Sender<Manner>,
    /// Aborted on drop, connections with it.
    open: Mutex<JoinSet<()>>,
}

/// What every event of the suites has in its id: what follows from the server is the confirmation.
const EVENT: &[u8] = b"evt_";
/// But for this, with which NATS answers whenever it likes.
const PONG: &[u8] = b"PONG\r\n";
/// After an answer that is to be the last: a client that has not read it by then, on a busy machine too, cannot know.
const A_MOMENT: Duration = Duration::from_millis(100);

impl Wire {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let (manner, _) = watch::channel(Manner::Takes);
        Self { address: Mutex::new((Ipv4Addr::LOCALHOST, 0).into()), server, manner, open: Mutex::default() }
    }

    /// Where a client finds it.
    pub(crate) async fn open(&self) -> u16 {
        let address = *self.address.lock().unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        *self.address.lock().unwrap() = address;
        let (server, manner) = (self.server, self.manner.clone());
        self.open.lock().unwrap().spawn(async move {
            let mut guests = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                guests.spawn(converse(client, server, manner.subscribe()));
            }
        });
        address.port()
    }

    pub(crate) async fn behave(&self, manner: Manner) {
        self.manner.send_replace(manner);
        if manner == Manner::Down {
            let mut open = std::mem::take(&mut *self.open.lock().unwrap());
            open.shutdown().await;
        } else if self.open.lock().unwrap().is_empty() {
            self.open().await;
        }
    }
}

/// Until one of the two ends, or the wire breaks.
async fn converse(client: TcpStream, server: SocketAddr, manner: watch::Receiver<Manner>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    // An event is under way.
    let armed = Arc::new(Mutex::new(false));
    tokio::select! {
        () = there(from_client, to_server, armed.clone()) => {}
        () = back(from_server, to_client, armed, manner) => {}
    }
}

async fn there(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, armed: Arc<Mutex<bool>>) {
    let (mut bytes, mut before) = (vec![0; 64 << 10], Vec::new());
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        before.extend_from_slice(&bytes[..count]);
        if before.windows(EVENT.len()).any(|window| window == EVENT) {
            *armed.lock().unwrap() = true;
            before.clear();
        } else {
            before.drain(..before.len().saturating_sub(EVENT.len()));
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

async fn back(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    armed: Arc<Mutex<bool>>,
    manner: watch::Receiver<Manner>,
) {
    let (mut bytes, mut silent) = (vec![0; 64 << 10], manner.clone());
    silent.mark_unchanged();
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let answer = &bytes[..count];
        let confirms = answer != PONG && std::mem::take(&mut *armed.lock().unwrap());
        let now = *manner.borrow();
        match now {
            Manner::Silent if confirms => {
                // What is left out cannot be made up for: this wire ends with the silence.
                let _ = silent.wait_for(|manner| *manner != Manner::Silent).await;
                return;
            }
            Manner::BreaksOff if confirms => {
                let _ = to.write_all(&answer[..count / 2]).await;
                return;
            }
            Manner::TakesAndCloses if confirms => {
                let _ = to.write_all(answer).await;
                return sleep(A_MOMENT).await;
            }
            Manner::Takes | Manner::TakesAndCloses | Manner::Silent | Manner::BreaksOff | Manner::Down => {
                if to.write_all(answer).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A certificate of its own for `localhost`, in `NAME.pem` and `NAME.key`.
pub(crate) fn certificate(folder: &Path, name: &str) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}
