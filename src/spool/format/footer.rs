//! What a sealed segment says, without the payloads: its last record, so that recovery need not read a week of bodies.
//!
//! A footer repeats and never adds: one that is missing, damaged or of another version costs a scan of its segment and
//! nothing else. It ends with the place where it starts, so that it is found from the end of the file.

use super::{
    Entry, Found, HEAD_BYTES, Kept, Look, PAYLOAD_MAX_BYTES, SEGMENT_HEAD_BYTES, SegmentHead, Settlement,
    fields::{Reader, Writer},
    look,
};
use crate::{
    clock::Timestamp,
    order::OrderKey,
    spool::{act::Digest, chain},
};
use std::{collections::HashMap, hash::Hash, sync::Arc, time::Duration};

/// What memory is rebuilt from: one record, without what is only ever read from its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::spool) struct Summary {
    pub(in crate::spool) sequence: u64,
    pub(in crate::spool) at: u64,
    pub(in crate::spool) bytes: u32,
    pub(in crate::spool) what: What,
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::spool) enum What {
    Event {
        identity: u64,
        keys: Vec<Kept>,
        accepted_at: Timestamp,
        tag: u32,
        keep: Duration,
        order: Option<OrderKey>,
        to: Arc<[String]>,
    },
    Settled {
        event: u64,
        destination: Arc<str>,
        verdict: Settlement,
        at: Timestamp,
    },
    Tried {
        event: u64,
        destination: Arc<str>,
        attempts: u32,
        due: Timestamp,
        reason: Arc<str>,
    },
    Seen {
        keys: Vec<Kept>,
    },
    /// With it the chain of acts ends here, for now.
    Act(chain::End),
    Footer,
    /// A kind that a later version writes.
    Unknown,
}

/// A checksum of an event's id, by which it is found without reading it.
pub(in crate::spool) fn tag(id: &str) -> u32 {
    crc32c::crc32c(id.as_bytes())
}

impl Summary {
    /// `None` for a footer, which says nothing of its own.
    pub(in crate::spool) fn of(found: Found) -> Option<Self> {
        let Found { at, bytes, sequence, entry } = found;
        let what = entry.map_or(What::Unknown, What::of);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        (what != What::Footer).then_some(Self { sequence, at: at as u64, bytes, what })
    }
}

impl What {
    pub(in crate::spool) fn of(entry: Entry) -> Self {
        match entry {
            Entry::Event { identity, keys, record } => Self::Event {
                identity,
                keys,
                accepted_at: record.accepted_at,
                tag: tag(&record.id),
                keep: record.keep,
                order: record.order,
                to: record.to.into(),
            },
            Entry::Settled { event, destination, verdict, at } => {
                Self::Settled { event, destination: destination.into(), verdict, at }
            }
            Entry::Tried { event, destination, attempts, due, reason } => {
                Self::Tried { event, destination: destination.into(), attempts, due, reason: reason.into() }
            }
            Entry::Seen { keys } => Self::Seen { keys },
            Entry::Act(act) => Self::Act(chain::End::of(&act)),
            Entry::Footer(_) => Self::Footer,
        }
    }

    /// The keys that it keeps alive.
    pub(in crate::spool) fn keys(&self) -> &[Kept] {
        match self {
            Self::Event { keys, .. } | Self::Seen { keys } => keys,
            Self::Settled { .. } | Self::Tried { .. } | Self::Act(_) | Self::Footer | Self::Unknown => &[],
        }
    }

    const fn kind(&self) -> u32 {
        match self {
            Self::Event { .. } => 1,
            Self::Settled { .. } => 2,
            Self::Tried { .. } => 3,
            Self::Seen { .. } => 4,
            Self::Act(_) => 5,
            Self::Footer | Self::Unknown => 0,
        }
    }
}

/// Of the footer's own form; another one is not read.
const VERSION: u32 = 5;
/// `HWFOOT01`.
const TAIL_MAGIC: [u8; 8] = *b"HWFOOT01";
/// Where the footer starts, and the magic: the last bytes of the file.
pub(in crate::spool) const FOOTER_TAIL_BYTES: usize = 16;

/// Gathers a segment's footer while the segment is written.
#[derive(Default)]
pub(in crate::spool) struct Builder {
    count: u32,
    lists: Table<Arc<[String]>>,
    names: Table<Arc<str>>,
    body: Writer,
}

/// What is said often, once; in its order.
#[derive(Default)]
struct Table<T> {
    places: HashMap<T, u32>,
    /// Said last, and likely to be said next.
    last: Option<(T, u32)>,
    texts: Writer,
}

impl<T: Hash + Eq + Clone> Table<T> {
    fn place(&mut self, of: &T, write: impl Fn(&mut Writer)) -> u32 {
        if let Some((_, place)) = self.last.as_ref().filter(|(last, _)| last == of) {
            return *place;
        }
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let place = *self.places.entry(of.clone()).or_insert(next);
        if place == next {
            write(&mut self.texts);
        }
        self.last = Some((of.clone(), place));
        place
    }

    fn write(&self, writer: &mut Writer) {
        writer.count(self.places.len());
        writer.raw(self.texts.bytes());
    }
}

impl Builder {
    pub(in crate::spool) fn push(&mut self, sequence: u64, at: u64, bytes: u32, what: &What) {
        let body = &mut self.body;
        self.count += 1;
        body.u32(what.kind());
        body.u64(sequence);
        body.u64(at);
        body.u32(bytes);
        match what {
            What::Event { identity, keys, accepted_at, tag, keep, order, to } => {
                body.u64(*identity);
                body.i64(accepted_at.unix_ms());
                body.u32(*tag);
                body.u32(super::seconds(*keep));
                body.order(*order);
                body.u32(self.lists.place(to, |texts| {
                    texts.count(to.len());
                    to.iter().for_each(|name| texts.text(name));
                }));
                body.keys(keys);
            }
            What::Settled { event, destination, verdict, at } => {
                body.u64(*event);
                body.u32(self.names.place(destination, |texts| texts.text(destination)));
                body.settlement(verdict);
                body.i64(at.unix_ms());
            }
            What::Tried { event, destination, attempts, due, reason } => {
                body.u64(*event);
                body.u32(self.names.place(destination, |texts| texts.text(destination)));
                body.u32(*attempts);
                body.i64(due.unix_ms());
                body.u32(self.names.place(reason, |texts| texts.text(reason)));
            }
            What::Seen { keys } => body.keys(keys),
            What::Act(chain::End { number, digest }) => {
                body.u64(*number);
                body.raw(&digest.0);
            }
            What::Footer | What::Unknown => {}
        }
    }

    pub(in crate::spool) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The record to end a segment of this size with.
    pub(in crate::spool) fn finish(self, at: u64) -> Entry {
        let mut writer = Writer::default();
        writer.u32(VERSION);
        self.lists.write(&mut writer);
        self.names.write(&mut writer);
        writer.u32(self.count);
        writer.raw(self.body.bytes());
        // Its tail is the end of the file, which is no place for padding.
        let short = (HEAD_BYTES + writer.bytes().len()).next_multiple_of(super::ALIGN) - HEAD_BYTES;
        (writer.bytes().len()..short).for_each(|_| writer.raw(&[0]));
        writer.u64(at);
        writer.raw(&TAIL_MAGIC);
        Entry::Footer(writer.into_bytes())
    }
}

/// Where the footer of a file of this size starts, by the file's last bytes.
pub(in crate::spool) fn footer_start(tail: &[u8], size: u64) -> Option<u64> {
    let mut reader = Reader::new(tail);
    let at = reader.u64()?;
    (reader.raw(8)? == TAIL_MAGIC).then_some(())?;
    let bytes = size.checked_sub(at)?;
    (at >= SEGMENT_HEAD_BYTES as u64 && bytes <= (HEAD_BYTES + PAYLOAD_MAX_BYTES) as u64).then_some(at)
}

/// What a footer says, if every byte of it can be believed; and its own sequence.
pub(in crate::spool) fn read_footer(head: &SegmentHead, footer: &[u8]) -> Option<(u64, Vec<Summary>)> {
    let Look::Record(found) = look(&head.id, footer, 0) else { return None };
    let Some(Entry::Footer(payload)) = found.entry else { return None };
    let mut reader = Reader::new(&payload);
    (reader.u32()? == VERSION).then_some(())?;
    let list = |reader: &mut Reader<'_>| (0..reader.count()?).map(|_| reader.text()).collect::<Option<Arc<[String]>>>();
    let lists: Vec<_> = (0..reader.count()?).map(|_| list(&mut reader)).collect::<Option<_>>()?;
    let names: Vec<_> = (0..reader.count()?).map(|_| reader.text().map(Arc::from)).collect::<Option<_>>()?;
    let summaries = (0..reader.count()?).map(|_| summary(&mut reader, &lists, &names)).collect::<Option<Vec<_>>>()?;
    Some((found.sequence, summaries))
}

fn summary(reader: &mut Reader<'_>, lists: &[Arc<[String]>], names: &[Arc<str>]) -> Option<Summary> {
    let (kind, sequence, at, bytes) = (reader.u32()?, reader.u64()?, reader.u64()?, reader.u32()?);
    let name = |reader: &mut Reader<'_>| names.get(reader.count()?).cloned();
    let what = match kind {
        1 => {
            let (identity, accepted_at, tag) = (reader.u64()?, Timestamp::from_unix_ms(reader.i64()?), reader.u32()?);
            let (keep, order) = (Duration::from_secs(reader.u32()?.into()), OrderKey::from_number(reader.u32()?));
            let to = lists.get(reader.count()?)?.clone();
            let identity = super::own_or(identity, sequence);
            What::Event { identity, keys: reader.keys()?, accepted_at, tag, keep, order, to }
        }
        2 => What::Settled {
            event: reader.u64()?,
            destination: name(reader)?,
            verdict: reader.settlement()?,
            at: Timestamp::from_unix_ms(reader.i64()?),
        },
        3 => What::Tried {
            event: reader.u64()?,
            destination: name(reader)?,
            attempts: reader.u32()?,
            due: Timestamp::from_unix_ms(reader.i64()?),
            reason: name(reader)?,
        },
        4 => What::Seen { keys: reader.keys()? },
        5 => What::Act(chain::End { number: reader.u64()?, digest: Digest(reader.array()?) }),
        _ => return None,
    };
    Some(Summary { sequence, at, bytes, what })
}
