//! A stream of Redis that takes events.
//!
//! Each event is added by a script that first asks for a mark of its id, so that one of which no answer came can be sent
//! again and is there once. Several connections, because a server that syncs before it answers (`appendfsync always`)
//! does so once for all that wait. On each of them it is asked how it syncs before an event is entrusted to it.

mod connection;
mod failure;
mod standard;
#[cfg(test)]
#[cfg(feature = "e2e")]
mod tests;
mod tls;

pub use tls::BadAuthorities;

use crate::{
    destination::{Confirmed, Destination, Load, PublishError, Remark, Remarks, Retry},
    event::Record,
    policy::{self, Durability},
    secret::Secret,
    verdict::BoxError,
};
use ::redis::{Script, aio::MultiplexedConnection, cmd};
use connection::Live;
use standard::Keeps;
use std::{
    sync::{
        Arc, Mutex as StdMutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::Mutex,
    time::{timeout, timeout_at},
};

/// What a policy writes of one, on its way to connections.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// The destination's name in the policy.
    pub name: &'a str,
    /// What it is.
    pub place: &'a policy::Redis,
    /// How long an answer may take.
    pub timeout: Duration,
    /// What comes to it: what comes directly is known again for as long as its sender may repeat it, also if less is
    /// written.
    pub load: Load,
}

/// One stream. Connects when there is something to send.
#[expect(missing_debug_implementations, reason = "holds what it logs in with")]
pub struct Stream {
    name: String,
    place: policy::Redis,
    connector: connection::Connector,
    add: Script,
    timeout: Duration,
    remember: Duration,
    keeps: Keeps,
    /// Of an event, about.
    largest_bytes: u64,
    slots: Vec<Slot>,
    /// Numbers events, which take turns, and connections.
    next: AtomicUsize,
    remarks: Arc<dyn Remarks>,
    /// What was remarked last: it is told again only if it has changed.
    told: StdMutex<Vec<Remark>>,
}

type Slot = Mutex<Option<Live>>;

/// More than this gain little, also where the server syncs each time; fewer wait for each other.
const CONNECTIONS: usize = 8;
/// A server that is reconfigured while it runs is found out within this time.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// One repeat on a new connection: a server that was restarted meanwhile is not a failure.
const TRIES: usize = 2;

/// `KEYS`: the stream, and the mark of this event. `ARGV`: how long the mark stays, in seconds; about how many entries
/// the stream keeps, or nothing; then names and values.
///
/// What writes comes after what reads, or a server that is full would take the event all the same: it does not stop a
/// script that has written. The mark comes last: were it set first, and the event refused, it would be known and not
/// there. One that is known has its mark renewed, so that `WAITAOF` waits for what that stands on.
const ADD: &str = r"
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('EXPIRE', KEYS[2], ARGV[1])
  return 0
end
if ARGV[2] == '' then
  redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
else
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
end
redis.call('SET', KEYS[2], '', 'EX', ARGV[1])
return 1
";

/// How one try ended that was not confirmed.
enum Failed {
    /// The connection ended; whether the event arrived is not known, and to send it again is safe.
    Lost(::redis::RedisError),
    /// As the port has it.
    Publish(PublishError),
}

impl Stream {
    /// # Errors
    /// [`BadAuthorities`] if `ca` cannot be read.
    pub fn new(
        written: &Written<'_>,
        secret: Option<&Secret>,
        remarks: Arc<dyn Remarks>,
    ) -> Result<Self, BadAuthorities> {
        let Written { name, place, timeout, load } = *written;
        Ok(Self {
            name: name.to_owned(),
            place: place.clone(),
            connector: connection::Connector::new(place, secret)?,
            add: Script::new(ADD),
            timeout,
            remember: place.remember.max(load.directly.unwrap_or_default()),
            keeps: if load.directly.is_some() { Keeps::Alone } else { Keeps::Both },
            largest_bytes: u64::try_from(load.largest_bytes).unwrap_or(u64::MAX),
            slots: std::iter::repeat_with(Mutex::default).take(CONNECTIONS).collect(),
            next: AtomicUsize::default(),
            remarks,
            told: StdMutex::default(),
        })
    }

    /// A connection on which the server has said that it keeps what the policy wants.
    async fn live(&self, slot: &Slot, event_bytes: u64) -> Result<(MultiplexedConnection, usize), PublishError> {
        let mut slot = slot.lock().await;
        if slot.as_mut().is_none_or(|live| !live.is_open()) {
            *slot = None; // the old one is closed before there is another
            let mut connection = self.connector.connect(self.next.fetch_add(1, Ordering::Relaxed)).await?;
            self.add.prepare_invoke().load_async(&mut connection.commands).await.map_err(failure::before_sending)?;
            *slot = Some(connection);
        }
        let Some(live) = slot.as_mut() else { return Err(failure::unreachable("no connection")) };
        if live.looked_at.is_none_or(|at| at.elapsed() >= LOOK_AGAIN) {
            let found = standard::look(&mut live.commands, self.place.broker.durability, self.keeps).await?;
            let (largest_bytes, takes_bytes) = (self.largest_bytes, found.takes_bytes);
            let mut remarks = found.remarks;
            remarks.extend((takes_bytes < largest_bytes).then_some(Remark::TakesLess { takes_bytes, largest_bytes }));
            (live.looked_at, live.takes_bytes) = (Some(Instant::now()), takes_bytes);
            self.tell(remarks);
        }
        if event_bytes > live.takes_bytes {
            return Err(failure::too_large(event_bytes, live.takes_bytes));
        }
        Ok((live.commands.clone(), live.number))
    }

    fn tell(&self, remarks: Vec<Remark>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != remarks {
            remarks.iter().for_each(|remark| self.remarks.remark(&self.name, remark));
            *told = remarks;
        }
    }

    async fn attempt(&self, event: &Record, slot: &Slot) -> Result<Confirmed, Failed> {
        let bytes = fields(event).iter().map(|(name, value)| (name.len() + value.len()) as u64).sum();
        let Ok(live) = timeout(self.timeout, self.live(slot, bytes)).await else {
            // One that is open on this side alone would be waited for until the kernel gives it up, in a quarter of an hour.
            if let Ok(mut slot) = slot.try_lock() {
                *slot = None;
            }
            return Err(Failed::Publish(failure::unreachable("no connection in time")));
        };
        let (mut commands, number) = live.map_err(Failed::Publish)?;
        let until = tokio::time::Instant::now() + self.timeout;
        let sending = async {
            let mut invocation = self.add.prepare_invoke();
            invocation.key(&self.place.stream).key(self.mark_of(&event.id));
            invocation.arg(self.remember.as_secs());
            invocation.arg(self.place.length.map_or_else(String::new, |length| length.to_string()));
            for (name, value) in fields(event) {
                invocation.arg(name).arg(value);
            }
            let added: u8 = invocation.invoke_async(&mut commands).await?;
            if self.place.broker.durability == Durability::Waited {
                let waited = cmd("WAITAOF").arg(1).arg(0).arg(0).to_owned();
                waited.query_async::<::redis::Value>(&mut commands).await?;
            }
            Ok(if added == 1 { Confirmed::Taken } else { Confirmed::Known })
        };
        match timeout_at(until, sending).await {
            Ok(Ok(confirmed)) => Ok(confirmed),
            Ok(Err(error)) if failure::is_lost(&error) => {
                forget(slot, number).await;
                Err(Failed::Lost(error))
            }
            Ok(Err(error)) => {
                if failure::is_another_server(&error) {
                    forget(slot, number).await;
                }
                Err(Failed::Publish(failure::of(error)))
            }
            Err(_) => {
                // A server that stands still does so for all; another connection may lead to one that does not.
                forget(slot, number).await;
                Err(Failed::Publish(failure::no_answer("no answer in time")))
            }
        }
    }

    /// In the stream's slot, where a cluster keeps both on one server.
    fn mark_of(&self, id: &str) -> String {
        let stream = &self.place.stream;
        let tagged = stream.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
        let tag = tagged.filter(|tag| !tag.is_empty()).unwrap_or(stream);
        format!("hookwarden:{{{tag}}}:{id}")
    }
}

/// Unless there is another one by now.
async fn forget(slot: &Slot, number: usize) {
    let mut slot = slot.lock().await;
    if slot.as_ref().is_some_and(|live| live.number == number) {
        *slot = None;
    }
}

impl Destination for Stream {
    async fn publish(&self, event: &Record) -> Result<Confirmed, PublishError> {
        let nth = self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let Some(slot) = self.slots.get(nth) else { return Err(failure::unreachable("no connection")) };
        let mut lost = None;
        for _ in 0..TRIES {
            match self.attempt(event, slot).await {
                Ok(confirmed) => return Ok(confirmed),
                Err(Failed::Lost(error)) => lost = Some(error),
                // What was sent before may have arrived.
                Err(Failed::Publish(error)) => {
                    let retry = if lost.is_some() { Retry::Unknown } else { error.retry };
                    return Err(PublishError { retry, ..error });
                }
            }
        }
        let cause: Option<BoxError> = lost.map(Into::into);
        Err(failure::no_answer(cause.unwrap_or_else(|| "the connection ended".into())))
    }
}

/// What a consumer reads: the body as it is, and beside it what it would otherwise have to look for inside.
fn fields(event: &Record) -> [(&'static str, &[u8]); 6] {
    [
        ("id", event.id.as_bytes()),
        ("type", event.event_type.as_bytes()),
        ("route", event.route.as_bytes()),
        ("request_id", event.request_id.as_bytes()),
        ("content_type", event.content_type.as_bytes()),
        ("payload", &event.payload),
    ]
}
