//! One line per request, for people or for machines. Never queries, bodies, signatures, tokens, secrets or cookies.

use crate::{
    clock::Timestamp,
    edge::Report,
    outcome::{Observation, Outcome},
};
use std::io::IsTerminal as _;
use tracing::{Level, debug, error, info, level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, in colour on a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

/// Starts writing to standard error. Once a process; later calls change nothing.
pub fn init(format: Format, level: Level) {
    // Pingora tells each broken connection, and each of its pool that the origin has closed, as an error of its own, with
    // the path of its source; ours is one line a request, which has the cause.
    let quiet = if level >= Level::DEBUG { LevelFilter::from_level(level) } else { LevelFilter::OFF };
    let targets = Targets::new()
        .with_default(level)
        .with_target("pingora_core", quiet)
        .with_target("pingora_proxy", LevelFilter::OFF)
        .with_target("async_nats", quiet)
        .with_target("h2", quiet)
        .with_target("rustls", quiet);
    let layer = match format {
        Format::Human => fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .boxed(),
        Format::Json => fmt::layer().with_writer(std::io::stderr).json().flatten_event(true).with_target(false).boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(targets)).try_init();
}

/// A path longer than this says no more.
const PATH_BYTES_MAX: usize = 256;

/// The one line of one request.
pub(super) fn line(report: &Report) {
    let Report { request_id, status, received_bytes: body_bytes, took, notes, .. } = report;
    let outcome = report.outcome.code();
    let route = report.route.as_deref().unwrap_or("-");
    let detail = report.detail.as_deref();
    let method = report.method.as_ref().map_or("-", http::Method::as_str);
    let path: String = report.path.chars().take(PATH_BYTES_MAX).flat_map(char::escape_default).collect();
    let client = report.client.map(tracing::field::display);
    let took_us = u64::try_from(took.total.as_micros()).unwrap_or(u64::MAX);
    let key_id = notes.key_id.as_deref();
    let issuer = notes.issuer.as_deref();
    let subject = notes.subject.as_deref();
    let event_id = notes.event_id.as_deref();
    let event_type = notes.event_type.as_deref();
    let contract = notes.contract.as_deref();
    let sunset = notes.sunset.map(Timestamp::rfc3339);
    let left_out = (!notes.left_out.is_empty()).then(|| notes.left_out.join(" "));
    let (pointer, keyword) =
        notes.finding.as_ref().map(|(pointer, keyword)| (pointer.as_str(), keyword.as_str())).unzip();
    let found: Vec<_> = notes.observed.iter().map(|Observation { found, .. }| found.code()).collect();
    let found = (!found.is_empty()).then(|| found.join(","));
    macro_rules! tell {
        ($level:ident, $message:literal) => {
            $level!(
                %request_id, route, outcome, detail, status, method, path, client, body_bytes, took_us, issuer, key_id, subject,
                event_id, event_type, contract, sunset, pointer, keyword, left_out, found, $message
            )
        };
    }
    match report.outcome {
        Outcome::Passed => tell!(debug, "passed a request"),
        Outcome::Accepted => tell!(info, "accepted an event"),
        Outcome::Repeat => tell!(info, "knew an event already"),
        Outcome::RepeatChanged => tell!(warn, "knew an event already, with another body under the same signed id"),
        Outcome::Observed => tell!(info, "let a request pass that is only observed"),
        Outcome::Handshake => tell!(info, "answered a validation call"),
        Outcome::Relayed => tell!(info, "relayed a request"),
        Outcome::Rejected(_) => tell!(info, "refused a request"),
        Outcome::Failed(_) => tell!(warn, "could not serve a request"),
        Outcome::Aborted => tell!(debug, "the client went away"),
        Outcome::Lost => tell!(error, "a request ended without an outcome; this is a defect"),
    }
}
