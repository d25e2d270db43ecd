//! What becomes of a believed request that is passed on, when the sender's patience is shorter than the origin's
//! work?
//!
//! The call is a task of its own: when the sender's answer is due it hears 504, and the call goes on. The lease hears
//! the end of every call exactly once, before the sender does; where the end is unknown it hears nothing, and lapses:
//! the sender's retry waits for it, and is not a second order.

use super::{
    escort::Escort,
    origin::Origin,
    outbound::{PingoraOutbound, Streaming},
    ticket::{Alarm, Desk},
};
use crate::{
    gate::{self, Relayed},
    ledger::{Lease, Leased, Leases, Settled, Success},
    outbound::Failure,
    payload::Clean,
    policy::{Route, Sender},
    repeat::RepeatKeys,
    verdict::Fault,
};
use bytes::Bytes;
use http::StatusCode;
use pingora_http::RequestHeader;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};

/// So much of a late answer is read to keep its connection.
const LATE_ANSWER_BYTES: usize = 64 * 1024;
/// As many as may are working: a place becomes free in a moment, or the sender comes again.
pub(super) const QUEUE: Duration = Duration::from_secs(2);
/// A lease outlasts the call by this: what settles it must not come too late.
const LEASE_SLACK: Duration = Duration::from_secs(10);

/// Shared by all relays of one edge.
pub(super) struct Relay<E> {
    pub(super) engine: E,
    pub(super) outbound: PingoraOutbound,
    pub(super) desk: Arc<Desk>,
    /// Held by every call, so that a drain can wait for the last one.
    pub(super) busy: mpsc::Sender<()>,
}

/// One request's way to the origin.
pub(super) struct Errand<E> {
    pub(super) relay: Arc<Relay<E>>,
    /// As it was when the request came in.
    pub(super) origin: Arc<Origin>,
    pub(super) escort: Escort,
    /// As the origin shall see it, but for framing.
    pub(super) head: RequestHeader,
    /// When the sender's answer is due.
    pub(super) deadline: Instant,
}

/// What is sent, where, and until when anybody waits for it.
struct Call {
    origin: Arc<Origin>,
    head: RequestHeader,
    body: Bytes,
    deadline: Instant,
    /// Its sender takes a redirect for a failure.
    is_webhook: bool,
}

/// The origin's answer; its place among those who may call is given back with the last byte.
pub(super) struct OriginAnswer {
    pub(super) streaming: Streaming,
    _place: OwnedSemaphorePermit,
}

impl<E: Leases + Clone + 'static> gate::Origin for Errand<E> {
    type Answer = OriginAnswer;

    async fn relay(&self, route: &Arc<Route>, clean: Clean) -> Result<Relayed<OriginAnswer>, Fault> {
        let mut head = self.head.clone();
        if let Some(bearer) = clean.bearer() {
            let told = self.escort.to_origin(route, bearer, clean.head(), &mut head);
            told.map_err(|error| Fault::OriginUnreachable(error.into()))?;
        }
        self.run(clean.keys(), head, clean.body().clone(), !matches!(route.sender, Sender::Token(_))).await
    }
}

impl<E: Leases + Clone + 'static> Errand<E> {
    async fn run(
        &self,
        keys: &RepeatKeys,
        head: RequestHeader,
        body: Bytes,
        is_webhook: bool,
    ) -> Result<Relayed<OriginAnswer>, Fault> {
        let Self { relay, origin, .. } = self;
        let hold = origin.deadlines.total + QUEUE + LEASE_SLACK;
        let leasing = timeout_at(self.deadline, relay.engine.lease(keys, hold));
        let lease = match leasing.await.map_err(|_| Fault::TooLate)?? {
            Leased::Held(lease) => lease,
            Leased::Again(known) => return Ok(Relayed::Again(known)),
        };
        // Nothing is awaited between the lease and the task: a drain that drops this future cannot lose it.
        let (tell, told) = oneshot::channel();
        spawn(relay.clone().settle(
            lease,
            Call { origin: origin.clone(), head, body, deadline: self.deadline, is_webhook },
            tell,
        ));
        match timeout_at(self.deadline, told).await {
            Ok(Ok(told)) => told.map(Relayed::Answered),
            Ok(Err(_)) => Err(Fault::OriginUnknown("the call ended without a word".into())),
            Err(_) => Err(Fault::OriginUnknown("no answer before the sender's was due".into())),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it outlives its request by intent; the drain waits for its `busy`")]
fn spawn(call: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(call);
}

impl<E: Leases + Clone + 'static> Relay<E> {
    async fn settle(self: Arc<Self>, lease: Lease, call: Call, tell: oneshot::Sender<Result<OriginAnswer, Fault>>) {
        let _busy = self.busy.clone();
        let is_webhook = call.is_webhook;
        let result = self.call(call).await;
        let settled = match &result {
            Ok(answer) => Some(Success::of(answer.streaming.head.status).map_or(Settled::Released, Settled::Done)),
            Err(Fault::OriginUnknown(_)) => None,
            Err(_) => Some(Settled::Released),
        };
        match settled {
            Some(settled) => self.end(lease, settled).await,
            None => drop(lease), // held until it lapses: the origin may have acted
        }
        let result = match result {
            Ok(answer) if is_webhook && redirects(answer.streaming.head.status) => Err(Fault::OriginRedirected),
            result => result,
        };
        if let Err(Ok(unheard)) = tell.send(result) {
            let _ = timeout(LEASE_SLACK, unheard.streaming.take(LATE_ANSWER_BYTES)).await;
        }
    }

    /// The origin's word counts whether or not it could be remembered; but somebody must hear of that.
    async fn end(&self, lease: Lease, settled: Settled) {
        if let Err(fault) = self.engine.settle(lease, settled).await
            && matches!(settled, Settled::Done(_))
        {
            self.desk.observer.alarm(&Alarm::NotRemembered(fault));
        }
    }

    async fn call(&self, Call { origin, head, body, deadline, .. }: Call) -> Result<OriginAnswer, Fault> {
        // Half of the sender's patience is the origin's.
        let queue = QUEUE.min(deadline.saturating_duration_since(Instant::now()) / 2);
        let waiting = timeout(queue, origin.places.clone().acquire_owned()).await;
        let place = waiting.ok().and_then(Result::ok).ok_or(Fault::OriginBusy)?;
        let mut left = origin.tries();
        loop {
            let nowhere = || Fault::OriginUnreachable("its name has not been resolved".into());
            let target = origin.target().ok_or_else(nowhere)?;
            match self.outbound.call(&target, head.clone(), body.clone(), &origin.deadlines).await {
                Ok(streaming) => return Ok(OriginAnswer { streaming, _place: place }),
                Err(Failure::Unknown(source)) => return Err(Fault::OriginUnknown(source)),
                Err(Failure::NotSent(source)) => {
                    left -= 1;
                    if left == 0 || Instant::now() >= deadline {
                        return Err(Fault::OriginUnreachable(source));
                    }
                }
            }
        }
    }
}

/// A vendor takes these for a failure, or turns its POST into a GET.
fn redirects(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

#[cfg(test)]
mod tests;
