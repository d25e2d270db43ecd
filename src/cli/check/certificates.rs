//! Would the listeners start? Their files are looked at, because a policy that is in order is expected to run.

use crate::{
    edge::check_certificates,
    policy::{self, Policy, Report, Severity, Source},
    verdict::Chain,
};

/// What is to be said of each listener's files. A policy is often checked far from the machine that runs it, so files
/// that are not here are mistakes only if they are `expected`.
pub(super) fn look(source: &Source, policy: &Policy, expected: bool) -> Report {
    let mut report = Report::default();
    for (index, listener) in policy.settings.listeners.iter().enumerate() {
        let Some(Err(error)) = listener.tls.as_deref().map(check_certificates) else { continue };
        let (severity, message) = if error.is_absence() && !expected {
            (Severity::Warning, format!("{}; `run` does not start without it", Chain(&error)))
        } else {
            (Severity::Error, Chain(&error).to_string())
        };
        let place = format!("/listeners/{index}/tls/certificate");
        report = report.and(policy::found(source, &place, severity, message));
    }
    report
}
