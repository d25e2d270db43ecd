//! Are the keys of issuers at hand, and when were they asked for in vain?

use crate::policy::{IssuerKeys, Policy};
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// The series of issuers whose keys are fetched.
#[derive(Debug)]
pub struct IssuerSeries {
    fetches: IntCounterVec,
    keys: IntGaugeVec,
}

impl IssuerSeries {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let fetches = Opts::new("hookwarden_issuer_fetches_total", "Fetches of issuers' keys, by issuer and result");
        let keys = Opts::new("hookwarden_issuer_keys", "Keys that an issuer's last set had");
        let series = Self {
            fetches: IntCounterVec::new(fetches, &["issuer", "result"])?,
            keys: IntGaugeVec::new(keys, &["issuer"])?,
        };
        registry.register(Box::new(series.fetches.clone()))?;
        registry.register(Box::new(series.keys.clone()))?;
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
