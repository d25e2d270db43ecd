//! How did each request end? One [`Report`] per request, whatever happens to the task that served it.

use crate::{
    outcome::{Notes, Outcome},
    verdict::Fault,
};
use data_encoding::BASE32_NOPAD;
use http::Method;
use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Port: who hears what happened at the edge. Called from within requests, so it must not wait.
pub trait Observer: Send + Sync {
    /// Exactly once for each request.
    fn finished(&self, report: &Report);

    /// A connection ended before it carried a request.
    fn turned_away(&self, reason: TurnedAway, peer: IpAddr);

    /// Something must be looked at that no request's answer shows: a relayed event that the origin took could not be
    /// remembered durably, or new certificates could not be read.
    fn alarm(&self, alarm: &Alarm);
}

/// Why a connection ended before it carried a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnedAway {
    /// As many connections as may be are open.
    Full,
    /// This address has as many as it may.
    AddressFull,
    /// A balancer's preamble was missing, broken, or came from somebody else.
    Preamble,
    /// TLS was not agreed in time, or at all.
    Handshake,
    /// HTTP/2 was agreed, and its preface did not come.
    Preface,
}

impl TurnedAway {
    /// Every code; metrics are made for each at the start.
    pub const CODES: &[&str] =
        &["connections_full", "address_connections_full", "preamble_refused", "handshake_failed", "preface_missing"];

    /// Stable, low-cardinality name for logs, metrics and documentation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Full => "connections_full",
            Self::AddressFull => "address_connections_full",
            Self::Preamble => "preamble_refused",
            Self::Handshake => "handshake_failed",
            Self::Preface => "preface_missing",
        }
    }
}

/// What no single request's answer shows.
#[derive(Debug)]
pub enum Alarm {
    /// WordPress took a relayed event, and that could not be made durable: after a crash its retry would pass again.
    NotRemembered(Fault),
    /// A certificate file is broken; the old set stays.
    Certificates(super::CertificateError),
    /// The origin's name does not resolve; the last known addresses stay.
    OriginName(std::io::Error),
}

/// One finished request. Holds no query, body, signature or secret.
#[derive(Debug)]
pub struct Report {
    /// What became of it.
    pub outcome: Outcome,
    /// More than the code says, for the log: the doorway's rule, a fault with its causes, or the digests of two bodies
    /// under one signed id.
    pub detail: Option<String>,
    /// The guarded route, if it was for one.
    pub route: Option<Arc<str>>,
    /// What the client was answered; [`CLIENT_LEFT`] if it was gone before, none if nothing was.
    pub status: Option<u16>,
    /// None if the head could not be read.
    pub method: Option<Method>,
    /// The target without its query; empty if the head could not be read.
    pub path: String,
    /// `HTTP/1.1` and so on, as the client spoke.
    pub version: http::Version,
    /// Who asked.
    pub client: Option<IpAddr>,
    /// Returned to the client and sent to the origin as `hookwarden-request-id`.
    pub request_id: Arc<str>,
    /// Bytes of the body that came.
    pub received_bytes: u64,
    /// Bytes of the answer's body.
    pub sent_bytes: u64,
    /// How long it took, and where.
    pub took: Took,
    /// What was learnt about a guarded request.
    pub notes: Notes,
}

/// No status of HTTP, but the one that logs have for it since nginx: so that nobody takes a client that left for one
/// that was too slow (408).
pub const CLIENT_LEFT: u16 = 499;

/// Where the time went. The parts are zero for what is not guarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// From the complete head to the end of the answer.
    pub total: Duration,
    /// Reading the body.
    pub body: Duration,
    /// Signature, reading, checks.
    pub judge: Duration,
    /// Until the ledger, or the origin, had it.
    pub keep: Duration,
}

/// Shared by all requests of one edge.
pub(super) struct Desk {
    pub(super) observer: Arc<dyn Observer>,
    /// A stop's deadline has come: what ends now was cut, and is no defect.
    pub(super) cutting: AtomicBool,
    fallback: (RandomState, AtomicU64),
}

/// One request's obligation to end in one outcome. Dropped without any, it reports that it was lost.
pub(super) struct Ticket {
    desk: Arc<Desk>,
    began: Instant,
    outcome: Option<Outcome>,
    pub(super) report: Report,
}

impl Desk {
    pub(super) fn new(observer: Arc<dyn Observer>) -> Arc<Self> {
        let fallback = (RandomState::new(), AtomicU64::default());
        Arc::new(Self { observer, cutting: AtomicBool::default(), fallback })
    }

    pub(super) fn ticket(self: &Arc<Self>) -> Ticket {
        let report = Report {
            outcome: Outcome::Lost,
            detail: None,
            route: None,
            status: None,
            method: None,
            path: String::new(),
            version: http::Version::HTTP_11,
            client: None,
            request_id: self.request_id(),
            received_bytes: 0,
            sent_bytes: 0,
            took: Took::default(),
            notes: Notes::default(),
        };
        Ticket { desk: self.clone(), began: Instant::now(), outcome: None, report }
    }

    /// 128 bits that nobody can guess, because an event without keys is named by them.
    fn request_id(&self) -> Arc<str> {
        let mut bits = [0; 16];
        if getrandom::fill(&mut bits).is_err() {
            // Only before the kernel's pool is ready: unique is enough then.
            let (state, counter) = &self.fallback;
            let count = counter.fetch_add(1, Ordering::Relaxed);
            bits =
                (u128::from(state.hash_one((count, 0))) << 64 | u128::from(state.hash_one((count, 1)))).to_le_bytes();
        }
        BASE32_NOPAD.encode(&bits).to_ascii_lowercase().into()
    }
}

impl Ticket {
    pub(super) fn request_id(&self) -> &Arc<str> {
        &self.report.request_id
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// The first one counts: what comes later is a consequence.
    pub(super) fn ends(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
    }

    /// What the client was answered, if anything was, at the request's end.
    pub(super) fn answered(&mut self, status: Option<u16>) {
        let left = (self.outcome == Some(Outcome::Aborted)).then_some(CLIENT_LEFT);
        self.report.status = status.or(left);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let cut = || if self.desk.cutting.load(Ordering::Acquire) { Outcome::Aborted } else { Outcome::Lost };
        self.report.outcome = self.outcome.unwrap_or_else(cut);
        self.report.took.total = self.began.elapsed();
        self.desk.observer.finished(&self.report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Ears(Mutex<Vec<Outcome>>);

    impl Observer for Ears {
        fn finished(&self, report: &Report) {
            self.0.lock().unwrap().push(report.outcome);
        }
        fn turned_away(&self, _: TurnedAway, _: IpAddr) {}
        fn alarm(&self, _: &Alarm) {}
    }

    #[test]
    fn a_ticket_reports_once_and_a_forgotten_one_is_lost() {
        let ears = Arc::new(Ears::default());
        let desk = Desk::new(ears.clone());
        let mut ticket = desk.ticket();
        ticket.ends(Outcome::Accepted);
        ticket.ends(Outcome::Aborted);
        drop(ticket);
        drop(desk.ticket());
        desk.cutting.store(true, Ordering::Release);
        drop(desk.ticket());
        assert_eq!(*ears.0.lock().unwrap(), [Outcome::Accepted, Outcome::Lost, Outcome::Aborted]);
    }

    #[test]
    fn no_two_requests_have_one_id() {
        let desk = Desk::new(Arc::new(Ears::default()));
        let (one, other) = (desk.request_id(), desk.request_id());
        assert!(one != other && one.len() == 26, "{one} {other}");
    }
}
