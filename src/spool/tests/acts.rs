//! Acts of operators: a chain that goes on over restarts, and outlives the segments it was written to.

use super::*;
use std::path::Path;

fn seen(folder: &Path) -> (Vec<String>, Vec<Break>) {
    let view = view::view(folder, &mut |_, _| ()).unwrap();
    (view.acts.into_iter().map(|act| act.about).collect(), view.breaks)
}

#[tokio::test]
async fn the_chain_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    let first = spool.record_act(OPS, "enable", "a").await.unwrap();
    let (spool, _) = reopened(spool, &folder).await;
    let second = spool.record_act(OPS, "enable", "b").await.unwrap();
    assert_eq!((second.number, second.before), (2, first.digest()));
    assert_eq!(seen(spool.folder()), (vec!["a".to_owned(), "b".to_owned()], vec![]));
}

/// The number of an act is given where acts are written, so that no two name the same one before them.
#[tokio::test]
async fn acts_at_the_same_time_stand_one_behind_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    let acts = (0..50).map(|number| {
        let spool = spool.clone();
        spawn(async move { spool.record_act(OPS, "enable", &number.to_string()).await.unwrap() })
    });
    for act in acts.collect::<Vec<_>>() {
        act.await.unwrap();
    }
    let (acts, breaks) = seen(spool.folder());
    assert_eq!((acts.len(), breaks), (50, vec![]));
}

#[test]
fn acts_outlive_their_segments() {
    let folder = tempfile::tempdir().unwrap();
    let act = |writer: &mut Writer<RealDisk>, about: &str| {
        let (told, mut outcome) = oneshot::channel();
        let act = Act::new(SystemClock.now(), OPS, "enable", about);
        writer.commit(vec![Command::Act { act, notes: Vec::new(), room: None, told }]);
        outcome.try_recv().unwrap().unwrap()
    };
    let mut last = Digest::default();
    for start in 0..4 {
        let (mut writer, _) = prepare(settings(&folder), Arc::new(SystemClock), RealDisk::default()).unwrap();
        let first = act(&mut writer, &format!("{start}a"));
        assert_eq!(first.before, last, "start {start}");
        last = act(&mut writer, &format!("{start}b")).digest();
        writer.tick();
        writer.tick();
        assert_eq!(writer.shared.segments().numbers().len(), 1, "nothing else is in the earlier ones");
    }
    let (acts, breaks) = seen(&folder.path().join("spool"));
    assert_eq!(acts, ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b"]);
    assert_eq!(breaks, []);
}

/// A record whose checksum was made anew: the log takes it for its own.
#[tokio::test]
async fn an_act_that_was_rewritten_shows() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder);
    for about in ["evt_1", "evt_2", "evt_3"] {
        spool.record_act(OPS, "drop", about).await.unwrap();
    }
    spool.close().await;
    let path = folder.path().join("spool/000000000001.log");
    let mut bytes = std::fs::read(&path).unwrap();
    let head = format::SegmentHead::decode(&bytes).unwrap();
    let steps: Vec<_> = format::Records::new(&head, &bytes, 0).collect();
    let format::Step::Record(found) = &steps[1] else { panic!("{steps:?}") };
    let Some(format::Entry::Act(act)) = found.entry.clone() else { panic!("{found:?}") };
    let forged = format::Entry::Act(Act { about: "evt_9".into(), ..act });
    let mut forged = format::Draft::of(forged).unwrap();
    bytes[found.at..found.at + found.bytes].copy_from_slice(forged.numbered(&head.id, found.sequence));
    std::fs::write(&path, bytes).unwrap();
    let view = view::view(&folder.path().join("spool"), &mut |_, _| ()).unwrap();
    assert!(view.damage.is_empty(), "every checksum is right");
    assert_eq!(view.breaks, [Break::Changed(3)]);
}

/// The gate goes on while somebody looks: an act that was carried away in between is no act that is missing.
#[test]
fn what_is_carried_away_while_somebody_looks_is_seen_where_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let start = || prepare(settings(&folder), Arc::new(SystemClock), RealDisk::default()).unwrap().0;
    let act = |writer: &mut Writer<RealDisk>| {
        let (told, _) = oneshot::channel();
        let act = Act::new(SystemClock.now(), OPS, "enable", "a");
        writer.commit(vec![Command::Act { act, notes: Vec::new(), room: None, told }]);
    };
    act(&mut start());
    let mut writer = start();
    act(&mut writer);
    let path = folder.path().join("spool");
    let mut progress = |done: usize, _: usize| {
        if done == 0 {
            writer.finish();
            writer.roll().unwrap();
            (0..4).for_each(|_| writer.tick());
        }
    };
    let seen = view::view(&path, &mut progress).unwrap();
    assert_eq!((seen.acts.len(), seen.breaks), (2, vec![]));
}
