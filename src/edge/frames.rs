//! Does an HTTP/2 connection say something that the library behind us drops in silence? RFC 9113 section 8 calls a
//! request malformed if its trailers hold pseudo-fields or its `:path` a fragment; `h2` reads such requests as if those
//! were not there, and what stands before the gate may have read them in another way.
//!
//! Follows the frames as they are read. A header block that is to be refused gets one field more, which `h2` itself
//! answers with a stream error: its compression state and its streams stay in step with the client's.

mod fields;

use bytes::{Buf as _, BytesMut};
use fields::{Block, Fields};
use std::ops::Range;

/// RFC 9113 section 4.1.
const HEAD_BYTES: usize = 9;
/// RFC 9113 section 4.2: as much as a peer may send to whom nothing else was said. `h2` ends connections that do.
const FRAME_MAX_BYTES: usize = 16 * 1024;
/// One field that is longer than this would not be let in either, and it is held until its end.
const FIELD_MAX_BYTES: usize = 64 * 1024;
/// `connection` without a value, literal and not indexed (RFC 7541 section 6.2.2): malformed in every HTTP/2 message
/// (RFC 9113 section 8.2.2).
const SPOILER: &[u8] = b"\x00\x0aconnection\x00";

const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// Header blocks that no reader could make sense of: the connection's compression state is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a header block cannot be read")]
pub(super) struct Unreadable;

/// Follows one connection's bytes, from its preface on.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The beginning of a frame, until it is known what is to be done with it.
    held: BytesMut,
    /// What is left of a frame that nobody has to look at.
    passing: usize,
    fields: Fields,
    block: Block,
    /// Of a header block's fields the one that is not whole yet.
    rest: BytesMut,
    /// The latest stream that was opened: a header block of an earlier one carries trailers.
    latest: u32,
    /// Those that the latest jump left out: they can never be opened, and `h2` ends the connection of whoever tries.
    skipped: Range<u32>,
}

/// A whole frame that carries a header block, or a part of it.
struct Fragment {
    kind: u8,
    flags: u8,
    stream: u32,
    /// Where the fragment lies, without priority and padding.
    from: usize,
    to: usize,
}

impl Frames {
    /// Looks at the next bytes of the connection; what may be read of them is added to `ready`.
    pub(super) fn follow(&mut self, mut bytes: &[u8], ready: &mut BytesMut) -> Result<(), Unreadable> {
        while !bytes.is_empty() {
            let wanted = if self.passing > 0 { self.passing } else { self.wanted() - self.held.len() };
            let (now, later) = bytes.split_at(wanted.min(bytes.len()));
            bytes = later;
            if self.passing > 0 {
                self.passing -= now.len();
                ready.extend_from_slice(now);
                continue;
            }
            self.held.extend_from_slice(now);
            if self.held.len() < self.wanted() {
                continue;
            }
            if self.is_block() {
                self.look()?;
            } else {
                self.passing = self.length();
            }
            ready.unsplit(self.held.split());
        }
        Ok(())
    }

    /// So much has to be held to decide.
    fn wanted(&self) -> usize {
        if self.is_block() { HEAD_BYTES + self.length() } else { HEAD_BYTES }
    }

    /// Longer ones pass, and end the connection.
    fn is_block(&self) -> bool {
        matches!(self.held.get(3), Some(&(HEADERS | CONTINUATION))) && self.length() <= FRAME_MAX_BYTES
    }

    fn length(&self) -> usize {
        match *self.held {
            [high, middle, low, ..] => usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low),
            _ => 0,
        }
    }

    fn is_open(&self, stream: u32) -> bool {
        stream <= self.latest && !self.skipped.contains(&stream)
    }

    fn look(&mut self) -> Result<(), Unreadable> {
        let Some(fragment) = fragment(&self.held) else { return Ok(()) }; // malformed; `h2` ends the connection
        if fragment.kind == HEADERS {
            self.block = Block::new(self.is_open(fragment.stream));
            if fragment.stream > self.latest {
                self.skipped = self.latest + 1..fragment.stream;
                self.latest = fragment.stream;
            }
        }
        self.rest.extend_from_slice(self.held.get(fragment.from..fragment.to).unwrap_or_default());
        let read = self.fields.read(&self.rest, &mut self.block).map_err(|_| Unreadable)?;
        self.rest.advance(read);
        let ends = fragment.flags & END_HEADERS != 0;
        if self.rest.len() > FIELD_MAX_BYTES || (ends && !self.rest.is_empty()) {
            return Err(Unreadable);
        }
        if ends && self.block.is_malformed() { self.spoil(fragment.to) } else { Ok(()) }
    }

    /// Adds a field to the block that ends at `end`.
    fn spoil(&mut self, end: usize) -> Result<(), Unreadable> {
        let length = self.length() + SPOILER.len();
        let [_, b1, b2, b3] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        if length > FRAME_MAX_BYTES {
            return Err(Unreadable);
        }
        let padding = self.held.split_off(end);
        self.held.extend_from_slice(SPOILER);
        self.held.unsplit(padding);
        self.held.iter_mut().zip([b1, b2, b3]).for_each(|(byte, of_length)| *byte = of_length);
        Ok(())
    }
}

fn fragment(frame: &[u8]) -> Option<Fragment> {
    let &[_, _, _, kind, flags, s1, s2, s3, s4, ref payload @ ..] = frame else { return None };
    let stream = u32::from_be_bytes([s1 & 0x7f, s2, s3, s4]);
    let has = |flag| kind == HEADERS && flags & flag != 0;
    let (mut from, mut to) = (HEAD_BYTES, frame.len());
    let mut payload = payload;
    if has(PADDED) {
        let (padding, rest) = payload.split_first()?;
        (from, to, payload) = (from + 1, to.checked_sub(usize::from(*padding))?, rest);
    }
    if has(PRIORITY) {
        let &[d1, d2, d3, d4, _, ..] = payload else { return None };
        if u32::from_be_bytes([d1 & 0x7f, d2, d3, d4]) == stream {
            return None; // depends on itself: `h2` refuses the stream unread
        }
        from += 5;
    }
    (from <= to).then_some(Fragment { kind, flags, stream, from, to })
}

#[cfg(test)]
mod tests;
