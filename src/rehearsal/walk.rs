//! How far did a request come, phase by phase, and what did each phase say? For people who ask why.

use super::Played;
use crate::{
    clock::Timestamp,
    event::Form,
    guard::Reading,
    outcome::Handover,
    policy::{Decision, Delivery, Policy, Route, Sender, written_size, written_time},
    repeat::Window,
    request::{Head, Unverified},
    verdict::{Fault, Rejection, TokenFlaw},
    verify::Held,
};

/// A phase of [`gate`](crate::gate), in the order in which a request meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Which endpoint is it for?
    Guard,
    /// May such a request come in?
    Admit,
    /// Is it a validation call?
    Handshake,
    /// Who sent it?
    Verify,
    /// When was it signed?
    Age,
    /// What does it say?
    Read,
    /// Is it as agreed?
    Schema,
    /// What is taken out?
    Redaction,
    /// Where does it go?
    Delivery,
}

/// What came of one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result {
    /// The request went on.
    Good,
    /// It ended here, well.
    Done,
    /// It was refused here.
    Refused,
    /// This route has no such phase.
    Nothing,
    /// The request did not come so far.
    NotReached,
}

/// One phase, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub phase: Phase,
    /// What came of it.
    pub result: Result,
    /// What it said.
    pub words: String,
}

/// What is known of a request beside what the gate said of it.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The policy that it was played by.
    pub policy: &'a Policy,
    /// The request.
    pub request: &'a Unverified,
    /// When it came.
    pub now: Timestamp,
    /// The signature, if it holds.
    pub held: Option<&'a Held>,
}

impl Phase {
    /// All, in order.
    pub const ALL: [Self; 9] = [
        Self::Guard,
        Self::Admit,
        Self::Handshake,
        Self::Verify,
        Self::Age,
        Self::Read,
        Self::Schema,
        Self::Redaction,
        Self::Delivery,
    ];

    /// Stable, for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Admit => "admit",
            Self::Handshake => "handshake",
            Self::Verify => "verify",
            Self::Age => "age",
            Self::Read => "read",
            Self::Schema => "schema",
            Self::Redaction => "redaction",
            Self::Delivery => "delivery",
        }
    }

    /// Where a request with this code ended.
    pub fn of(code: &str) -> Self {
        match code {
            "head_refused" | "target_unclear" | "batch_refused" => Self::Guard,
            "guarded_in_form" | "method_not_allowed" | "content_type" | "too_large" | "too_slow" | "body_broken"
            | "answer_unread" | "address_limited" | "aborted" => Self::Admit,
            "handshake" | "handshake_address_limited" | "handshake_route_limited" => Self::Handshake,
            "address_not_listed"
            | "reference_refused"
            | "signature_missing"
            | "signature_malformed"
            | "signature_mismatch"
            | "no_key"
            | "key_pending"
            | "keys_unavailable" => Self::Verify,
            "stale" | "from_the_future" => Self::Age,
            "malformed" | "sender_limited" => Self::Read,
            "contract_broken" | "contract_unknown" | "contract_sunset" => Self::Schema,
            token if token.starts_with("token_") => Self::Verify,
            _ => Self::Delivery,
        }
    }
}

impl Result {
    /// Stable, for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Nothing => "none",
            Self::NotReached => "not_reached",
        }
    }
}

/// Every phase of what was played, in words.
pub fn walk(played: &Played, facts: Facts<'_>) -> Vec<Step> {
    let code = played.code();
    let observed_well = played.decision == Decision::Observed && code == "ok";
    let refused = match played.decision {
        Decision::Refused | Decision::Failed => true,
        Decision::Observed => !observed_well,
        Decision::Passed | Decision::Accepted | Decision::Repeat | Decision::Relayed | Decision::Handshake => false,
    };
    let Some(route) = &played.route else { return stranger(played, refused) };
    let stopped = if refused || code == "handshake" { Phase::of(code) } else { Phase::Delivery };
    // A signed validation call is verified before it is known for one.
    let verified = code == "handshake" && played.notes.key_id.is_some();
    let step = |phase: Phase| {
        let words = words(phase, route, played, facts);
        let result = if phase == stopped && refused {
            Result::Refused
        } else if verified && matches!(phase, Phase::Verify | Phase::Age) {
            words.as_ref().map_or(Result::Nothing, |_| Result::Good)
        } else if phase > stopped {
            Result::NotReached
        } else if phase == stopped {
            Result::Done
        } else {
            words.as_ref().map_or(Result::Nothing, |_| Result::Good)
        };
        let words = match result {
            Result::Refused => pending(code, route).unwrap_or_else(|| format!("{code}: {}", meaning(code))),
            Result::NotReached => "not reached".to_owned(),
            Result::Good | Result::Done | Result::Nothing => words.unwrap_or_else(|why| why),
        };
        Step { phase, result, words }
    };
    Phase::ALL.into_iter().map(step).collect()
}

/// What is for no route.
fn stranger(played: &Played, refused: bool) -> Vec<Step> {
    let code = played.code();
    let (result, words) = if refused {
        (Result::Refused, format!("{code}: {}", meaning(code)))
    } else {
        (Result::Done, "no route guards this: it streams to the origin unread, and back".to_owned())
    };
    vec![Step { phase: Phase::Guard, result, words }]
}

/// What a phase says where the request went on; the error where this route has nothing to say.
fn words(phase: Phase, route: &Route, played: &Played, facts: Facts<'_>) -> std::result::Result<String, String> {
    let head = &facts.request.head;
    match phase {
        Phase::Guard => Ok(guarded(route, head, facts.policy)),
        Phase::Admit => {
            let (bytes, most) = (facts.request.raw.len(), written_size(route.admit.body_limit_bytes as u64));
            let kind = head.media_type();
            let kind = if kind.is_empty() { "no content type".to_owned() } else { kind };
            Ok(format!("{}, {kind}, {bytes} bytes of {most}", head.method))
        }
        Phase::Handshake => handshake(route, played),
        Phase::Verify => Ok(verified(route, played, facts.held)),
        Phase::Age => age(route, facts),
        Phase::Read => Ok(read(played)),
        Phase::Schema => match &played.notes.contract {
            Some(version) => Ok(format!("as agreed, version {version}")),
            None if route.contract.has_schema() => Ok("as agreed".to_owned()),
            None => Err("the route has no schema".to_owned()),
        },
        Phase::Redaction => {
            if route.contract.redacts() {
                Ok(redacted(played, facts.request.raw.len()))
            } else {
                Err("the route takes nothing out".to_owned())
            }
        }
        Phase::Delivery => Ok(delivered(route, played, facts.policy)),
    }
}

fn guarded(route: &Route, head: &Head, policy: &Policy) -> String {
    let index = policy.routes.iter().position(|known| known.name == route.name);
    let readings = policy.guards.readings(head).into_iter().filter(|(found, _)| Some(*found) == index);
    let readings: Vec<String> = readings.map(|(_, reading): (usize, Reading)| reading.to_string()).collect();
    let by = if readings.is_empty() { "a field of the form".to_owned() } else { readings.join("; ") };
    format!("route `{}` (`{}`), by {by}", route.name, route.at)
}

fn handshake(route: &Route, played: &Played) -> std::result::Result<String, String> {
    if played.decision == Decision::Handshake {
        let status = played.answer.as_ref().map_or(200, |answer| answer.status.as_u16());
        return Ok(format!("a validation call: it is answered with {status}, and becomes no event"));
    }
    if played.notes.handover == Some(Handover::Unarmed) {
        let route = &route.name;
        return Ok(format!(
            "it hands a key over, which is taken while `hookwarden handshake arm {route}` says so; here it is none"
        ));
    }
    let unfit = match played.notes.handover {
        Some(Handover::TooShort) => Some("has fewer than 16 bytes, and could be guessed"),
        Some(Handover::Unreadable) => Some("is not as this sender writes its keys"),
        Some(Handover::Kept | Handover::Failed | Handover::Unarmed) | None => None,
    };
    if let Some(why) = unfit {
        return Ok(format!("it hands over a key that {why}: it is none here"));
    }
    let calls = match &route.sender {
        Sender::Webhook(webhook) => webhook.handshakes(),
        Sender::Token(_) => &[],
    };
    if calls.is_empty() {
        return Err("this sender makes no validation calls here".to_owned());
    }
    let names: Vec<_> = calls.iter().map(|call| format!("`{}`", call.name)).collect();
    Ok(format!("none of its validation calls ({})", names.join(", ")))
}

/// What came too late, or too early, was signed all the same.
fn verified(route: &Route, played: &Played, held: Option<&Held>) -> String {
    let key = played.notes.key_id.as_deref().or(held.map(|held| held.key_id.as_str())).unwrap_or("-");
    if route.sender.webhook().is_some_and(|webhook| webhook.provider().scheme.shows_nothing()) {
        return "nobody signed it, and the policy takes it so (`accept: unsigned`)".to_owned();
    }
    match &route.sender {
        Sender::Webhook(webhook) => {
            let scheme = &webhook.provider().scheme;
            let place = scheme.signature_header().map_or_else(String::new, |header| format!(" in `{header}`"));
            format!("signed by key `{key}`: {}{place}", scheme.describe())
        }
        Sender::Token(tokens) => format!("a token of issuer `{}`, key `{key}`", tokens.rule.issuer().terms().name),
    }
}

fn age(route: &Route, facts: Facts<'_>) -> std::result::Result<String, String> {
    let Sender::Webhook(webhook) = &route.sender else { return Err("the token says it itself".to_owned()) };
    let signed_at = facts.held.and_then(|held| held.signed_at);
    match (webhook.window(), signed_at) {
        (Window::Signed { max_age, max_future }, Some(at)) => {
            let (age, future) = (written_time(max_age), written_time(max_future));
            Ok(if let Some(since) = facts.now.since(at) {
                format!("signed {} s before it came; at most {age} (`max_age`)", since.as_secs())
            } else {
                let ahead = at.since(facts.now).unwrap_or_default();
                format!("signed {} s after it came; at most {future} (`max_future`)", ahead.as_secs())
            })
        }
        _ => Err("this sender signs no time".to_owned()),
    }
}

fn read(played: &Played) -> String {
    let kind = played.notes.event_type.as_deref();
    kind.map_or_else(|| "an event without a type".to_owned(), |kind| format!("an event of the type `{kind}`"))
}

fn redacted(played: &Played, came: usize) -> String {
    let goes = played.relayed.as_ref().map(bytes::Bytes::len);
    match goes {
        Some(goes) if goes != came => format!("what the policy takes out is out: {came} bytes came, {goes} go on"),
        _ => "what the policy takes out is out, where it was there".to_owned(),
    }
}

fn delivered(route: &Route, played: &Played, policy: &Policy) -> String {
    let origin = &policy.settings.origin.url;
    if played.decision == Decision::Observed {
        return format!("the route is only tried: it reaches {origin} as it came");
    }
    match &route.delivery {
        Delivery::Relay => format!("relayed at once to {origin}"),
        Delivery::Direct { to, .. } => format!("handed at once to `{to}`, which alone keeps it"),
        Delivery::Queue { to, form } => {
            let form = match form {
                Form::Event => "as an event",
                Form::Verbatim => "verbatim",
            };
            let to = played.event.as_ref().map_or(to, |event| &event.to);
            let names: Vec<_> = to.iter().map(|name| format!("`{name}`")).collect();
            let mut told = format!("queued, then {form} to {}", names.join(", "));
            if !played.notes.left_out.is_empty() {
                told.push_str(&format!("; {} do not want this type", played.notes.left_out.join(", ")));
            }
            told
        }
    }
}

/// A gate fetches what its senders publish; nobody does here.
fn pending(code: &str, route: &Route) -> Option<String> {
    let Sender::Webhook(webhook) = &route.sender else { return None };
    let scheme = &webhook.provider().scheme;
    let what = match code {
        "key_pending" if scheme.is_certified() => {
            "the certificate that the request names is fetched by a gate that runs, and not here; to try the signature, \
             write the certificate's PEM as a key into `keys` of the route"
        }
        "key_pending" | "keys_unavailable" if scheme.published().is_some() => {
            "the keys that the sender publishes are fetched by a gate that runs, and not here; to try the signature, \
             write its JWK Set as a key into `keys` of the route"
        }
        _ => return None,
    };
    Some(format!("{code}: {what}"))
}

/// The words of a code.
fn meaning(code: &str) -> String {
    let rejections = [
        Rejection::TargetUnclear,
        Rejection::GuardedInForm,
        Rejection::Batch,
        Rejection::Method,
        Rejection::ContentType,
        Rejection::TooLarge,
        Rejection::AddressNotListed,
        Rejection::ReferenceRefused,
        Rejection::Unconfirmed,
        Rejection::StateRefused,
        Rejection::SignatureMissing,
        Rejection::SignatureMalformed,
        Rejection::SignatureMismatch,
        Rejection::NoKey,
        Rejection::Stale,
        Rejection::FromTheFuture,
        Rejection::Malformed,
        Rejection::ContractBroken,
        Rejection::ContractUnknown,
        Rejection::ContractSunset,
    ];
    let tokens = TokenFlaw::ALL.iter().copied().map(Rejection::Token);
    let known = rejections.into_iter().chain(tokens).find(|rejection| rejection.code() == code);
    let faults = [Fault::KeysUnavailable, Fault::KeyPending];
    let fault = faults.into_iter().find(|fault| fault.code() == code).map(|fault| fault.to_string());
    known.map(|rejection| rejection.to_string()).or(fault).unwrap_or_else(|| "it went no further".to_owned())
}
