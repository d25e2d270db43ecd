//! Numbers, texts and keys, as they stand in payloads.

use super::{Act, Digest, Entry, Kept, Settlement};
use crate::{
    clock::Timestamp,
    ledger::Success,
    order::OrderKey,
    repeat::{BodyMark, Fingerprint},
};

#[derive(Default)]
pub(in crate::spool) struct Writer(Vec<u8>);

impl Writer {
    /// With room for this one, so that a large body is copied once.
    pub(super) fn for_record(entry: &Entry) -> Self {
        const BESIDE_THE_PAYLOAD: usize = 512;
        let payload = if let Entry::Event { record, .. } = entry { record.payload.len() } else { 0 };
        Self(Vec::with_capacity(payload + BESIDE_THE_PAYLOAD))
    }

    pub(in crate::spool) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn u32(&mut self, number: u32) {
        self.raw(&number.to_le_bytes());
    }

    pub(super) fn u64(&mut self, number: u64) {
        self.raw(&number.to_le_bytes());
    }

    pub(super) fn i64(&mut self, number: i64) {
        self.raw(&number.to_le_bytes());
    }

    pub(super) fn order(&mut self, order: Option<OrderKey>) {
        self.u32(order.map_or(0, OrderKey::number));
    }

    /// A length beyond 32 bits would make the record larger than any may be, and it is refused then.
    pub(super) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub(super) fn blob(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    pub(super) fn settlement(&mut self, verdict: &Settlement) {
        let (code, reason) = match verdict {
            Settlement::Delivered => (0, ""),
            Settlement::Dead(reason) => (1, reason.as_str()),
            Settlement::Dropped(actor) => (2, actor.as_str()),
            Settlement::Reopened => (3, ""),
        };
        self.u32(code);
        self.text(reason);
    }

    pub(in crate::spool) fn act(&mut self, act: &Act) {
        self.u64(act.number);
        self.i64(act.at.unix_ms());
        [&act.actor, &act.what, &act.about, &act.reason].into_iter().for_each(|text| self.text(text));
        self.raw(&act.before.0);
    }

    pub(super) fn keys(&mut self, keys: &[Kept]) {
        self.count(keys.len());
        for kept in keys {
            self.raw(kept.key.as_bytes());
            self.i64(kept.until.unix_ms());
            self.u64(kept.body.0);
            self.u32(kept.success.map_or(0, Success::byte).into());
        }
    }
}

pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn raw(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.raw(N)?.try_into().ok()
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn count(&mut self) -> Option<usize> {
        self.u32().and_then(|count| usize::try_from(count).ok())
    }

    pub(super) fn blob(&mut self) -> Option<&'a [u8]> {
        let count = self.count()?;
        self.raw(count)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.blob()?.to_vec()).ok()
    }

    pub(super) fn settlement(&mut self) -> Option<Settlement> {
        match (self.u32()?, self.text()?) {
            (0, _) => Some(Settlement::Delivered),
            (1, reason) => Some(Settlement::Dead(reason)),
            (2, actor) => Some(Settlement::Dropped(actor)),
            (3, _) => Some(Settlement::Reopened),
            _ => None,
        }
    }

    pub(super) fn act(&mut self) -> Option<Act> {
        Some(Act {
            number: self.u64()?,
            at: Timestamp::from_unix_ms(self.i64()?),
            actor: self.text()?,
            what: self.text()?,
            about: self.text()?,
            reason: self.text()?,
            before: Digest(self.array()?),
        })
    }

    pub(super) fn keys(&mut self) -> Option<Vec<Kept>> {
        let key = |reader: &mut Self| {
            Some(Kept {
                key: Fingerprint::from_bytes(reader.array()?),
                until: Timestamp::from_unix_ms(reader.i64()?),
                body: BodyMark(reader.u64()?),
                success: u8::try_from(reader.u32()?).ok().and_then(Success::from_byte),
            })
        };
        (0..self.count()?).map(|_| key(self)).collect()
    }
}
