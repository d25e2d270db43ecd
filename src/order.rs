//! Which events must not overtake one another? Those of one route that have the same value where its policy says
//! `order_by`.

use crate::secret::Secret;
use std::num::NonZeroU32;

/// A short keyed digest of that value, with the route.
///
/// Short, because a million events that wait are kept in memory: two values that share one wait for each other, and lose
/// nothing else. Keyed, because the value may be one that is redacted, and this goes to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(NonZeroU32);

impl OrderKey {
    /// Of this value.
    pub fn of(memory: &Secret, route: &str, value: &str) -> Self {
        let [a, b, c, d, ..] = memory.fingerprint(&[b"order\0", route.as_bytes(), b"\0", value.as_bytes()]);
        Self(NonZeroU32::new(u32::from_le_bytes([a, b, c, d])).unwrap_or(NonZeroU32::MAX))
    }

    /// As it was kept in a record; 0 is none.
    pub fn from_number(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// As it is kept in a record.
    pub const fn number(self) -> u32 {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_belongs_to_its_route_and_its_gate() {
        let of = |secret, route, value| OrderKey::of(&Secret::new(secret).unwrap(), route, value);
        let key = of("gate", "orders", "7");
        assert_eq!(of("gate", "orders", "7"), key);
        for other in [of("gate", "orders", "8"), of("gate", "refunds", "7"), of("other", "orders", "7")] {
            assert_ne!(other, key);
        }
        assert_eq!(OrderKey::from_number(key.number()), Some(key));
    }
}
