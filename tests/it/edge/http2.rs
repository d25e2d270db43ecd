//! HTTP/2, frame by frame: what the library behind the gate reads leniently, and what its clients may do to it.

mod conformance;
mod downgrade;
mod malformed;
mod patience;
pub(super) mod raw;
