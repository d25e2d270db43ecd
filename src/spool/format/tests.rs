use super::*;
use crate::order::OrderKey;
use bytes::Bytes;
use proptest::prelude::*;

const HEAD: SegmentHead = SegmentHead { number: 1, id: [7; 16], previous: 0, previous_valid: 64 };

fn event(identity: u64, payload: &[u8]) -> Entry {
    let record = Record {
        id: format!("event{identity}"),
        route: "orders".into(),
        event_type: "order.paid".into(),
        accepted_at: Timestamp::from_unix_s(1_760_000_000),
        request_id: "request".into(),
        to: vec!["wordpress".into(), "archive".into()],
        keep: Duration::from_secs(7),
        order: OrderKey::from_number(9),
        content_type: "application/json".into(),
        payload: Bytes::copy_from_slice(payload),
    };
    let kept = Kept {
        key: Fingerprint::from_bytes([identity.to_le_bytes()[0]; 16]),
        until: Timestamp::from_unix_s(1_760_000_360),
        body: BodyMark(identity),
        success: Success::from_byte(5),
    };
    Entry::Event { identity, keys: vec![kept], record }
}

fn write(entry: &Entry, segment: &[u8; 16], sequence: u64, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(Draft::of(entry.clone()).unwrap().numbered(segment, sequence));
}

fn segment(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = HEAD.encode().to_vec();
    for (sequence, entry) in (1..).zip(entries) {
        write(entry, &HEAD.id, sequence, &mut bytes);
    }
    bytes
}

fn steps(bytes: &[u8]) -> Vec<Step> {
    Records::new(&HEAD, bytes, 0).collect()
}

fn entries(bytes: &[u8]) -> Vec<Entry> {
    let entry = |step| if let Step::Record(found) = step { found.entry } else { None };
    steps(bytes).into_iter().filter_map(entry).collect()
}

fn act() -> Act {
    Act {
        number: 3,
        at: Timestamp::from_unix_s(1),
        actor: "ops".into(),
        what: "drop".into(),
        about: "evt_1".into(),
        reason: "a test".into(),
        before: Digest([9; 32]),
    }
}

fn one_of_each() -> Vec<Entry> {
    let at = Timestamp::from_unix_s(8);
    let settled = |verdict| Entry::Settled { event: 1, destination: "wordpress".into(), verdict, at };
    vec![
        event(1, b"{}"),
        settled(Settlement::Delivered),
        settled(Settlement::Dead("status_500".into())),
        settled(Settlement::Dropped("ops".into())),
        settled(Settlement::Reopened),
        Entry::Tried {
            event: 1,
            destination: "archive".into(),
            attempts: 3,
            due: Timestamp::from_unix_s(9),
            reason: "status_422".into(),
        },
        Entry::Seen { keys: Vec::new() },
        Entry::Act(act()),
    ]
}

#[test]
fn every_kind_of_record_is_read_as_it_was_written() {
    assert_eq!(entries(&segment(&one_of_each())), one_of_each());
}

#[test]
fn a_segments_head_is_read_as_it_was_written_and_not_when_a_bit_flips() {
    let bytes = HEAD.encode();
    assert_eq!(SegmentHead::decode(&bytes), Some(HEAD));
    for bit in 0..SEGMENT_HEAD_USED * 8 {
        let mut flipped = bytes;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(SegmentHead::decode(&flipped), None, "bit {bit}");
    }
}

#[test]
fn a_damaged_record_is_skipped_and_the_next_one_is_found() {
    let whole = [event(1, b"first"), event(2, b"second"), event(3, b"third")];
    let bytes = segment(&whole);
    let first = segment(&whole[..1]).len();
    let second = segment(&whole[..2]).len();
    for at in first..second {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        let found = entries(&damaged);
        assert_eq!(found.first(), whole.first(), "byte {at}");
        assert_eq!(found.last(), whole.last(), "byte {at}");
        if found.len() == 3 {
            assert_eq!(found, whole, "byte {at}: only padding may change without being seen");
        }
    }
}

#[test]
fn a_write_that_was_cut_short_is_a_tail_at_every_length() {
    let whole = [event(1, b"first"), event(2, b"second")];
    let bytes = segment(&whole);
    let first = segment(&whole[..1]).len();
    for length in first..bytes.len() - 8 {
        assert_eq!(entries(&bytes[..length]), whole[..1], "{length} bytes");
    }
}

/// Blocks of a deleted segment, or of another spool, can lie behind the end.
#[test]
fn a_record_of_another_segment_is_none_of_this_one() {
    let mut bytes = segment(&[event(1, b"mine")]);
    write(&event(2, b"foreign"), &[8; 16], 2, &mut bytes);
    assert_eq!(entries(&bytes), [event(1, b"mine")]);
}

#[test]
fn a_record_out_of_sequence_is_not_believed() {
    let mut bytes = segment(&[event(1, b"a"), event(2, b"b")]);
    write(&event(3, b"old"), &HEAD.id, 2, &mut bytes);
    assert_eq!(entries(&bytes).len(), 2);
}

#[test]
fn a_kind_of_a_later_version_is_skipped_and_not_damage() {
    let mut bytes = segment(&[event(1, b"a")]);
    let payload = b"later";
    let head_crc = head_checksum(&HEAD.id, 5, 99, 2);
    let mut later = Writer::default();
    later.raw(&MAGIC);
    later.u32(5);
    later.raw(&[99, 0, 0, 0]);
    later.u32(checksum(crc32c::crc32c(payload), head_crc));
    later.u64(2);
    later.u32(head_crc);
    later.u32(0);
    later.raw(payload);
    later.raw(&[0; 3]);
    bytes.extend_from_slice(later.bytes());
    let steps = steps(&bytes);
    assert!(matches!(&steps[1], Step::Record(found) if found.entry.is_none()), "{steps:?}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_phantom(noise in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let mut bytes = HEAD.encode().to_vec();
        bytes.extend_from_slice(&noise);
        prop_assert!(entries(&bytes).is_empty());
    }

    #[test]
    fn damage_anywhere_makes_no_phantom(at in 64_usize..2000, with in any::<u8>(), cut in 0_usize..2000) {
        let whole: Vec<_> = (1..8).map(|identity| event(identity, &[b'x'; 100])).collect();
        let mut bytes = segment(&whole);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = with;
        }
        bytes.truncate(bytes.len().saturating_sub(cut).max(64));
        for entry in entries(&bytes) {
            prop_assert!(whole.contains(&entry));
        }
    }
}
