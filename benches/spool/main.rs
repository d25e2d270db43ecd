//! What the spool costs, measured where it runs: accepting against a bare log in the same run, being ready again after a
//! restart, and memory. No harness: what is measured is many writers that share one disk, in interleaved rounds.
//!
//! ```text
//! cargo bench --no-default-features --features spool --bench spool            # accepting; `-- accept 64`: by 64 writers
//! cargo bench --no-default-features --features spool --bench spool -- ready   # one million events, ready again
//! cargo bench --no-default-features --features spool --bench spool -- keys    # ten million remembered keys
//! ```
//!
//! `SPOOL_BENCH_FOLDER` names the disk; absent, the folder for temporary files.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

mod accept;
mod bare;
mod events;
mod facts;
mod keys;
mod ready;

use std::path::PathBuf;

fn main() {
    let mut words = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (what, writers) = (words.next(), words.next().and_then(|word| word.parse().ok()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    facts::print(folder().path());
    match what.as_deref() {
        None | Some("accept") => accept::run(&runtime, writers),
        Some("ready") => ready::run(&runtime),
        Some("keys") => keys::run(&runtime),
        Some(other) => eprintln!("`{other}` is not measured here: accept, ready, keys"),
    }
}

/// A folder on the disk to be measured, gone at the end.
fn folder() -> tempfile::TempDir {
    let on = std::env::var_os("SPOOL_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    tempfile::tempdir_in(on).unwrap()
}
