//! The built binary in front of a real WordPress and real brokers, driven over sockets. What WordPress's stand-in endpoints noted is the
//! judge: not what the gate says of itself.
//!
//! Needs `target/e2e/hookwarden` (`cargo build --profile e2e`), or `HOOKWARDEN_BIN`. The WordPress bed is brought up once
//! by `deploy/dev/wordpress-up`, which installs what it needs, and stopped at the end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that cannot go on says so and fails"
)]

mod bed;
mod brokers;
mod delivery;
mod gate;
mod guards;
mod handshakes;
mod kills;
mod operations;
mod passing;
mod php;
mod policies;
mod redaction;
mod wire;
