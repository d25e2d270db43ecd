//! Everything that needs more than one module, in one binary: one link, and no order between tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that cannot go on says so and fails"
)]

mod architecture;
mod cases;
#[cfg(feature = "edge")]
mod certificates;
#[cfg(feature = "edge")]
mod command;
mod diagnosis;
#[cfg(feature = "edge")]
mod edge;
mod guard;
mod handshakes;
mod language;
mod messages;
mod payload;
mod policy;
mod reading;
#[cfg(feature = "edge")]
mod reload;
mod rollouts;
mod senders;
#[cfg(feature = "edge")]
mod spool;
mod tokens;
