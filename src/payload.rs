//! What does it say? Reads a verified body once, checks it, and takes out what must not go further.

pub(crate) mod agreed;
mod clean;
mod contract;
pub(crate) mod document;
pub(crate) mod form;
mod less;
pub(crate) mod redact;

pub use agreed::{Finding, Unclean};
pub use clean::{Clean, clean};
pub use contract::{Contract, Naming};
pub use document::{Read, read};
pub use form::read as read_form;
