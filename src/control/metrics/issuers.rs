//! Are the keys of issuers at hand, and when were they asked for in vain?

use crate::policy::{IssuerKeys, Policy};
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// The series of issuers whose keys are fetched.
#[derive(Debug)]
pub struct IssuerSeries {
    fetches: IntCounterVec,
    keys: IntGaugeVec,
    awaited: IntGaugeVec,
}

impl IssuerSeries {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let fetches = Opts::new("hookwarden_issuer_fetches_total", "Fetches of issuers' keys, by issuer and result");
        let keys = Opts::new("hookwarden_issuer_keys", "Keys that an issuer's last set had");
        let awaited =
            "1 while an issuer's keys are not here, or too old: what they would be held against is answered with 503";
        let awaited = Opts::new("hookwarden_issuer_keys_awaited", awaited);
        let series = Self {
            fetches: IntCounterVec::new(fetches, &["issuer", "result"])?,
            keys: IntGaugeVec::new(keys, &["issuer"])?,
            awaited: IntGaugeVec::new(awaited, &["issuer"])?,
        };
        registry.register(Box::new(series.fetches.clone()))?;
        registry.register(Box::new(series.keys.clone()))?;
        registry.register(Box::new(series.awaited.clone()))?;
        Ok(series)
    }

    /// Zeros before anything happens.
    pub(super) fn know(&self, policy: &Policy) {
        for issuer in policy.issuers.iter().filter(|issuer| matches!(issuer.keys, IssuerKeys::Jwks(_))) {
            for result in ["fetched", "failed"] {
                self.fetches.with_label_values(&[issuer.name.as_str(), result]);
            }
            self.keys.with_label_values(&[issuer.name.as_str()]);
        }
    }

    /// Whether each one's keys are here. Those that are not named any more have no series.
    pub fn stand<'a>(&self, standing: impl Iterator<Item = (&'a str, bool)>) {
        self.awaited.reset();
        for (issuer, are_here) in standing {
            self.awaited.with_label_values(&[issuer]).set(i64::from(!are_here));
        }
    }

    /// So many keys are in force from now on.
    pub fn fetched(&self, issuer: &str, keys: usize) {
        self.fetches.with_label_values(&[issuer, "fetched"]).inc();
        self.keys.with_label_values(&[issuer]).set(i64::try_from(keys).unwrap_or(i64::MAX));
    }

    /// None came.
    pub fn failed(&self, issuer: &str) {
        self.fetches.with_label_values(&[issuer, "failed"]).inc();
    }
}
