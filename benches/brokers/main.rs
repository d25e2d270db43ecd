//! Confirmed publishes a second to real brokers beside the client, against the bare synced log in the same rounds.
//!
//! ```text
//! deploy/dev/brokers install
//! cargo bench --bench brokers
//! ```
//!
//! `SPOOL_BENCH_FOLDER` names the disk that all of them write to; absent, the folder for temporary files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on stops")]

#[path = "../spool/bare.rs"]
mod bare;
#[path = "../spool/events.rs"]
mod events;
#[path = "../spool/facts.rs"]
#[expect(dead_code, reason = "shared with the bench of the spool, which asks for more")]
mod facts;

use bare::Bare;
use events::Maker;
use hookwarden::{
    clock::{Clock as _, SystemClock},
    destination::{Confirmed, Destination, Load, Remark, Remarks},
    edge::install_crypto,
    event::Record,
    nats,
    policy::{self, Overrides, Place, Source, compile},
    redis,
    verify::Catalogue,
};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, task::JoinSet};

const ROUNDS: usize = 5;

/// Writers, bytes of a payload, and how many each writes in one round.
const CASES: [(usize, usize, usize); 5] =
    [(1, 1 << 10, 300), (64, 1 << 10, 60), (512, 1 << 10, 10), (64, 16 << 10, 15), (512, 16 << 10, 3)];

/// Longer than any of these takes.
const HORIZON: Duration = Duration::from_secs(3600);

fn main() {
    install_crypto().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = folder();
    facts::print(folder.path());
    let brokers = Brokers::up(folder.path());
    println!("events a second, median of {ROUNDS} interleaved rounds; ratio to the bare log: median [lowest, highest]");
    for (writers, bytes, each) in CASES {
        let shares = runtime.block_on(shares(writers, bytes, each));
        let mut rates: [Vec<f64>; 4] = Default::default();
        for round in 0..ROUNDS {
            let shares = numbered(&shares, round);
            let log = Bare::open(folder.path());
            let append = move |record: Record| {
                let log = log.clone();
                async move { log.append(record.payload).await }
            };
            rates[0].push(runtime.block_on(writing(&shares, append)));
            rates[1].push(measure(&runtime, &shares, brokers.nats(&runtime)));
            for (rate, appendfsync) in rates[2..].iter_mut().zip(["always", "everysec"]) {
                rate.push(measure(&runtime, &shares, brokers.redis(appendfsync)));
            }
        }
        report(writers, bytes, &rates);
    }
}

fn folder() -> tempfile::TempDir {
    let on = std::env::var_os("SPOOL_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    tempfile::tempdir_in(on).unwrap()
}

fn report(writers: usize, bytes: usize, [bare, brokers @ ..]: &[Vec<f64>; 4]) {
    let middle = spread(bare).1;
    println!("{writers:>4} writers x {:>2} KiB: bare log {middle:.0}", bytes >> 10);
    for (name, rates) in ["NATS JetStream, files", "Redis, always", "Redis, everysec"].into_iter().zip(brokers) {
        let ratios: Vec<_> = bare.iter().zip(rates).map(|(bare, rate)| rate / bare).collect();
        let (lowest, ratio, highest) = spread(&ratios);
        println!("  {name:<22} {:>6.0}, ratio {ratio:.2} [{lowest:.2}, {highest:.2}]", spread(rates).1);
    }
}

fn spread(of: &[f64]) -> (f64, f64, f64) {
    let mut sorted = of.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
    (at(0), at(sorted.len() / 2), at(sorted.len() - 1))
}

/// What each writer will write.
async fn shares(writers: usize, bytes: usize, each: usize) -> Vec<Vec<Record>> {
    let maker = Maker::new();
    let mut shares = Vec::new();
    for writer in 0..writers {
        let mut share = Vec::new();
        for number in 0..each {
            share.push(maker.event(writer * each + number, bytes).await.into_record());
        }
        shares.push(share);
    }
    shares
}

/// The same as other events, so that no broker knows them.
fn numbered(shares: &[Vec<Record>], round: usize) -> Vec<Vec<Record>> {
    let now = SystemClock.now().unix_ms();
    let other = |record: &Record| Record { id: format!("{}-{now}-{round}", record.id), ..record.clone() };
    shares.iter().map(|share| share.iter().map(other).collect()).collect()
}

fn measure(runtime: &Runtime, shares: &[Vec<Record>], destination: impl Destination + 'static) -> f64 {
    let destination = Arc::new(destination);
    let publish = move |record: Record| {
        let destination = destination.clone();
        async move { assert_eq!(destination.publish(&record).await.unwrap(), Confirmed::Taken) }
    };
    // Connected before it counts, as a gate that has run for a while is.
    let first =
        shares.iter().flatten().take(64).map(|record| Record { id: format!("{}-first", record.id), ..record.clone() });
    runtime.block_on(writing(&first.map(|record| vec![record]).collect::<Vec<_>>(), publish.clone()));
    runtime.block_on(writing(shares, publish))
}

/// Events a second, with a task for each share.
async fn writing<W: Future<Output = ()> + Send + 'static>(
    shares: &[Vec<Record>],
    write: impl Fn(Record) -> W + Clone + Send + 'static,
) -> f64 {
    let count: u32 = shares.iter().map(|share| u32::try_from(share.len()).unwrap()).sum();
    let mut tasks = JoinSet::new();
    let shares = shares.to_vec();
    let started = Instant::now();
    for share in shares {
        let write = write.clone();
        tasks.spawn(async move {
            for record in share {
                write(record).await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}

struct Deaf;

impl Remarks for Deaf {
    fn remark(&self, _: &str, _: &Remark) {}
}

/// Both servers, on the disk that is measured.
struct Brokers {
    folder: PathBuf,
    nats: u16,
    redis: u16,
}

impl Brokers {
    fn up(folder: &Path) -> Self {
        let port = || TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let brokers = Self { folder: folder.join("brokers"), nats: port(), redis: port() };
        brokers.script("up");
        brokers
    }

    fn script(&self, verb: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/dev/brokers");
        let ports = [("NATS_PORT", self.nats.to_string()), ("REDIS_PORT", self.redis.to_string())];
        assert!(Command::new(script).arg(verb).arg(&self.folder).envs(ports).status().unwrap().success());
    }

    /// A stream of its own, empty.
    fn nats(&self, runtime: &Runtime) -> nats::Stream {
        let server = format!("127.0.0.1:{}", self.nats);
        runtime.block_on(async {
            let context = async_nats::jetstream::new(async_nats::connect(server).await.unwrap());
            let _ = context.delete_stream("EVENTS").await;
            let config = async_nats::jetstream::stream::Config {
                name: "EVENTS".to_owned(),
                subjects: vec!["shop.>".to_owned()],
                duplicate_window: HORIZON,
                ..Default::default()
            };
            context.create_stream(config).await.unwrap();
        });
        let text = format!("nats: 'nats://127.0.0.1:{}', stream: EVENTS, subject: shop.events", self.nats);
        let policy::Destination { name, place, timeout, .. } = destination(&text);
        let Place::Nats(place) = &place else { panic!("{place:?}") };
        let written = nats::Written { name: &name, place, timeout, horizon: HORIZON, largest_bytes: 0 };
        nats::Stream::new(&written, None, Arc::new(Deaf)).unwrap()
    }

    /// Empty, and synced so.
    fn redis(&self, appendfsync: &str) -> redis::Stream {
        for words in [&["FLUSHALL"][..], &["CONFIG", "SET", "appendfsync", appendfsync]] {
            let asked = Command::new("redis-cli").args(["-p", &self.redis.to_string()]).args(words).output();
            assert!(asked.unwrap().status.success());
        }
        let durability = if appendfsync == "always" { "synced" } else { "any" };
        let text = format!("redis: 'redis://127.0.0.1:{}', stream: events, durability: {durability}", self.redis);
        let policy::Destination { name, place, timeout, .. } = destination(&text);
        let Place::Redis(place) = &place else { panic!("{place:?}") };
        redis::Stream::new(&redis::Written { name: &name, place, timeout, load: Load::default() }, None, Arc::new(Deaf))
            .unwrap()
    }
}

impl Drop for Brokers {
    fn drop(&mut self) {
        self.script("down");
    }
}

fn destination(written: &str) -> policy::Destination {
    let text = format!("routes: {{}}\ndestinations: {{ broker: {{ {written} }} }}\n");
    let compiled =
        compile(&Source::one("bench.yaml", text), &Catalogue::embedded(), &Overrides::default(), SystemClock.now());
    let compiled = compiled.map_err(|report| report.to_string()).unwrap();
    compiled.policy.destinations.into_iter().next().unwrap()
}
