//! The edge over real sockets: clients that send exactly the bytes they are given, and an origin whose record of what
//! it received is the judge.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "helpers of tests, outside of #[test]"
)]

mod accept;
mod captures;
mod confirm;
mod doorway;
mod drain;
mod forms;
mod forwarded;
mod handshakes;
mod http2;
mod issuers;
mod observed;
mod outbound;
mod proxying;
mod published;
mod repeats;
mod support;
mod tls;
mod tokens;
