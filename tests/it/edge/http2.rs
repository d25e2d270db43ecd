//! HTTP/2, frame by frame: what the library behind the gate reads leniently, and what its clients may do to it.

mod malformed;
mod patience;
mod raw;
