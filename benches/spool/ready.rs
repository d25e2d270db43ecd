//! One million events of 1 KiB wait: how long until the spool is open again, and how much memory they take.

use crate::{
    events::Maker,
    facts::{ms, resident},
    folder,
};
use hookwarden::{
    clock::SystemClock,
    ledger::Ledger as _,
    spool::{Settings, Spool},
};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::{
    fs::{self, File},
    path::Path,
    sync::Arc,
    time::Instant,
};
use tokio::{runtime::Runtime, task::JoinSet};

const EVENTS: usize = 1_000_000;
const WRITERS: usize = 500;

pub(super) fn run(runtime: &Runtime) {
    let folder = folder();
    let settings = Settings { folder: folder.path().join("spool"), bytes: 8 << 30, free: 0 };
    let (spool, _) = Spool::open(settings.clone(), Arc::new(SystemClock)).unwrap();
    runtime.block_on(fill(&spool));
    runtime.block_on(spool.close());
    println!("{EVENTS} events in {} MiB of segments", spool.stats().bytes >> 20);
    drop(spool);
    for (how, cold, cut) in [
        ("ended in order, files in memory", false, 0),
        ("ended in order, files on disk alone", true, 0),
        ("killed: the last segment has no footer", true, 1),
        ("no segment has a footer", true, usize::MAX),
    ] {
        cut_footers(&settings.folder, cut);
        if cold {
            forget_pages(&settings.folder);
        }
        let before = resident();
        let started = Instant::now();
        let (spool, found) = Spool::open(settings.clone(), Arc::new(SystemClock)).unwrap();
        let took = started.elapsed();
        assert_eq!((found.pending, found.corrupt), (EVENTS as u64, 0));
        let each = resident().saturating_sub(before) / EVENTS;
        println!("{how}: ready in {:.0} ms; {each} bytes an event, its key included", ms(took));
        runtime.block_on(spool.close());
        // The writer's thread lets go of the rest.
        drop(spool);
    }
}

async fn fill(spool: &Spool) {
    let maker = Arc::new(Maker::new());
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (maker, spool) = (maker.clone(), spool.clone());
        tasks.spawn(async move {
            for number in 0..EVENTS / WRITERS {
                let event = maker.event(writer * (EVENTS / WRITERS) + number, 1 << 10).await;
                assert!(spool.accept(event).await.is_ok());
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

/// Youngest first. A footer's last bytes are damaged: that is enough not to believe it.
fn cut_footers(folder: &Path, most: usize) {
    for path in segments(folder).into_iter().rev().filter(|path| fs::metadata(path).unwrap().len() > 64).take(most) {
        let file = File::options().write(true).open(path).unwrap();
        let size = file.metadata().unwrap().len();
        file.set_len(size - 1).unwrap();
    }
}

fn forget_pages(folder: &Path) {
    for path in segments(folder) {
        let file = File::open(path).unwrap();
        file.sync_all().unwrap();
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
    }
}

fn segments(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    paths.sort();
    paths
}
