//! A spool, forwarders over it, destinations that answer as a test says, and ears.

use crate::{
    clock::{Clock, Timestamp},
    contract::{event_with, keys},
    deliver::{DeadLetter, FailedAttempt, Observer, Standing, Switches, Terms, forwarder::Forwarder},
    destination::{Confirmed, Destination, PublishError, Retry},
    event::{Event, Record},
    ledger::Ledger as _,
    order::OrderKey,
    spool::{Settings, Spool},
    verdict::Fault,
};
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant as StdInstant},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};

pub(super) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

/// What a destination does with an event.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    Takes,
    TakesIn(Duration),
    Fails(&'static str, Retry),
    /// No answer within this time.
    Hangs(Duration),
    /// No answer, and no deadline either.
    Never,
    Panics,
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) at: Instant,
    pub(super) id: String,
    /// With this one.
    pub(super) under_way: usize,
}

type Answers = dyn Fn(&str, usize) -> Answer + Send + Sync;

/// Answers by the event's id and the number of the call.
struct Fake {
    answers: Box<Answers>,
    calls: Arc<Mutex<Vec<Call>>>,
    under_way: Arc<()>,
}

impl Destination for Fake {
    async fn publish(&self, event: &Record) -> Result<Confirmed, PublishError> {
        let one = self.under_way.clone();
        let nth = {
            let mut calls = self.calls.lock().unwrap();
            let under_way = Arc::strong_count(&one) - 1;
            calls.push(Call { at: Instant::now(), id: event.id.clone(), under_way });
            calls.len() - 1
        };
        let failed = |reason: &str, retry| PublishError { reason: reason.to_owned(), retry, source: None };
        match (self.answers)(&event.id, nth) {
            Answer::Takes => Ok(Confirmed::Taken),
            Answer::TakesIn(time) => {
                sleep(time).await;
                Ok(Confirmed::Taken)
            }
            Answer::Fails(reason, retry) => Err(failed(reason, retry)),
            Answer::Hangs(time) => {
                sleep(time).await;
                Err(failed("no_answer", Retry::Unknown))
            }
            Answer::Never => std::future::pending().await,
            Answer::Panics => panic!("as the test wants it"),
        }
    }
}

/// What is told of `wordpress`.
#[derive(Clone, Debug, Default)]
struct Heard {
    delivered: usize,
    /// Event, attempt, reason, and when the next one is due, in Unix seconds.
    failed: Vec<(String, u32, String, i64)>,
    died: Vec<(String, u32, String)>,
    standings: Vec<Standing>,
}

#[derive(Default)]
struct Ears(watch::Sender<Heard>);

impl Ears {
    fn hear(&self, destination: &str, change: impl FnOnce(&mut Heard)) {
        if destination == "wordpress" {
            self.0.send_modify(change);
        }
    }
}

impl Observer for Ears {
    fn attempted(&self, destination: &str, _: &str, result: Result<Confirmed, &PublishError>) {
        self.hear(destination, |heard| heard.delivered += usize::from(result.is_ok()));
    }
    fn failed(&self, failed: &FailedAttempt<'_>) {
        let FailedAttempt { destination, event_id, attempt, reason, next, .. } = *failed;
        let next = next.unix_s();
        self.hear(destination, |heard| heard.failed.push((event_id.to_owned(), attempt, reason.to_owned(), next)));
    }
    fn died(&self, letter: &DeadLetter<'_>) {
        let DeadLetter { destination, event_id, attempts, reason } = *letter;
        self.hear(destination, |heard| heard.died.push((event_id.to_owned(), attempts, reason.to_owned())));
    }
    fn standing(&self, destination: &str, now: Standing, _: Option<&str>) {
        self.hear(destination, |heard| heard.standings.push(now));
    }
    fn not_settled(&self, destination: &str, event_id: &str, fault: &Fault) {
        panic!("{event_id} at {destination}: {fault}");
    }
}

/// Both clocks run with tokio's, which a test stops.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(1_760_000_000) + self.0.elapsed()
    }
    fn running(&self) -> StdInstant {
        Instant::now().into_std()
    }
}

pub(super) struct House {
    pub(super) spool: Spool,
    pub(super) switches: Switches,
    folder: Arc<tempfile::TempDir>,
    clock: Arc<dyn Clock>,
    ears: Arc<Ears>,
    calls: Arc<Mutex<Vec<Call>>>,
    concurrency: usize,
    ready: Vec<Forwarder<Fake>>,
    begun: bool,
    tasks: JoinSet<()>,
    terms: Vec<watch::Sender<Terms<Fake>>>,
    accepted: Mutex<usize>,
    to: Vec<String>,
    orders: fn(usize) -> u32,
}

impl House {
    /// One destination, `wordpress`.
    pub(super) fn with(concurrency: usize, answers: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = folder.path().join("spool");
        Self::over(folder, path, Arc::new(Paused(Instant::now())), concurrency, Box::new(answers))
    }

    fn over(
        folder: Arc<tempfile::TempDir>,
        spool: PathBuf,
        clock: Arc<dyn Clock>,
        concurrency: usize,
        answers: Box<Answers>,
    ) -> Self {
        let settings = Settings { folder: spool, bytes: 64 << 20, free: 0 };
        let (spool, _) = Spool::open(settings, clock.clone()).unwrap();
        let mut house = Self {
            spool,
            switches: Switches::default(),
            folder,
            clock,
            ears: Arc::default(),
            calls: Arc::default(),
            concurrency,
            ready: Vec::new(),
            begun: false,
            tasks: JoinSet::new(),
            terms: Vec::new(),
            accepted: Mutex::default(),
            to: Vec::new(),
            orders: |_| 0,
        };
        house.forward("wordpress", answers, house.calls.clone());
        house
    }

    /// One more destination, of which nothing is told.
    pub(super) fn and(mut self, name: &str, answers: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        self.forward(name, Box::new(answers), Arc::default());
        self
    }

    /// The order keys of events by their numbers; 0 is none.
    pub(super) fn ordered(mut self, orders: fn(usize) -> u32) -> Self {
        self.orders = orders;
        self
    }

    fn forward(&mut self, name: &str, answers: Box<Answers>, calls: Arc<Mutex<Vec<Call>>>) {
        let destination = Arc::new(Fake { answers, calls, under_way: Arc::default() });
        let (terms, told) = watch::channel(Terms { destination, concurrency: self.concurrency });
        let (spool, observer, clock) = (self.spool.clone(), self.ears.clone(), self.clock.clone());
        let forwarder = Forwarder::new(name, spool, observer, clock, told);
        self.terms.push(terms);
        self.ready.push(forwarder);
        self.to.push(name.to_owned());
    }

    /// With so many events in the queue; from now on the clock runs as fast as nothing happens.
    pub(super) async fn begin(mut self, accepted: usize) -> Self {
        self.accept(accepted).await;
        tokio::time::pause();
        self.begun = true;
        for (name, forwarder) in self.to.iter().zip(std::mem::take(&mut self.ready)) {
            self.tasks.spawn(forwarder.run(self.switches.add(name)));
        }
        self
    }

    /// What another process finds after this one was killed; with other answers, and not begun.
    pub(super) async fn killed(
        mut self,
        concurrency: usize,
        answers: impl Fn(&str, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let copy = self.folder.path().join("copy");
        fs::create_dir(&copy).unwrap();
        for entry in fs::read_dir(self.spool.folder()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
        self.tasks.shutdown().await;
        Self::over(self.folder.clone(), copy, self.clock.clone(), concurrency, Box::new(answers))
    }

    /// So many events more: `evt_0`, `evt_1` and so on.
    pub(super) async fn accept(&self, many: usize) {
        for _ in 0..many {
            let number = {
                let mut accepted = self.accepted.lock().unwrap();
                *accepted += 1;
                *accepted - 1
            };
            let id = format!("evt_{number}");
            let template = event_with(keys(&id, 1), b"{}");
            let order = OrderKey::from_number((self.orders)(number));
            let record = Record { id, order, to: self.to.clone(), ..template.record().clone() };
            self.spool.accept(Event::for_tests(*template.keys(), record)).await.unwrap();
        }
    }

    /// Waits for news until it is so.
    pub(super) async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let (mut heard, began) = (self.ears.0.subscribe(), StdInstant::now());
        while !is_so(self) {
            assert!(began.elapsed() < seconds(60), "it never comes to be so");
            // A call is no news, and may be what is waited for.
            let _ = tokio::time::timeout(seconds(1), heard.changed()).await;
        }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(super) fn calls_of(&self, id: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.id == id).collect()
    }

    pub(super) fn delivered(&self) -> usize {
        self.ears.0.borrow().delivered
    }

    pub(super) fn died(&self) -> Vec<(String, u32, String)> {
        self.ears.0.borrow().died.clone()
    }

    pub(super) fn failed(&self) -> Vec<(String, u32, String, i64)> {
        self.ears.0.borrow().failed.clone()
    }

    pub(super) fn standings(&self) -> Vec<Standing> {
        self.ears.0.borrow().standings.clone()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if self.begun && !std::thread::panicking() {
            tokio::time::resume();
        }
    }
}
