//! What an operator sees and does: metrics and health on the admin listener, one log line a request, and a control
//! socket for what changes something.

pub mod actor;
pub mod admin;
pub mod logging;
pub mod metrics;
pub mod observed;
pub mod orders;
pub mod shown;
pub mod socket;

use crate::{
    captures::{self, Kept},
    deliver,
    deliver::{DeadLetter, FailedAttempt, Standing},
    destination::{Confirmed, PublishError, Remark, Remarks},
    edge,
    edge::{Alarm, Report, TurnedAway},
    keys::{self, FetchError},
    verdict::{Chain, Fault},
    verify::jwt::Skipped,
};
use metrics::Metrics;
use observed::Observed;
use shown::ShownUrls;
use std::{net::IpAddr, sync::Arc};
use tracing::{error, info, warn};

/// Hears everything that happens, counts it and tells it.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the clock behind what is observed has none")]
pub struct Watch {
    metrics: Arc<Metrics>,
    observed: Arc<Observed>,
    shown: Arc<ShownUrls>,
}

impl Watch {
    /// Counts in these metrics, and by these rollouts; keeps the URLs that vendors want opened.
    pub fn new(metrics: Arc<Metrics>, observed: Arc<Observed>, shown: Arc<ShownUrls>) -> Self {
        Self { metrics, observed, shown }
    }
}

impl edge::Observer for Watch {
    fn finished(&self, report: &Report) {
        self.metrics.finished(report);
        self.observed.finished(report);
        self.shown.finished(report);
        logging::line(report);
    }

    fn turned_away(&self, reason: TurnedAway, peer: IpAddr) {
        self.metrics.turned_away(reason.code());
        tracing::debug!(reason = reason.code(), %peer, "turned a connection away");
    }

    fn alarm(&self, alarm: &Alarm) {
        let (kind, told) = match alarm {
            Alarm::NotRemembered(fault) => ("not_remembered", Chain(fault).to_string()),
            Alarm::Certificates(error) => ("certificates", Chain(error).to_string()),
            Alarm::OriginName(error) => ("origin_name", Chain(error).to_string()),
        };
        self.metrics.alarm(kind);
        error!(kind, cause = told, "something needs a look");
    }
}

impl captures::Observer for Watch {
    fn captured(&self, route: &str, kept: Kept) {
        self.metrics.captured(route, kept);
        if kept == Kept::Failed {
            warn!(route, "a refused request could not be kept; look at the disk and the rights of the spool's folder");
        }
    }
}

impl keys::Observer for Watch {
    fn fetched(&self, issuer: &str, keys: usize, skipped: &[Skipped]) {
        self.metrics.issuers.fetched(issuer, keys);
        for why in skipped {
            warn!(issuer, %why, "a key of the issuer is not used");
        }
        info!(issuer, keys, "fetched the issuer's keys");
    }

    fn failed(&self, issuer: &str, why: &FetchError) {
        self.metrics.issuers.failed(issuer);
        warn!(issuer, cause = %Chain(why), "cannot fetch the issuer's keys; those that are there stay until they are too old");
    }
}

impl deliver::Observer for Watch {
    fn attempted(&self, destination: &str, event_id: &str, result: Result<Confirmed, &PublishError>) {
        let (result, cause) = match result {
            Ok(confirmed) => (confirmed.code(), None),
            Err(error) => {
                (error.reason.as_str(), error.source.as_ref().map(|source| Chain(source.as_ref()).to_string()))
            }
        };
        self.metrics.destinations.attempted(destination, result);
        tracing::debug!(destination, event_id, result, cause, "tried to deliver an event");
    }

    fn failed(&self, attempt: &FailedAttempt<'_>) {
        let FailedAttempt { destination, event_id, attempt, reason, next, untold } = *attempt;
        let (next, untold) = (next.rfc3339(), (untold > 0).then_some(untold));
        warn!(destination, event_id, attempt, reason, next, untold, "an event was not delivered, and is tried again");
    }

    fn died(&self, letter: &DeadLetter<'_>) {
        let DeadLetter { destination, event_id, attempts, reason } = *letter;
        self.metrics.destinations.died(destination);
        error!(destination, event_id, attempts, reason, "an event is a dead letter; see `hookwarden spool show`");
    }

    fn standing(&self, destination: &str, now: Standing, why: Option<&str>) {
        self.metrics.destinations.standing(destination, now);
        let standing = now.code();
        match now {
            Standing::Up => info!(destination, standing, "the destination is back; its events are due now"),
            Standing::Down => warn!(destination, standing, why, "the destination fails; its events wait"),
            Standing::Disabled => error!(
                destination,
                standing, "the destination answered 410: nothing is sent until `hookwarden spool enable {destination}`"
            ),
        }
    }

    fn not_settled(&self, destination: &str, event_id: &str, fault: &Fault) {
        self.metrics.alarm("not_settled");
        error!(
            destination,
            event_id,
            cause = Chain(fault).to_string(),
            "a delivery could not be written down; it may come again"
        );
    }
}

impl Remarks for Watch {
    fn remark(&self, destination: &str, remark: &Remark) {
        self.metrics.destinations.remarked(destination, remark.code());
        warn!(destination, remark = remark.code(), "of this destination: {remark}");
    }
}
