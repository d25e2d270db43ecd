//! Accepting, against the bare log: interleaved rounds, the ratio of each, and first the bare log against itself.

use crate::{bare::Bare, events::Maker, folder};
use hookwarden::{
    clock::SystemClock,
    event::Event,
    ledger::{Accepted, Ledger as _},
    spool::{Settings, Spool},
};
use std::{sync::Arc, time::Instant};
use tokio::{runtime::Runtime, task::JoinSet};

const ROUNDS: usize = 7;

/// Writers, bytes of a payload, and how many each writes in one round.
const CASES: [(usize, usize, usize); 6] = [
    (1, 1 << 10, 2000),
    (64, 1 << 10, 1600),
    (512, 1 << 10, 300),
    (1, 16 << 10, 1000),
    (64, 16 << 10, 400),
    (512, 16 << 10, 50),
];

/// Only the cases with so many writers, if that is said.
pub(super) fn run(runtime: &Runtime, only: Option<usize>) {
    println!("events a second, median of {ROUNDS} interleaved rounds; ratio: median [lowest, highest] of the rounds");
    let maker = Maker::new();
    for (writers, bytes, each) in CASES.into_iter().filter(|(writers, ..)| only.is_none_or(|only| only == *writers)) {
        let shares = runtime.block_on(shares(&maker, writers, bytes, each));
        let log = || runtime.block_on(bare(&shares));
        let (one, other) = compare(log, log);
        report(writers, bytes, "the same", &one, &other);
        let (one, other) = compare(log, || runtime.block_on(spool(&shares)));
        report(writers, bytes, "the spool", &one, &other);
    }
}

/// What each writer will write.
async fn shares(maker: &Maker, writers: usize, bytes: usize, each: usize) -> Vec<Vec<Event>> {
    let mut shares = Vec::new();
    for writer in 0..writers {
        let mut share = Vec::new();
        for number in 0..each {
            share.push(maker.event(writer * each + number, bytes).await);
        }
        shares.push(share);
    }
    shares
}

/// Events a second of each round, the two taking turns at going first.
fn compare(mut one: impl FnMut() -> f64, mut other: impl FnMut() -> f64) -> (Vec<f64>, Vec<f64>) {
    let round = |round: usize| {
        if round.is_multiple_of(2) {
            let first = one();
            (first, other())
        } else {
            let first = other();
            (one(), first)
        }
    };
    (0..ROUNDS).map(round).unzip()
}

fn report(writers: usize, bytes: usize, other: &str, bare: &[f64], rates: &[f64]) {
    let ratios: Vec<_> = bare.iter().zip(rates).map(|(bare, rate)| rate / bare).collect();
    let (lowest, middle, highest) = spread(&ratios);
    println!(
        "{writers:>4} writers x {:>2} KiB: bare log {:>6.0}, {other:<9} {:>6.0}, ratio {middle:.2} [{lowest:.2}, {highest:.2}]",
        bytes >> 10,
        spread(bare).1,
        spread(rates).1,
    );
}

fn spread(of: &[f64]) -> (f64, f64, f64) {
    let mut sorted = of.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
    (at(0), at(sorted.len() / 2), at(sorted.len() - 1))
}

async fn bare(shares: &[Vec<Event>]) -> f64 {
    let folder = folder();
    let log = Bare::open(folder.path());
    writing(shares, move |event| {
        let log = log.clone();
        async move { log.append(event.record().payload.clone()).await }
    })
    .await
}

async fn spool(shares: &[Vec<Event>]) -> f64 {
    let folder = folder();
    let settings = Settings { folder: folder.path().join("spool"), bytes: 8 << 30, free: 0 };
    let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
    let accepting = spool.clone();
    let rate = writing(shares, move |event| {
        let spool = accepting.clone();
        async move { assert!(matches!(spool.accept(event).await, Ok(Accepted::New(_)))) }
    })
    .await;
    spool.close().await;
    rate
}

/// Events a second, with a task for each share.
async fn writing<W: Future<Output = ()> + Send + 'static>(
    shares: &[Vec<Event>],
    write: impl Fn(Event) -> W + Clone + Send + 'static,
) -> f64 {
    let count: u32 = shares.iter().map(|share| u32::try_from(share.len()).unwrap()).sum();
    let mut tasks = JoinSet::new();
    let shares = shares.to_vec();
    let started = Instant::now();
    for share in shares {
        let write = write.clone();
        tasks.spawn(async move {
            for event in share {
                write(event).await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}
