//! The edge's half of a guarded request: what the gate knows without waiting, and the clock that stands behind it.

use super::{
    arming::{Handover, Handovers},
    body::{Incoming, Pace},
    engine::Engine,
    escort::Escort,
    relay::{Errand, OriginAnswer, Relay},
    snapshot::Snapshot,
    ticket::Took,
    vendor::Asking,
};
use crate::{
    captures::{Captures, Refused},
    clock::Timestamp,
    event::{Arrival, Event},
    gate::{self, Bucket, Ending, Gate, Memory},
    guard::Guards,
    ledger::{Accepted, Known, Leases, Ledger},
    limit::{Strangers, Table, bucket},
    outcome::{self, Notes},
    payload::Clean,
    policy::{Delivery, Route},
    repeat::RepeatKeys,
    request::{Body, Head},
    verdict::{Check, Fault, Refusal, Rejection},
};
use bytes::Bytes;
use http::header;
use pingora_http::RequestHeader;
use pingora_proxy::Session;
use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// 512 KiB a table: more cells than a site has clients in the same minute.
const CELLS: usize = 1 << 16;

/// Tokens of addresses, of senders, and of those who say nothing of who they are.
pub(super) struct Limiter {
    addresses: Table,
    senders: Table,
    /// Takes its memory with the first of them.
    strangers: LazyLock<Strangers>,
    /// Keyed at random, so that nobody can aim at another's cell.
    hasher: RandomState,
    since: Instant,
}

impl Limiter {
    pub(super) fn new() -> Self {
        let table = || Table::new(CELLS);
        Self {
            addresses: table(),
            senders: table(),
            strangers: LazyLock::new(Strangers::default),
            hasher: RandomState::new(),
            since: Instant::now(),
        }
    }

    /// One token of this address on this route, before anything is read.
    pub(super) fn take_address(&self, route: &Route, client: IpAddr) -> Result<(), Rejection> {
        let Some(rate) = route.limits.per_address else { return Ok(()) };
        let hash = self.hasher.hash_one((&*route.name, bucket(client)));
        self.addresses.take(hash, rate, self.now_us()).map_err(Rejection::AddressLimited)
    }

    /// One token of this sender.
    pub(super) fn take_sender(&self, bucket: Bucket<'_>) -> Result<(), Rejection> {
        let hash = self.hasher.hash_one((bucket.route, bucket.key));
        self.senders.take(hash, bucket.rate, self.now_us()).map_err(Rejection::SenderLimited)
    }

    /// One token of those that a route has for strangers.
    pub(super) fn take_stranger(&self, route: &str, client: IpAddr) -> Result<(), Rejection> {
        self.strangers.take(route, client, self.now_us())
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// What this process knows without waiting.
pub(super) struct Near<'a, E> {
    pub(super) engine: &'a E,
    pub(super) limiter: &'a Limiter,
    pub(super) handover: Option<&'a Handover<'a>>,
}

impl<E: Engine> Memory for Near<'_, E> {
    fn look(&self, keys: &RepeatKeys) -> Option<Known> {
        self.engine.look(keys)
    }

    fn take(&self, bucket: Bucket<'_>) -> Result<(), Rejection> {
        self.limiter.take_sender(bucket)
    }

    fn take_stranger(&self, route: &str, client: IpAddr) -> Result<(), Rejection> {
        self.limiter.take_stranger(route, client)
    }

    fn disarm(&self, route: &str, now: Timestamp) -> Option<String> {
        self.handover?.disarm(route, now)
    }
}

/// When the gate was done judging, for the log.
#[derive(Default)]
struct Handed(Mutex<Option<Instant>>);

impl Handed {
    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn at(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ledger, until the sender's answer is due.
struct InTime<'a, L> {
    ledger: &'a L,
    deadline: Instant,
    handed: &'a Handed,
}

impl<L: Ledger> Ledger for InTime<'_, L> {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        self.handed.now();
        timeout_at(self.deadline, self.ledger.accept(event)).await.unwrap_or(Err(Fault::TooLate))
    }
}

struct Timed<'a, E> {
    errand: Errand<E>,
    handed: &'a Handed,
}

impl<E: Leases + Clone + 'static> gate::Origin for Timed<'_, E> {
    type Answer = OriginAnswer;

    async fn relay(&self, route: &Arc<Route>, clean: Clean) -> Result<gate::Relayed<OriginAnswer>, Fault> {
        self.handed.now();
        self.errand.relay(route, clean).await
    }
}

/// A form can name another guarded endpoint than its target does: a sender of one route must not reach the next one
/// through a field.
struct OfOneRoute<'a, B> {
    body: B,
    guards: &'a Guards,
    /// Of what may be a form.
    head: Option<Head>,
    index: usize,
    /// The whole body, for a route that keeps what it refuses.
    came: Option<&'a mut Option<Bytes>>,
}

impl<B: Body> Body for OfOneRoute<'_, B> {
    async fn collect(self, limit_bytes: usize) -> Result<Bytes, Refusal> {
        let raw = self.body.collect(limit_bytes).await?;
        if let Some(came) = self.came {
            *came = Some(raw.clone());
        }
        match self.head {
            Some(head) if self.guards.strays(&head, &raw, self.index) => Err(Rejection::GuardedInForm.into()),
            Some(_) | None => Ok(raw),
        }
    }
}

/// Whether there is something to explain: of what came too fast, too slowly or broken there is not enough, or nothing
/// but more of it.
fn is_explained(rejection: Rejection) -> bool {
    match rejection.check() {
        Check::Verify | Check::Schema => true,
        Check::Admit => matches!(rejection, Rejection::Method | Rejection::ContentType),
        Check::Guard => rejection == Rejection::GuardedInForm,
        Check::All | Check::Limits | Check::Repeats => false,
    }
}

/// Whether it says in any way that it is a form; the guards look closer.
fn is_form(head: &Head) -> bool {
    let types = head.headers.get_all(header::CONTENT_TYPE).iter();
    types.into_iter().any(|value| value.as_bytes().to_ascii_lowercase().windows(4).any(|word| word == b"form"))
}

/// What guarded requests share.
pub(super) struct Guarded<E> {
    pub(super) limiter: Limiter,
    pub(super) relay: Arc<Relay<E>>,
    /// Where refused requests are kept, if anywhere.
    pub(super) captures: Option<Captures>,
    /// Who keeps keys that are handed over, if anybody.
    pub(super) handovers: Option<Handovers>,
}

/// One guarded request, before its body.
pub(super) struct Visit<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// Of the route, as the guards name it.
    pub(super) index: usize,
    pub(super) route: &'a Arc<Route>,
    pub(super) head: Head,
    /// As the origin shall see it, if this is relayed.
    pub(super) forward: RequestHeader,
    pub(super) arrival: Arrival,
    pub(super) began: Instant,
    pub(super) pace: Pace,
}

impl<E: Engine> Guarded<E> {
    /// From the head to the ending; the answer is the caller's to write. What is refused is kept where the route says so.
    pub(super) async fn handle(
        &self,
        visit: Visit<'_>,
        session: &mut Session,
        notes: &mut Notes,
        took: &mut Took,
    ) -> Result<Ending<OriginAnswer>, Refusal> {
        let Some((terms, captures)) = visit.route.capture.zip(self.captures.as_ref()) else {
            return self.judge(visit, session, notes, took, None).await;
        };
        let (keys, route, arrival) = (visit.snapshot.keys.clone(), visit.route.name.clone(), visit.arrival.clone());
        let (head, mut body) = (visit.head.clone(), None);
        let ending = self.judge(visit, session, notes, took, Some(&mut body)).await;
        if let Err(Refusal::Rejected(rejection)) = &ending
            && is_explained(*rejection)
            // There is a key in it, and nothing to explain.
            && notes.handover.is_none()
        {
            let (id, code, at) = (arrival.request_id, rejection.code(), arrival.at);
            notes.captured = captures.keep(Refused { id, route, code, at, head, body }, terms, keys.memory());
        }
        ending
    }

    async fn judge(
        &self,
        visit: Visit<'_>,
        session: &mut Session,
        notes: &mut Notes,
        took: &mut Took,
        came: Option<&mut Option<Bytes>>,
    ) -> Result<Ending<OriginAnswer>, Refusal> {
        let Visit { snapshot, index, route, head, forward, arrival, began, pace } = visit;
        let engine = &self.relay.engine;
        gate::admit(route, &head)?; // a wrong method spends no token, and is the sender's fault whatever the disk says
        let taken = self.limiter.take_address(route, head.client);
        taken.or_else(|rejection| gate::fails(route, rejection, notes))?;
        match route.delivery {
            Delivery::Queue { .. } | Delivery::Direct { .. } => engine.ready(&route.delivery)?,
            Delivery::Relay => {}
        }
        let deadline = began + route.answer_by;
        let (handover, client) = (self.handovers.as_ref().map(Handover::new), head.client);
        let handed = Handed::default();
        let mut complete = None;
        let body = Incoming { session, room: snapshot.room.clone(), pace, deadline, complete: &mut complete };
        let (guards, form) = (&snapshot.policy.guards, is_form(&head).then(|| head.clone()));
        let body = OfOneRoute { body, guards, head: form, index, came };
        let escort = Escort { policy: snapshot.policy.clone(), keys: snapshot.keys.clone(), arrival: arrival.clone() };
        let (relay, origin) = (self.relay.clone(), snapshot.origin.clone());
        let errand = Errand { relay, origin, escort, head: forward, deadline };
        let gate = Gate {
            policy: &snapshot.policy,
            keys: &snapshot.keys,
            memory: &Near { engine, limiter: &self.limiter, handover: handover.as_ref() },
            ledger: &InTime { ledger: engine, deadline, handed: &handed },
            direct: &InTime { ledger: engine.direct(), deadline, handed: &handed },
            origin: &Timed { errand, handed: &handed },
            vendor: &Asking { outbound: &self.relay.outbound, deadline },
        };
        let mut ending = gate::handle(&gate, route, head, body, &arrival, notes).await;
        if let (Ok(Ending::Greeted(greeting)), Some(handover)) = (&mut ending, &handover)
            && let Some(handed) = greeting.handed.take()
            && let Err(fault) = handover.keep(&route.name, handed, client, deadline).await
        {
            notes.handover = Some(outcome::Handover::Failed);
            ending = Err(fault.into());
        }
        let now = Instant::now();
        took.body = complete.map_or_else(|| now - began, |complete| complete - began);
        let handed = handed.at();
        took.judge = complete.map_or(Duration::ZERO, |complete| handed.unwrap_or(now) - complete);
        took.keep = handed.map_or(Duration::ZERO, |handed| now - handed);
        ending
    }
}
