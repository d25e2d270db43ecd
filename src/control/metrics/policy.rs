//! Which policy is loaded, since when, and did the last reload do what was meant?

use crate::clock::Timestamp;
use prometheus::{Gauge, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// What became of one reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// Another policy, or other keys, are in force.
    Applied,
    /// It was loaded already.
    Unchanged,
    /// Something is wrong with it: the one before stays.
    Refused,
    /// An operator went back to the one before.
    RolledBack,
}

impl Reloaded {
    const ALL: [Self; 4] = [Self::Applied, Self::Unchanged, Self::Refused, Self::RolledBack];

    /// Stable name for logs, metrics and documentation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// The series of the policy.
#[derive(Debug)]
pub struct PolicySeries {
    info: IntGaugeVec,
    loaded: Gauge,
    reloads: IntCounterVec,
    last_ok: IntGauge,
    needs_restart: IntGauge,
}

impl PolicySeries {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let info = Opts::new("hookwarden_policy_info", "1, with the digest of the policy that is loaded");
        let reloads = Opts::new("hookwarden_policy_reloads_total", "Reloads of the policy, by what became of them");
        let series = Self {
            info: IntGaugeVec::new(info, &["digest"])?,
            loaded: Gauge::new("hookwarden_policy_loaded_timestamp_seconds", "Since when this policy is loaded")?,
            reloads: IntCounterVec::new(reloads, &["result"])?,
            last_ok: IntGauge::new("hookwarden_policy_last_reload_ok", "0 while what was read last is refused")?,
            needs_restart: IntGauge::new(
                "hookwarden_policy_needs_restart",
                "How many keys of the policy wait for a restart",
            )?,
        };
        registry.register(Box::new(series.info.clone()))?;
        registry.register(Box::new(series.loaded.clone()))?;
        registry.register(Box::new(series.reloads.clone()))?;
        registry.register(Box::new(series.last_ok.clone()))?;
        registry.register(Box::new(series.needs_restart.clone()))?;
        for result in Reloaded::ALL {
            series.reloads.with_label_values(&[result.code()]);
        }
        series.last_ok.set(1);
        Ok(series)
    }

    /// This one is in force.
    #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch fit a double")]
    pub fn stands(&self, digest: &str, since: Timestamp, needs_restart: usize) {
        self.info.reset(); // one policy, one series
        self.info.with_label_values(&[digest]).set(1);
        self.loaded.set(since.unix_s() as f64);
        self.needs_restart.set(i64::try_from(needs_restart).unwrap_or(i64::MAX));
    }

    /// One reload came to its end; `ok` as long as nothing that was read is refused.
    pub fn reloaded(&self, result: Reloaded, ok: bool) {
        self.reloads.with_label_values(&[result.code()]).inc();
        self.last_ok.set(i64::from(ok));
    }
}
