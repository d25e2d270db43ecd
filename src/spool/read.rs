//! The log as it lies on disk, read without changing anything: for recovery, and for those who look while a gate runs.

use super::{
    format::{Records, SegmentHead, Step},
    log::Folder,
};
use std::io;

/// One segment's head and what is in it. `valid` is what the next segment's head says: what follows was never
/// acknowledged. Sequences grow beyond `after`.
pub(super) fn segment(
    folder: &Folder,
    number: u64,
    after: u64,
    valid: Option<u64>,
) -> io::Result<(Option<SegmentHead>, Vec<Step>)> {
    let mut bytes = folder.read(number)?;
    if let Some(valid) = valid.and_then(|valid| usize::try_from(valid).ok())
        && valid < bytes.len()
    {
        bytes.truncate(valid);
    }
    let head = SegmentHead::decode(&bytes).filter(|head| head.number == number);
    let Some(head) = head else {
        let bytes = bytes.len();
        return Ok((None, vec![Step::Damage { at: 0, bytes }]));
    };
    Ok((Some(head), Records::new(&head, &bytes, after).collect()))
}

/// The valid length of each segment, as the head of the next one names it.
pub(super) fn valid_lengths(folder: &Folder, numbers: &[u64]) -> Vec<(u64, Option<u64>)> {
    let next = |number: &u64| {
        let following = numbers.iter().find(|other| *other > number)?;
        let bytes = folder.read_part(*following, 0, super::format::SEGMENT_HEAD_BYTES).ok()?;
        let head = SegmentHead::decode(&bytes)?;
        // Only of the segment that really came before; one between may have gone.
        (head.number == number + 1).then_some(head.previous_valid)
    };
    numbers.iter().map(|number| (*number, next(number))).collect()
}
