//! Who sent this? Turns an [`Unverified`](crate::request::Unverified) request into a [`Verified`].
//!
//! The ways to know a sender are closed: were they a public trait, any crate could answer "yes, I know this sender".

pub mod catalogue;
mod certificate;
pub mod certificates;
mod confirm;
mod doubt;
mod handshake;
pub mod jwt;
mod keys;
mod message;
mod odd;
pub mod scheme;
mod trust;
mod verified;

pub use catalogue::{
    Catalogue, Finding, Mistake, NameTaken, Provenance, Provider, Respond, Source, UNAUTHENTICATED, lint,
};
pub(crate) use confirm::Confirmed;
pub use confirm::{ANSWER_BYTES_MAX, Confirm, Question, Word};
pub use doubt::{
    Held, HeldMessage, HeldToken, holds, holds_but_for_body, holds_but_for_times, is_digest_of, message_algorithms,
};
pub use handshake::{Greeting, Handed, Handshake, Unfit};
pub use keys::{Key, Keys};
pub use scheme::{
    BadKey, BadPrivateKey, BadPublicKey, BadSigningKey, Config, KeyType, Referring, Refers, Scheme, Signed, SigningKey,
    UnfitKey, Unsigned,
};
pub use trust::{Addresses, Confirming, Trust, network};
pub(crate) use verified::shown;
pub use verified::{Coverage, PUBLISHED, Verified, Webhook, verify};
