//! The log as it lies on disk, read without changing anything: for recovery, and for those who look while a gate runs.

use super::{
    format::{
        Entry, FOOTER_TAIL_BYTES, Found, Look, Records, SEGMENT_HEAD_BYTES, SegmentHead, Step, Summary, footer_start,
        look, read_footer,
    },
    log::Folder,
};
use crate::event::Record;
use std::io;

/// What one segment says, without payloads.
pub(super) struct Told {
    /// Whether it has a footer, and so was ended in order.
    pub(super) is_sealed: bool,
    pub(super) summaries: Vec<Summary>,
    /// The next sequence after it.
    pub(super) next_sequence: u64,
    /// Where its records end.
    pub(super) valid: u64,
    /// Stretches that are no records.
    pub(super) damaged: u64,
    pub(super) torn_bytes: u64,
}

/// By the segment's footer where there is one that can be believed, else by reading all of it.
pub(super) fn summaries(folder: &Folder, number: u64, after: u64, valid: Option<u64>) -> io::Result<Told> {
    match by_footer(folder, number, valid) {
        Some(told) => Ok(told),
        None => by_scan(folder, number, after, valid),
    }
}

/// `None` for any reason: a footer is never needed.
fn by_footer(folder: &Folder, number: u64, valid: Option<u64>) -> Option<Told> {
    let size = folder.size(number).ok()?;
    let tail_at = size.checked_sub(FOOTER_TAIL_BYTES as u64)?;
    let at = footer_start(&folder.read_part(number, tail_at, FOOTER_TAIL_BYTES).ok()?, size)?;
    // It covers what was acknowledged, all of it and no more.
    valid.is_none_or(|valid| valid == at).then_some(())?;
    let head = folder.read_part(number, 0, SEGMENT_HEAD_BYTES).ok()?;
    let head = SegmentHead::decode(&head).filter(|head| head.number == number)?;
    let footer = folder.read_part(number, at, usize::try_from(size - at).ok()?).ok()?;
    let (sequence, summaries) = read_footer(&head, &footer)?;
    Some(Told { is_sealed: true, summaries, next_sequence: sequence + 1, valid: at, damaged: 0, torn_bytes: 0 })
}

/// Every byte, one record at a time.
pub(super) fn by_scan(folder: &Folder, number: u64, after: u64, valid: Option<u64>) -> io::Result<Told> {
    let (head, bytes) = bytes(folder, number, valid)?;
    let mut told = Told {
        is_sealed: false,
        summaries: Vec::new(),
        next_sequence: after + 1,
        valid: SEGMENT_HEAD_BYTES as u64,
        damaged: u64::from(head.is_none()),
        torn_bytes: 0,
    };
    let Some(head) = head else { return Ok(told) };
    for step in Records::new(&head, &bytes, after) {
        match step {
            Step::Record(found) => {
                told.next_sequence = found.sequence + 1;
                let end = (found.at + found.bytes) as u64;
                if let Some(summary) = Summary::of(found) {
                    told.valid = end;
                    told.summaries.push(summary);
                }
            }
            Step::Damage { .. } => told.damaged += 1,
            Step::Tail { bytes, .. } => told.torn_bytes += bytes as u64,
        }
    }
    Ok(told)
}

/// All that is in one segment, one thing after another. `valid` is what the next segment's head says: what follows was never
/// acknowledged. Sequences grow beyond `after`.
pub(super) fn segment(
    folder: &Folder,
    number: u64,
    after: u64,
    valid: Option<u64>,
    read: &mut dyn FnMut(Step),
) -> io::Result<()> {
    let (head, bytes) = bytes(folder, number, valid)?;
    match head {
        Some(head) => Records::new(&head, &bytes, after).for_each(read),
        None => read(Step::Damage { at: 0, bytes: bytes.len() }),
    }
    Ok(())
}

/// The event whose record lies there; `None` if none does.
pub(super) fn event(folder: &Folder, segment: u64, at: u64, bytes: u32) -> io::Result<Option<Record>> {
    let part = folder.read_part(segment, at, usize::try_from(bytes).unwrap_or_default())?;
    let head = folder.read_part(segment, 0, SEGMENT_HEAD_BYTES)?;
    let Some(head) = SegmentHead::decode(&head) else { return Ok(None) };
    Ok(match look(&head.id, &part, 0) {
        Look::Record(Found { entry: Some(Entry::Event { record, .. }), .. }) => Some(record),
        Look::Record(_) | Look::Nothing => None,
    })
}

fn bytes(folder: &Folder, number: u64, valid: Option<u64>) -> io::Result<(Option<SegmentHead>, Vec<u8>)> {
    let mut bytes = folder.read(number)?;
    if let Some(valid) = valid.and_then(|valid| usize::try_from(valid).ok())
        && valid < bytes.len()
    {
        bytes.truncate(valid);
    }
    let head = SegmentHead::decode(&bytes).filter(|head| head.number == number);
    Ok((head, bytes))
}

/// The valid length of each segment, as the head of the next one names it.
pub(super) fn valid_lengths(folder: &Folder, numbers: &[u64]) -> Vec<(u64, Option<u64>)> {
    numbers.iter().map(|number| (*number, valid_length(folder, *number, numbers))).collect()
}

/// Only the segment that was written next knows it; that one may have gone.
pub(super) fn valid_length(folder: &Folder, number: u64, numbers: &[u64]) -> Option<u64> {
    let next = numbers.iter().find(|other| **other > number)?;
    let head = SegmentHead::decode(&folder.read_part(*next, 0, SEGMENT_HEAD_BYTES).ok()?)?;
    (head.previous == number).then_some(head.previous_valid)
}
