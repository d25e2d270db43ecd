//! How much may one address, or one sender, send? A generic cell rate algorithm, with `now` as an argument.

pub mod gcra;

pub use gcra::{Rate, Table};
