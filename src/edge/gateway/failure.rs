//! A stream broke: whose fault was it, and what can still be said to the client?

use super::Ctx;
use crate::{
    answer::{self, Answer},
    edge::{body::fault_of, reply},
    outcome::Outcome,
    verdict::{Fault, Refusal, Rejection},
};
use http::StatusCode;
use pingora_error::{Error, ErrorSource, ErrorType};
use pingora_proxy::{FailToProxy, Session};

/// What is known of a broken stream.
enum Broken {
    /// The gate cut it.
    Refused,
    /// Nobody is there to hear an answer.
    ClientGone,
    Client(Rejection),
    Origin(Fault, StatusCode),
    Gate,
}

pub(super) async fn answer(session: &mut Session, error: &Error, ctx: &mut Ctx) -> FailToProxy {
    let (answer, outcome) = judge(error, ctx);
    ctx.ticket.ends(outcome);
    let code = answer.as_ref().map_or(0, |answer| answer.status.as_u16());
    session.set_keepalive(None);
    if let Some(answer) = answer
        && session.response_written().is_none_or(|head| head.status.is_informational())
    {
        let request_id = ctx.ticket.request_id().clone();
        let _ = reply::write(session, answer, &request_id).await; // a client that is gone hears nothing
    }
    FailToProxy { error_code: code, can_reuse_downstream: false }
}

/// For a stream that broke when nothing could be answered any more.
pub(super) fn outcome(error: &Error, ctx: &mut Ctx) -> Outcome {
    judge(error, ctx).1
}

fn judge(error: &Error, ctx: &mut Ctx) -> (Option<Answer>, Outcome) {
    let id = ctx.ticket.request_id().clone();
    match sort(error, ctx) {
        Broken::Refused => match ctx.refusal() {
            Some(refusal) => (Some(answer::refused(None, refusal, &id)), Outcome::from(refusal)),
            None => (None, Outcome::Aborted),
        },
        Broken::ClientGone => (None, Outcome::Aborted),
        Broken::Client(rejection) => {
            let refusal = Refusal::from(rejection);
            (Some(answer::refused(None, &refusal, &id)), Outcome::from(&refusal))
        }
        Broken::Origin(fault, status) => {
            let refusal = ctx.fails(fault);
            let answer = match status {
                StatusCode::BAD_GATEWAY => answer::problem(status, "bad_gateway", &id),
                _ => answer::refused(None, &refusal, &id),
            };
            (Some(answer), Outcome::from(&refusal))
        }
        Broken::Gate => {
            ctx.ticket.report.detail = Some(error.to_string());
            (Some(answer::problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", &id)), Outcome::Failed("internal"))
        }
    }
}

fn sort(error: &Error, ctx: &Ctx) -> Broken {
    use ErrorType::{
        ConnectError, ConnectNoRoute, ConnectProxyFailure, ConnectRefused, ConnectTimedout, InvalidCert, ReadTimedout,
        SocketError, TLSHandshakeFailure, TLSHandshakeTimedout, UnknownError, WriteError, WriteTimedout,
    };
    if ctx.refusal().is_some() {
        return Broken::Refused;
    }
    let cause = || error.to_string().into();
    match (error.esource(), error.etype()) {
        (
            ErrorSource::Upstream,
            ConnectTimedout | ConnectRefused | ConnectNoRoute | ConnectError | ConnectProxyFailure | SocketError
            | TLSHandshakeFailure | TLSHandshakeTimedout | InvalidCert | UnknownError,
        ) => Broken::Origin(Fault::OriginUnreachable(cause()), StatusCode::SERVICE_UNAVAILABLE),
        (ErrorSource::Upstream, ReadTimedout | WriteTimedout) => {
            Broken::Origin(Fault::OriginUnknown(cause()), StatusCode::GATEWAY_TIMEOUT)
        }
        (ErrorSource::Upstream, _) => Broken::Origin(Fault::OriginUnknown(cause()), StatusCode::BAD_GATEWAY),
        (ErrorSource::Downstream, WriteError) => Broken::ClientGone,
        (ErrorSource::Downstream, WriteTimedout) => Broken::Client(Rejection::Unread),
        (ErrorSource::Downstream, _) => match fault_of(error) {
            Rejection::Left => Broken::ClientGone,
            rejection => Broken::Client(rejection),
        },
        (ErrorSource::Internal | ErrorSource::Unset, _) => Broken::Gate,
    }
}
