//! A disk that fails: what was not acknowledged stays so, whatever comes and goes after it.

use super::*;
use crate::spool::{
    commit::Command,
    format::{Draft, Entry},
};

/// A spool without its thread, on a disk that fails when told to.
fn failing(settings: Settings) -> (Writer<Failing>, Recovered, Arc<AtomicUsize>) {
    let syncs_to_fail = Arc::new(AtomicUsize::new(0));
    let disk = Failing { disk: RealDisk::default(), syncs_to_fail: syncs_to_fail.clone() };
    let (writer, recovered) = prepare(settings, Arc::new(SystemClock), disk).unwrap();
    (writer, recovered, syncs_to_fail)
}

fn accept(writer: &mut Writer<Failing>, name: &str) -> Result<(), Fault> {
    let (told, mut outcome) = oneshot::channel();
    let record = event(name).record().clone();
    let (id, event) = (record.id.clone(), Entry::Event { identity: 0, keys: Vec::new(), record });
    writer.commit(vec![Command::Accept { id, event: Draft::of(event).unwrap(), hold: None, room: None, told }]);
    outcome.try_recv().unwrap().map(drop)
}

/// The next segment's head says that the tail before it is nothing: it has to stay, though nothing else needs it, and
/// also when room is short.
#[test]
fn what_was_not_acknowledged_does_not_come_back_when_later_segments_go() {
    for bytes in [256 << 20, 1] {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { bytes, ..settings(&folder) };
        let (mut writer, _, syncs_to_fail) = failing(settings.clone());
        // Most of the segment is alive, so nothing is gained by carrying it forward.
        for name in ["kept", "kept too", "this as well"] {
            accept(&mut writer, name).unwrap();
        }
        syncs_to_fail.store(1, Ordering::SeqCst);
        accept(&mut writer, "lost").unwrap_err();
        for _ in 0..3 {
            writer.roll().unwrap();
            writer.tick();
        }
        assert_eq!(writer.shared.segments().numbers(), [1, 2, 4], "the third is empty, and goes");
        for start in 0..3 {
            drop(writer);
            let (again, recovered, _) = failing(settings.clone());
            writer = again;
            assert_eq!(recovered.pending, 3, "start {start}");
            writer.tick();
        }
    }
}

/// The number of a segment that could not be made is not used again, and the one after it still knows what came before.
#[test]
fn a_segment_that_could_not_be_made_leaves_no_gap_in_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _, syncs_to_fail) = failing(settings(&folder));
    accept(&mut writer, "kept").unwrap();
    syncs_to_fail.store(1, Ordering::SeqCst);
    accept(&mut writer, "lost").unwrap_err();
    let path = writer.shared.folder.path().join("000000000002.log");
    std::fs::create_dir(&path).unwrap();
    writer.roll().unwrap_err();
    std::fs::remove_dir(&path).unwrap();
    writer.roll().unwrap();
    drop(writer);
    let (_, recovered) = prepare(settings(&folder), Arc::new(SystemClock), RealDisk::default()).unwrap();
    assert_eq!(recovered.pending, 1, "the tail of the first is still nothing");
}
