//! What does it say? Reads a verified body once, checks it, and takes out what must not go further.

mod clean;
mod contract;
mod document;

pub use clean::{Clean, clean};
pub use contract::{Contract, Naming};
pub use document::{Read, read};
