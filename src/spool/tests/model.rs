//! Random histories against a model that keeps everything: what recovery finds is what was done, with footers and
//! without, before and after segments were carried forward and deleted.

mod order;

use super::*;
use crate::{
    order::OrderKey,
    spool::{
        commit::Command,
        format::{Draft, Entry, Kept, SEGMENT_HEAD_BYTES, Settlement},
        index::{Open, Stand},
    },
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicI64,
};

/// A wall clock that a test sets.
#[derive(Clone)]
pub(super) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(super) fn at(unix_s: i64) -> Self {
        Self(Arc::new(AtomicI64::new(unix_s)))
    }

    pub(super) fn forward(&self, s: i64) {
        self.0.fetch_add(s, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(self.0.load(Ordering::SeqCst))
    }
}

/// The machine's disk, without waiting for it.
#[derive(Default)]
pub(super) struct Unsynced(RealDisk);

impl Disk for Unsynced {
    fn create(&mut self, folder: &Folder, head: &format::SegmentHead) -> io::Result<()> {
        self.0.create(folder, head)
    }
    fn append(&mut self, records: &mut [IoSlice<'_>]) -> io::Result<()> {
        self.0.append(records)
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Accept {
        to: u8,
        kib: usize,
        remember_s: i64,
        keep_s: u64,
        /// 0 is none.
        order: u32,
    },
    /// Of an event, counted back from the youngest.
    Settle {
        back: usize,
        to: u8,
        verdict: u8,
    },
    Tried {
        back: usize,
        to: u8,
        hours: u32,
    },
    /// Taken, and not settled yet.
    Claim {
        to: u8,
        most: usize,
    },
    Seen {
        remember_s: i64,
    },
    Later {
        s: i64,
    },
    /// Segments are deleted and carried forward.
    Tick,
    /// All that can go.
    MakeRoom,
    Restart {
        footers: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => (1_u8..4, 0_usize..16, 1_i64..2000, 0_u64..4, 0_u32..4).prop_map(|(to, kib, remember_s, days, order)| {
            Step::Accept { to, kib, remember_s, keep_s: days * 86_400, order }
        }),
        40 => (0_usize..60, 0_u8..2, 0_u8..6).prop_map(|(back, to, verdict)| Step::Settle { back, to, verdict }),
        10 => (0_usize..60, 0_u8..2, 1_u32..20).prop_map(|(back, to, hours)| Step::Tried { back, to, hours }),
        10 => (0_u8..2, 1_usize..9).prop_map(|(to, most)| Step::Claim { to, most }),
        5 => (1_i64..2000).prop_map(|remember_s| Step::Seen { remember_s }),
        4 => (1_i64..600).prop_map(|s| Step::Later { s }),
        2 => (1_i64..200_000).prop_map(|s| Step::Later { s }),
        8 => Just(Step::Tick),
        2 => Just(Step::MakeRoom),
        3 => any::<bool>().prop_map(|footers| Step::Restart { footers }),
    ]
}

const NAMES: [&str; 2] = ["archive", "wordpress"];

/// Attempts, why the last one failed, and whether it is dead.
type Stands = BTreeMap<u64, BTreeMap<&'static str, (u32, String, bool)>>;

/// A spool without its thread, and what it should hold.
struct Bed {
    folder: tempfile::TempDir,
    clock: Hand,
    writer: Option<Writer<Unsynced>>,
    stands: Stands,
    all: Vec<u64>,
    /// By event, where it has one.
    orders: BTreeMap<u64, OrderKey>,
    /// By destination.
    in_flight: BTreeSet<(&'static str, u64)>,
    /// What WordPress said, by the key.
    relayed: BTreeMap<u64, Success>,
    /// Until when each key is remembered.
    keys: BTreeMap<u64, i64>,
    numbers: u64,
}

impl Bed {
    fn new() -> Self {
        let clock = Hand::at(1_760_000_000);
        let folder = tempfile::tempdir().unwrap();
        let mut bed = Self {
            folder,
            clock,
            writer: None,
            stands: BTreeMap::new(),
            all: Vec::new(),
            orders: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            relayed: BTreeMap::new(),
            keys: BTreeMap::new(),
            numbers: 0,
        };
        bed.open();
        bed
    }

    fn open(&mut self) -> Recovered {
        // Most of it is pressure, and its segments are of 64 KiB.
        let settings = Settings { folder: self.folder.path().join("spool"), bytes: 512 << 10, free: 0 };
        let (writer, found) = prepare(settings, Arc::new(self.clock.clone()), Unsynced::default()).unwrap();
        self.writer = Some(writer);
        found
    }

    fn writer(&mut self) -> &mut Writer<Unsynced> {
        self.writer.as_mut().unwrap()
    }

    fn shared(&self) -> &Shared {
        &self.writer.as_ref().unwrap().shared
    }

    /// A new key, and the right to work on it.
    fn kept(&mut self, remember_s: i64) -> (Kept, memory::Hold) {
        self.numbers += 1;
        let until_s = self.clock.now().unix_s() + remember_s;
        self.keys.insert(self.numbers, until_s);
        let keys = keys_of(self.numbers);
        let kept = Kept {
            key: key(self.numbers),
            until: Timestamp::from_unix_s(until_s),
            body: BodyMark(self.numbers),
            success: None,
        };
        let memory::Claimed::Mine(hold) = self.shared().memory.claim(&keys, None, Instant::now()) else {
            panic!("a new key")
        };
        (kept, hold)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Accept { to, kib, remember_s, keep_s, order } => self.accept((to, order), kib, remember_s, keep_s),
            Step::Claim { to, most } => drop(self.claim(NAMES[usize::from(to)], most, Instant::now())),
            Step::Settle { back, to, verdict } => self.settle(back, to, verdict),
            Step::Tried { back, to, hours } => self.tried(back, to, HOUR * hours),
            Step::Seen { remember_s } => {
                let (kept, hold) = self.kept(remember_s);
                let (told, _) = oneshot::channel();
                let success = Success::from_byte(u8::try_from(1 + self.numbers % 100).unwrap());
                self.relayed.insert(self.numbers, success.unwrap());
                let seen = Draft::of(Entry::Seen { keys: vec![Kept { success, ..kept }] }).unwrap();
                self.writer().commit(vec![Command::Seen { seen, hold, told }]);
            }
            Step::Later { s } => self.clock.forward(s),
            Step::Tick => self.writer().tick(),
            Step::MakeRoom => assert!(!self.writer().make_room(u64::MAX)),
            Step::Restart { footers } => self.restart(footers),
        }
    }

    fn accept(&mut self, (to, order): (u8, u32), kib: usize, remember_s: i64, keep_s: u64) {
        let to: Vec<_> = (0..2).filter(|bit| to >> bit & 1 == 1).map(|bit| NAMES[bit]).collect();
        let (kept, hold) = self.kept(remember_s);
        let mut record = event("").record().clone();
        record.id = format!("id{}", self.numbers);
        record.accepted_at = self.clock.now();
        record.order = OrderKey::from_number(order);
        record.keep = Duration::from_secs(keep_s);
        record.to = to.iter().map(|name| (*name).to_owned()).collect();
        record.payload = vec![b'x'; kib << 10].into();
        let (told, mut outcome) = oneshot::channel();
        let (id, event) = (record.id.clone(), Entry::Event { identity: 0, keys: vec![kept], record });
        let event = Draft::of(event).unwrap();
        self.writer().commit(vec![Command::Accept { id, event, hold: Some(hold), room: None, told }]);
        let sequence = outcome.try_recv().unwrap().unwrap().position();
        self.orders.extend(OrderKey::from_number(order).map(|order| (sequence, order)));
        self.all.push(sequence);
        self.stands.insert(sequence, to.into_iter().map(|name| (name, Default::default())).collect());
    }

    fn settle(&mut self, back: usize, to: u8, verdict: u8) {
        let Some((event, name)) = self.event(back, to) else { return };
        let verdict = match verdict {
            0..3 => Settlement::Delivered,
            3 => Settlement::Dropped("ops".to_owned()),
            4 => Settlement::Dead(format!("status_{event}")),
            _ => Settlement::Reopened,
        };
        // What must not be overtaken dies when it was taken, and is put back when it is dead, as by a forwarder and an operator.
        let is_dead = self.stands.get(&event).and_then(|stands| stands.get(name)).is_some_and(|(.., is_dead)| *is_dead);
        let comes_so = match &verdict {
            Settlement::Delivered | Settlement::Dropped(_) => true,
            Settlement::Dead(_) => self.in_flight.contains(&(name, event)),
            Settlement::Reopened => is_dead,
        };
        if self.orders.contains_key(&event) && !comes_so {
            return;
        }
        let at = self.clock.now();
        self.note(Entry::Settled { event, destination: name.to_owned(), verdict: verdict.clone(), at });
        self.in_flight.remove(&(name, event));
        let Some(stands) = self.stands.get_mut(&event) else { return };
        let Some(stand) = stands.get_mut(name) else { return };
        match verdict {
            Settlement::Delivered | Settlement::Dropped(_) => drop(stands.remove(name)),
            Settlement::Dead(reason) => (stand.1, stand.2) = (reason, true),
            Settlement::Reopened => *stand = Default::default(),
        }
        if stands.is_empty() {
            self.stands.remove(&event);
        }
    }

    fn tried(&mut self, back: usize, to: u8, wait: Duration) {
        let Some((event, name)) = self.event(back, to) else { return };
        let Some(stand) = self.stands.get_mut(&event).and_then(|stands| stands.get_mut(name)) else { return };
        if stand.2 || (self.orders.contains_key(&event) && !self.in_flight.contains(&(name, event))) {
            return;
        }
        self.in_flight.remove(&(name, event));
        stand.0 += 1;
        stand.1 = format!("status_{}", 500 + stand.0);
        let (attempts, reason) = (stand.0, stand.1.clone());
        self.shared().index().due_again(event, name, attempts, &reason, Instant::now() + wait);
        let (destination, due) = (name.to_owned(), self.clock.now() + wait);
        self.note(Entry::Tried { event, destination, attempts, due, reason });
    }

    /// None that is in flight is taken again, and none before an older one with its order key has ended.
    fn claim(&mut self, name: &'static str, most: usize, at: Instant) -> Vec<u64> {
        let claims = self.shared().index().claim(name, most, at);
        let events: Vec<_> = claims.into_iter().map(|claim| claim.sequence).collect();
        for event in &events {
            assert!(self.in_flight.insert((name, *event)), "{event} is in flight");
            let Some(order) = self.orders.get(event) else { continue };
            let waits = |(other, stands): (&u64, &BTreeMap<_, (u32, String, bool)>)| {
                let is_open = stands.get(name).is_some_and(|(.., is_dead)| !is_dead);
                (is_open && self.orders.get(other) == Some(order)).then_some(*other)
            };
            let first = self.stands.iter().find_map(waits);
            assert_eq!(first, Some(*event), "an older one waits");
            let together =
                self.in_flight.iter().filter(|(to, other)| *to == name && self.orders.get(other) == Some(order));
            assert_eq!(together.count(), 1, "one at a time");
        }
        events
    }

    /// All that waits comes to its turn.
    fn deliver_all(&mut self) {
        for name in NAMES {
            loop {
                let events = self.claim(name, 3, Instant::now() + HOUR * 100);
                if events.is_empty() {
                    break;
                }
                for event in events {
                    let back = self.all.iter().rev().position(|other| *other == event).unwrap();
                    self.settle(back, u8::from(name == NAMES[1]), 0);
                }
            }
            assert!(self.stands.values().all(|stands| stands.get(name).is_none_or(|(.., is_dead)| *is_dead)));
        }
    }

    fn event(&self, back: usize, to: u8) -> Option<(u64, &'static str)> {
        let event = *self.all.iter().rev().nth(back)?;
        Some((event, NAMES[usize::from(to)]))
    }

    fn note(&mut self, entry: Entry) {
        self.writer().commit(vec![Command::Note { notes: vec![Draft::of(entry).unwrap()], told: None }]);
    }

    /// Ends in order, or as killed, and starts again.
    fn restart(&mut self, footers: bool) {
        self.writer().finish();
        self.writer = None;
        self.in_flight.clear();
        if !footers {
            strip_footers(&self.folder.path().join("spool"));
        }
        let found = self.open();
        assert_eq!((found.corrupt, found.unknown, found.torn_bytes), (0, 0, 0));
        let now_s = self.clock.now().unix_s();
        self.keys.retain(|_, until_s| *until_s > now_s);
        for number in self.keys.keys() {
            let known = self.shared().memory.look(&keys_of(*number));
            let success = self.relayed.get(number).copied();
            assert_eq!(known, Some(Known { changed: None, success }), "key {number}");
        }
    }

    fn check(&self) {
        let index = self.shared().index();
        let mut found = Stands::new();
        for event in &self.all {
            let open = index.open_for(*event, Instant::now());
            assert_eq!(open.is_empty(), index.place(*event).is_none(), "event {event}");
            for Open { destination, attempts, reason, stand } in open {
                let name = NAMES.into_iter().find(|name| *name == destination).unwrap();
                found.entry(*event).or_default().insert(name, (attempts, reason.to_string(), stand == Stand::Dead));
            }
        }
        assert_eq!(found, self.stands);
        for (_, counts) in index.counts() {
            assert_eq!(counts.accepted, counts.delivered + counts.pending + counts.dead + counts.dropped);
        }
        drop(index);
        for event in self.stands.keys() {
            self.shared().read(*event).unwrap();
        }
    }
}

fn key(number: u64) -> Fingerprint {
    use sha2::Digest as _;
    Fingerprint::from_bytes(sha2::Sha256::digest(number.to_le_bytes())[..16].try_into().unwrap())
}

fn keys_of(number: u64) -> RepeatKeys {
    let event = Some(Remembered { key: key(number), remember: HOUR });
    RepeatKeys { proof: None, event, body: BodyMark(number) }
}

/// As if no process had ever ended a segment in order.
pub(super) fn strip_footers(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let bytes = std::fs::read(&path).unwrap();
            let tail = bytes.len().saturating_sub(format::FOOTER_TAIL_BYTES);
            if let Some(at) = format::footer_start(&bytes[tail..], bytes.len() as u64) {
                assert!(at >= SEGMENT_HEAD_BYTES as u64);
                std::fs::File::options().write(true).open(&path).unwrap().set_len(at).unwrap();
            }
        }
    }
}

proptest! {
    // What failed once is kept, and tried first.
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/vectors/spool-histories.txt"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_recovery_finds_is_what_was_done(steps in proptest::collection::vec(step(), 1..300)) {
        let mut bed = Bed::new();
        for step in steps {
            bed.take(step);
            bed.check();
        }
        for footers in [true, false, true] {
            bed.restart(footers);
            bed.check();
        }
        bed.deliver_all();
        bed.check();
    }
}

/// An operator looks at what waits: why, since how often, and until when.
#[test]
fn an_event_that_was_tried_is_carried_with_its_own_reason_and_time() {
    let mut bed = Bed::new();
    bed.take(Step::Accept { to: 2, kib: 1, remember_s: 1000, keep_s: 0, order: 0 });
    bed.take(Step::Tried { back: 0, to: 1, hours: 9 });
    bed.take(Step::Tried { back: 0, to: 1, hours: 10 });
    bed.take(Step::Accept { to: 2, kib: 100, remember_s: 1000, keep_s: 0, order: 0 });
    bed.take(Step::Settle { back: 0, to: 1, verdict: 0 });
    let due = bed.clock.now() + HOUR * 10;
    for again in [false, true] {
        if again {
            bed.restart(true);
        }
        bed.writer().roll().unwrap();
        bed.take(Step::MakeRoom);
        let view = view::view(&bed.folder.path().join("spool"), &mut |_, _| ()).unwrap();
        let state = &view.events[0].states["wordpress"];
        assert_eq!(
            (view.events.len(), state.state, state.attempts, &*state.reason),
            (1, view::State::Pending, 2, "status_502")
        );
        let off_ms = state.due.unwrap().unix_ms().abs_diff(due.unix_ms());
        assert!(off_ms < 60_000, "{off_ms} ms off");
    }
}

/// The attempt is in one segment, and that it was the last one in the next; the first of the two goes.
#[test]
fn a_dead_letter_keeps_its_attempts_when_they_are_carried_behind_its_death() {
    let mut bed = Bed::new();
    bed.take(Step::Accept { to: 2, kib: 15, remember_s: 1000, keep_s: 0, order: 0 });
    bed.writer().roll().unwrap();
    bed.take(Step::Tried { back: 0, to: 1, hours: 1 });
    bed.take(Step::Accept { to: 2, kib: 3, remember_s: 1000, keep_s: 0, order: 0 });
    bed.take(Step::Settle { back: 0, to: 1, verdict: 0 });
    bed.writer().roll().unwrap();
    bed.take(Step::Settle { back: 1, to: 1, verdict: 4 });
    bed.writer().roll().unwrap();
    assert!(bed.writer().collect(true));
    assert_eq!(bed.shared().segments().numbers(), [1, 3, 4], "the first holds little else, and stays");
    bed.restart(true);
    bed.check();
}

/// What was delivered is in one segment, that it was delivered in the next. The second has no keys and nothing unsettled,
/// but were it to go first, everything in the first would be sent again after a restart.
#[test]
fn that_an_event_was_settled_is_kept_as_long_as_the_event() {
    let mut bed = Bed::new();
    bed.take(Step::Accept { to: 2, kib: 70, remember_s: 1000, keep_s: 0, order: 0 });
    bed.take(Step::Settle { back: 0, to: 1, verdict: 0 });
    bed.take(Step::Accept { to: 2, kib: 70, remember_s: 0, keep_s: 0, order: 0 });
    bed.take(Step::Settle { back: 0, to: 1, verdict: 0 });
    bed.take(Step::Later { s: 1 });
    bed.take(Step::Accept { to: 2, kib: 1, remember_s: 1, keep_s: 0, order: 0 });
    bed.take(Step::Tick);
    assert!(bed.shared().segments().numbers().len() > 2);
    bed.restart(true);
    bed.check();
    bed.take(Step::Later { s: 2000 });
    bed.take(Step::Settle { back: 0, to: 1, verdict: 0 });
    bed.restart(true);
    bed.take(Step::Later { s: 1 });
    bed.take(Step::Tick);
    bed.take(Step::Tick);
    assert_eq!(bed.shared().segments().numbers().len(), 1, "then all of it goes");
}
