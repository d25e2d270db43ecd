//! The gate as a process of its own.

use crate::{
    bed::{Bed, free_port, repository},
    wire,
};
use hookwarden::{
    clock::{Clock as _, SystemClock},
    verify::{Catalogue, Unsigned},
};
use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// The secrets of the test senders, by provider.
pub(crate) const SECRETS: &[(&str, &str)] = &[
    ("standard-webhooks", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("stripe", "whsec_test_stripe_secret_1"),
    ("github", "It's a Secret to Everybody"),
];

/// What orders must be like.
const ORDER: &str = r#"{
    "properties": { "kept": { "type": "string" }, "email": {}, "card": {}, "note": {} },
    "required": ["kept"],
    "additionalProperties": { "not": { "type": "number" } }
}"#;

/// One gate: its files, its addresses, and the process while it runs.
pub(crate) struct Gate {
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    child: Option<Child>,
}

impl Gate {
    /// In front of this WordPress, with the routes that the tests talk to.
    pub(crate) fn before(bed: &Bed) -> Self {
        let mut gate = Self::stopped(bed);
        gate.start();
        gate
    }

    /// With this policy, and nothing behind it. Told are its folder, with the senders' secrets, its own address and that of
    /// `admin`.
    pub(crate) fn alone(policy: impl FnOnce(&Path, SocketAddr, SocketAddr) -> String) -> Self {
        let mut gate = Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())));
        let policy = policy(gate.folder.path(), gate.address, gate.admin);
        fs::write(gate.path("gate.yaml"), policy).unwrap();
        gate.start();
        gate
    }

    fn at(address: SocketAddr) -> Self {
        let gate = Self {
            folder: tempfile::tempdir().unwrap(),
            address,
            admin: SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())),
            child: None,
        };
        for (provider, secret) in SECRETS {
            write_private(&gate.path(provider), secret);
        }
        gate
    }

    fn stopped(bed: &Bed) -> Self {
        let gate = Self::at(bed.public);
        fs::write(gate.path("gate.yaml"), gate.policy(bed)).unwrap();
        fs::create_dir(gate.path("schemas")).unwrap();
        fs::write(gate.path("schemas/order.json"), ORDER).unwrap();
        gate
    }

    fn policy(&self, bed: &Bed) -> String {
        let (origin, signing_key) = (bed.address, bed.events_key());
        let signing_key = signing_key.display();
        let Self { address, admin, .. } = self;
        let folder = self.folder.path().display();
        format!(
            "\
listeners: [{{ on: \"{address}\" }}]
origin: {{ url: \"http://{origin}\" }}
public_url: \"http://{address}\"
admin: {{ on: \"{admin}\" }}
spool: {{ folder: \"{folder}/spool\" }}
routes:
  stripe-checkout:
    at: {{ wc-api: wc_stripe }}
    sender: {{ provider: stripe, keys: stripe }}
    limits: {{ per_address: 100000/s }}
    deliver: {{ via: relay, form: verbatim }}
  vendor-rest:
    at: {{ rest: /vendor/v1/hook }}
    sender: {{ provider: stripe, keys: stripe }}
    limits: {{ per_address: 100000/s }}
    deliver: {{ via: relay, form: verbatim }}
  vendor-listener:
    at: {{ query: edd-listener=stripe }}
    sender: {{ provider: stripe, keys: stripe }}
    limits: {{ per_address: 100000/s }}
    deliver: {{ via: relay, form: verbatim }}
  vendor-ajax:
    at: {{ ajax: vendor_hook }}
    sender: {{ provider: stripe, keys: stripe }}
    limits: {{ per_address: 100000/s }}
    deliver: {{ via: relay, form: verbatim }}
  vendor-path:
    at: {{ path: /mepr/notify }}
    sender: {{ provider: stripe, keys: stripe }}
    limits: {{ per_address: 100000/s }}
    deliver: {{ via: relay, form: verbatim }}
  events:
    at: {{ path: /hooks/events }}
    sender: {{ provider: standard-webhooks, keys: standard-webhooks }}
    limits: {{ per_address: 100000/s }}
    deliver: {{ via: queue, to: [wordpress], form: event }}
  orders:
    at: {{ path: /hooks/orders }}
    sender: {{ provider: standard-webhooks, keys: standard-webhooks }}
    limits: {{ per_address: 100000/s }}
    deliver: {{ via: queue, to: [wordpress], form: event }}
    contract: {{ schema: schemas/order.json }}
    redact:
      - {{ name: email, as: mask }}
      - {{ name: phone, as: pseudonym }}
      - {{ at: $..card.number, as: drop }}
      - {{ at: /note, as: truncate, characters: 2 }}
      - {{ query: token, as: drop }}
  github:
    at: {{ path: /hooks/github }}
    sender: {{ provider: github, keys: github }}
    limits: {{ per_address: 100000/s }}
    repeats: {{ remember: 72h }}
    deliver: {{ via: queue, to: [wordpress], form: event }}
destinations:
  wordpress: {{ url: \"http://{origin}/index.php?rest_route=/hookwarden/v1/events\", sign: \"file:{signing_key}\", concurrency: 4 }}
keys:
  stripe: [{{ id: live, from: \"file:{folder}/stripe\" }}]
  standard-webhooks: [{{ id: live, from: \"file:{folder}/standard-webhooks\" }}]
  github: [{{ id: live, from: \"file:{folder}/github\" }}]
"
        )
    }

    pub(crate) fn read_policy(&self) -> String {
        fs::read_to_string(self.path("gate.yaml")).unwrap()
    }

    /// In one step, as a deployment does it: the gate may look at any time.
    pub(crate) fn write_policy(&self, text: &str) {
        fs::write(self.path("gate.yaml.new"), text).unwrap();
        fs::rename(self.path("gate.yaml.new"), self.path("gate.yaml")).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns when the gate is ready.
    pub(crate) fn start(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.path("gate.log")).unwrap();
        let child = Command::new(binary())
            .arg("run")
            .arg(self.path("gate.yaml"))
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .spawn()
            .expect("the gate starts");
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if wire::try_send(self.admin, "GET", "/readyz", &[], b"").is_ok_and(|answer| answer.status == 200) {
                return;
            }
            let gone = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(gone.is_none(), "the gate ended: {gone:?}\n{}", self.log());
            assert!(Instant::now() < deadline, "the gate did not become ready\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("gate.log")).unwrap_or_default()
    }

    pub(crate) fn is_ready(&self) -> bool {
        wire::try_send(self.admin, "GET", "/readyz", &[], b"").is_ok_and(|answer| answer.status == 200)
    }

    pub(crate) fn metrics(&self) -> String {
        wire::send(self.admin, "GET", "/metrics", &[], b"").text()
    }

    /// Waits until the metrics say all of this: an answer is heard before it is counted.
    pub(crate) fn counts(&self, all: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let metrics = self.metrics();
            let Some(missing) = all.iter().find(|series| !metrics.contains(**series)) else { return };
            assert!(Instant::now() < deadline, "{missing} is not in\n{metrics}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        child.wait().unwrap()
    }

    pub(crate) fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> wire::Answer {
        wire::send(self.address, method, target, headers, body)
    }

    /// A POST as this provider signs it, now.
    pub(crate) fn deliver(&self, provider: &str, target: &str, id: &str, body: &[u8]) -> wire::Answer {
        let headers = signed(provider, target, id, body);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.send("POST", target, &headers, body)
    }

    /// Runs the command line in the gate's folder: how it ended, and all that it said.
    pub(crate) fn cli(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let output = Command::new(binary()).args(arguments).current_dir(self.folder.path()).output().unwrap();
        (output.status, String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let _ = writeln!(File::options().append(true).open("/dev/stderr").unwrap(), "{}", tail(&self.log()));
        }
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// The fields of a delivery, `Content-Type` among them.
pub(crate) fn signed(provider: &str, target: &str, id: &str, body: &[u8]) -> Vec<(String, String)> {
    let catalogue = Catalogue::embedded();
    let entry = catalogue.find(provider).expect("a sender of the catalogue");
    let (_, secret) = SECRETS.iter().find(|(name, _)| *name == provider).expect("a secret for it");
    let key = entry.scheme.signing_key(secret).expect("a good key");
    let (method, at) = (http::Method::POST, SystemClock.now());
    let content_type = "application/json";
    let unsigned = Unsigned { method: &method, url: target, content_type, body, id, at };
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    headers.extend(entry.scheme.sign(&key, &unsigned).fields);
    headers
}

pub(crate) fn binary() -> PathBuf {
    let named = std::env::var_os("HOOKWARDEN_BIN").map(PathBuf::from);
    let binary = named.unwrap_or_else(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
        target.join("e2e/hookwarden")
    });
    assert!(binary.is_file(), "{} is not there: cargo build --profile e2e --bin hookwarden", binary.display());
    binary
}

pub(crate) fn write_private(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
