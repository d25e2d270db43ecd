//! The gate as a process of its own, with a folder that is its policy's, and a shop behind it.

use hookwarden::{
    clock::{Clock as _, SystemClock},
    verify::{Catalogue, Unsigned},
};
use serde_json::Value;
use std::{
    fs::{self, OpenOptions},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Nothing in these tests may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// WordPress, as far as the gate can tell: says its name, and notes what came.
pub(super) struct Shop {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    pub(super) fn open(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shop = Self { address: listener.local_addr().unwrap(), received: Arc::default() };
        let received = shop.received.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let received = received.clone();
                std::thread::spawn(move || {
                    let mut io = Wire(BufReader::new(stream));
                    while let Some((head, body)) = io.read() {
                        received.lock().unwrap().push(format!("{head}{body}"));
                        io.write(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len()));
                    }
                });
            }
        });
        shop
    }

    /// Requests, whole, that mention this.
    pub(super) fn received(&self, mention: &str) -> usize {
        self.received.lock().unwrap().iter().filter(|request| request.contains(mention)).count()
    }
}

/// One HTTP/1.1 connection.
pub(super) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(super) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn write(&mut self, text: &str) {
        let _ = self.0.get_mut().write_all(text.as_bytes()); // may have been refused half-way
    }

    fn read(&mut self) -> Option<(String, String)> {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            let ends = line == "\r\n";
            head.push_str(&line);
            if ends {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        Some((head, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Status and body.
    pub(super) fn ask(&mut self, request: &str) -> (u16, String) {
        self.write(request);
        let (head, body) = self.read().expect("an answer");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
    }

    pub(super) fn get(&mut self, target: &str) -> (u16, String) {
        self.ask(&format!("GET {target} HTTP/1.1\r\nHost: shop.test\r\n\r\n"))
    }

    /// A delivery as a sender signs it, now.
    pub(super) fn deliver(&mut self, target: &str, secret: &str, id: &str) -> u16 {
        let catalogue = Catalogue::embedded();
        let scheme = &catalogue.find("standard-webhooks").unwrap().scheme;
        let (method, body) = (http::Method::POST, format!("{{\"id\":\"{id}\"}}"));
        let unsigned = Unsigned {
            method: &method,
            url: target,
            content_type: "application/json",
            body: body.as_bytes(),
            id,
            at: SystemClock.now(),
        };
        let signed = scheme.sign(&scheme.signing_key(secret).unwrap(), &unsigned);
        let fields: String = signed.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("POST {target} HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\n{fields}");
        self.ask(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).0
    }
}

pub(super) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(super) const OTHER_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A folder, and the gate that runs on the policy in it.
pub(super) struct Gate {
    pub(super) folder: tempfile::TempDir,
    policy: PathBuf,
    pub(super) address: SocketAddr,
    pub(super) admin: SocketAddr,
    child: Option<Child>,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Gate {
    /// A folder with two secrets, and no gate yet.
    pub(super) fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        write_secret(&folder.path().join("key"), KEY);
        write_secret(&folder.path().join("other-key"), OTHER_KEY);
        folder
    }

    /// Runs on `gate.yaml` with this text, and watches it.
    pub(super) fn run(policy: impl FnOnce(&Path) -> String) -> Self {
        let folder = Self::folder();
        fs::write(folder.path().join("gate.yaml"), policy(folder.path())).unwrap();
        let path = folder.path().join("gate.yaml");
        Self::start(folder, path, &[])
    }

    pub(super) fn start(folder: tempfile::TempDir, policy: PathBuf, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hookwarden"))
            .args(["run", "--log-format", "json"])
            .args(options)
            .arg(&policy)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stderr, log) = (child.stderr.take().unwrap(), Arc::<Mutex<Vec<Value>>>::default());
        let lines = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let told = serde_json::from_str(&line).unwrap_or_else(|_| Value::from(line));
                lines.lock().unwrap().push(told);
            }
        });
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut gate = Self { folder, policy, address: nowhere, admin: nowhere, child: Some(child), log };
        let stands = until("the gate stands", || {
            let ended = gate.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the gate did not start: {ended:?}");
            gate.told("the gate stands").pop()
        });
        gate.admin = stands["admin"].as_str().unwrap().parse().unwrap();
        gate.address = gate.hears("listening")["address"].as_str().unwrap().parse().unwrap();
        gate
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As editors save: beside it, and then in its place.
    pub(super) fn save(&self, policy: &str) {
        fs::write(self.path("gate.yaml~"), policy).unwrap();
        fs::rename(self.path("gate.yaml~"), &self.policy).unwrap();
    }

    pub(super) fn connect(&self) -> Wire {
        Wire::to(self.address)
    }

    pub(super) fn deliver(&self, target: &str, secret: &str, id: &str) -> u16 {
        self.connect().deliver(target, secret, id)
    }

    /// Lines of the log with this message.
    pub(super) fn told(&self, message: &str) -> Vec<Value> {
        self.log.lock().unwrap().iter().filter(|line| line["message"] == message).cloned().collect()
    }

    pub(super) fn hears(&self, message: &str) -> Value {
        until(message, || self.told(message).pop())
    }

    pub(super) fn whole_log(&self) -> String {
        self.log.lock().unwrap().iter().map(Value::to_string).collect()
    }

    pub(super) fn metrics(&self) -> String {
        Wire::to(self.admin).get("/metrics").1
    }

    pub(super) fn counts(&self, series: &str) -> bool {
        self.metrics().lines().any(|line| line == series)
    }

    pub(super) fn cli(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_hookwarden"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// `hookwarden policy VERB` with its exit code and what it printed.
    pub(super) fn policy(&self, verb: &str) -> (Option<i32>, String) {
        let path = self.policy.display().to_string();
        let mut arguments = vec!["policy", verb, &path];
        if verb != "show" {
            arguments.extend(["--actor", "alice"]);
        }
        self.cli(&arguments)
    }

    /// `hookwarden policy show --json`.
    pub(super) fn standing(&self) -> Value {
        let path = self.policy.display().to_string();
        let (_, told) = self.cli(&["policy", "show", "--json", &path]);
        let reply: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"));
        reply["policy"].clone()
    }

    pub(super) fn digest(&self) -> String {
        self.standing()["digest"].as_str().unwrap().to_owned()
    }

    /// What is in the queue, whole.
    pub(super) fn events(&self) -> Vec<Value> {
        let (_, exported) = self.cli(&["spool", "export", "--spool", "spool"]);
        exported.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{exported}"))).collect()
    }

    pub(super) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Another process on the same folder.
    pub(super) fn restarted(mut self, options: &[&str]) -> Self {
        self.signal("TERM");
        self.child.take().unwrap().wait().unwrap();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        let policy = self.policy.clone();
        Self::start(folder, policy, options)
    }

    pub(super) fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.take().unwrap().wait().unwrap()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            self.log.lock().unwrap().iter().for_each(|line| eprintln!("{line}"));
        }
    }
}

pub(super) fn write_secret(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
