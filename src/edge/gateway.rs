//! What happens to one request? Ordinary traffic streams through Pingora; a guarded request ends here.

mod back;
mod failure;

use super::{
    body::Pace,
    client::Client,
    doorway::{Pulse, head},
    engine::Engine,
    forward::{self, Facts},
    guarded::{Guarded, Visit},
    observed::{Observed, Shadow},
    outbound::is_open,
    reply,
    shown::Shown,
    snapshot::{Current, Snapshot},
    ticket::{Desk, Ticket},
};
use crate::{
    answer,
    clock::Clock,
    event::Arrival,
    gate::Ending,
    guard::{Found, form},
    outcome::{Observation, Outcome},
    policy::Route,
    request::{Head, Target},
    verdict::{Chain, Fault, Refusal, Rejection},
};
use async_trait::async_trait;
use bytes::Bytes;
use http::{StatusCode, Version, header};
use pingora_core::{
    protocols::Digest,
    upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy},
};
use pingora_error::{Error, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, Session};
use std::{net::IpAddr, sync::Arc, time::Instant};

/// Everything that requests share.
pub(super) struct Gateway<E> {
    pub(super) snapshot: Current,
    pub(super) desk: Arc<Desk>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) guarded: Guarded<E>,
    pub(super) shadow: Shadow,
}

/// One request.
pub(super) struct Ctx {
    ticket: Ticket,
    snapshot: Arc<Snapshot>,
    pace: Pace,
    /// Known once the head has passed.
    facts: Option<Facts>,
    /// Reads a form that streams by.
    scanner: Option<form::Scanner>,
    /// Streams by, though it is guarded.
    observed: Option<Observed>,
    /// Streams by, because its token says all that is asked.
    shown: Option<Shown>,
    /// Why the stream was cut.
    refusal: Option<Refusal>,
    /// A connection of the pool was found dead before anything was sent.
    stale: bool,
    connects: usize,
    pulse: Option<Arc<Pulse>>,
}

impl<E: Engine> Gateway<E> {
    /// The doorway has seen HTTP/1 heads; HTTP/2 ones come here first.
    fn check_h2(ctx: &Ctx, session: &Session) -> Result<(), head::Refusal> {
        let request = session.req_header();
        if request.version != Version::HTTP_2 {
            return Ok(());
        }
        let fields = request.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        let head = head::Head {
            method: request.method.as_str().as_bytes(),
            target: request.raw_path(),
            wording: head::Wording::Pseudo(request.uri.authority().map(|authority| authority.as_str().as_bytes())),
            fields: fields.collect(),
        };
        head::check(&head, ctx.snapshot.limits())
    }

    /// Reads the head once, for the guards, for the origin and for the log.
    fn read_head(session: &mut Session, ctx: &mut Ctx) -> Result<Head, Refusal> {
        let settings = &ctx.snapshot.policy.settings;
        let peer = peer_of(session);
        let tls = session.digest().is_some_and(|digest| digest.ssl_digest.is_some());
        let request = session.req_header_mut();
        let client = Client::of(peer, tls, &request.headers, &settings.trusted_proxies);
        ctx.ticket.report.client = Some(client.address);

        let raw = String::from_utf8_lossy(request.raw_path()).into_owned();
        let (authority, target) = match raw.split_once("://") {
            // Absolute form, with the doorway's word that its authority is the Host: only the rest goes on.
            Some((_, rest)) if !raw.starts_with('/') => {
                let at = rest.find('/').unwrap_or(rest.len());
                let (authority, target) = rest.split_at_checked(at).unwrap_or_default();
                request.set_raw_path(target.as_bytes()).map_err(|_| Rejection::TargetUnclear)?;
                (Some(authority.to_owned()), target.to_owned())
            }
            _ => (request.uri.authority().map(ToString::to_string), raw),
        };
        let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok().map(str::to_owned));
        let host = host.or(authority).unwrap_or_else(|| public_host(&ctx.snapshot));
        let target = Target::parse(&target)?;
        target.path().clone_into(&mut ctx.ticket.report.path);
        let request_id = ctx.ticket.request_id().clone();
        let head = Head {
            method: request.method.clone(),
            target,
            host: host.clone(),
            headers: request.headers.clone(),
            client: client.address,
        };
        let http2 = request.version == Version::HTTP_2;
        ctx.facts = Some(Facts { client, host, http2, request_id });
        Ok(head)
    }

    async fn guard(
        &self,
        (index, route): (usize, &Arc<Route>),
        head: Head,
        session: &mut Session,
        ctx: &mut Ctx,
    ) -> Result<()> {
        let Some(facts) = &ctx.facts else { return Err(Error::new_in(ErrorType::InternalError)) };
        ctx.ticket.report.route = Some(route.name.clone());
        let mut forward = session.req_header().clone();
        forward::to_origin(&mut forward, facts)?;
        let visit = Visit {
            snapshot: &ctx.snapshot,
            index,
            route,
            head,
            forward,
            arrival: Arrival { at: self.clock.now(), request_id: ctx.ticket.request_id().clone() },
            began: ctx.ticket.began().into(),
            pace: Pace::new(ctx.snapshot.limits()),
        };
        let report = &mut ctx.ticket.report;
        let ending = self.guarded.handle(visit, session, &mut report.notes, &mut report.took).await;
        let request_id = ctx.ticket.request_id().clone();
        let (outcome, answer) = match ending {
            Ok(Ending::Accepted(receipt)) => (Outcome::Accepted, answer::accepted(route, &receipt)),
            Ok(Ending::Again(known)) => {
                ctx.ticket.report.detail = known.changed.map(|changed| changed.to_string());
                let outcome = if known.changed.is_some() { Outcome::RepeatChanged } else { Outcome::Repeat };
                (outcome, answer::again(route, &known))
            }
            Ok(Ending::Greeted(greeting)) => {
                let answer = answer::greeting(&greeting);
                ctx.ticket.report.detail = Some(greeting.handshake);
                (Outcome::Handshake, answer)
            }
            Ok(Ending::Relayed(answer)) => {
                ctx.ticket.ends(Outcome::Relayed);
                return back::pass(session, answer, &request_id).await;
            }
            // Nobody hears an answer; the failure's path ends the connection.
            Err(Refusal::Rejected(Rejection::Left)) => return Err(Error::new_down(ErrorType::ConnectionClosed)),
            Err(refusal) => return Self::refuse(session, ctx, Some(route), &refusal).await,
        };
        ctx.ticket.ends(outcome);
        reply::write(session, answer, &request_id).await
    }

    /// Whether a request whose token says all that is asked may stream on; if not, it has been answered.
    async fn show(
        &self,
        (index, route): (usize, &Arc<Route>),
        head: Head,
        session: &mut Session,
        ctx: &mut Ctx,
    ) -> Result<bool> {
        ctx.ticket.report.route = Some(route.name.clone());
        ctx.scanner = ctx.snapshot.policy.guards.streaming(&head, index);
        let arrival = Arrival { at: self.clock.now(), request_id: ctx.ticket.request_id().clone() };
        let began = Instant::now();
        let report = &mut ctx.ticket.report;
        let admitted = self.guarded.admit(&ctx.snapshot, route, head, arrival, &mut report.notes).await;
        report.took.judge = began.elapsed();
        match admitted {
            Ok(shown) => {
                ctx.shown = Some(shown);
                Ok(true)
            }
            Err(refusal) => Self::refuse(session, ctx, Some(route), &refusal).await.map(|()| false),
        }
    }

    async fn refuse(session: &mut Session, ctx: &mut Ctx, route: Option<&Route>, refusal: &Refusal) -> Result<()> {
        if let Refusal::Failed(fault) = refusal {
            ctx.ticket.report.detail = Some(Chain(fault).to_string());
        }
        ctx.ticket.ends(Outcome::from(refusal));
        let request_id = ctx.ticket.request_id().clone();
        reply::write(session, answer::refused(route, refusal, &request_id), &request_id).await
    }

    /// Whether the request may stream on; if not, it has been answered.
    async fn meet(&self, session: &mut Session, ctx: &mut Ctx) -> Result<bool> {
        let request = session.req_header();
        ctx.ticket.report.method = Some(request.method.clone());
        ctx.ticket.report.version = request.version;
        if let Err(refusal) = Self::check_h2(ctx, session) {
            ctx.ticket.report.detail = Some(refusal.rule.to_owned());
            ctx.ticket.ends(Outcome::Rejected(Rejection::Head(refusal.rule).code()));
            let request_id = ctx.ticket.request_id().clone();
            reply::write(session, reply::refused_head(refusal.status, &request_id), &request_id).await?;
            return Ok(false);
        }
        let head = match Self::read_head(session, ctx) {
            Ok(head) => head,
            Err(refusal) => return Self::refuse(session, ctx, None, &refusal).await.map(|()| false),
        };
        let snapshot = ctx.snapshot.clone();
        match snapshot.policy.find(&head) {
            (Found::Guarded(index), Some(route)) if route.is_observed() => {
                ctx.ticket.report.route = Some(route.name.clone());
                ctx.scanner = snapshot.policy.guards.bystander(&head);
                let arrival = Arrival { at: self.clock.now(), request_id: ctx.ticket.request_id().clone() };
                ctx.observed = Some(Observed::new((index, route), head, arrival, &self.shadow, &snapshot.room));
                Ok(true)
            }
            (Found::Guarded(index), Some(route)) if route.streams() => {
                self.show((index, route), head, session, ctx).await
            }
            (Found::Guarded(index), Some(route)) => {
                self.guard((index, route), head, session, ctx).await.map(|()| false)
            }
            (Found::Guarded(_), None) => Err(Error::new_in(ErrorType::InternalError)),
            (Found::Ambiguous, _) => {
                Self::refuse(session, ctx, None, &Rejection::TargetUnclear.into()).await.map(|()| false)
            }
            (Found::Batch, _) => Self::refuse(session, ctx, None, &Rejection::Batch.into()).await.map(|()| false),
            (Found::Form(kind), _) => {
                ctx.scanner = Some(snapshot.policy.guards.scanner(&head, kind));
                Ok(true)
            }
            (Found::Open, _) => Ok(true),
        }
    }
}

/// For HTTP/1.0 requests that name no host: the site that stands behind the gate.
fn public_host(snapshot: &Snapshot) -> String {
    let public_url = snapshot.policy.settings.public_url.as_deref();
    let host = public_url.and_then(|url| Some(url.split_once("://")?.1.trim_end_matches('/').to_owned()));
    host.unwrap_or_else(|| snapshot.origin.authority.clone())
}

fn peer_of(session: &Session) -> IpAddr {
    let peer = session.client_addr().and_then(|address| address.as_inet()).map(std::net::SocketAddr::ip);
    peer.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
}

#[async_trait]
impl<E: Engine> ProxyHttp for Gateway<E> {
    type CTX = Ctx;

    fn new_ctx(&self) -> Ctx {
        let (pulse, snapshot) = Pulse::take().unzip();
        let snapshot = snapshot.unwrap_or_else(|| self.snapshot.load_full());
        let pace = Pace::new(snapshot.limits());
        let ticket = self.desk.ticket();
        let (facts, scanner, observed, shown, refusal) = (None, None, None, None, None);
        Ctx { ticket, snapshot, pace, facts, scanner, observed, shown, refusal, stale: false, connects: 0, pulse }
    }

    /// All of these are per read or per write.
    async fn early_request_filter(&self, session: &mut Session, ctx: &mut Ctx) -> Result<()> {
        let limits = ctx.snapshot.limits();
        if session.get_keepalive() == Some(0) && !session.is_process_shutting_down() {
            session.set_keepalive(Some(limits.keepalive.as_secs().max(1))); // Pingora makes it infinite
        }
        session.set_read_timeout(Some(limits.body_idle));
        session.set_write_timeout(Some(limits.answer_idle));
        session.set_total_drain_timeout(Some(reply::LINGER));
        if session.req_header().version == Version::HTTP_10 {
            session.set_ignore_info_resp(true); // RFC 9110 section 15.2
        }
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Ctx) -> Result<bool> {
        self.meet(session, ctx).await.map(|passes| !passes)
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        ctx: &mut Ctx,
    ) -> Result<()> {
        let waited = ctx.pulse.as_ref().map(|pulse| pulse.waited()).unwrap_or_default();
        if !ctx.pace.keeps(body.as_ref().map_or(0, Bytes::len), waited) {
            ctx.refusal = Some(Rejection::TooSlow.into());
            return Err(Error::new_down(ErrorType::ReadTimedout));
        }
        let bytes = body.as_ref().map_or(0, Bytes::len);
        if let Some(Err(rejection)) = ctx.shown.as_mut().map(|shown| shown.add(bytes)) {
            ctx.refusal = Some(rejection.into());
            return Err(Error::new_in(ErrorType::HTTPStatus(413)));
        }
        ctx.observed.iter_mut().for_each(|observed| observed.add(body.as_ref(), end));
        if let Some(scanner) = &mut ctx.scanner {
            match scanner.feed(&body.take().unwrap_or_default(), end) {
                // Never `None` before the end: Pingora would take that for the end.
                form::Verdict::Pass(bytes) => *body = Some(bytes),
                form::Verdict::Refuse => {
                    ctx.refusal = Some(Rejection::GuardedInForm.into());
                    return Err(Error::new_in(ErrorType::HTTPStatus(403)));
                }
            }
        }
        Ok(())
    }

    async fn upstream_peer(&self, _: &mut Session, ctx: &mut Ctx) -> Result<Box<HttpPeer>> {
        let mut peer = ctx.snapshot.origin.peer().ok_or_else(|| Error::new_up(ErrorType::ConnectNoRoute))?;
        if ctx.shown.is_some() {
            // A WebSocket opens on paths that no route guards.
            peer.options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        }
        Ok(Box::new(peer))
    }

    /// Asks the kernel before anything is sent: a POST on a dead connection of the pool would be lost as "unknown".
    async fn connected_to_upstream(
        &self,
        _: &mut Session,
        reused: bool,
        _: &HttpPeer,
        socket: std::os::fd::RawFd,
        _: Option<&Digest>,
        ctx: &mut Ctx,
    ) -> Result<()> {
        ctx.stale = reused && !is_open(socket);
        if ctx.stale { Err(Error::new_up(ErrorType::ConnectionClosed)) } else { Ok(()) }
    }

    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        ctx: &mut Ctx,
        reused: bool,
    ) -> Box<Error> {
        let is_safe = session.req_header().method.is_safe() && session.is_body_empty();
        if std::mem::take(&mut ctx.stale) {
            error.set_retry(true); // nothing was sent
        } else if is_safe {
            error.retry.decide_reuse(reused);
        } else {
            error.set_retry(false);
        }
        error
    }

    fn fail_to_connect(&self, _: &mut Session, _: &HttpPeer, ctx: &mut Ctx, mut error: Box<Error>) -> Box<Error> {
        ctx.connects += 1;
        error.set_retry(ctx.connects < ctx.snapshot.origin.tries());
        error
    }

    async fn upstream_request_filter(&self, _: &mut Session, head: &mut RequestHeader, ctx: &mut Ctx) -> Result<()> {
        let Some(facts) = &ctx.facts else { return Err(Error::new_in(ErrorType::InternalError)) };
        // Pingora has normalised a WebSocket's handshake before this, and refuses a 101 that does not match it.
        forward::to_origin(head, facts)?;
        ctx.shown.as_ref().map_or(Ok(()), |shown| shown.to_origin(head))
    }

    async fn response_filter(&self, session: &mut Session, head: &mut ResponseHeader, ctx: &mut Ctx) -> Result<()> {
        if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(());
        }
        forward::to_client(head, ctx.ticket.request_id())?;
        // RFC 9112 section 2.3: a version speaks of who sends it. Under the origin's HTTP/1.0 a client would keep no
        // connection, or believe in one that is not kept.
        head.set_version(Version::HTTP_11);
        if session.req_header().version == Version::HTTP_10 && !head.headers.contains_key(header::CONTENT_LENGTH) {
            // HTTP/1.0 knows no chunks: the end of the connection is the end of the answer.
            head.remove_header(&header::TRANSFER_ENCODING);
            session.set_keepalive(None);
        }
        reply::closing(session);
        Ok(())
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, ctx: &mut Ctx) -> FailToProxy {
        failure::answer(session, error, ctx).await
    }

    /// The ticket's line has it all.
    fn suppress_error_log(&self, _: &Session, _: &Ctx, _: &Error) -> bool {
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, ctx: &mut Ctx) {
        let status = session.response_written().map(|head| head.status.as_u16());
        ctx.ticket.report.received_bytes = session.body_bytes_read() as u64;
        ctx.ticket.report.sent_bytes = session.body_bytes_sent() as u64;
        let took = status.is_some_and(|status| (200..300).contains(&status));
        let is_observed = ctx.observes(&self.shadow, took);
        if !ctx.ticket.has_ended() {
            let outcome = match error {
                None if is_observed => Outcome::Observed,
                None if ctx.shown.is_some() => Outcome::Relayed,
                None => Outcome::Passed,
                Some(error) => failure::outcome(error, ctx),
            };
            ctx.ticket.ends(outcome);
        }
        ctx.ticket.answered(status);
    }
}

impl Drop for Ctx {
    fn drop(&mut self) {
        if let Some(observed) = self.observed.take() {
            observed.give_up(&mut self.ticket.report.notes);
        }
    }
}

impl Ctx {
    /// Why the stream was cut, if it was the gate that cut it.
    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// Judges what has streamed by, and tells whether anything of it is observed.
    fn observes(&mut self, shadow: &Shadow, took: bool) -> bool {
        let report = &mut self.ticket.report;
        if let Some(observed) = self.observed.take() {
            observed.conclude(&self.snapshot, shadow, took, &mut report.notes);
            return true;
        }
        if self.shown.is_some() {
            return false;
        }
        let named = self.scanner.as_ref().and_then(form::Scanner::observed);
        let Some(route) = named.and_then(|index| self.snapshot.policy.routes.get(index)) else { return false };
        report.route = Some(route.name.clone());
        report.notes.observed.push(Observation::refused(Rejection::GuardedInForm, None));
        true
    }

    fn fails(&mut self, fault: Fault) -> Refusal {
        let refusal = Refusal::from(fault);
        if let Refusal::Failed(fault) = &refusal {
            self.ticket.report.detail = Some(Chain(fault).to_string());
        }
        self.ticket.ends(Outcome::from(&refusal));
        refusal
    }
}
