//! A stream of NATS JetStream that takes events.
//!
//! Each event is published under its own id (`Nats-Msg-Id`), which the stream knows again for as long as its duplicate
//! window lasts (with `{id}` in the subject: for as long as it is there), and counts as there when the stream has
//! acknowledged it. Whether an acknowledged event is on disk, no server tells: the policy's `durability` says what its
//! operator knows.

mod connection;
mod failure;
mod standard;
#[cfg(test)]
#[cfg(feature = "e2e")]
mod tests;

pub use connection::BadAuthorities;

use crate::{
    destination::{Confirmed, Destination, PublishError, Remark, Remarks, Retry},
    event::Record,
    policy,
    secret::Secret,
};
use async_nats::{
    HeaderMap, HeaderName, HeaderValue,
    jetstream::{Context, message::PublishMessage},
};
use connection::{Connector, Ended, Live, Watch};
use standard::KnownBy;
use std::{
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, time::timeout};

/// What a policy writes of one, on its way to a connection.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// The destination's name in the policy.
    pub name: &'a str,
    /// What it is.
    pub place: &'a policy::Nats,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long the same event may be sent again: the stream should know it again for as long.
    pub horizon: Duration,
    /// So large an event can be, about.
    pub largest_bytes: usize,
}

/// One stream. Connects when there is something to send.
#[expect(missing_debug_implementations, reason = "holds what it logs in with")]
pub struct Stream {
    name: String,
    place: policy::Nats,
    connector: Connector,
    timeout: Duration,
    horizon: Duration,
    largest_bytes: u64,
    live: Mutex<Option<Live>>,
    remarks: Arc<dyn Remarks>,
    /// What was remarked last: it is told again only if it has changed.
    told: StdMutex<Vec<Remark>>,
}

/// A stream that is made or configured anew while it runs is found out within this time also where neither the server says
/// so nor its numbers do (see `Watch`).
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// One repeat on a new connection: a server that was restarted meanwhile is not a failure.
const TRIES: usize = 2;

/// How one try ended that was not confirmed.
enum Failed {
    /// The connection ended; whether the event arrived is not known, and to send it again is safe.
    Lost,
    /// As the port has it.
    Publish(PublishError),
}

impl Stream {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// [`BadAuthorities`] if `ca` cannot be read.
    pub fn new(
        written: &Written<'_>,
        secret: Option<&Secret>,
        remarks: Arc<dyn Remarks>,
    ) -> Result<Self, BadAuthorities> {
        let Written { name, place, timeout, horizon, largest_bytes } = *written;
        Ok(Self {
            name: name.to_owned(),
            place: place.clone(),
            connector: Connector::new(place, secret, timeout)?,
            timeout,
            horizon,
            largest_bytes: u64::try_from(largest_bytes).unwrap_or(u64::MAX),
            live: Mutex::default(),
            remarks,
            told: StdMutex::default(),
        })
    }

    /// A connection to a server whose stream is as the policy wants it.
    async fn live(&self) -> Result<(Context, Ended, Arc<Watch>), PublishError> {
        let mut slot = self.live.lock().await;
        for _ in 0..TRIES {
            if slot.as_ref().is_none_or(|live| !live.is_open()) {
                *slot = None; // the old one is closed before there is another
                *slot = Some(self.connector.connect().await?);
            }
            let Some(live) = slot.as_mut() else { break };
            if self.look(live).await? {
                return Ok((live.context.clone(), live.ended.clone(), live.watch.clone()));
            }
        }
        Err(failure::unreachable("no connection"))
    }

    /// Looks at the stream if there is reason to. `false`: the connection ended meanwhile.
    async fn look(&self, live: &mut Live) -> Result<bool, PublishError> {
        let (reasons, is_suspected) = live.watch.suspected();
        if !is_suspected && live.looked_at.is_some_and(|at| at.elapsed() < LOOK_AGAIN) {
            return Ok(true);
        }
        let mut ended = live.ended.clone();
        let info = tokio::select! {
            biased;
            info = live.context.get_stream(&self.place.stream) => info.map_err(failure::of_look)?,
            _ = ended.wait_for(|ended| *ended) => return Ok(false),
        };
        let config = &info.cached_info().config;
        let by = if self.is_by_subject() { KnownBy::Subject } else { KnownBy::Id };
        let mut remarks = standard::judge(config, self.place.broker.durability, by, self.horizon)?;
        remarks.extend(standard::takes_less(config, live.max_payload_bytes(), self.largest_bytes));
        live.looked_at = Some(Instant::now());
        live.watch.looked(reasons, info.cached_info().state.last_sequence);
        self.tell(remarks);
        Ok(true)
    }

    fn tell(&self, remarks: Vec<Remark>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != remarks {
            remarks.iter().for_each(|remark| self.remarks.remark(&self.name, remark));
            *told = remarks;
        }
    }

    async fn attempt(&self, event: &Record) -> Result<Confirmed, Failed> {
        let (context, mut ended, watch) = self.live_in_time().await.map_err(Failed::Publish)?;
        let highest = watch.highest();
        let message = self.message(event);
        let subject = self.place.subject.replace(policy::EVENT_ID, &event.id);
        let sending = async { context.send_publish(subject, message).await?.await };
        let sent = tokio::select! {
            biased;
            sent = timeout(self.timeout, sending) => sent,
            // Also if its other end is gone.
            _ = ended.wait_for(|ended| *ended) => return Err(Failed::Lost),
        };
        match sent {
            // The client's own task has ended, whether or not it has said so.
            Ok(Err(error)) if failure::is_lost(&error) => {
                forget(&self.live, &ended).await;
                Err(Failed::Lost)
            }
            // Its number is that of the first one.
            Ok(Ok(ack)) if ack.duplicate => self.believed(Confirmed::Known, &watch).await,
            // Outside of the stream's window too: its subject has an event already.
            Ok(Err(error)) if self.is_by_subject() && failure::is_there(&error) => {
                self.believed(Confirmed::Known, &watch).await
            }
            Ok(Ok(ack)) => {
                watch.numbered(ack.sequence, highest);
                self.believed(Confirmed::Taken, &watch).await
            }
            Ok(Err(error)) => {
                watch.suspect();
                Err(Failed::Publish(failure::of(error)))
            }
            Err(_) => {
                watch.suspect();
                Err(Failed::Publish(failure::no_answer("no acknowledgement in time")))
            }
        }
    }

    /// What a stream confirms is worth what it was when it was looked at. If it may be another one since, it is looked at
    /// again first: one in memory, under the same name, would lose what its sender was told is there.
    async fn believed(&self, confirmed: Confirmed, watch: &Watch) -> Result<Confirmed, Failed> {
        let (_, is_suspected) = watch.suspected();
        if !is_suspected {
            return Ok(confirmed);
        }
        match self.live_in_time().await {
            Ok(_) => Ok(confirmed),
            // It has the event, however it keeps it.
            Err(error) => Err(Failed::Publish(PublishError { retry: Retry::Unknown, ..error })),
        }
    }

    async fn live_in_time(&self) -> Result<(Context, Ended, Arc<Watch>), PublishError> {
        let live = timeout(self.timeout, self.live()).await;
        live.unwrap_or_else(|_| Err(failure::unreachable("no connection in time")))
    }

    /// The body as it is, and beside it what a consumer would otherwise have to look for inside.
    fn message(&self, event: &Record) -> PublishMessage {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("Content-Type", event.content_type.as_str()),
            ("Hookwarden-Type", &event.event_type),
            ("Hookwarden-Route", &event.route),
            ("Hookwarden-Request-Id", &event.request_id),
        ] {
            // A line break in a type that a sender made up would be a header of its own.
            if let Ok(value) = value.parse::<HeaderValue>() {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        let message = PublishMessage::build()
            .payload(event.payload.clone())
            .headers(headers)
            .message_id(&event.id)
            .expected_stream(&self.place.stream);
        if self.is_by_subject() { message.expected_last_subject_sequence(0) } else { message }
    }

    /// Whether each event has a subject of its own, which the stream takes once, for as long as the event is there.
    fn is_by_subject(&self) -> bool {
        self.place.subject.contains(policy::EVENT_ID)
    }
}

/// Unless there is another one by now.
async fn forget(slot: &Mutex<Option<Live>>, ended: &Ended) {
    let mut slot = slot.lock().await;
    if slot.as_ref().is_some_and(|live| live.ended.same_channel(ended)) {
        *slot = None;
    }
}

impl Destination for Stream {
    async fn publish(&self, event: &Record) -> Result<Confirmed, PublishError> {
        let mut lost = false;
        for _ in 0..TRIES {
            match self.attempt(event).await {
                Ok(confirmed) => return Ok(confirmed),
                Err(Failed::Lost) => lost = true,
                // What was sent before may have arrived.
                Err(Failed::Publish(error)) => {
                    let retry = if lost { Retry::Unknown } else { error.retry };
                    return Err(PublishError { retry, ..error });
                }
            }
        }
        Err(failure::no_answer("the connection ended"))
    }
}
