//! What does the sender hear? The one place where a decision becomes an HTTP status.

use crate::{
    ledger::{Known, Receipt, Success},
    policy::{Route, Sender},
    verdict::{Fault, Refusal, Rejection, TokenError, TokenFlaw},
    verify::{Greeting, jwt},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

/// An answer of the gate's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u64>,
    /// The media type of the body, unless that is empty.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
    /// `WWW-Authenticate`, `Allow` and other fields that go with the status.
    pub field: Option<(&'static str, HeaderValue)>,
    /// Fields that a vendor wants in the answer to its validation call.
    pub wanted: Vec<(HeaderName, HeaderValue)>,
}

/// RFC 9457.
const PROBLEM: &str = "application/problem+json";

/// What an accepted event is answered with.
pub fn accepted(route: &Route, receipt: &Receipt) -> Answer {
    ok(route, &json!({ "status": "accepted", "id": receipt.event() }).to_string())
}

/// What a repeat is answered with: senders retry, and want the same answer again. Of what WordPress said to a request that
/// was passed on, that is the status.
pub fn again(route: &Route, known: &Known) -> Answer {
    let accepted = ok(route, &json!({ "status": "accepted" }).to_string());
    match known.success.map(Success::status) {
        None => accepted,
        // These have no content: RFC 9110 sections 15.3.5 and 15.3.6.
        Some(status @ (StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT)) => plain(status, String::new()),
        Some(status) => Answer { status, ..accepted },
    }
}

/// What a validation call is answered with: text that no browser takes for a page.
pub fn greeting(greeting: &Greeting) -> Answer {
    let status = StatusCode::from_u16(greeting.status).unwrap_or(StatusCode::OK);
    let field = Some(("x-content-type-options", HeaderValue::from_static("nosniff")));
    let wanted = greeting.headers.clone();
    Answer { content_type: greeting.content_type, field, wanted, ..plain(status, greeting.body.clone()) }
}

fn ok(route: &Route, body: &str) -> Answer {
    let wanted = &route.respond;
    let status = wanted.accepted.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::ACCEPTED);
    match &wanted.accepted_body {
        Some(text) => {
            let content_type = wanted.accepted_type.unwrap_or("text/plain");
            Answer { content_type, ..plain(status, text.clone()) }
        }
        None => Answer { content_type: "application/json", ..plain(status, body.to_owned()) },
    }
}

/// What a refused request is answered with. `route` is absent where none was found yet.
pub fn refused(route: Option<&Route>, refusal: &Refusal, request_id: &str) -> Answer {
    match refusal {
        Refusal::Rejected(rejection) => rejected(route, *rejection, request_id),
        Refusal::Failed(fault) => failed(fault, request_id),
    }
}

fn rejected(route: Option<&Route>, rejection: Rejection, request_id: &str) -> Answer {
    let (status, code) = match rejection {
        Rejection::Head(_) | Rejection::TargetUnclear | Rejection::BodyBroken | Rejection::Left => {
            (StatusCode::BAD_REQUEST, "bad_request")
        }
        Rejection::GuardedInForm | Rejection::Batch => (StatusCode::FORBIDDEN, "forbidden"),
        Rejection::Method => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        Rejection::ContentType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_content_type"),
        Rejection::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Rejection::TooSlow | Rejection::Unread => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
        Rejection::AddressLimited(_)
        | Rejection::SenderLimited(_)
        | Rejection::HandshakeAddressLimited(_)
        | Rejection::HandshakeRouteLimited(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        Rejection::Token(flaw) => match flaw.error() {
            TokenError::InvalidRequest => (StatusCode::BAD_REQUEST, "bad_request"),
            TokenError::InsufficientScope => (StatusCode::FORBIDDEN, "insufficient_scope"),
            TokenError::None | TokenError::Invalid => (StatusCode::UNAUTHORIZED, "unauthenticated"),
        },
        // One answer for all: which check failed is what an attacker would like to know.
        Rejection::AddressNotListed
        | Rejection::ReferenceRefused
        | Rejection::Unconfirmed
        | Rejection::SignatureMissing
        | Rejection::SignatureMalformed
        | Rejection::SignatureMismatch
        | Rejection::NoKey
        | Rejection::Stale
        | Rejection::FromTheFuture => (StatusCode::UNAUTHORIZED, "unauthenticated"),
        Rejection::Malformed => (StatusCode::BAD_REQUEST, "malformed"),
        Rejection::StateRefused
        | Rejection::ContractBroken
        | Rejection::ContractUnknown
        | Rejection::ContractSunset => (StatusCode::UNPROCESSABLE_ENTITY, "unprocessable"),
    };
    let wanted = route.and_then(|route| route.respond.unauthenticated).filter(|_| rejection.is_authentication());
    let status = wanted.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(status);
    let body = route.and_then(|route| route.respond.unauthenticated_body.clone());
    let mut answer = match body.filter(|_| rejection.is_authentication()) {
        Some(text) => Answer { content_type: "text/plain", ..plain(status, text) },
        None => problem(status, code, request_id),
    };
    match rejection {
        Rejection::AddressLimited(wait)
        | Rejection::SenderLimited(wait)
        | Rejection::HandshakeAddressLimited(wait)
        | Rejection::HandshakeRouteLimited(wait) => {
            answer.retry_after_s = Some(wait.as_secs().saturating_add(1));
        }
        Rejection::Method => {
            let methods = route.into_iter().flat_map(|route| &route.admit.methods).map(http::Method::as_str);
            let allowed = HeaderValue::from_str(&methods.collect::<Vec<_>>().join(", "));
            answer.field = allowed.ok().map(|allowed| ("allow", allowed));
        }
        Rejection::Token(flaw) => answer.field = route.and_then(|route| asks(route, flaw)),
        rejection if rejection.is_authentication() && status == StatusCode::UNAUTHORIZED => {
            // RFC 9110 section 11.6.1 wants a challenge with every 401.
            answer.field = Some(("www-authenticate", HeaderValue::from_static("Signature")));
        }
        _ => {}
    }
    answer
}

/// RFC 6750 section 3: what a client hears in every answer about its token.
fn asks(route: &Route, flaw: TokenFlaw) -> Option<(&'static str, HeaderValue)> {
    let Sender::Token(tokens) = &route.sender else { return None };
    let challenge = jwt::challenge(flaw, &route.name, tokens.rule.scopes());
    Some(("www-authenticate", HeaderValue::from_str(&challenge).ok()?))
}

fn failed(fault: &Fault, request_id: &str) -> Answer {
    let (status, code) = match fault {
        Fault::NoRoom
        | Fault::LedgerFull
        | Fault::LedgerBusy
        | Fault::Ledger(_)
        | Fault::KeyPending
        | Fault::KeysUnavailable
        | Fault::Unconfirmable(_)
        | Fault::TooLate
        | Fault::LeaseLost
        | Fault::OriginUnreachable(_)
        | Fault::OriginBusy
        | Fault::KeyNotKept(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        // Nothing that would be better the next time.
        Fault::EventTooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "event_too_large"),
        Fault::OriginUnknown(_) => (StatusCode::GATEWAY_TIMEOUT, "origin_timeout"),
        Fault::OriginRedirected => (StatusCode::BAD_GATEWAY, "origin_redirected"),
    };
    let retry_after_s = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_S);
    Answer { retry_after_s, ..problem(status, code, request_id) }
}

/// Long enough for a disk to be freed, short enough for a vendor that gives up after a minute.
const RETRY_AFTER_S: u64 = 15;

/// An RFC 9457 problem: what the sender may know, and the name under which the operator finds the rest.
pub fn problem(status: StatusCode, code: &str, request_id: &str) -> Answer {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = json!({
        "type": format!("urn:hookwarden:problem:{code}"),
        "title": title,
        "status": status.as_u16(),
        "code": code,
        "request_id": request_id,
    });
    Answer { content_type: PROBLEM, ..plain(status, body.to_string()) }
}

fn plain(status: StatusCode, body: String) -> Answer {
    Answer { status, retry_after_s: None, content_type: "", body: body.into(), field: None, wanted: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sender that is told 503 repeats for days what never fits.
    #[test]
    fn what_no_repeat_makes_smaller_is_no_reason_to_repeat_it() {
        let answer = failed(&Fault::EventTooLarge("max_payload".into()), "r");
        assert_eq!((answer.status, answer.retry_after_s), (StatusCode::PAYLOAD_TOO_LARGE, None));
        let body = std::str::from_utf8(&answer.body).unwrap();
        assert!(body.contains("event_too_large") && !body.contains("max_payload"), "{body}");
        assert_eq!(failed(&Fault::LedgerBusy, "r").retry_after_s, Some(RETRY_AFTER_S));
    }
}
