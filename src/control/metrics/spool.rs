//! What the spool says of itself, when somebody looks.

use crate::{clock::Timestamp, spool::Stats};
use prometheus::{Gauge, IntGauge, IntGaugeVec, Opts, Registry};

/// Set when they are looked at: the spool counts.
#[derive(Debug)]
pub(super) struct SpoolGauges {
    bytes: IntGauge,
    keys: IntGauge,
    oldest_age: Gauge,
    accepting: IntGauge,
    corrupt: IntGauge,
    past_keep: Gauge,
    cut_short: IntGauge,
    pub(super) events: IntGaugeVec,
    pub(super) orphans: IntGaugeVec,
}

impl SpoolGauges {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str| {
            let made = IntGauge::new(name, help)?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let made = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let oldest_age =
            Gauge::new("hookwarden_spool_oldest_age_seconds", "Age of the oldest event not settled everywhere")?;
        registry.register(Box::new(oldest_age.clone()))?;
        let past_keep = Gauge::new(
            "hookwarden_spool_past_keep_seconds",
            "For how long a delivered event has been past its `keep` without being erased; a day at most",
        )?;
        registry.register(Box::new(past_keep.clone()))?;
        Ok(Self {
            bytes: gauge("hookwarden_spool_bytes", "Bytes of the spool's segments")?,
            keys: gauge("hookwarden_spool_keys", "Keys by which repeats are known")?,
            oldest_age,
            accepting: gauge("hookwarden_spool_accepting", "1 while events can be accepted durably")?,
            corrupt: gauge("hookwarden_spool_corrupt", "Stretches of the log that failed their checksum")?,
            past_keep,
            cut_short: gauge(
                "hookwarden_spool_cut_short",
                "Delivered events that went before their `keep` ended because room was needed, since the start",
            )?,
            events: gauges(
                "hookwarden_spool_events",
                "Events by destination and state; accepted is the sum of all others but in_flight and held (behind one \
                 with the same order key), which are pending",
                &["destination", "state"],
            )?,
            orphans: gauges(
                "hookwarden_spool_orphans",
                "Events pending or dead for a destination that the policy does not have any more",
                &["destination"],
            )?,
        })
    }

    /// All but what is said of each destination.
    pub(super) fn look(&self, stats: &Stats, now: Timestamp) {
        self.bytes.set(number(stats.bytes));
        self.keys.set(number(stats.keys));
        self.corrupt.set(number(stats.corrupt));
        self.past_keep.set(stats.past_keep.as_secs_f64());
        self.cut_short.set(number(stats.cut_short));
        self.accepting.set(i64::from(stats.accepting));
        let age = stats.oldest_pending.and_then(|oldest| now.since(oldest)).unwrap_or_default();
        self.oldest_age.set(age.as_secs_f64());
    }
}

pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
