//! A request whose token says all that is asked streams to the origin: its head is judged here, and its body only counted.

use super::{
    engine::Engine,
    escort::Escort,
    guarded::{Guarded, Near},
    origin::Origin,
    relay,
    snapshot::Snapshot,
};
use crate::{
    event::Arrival,
    gate,
    outcome::Notes,
    policy::Route,
    request::Head,
    verdict::{Fault, Refusal, Rejection},
    verify::jwt::Bearer,
};
use pingora_http::RequestHeader;
use std::sync::Arc;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

/// One request that streams, and was let in.
pub(super) struct Shown {
    route: Arc<Route>,
    bearer: Bearer,
    head: Head,
    escort: Escort,
    left_bytes: usize,
    /// Among those who may work at the origin, until the last byte of its answer.
    _place: OwnedSemaphorePermit,
}

impl<E: Engine> Guarded<E> {
    /// Judges the head of a request for a route that [streams](Route::streams).
    pub(super) async fn admit(
        &self,
        snapshot: &Snapshot,
        route: &Arc<Route>,
        head: Head,
        arrival: Arrival,
        notes: &mut Notes,
    ) -> Result<Shown, Refusal> {
        route.admit.head(&head)?;
        let taken = self.limiter.take_address(route, head.client);
        taken.or_else(|rejection| gate::fails(route, rejection, notes))?;
        let memory = Near { engine: &self.relay.engine, limiter: &self.limiter, handover: None };
        let bearer = gate::judge_head(route, &snapshot.keys, &memory, &head, arrival.at, notes)?;
        let place = place(&snapshot.origin).await?;
        let escort = Escort { policy: snapshot.policy.clone(), keys: snapshot.keys.clone(), arrival };
        let left_bytes = route.admit.body_limit_bytes;
        Ok(Shown { route: route.clone(), bearer, head, escort, left_bytes, _place: place })
    }
}

async fn place(origin: &Origin) -> Result<OwnedSemaphorePermit, Fault> {
    let waiting = timeout(relay::QUEUE, origin.places.clone().acquire_owned()).await;
    waiting.ok().and_then(Result::ok).ok_or(Fault::OriginBusy)
}

impl Shown {
    /// The next bytes of the body.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), Rejection> {
        self.left_bytes = self.left_bytes.checked_sub(bytes).ok_or(Rejection::TooLarge)?;
        Ok(())
    }

    /// What the origin hears, and what not.
    pub(super) fn to_origin(&self, head: &mut RequestHeader) -> pingora_error::Result<()> {
        self.escort.to_origin(&self.route, &self.bearer, &self.head, head)
    }
}
