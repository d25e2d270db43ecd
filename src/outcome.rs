//! How did it end? Every request has exactly one [`Outcome`].

use crate::{clock::Timestamp, verdict::Refusal};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not guarded: streamed to the origin and back.
    Passed,
    /// Durable, for the first time.
    Accepted,
    /// Accepted, or passed on, before.
    Repeat,
    /// Accepted before under the same signed id, with another body.
    RepeatChanged,
    /// Passed on; the origin's answer went back.
    Relayed,
    /// Refused, by this code.
    Rejected(&'static str),
    /// Our fault or the origin's, by this code.
    Failed(&'static str),
    /// The client went away before it had an answer.
    Aborted,
    /// No outcome was ever recorded: a defect of the gate, and an alarm.
    Lost,
}

impl Outcome {
    /// Stable, low-cardinality name for logs, metrics and documentation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Accepted => "accepted",
            Self::Repeat => "repeat",
            Self::RepeatChanged => "repeat_changed",
            Self::Relayed => "relayed",
            Self::Rejected(code) | Self::Failed(code) => code,
            Self::Aborted => "aborted",
            Self::Lost => "lost",
        }
    }
}

impl From<&Refusal> for Outcome {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => Self::Rejected(rejection.code()),
            Refusal::Failed(fault) => Self::Failed(fault.code()),
        }
    }
}

/// What was learnt about a guarded request on its way, for its one line in the log.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The body's length as received.
    pub body_bytes: usize,
    /// The key that signed.
    pub key_id: Option<String>,
    /// The event's own id.
    pub event_id: Option<String>,
    /// The vendor's name for this kind of event.
    pub event_type: Option<String>,
    /// The version of the contract that the document satisfies.
    pub contract: Option<String>,
    /// From when on this version will be refused.
    pub sunset: Option<Timestamp>,
    /// Where the document is not as agreed: pointers into the document and into the schema, without content.
    pub finding: Option<(String, String)>,
}
