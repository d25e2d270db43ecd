//! Was this shown before, and do we have this event? Two questions, so two keys.
//!
//! The *proof key* is what was signed: it stops someone who captured a request from showing it again. The *event key*
//! is what the sender calls the event: it makes the sender's own retries harmless, which are signed afresh and so
//! have a new proof key each time.

use crate::{clock::Timestamp, secret::Secret};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use std::{fmt, time::Duration};

/// A keyed digest by which something is remembered. The key is the gate's own, so nobody can aim collisions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Of exactly what was signed, with the route.
    ///
    /// The key is the gate's own and never the sender's: where a header carries signatures by an old and a new key,
    /// an attacker may drop either one, and the digest must not change with it.
    pub fn of_proof(memory: &Secret, route: &str, signed: &[&[u8]]) -> Self {
        Self(memory.fingerprint(&[&[b"proof\0", route.as_bytes(), b"\0"], signed].concat()))
    }

    /// Of the sender's own names for the event, with the route. Only what the signature covers names one.
    ///
    /// Lengths are part of it: `("ab", "c")` and `("a", "bc")` are two events.
    pub fn of_event(memory: &Secret, route: &str, names: &[&str]) -> Self {
        let lengths: Vec<_> = names.iter().map(|name| (name.len() as u64).to_le_bytes()).collect();
        let mut parts: Vec<&[u8]> = vec![b"event\0", route.as_bytes(), b"\0"];
        for (length, name) in lengths.iter().zip(names) {
            parts.extend([length.as_slice(), name.as_bytes()]);
        }
        Self(memory.fingerprint(&parts))
    }

    /// As it was kept in a record.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// As it is kept in a record.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 26 letters and digits, fit for `webhook-id`, `Nats-Msg-Id` and a file name.
    pub fn to_id(self) -> String {
        BASE32_NOPAD.encode(&self.0).to_ascii_lowercase()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// A key, and how long it must be remembered at least, from the moment of acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The key.
    pub key: Fingerprint,
    /// How long.
    pub remember: Duration,
}

/// What one request is remembered by. Without any key it is never a repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepeatKeys {
    /// Of what was signed; none where nothing binds the body, or where equal bytes can be two events.
    pub proof: Option<Remembered>,
    /// Of the sender's signed name for the event, if it has one.
    pub event: Option<Remembered>,
    /// A short digest of the body, to tell a retry from another body under the same signed id.
    pub body: BodyMark,
}

/// The first eight bytes of the body's keyed digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyMark(pub u64);

impl BodyMark {
    /// Of the body's keyed digest.
    pub fn from_digest(digest: &[u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *digest;
        Self(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    /// The three bytes that are kept in memory, and shown: one changed body in sixteen million passes for the same.
    pub const fn short(self) -> u32 {
        let [a, b, c, ..] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, 0])
    }
}

impl fmt::Display for BodyMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06x}", self.short())
    }
}

impl RepeatKeys {
    /// The event's own id: follows from the event key, else from the proof key; `None` has to be given a random one.
    /// Should a broker's acknowledgement get lost, the sender's retry bears the same id, and the consumer can tell.
    pub fn id(&self) -> Option<String> {
        self.event.or(self.proof).map(|remembered| remembered.key.to_id())
    }

    /// Both keys, the proof first: whoever takes locks takes them in this order.
    pub fn each(&self) -> impl Iterator<Item = Remembered> {
        self.proof.into_iter().chain(self.event)
    }
}

/// What it means that a sender posts the same bytes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identical {
    /// The same event again.
    Repeat,
    /// Possibly another event. Mollie posts the same `id=tr_...` for paid, refunded and charged back: a proof key
    /// would swallow the second one behind a 2xx.
    Normal,
}

/// How long a signature may pass, and therefore how long its proof key is remembered.
///
/// For a signed time the two are one number: were a proof forgotten while its signature can still pass, it could be
/// shown again. So memory is derived, and cannot be configured shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The scheme signs a time, which may lie this far back, or this far ahead.
    Signed {
        /// Into the past.
        max_age: Duration,
        /// Into the future.
        max_future: Duration,
    },
    /// The scheme signs no time: a signature passes for ever, and memory is the only bound.
    Unsigned {
        /// How long.
        remember: Duration,
    },
}

/// Where a signed time lies, seen from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Within the window, or no time is due.
    Fresh,
    /// Before it.
    Stale,
    /// After it.
    Future,
}

impl Window {
    /// Whether something signed then may pass now, counted in whole seconds as senders' own libraries do.
    /// No time where one is due is not fresh.
    pub fn judge(self, signed_at: Option<Timestamp>, now: Timestamp) -> Freshness {
        match (self, signed_at) {
            (Self::Unsigned { .. }, _) => Freshness::Fresh,
            (Self::Signed { .. }, None) => Freshness::Stale,
            (Self::Signed { max_age, max_future }, Some(at)) => {
                let age_s = now.unix_s().saturating_sub(at.unix_s());
                if u64::try_from(age_s).is_ok_and(|age_s| age_s > max_age.as_secs()) {
                    Freshness::Stale
                } else if u64::try_from(age_s.saturating_neg()).is_ok_and(|ahead_s| ahead_s > max_future.as_secs()) {
                    Freshness::Future
                } else {
                    Freshness::Fresh
                }
            }
        }
    }

    /// How long the proof key must be remembered: signed `max_future` ahead, a request stays acceptable for the sum
    /// of both; two seconds more, because both ends are counted in whole seconds.
    pub fn memory(self) -> Duration {
        match self {
            Self::Signed { max_age, max_future } => {
                max_age.saturating_add(max_future).saturating_add(Duration::from_secs(2))
            }
            Self::Unsigned { remember } => remember,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window::Signed { max_age: Duration::from_secs(300), max_future: Duration::from_secs(60) };

    #[test]
    fn the_two_sides_of_a_window_are_two_limits() {
        let now = Timestamp::from_unix_s(1_700_000_000);
        let at = |offset: i64| WINDOW.judge(Some(Timestamp::from_unix_s(1_700_000_000 + offset)), now);
        assert_eq!(
            [at(-300), at(-301), at(60), at(61)],
            [Freshness::Fresh, Freshness::Stale, Freshness::Fresh, Freshness::Future]
        );
    }

    #[test]
    fn a_proof_is_remembered_as_long_as_its_signature_can_pass() {
        let first_shown = Timestamp::from_unix_ms(1_700_000_000_999);
        let signed_at = Timestamp::from_unix_s(1_700_000_060);
        assert_eq!(WINDOW.judge(Some(signed_at), first_shown), Freshness::Fresh);
        assert_eq!(WINDOW.judge(Some(signed_at), first_shown + WINDOW.memory()), Freshness::Stale);
    }

    #[test]
    fn a_missing_time_is_not_a_fresh_one() {
        assert_eq!(WINDOW.judge(None, Timestamp::default()), Freshness::Stale);
    }

    #[test]
    fn a_proof_belongs_to_its_route_and_to_every_signed_byte() {
        let memory = Secret::new("memory").unwrap();
        let proof = |route, signed: &[u8]| Fingerprint::of_proof(&memory, route, &[signed]);
        assert_eq!(proof("a", b"{}"), proof("a", b"{}"));
        assert_ne!(proof("a", b"{}"), proof("b", b"{}"));
        assert_ne!(proof("a", b"{}"), proof("a", b"{ }"));
    }

    #[test]
    fn names_that_run_together_are_two_events() {
        let memory = Secret::new("memory").unwrap();
        let event = |names: &[&str]| Fingerprint::of_event(&memory, "a", names);
        assert_ne!(event(&["ab", "c"]), event(&["a", "bc"]));
        assert_eq!(event(&["ab", "c"]).to_id().len(), 26);
    }
}
