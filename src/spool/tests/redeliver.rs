//! What was delivered waits once more, under its own id, and what is told of its first delivery stays.

use super::*;
use view::State;

/// One event for two destinations, delivered to both.
async fn delivered(spool: &Spool) -> view::Viewed {
    let mut record = event("a").into_record();
    record.to = vec!["archive".into(), "wordpress".into()];
    record.keep = HOUR;
    let accepted = spool.accept(Event::for_tests(keys("a", 1), record)).await;
    assert!(is_new(&accepted), "{accepted:?}");
    for destination in ["archive", "wordpress"] {
        let claim = spool.claim(destination, 1)[0];
        spool.settle(claim.sequence, destination, Verdict::Delivered).await.unwrap();
    }
    seen(spool).remove(0)
}

fn seen(spool: &Spool) -> Vec<view::Viewed> {
    view::view(spool.folder(), &mut |_, _| ()).unwrap().events
}

fn chosen(viewed: &view::Viewed, to: &[&str]) -> Chosen {
    let to = to.iter().map(|to| (*to).to_owned()).collect();
    Chosen { id: viewed.record.id.clone(), lies: viewed.lies, to }
}

#[tokio::test]
async fn what_was_delivered_waits_again_for_the_destination_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    let first = delivered(&spool).await;
    let payload = view::payload(spool.folder(), &first).unwrap().unwrap().payload;
    let redelivered = spool.redeliver(&[chosen(&first, &["wordpress"])], OPS).await.unwrap().unwrap();
    assert_eq!((redelivered.events, &*redelivered.act.what), (1, "redeliver"));
    assert_eq!(redelivered.act.about, first.record.id);
    let (spool, _) = reopened(spool, &folder).await;
    assert!(spool.claim("archive", 1).is_empty());
    let claim = spool.claim("wordpress", 9);
    assert_eq!(claim.len(), 1);
    let again = spool.read(claim[0].sequence).unwrap();
    assert_eq!((&again.id, &again.payload), (&first.record.id, &payload), "consumers know it by its id");
    spool.settle(claim[0].sequence, "wordpress", Verdict::Delivered).await.unwrap();
    let (spool, _) = reopened(spool, &folder).await;
    assert!(spool.claim("wordpress", 1).is_empty());
    let told: Vec<_> = seen(&spool).iter().map(|event| event.states["wordpress"].state).collect();
    assert_eq!(told, [State::Delivered, State::Delivered]);
    assert!(spool.look(&keys("a", 1)).is_some(), "and the sender's retry is a repeat as before");
}

#[tokio::test]
async fn what_is_not_there_as_it_was_seen_is_not_redelivered() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    let viewed = delivered(&spool).await;
    let good = chosen(&viewed, &["wordpress"]);
    let wrong = [
        Chosen { id: "another".into(), ..good.clone() },
        Chosen { lies: Lies { segment: 99, ..viewed.lies }, ..good.clone() },
        Chosen { lies: Lies { at: viewed.lies.at + 8, ..viewed.lies }, ..good.clone() },
        Chosen { lies: Lies { bytes: u32::MAX, ..viewed.lies }, ..good.clone() },
        chosen(&viewed, &[]),
        chosen(&viewed, &["wordpress", "elsewhere"]),
    ];
    for wrong in wrong {
        let done = spool.redeliver(std::slice::from_ref(&wrong), OPS).await.unwrap();
        assert_eq!(done, None, "{wrong:?}");
    }
    assert!(spool.claim("wordpress", 1).is_empty());
    assert!(view::view(spool.folder(), &mut |_, _| ()).unwrap().acts.is_empty(), "nothing was done");
    let both = [chosen(&viewed, &["elsewhere"]), good];
    assert_eq!(spool.redeliver(&both, OPS).await.unwrap().unwrap().events, 1, "the others are");
}

/// It is written again: were it not refused, an operator could fill the disk that the next events need.
#[tokio::test]
async fn without_room_nothing_is_redelivered() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(Settings { bytes: 16 << 20, ..settings(&folder) }, Arc::new(SystemClock)).unwrap().0;
    let viewed = delivered(&spool).await;
    spool.shared.room.found(16 << 20);
    let refused = spool.redeliver(&[chosen(&viewed, &["wordpress"])], OPS).await;
    assert!(matches!(refused, Err(Fault::LedgerFull)), "{refused:?}");
    assert!(spool.claim("wordpress", 1).is_empty());
    assert!(view::view(spool.folder(), &mut |_, _| ()).unwrap().acts.is_empty());
}

/// Each copy waits for its own destination, under the one id by which an operator names all of them.
#[tokio::test]
async fn an_operator_means_every_copy_of_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    let first = delivered(&spool).await;
    for destination in ["archive", "wordpress"] {
        assert!(spool.redeliver(&[chosen(&first, &[destination])], OPS).await.unwrap().is_some());
    }
    for destination in ["archive", "wordpress"] {
        let claim = spool.claim(destination, 1)[0];
        let dead = Verdict::Dead { attempts: 3, reason: "status_500".into() };
        spool.settle(claim.sequence, destination, dead).await.unwrap();
    }
    let id = &first.record.id;
    assert!(spool.retry(id, OPS).await.unwrap().is_some());
    assert_eq!((spool.claim("archive", 9).len(), spool.claim("wordpress", 9).len()), (1, 1), "both are due");
    assert!(spool.drop_event(id, OPS).await.unwrap().is_some());
    assert!(spool.drop_event(id, OPS).await.unwrap().is_none(), "both are given up");
}
