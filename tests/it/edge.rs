//! The edge over real sockets: clients that send exactly the bytes they are given, and an origin whose record of what
//! it received is the judge.

mod accept;
mod doorway;
mod drain;
mod forms;
mod outbound;
mod proxying;
mod support;
mod tls;
