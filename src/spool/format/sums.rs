//! How long is a record, and what are its checksums of? Whoever writes one and whoever reads it must agree.

use super::{ALIGN, HEAD_BYTES};

/// A record with its head and padding.
pub(super) const fn whole(payload: usize) -> usize {
    (HEAD_BYTES + payload).next_multiple_of(ALIGN)
}

pub(super) fn head_checksum(segment: &[u8; 16], length: u32, kind: u8, sequence: u64) -> u32 {
    let mut crc = crc32c::crc32c(segment);
    crc = crc32c::crc32c_append(crc, &length.to_le_bytes());
    crc = crc32c::crc32c_append(crc, &[kind]);
    crc32c::crc32c_append(crc, &sequence.to_le_bytes())
}

/// Of the payload and, through its checksum, the head.
pub(super) fn checksum(payload_crc: u32, head_crc: u32) -> u32 {
    crc32c::crc32c_append(payload_crc, &head_crc.to_le_bytes())
}
