//! Which tokens were believed lately? A client shows the same one for minutes, and an RSA or curve signature costs
//! more than everything else that happens to its request.
//!
//! A table of fixed size, in sets of four under a lock each: two requests meet at a lock only if their tokens fall
//! into one set. A full set gives up the token that was used least lately. Only what was *believed* gets in, so that
//! strangers cannot push anything out.

use super::{Issuer, bearer::Token};
use crate::{
    clock::Timestamp,
    json::{Kind, Member, Node},
    secret::Secret,
};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// Believed tokens by keyed digest, never by the token itself: who reads this memory finds nothing to show elsewhere.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct Cache {
    secret: Secret,
    sets: Box<[Mutex<Set>]>,
    held_bytes: AtomicUsize,
}

/// Of one token under one issuer's terms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Name([u8; 16]);

#[derive(Default)]
struct Set {
    ways: [Option<Entry>; WAYS],
    /// Counts its uses.
    clock: u64,
}

struct Entry {
    name: Name,
    generation: [u8; 32],
    token: Arc<Token>,
    used: u64,
    bytes: usize,
}

/// Enough for the oldest of a set to be old, few enough to look at each.
const WAYS: usize = 4;
/// The memory of all that is held. A usual token weighs 3 KiB, so that more than two thousand clients fit.
const HELD_MAX_BYTES: usize = 8 * 1024 * 1024;
/// A token of 8 KiB can be made to weigh fifty times as much; such a one is verified every time.
const TOKEN_MAX_BYTES: usize = 64 * 1024;

impl Cache {
    /// Room for so many tokens, in sets of four; for none, if that is 0. `secret` is the gate's own.
    pub fn new(secret: Secret, tokens: usize) -> Self {
        let sets = std::iter::repeat_with(Mutex::default).take(tokens.div_ceil(WAYS)).collect();
        Self { secret, sets, held_bytes: AtomicUsize::new(0) }
    }

    /// `None` where nothing is kept, so that no digest is made either.
    pub(super) fn name(&self, issuer: &Issuer, shown: &str) -> Option<Name> {
        let named = !self.sets.is_empty();
        named.then(|| Name(self.secret.fingerprint(&[b"token\0", issuer.mark(), shown.as_bytes()])))
    }

    /// The token of this name, if it was believed with these keys and now is one of its moments.
    pub(super) fn find(&self, name: &Name, generation: &[u8; 32], now: Timestamp) -> Option<Arc<Token>> {
        let mut set = self.set(name)?;
        set.clock += 1;
        let clock = set.clock;
        let way = set.ways.iter_mut().find(|way| way.as_ref().is_some_and(|entry| entry.name == *name))?;
        match way {
            Some(entry) if entry.generation == *generation && entry.token.holds(now) => {
                entry.used = clock;
                Some(entry.token.clone())
            }
            ended => {
                self.release(ended.take());
                None
            }
        }
    }

    /// Keeps what has just been believed, unless all memory is held by others.
    pub(super) fn keep(&self, name: Name, generation: [u8; 32], token: &Arc<Token>, now: Timestamp) {
        let Some(mut set) = self.set(&name) else { return };
        set.clock += 1;
        let used = set.clock;
        let Some(way) = set.ways.iter_mut().min_by_key(|way| worth(way.as_ref(), &name, now)) else { return };
        self.release(way.take());
        let bytes = size_of::<Token>() + weight(token.claims());
        if bytes > TOKEN_MAX_BYTES {
            return;
        }
        let taken = self.held_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            Some(held + bytes).filter(|held| *held <= HELD_MAX_BYTES)
        });
        if taken.is_ok() {
            *way = Some(Entry { name, generation, token: token.clone(), used, bytes });
        }
    }

    fn release(&self, entry: Option<Entry>) {
        if let Some(entry) = entry {
            self.held_bytes.fetch_sub(entry.bytes, Ordering::Relaxed);
        }
    }

    fn set(&self, name: &Name) -> Option<std::sync::MutexGuard<'_, Set>> {
        let [a, b, c, d, e, f, g, h, ..] = name.0;
        let hash = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let index = usize::try_from(hash.checked_rem(self.sets.len() as u64)?).ok()?;
        // A set is whole between any two of its lines: whoever panicked left nothing half done.
        Some(self.sets.get(index)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The memory behind a value, rather too much than too little: vectors double as they grow.
fn weight(node: &Node) -> usize {
    match &node.kind {
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => 0,
        Kind::String(text) => text.len(),
        Kind::Array(items) => items.iter().map(|item| 2 * size_of::<Node>() + weight(item)).sum(),
        Kind::Object(members) => {
            members.iter().map(|(name, value)| 2 * size_of::<Member>() + name.len() + weight(value)).sum()
        }
    }
}

/// What a place in a set is worth keeping: the same token again and those that have ended nothing, the others by
/// their last use.
fn worth(way: Option<&Entry>, name: &Name, now: Timestamp) -> u64 {
    match way {
        Some(entry) if entry.name == *name => 0,
        None => 1,
        Some(entry) if !entry.token.holds(now) => 2,
        Some(entry) => entry.used.saturating_add(3),
    }
}
