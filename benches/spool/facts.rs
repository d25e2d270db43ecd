//! The machine, so that a figure can be read elsewhere: cores, kernel, and what a sync of its disk takes just now.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

const SYNCS: usize = 500;

pub(super) fn print(folder: &Path) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let (median, p99) = sync_times(folder);
    println!(
        "{cores} cores, Linux {}; fdatasync after 4 KiB: median {:.2} ms, p99 {:.2} ms",
        kernel.trim(),
        ms(median),
        ms(p99)
    );
}

fn sync_times(folder: &Path) -> (Duration, Duration) {
    let mut file = File::create(folder.join("facts")).unwrap();
    let one = || {
        file.write_all(&[7; 4096]).unwrap();
        let started = Instant::now();
        file.sync_data().unwrap();
        started.elapsed()
    };
    let mut times: Vec<_> = std::iter::repeat_with(one).take(SYNCS).collect();
    times.sort_unstable();
    let at = |hundredths: usize| times.get(SYNCS * hundredths / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

pub(super) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Bytes of this process in memory.
pub(super) fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).unwrap() * 1024
}
