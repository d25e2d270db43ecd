//! What the spool does beyond its ports' suites: claims, verdicts, budget, damage; on real files.

mod acts;
mod contract;

use super::*;
use crate::{
    clock::SystemClock,
    event::Event,
    ledger::{Accepted, Changed, Leased, Leases, Ledger, Settled, Success},
    repeat::{BodyMark, Fingerprint, Remembered},
};
use std::{
    io::IoSlice,
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

mod failures;
mod footers;
mod keep;
mod letters;
mod model;
mod pressure;
mod redeliver;

#[expect(clippy::disallowed_methods, reason = "each test joins what it spawns")]
fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(work)
}

const OPS: By<'_> = By { actor: "ops", reason: "a test" };

const HOUR: Duration = Duration::from_secs(3600);

fn settings(folder: &tempfile::TempDir) -> Settings {
    Settings { folder: folder.path().join("spool"), bytes: 256 << 20, free: 0 }
}

fn open(folder: &tempfile::TempDir) -> Spool {
    Spool::open(settings(folder), Arc::new(SystemClock)).unwrap().0
}

/// As the gate makes one, with these keys.
fn event(name: &str) -> Event {
    event_with(keys(name, 1), name.as_bytes())
}

fn keys(name: &str, body: u64) -> RepeatKeys {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    let event = Some(Remembered { key: Fingerprint::from_bytes(bytes), remember: HOUR });
    RepeatKeys { proof: None, event, body: BodyMark(body) }
}

fn event_with(keys: RepeatKeys, payload: &[u8]) -> Event {
    let record = Record {
        id: keys.id().unwrap(),
        route: "orders".into(),
        event_type: "order.paid".into(),
        accepted_at: SystemClock.now(),
        request_id: "request".into(),
        to: vec!["wordpress".into()],
        keep: Duration::ZERO,
        order: None,
        content_type: "application/json".into(),
        payload: payload.to_vec().into(),
    };
    Event::for_tests(keys, record)
}

/// Clause C14: each event is in one state per destination. Nothing in this version makes a `duplicate` (fleets) or a
/// `superseded` (collapsing).
fn adds_up(spool: &Spool) {
    for of in spool.stats().destinations {
        assert_eq!(of.accepted, of.delivered + of.pending + of.dead + of.dropped, "{of:?}");
        assert!(of.in_flight <= of.pending, "{of:?}");
    }
}

/// Ended in order, and opened again.
async fn reopened(spool: Spool, folder: &tempfile::TempDir) -> (Spool, Recovered) {
    adds_up(&spool);
    spool.close().await;
    drop(spool);
    let (spool, found) = Spool::open(settings(folder), Arc::new(SystemClock)).unwrap();
    adds_up(&spool);
    (spool, found)
}

fn done() -> Settled {
    Settled::Done(Success::of(http::StatusCode::OK).unwrap())
}

fn is_new(accepted: &Result<Accepted, Fault>) -> bool {
    matches!(accepted, Ok(Accepted::New(_)))
}

fn is_again(accepted: &Result<Accepted, Fault>) -> bool {
    matches!(accepted, Ok(Accepted::Again(_)))
}

#[tokio::test]
async fn an_event_is_accepted_once_and_read_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    assert!(is_new(&spool.accept(event("a")).await));
    assert!(is_again(&spool.accept(event("a")).await));
    assert_eq!(spool.look(&keys("a", 1)), Some(Known { changed: None, success: None }));
    let changed = spool.look(&keys("a", 2)).and_then(|known| known.changed);
    assert_eq!(changed, Some(Changed { accepted: BodyMark(1), came: BodyMark(2) }), "another body under the same id");
    let claims = spool.claim("wordpress", 10);
    assert_eq!(claims.len(), 1);
    let read = spool.read(claims[0].sequence).unwrap();
    assert_eq!((read.payload.as_ref(), read.to.as_slice()), (&b"a"[..], &["wordpress".to_owned()][..]));
    assert!(spool.claim("wordpress", 10).is_empty(), "it is in flight");
    spool.settle(claims[0].sequence, "wordpress", Verdict::Delivered).await.unwrap();
    let stats = spool.stats();
    assert_eq!((stats.destinations[0].pending, stats.destinations[0].delivered), (0, 1));
    adds_up(&spool);
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_restart_and_what_was_settled_is_not_due() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    for name in ["a", "b", "c"] {
        assert!(is_new(&spool.accept(event(name)).await));
    }
    let claims = spool.claim("wordpress", 3);
    spool.settle(claims[0].sequence, "wordpress", Verdict::Delivered).await.unwrap();
    spool
        .settle(claims[1].sequence, "wordpress", Verdict::Dead { attempts: 3, reason: "status_500".into() })
        .await
        .unwrap();
    let (spool, found) = reopened(spool, &folder).await;
    assert_eq!((found.pending, found.corrupt, found.torn_bytes), (2, 0, 0));
    assert_eq!(spool.claim("wordpress", 10).len(), 1);
    assert_eq!(spool.stats().destinations[0].dead, 1);
    for name in ["a", "b", "c"] {
        assert!(is_again(&spool.accept(event(name)).await), "{name} is remembered");
    }
}

/// What is carried forward is told from memory, so memory has to know it too.
#[tokio::test]
async fn a_dead_letter_says_how_often_it_was_tried_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    assert!(is_new(&spool.accept(event("a")).await));
    let claim = spool.claim("wordpress", 1)[0];
    let dead = Verdict::Dead { attempts: 3, reason: "status_500".into() };
    spool.settle(claim.sequence, "wordpress", dead).await.unwrap();
    let attempts = |spool: &Spool| spool.shared.index().open_for(claim.sequence, Instant::now())[0].attempts;
    assert_eq!(attempts(&spool), 3);
    let (spool, _) = reopened(spool, &folder).await;
    assert_eq!(attempts(&spool), 3);
    let view = view::view(spool.folder(), &mut |_, _| ()).unwrap();
    let dead = &view.events[0].states["wordpress"];
    assert_eq!((dead.state, dead.attempts, dead.due), (view::State::Dead, 3, None));
}

#[tokio::test]
async fn a_dead_letter_can_be_retried_and_dropped_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    assert!(is_new(&spool.accept(event("a")).await));
    let id = event("a").record().id.clone();
    let claim = spool.claim("wordpress", 1)[0];
    assert!(spool.retry(&id, OPS).await.unwrap().is_none(), "it is not dead");
    spool
        .settle(claim.sequence, "wordpress", Verdict::Dead { attempts: 3, reason: "status_500".into() })
        .await
        .unwrap();
    assert!(spool.retry(&id, OPS).await.unwrap().is_some());
    assert_eq!(spool.claim("wordpress", 1).len(), 1);
    assert!(spool.drop_event(&id, OPS).await.unwrap().is_some());
    assert!(spool.drop_event(&id, OPS).await.unwrap().is_none());
    adds_up(&spool);
    let view = view::view(spool.folder(), &mut |_, _| ()).unwrap();
    assert_eq!(view.events[0].states["wordpress"].state, view::State::Dropped);
    assert_eq!(view.acts.len(), 2, "acts are recorded");
}

/// A queue may hold more than memory does: whoever looks at all of it holds no payload, and reads one where it lies.
#[tokio::test]
async fn whoever_looks_holds_no_payload_and_reads_the_one_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    assert!(is_new(&spool.accept(event_with(keys("a", 1), b"payload of a")).await));
    assert!(is_new(&spool.accept(event_with(keys("b", 2), b"of b")).await));
    let view = view::view(spool.folder(), &mut |_, _| ()).unwrap();
    assert!(view.events.iter().all(|event| event.record.payload.is_empty()));
    assert_eq!(view.events.iter().map(|event| event.payload_bytes).collect::<Vec<_>>(), [12, 4]);
    let payload = |event: &view::Viewed| view::payload(spool.folder(), event).unwrap().map(|record| record.payload);
    assert_eq!(payload(&view.events[0]), Some("payload of a".into()));
    let elsewhere = |lies| view::Viewed { lies, ..view.events[0].clone() };
    assert_eq!(payload(&elsewhere(view.events[1].lies)), None, "another event lies there");
    assert_eq!(payload(&elsewhere(Lies { segment: 99, ..view.events[0].lies })), None, "the segment has gone");
    assert_eq!(payload(&elsewhere(Lies { at: 1 << 40, ..view.events[0].lies })), None, "nothing lies there");
}

#[tokio::test]
async fn an_event_that_failed_is_due_later_with_one_attempt_more() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    assert!(is_new(&spool.accept(event("a")).await));
    let claim = spool.claim("wordpress", 1)[0];
    spool.tried(claim, "wordpress", HOUR, "status_500");
    assert!(spool.claim("wordpress", 1).is_empty());
    assert!(spool.next_due("wordpress").unwrap() > HOUR / 2);
    let (spool, _) = reopened(spool, &folder).await;
    assert!(spool.next_due("wordpress").unwrap() > HOUR / 2, "also after a restart");
}

#[tokio::test]
async fn a_second_gate_on_one_spool_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(&folder);
    let second = Spool::open(settings(&folder), Arc::new(SystemClock)).unwrap_err();
    assert!(second.to_string().contains(&std::process::id().to_string()), "{second}");
}

#[tokio::test]
async fn the_folder_and_its_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    assert!(is_new(&spool.accept(event("a")).await));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(spool.folder()), 0o700);
    for entry in std::fs::read_dir(spool.folder()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// Fails as it is told to: so many syncs, from now on.
struct Failing {
    disk: RealDisk,
    syncs_to_fail: Arc<AtomicUsize>,
}

impl Disk for Failing {
    fn create(&mut self, folder: &Folder, head: &format::SegmentHead) -> io::Result<()> {
        self.disk.create(folder, head)
    }
    fn append(&mut self, records: &mut [IoSlice<'_>]) -> io::Result<()> {
        self.disk.append(records)
    }
    fn sync(&mut self) -> io::Result<()> {
        let left = self.syncs_to_fail.load(Ordering::SeqCst);
        if left > 0 {
            self.syncs_to_fail.store(left - 1, Ordering::SeqCst);
            return Err(io::Error::from_raw_os_error(5));
        }
        self.disk.sync()
    }
}

#[tokio::test]
async fn after_a_failed_sync_nothing_of_it_is_accepted_and_a_new_segment_takes_the_retry() {
    let folder = tempfile::tempdir().unwrap();
    let syncs_to_fail = Arc::new(AtomicUsize::new(0));
    let disk = Failing { disk: RealDisk::default(), syncs_to_fail: syncs_to_fail.clone() };
    let (spool, _) = Spool::open_on(settings(&folder), Arc::new(SystemClock), disk).unwrap();
    assert!(is_new(&spool.accept(event("before")).await));
    syncs_to_fail.store(1, Ordering::SeqCst);
    assert!(matches!(spool.accept(event("a")).await, Err(Fault::Ledger(_))));
    assert!(spool.look(&keys("a", 1)).is_none(), "nothing is remembered of it");
    assert!(spool.ready().is_err(), "and readiness says so until a new segment is proved");
    let mut again = spool.accept(event("a")).await;
    for _ in 0..100 {
        if again.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        again = spool.accept(event("a")).await;
    }
    assert!(is_new(&again), "{again:?}");
    let (spool, found) = reopened(spool, &folder).await;
    assert_eq!(found.pending, 2, "the unacknowledged tail is not a second event");
    assert_eq!(spool.claim("wordpress", 10).len(), 2);
}

#[tokio::test]
async fn copies_in_parallel_share_the_first_ones_result() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    let copies = (0..20).map(|_| {
        let spool = spool.clone();
        spawn(async move { spool.accept(event("a")).await })
    });
    let mut new = 0;
    for copy in copies.collect::<Vec<_>>() {
        let accepted = copy.await.unwrap();
        assert!(accepted.is_ok(), "{accepted:?}");
        new += usize::from(is_new(&accepted));
    }
    assert_eq!(new, 1);
    adds_up(&spool);
}

#[tokio::test]
async fn a_copy_waits_for_a_lease_and_hears_how_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    let wanted = keys("a", 1);
    let Ok(Leased::Held(first)) = spool.lease(&wanted, HOUR).await else { panic!("nobody has it") };
    let waiting = |spool: Spool| spawn(async move { spool.lease(&wanted, HOUR).await });
    let second = waiting(spool.clone());
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    Leases::settle(&spool, first, Settled::Released).await.unwrap();
    let Ok(Leased::Held(second)) = second.await.unwrap() else { panic!("one of those who wait is next") };
    let third = waiting(spool.clone());
    Leases::settle(&spool, second, done()).await.unwrap();
    assert!(matches!(third.await.unwrap(), Ok(Leased::Again(_))));
    spool.close().await;
    drop(spool);
    assert!(open(&folder).look(&wanted).is_some(), "relayed events are remembered across a restart");
}

#[tokio::test]
async fn a_holder_that_lost_its_lease_cannot_commit_over_its_successor() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    let wanted = keys("a", 1);
    let Ok(Leased::Held(slow)) = spool.lease(&wanted, Duration::ZERO).await else { panic!("nobody has it") };
    let Ok(Leased::Held(successor)) = spool.lease(&wanted, HOUR).await else { panic!("it lapsed") };
    assert!(matches!(Leases::settle(&spool, slow, done()).await, Err(Fault::LeaseLost)));
    Leases::settle(&spool, successor, done()).await.unwrap();
}

/// Nobody asks again: the sweep has to wake those who wait.
#[tokio::test]
async fn a_lease_that_lapses_lets_the_one_who_waits_in() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    let wanted = keys("a", 1);
    let Ok(Leased::Held(_lost)) = spool.lease(&wanted, Duration::from_millis(10)).await else { panic!("free") };
    let waiting = tokio::time::timeout(Duration::from_secs(10), spool.lease(&wanted, HOUR)).await;
    assert!(matches!(waiting, Ok(Ok(Leased::Held(_)))), "{waiting:?}");
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_damage_in_the_middle_is_skipped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    for name in ["a", "b", "c"] {
        assert!(is_new(&spool.accept(event(name)).await));
    }
    let second = spool.claim("wordpress", 2)[1].sequence;
    let place = spool.shared.index().place(second).unwrap();
    spool.close().await;
    drop(spool);
    let path = folder.path().join(format!("spool/{:012}.log", place.segment));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[usize::try_from(place.at).unwrap() + 40] ^= 1;
    bytes.extend_from_slice(b"HWR1 half a record");
    std::fs::write(&path, bytes).unwrap();
    let (spool, found) = Spool::open(settings(&folder), Arc::new(SystemClock)).unwrap();
    assert_eq!((found.pending, found.corrupt), (2, 1));
    assert!(found.torn_bytes > 0);
    assert_eq!(spool.claim("wordpress", 10).len(), 2, "what lies behind the damage is delivered");
    adds_up(&spool);
}
