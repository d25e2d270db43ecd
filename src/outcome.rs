//! How did it end? Every request has exactly one [`Outcome`].

use crate::{
    clock::Timestamp,
    verdict::{Check, Refusal, Rejection},
};

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
    /// A validation call of the sender's was answered.
    Handshake,
    /// Guarded, and tried before it enforces: streamed to the origin and back, whatever was found.
    Observed,
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
            Self::Handshake => "handshake",
            Self::Observed => "observed",
            Self::Rejected(code) | Self::Failed(code) => code,
            Self::Aborted => "aborted",
            Self::Lost => "lost",
        }
    }
}

impl From<&Refusal> for Outcome {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Rejected(Rejection::Left) => Self::Aborted,
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
    /// Whose token was shown, or should have been.
    pub issuer: Option<String>,
    /// Whom the token speaks for, where its issuer's terms let that be written down.
    pub subject: Option<String>,
    /// Why WordPress is not told whose request it is, where it is told of others: a stable code.
    pub nobody: Option<&'static str>,
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
    /// What came of checks that are tried before they enforce.
    pub observed: Vec<Observation>,
    /// Destinations of the route that do not want events of this type.
    pub left_out: Vec<String>,
    /// It is kept, under its request id, for who asks why it was refused.
    pub captured: bool,
    /// A URL that the vendor wants opened, for the operator to look at.
    pub shown: Option<String>,
    /// What came of a key that somebody wanted to hand over.
    pub handover: Option<Handover>,
}

/// What came of a key that somebody wanted to hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// It is in its file, and in force.
    Kept,
    /// It could not be kept; the route is as armed as it was.
    Failed,
    /// Nobody had armed the route: the call was judged like any request.
    Unarmed,
    /// So short that it could be guessed: judged like any request, and the route is as armed as it was.
    TooShort,
    /// Not as its sender writes keys: the same.
    Unreadable,
}

impl Handover {
    /// Every one; metrics are made for each at the start.
    pub const ALL: [Self; 5] = [Self::Kept, Self::Failed, Self::Unarmed, Self::TooShort, Self::Unreadable];

    /// Stable, low-cardinality name for logs, metrics and documentation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Failed => "failed",
            Self::Unarmed => "unarmed",
            Self::TooShort => "too_short",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What came of one check that is tried before it enforces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which.
    pub check: Check,
    /// What.
    pub found: Judgement,
}

/// What would have become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It would have gone on.
    Good,
    /// It would have been answered as a repeat, without WordPress.
    Repeat,
    /// It would have been refused, by this code; where a document is not as agreed, with the places.
    Refused(&'static str, Option<(String, String)>),
    /// Nobody can say, for this reason.
    Unjudged(&'static str),
}

impl Judgement {
    /// Stable, low-cardinality name for logs, metrics and documentation.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Repeat => "repeat",
            Self::Refused(code, _) => code,
            Self::Unjudged(_) => "unjudged",
        }
    }
}

impl Observation {
    /// It would have been refused. Of a body that is longer than the route takes nobody has seen enough to say what else
    /// would be wrong.
    pub fn refused(rejection: Rejection, finding: Option<(String, String)>) -> Self {
        if rejection == Rejection::TooLarge {
            return Self::unjudged(rejection.code());
        }
        Self { check: rejection.check(), found: Judgement::Refused(rejection.code(), finding) }
    }

    /// Nobody can say what would have become of it.
    pub const fn unjudged(reason: &'static str) -> Self {
        Self { check: Check::All, found: Judgement::Unjudged(reason) }
    }
}
