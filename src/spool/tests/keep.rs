//! What is settled stays for as long as it was accepted to, and then goes: with its bytes, and in time.

use super::*;
use crate::spool::{
    commit::Command,
    format::{Draft, Entry, Settlement},
    tests::model::{Hand, Unsynced},
};
use std::path::PathBuf;

const DAY: i64 = 24 * 3600;

/// A spool without its thread, under a clock that a test sets.
struct Bed {
    folder: tempfile::TempDir,
    clock: Hand,
    writer: Option<Writer<Unsynced>>,
}

impl Bed {
    fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Hand::at(1_760_000_000));
        let mut bed = Self { folder, clock, writer: None };
        bed.start();
        bed
    }

    fn start(&mut self) {
        self.writer = None;
        let (writer, _) = prepare(settings(&self.folder), Arc::new(self.clock.clone()), Unsynced::default()).unwrap();
        self.writer = Some(writer);
    }

    fn writer(&mut self) -> &mut Writer<Unsynced> {
        self.writer.as_mut().unwrap()
    }

    fn accept(&mut self, name: &str, days: u64) -> u64 {
        let mut record = event(name).into_record();
        record.accepted_at = self.clock.now();
        record.keep = Duration::from_secs(days * 86_400);
        let (told, mut outcome) = oneshot::channel();
        let id = record.id.clone();
        let event = Draft::of(Entry::Event { identity: 0, keys: Vec::new(), record }).unwrap();
        self.writer().commit(vec![Command::Accept { id, event, hold: None, room: None, told }]);
        outcome.try_recv().unwrap().unwrap().position()
    }

    fn settle(&mut self, event: u64, verdict: Settlement) {
        let entry = Entry::Settled { event, destination: "wordpress".into(), verdict, at: self.clock.now() };
        self.writer().commit(vec![Command::Note { notes: vec![Draft::of(entry).unwrap()], told: None }]);
    }

    /// Time passes, and the writer takes its looks.
    fn days(&mut self, days: i64) {
        self.clock.forward(days * DAY + 1);
        (0..4).for_each(|_| self.writer().tick());
    }

    fn seen(&self) -> Vec<(String, view::State)> {
        let view = view::view(&self.path(), &mut |_, _| ()).unwrap();
        let state = |event: view::Viewed| {
            let payload = view::payload(&self.path(), &event).unwrap().unwrap().payload;
            let payload = String::from_utf8(payload.to_vec()).unwrap();
            (payload, event.states["wordpress"].state)
        };
        view.events.into_iter().map(state).collect()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// Whether these bytes are in any file.
    fn has(&self, bytes: &str) -> bool {
        std::fs::read_dir(self.path()).unwrap().any(|entry| {
            let found = std::fs::read(entry.unwrap().path()).unwrap();
            found.windows(bytes.len()).any(|window| window == bytes.as_bytes())
        })
    }

    fn due(&mut self) -> usize {
        self.writer().shared.index().claim("wordpress", 10, Instant::now()).len()
    }
}

/// Nothing else is accepted, so that no segment would ever be full.
#[test]
fn what_is_not_kept_is_erased_within_a_day_also_on_a_quiet_gate() {
    let mut bed = Bed::new();
    let event = bed.accept("card 4242", 0);
    bed.settle(event, Settlement::Delivered);
    bed.writer().tick();
    assert!(bed.has("card 4242"));
    bed.days(1);
    assert!(!bed.has("card 4242"));
}

#[test]
fn what_is_kept_is_there_until_its_time_has_come_and_never_sent_again() {
    let mut bed = Bed::new();
    for (name, days) in [("brief", 0), ("kept", 7)] {
        let event = bed.accept(name, days);
        bed.settle(event, Settlement::Delivered);
    }
    bed.days(1);
    let kept = vec![("kept".to_owned(), view::State::Delivered)];
    assert_eq!(bed.seen(), kept, "the other one was carried away from it");
    for _ in 0..5 {
        bed.start();
        assert_eq!(bed.due(), 0);
        bed.days(1);
        assert_eq!(bed.seen(), kept);
    }
    bed.days(3);
    assert!(bed.seen().is_empty() && !bed.has("kept"), "{:?}", bed.seen());
}

/// It is counted from the delivery: an outage of a week does not eat it up.
#[test]
fn what_was_delivered_late_is_kept_as_long() {
    let mut bed = Bed::new();
    let event = bed.accept("late", 2);
    bed.days(20);
    assert_eq!(bed.seen(), [("late".to_owned(), view::State::Pending)], "what waits is never erased");
    bed.settle(event, Settlement::Delivered);
    bed.days(1);
    assert_eq!(bed.seen().len(), 1);
    bed.days(2);
    assert!(bed.seen().is_empty());
}

#[test]
fn what_was_dropped_is_not_told_as_delivered_when_it_is_carried() {
    let mut bed = Bed::new();
    let (brief, dropped) = (bed.accept("brief", 0), bed.accept("dropped", 7));
    // The words on them are in a later segment.
    bed.writer().finish();
    bed.writer().roll().unwrap();
    bed.settle(brief, Settlement::Delivered);
    bed.settle(dropped, Settlement::Dropped("ops".into()));
    bed.days(2);
    assert_eq!(bed.seen(), [("dropped".to_owned(), view::State::Dropped)]);
    bed.start();
    assert_eq!(bed.due(), 0);
}

/// A dead letter waits for an operator for ever; what was delivered beside it does not.
#[test]
fn an_event_that_waits_does_not_pin_what_is_to_be_erased() {
    let mut bed = Bed::new();
    let (delivered, dead) = (bed.accept("delivered", 0), bed.accept("dead", 0));
    bed.settle(delivered, Settlement::Delivered);
    bed.settle(dead, Settlement::Dead("status_500".into()));
    bed.days(1);
    assert_eq!(bed.seen(), [("dead".to_owned(), view::State::Dead)]);
    assert!(!bed.has("delivered"));
    let written = bed.writer().shared.room.used();
    bed.days(30);
    assert_eq!(bed.writer().shared.room.used(), written, "and is not written again each day");
}

#[test]
fn room_that_is_needed_cuts_it_short_and_that_is_counted() {
    let mut bed = Bed::new();
    let event = bed.accept("kept", 7);
    bed.settle(event, Settlement::Delivered);
    bed.writer().finish();
    bed.writer().roll().unwrap();
    bed.writer().make_room(u64::MAX);
    assert!(bed.seen().is_empty());
    assert_eq!(bed.writer().shared.cut_short.load(Ordering::Acquire), 1);
}
