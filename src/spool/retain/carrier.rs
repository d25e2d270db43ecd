//! What is alive in one segment, to be written again at the head of the log before the segment goes.

use super::verdicts::Verdicts;
use crate::{
    clock::Timestamp,
    event::Record,
    spool::{
        act::Act,
        format::{Draft, Entry, Found, Kept, Settlement, Step},
        index::{Open, Stand},
        read,
        shared::Shared,
    },
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::{Duration, Instant},
};

/// What to write again before a segment may go.
pub(in crate::spool) struct Carried {
    pub(super) segment: u64,
    /// The events first, then the rest.
    pub(in crate::spool) drafts: Vec<Draft>,
    /// Settled events among them, and until when they are kept.
    pub(super) kept: HashMap<u64, Timestamp>,
    /// How many settled events go before their time.
    pub(super) cut_short: u64,
    /// Of segments that stay, for which it says what became of their events.
    pub(super) settles: Vec<u64>,
}

/// Of an act: who, what, upon what and why.
const ACT_BYTES: u64 = 256;
/// Keys of one record, so that a record stays small.
const KEYS_PER_RECORD: usize = 4096;
/// Of one key in such a record, and of one settlement.
const KEY_BYTES: u64 = 36;
const SETTLEMENT_BYTES: u64 = 80;
/// Gathers what is alive in one segment.
pub(super) struct Carrier<'a> {
    shared: &'a Shared,
    number: u64,
    now: Timestamp,
    running: Instant,
    /// Settled events that are kept are alive.
    keeps: bool,
    /// Segments whose events it settles.
    settles: Vec<u64>,
    events: Vec<Entry>,
    after: Vec<Entry>,
    keys: Vec<Kept>,
    kept: HashMap<u64, Timestamp>,
    cut_short: u64,
    acts: Vec<Act>,
    /// Of the events.
    bytes: u64,
    /// Events whose record is in this segment.
    here: HashSet<u64>,
    /// Events elsewhere whose stand was told.
    told: BTreeSet<u64>,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(shared: &'a Shared, number: u64, now: Timestamp, running: Instant, keeps: bool) -> Self {
        let settles = shared.segments().settled_by(number);
        Self {
            shared,
            number,
            now,
            running,
            keeps,
            settles,
            events: Vec::new(),
            after: Vec::new(),
            keys: Vec::new(),
            kept: HashMap::new(),
            cut_short: 0,
            acts: Vec::new(),
            bytes: 0,
            here: HashSet::new(),
            told: BTreeSet::new(),
        }
    }

    /// What is alive in the segment, unless that is more than so many bytes, or not all of it can be read.
    pub(super) fn carry(mut self, most: u64) -> Option<Carried> {
        let (shared, number) = (self.shared, self.number);
        let valid = read::valid_length(&shared.folder, number, &shared.segments().numbers());
        let verdicts = if self.keeps { Verdicts::on(shared, number)? } else { Verdicts::default() };
        let mut take = |step| {
            if let Step::Record(found) = step {
                self.take(found, &verdicts);
            }
        };
        read::segment(&shared.folder, number, 0, valid, &mut take).ok()?;
        if self.events.len() - self.kept.len() < self.shared.index().unsettled_in(self.number).events {
            return None;
        }
        let (now, memory) = (self.now, &self.shared.memory);
        self.keys.retain(|kept| kept.until > now && memory.remembers(&kept.key, now));
        let beside = self.keys.len() as u64 * KEY_BYTES
            + self.after.len() as u64 * SETTLEMENT_BYTES
            + self.acts.len() as u64 * ACT_BYTES;
        let bytes = self.bytes + beside;
        if bytes > most {
            return None;
        }
        let mut entries = self.events;
        entries.extend(self.after);
        entries.extend(self.acts.into_iter().map(Entry::Act));
        entries.extend(self.keys.chunks(KEYS_PER_RECORD).map(|keys| Entry::Seen { keys: keys.to_vec() }));
        let drafts = entries.into_iter().map(Draft::of).collect::<Option<_>>()?;
        let Self { kept, cut_short, settles, .. } = self;
        Some(Carried { segment: self.number, drafts, kept, cut_short, settles })
    }

    fn take(&mut self, found: Found, verdicts: &Verdicts) {
        match found.entry {
            Some(Entry::Event { identity, keys, record }) => {
                self.here.insert(identity);
                let place = self.shared.index().place(identity);
                match place {
                    Some(place) if place.segment == self.number && place.at == found.at as u64 => {
                        self.bytes += found.bytes as u64;
                        self.unsettled(identity, keys, record);
                    }
                    // Carried forward before.
                    Some(_) => self.keys.extend(keys),
                    None => self.settled(identity, keys, record, verdicts),
                }
            }
            Some(Entry::Seen { keys }) => self.keys.extend(keys),
            Some(Entry::Settled { event, destination, verdict, at }) => {
                let open = self.elsewhere(event);
                let of = open.iter().flatten().find(|open| open.destination == destination);
                let (is_open, fresh) = (of.is_some(), of.is_some_and(Open::is_fresh));
                match verdict {
                    Settlement::Delivered | Settlement::Dropped(_) if open.is_some() && !is_open => {
                        self.after.push(Entry::Settled { event, destination, verdict, at });
                    }
                    // As if it had never been tried, which [`Self::tell`] has no words for: but a segment before this one
                    // may say that it was.
                    Settlement::Reopened if fresh => {
                        self.after.push(Entry::Settled { event, destination, verdict, at });
                    }
                    // What it is now is told instead.
                    Settlement::Delivered | Settlement::Dropped(_) | Settlement::Dead(_) | Settlement::Reopened => {}
                }
                self.tell_once(event, open);
            }
            Some(Entry::Tried { event, .. }) => {
                let open = self.elsewhere(event);
                self.tell_once(event, open);
            }
            Some(Entry::Act(act)) => self.acts.push(act),
            Some(Entry::Footer(_)) | None => {}
        }
    }

    fn unsettled(&mut self, identity: u64, keys: Vec<Kept>, record: Record) {
        let open = self.shared.index().open_for(identity, self.running);
        for destination in record.to.iter().filter(|name| open.iter().all(|open| open.destination != **name)) {
            let dropped = self.shared.index().dropped(identity, destination).map(Settlement::Dropped);
            let (destination, verdict) = (destination.clone(), dropped.unwrap_or(Settlement::Delivered));
            self.after.push(Entry::Settled { event: identity, destination, verdict, at: self.now });
        }
        self.tell(identity, open);
        self.events.push(Entry::Event { identity, keys, record });
    }

    /// An event that is kept is carried with what became of it: it must not be due again after a restart.
    fn settled(&mut self, identity: u64, keys: Vec<Kept>, record: Record, verdicts: &Verdicts) {
        let ended = |destination: &String| verdicts.of(identity, destination);
        let until = record.to.iter().filter_map(ended).map(|(_, at)| *at).max().unwrap_or_default() + record.keep;
        if !self.keeps || until <= self.now || self.kept.contains_key(&identity) {
            self.cut_short += u64::from(record.accepted_at + record.keep > self.now);
            self.keys.extend(keys);
            return;
        }
        for destination in &record.to {
            // Told in memory alone, because the disk refused it: it was delivered.
            let (verdict, at) = ended(destination).cloned().unwrap_or((Settlement::Delivered, self.now));
            self.after.push(Entry::Settled { event: identity, destination: destination.clone(), verdict, at });
        }
        self.kept.insert(identity, until);
        self.events.push(Entry::Event { identity, keys, record });
    }

    /// How an event stands whose record is in another segment; `None` where nothing has to be said of it any more.
    fn elsewhere(&self, event: u64) -> Option<Vec<Open>> {
        let index = self.shared.index();
        match index.place(event) {
            Some(place) => (place.segment != self.number).then(|| index.open_for(event, self.running)),
            // Settled everywhere: but its record may be there still.
            None => (!self.settles.is_empty() && !self.here.contains(&event)).then(Vec::new),
        }
    }

    fn tell_once(&mut self, event: u64, open: Option<Vec<Open>>) {
        let Some(open) = open.filter(|_| self.told.insert(event)) else { return };
        // What other segments say of it may be older, and yet heard first: that it is dead, before an attempt of its second
        // life, or before one of its first that is carried behind its death.
        let reopened = |open: &Open| Entry::Settled {
            event,
            destination: open.destination.clone(),
            verdict: Settlement::Reopened,
            at: self.now,
        };
        self.after.extend(open.iter().filter(|open| !open.is_fresh()).map(reopened));
        self.tell(event, open);
    }

    fn tell(&mut self, event: u64, open: Vec<Open>) {
        for Open { destination, attempts, reason, stand } in open {
            let (wait, is_dead) = match stand {
                Stand::Due(wait) => (wait, false),
                Stand::Dead => (Duration::ZERO, true),
            };
            if attempts > 0 {
                let (destination, due, reason) = (destination.clone(), self.now + wait, reason.to_string());
                self.after.push(Entry::Tried { event, destination, attempts, due, reason });
            }
            if is_dead {
                let verdict = Settlement::Dead(reason.to_string());
                self.after.push(Entry::Settled { event, destination, verdict, at: self.now });
            }
        }
    }
}
