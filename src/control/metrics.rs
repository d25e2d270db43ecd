//! Prometheus metrics. Labels come from the configuration and from closed sets of codes, never from a request.

mod destinations;
mod issuers;
mod policy;
mod spool;

pub use destinations::DestinationSeries;
pub use issuers::IssuerSeries;
pub use policy::{PolicySeries, Reloaded};
use spool::SpoolGauges;

use crate::{
    captures::Kept,
    clock::Timestamp,
    edge::{Report, Took, TurnedAway},
    outcome::{Handover, Notes, Observation, Outcome},
    policy::{Observed, Policy, Route, Sender},
    spool::Stats,
    verdict::{Check, Fault, Rejection, TokenFlaw},
    verify::{Handshake, Webhook},
};
use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
};

/// Every series of one gate.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    signature_failures: IntCounterVec,
    verified: IntCounterVec,
    observed: IntCounterVec,
    body_bytes: IntCounterVec,
    turned_away: IntCounterVec,
    alarms: IntCounterVec,
    captures: IntCounterVec,
    handovers: IntCounterVec,
    origin_up: IntGauge,
    spool: SpoolGauges,
    /// About destinations.
    pub destinations: DestinationSeries,
    /// About issuers.
    pub issuers: IssuerSeries,
    /// About the policy.
    pub policy: PolicySeries,
    known: RwLock<Known>,
}

/// The names that may be labels: those of every policy that was loaded, because counters stay.
#[derive(Debug, Default)]
struct Known {
    routes: BTreeSet<String>,
    keys: BTreeSet<String>,
    issuers: BTreeSet<String>,
    /// Of the policy in force alone: events for any other are orphans.
    destinations: BTreeSet<String>,
}

/// What is not for a guarded route.
const UNGUARDED: &str = "-";
const ORIGIN_UP: &str = "0 after a request found the origin unreachable, until one is answered";
/// The code of [`Fault::OriginUnreachable`].
const UNREACHABLE: &str = "origin_unreachable";
/// From a tenth of a millisecond to the longest patience.
const BUCKETS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// What a guarded route's request can end in, beside refusals and faults.
const GOOD: &[&str] = &["accepted", "repeat", "repeat_changed", "relayed", "handshake", "observed", "aborted", "lost"];

impl Metrics {
    /// Makes every series whose labels are known, so that a dashboard sees zeros and not gaps.
    ///
    /// # Errors
    /// A name or label that the library refuses: a defect of this file.
    pub fn new(policy: &Policy, started: Timestamp) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let made = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let made = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let seconds = HistogramVec::new(
            HistogramOpts::new("hookwarden_request_seconds", "Where the time of a request went, by route and stage")
                .buckets(BUCKETS.to_vec()),
            &["route", "stage"],
        )?;
        registry.register(Box::new(seconds.clone()))?;
        let origin_up = IntGauge::new("hookwarden_origin_up", ORIGIN_UP)?;
        origin_up.set(1);
        registry.register(Box::new(origin_up.clone()))?;
        let metrics = Self {
            requests: counter("hookwarden_requests_total", "Requests by route and outcome", &["route", "outcome"])?,
            signature_failures: counter(
                "hookwarden_signature_failures_total",
                "Requests whose sender could not show who it is, by route and reason",
                &["route", "reason"],
            )?,
            verified: counter(
                "hookwarden_verified_total",
                "Requests whose signature or token held, by route and key, or issuer",
                &["route", "key"],
            )?,
            observed: counter(
                "hookwarden_observed_total",
                "What would have become of requests while routes are tried, by route, check and code",
                &["route", "check", "code"],
            )?,
            body_bytes: counter("hookwarden_body_bytes_total", "Bytes of bodies of guarded requests", &["route"])?,
            turned_away: counter(
                "hookwarden_turned_away_total",
                "Connections that ended before a request",
                &["reason"],
            )?,
            alarms: counter("hookwarden_alarms_total", "Things that need a look", &["kind"])?,
            captures: counter(
                "hookwarden_captures_total",
                "Refused requests of routes that keep them, by route and what became of them",
                &["route", "result"],
            )?,
            handovers: counter(
                "hookwarden_handovers_total",
                "Keys that somebody wanted to hand over, by route and what became of them",
                &["route", "result"],
            )?,
            origin_up,
            spool: SpoolGauges::new(&registry)?,
            seconds,
            destinations: DestinationSeries::new(&registry)?,
            issuers: IssuerSeries::new(&registry)?,
            policy: PolicySeries::new(&registry)?,
            known: RwLock::default(),
            registry: registry.clone(),
        };
        let build = gauges("hookwarden_build_info", "1, with the version", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        tell_start(&registry, started)?;
        for code in ["passed", "aborted", "lost"].iter().chain(Rejection::CODES).filter(|code| !is_of_tokens(code)) {
            metrics.requests.with_label_values(&[UNGUARDED, code]);
        }
        for reason in TurnedAway::CODES {
            metrics.turned_away.with_label_values(&[reason]);
        }
        metrics.know(policy);
        metrics.policy.stands(&policy.digest, started, 0);
        Ok(metrics)
    }

    /// A policy that is about to be in force: its names may be labels, and have their zeros before anything happens.
    pub fn know(&self, policy: &Policy) {
        for route in &policy.routes {
            let name = &*route.name;
            for code in GOOD.iter().chain(Rejection::CODES).chain(Fault::CODES).filter(|code| can_end(route, code)) {
                self.requests.with_label_values(&[name, code]);
            }
            self.body_bytes.with_label_values(&[name]);
            let hands_over = |webhook: &Webhook| webhook.handshakes().iter().any(Handshake::hands_over);
            if route.sender.webhook().is_some_and(hands_over) {
                for result in Handover::ALL {
                    self.handovers.with_label_values(&[name, result.code()]);
                }
            }
            for kept in route.capture.iter().flat_map(|_| Kept::ALL) {
                self.captures.with_label_values(&[name, kept.code()]);
            }
        }
        self.issuers.know(policy);
        for route in &policy.routes {
            for (check, codes) in observable(route) {
                for code in codes {
                    self.observed.with_label_values(&[&route.name, check.name(), code]);
                }
            }
        }
        policy.destinations.iter().for_each(|destination| self.destinations.know(destination));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.routes.extend(policy.routes.iter().map(|route| route.name.to_string()));
        known.keys.extend(policy.keys.iter().flat_map(|keys| &keys.entries).map(|key| key.id.clone()));
        known.issuers.extend(policy.issuers.iter().map(|issuer| issuer.name.clone()));
        known.destinations = policy.destinations.iter().map(|destination| destination.name.clone()).collect();
    }

    /// One request.
    pub(super) fn finished(&self, report: &Report) {
        let route = report.route.as_deref();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let label = route.filter(|route| known.routes.contains(*route)).unwrap_or(UNGUARDED);
        let code = report.outcome.code();
        self.requests.with_label_values(&[label, code]).inc();
        self.seconds.with_label_values(&[label, "total"]).observe(report.took.total.as_secs_f64());
        match report.outcome {
            Outcome::Passed | Outcome::Relayed | Outcome::Observed => self.origin_up.set(1),
            Outcome::Failed(code) if code == UNREACHABLE => self.origin_up.set(0),
            // Not asked, or nobody knows.
            Outcome::Failed(_)
            | Outcome::Accepted
            | Outcome::Repeat
            | Outcome::RepeatChanged
            | Outcome::Handshake
            | Outcome::Rejected(_)
            | Outcome::Aborted
            | Outcome::Lost => {}
        }
        if route.is_none() {
            return;
        }
        if let Some(handover) = report.notes.handover {
            self.handovers.with_label_values(&[label, handover.code()]).inc();
        }
        for Observation { check, found } in &report.notes.observed {
            self.observed.with_label_values(&[label, check.name(), found.code()]).inc();
        }
        if report.outcome != Outcome::Observed {
            let Took { body, judge, keep, .. } = report.took;
            for (stage, took) in [("body", body), ("judge", judge), ("keep", keep)] {
                self.seconds.with_label_values(&[label, stage]).observe(took.as_secs_f64());
            }
        }
        self.body_bytes.with_label_values(&[label]).inc_by(report.received_bytes);
        if report.outcome == Outcome::Accepted {
            report.notes.left_out.iter().for_each(|destination| self.destinations.left_out(destination));
        }
        let Notes { key_id, issuer, .. } = &report.notes;
        if let Some(key) = key_id {
            // The ids of an issuer's keys are its own to choose.
            let (key, of) = issuer.as_ref().map_or((key, &known.keys), |issuer| (issuer, &known.issuers));
            let key = if of.contains(key) { key } else { "other" };
            self.verified.with_label_values(&[label, key]).inc();
        } else if AUTHENTICATION.contains(&code) || is_of_tokens(code) {
            self.signature_failures.with_label_values(&[label, code]).inc();
        }
    }

    pub(super) fn turned_away(&self, reason: &str) {
        self.turned_away.with_label_values(&[reason]).inc();
    }

    pub(super) fn alarm(&self, kind: &str) {
        self.alarms.with_label_values(&[kind]).inc();
    }

    pub(super) fn captured(&self, route: &str, kept: Kept) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let label = if known.routes.contains(route) { route } else { UNGUARDED };
        self.captures.with_label_values(&[label, kept.code()]).inc();
    }

    /// All of it in Prometheus' text format, with what the spool says now.
    pub fn text(&self, spool: Option<&Stats>, now: Timestamp) -> String {
        if let Some(stats) = spool {
            self.look(stats, now);
        }
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    fn look(&self, stats: &Stats, now: Timestamp) {
        self.spool.look(stats, now);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        for of in &stats.destinations {
            let states = [
                ("accepted", of.accepted),
                ("delivered", of.delivered),
                ("pending", of.pending),
                ("in_flight", of.in_flight),
                ("held", of.held),
                ("dead", of.dead),
                ("dropped", of.dropped),
            ];
            for (state, count) in states {
                self.spool.events.with_label_values(&[of.destination.as_str(), state]).set(spool::number(count));
            }
            if known.destinations.contains(&of.destination) {
                let _ = self.spool.orphans.remove_label_values(&[of.destination.as_str()]);
            } else {
                let orphans = self.spool.orphans.with_label_values(&[of.destination.as_str()]);
                orphans.set(spool::number(of.pending.saturating_add(of.dead)));
            }
        }
    }
}

/// The codes for which [`Rejection::is_authentication`] holds, but for those of tokens.
const AUTHENTICATION: &[&str] =
    &["signature_missing", "signature_malformed", "signature_mismatch", "no_key", "stale", "from_the_future"];

/// Of routes alone that make keyed digests for whoever asks.
const STRANGERS_LIMITED: &[&str] = &["handshake_address_limited", "handshake_route_limited"];

/// A token's, or of the keys that it is held against.
fn is_of_tokens(code: &str) -> bool {
    code.starts_with("token_") || code == "key_pending" || code == "keys_unavailable"
}

/// Whether a request of this route can end so, by how its sender is known.
fn can_end(route: &Route, code: &str) -> bool {
    match route.sender {
        Sender::Webhook(ref webhook) => {
            !is_of_tokens(code) && (webhook.has_oracle() || !STRANGERS_LIMITED.contains(&code))
        }
        Sender::Token(_) => !AUTHENTICATION.contains(&code) && !STRANGERS_LIMITED.contains(&code),
    }
}

/// What can be found on a route while it is tried.
fn observable(route: &Route) -> Vec<(Check, Vec<&'static str>)> {
    const SCHEMA: &[&str] = &["malformed", "contract_broken", "contract_unknown", "contract_sunset"];
    const LIMITS: &[&str] = &["address_limited", "sender_limited"];
    let Some(observe) = route.observe else { return Vec::new() };
    let strangers =
        route.sender.webhook().filter(|webhook| webhook.has_oracle()).map_or(&[][..], |_| STRANGERS_LIMITED);
    let verify = match route.sender {
        Sender::Webhook(_) => AUTHENTICATION.to_vec(),
        Sender::Token(_) => TokenFlaw::ALL.iter().map(|flaw| flaw.code()).collect(),
    };
    match observe.what {
        Observed::All => vec![
            (Check::All, vec!["ok", "unjudged"]),
            (Check::Guard, vec!["guarded_in_form"]),
            (Check::Admit, vec!["method_not_allowed", "content_type"]),
            (Check::Limits, [LIMITS, strangers].concat()),
            (Check::Verify, verify),
            (Check::Repeats, vec!["repeat"]),
            (Check::Schema, SCHEMA.to_vec()),
        ],
        Observed::Checks { schema, limits } => {
            let by_check = [(schema, Check::Schema, SCHEMA), (limits, Check::Limits, LIMITS)];
            let tried = by_check.into_iter().filter(|(is_tried, ..)| *is_tried);
            tried.flat_map(|(_, check, codes)| [(check, vec!["ok"]), (check, codes.to_vec())]).collect()
        }
    }
}

fn tell_start(registry: &Registry, started: Timestamp) -> Result<(), prometheus::Error> {
    let start = Gauge::new("hookwarden_start_time_seconds", "When this process started, since the epoch")?;
    #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch fit a double")]
    start.set(started.unix_s() as f64);
    registry.register(Box::new(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{deliver::Standing, policy, spool::DestinationStats};

    fn policy(destinations: &[&str]) -> Policy {
        let mut policy = Policy::pass_through(([127, 0, 0, 1], 0).into(), "http://127.0.0.1:1");
        policy.destinations =
            destinations.iter().map(|name| policy::tests::destination(name, "http://127.0.0.1:1/")).collect();
        policy
    }

    fn metrics(destinations: &[&str]) -> Metrics {
        Metrics::new(&policy(destinations), Timestamp::default()).unwrap()
    }

    #[test]
    fn what_a_destination_is_doing_is_two_gauges() {
        let metrics = metrics(&["crm"]);
        for (standing, open, disabled) in [(Standing::Up, 0, 0), (Standing::Down, 1, 0), (Standing::Disabled, 1, 1)] {
            metrics.destinations.standing("crm", standing);
            let text = metrics.text(None, Timestamp::default());
            assert!(text.contains(&format!("hookwarden_breaker_open{{destination=\"crm\"}} {open}")), "{text}");
            assert!(
                text.contains(&format!("hookwarden_destination_disabled{{destination=\"crm\"}} {disabled}")),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_kept_too_long_or_too_short_is_told() {
        let past_keep = std::time::Duration::from_secs(90);
        let stats = Stats { past_keep, cut_short: 7, ..Stats::default() };
        let text = metrics(&[]).text(Some(&stats), Timestamp::default());
        assert!(text.contains("hookwarden_spool_past_keep_seconds 90\n"), "{text}");
        assert!(text.contains("hookwarden_spool_cut_short 7\n"), "{text}");
    }

    #[test]
    fn events_of_a_removed_destination_are_orphans() {
        let of = |destination: &str| DestinationStats {
            destination: destination.to_owned(),
            pending: 2,
            held: 1,
            dead: 3,
            ..DestinationStats::default()
        };
        let stats = Stats { destinations: vec![of("crm"), of("old")], ..Stats::default() };
        let metrics = metrics(&["crm"]);
        let text = metrics.text(Some(&stats), Timestamp::default());
        assert!(text.contains("hookwarden_spool_orphans{destination=\"old\"} 5"), "{text}");
        assert!(text.contains("hookwarden_spool_events{destination=\"old\",state=\"held\"} 1"), "{text}");
        assert!(!text.contains("hookwarden_spool_orphans{destination=\"crm\"}"), "{text}");
        metrics.know(&policy(&["old"]));
        let text = metrics.text(Some(&stats), Timestamp::default());
        assert!(!text.contains("hookwarden_spool_orphans{destination=\"old\"}"), "it is back: {text}");
        assert!(text.contains("hookwarden_spool_orphans{destination=\"crm\"} 5"), "{text}");
    }

    #[test]
    fn the_origin_is_up_until_a_request_does_not_reach_it() {
        let metrics = Metrics::new(&policy(&[]), Timestamp::from_unix_s(0)).unwrap();
        let finished = |outcome| {
            metrics.finished(&Report {
                outcome,
                detail: None,
                route: None,
                status: None,
                method: None,
                path: String::new(),
                version: http::Version::HTTP_11,
                client: None,
                request_id: "request".into(),
                received_bytes: 0,
                sent_bytes: 0,
                took: Took::default(),
                notes: crate::outcome::Notes::default(),
            });
            metrics.origin_up.get()
        };
        assert_eq!(metrics.origin_up.get(), 1);
        let away = Fault::OriginUnreachable("refused".into()).code();
        for (outcome, up) in [
            (Outcome::Failed(away), 0),
            (Outcome::Accepted, 0),
            (Outcome::Passed, 1),
            (Outcome::Failed(away), 0),
            (Outcome::Relayed, 1),
            (Outcome::Rejected("signature_missing"), 1),
        ] {
            assert_eq!(finished(outcome), up, "{outcome:?}");
        }
    }
}
