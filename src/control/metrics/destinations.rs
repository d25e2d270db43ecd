//! What becomes of events at each destination, and what each is doing?

use crate::{
    deliver::Standing,
    destination::Confirmed,
    policy::{Destination, Place},
};
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// The series of destinations.
#[derive(Debug)]
pub struct DestinationSeries {
    deliveries: IntCounterVec,
    dead_letters: IntCounterVec,
    breaker: IntGaugeVec,
    disabled: IntGaugeVec,
    left_out: IntCounterVec,
    remarks: IntCounterVec,
}

impl DestinationSeries {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let made = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let gauge = |name: &str, help: &str| {
            let made = IntGaugeVec::new(Opts::new(name, help), &["destination"])?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        Ok(Self {
            deliveries: counter(
                "hookwarden_deliveries_total",
                "Attempts to deliver, by destination and result",
                &["destination", "result"],
            )?,
            dead_letters: counter(
                "hookwarden_dead_letters_total",
                "Events that died, by destination",
                &["destination"],
            )?,
            breaker: gauge("hookwarden_breaker_open", "1 while a destination is not asked")?,
            disabled: gauge(
                "hookwarden_destination_disabled",
                "1 after a destination answered 410, until it is enabled",
            )?,
            left_out: counter(
                "hookwarden_left_out_total",
                "Accepted events that a destination of their route does not want (`only`), by destination",
                &["destination"],
            )?,
            remarks: counter(
                "hookwarden_destination_remarks_total",
                "How often a destination was found to be less than it should be, by what",
                &["destination", "remark"],
            )?,
        })
    }

    /// One of a policy that is about to be in force: its zeros come before anything happens.
    pub(super) fn know(&self, Destination { name, place, .. }: &Destination) {
        self.deliveries.with_label_values(&[name.as_str(), Confirmed::Taken.code()]);
        match place {
            Place::Http(_) => {}
            Place::Nats(_) | Place::Redis(_) => {
                self.deliveries.with_label_values(&[name.as_str(), Confirmed::Known.code()]);
            }
        }
        self.dead_letters.with_label_values(&[name.as_str()]);
        self.left_out.with_label_values(&[name.as_str()]);
        // Of one that goes on, they say what they said.
        self.breaker.with_label_values(&[name.as_str()]);
        self.disabled.with_label_values(&[name.as_str()]);
    }

    /// A destination is no more: whether it was asked says nothing now.
    pub fn forget(&self, destination: &str) {
        let _ = self.breaker.remove_label_values(&[destination]);
        let _ = self.disabled.remove_label_values(&[destination]);
    }

    pub(super) fn left_out(&self, destination: &str) {
        self.left_out.with_label_values(&[destination]).inc();
    }

    pub(in crate::control) fn attempted(&self, destination: &str, result: &str) {
        self.deliveries.with_label_values(&[destination, result]).inc();
    }

    pub(in crate::control) fn remarked(&self, destination: &str, remark: &str) {
        self.remarks.with_label_values(&[destination, remark]).inc();
    }

    pub(in crate::control) fn died(&self, destination: &str) {
        self.dead_letters.with_label_values(&[destination]).inc();
    }

    pub(in crate::control) fn standing(&self, destination: &str, now: Standing) {
        self.breaker.with_label_values(&[destination]).set(i64::from(now != Standing::Up));
        self.disabled.with_label_values(&[destination]).set(i64::from(now == Standing::Disabled));
    }
}
