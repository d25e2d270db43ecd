//! Does the body come, and in time? Whole bodies of guarded requests, bounded in bytes, in time, and in what all
//! bodies together may take; and the pace of those that stream through.

use super::chunks::Malformed;
use crate::{
    policy::EdgeLimits,
    request::Body,
    verdict::{Fault, Refusal, Rejection},
};
use bytes::{Bytes, BytesMut};
use http::{Version, header};
use pingora_error::{Error, ErrorType};
use pingora_proxy::Session;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// Room is taken in such steps as a body arrives: a declared length alone takes none from others.
const STEP_BYTES: usize = 16 * 1024;

/// What all bodies of guarded requests may take together.
#[derive(Clone)]
pub(super) struct Room {
    left: Arc<Semaphore>,
}

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        Self { left: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))) }
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Fault> {
        let bytes = u32::try_from(bytes).map_err(|_| Fault::NoRoom)?;
        self.left.clone().try_acquire_many_owned(bytes).map_err(|_| Fault::NoRoom)
    }
}

/// Bytes that give their room back when the last of their clones is gone, wherever that is.
struct Roomed {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Roomed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// How fast a body must come: a first patience, then so many bytes a second, and never a pause longer than that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    patience: Duration,
    bytes_per_s: u64,
    received: u64,
}

impl Pace {
    pub(super) fn new(limits: &EdgeLimits) -> Self {
        let (patience, bytes_per_s) = (limits.body_idle, limits.body_rate_bytes_per_s);
        Self { patience, bytes_per_s, received: 0 }
    }

    /// Notes what has come, after the client was waited for so long in all. False: it came too slowly.
    pub(super) fn keeps(&mut self, bytes: usize, waited: Duration) -> bool {
        self.received = self.received.saturating_add(bytes as u64);
        waited <= self.patience || self.received >= waited.as_secs().saturating_mul(self.bytes_per_s)
    }
}

/// The rest of a guarded request, in Pingora's hands.
pub(super) struct Incoming<'a> {
    pub(super) session: &'a mut Session,
    pub(super) room: Room,
    pub(super) pace: Pace,
    /// When the sender's answer is due.
    pub(super) deadline: Instant,
    /// When the last byte came.
    pub(super) complete: &'a mut Option<Instant>,
}

impl Body for Incoming<'_> {
    async fn collect(self, limit_bytes: usize) -> Result<Bytes, Refusal> {
        let Self { session, room, mut pace, deadline, complete } = self;
        let collected = collect(session, &room, &mut pace, deadline, limit_bytes).await;
        match &collected {
            Ok(_) => *complete = Some(Instant::now()),
            // After a body error Pingora's reader says "done" and would reuse a connection that is out of step.
            Err(_) => session.set_keepalive(None),
        }
        collected
    }
}

/// A body as it comes together, within a limit and within the room that is left. The first chunk is kept as it came; only
/// a second one makes a copy.
pub(super) struct Gathered {
    room: Room,
    held: OwnedSemaphorePermit,
    limit_bytes: usize,
    first: Bytes,
    whole: BytesMut,
}

impl Gathered {
    pub(super) fn new(room: &Room, limit_bytes: usize) -> Result<Self, Fault> {
        let held = room.take(0)?;
        Ok(Self { room: room.clone(), held, limit_bytes, first: Bytes::new(), whole: BytesMut::new() })
    }

    pub(super) fn add(&mut self, chunk: Bytes) -> Result<(), Refusal> {
        let length = self.first.len().max(self.whole.len()) + chunk.len();
        if length > self.limit_bytes {
            return Err(Rejection::TooLarge.into());
        }
        let has = self.held.num_permits();
        if length > has {
            self.held.merge(self.room.take((length - has).next_multiple_of(STEP_BYTES))?);
        }
        match (self.first.is_empty(), self.whole.is_empty()) {
            (true, _) => self.first = chunk,
            (false, true) => {
                self.whole.reserve(length);
                self.whole.extend_from_slice(&self.first);
                self.whole.extend_from_slice(&chunk);
            }
            (false, false) => self.whole.extend_from_slice(&chunk),
        }
        Ok(())
    }

    pub(super) fn whole(self) -> Bytes {
        let bytes = if self.whole.is_empty() { self.first } else { self.whole.freeze() };
        Bytes::from_owner(Roomed { bytes, _room: self.held })
    }
}

/// Pingora's own read timeout is per read, and a no-op on HTTP/2.
async fn collect(
    session: &mut Session,
    room: &Room,
    pace: &mut Pace,
    deadline: Instant,
    limit_bytes: usize,
) -> Result<Bytes, Refusal> {
    invite(session).await?;
    let mut gathered = Gathered::new(room, limit_bytes)?;
    let began = Instant::now();
    loop {
        let patience = Instant::now().checked_add(pace.patience).map_or(deadline, |until| until.min(deadline));
        let read = timeout_at(patience, session.read_request_body()).await.map_err(|_| Rejection::TooSlow)?;
        let chunk = match read {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => return Err(fault_of(&error).into()),
        };
        let bytes = chunk.len();
        gathered.add(chunk)?;
        if !pace.keeps(bytes, began.elapsed()) {
            return Err(Rejection::TooSlow.into());
        }
    }
    Ok(gathered.whole())
}

/// What a body ended in before its end. Who leaves, who falls silent and who breaks the protocol are three.
pub(super) fn fault_of(error: &Error) -> Rejection {
    use ErrorType::{ConnectionClosed, ReadError, ReadTimedout};
    match error.etype() {
        ReadTimedout => Rejection::TooSlow,
        ConnectionClosed | ReadError if !Malformed::caused(error) => Rejection::Left,
        _ => Rejection::BodyBroken,
    }
}

/// Pingora leaves `Expect: 100-continue` to whoever reads the body, and its 100 turns keep-alive off.
async fn invite(session: &mut Session) -> Result<(), Refusal> {
    let head = session.req_header();
    if head.version != Version::HTTP_11 || !head.headers.contains_key(header::EXPECT) || session.is_body_done() {
        return Ok(());
    }
    let keepalive = session.get_keepalive();
    session.write_continue_response().await.map_err(|_| Rejection::Left)?;
    session.set_keepalive(keepalive);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_comes_back_with_the_last_clone() {
        let room = Room::new(100);
        let held = room.take(60).unwrap();
        assert!(matches!(room.take(60), Err(Fault::NoRoom)));
        let bytes = Bytes::from_owner(Roomed { bytes: Bytes::from_static(b"x"), _room: held });
        let clone = bytes.clone();
        drop(bytes);
        assert!(room.take(60).is_err(), "a relay still holds it");
        drop(clone);
        assert!(room.take(60).is_ok());
    }

    #[test]
    fn a_body_must_keep_its_pace_once_patience_is_over() {
        let seconds = Duration::from_secs;
        let limits = EdgeLimits { body_idle: seconds(2), body_rate_bytes_per_s: 1000, ..EdgeLimits::default() };
        let mut pace = Pace::new(&limits);
        assert!(pace.keeps(0, seconds(2)));
        assert!(pace.keeps(5000, seconds(5)));
        assert!(!pace.keeps(100, seconds(6)));
    }
}
