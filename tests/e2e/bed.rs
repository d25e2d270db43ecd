//! One WordPress for all tests of this binary.

use crate::wire;
use std::{
    collections::HashMap,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

pub(crate) struct Bed {
    folder: PathBuf,
    pub(crate) address: SocketAddr,
    /// Where every gate of these tests listens, one at a time: the site believes to be there.
    pub(crate) public: SocketAddr,
}

/// One at a time: WordPress is the bottleneck of this machine, and hit logs are read as differences.
static TURN: Mutex<()> = Mutex::new(());
static BED: OnceLock<Bed> = OnceLock::new();

pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A port that nobody has at this moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// WordPress, and the right to use it alone.
pub(crate) fn wordpress() -> (&'static Bed, MutexGuard<'static, ()>) {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (BED.get_or_init(Bed::up), turn)
}

impl Bed {
    fn up() -> Self {
        // Not below `target/`: a Unix socket's path has to be short.
        let folder = std::env::temp_dir().join(format!("hookwarden-e2e-{}", std::process::id()));
        let port = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let bed = Self { folder, address: port(), public: port() };
        bed.start();
        bed
    }

    /// Also after [`Bed::stop`]: the same site on the same port.
    pub(crate) fn start(&self) {
        let script = repository().join("deploy/dev/wordpress-up");
        let started = Command::new(script)
            .arg(&self.folder)
            .arg(self.address.port().to_string())
            .arg(format!("http://{}", self.public))
            .status()
            .expect("wordpress-up runs");
        assert!(started.success(), "wordpress-up failed; its logs are in {}", self.folder.join("log").display());
        // The processes outlive a panic in a test; they must not outlive this one.
        stop_at_exit(&self.folder);
    }

    pub(crate) fn stop(&self) {
        let script = repository().join("deploy/dev/wordpress-down");
        assert!(Command::new(script).arg(&self.folder).status().expect("wordpress-down runs").success());
    }

    fn hits(&self) -> Vec<serde_json::Value> {
        let log = fs::read_to_string(self.folder.join("log/hits.jsonl")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
    }

    /// What the vendors' stand-ins were asked for.
    pub(crate) fn vendor_hits(&self) -> Vec<serde_json::Value> {
        self.hits().into_iter().filter(|hit| hit["id"].is_null()).collect()
    }

    /// How often each event was stored by the event endpoint, by its id.
    pub(crate) fn event_hits(&self) -> HashMap<String, usize> {
        let mut hits = HashMap::new();
        for hit in self.hits() {
            if let Some(id) = hit["id"].as_str() {
                *hits.entry(id.to_owned()).or_default() += 1;
            }
        }
        hits
    }

    /// With which the gate signs for WordPress.
    pub(crate) fn events_key(&self) -> PathBuf {
        self.folder.join("events.keys")
    }

    /// WordPress itself, past the gate.
    pub(crate) fn direct(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> wire::Answer {
        wire::send_as(self.address, self.public, method, target, headers, body)
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }
}

/// A watcher that waits for this process to end, and then stops what `folder` runs.
#[allow(clippy::zombie_processes, reason = "it waits for this process, and not the other way round")]
fn stop_at_exit(folder: &Path) {
    static WATCHING: OnceLock<()> = OnceLock::new();
    WATCHING.get_or_init(|| {
        let script = repository().join("deploy/dev/wordpress-down");
        let wait = "while kill -0 \"$1\" 2>/dev/null; do sleep 0.5; done; \"$2\" \"$3\" >/dev/null 2>&1; rm -rf \"$3\"";
        Command::new("sh")
            .args(["-c", wait, "stop-at-exit", &std::process::id().to_string()])
            .arg(script)
            .arg(folder)
            .spawn()
            .expect("the watcher starts");
    });
}

impl Bed {
    /// The administrator's name and password, from `wp.env`.
    pub(crate) fn credentials(&self) -> (String, String) {
        let env = fs::read_to_string(self.folder.join("wp.env")).expect("the bed leaves its credentials");
        let value = |name: &str| {
            let line = env.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
            line.trim_matches(['\'', '"']).to_owned()
        };
        (value("WP_ADMIN"), value("WP_ADMIN_PASS"))
    }
}
