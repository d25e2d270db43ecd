//! A gate at dates that a test can set.

use super::*;
use crate::clock::Timestamp;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::AtomicI64,
    time::Instant,
};

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(self.0.load(Ordering::SeqCst))
    }
}

const BEFORE: &str = "2026-12-30T23:00:00Z";
const AFTER: &str = "2026-12-31T00:00:00Z";
const LONG_BODY: &str = "floor: { admit: { body: 1KiB } }
routes:
  shop:
    at: { path: /hook }
    sender: { provider: standard-webhooks, keys: shop }
    admit: { body: 1MiB }
    deliver: { via: relay }
    exception: { from: admit.body, until: 2026-12-31 }
";

/// The status of an unsigned request whose body is longer than the floor allows.
fn answered(at: SocketAddr) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "POST /hook HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2000\r\n\r\n").unwrap();
    let _ = stream.write_all(&[b'x'; 2000]);
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_an_end_ends_then_though_no_file_changes_and_no_secret_can_be_read() {
    edge::install_crypto().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("gate.yaml"), folder.path().join("key"));
    fs::write(&key, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (key_at, spool) = (key.display(), folder.path().join("spool"));
    let rest = format!(
        "keys: {{ shop: [{{ id: live, from: 'file:{key_at}' }}] }}\nspool: {{ folder: '{}' }}\n\
         listeners: [{{ on: '127.0.0.1:0' }}]\nadmin: {{ on: '127.0.0.1:0' }}\n",
        spool.display()
    );
    fs::write(&path, LONG_BODY.to_owned() + &rest).unwrap();
    let at = |text| Timestamp::from_rfc3339(text).unwrap().unix_s();
    let clock = Arc::new(Hand(AtomicI64::new(at(BEFORE))));
    let start = Start { policy: Some(path), ..Start::default() };
    let gate = Running::start_by(start, clock.clone()).await.unwrap().expect("the policy is in order");
    let address = gate.addresses()[0];
    let answer = async || tokio::task::spawn_blocking(move || answered(address)).await.unwrap();
    assert_eq!(answer().await, "401", "it is long, and allowed to be");

    fs::remove_file(&key).unwrap();
    clock.0.store(at(AFTER), Ordering::SeqCst);
    let deadline = Instant::now() + Duration::from_secs(20);
    while answer().await != "413" {
        assert!(Instant::now() < deadline, "the exception has not ended");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    gate.stop().await;
}
