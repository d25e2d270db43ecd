//! Whose failure is it? A stream that is full, away or not to be had is to blame itself; an acknowledgement that does not
//! come is nobody's yet.

use crate::{
    destination::{PublishError, Retry},
    verdict::BoxError,
};
use async_nats::{
    ConnectError, ConnectErrorKind,
    jetstream::{
        self, ErrorCode,
        context::{self, GetStreamError, GetStreamErrorKind, PublishErrorKind},
    },
};

/// Nothing was sent.
pub(super) fn unreachable(source: impl Into<BoxError>) -> PublishError {
    destination("connect", source)
}

/// Sent, and not answered.
pub(super) fn no_answer(source: impl Into<BoxError>) -> PublishError {
    PublishError { reason: "no_answer".to_owned(), retry: Retry::Unknown, source: Some(source.into()) }
}

/// The stream is not as the policy wants it.
pub(super) fn not_durable(why: String) -> PublishError {
    destination("not_durable", why)
}

fn destination(reason: &str, source: impl Into<BoxError>) -> PublishError {
    let retry = Retry::Destination { after: None };
    PublishError { reason: reason.to_owned(), retry, source: Some(source.into()) }
}

pub(super) fn of_connect(error: ConnectError) -> PublishError {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            destination("not_allowed", error)
        }
        ConnectErrorKind::ServerParse
        | ConnectErrorKind::Dns
        | ConnectErrorKind::TimedOut
        | ConnectErrorKind::Tls
        | ConnectErrorKind::Io
        | ConnectErrorKind::MaxReconnects => unreachable(error),
    }
}

/// Of the stream, before anything is published to it.
pub(super) fn of_look(error: GetStreamError) -> PublishError {
    match code(&error).or_else(|| look_code(&error)) {
        Some(ErrorCode::STREAM_NOT_FOUND) => destination("no_stream", error),
        Some(code) => destination(of_code(code), error),
        None => destination("not_ready", error),
    }
}

/// Some errors carry it in their kind.
fn look_code(error: &GetStreamError) -> Option<ErrorCode> {
    match error.kind() {
        GetStreamErrorKind::JetStream(said) => Some(said.error_code()),
        _ => None,
    }
}

/// Whether the connection ended before an acknowledgement came.
pub(super) fn is_lost(error: &context::PublishError) -> bool {
    match error.kind() {
        PublishErrorKind::BrokenPipe => true,
        PublishErrorKind::Other => code(error).is_none(),
        PublishErrorKind::StreamNotFound
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::WrongLastSequence
        | PublishErrorKind::TimedOut
        | PublishErrorKind::MaxAckPending
        | PublishErrorKind::MaxPayloadExceeded => false,
    }
}

/// Whether the event's own subject has one already.
pub(super) fn is_there(error: &context::PublishError) -> bool {
    match error.kind() {
        PublishErrorKind::WrongLastSequence => true,
        PublishErrorKind::StreamNotFound
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::MaxAckPending
        | PublishErrorKind::MaxPayloadExceeded
        | PublishErrorKind::Other => false,
    }
}

/// What the server said.
fn code(error: &(dyn std::error::Error + 'static)) -> Option<ErrorCode> {
    error.source()?.downcast_ref().map(jetstream::Error::error_code)
}

/// What an answer that is no acknowledgement says.
pub(super) fn of(error: context::PublishError) -> PublishError {
    match (error.kind(), code(&error)) {
        (PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe, _) | (PublishErrorKind::Other, None) => {
            no_answer(error)
        }
        // No stream listens to this subject: it was deleted, or JetStream is not there yet after a start.
        (PublishErrorKind::StreamNotFound, _) => destination("no_stream", error),
        (PublishErrorKind::MaxAckPending, _) => destination("busy", error),
        (PublishErrorKind::MaxPayloadExceeded, _)
        | (_, Some(ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM)) => {
            refused(PublishError::TOO_LARGE, error)
        }
        (PublishErrorKind::WrongLastMessageId | PublishErrorKind::WrongLastSequence, _) => refused("sequence", error),
        (PublishErrorKind::Other, Some(code)) => destination(of_code(code), error),
    }
}

fn refused(reason: &str, source: impl Into<BoxError>) -> PublishError {
    PublishError { reason: reason.to_owned(), retry: Retry::Refused, source: Some(source.into()) }
}

/// <https://github.com/nats-io/nats-server/blob/main/server/errors.json>
fn of_code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED
        | ErrorCode::STREAM_STORE_FAILED => "out_of_space",
        ErrorCode::STREAM_NOT_MATCH | ErrorCode::STREAM_MISMATCH => "another_stream",
        ErrorCode::STREAM_SEALED => "sealed",
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => "not_enabled",
        _ => "not_ready",
    }
}
