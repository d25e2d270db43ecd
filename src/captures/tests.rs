use super::*;
use crate::request::Target;
use http::{HeaderMap, HeaderValue, Method};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::{
        Mutex,
        mpsc::{Receiver, sync_channel},
    },
    time::{Duration, Instant},
};
use store::Store;
use tempfile::TempDir;
use writer::Writer;

const AT_S: i64 = 1_760_000_000;
const BODY: &[u8] = b"{\"card\":\"4111 1111 1111 1111\"}";
const TERMS: Capture = Capture { keep: Duration::from_secs(3600), body: true };

/// A clock that stands until it is moved; both of its hands move together.
struct Hands {
    start: Instant,
    moved: Mutex<Duration>,
}

impl Hands {
    fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), moved: Mutex::default() })
    }

    fn forward(&self, by: Duration) {
        *self.moved.lock().unwrap() += by;
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(AT_S) + *self.moved.lock().unwrap()
    }

    fn running(&self) -> Instant {
        self.start + *self.moved.lock().unwrap()
    }
}

#[derive(Default)]
struct Ears(Mutex<BTreeMap<&'static str, usize>>);

impl Ears {
    fn heard(&self, kept: Kept) -> usize {
        self.0.lock().unwrap().get(kept.code()).copied().unwrap_or_default()
    }
}

impl Observer for Ears {
    fn captured(&self, _: &str, kept: Kept) {
        *self.0.lock().unwrap().entry(kept.code()).or_default() += 1;
    }
}

fn memory() -> Secret {
    Secret::new("the gate's own").unwrap()
}

fn refused(id: &str, route: &str, at: Timestamp, body: &[u8]) -> Refused {
    let headers = [("x-signature", "sha256=abc"), ("authorization", "Bearer s3cr3t"), ("cookie", "a=s3cr3t")];
    let mut fields = HeaderMap::new();
    for (name, value) in headers {
        fields.append(name, HeaderValue::from_static(value));
    }
    fields.append("x-signature", HeaderValue::from_static("twice"));
    let head = Head {
        method: Method::POST,
        target: Target::parse("/hooks/shop?token=s3cr3t").unwrap(),
        host: "shop.example".into(),
        headers: fields,
        client: [192, 0, 2, 1].into(),
    };
    let body = Some(Bytes::copy_from_slice(body));
    Refused { id: id.into(), route: route.into(), code: "signature_mismatch", at, head, body }
}

struct Bench {
    folder: TempDir,
    clock: Arc<Hands>,
    ears: Arc<Ears>,
    captures: Captures,
    waiting: Receiver<Job>,
    writer: Writer,
}

impl Bench {
    fn new(free: u64) -> Self {
        let (folder, clock, ears) = (tempfile::tempdir().unwrap(), Hands::new(), Arc::new(Ears::default()));
        let writer = Writer::new(Store::of(folder.path()), free, clock.clone(), ears.clone());
        let (jobs, waiting) = sync_channel(1);
        let captures = Captures { jobs, pace: Arc::new(Pace::new(clock.clone())), observer: ears.clone() };
        Self { folder, clock, ears, captures, waiting, writer }
    }

    /// As requests hand it in, and the writer takes it. Says what the line of the log would say.
    fn take(&mut self, id: &str, route: &str, body: &[u8]) -> bool {
        let refused = refused(id, route, self.clock.now(), body);
        let taken = self.captures.keep(refused, TERMS, &memory());
        self.waiting.try_iter().for_each(|job| self.writer.take(job));
        taken
    }

    fn ids(&self) -> Vec<String> {
        list(self.folder.path(), self.clock.now()).unwrap().into_iter().map(|listed| listed.id).collect()
    }

    fn open(&self, id: &str) -> std::io::Result<Option<(Listed, Opened)>> {
        open(self.folder.path(), id, &memory(), self.clock.now())
    }
}

#[test]
fn what_is_kept_comes_back_and_nothing_of_it_lies_open() {
    let mut bench = Bench::new(0);
    bench.take("one", "shop", BODY);
    let (listed, Opened { request, has_body }) = bench.open("one").unwrap().unwrap();
    let (at_ms, until_ms) = (AT_S * 1000, (AT_S + 3600) * 1000);
    let expected = Listed {
        id: "one".into(),
        route: "shop".into(),
        code: "signature_mismatch".into(),
        at_ms,
        until_ms,
        body_bytes: Some(BODY.len()),
    };
    assert_eq!((listed, has_body, &request.raw[..]), (expected, true, BODY));
    let head = request.head;
    assert_eq!(
        (head.method, head.target.raw(), &*head.host),
        (Method::POST, "/hooks/shop?token=s3cr3t", "shop.example")
    );
    let signatures: Vec<_> = head.headers.get_all("x-signature").iter().collect();
    assert_eq!(signatures, ["sha256=abc", "twice"], "a repeated field stays one");
    for never in ["authorization", "cookie"] {
        assert_eq!(head.headers.get(never).unwrap(), "not-kept");
    }

    let path = bench.folder.path().join("captures/one.capture");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let bytes = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
    for open in ["4111", "s3cr3t", "sha256=abc", "shop.example"] {
        assert!(!bytes.contains(open), "{open} in {bytes:?}");
    }
}

#[test]
fn another_secret_and_any_changed_byte_open_nothing() {
    let mut bench = Bench::new(0);
    bench.take("one", "shop", BODY);
    let (now, other) = (bench.clock.now(), Secret::new("another one").unwrap());
    let why = open(bench.folder.path(), "one", &other, now).unwrap_err();
    assert!(why.to_string().contains("another secret"), "{why}");
    let path = bench.folder.path().join("captures/one.capture");
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).filter(|at| good[*at] != b'\n') {
        let mut changed = good.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        let opened = bench.open("one");
        assert!(!matches!(opened, Ok(Some(_))), "byte {at} of {} does not matter", good.len());
    }
    fs::write(&path, &good[..good.len() - 1]).unwrap();
    assert!(bench.open("one").is_err());
}

#[test]
fn a_body_is_kept_where_the_route_says_so_and_is_not_too_long() {
    let (jobs, waiting) = sync_channel(8);
    let pace = Arc::new(Pace::new(Hands::new()));
    let captures = Captures { jobs, pace, observer: Arc::new(Ears::default()) };
    let at = Timestamp::from_unix_s(AT_S);
    let long = vec![b'a'; BODY_BYTES_MAX + 1];
    for (terms, body, kept) in [
        (TERMS, BODY, true),
        (Capture { body: false, ..TERMS }, BODY, false),
        (TERMS, &long[1..], true),
        (TERMS, &long[..], false),
    ] {
        assert!(captures.keep(refused("one", "shop", at, body), terms, &memory()));
        assert_eq!(waiting.try_recv().unwrap().refused.body.is_some(), kept, "{terms:?}, {} bytes", body.len());
    }
    let mut bench = Bench::new(0);
    let head_alone = Refused { body: None, ..refused("head", "shop", at, BODY) };
    bench.writer.take(Job { refused: head_alone, terms: TERMS, key: seal::Key::of(&memory()) });
    let (listed, opened) = bench.open("head").unwrap().unwrap();
    assert_eq!((listed.body_bytes, opened.has_body, opened.request.raw.len()), (None, false, 0));
}

#[test]
fn whoever_hands_in_more_than_may_wait_never_waits() {
    let (jobs, _waiting) = sync_channel(2);
    let ears = Arc::new(Ears::default());
    let captures = Captures { jobs, pace: Arc::new(Pace::new(Hands::new())), observer: ears.clone() };
    let hand = || captures.keep(refused("one", "shop", Timestamp::from_unix_s(AT_S), BODY), TERMS, &memory());
    assert_eq!([hand(), hand(), hand(), hand()], [true, true, false, false]);
    assert_eq!(ears.heard(Kept::Dropped), 2);
}

#[test]
fn a_flood_is_dropped_and_displaces_the_oldest_slowly() {
    let mut bench = Bench::new(0);
    let taken = (0..50).filter(|number| bench.take(&format!("flood{number}"), "shop", BODY)).count();
    assert_eq!(taken, 10, "whose lines say that they were kept are there");
    assert_eq!((bench.ears.heard(Kept::Kept), bench.ears.heard(Kept::Dropped)), (10, 40));
    bench.take("other", "git", BODY);
    assert!(bench.open("other").unwrap().is_some(), "another route has a rate of its own");
    for number in 0..95 {
        bench.clock.forward(Duration::from_secs(1));
        bench.take(&format!("later{number}"), "shop", BODY);
    }
    assert_eq!(bench.ears.heard(Kept::Displaced), 5);
    let ids = bench.ids();
    assert_eq!(ids.len(), 101, "a hundred of the one and one of the other");
    assert!(!ids.contains(&"flood4".to_owned()) && ids.contains(&"flood5".to_owned()), "{ids:?}");
}

#[test]
fn a_route_has_no_more_bytes_than_it_may() {
    let mut bench = Bench::new(0);
    let body = vec![b'a'; BODY_BYTES_MAX];
    for number in 0..40 {
        bench.clock.forward(Duration::from_secs(2));
        bench.take(&format!("big{number}"), "shop", &body);
    }
    assert_eq!(bench.ids().len(), 31, "8 MiB, and each has a line in the clear");
    assert_eq!(bench.ears.heard(Kept::Displaced), 9);
    for route in 0..10 {
        for number in 0..31 {
            bench.clock.forward(Duration::from_secs(2));
            bench.take(&format!("all{route}x{number}"), &format!("route{route}"), &body);
        }
    }
    let bytes: usize =
        list(bench.folder.path(), bench.clock.now()).unwrap().iter().filter_map(|it| it.body_bytes).sum();
    assert!(bytes <= 64 << 20, "{bytes}");
}

#[test]
fn what_is_over_is_not_shown_and_is_erased() {
    let mut bench = Bench::new(0);
    bench.take("one", "shop", BODY);
    bench.clock.forward(Duration::from_secs(3599));
    bench.take("two", "shop", BODY);
    bench.clock.forward(Duration::from_secs(1));
    assert_eq!(bench.ids(), ["two"]);
    assert!(bench.open("one").unwrap().is_none());
    let files = || fs::read_dir(bench.folder.path().join("captures")).unwrap().count();
    assert_eq!(files(), 2);
    bench.writer.erase();
    assert_eq!(files(), 1);
    bench.clock.forward(Duration::from_secs(3600));
    assert_eq!(erase_expired(bench.folder.path(), bench.clock.now()).unwrap(), 1);
    assert_eq!(files(), 0);
}

#[test]
fn the_floor_of_the_disk_is_the_queues() {
    let mut bench = Bench::new(u64::MAX / 2);
    bench.take("one", "shop", BODY);
    assert_eq!((bench.ears.heard(Kept::Dropped), bench.ids().len()), (1, 0));
}

#[test]
fn an_id_is_no_path() {
    let mut bench = Bench::new(0);
    for odd in ["", "../secret", "a/b", "a.b", &"a".repeat(65)] {
        assert!(bench.open(odd).unwrap().is_none(), "{odd}");
        bench.take(odd, "shop", BODY);
    }
    assert_eq!((bench.ears.heard(Kept::Failed), bench.ids().len()), (5, 0));
}

#[test]
fn the_thread_takes_up_what_lies_there_and_ends_with_the_last_handle() {
    let bench = {
        let mut bench = Bench::new(0);
        bench.take("old", "shop", BODY);
        bench
    };
    fs::write(bench.folder.path().join("captures/half.part"), "torn").unwrap();
    bench.clock.forward(Duration::from_secs(3600));
    let captures = Captures::start(bench.folder.path(), 0, bench.clock.clone(), bench.ears.clone()).unwrap();
    assert!(captures.keep(refused("new", "shop", bench.clock.now(), BODY), TERMS, &memory()));
    drop(captures);
    let until = Instant::now() + Duration::from_secs(20);
    while bench.ears.heard(Kept::Kept) < 2 && Instant::now() < until {
        thread::yield_now();
    }
    assert_eq!(bench.ids(), ["new"]);
    let left: Vec<_> =
        fs::read_dir(bench.folder.path().join("captures")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["new.capture"], "what was over and what was half written is gone");
}
