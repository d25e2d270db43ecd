//! A webhook is a value that changes type as it is believed more.

pub mod clock;
pub mod json;
pub mod secret;
pub mod verdict;

pub mod request;

pub mod admit;
pub mod guard;
pub mod limit;
pub mod repeat;

pub mod verify;

pub mod payload;

pub mod event;
pub mod outcome;

pub mod policy;

pub mod answer;
pub mod destination;
pub mod gate;
pub mod ledger;
pub mod outbound;

#[cfg(feature = "edge")]
pub mod deliver;
#[cfg(feature = "edge")]
pub mod keys;
#[cfg(feature = "spool")]
pub mod spool;

#[cfg(feature = "edge")]
pub mod cli;
#[cfg(feature = "edge")]
pub mod control;
#[cfg(feature = "edge")]
pub mod edge;
