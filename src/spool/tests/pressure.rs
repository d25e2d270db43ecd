//! Room that runs out: settled segments go, oldest first, and only then is an event refused.

use super::*;
use crate::spool::room::Promise;

const KIB: u64 = 1024;
const BUDGET: u64 = KIB * KIB;
const EVENT: usize = 16 << 10;

fn small(folder: &tempfile::TempDir) -> Spool {
    let settings = Settings { bytes: BUDGET, ..settings(folder) };
    Spool::open(settings, Arc::new(SystemClock)).unwrap().0
}

fn large(number: u32) -> Event {
    event_with(keys(&format!("n{number}"), 1), &[b'x'; EVENT])
}

async fn deliver_all(spool: &Spool) {
    for claim in spool.claim("wordpress", 1000) {
        spool.settle(claim.sequence, "wordpress", Verdict::Delivered).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_delivered_goes_before_anything_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let spool = small(&folder);
    for number in 0..256 {
        let accepted = spool.accept(large(number)).await;
        assert!(is_new(&accepted), "event {number}: {accepted:?}, {:?}", spool.stats());
        deliver_all(&spool).await;
    }
    assert!(spool.look(&keys("n0", 1)).is_some(), "what went is still remembered");
}

#[tokio::test]
async fn what_waits_does_not_go_and_the_next_is_refused_until_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let spool = small(&folder);
    let mut number = 0;
    let refused = loop {
        match spool.accept(large(number)).await {
            Ok(_) => number += 1,
            Err(fault) => break fault,
        }
        assert!(number < 200, "the budget holds");
    };
    assert!(matches!(refused, Fault::LedgerFull), "{refused:?}");
    assert!(matches!(spool.ready(), Err(Fault::LedgerFull)), "the next one is refused before its body is read");
    assert!(spool.look(&keys(&format!("n{number}"), 1)).is_none(), "nothing is remembered of it");
    assert_eq!(spool.stats().destinations[0].pending, u64::from(number));
    deliver_all(&spool).await;
    assert!(is_new(&spool.accept(large(number)).await), "at once: {:?}", spool.stats());
    let (spool, _) = reopened(spool, &folder).await;
    assert!(spool.look(&keys("n1", 1)).is_some(), "what went is still remembered after a restart");
}

#[tokio::test]
async fn a_burst_stays_within_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let spool = small(&folder);
    let burst = (0..256).map(|number| {
        let spool = spool.clone();
        spawn(async move { spool.accept(large(number)).await })
    });
    let mut accepted = 0;
    for event in burst.collect::<Vec<_>>() {
        accepted += u64::from(is_new(&event.await.unwrap()));
    }
    let fits = BUDGET / (EVENT as u64 + KIB);
    assert!((fits..=BUDGET / EVENT as u64).contains(&accepted), "{accepted} of the {fits} that fit");
    // Heads and footers of segments are not promised to anybody.
    assert!(spool.stats().bytes < BUDGET + 32 * KIB, "{:?}", spool.stats());
}

/// The disk is looked at twice a second: a burst in between must not eat what is to stay free.
#[test]
fn what_was_written_and_promised_since_the_last_look_is_not_free() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { free: 100 * KIB, ..settings(&folder) };
    let (mut writer, _) = prepare(settings, Arc::new(SystemClock), RealDisk::default()).unwrap();
    writer.shared.room.looked(200 * KIB);
    let first = Promise::of(&writer.shared.room, 60 * KIB);
    assert!(first.is_some());
    assert!(Promise::of(&writer.shared.room, 60 * KIB).is_none(), "the first one is on its way");
    drop(first);
    let record = event_with(keys("a", 1), &vec![b'x'; 60 << 10]).into_record();
    let (id, event) = (record.id.clone(), format::Entry::Event { identity: 0, keys: Vec::new(), record });
    let event = format::Draft::of(event).unwrap();
    let room = Promise::of(&writer.shared.room, event.len() as u64);
    let (told, _outcome) = oneshot::channel();
    writer.commit(vec![Command::Accept { id, event, hold: None, room, told }]);
    assert!(Promise::of(&writer.shared.room, 60 * KIB).is_none(), "it is written");
    assert!(Promise::of(&writer.shared.room, 39 * KIB).is_some());
}
