//! Bytes to records and back. Pure: no files, so any bytes can be thrown at it.
//!
//! A record is a 32-byte head, its payload, and padding to 8 bytes. Both checksums cover the segment's random id and
//! the head, so that bytes of another segment, or of an earlier life of these blocks, never pass for a record of this
//! one; the head's own comes first, so that a body full of heads makes nobody compute over megabytes for each. All
//! numbers are little-endian.
//!
//! ```text
//! 0      4       8      9      12     16        24        28    32
//! magic  length  kind   zero   crc    sequence  head crc  zero  payload ...
//! ```

mod draft;
mod fields;
mod footer;
mod sums;

use super::act::{Act, Digest};
use crate::{
    clock::Timestamp,
    event::Record,
    ledger::Success,
    order::OrderKey,
    repeat::{BodyMark, Fingerprint},
};
pub(super) use draft::Draft;
use fields::Reader;
pub(super) use fields::Writer;
pub(super) use footer::{Builder, FOOTER_TAIL_BYTES, Summary, What, footer_start, read_footer, tag};
use std::time::Duration;
use sums::{checksum, head_checksum, whole};

/// `HWR1`.
const MAGIC: [u8; 4] = *b"HWR1";
/// Of a record's head.
pub(super) const HEAD_BYTES: usize = 32;
/// Records start at multiples of it: resynchronising looks at one place in eight.
const ALIGN: usize = 8;
/// A body of the largest size that a policy may allow, in base64, with room for what goes with it.
pub(super) const PAYLOAD_MAX_BYTES: usize = 48 << 20;

/// `HWSEG001`.
const SEGMENT_MAGIC: [u8; 8] = *b"HWSEG001";
/// Of a segment's head.
pub(super) const SEGMENT_HEAD_BYTES: usize = 64;
/// The rest is zero, and read by nobody.
const SEGMENT_HEAD_USED: usize = 52;

/// The head of one segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHead {
    /// Its number: also its file's name.
    pub(super) number: u64,
    /// Random, and a part of every checksum in it.
    pub(super) id: [u8; 16],
    /// The segment that was written before.
    pub(super) previous: u64,
    /// So many bytes of that one are valid: what follows them there was never acknowledged.
    pub(super) previous_valid: u64,
}

impl SegmentHead {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEAD_BYTES] {
        let mut writer = Writer::default();
        writer.raw(&SEGMENT_MAGIC);
        writer.u64(self.number);
        writer.raw(&self.id);
        writer.u64(self.previous);
        writer.u64(self.previous_valid);
        let crc = crc32c::crc32c(writer.bytes());
        writer.u32(crc);
        let mut head = [0; SEGMENT_HEAD_BYTES];
        for (to, from) in head.iter_mut().zip(writer.bytes()) {
            *to = *from;
        }
        head
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        (reader.raw(8)? == SEGMENT_MAGIC).then_some(())?;
        let head =
            Self { number: reader.u64()?, id: reader.array()?, previous: reader.u64()?, previous_valid: reader.u64()? };
        (head.encode().get(..SEGMENT_HEAD_USED)? == bytes.get(..SEGMENT_HEAD_USED)?).then_some(head)
    }
}

/// A key and when it may be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) key: Fingerprint,
    pub(super) until: Timestamp,
    pub(super) body: BodyMark,
    /// What WordPress said, of what was passed on.
    pub(super) success: Option<Success>,
}

/// What the log says, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// An event was accepted, with what it is remembered by.
    Event {
        /// The sequence under which it was accepted; 0, before it is written, for its own.
        identity: u64,
        keys: Vec<Kept>,
        record: Record,
    },
    /// An event ended for one destination.
    Settled { event: u64, destination: String, verdict: Settlement, at: Timestamp },
    /// An event failed by its own fault, and is due again.
    Tried { event: u64, destination: String, attempts: u32, due: Timestamp, reason: String },
    /// Keys alone: of relayed requests, or carried forward from a segment that went.
    Seen { keys: Vec<Kept> },
    /// Somebody did something.
    Act(Act),
    /// The last of a sealed segment: what [`read_footer`] reads. It says nothing new.
    Footer(Vec<u8>),
}

/// How an event ended for one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Settlement {
    Delivered,
    Dead(String),
    Dropped(String),
    /// No end after all: an operator wants it tried again.
    Reopened,
}

impl Entry {
    const fn kind(&self) -> u8 {
        match self {
            Self::Event { .. } => 1,
            Self::Settled { .. } => 2,
            Self::Tried { .. } => 3,
            Self::Seen { .. } => 4,
            Self::Act(_) => 5,
            Self::Footer(_) => 6,
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Event { identity, keys, record } => {
                writer.u64(*identity);
                writer.keys(keys);
                writer.i64(record.accepted_at.unix_ms());
                writer.u32(seconds(record.keep));
                writer.order(record.order);
                for text in [&record.id, &record.route, &record.event_type, &record.request_id, &record.content_type] {
                    writer.text(text);
                }
                writer.count(record.to.len());
                record.to.iter().for_each(|name| writer.text(name));
                writer.blob(&record.payload);
            }
            Self::Settled { event, destination, verdict, at } => {
                writer.u64(*event);
                writer.text(destination);
                writer.settlement(verdict);
                writer.i64(at.unix_ms());
            }
            Self::Tried { event, destination, attempts, due, reason } => {
                writer.u64(*event);
                writer.text(destination);
                writer.u32(*attempts);
                writer.i64(due.unix_ms());
                writer.text(reason);
            }
            Self::Seen { keys } => writer.keys(keys),
            Self::Act(act) => writer.act(act),
            Self::Footer(bytes) => writer.raw(bytes),
        }
    }

    fn read(kind: u8, sequence: u64, payload: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(payload);
        let entry = match kind {
            1 => Self::Event {
                identity: own_or(reader.u64()?, sequence),
                keys: reader.keys()?,
                record: {
                    let accepted_at = Timestamp::from_unix_ms(reader.i64()?);
                    let (keep, order) =
                        (Duration::from_secs(reader.u32()?.into()), OrderKey::from_number(reader.u32()?));
                    let (id, route, event_type) = (reader.text()?, reader.text()?, reader.text()?);
                    let (request_id, content_type) = (reader.text()?, reader.text()?);
                    let to = (0..reader.count()?).map(|_| reader.text()).collect::<Option<_>>()?;
                    let payload = reader.blob()?.to_vec().into();
                    Record { id, route, event_type, accepted_at, request_id, to, keep, order, content_type, payload }
                },
            },
            2 => Self::Settled {
                event: reader.u64()?,
                destination: reader.text()?,
                verdict: reader.settlement()?,
                at: Timestamp::from_unix_ms(reader.i64()?),
            },
            3 => Self::Tried {
                event: reader.u64()?,
                destination: reader.text()?,
                attempts: reader.u32()?,
                due: Timestamp::from_unix_ms(reader.i64()?),
                reason: reader.text()?,
            },
            4 => Self::Seen { keys: reader.keys()? },
            5 => Self::Act(reader.act()?),
            6 => Self::Footer(payload.to_vec()),
            _ => return None,
        };
        Some(entry)
    }
}

/// A century and a third, at the most.
pub(super) fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

const fn own_or(identity: u64, sequence: u64) -> u64 {
    if identity == 0 { sequence } else { identity }
}

/// One record that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) at: usize,
    pub(super) bytes: usize,
    pub(super) sequence: u64,
    /// `None` for a kind that a later version writes.
    pub(super) entry: Option<Entry>,
}

/// What lies at one place.
#[expect(clippy::large_enum_variant, reason = "looked at once, and taken apart")]
pub(super) enum Look {
    Record(Found),
    /// No record that can be believed.
    Nothing,
}

/// Looks at one place of a segment's bytes. Anything that fails its checksum is nothing.
pub(super) fn look(segment: &[u8; 16], bytes: &[u8], at: usize) -> Look {
    read_at(segment, bytes, at).map_or(Look::Nothing, Look::Record)
}

fn read_at(segment: &[u8; 16], bytes: &[u8], at: usize) -> Option<Found> {
    let mut reader = Reader::new(bytes.get(at..)?);
    (reader.raw(4)? == MAGIC).then_some(())?;
    let length = reader.u32()?;
    let kind = *reader.raw(4)?.first()?;
    let (crc, sequence, head_crc, _zero) = (reader.u32()?, reader.u64()?, reader.u32()?, reader.u32()?);
    (head_checksum(segment, length, kind, sequence) == head_crc).then_some(())?;
    let size = usize::try_from(length).ok().filter(|size| *size <= PAYLOAD_MAX_BYTES)?;
    let payload = reader.raw(size)?;
    (checksum(crc32c::crc32c(payload), head_crc) == crc).then_some(())?;
    let entry = Entry::read(kind, sequence, payload);
    Some(Found { at, bytes: whole(size), sequence, entry })
}

/// Every believable record of a segment, in order, and the stretches between them that are none.
pub(super) struct Records<'a> {
    segment: [u8; 16],
    bytes: &'a [u8],
    at: usize,
    last: u64,
}

/// What [`Records`] comes upon.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are records")]
pub(super) enum Step {
    Record(Found),
    /// From here so many bytes are no record; one that can be believed follows.
    Damage {
        at: usize,
        bytes: usize,
    },
    /// From here to the end nothing can be believed: a write that was cut short, or zeros.
    Tail {
        at: usize,
        bytes: usize,
    },
}

impl<'a> Records<'a> {
    /// `bytes` is the whole segment, its head included; sequences grow beyond `after`.
    pub(super) fn new(head: &SegmentHead, bytes: &'a [u8], after: u64) -> Self {
        Self { segment: head.id, bytes, at: SEGMENT_HEAD_BYTES, last: after }
    }

    fn believable(&self, at: usize) -> Option<Found> {
        read_at(&self.segment, self.bytes, at).filter(|found| found.sequence > self.last)
    }
}

impl Iterator for Records<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let start = self.at;
        if start >= self.bytes.len() {
            return None;
        }
        let mut at = start;
        while at < self.bytes.len() {
            if let Some(found) = self.believable(at) {
                if at > start {
                    self.at = at;
                    return Some(Step::Damage { at: start, bytes: at - start });
                }
                self.at = at + found.bytes;
                self.last = found.sequence;
                return Some(Step::Record(found));
            }
            at += ALIGN;
        }
        self.at = self.bytes.len();
        Some(Step::Tail { at: start, bytes: self.bytes.len() - start })
    }
}

#[cfg(test)]
mod tests;
