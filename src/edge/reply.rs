//! How is an answer of the gate's own written, so that it arrives, and the connection stays in step?

use crate::answer::{self, Answer};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use pingora_error::Result;
use pingora_http::ResponseHeader;
use pingora_proxy::Session;
use std::time::Duration;
use tokio::time::timeout;

/// Under this name the correlation id is returned to the client and sent to the origin. Clients cannot set it.
pub(super) const REQUEST_ID: &str = "hookwarden-request-id";

/// After a refusal the gate reads on for a moment: closing with unread bytes makes the kernel send a reset, which can
/// destroy the answer on its way.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// What a sender may have had under way when it was refused.
pub(super) const LINGER_BYTES: usize = 64 * 1024;

/// What a refused head is answered with.
pub(super) fn refused_head(status: StatusCode, request_id: &str) -> Answer {
    let code = match status.as_u16() {
        405 => "method_not_allowed",
        408 => "too_slow",
        414 => "target_too_long",
        417 => "expectation_failed",
        431 => "head_too_large",
        501 => "not_implemented",
        505 => "version_not_supported",
        _ => "bad_request",
    };
    answer::problem(status, code, request_id)
}

/// The whole answer as HTTP/1 bytes, for a connection that ends with it.
pub(super) fn raw(answer: &Answer, request_id: &str, without_body: bool) -> Bytes {
    let Answer { status, content_type, body, .. } = answer;
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         {REQUEST_ID}: {request_id}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    if !without_body {
        bytes.extend_from_slice(body);
    }
    bytes.into()
}

/// Writes the answer, and reads on for a moment if the request's body has not come to its end: unread bytes at close
/// become a reset, which can destroy the answer (HTTP/1), or `RST_STREAM`, which curl reports as an error (HTTP/2).
pub(super) async fn write(session: &mut Session, answer: Answer, request_id: &str) -> Result<()> {
    let mut head = ResponseHeader::build(answer.status, Some(8))?;
    let bodiless = matches!(answer.status.as_u16(), 204 | 304);
    if !bodiless {
        head.insert_header(header::CONTENT_LENGTH, answer.body.len())?;
        if !answer.content_type.is_empty() {
            head.insert_header(header::CONTENT_TYPE, answer.content_type)?;
        }
    }
    head.insert_header(header::CACHE_CONTROL, "no-store")?;
    if let Some(seconds) = answer.retry_after_s {
        head.insert_header(header::RETRY_AFTER, seconds)?;
    }
    if let Some((name, value)) = answer.field {
        head.insert_header(name, value)?;
    }
    for (name, value) in answer.wanted {
        head.insert_header(name, value)?;
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        head.insert_header(REQUEST_ID, id)?;
    }
    closing(session);
    let without_body = bodiless || session.req_header().method == Method::HEAD;
    session.write_response_header(Box::new(head), without_body).await?;
    if !without_body {
        session.write_response_body(Some(answer.body), true).await?;
    }
    linger(session).await;
    Ok(())
}

/// An answer during a drain says `Connection: close`; Pingora alone would still say keep-alive.
pub(super) fn closing(session: &mut Session) {
    if session.is_process_shutting_down() {
        session.set_keepalive(None);
    }
}

async fn linger(session: &mut Session) {
    if session.is_body_done() {
        return;
    }
    session.set_keepalive(None); // what is left of the body would be read as the next request
    let mut left = LINGER_BYTES;
    let _ = timeout(LINGER, async {
        while let Ok(Some(chunk)) = session.read_request_body().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    })
    .await;
}
