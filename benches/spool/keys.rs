//! Ten million keys, remembered through the port for relays: what one takes in memory, and how long a look takes.

use crate::{facts::resident, folder};
use hookwarden::{
    clock::SystemClock,
    ledger::{Leased, Leases, Settled, Success},
    repeat::{BodyMark, Fingerprint, Remembered, RepeatKeys},
    secret::Secret,
    spool::{Settings, Spool},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, task::JoinSet};

const KEYS: usize = 10_000_000;
const WRITERS: usize = 2000;
const LOOKS: usize = 1_000_000;

pub(super) fn run(runtime: &Runtime) {
    let folder = folder();
    let settings = Settings { folder: folder.path().join("spool"), bytes: 8 << 30, free: 0 };
    let (spool, _) = Spool::open(settings.clone(), Arc::new(SystemClock)).unwrap();
    let secret = Arc::new(Secret::new("the gate's own").unwrap());
    let started = Instant::now();
    runtime.block_on(fill(&spool, &secret));
    println!("{} keys in {:.0} s", spool.stats().keys, started.elapsed().as_secs_f64());
    runtime.block_on(spool.close());
    drop(spool);
    let before = resident();
    let started = Instant::now();
    let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
    let took = started.elapsed();
    let (count, bytes) = (spool.stats().keys, (resident() - before) as u64);
    let tenths = bytes * 10 / count;
    println!(
        "{count} keys read back in {:.1} s: {}.{} bytes a key resident",
        took.as_secs_f64(),
        tenths / 10,
        tenths % 10
    );
    let wanted: Vec<_> = (0..LOOKS).map(|look| keys(&secret, look * 20)).collect();
    let started = Instant::now();
    let known = wanted.iter().filter(|keys| spool.look(keys).is_some()).count();
    let each = started.elapsed().as_nanos() / LOOKS as u128;
    println!("a look takes {each} ns, half of them at keys that are not there ({known} of {LOOKS} were)");
    runtime.block_on(spool.close());
}

async fn fill(spool: &Spool, secret: &Arc<Secret>) {
    let taken = Success::of(http::StatusCode::OK).unwrap();
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (spool, secret) = (spool.clone(), secret.clone());
        tasks.spawn(async move {
            for number in 0..KEYS / WRITERS {
                let keys = keys(&secret, writer * (KEYS / WRITERS) + number);
                let Ok(Leased::Held(lease)) = spool.lease(&keys, Duration::from_secs(60)).await else {
                    continue;
                };
                Leases::settle(&spool, lease, Settled::Done(taken)).await.unwrap();
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

fn keys(secret: &Secret, number: usize) -> RepeatKeys {
    let key = Fingerprint::of_event(secret, "bench", &[&number.to_string()]);
    let event = Some(Remembered { key, remember: Duration::from_secs(72 * 3600) });
    RepeatKeys { proof: None, event, body: BodyMark(number as u64) }
}
