//! A record on its way: encoded and summed by whoever wants it written, so that the one writer only numbers it.

use super::{
    Entry, HEAD_BYTES, MAGIC, PAYLOAD_MAX_BYTES,
    fields::Writer,
    footer::What,
    sums::{checksum, head_checksum, whole},
};

/// Complete but for its sequence and its segment.
#[derive(Debug)]
pub(in crate::spool) struct Draft {
    /// Head, payload, padding; the head is still empty.
    bytes: Vec<u8>,
    length: u32,
    kind: u8,
    payload_crc: u32,
    /// What memory keeps of it.
    pub(in crate::spool) what: What,
}

impl Draft {
    /// `None` if it is larger than any record may be.
    pub(in crate::spool) fn of(entry: Entry) -> Option<Self> {
        let mut writer = Writer::for_record(&entry);
        writer.raw(&[0; HEAD_BYTES]);
        entry.write(&mut writer);
        let mut bytes = writer.into_bytes();
        let payload = bytes.get(HEAD_BYTES..)?;
        let size = payload.len();
        let length = u32::try_from(size).ok().filter(|_| size <= PAYLOAD_MAX_BYTES)?;
        let payload_crc = crc32c::crc32c(payload);
        bytes.resize(whole(size), 0);
        Some(Self { bytes, length, kind: entry.kind(), payload_crc, what: What::of(entry) })
    }

    /// Of the whole record.
    pub(in crate::spool) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The record's bytes in this segment, under this sequence.
    pub(in crate::spool) fn numbered(&mut self, segment: &[u8; 16], sequence: u64) -> &[u8] {
        let head_crc = head_checksum(segment, self.length, self.kind, sequence);
        let mut writer = Writer::default();
        writer.raw(&MAGIC);
        writer.u32(self.length);
        writer.raw(&[self.kind, 0, 0, 0]);
        writer.u32(checksum(self.payload_crc, head_crc));
        writer.u64(sequence);
        writer.u32(head_crc);
        writer.u32(0);
        for (to, from) in self.bytes.iter_mut().zip(writer.bytes()) {
            *to = *from;
        }
        &self.bytes
    }
}
