//! One line per request, for people or for machines. Never queries, bodies, signatures, tokens, secrets or cookies.

use crate::{
    clock::Timestamp,
    edge::Report,
    outcome::{Handover, Observation, Outcome},
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
    // Where standard error cannot be written, telling so on standard error panics, and with it the task that serves.
    let layer = match format {
        Format::Human => fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .log_internal_errors(false)
            .boxed(),
        Format::Json => fmt::layer()
            .with_writer(std::io::stderr)
            .json()
            .flatten_event(true)
            .with_target(false)
            .log_internal_errors(false)
            .boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(targets)).try_init();
}

/// A path longer than this says no more.
const PATH_CHARS_MAX: usize = 256;

/// As a URL would have it: what is no visible ASCII came in a head that was refused, and would be written as it is
/// by one of the two formats. Quotes and backslashes are escaped by both.
fn shown(character: char) -> String {
    if character.is_ascii_graphic() {
        return character.to_string();
    }
    character.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The one line of one request.
pub(super) fn line(report: &Report) {
    let Report { request_id, status, received_bytes: body_bytes, took, notes, .. } = report;
    let outcome = report.outcome.code();
    let route = report.route.as_deref().unwrap_or("-");
    let detail = report.detail.as_deref();
    let method = report.method.as_ref().map_or("-", http::Method::as_str);
    let path: String = report.path.chars().take(PATH_CHARS_MAX).map(shown).collect();
    let client = report.client.map(tracing::field::display);
    let took_us = u64::try_from(took.total.as_micros()).unwrap_or(u64::MAX);
    let key_id = notes.key_id.as_deref();
    let issuer = notes.issuer.as_deref();
    let subject = notes.subject.as_deref();
    let nobody = notes.nobody;
    let event_id = notes.event_id.as_deref();
    let event_type = notes.event_type.as_deref();
    let contract = notes.contract.as_deref();
    let sunset = notes.sunset.map(Timestamp::rfc3339);
    let show = notes.shown.as_deref();
    let handover = notes.handover.map(Handover::code);
    let left_out = (!notes.left_out.is_empty()).then(|| notes.left_out.join(" "));
    let (pointer, keyword) =
        notes.finding.as_ref().map(|(pointer, keyword)| (pointer.as_str(), keyword.as_str())).unzip();
    let found: Vec<_> = notes.observed.iter().map(|Observation { found, .. }| found.code()).collect();
    let found = (!found.is_empty()).then(|| found.join(","));
    // By its request id.
    let captured = notes.captured.then_some(true);
    macro_rules! tell {
        ($level:ident, $message:literal) => {
            $level!(
                %request_id, route, outcome, detail, status, method, path, client, body_bytes, took_us, issuer, key_id, subject, nobody,
                event_id, event_type, contract, sunset, pointer, keyword, left_out, show, handover, found, captured, $message
            )
        };
    }
    match report.outcome {
        Outcome::Passed => tell!(debug, "passed a request"),
        Outcome::Accepted => tell!(info, "accepted an event"),
        Outcome::Repeat => tell!(info, "knew an event already"),
        Outcome::RepeatChanged => tell!(warn, "knew an event already, with another body under the same signed id"),
        Outcome::Observed => tell!(info, "let a request pass that is only observed"),
        Outcome::Handshake if notes.handover.is_some() => {
            tell!(warn, "took the key that the sender handed over; it is in its file and in force");
        }
        Outcome::Handshake if show.is_some() => {
            tell!(
                warn,
                "answered a validation call; the vendor wants the URL of `show` opened, which nothing here does"
            );
        }
        Outcome::Handshake => tell!(info, "answered a validation call"),
        Outcome::Relayed => tell!(info, "relayed a request"),
        Outcome::Rejected(_) if notes.handover == Some(Handover::Unarmed) => tell!(
            warn,
            "refused a key that somebody wanted to hand over; if the sender shall, run `hookwarden handshake arm ROUTE --for 10m` and let it try again"
        ),
        Outcome::Rejected(_) if notes.handover == Some(Handover::TooShort) => tell!(
            warn,
            "refused a key that the sender wanted to hand over: it has fewer than 16 bytes, and could be guessed; the route stays armed, let the sender make a longer one"
        ),
        Outcome::Rejected(_) if notes.handover == Some(Handover::Unreadable) => tell!(
            warn,
            "refused a key that the sender wanted to hand over: it is not as this sender writes its keys; the route stays armed, look who sent it"
        ),
        Outcome::Rejected(_) => tell!(info, "refused a request"),
        Outcome::Failed(_) => tell!(warn, "could not serve a request"),
        Outcome::Aborted => tell!(debug, "the client went away"),
        Outcome::Lost => tell!(error, "a request ended without an outcome; this is a defect"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_visible_line_and_is_left_to_each_format_to_quote() {
        let shown: String = "/a\"b\\%0a\u{1b}[31m\n\u{9b}é".chars().map(shown).collect();
        assert_eq!(shown, "/a\"b\\%0a%1B[31m%0A%C2%9B%C3%A9");
    }
}
