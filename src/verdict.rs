//! Whose fault is it? The sender's, then it is a [`Rejection`]; ours, then it is a [`Fault`].
//!
//! Neither knows HTTP: a decision is a value first, and [`answer`](crate::answer) makes it a status.

mod token;

pub use token::{TokenError, TokenFlaw};

use std::{fmt, time::Duration};

/// The sender's fault. Holds nothing of the request, so it can be logged and counted as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Rejection {
    /// A request head that two parsers could read in two ways; the word is the doorway's rule.
    #[error("the request head breaks the rule `{0}`")]
    Head(&'static str),
    /// A path that PHP or a web server could read in another way than we did.
    #[error("the request target cannot be read surely")]
    TargetUnclear,
    /// A guarded endpoint named only in a form body, where no signature can be demanded.
    #[error("a guarded endpoint is named in a form body")]
    GuardedInForm,
    /// WordPress's REST batch endpoint, which carries requests for guarded routes in its body.
    #[error("the REST batch endpoint can reach a guarded route")]
    Batch,
    /// The route does not take this method.
    #[error("method is not allowed here")]
    Method,
    /// The route does not take this content type or content coding.
    #[error("content type or coding is not allowed here")]
    ContentType,
    /// Declared or read: more than the route's limit.
    #[error("body exceeds the route's limit")]
    TooLarge,
    /// The body did not come in time, or too slowly.
    #[error("body came too slowly")]
    TooSlow,
    /// The body's framing broke.
    #[error("body cannot be read to its end")]
    BodyBroken,
    /// The sender went away in the middle of its body; nobody is there to hear a status.
    #[error("the sender went away")]
    Left,
    /// The answer was not read in time.
    #[error("the answer is not read")]
    Unread,
    /// This address asks too often for this route; wait this long.
    #[error("this address sends too much")]
    AddressLimited(Duration),
    /// The policy names the addresses of this sender, and this is none of them.
    #[error("the address is none of the sender's")]
    AddressNotListed,
    /// What the request refers to is not there, is there twice, or is no id that this vendor gives.
    #[error("what the request refers to is no id of this vendor's")]
    ReferenceRefused,
    /// The vendor was asked, and does not know what the request refers to.
    #[error("the vendor does not know what the request refers to")]
    Unconfirmed,
    /// The vendor was asked, and it is in a state that the policy does not ask for.
    #[error("what the request refers to is in another state")]
    StateRefused,
    /// This address asks this route too often for a keyed digest that nobody signed for; wait this long.
    #[error("this address asks for too many digests")]
    HandshakeAddressLimited(Duration),
    /// All addresses together ask this route too often for such digests; wait this long.
    #[error("too many digests are asked for")]
    HandshakeRouteLimited(Duration),
    /// A signature, its time or its id is not there, or is there twice.
    #[error("signature, time or id is missing or repeated")]
    SignatureMissing,
    /// The signature, time or id is there and cannot be read.
    #[error("signature, time or id is malformed")]
    SignatureMalformed,
    /// No key of this route made the signature.
    #[error("signature does not match")]
    SignatureMismatch,
    /// The route has no key that is in force.
    #[error("the route has no key in force")]
    NoKey,
    /// Signed longer ago than the route's `max_age`.
    #[error("signed too long ago")]
    Stale,
    /// Signed further in the future than the route's `max_future`.
    #[error("signed in the future")]
    FromTheFuture,
    /// The bearer token is not believed, or may not do this.
    #[error(transparent)]
    Token(#[from] TokenFlaw),
    /// This sender sends too much; wait this long.
    #[error("this sender sends too much")]
    SenderLimited(Duration),
    /// Not one JSON document with one meaning, on a route that has to read it.
    #[error("body is not one JSON document with one meaning")]
    Malformed,
    /// The document breaks the route's contract.
    #[error("document does not satisfy the route's contract")]
    ContractBroken,
    /// The document names no version of the contract that the route accepts.
    #[error("document names no version of the contract that is accepted")]
    ContractUnknown,
    /// The document is of a version that is no longer accepted.
    #[error("document is of a version of the contract that has ended")]
    ContractSunset,
}

impl Rejection {
    /// Every code, in the order in which a request can meet them; metrics are made for each at the start. Whoever left
    /// was not refused: `aborted` is an outcome of its own.
    pub const CODES: &[&str] = &[
        "head_refused",
        "target_unclear",
        "guarded_in_form",
        "batch_refused",
        "method_not_allowed",
        "content_type",
        "too_large",
        "too_slow",
        "body_broken",
        "answer_unread",
        "address_limited",
        "address_not_listed",
        "reference_refused",
        "handshake_address_limited",
        "handshake_route_limited",
        "signature_missing",
        "signature_malformed",
        "signature_mismatch",
        "no_key",
        "stale",
        "from_the_future",
        "token_missing",
        "token_twice",
        "token_too_long",
        "token_malformed",
        "token_encoding",
        "token_header",
        "token_encrypted",
        "token_compressed",
        "token_unencoded",
        "token_critical",
        "token_nested",
        "token_algorithm",
        "token_type",
        "token_key_unknown",
        "token_key_ambiguous",
        "token_key_misfit",
        "token_signature_malformed",
        "token_signature_mismatch",
        "token_claims",
        "token_claim_type",
        "token_issuer",
        "token_audience",
        "token_end_missing",
        "token_expired",
        "token_not_yet",
        "token_from_the_future",
        "token_too_old",
        "token_claim_missing",
        "token_subject",
        "token_scope",
        "token_used",
        "sender_limited",
        "malformed",
        "contract_broken",
        "contract_unknown",
        "contract_sunset",
        "unconfirmed",
        "state_refused",
    ];

    /// Stable, low-cardinality name for logs, metrics and documentation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Head(_) => "head_refused",
            Self::TargetUnclear => "target_unclear",
            Self::GuardedInForm => "guarded_in_form",
            Self::Batch => "batch_refused",
            Self::Method => "method_not_allowed",
            Self::ContentType => "content_type",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::BodyBroken => "body_broken",
            Self::Left => "aborted",
            Self::Unread => "answer_unread",
            Self::AddressLimited(_) => "address_limited",
            Self::AddressNotListed => "address_not_listed",
            Self::ReferenceRefused => "reference_refused",
            Self::Unconfirmed => "unconfirmed",
            Self::StateRefused => "state_refused",
            Self::HandshakeAddressLimited(_) => "handshake_address_limited",
            Self::HandshakeRouteLimited(_) => "handshake_route_limited",
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::NoKey => "no_key",
            Self::Stale => "stale",
            Self::FromTheFuture => "from_the_future",
            Self::Token(flaw) => flaw.code(),
            Self::SenderLimited(_) => "sender_limited",
            Self::Malformed => "malformed",
            Self::ContractBroken => "contract_broken",
            Self::ContractUnknown => "contract_unknown",
            Self::ContractSunset => "contract_sunset",
        }
    }

    /// What did not hold.
    pub const fn check(self) -> Check {
        match self {
            Self::Head(_) | Self::TargetUnclear | Self::GuardedInForm | Self::Batch => Check::Guard,
            Self::Method
            | Self::ContentType
            | Self::TooLarge
            | Self::TooSlow
            | Self::BodyBroken
            | Self::Left
            | Self::Unread => Check::Admit,
            Self::AddressLimited(_)
            | Self::SenderLimited(_)
            | Self::HandshakeAddressLimited(_)
            | Self::HandshakeRouteLimited(_) => Check::Limits,
            Self::AddressNotListed
            | Self::ReferenceRefused
            | Self::Unconfirmed
            | Self::StateRefused
            | Self::SignatureMissing
            | Self::SignatureMalformed
            | Self::SignatureMismatch
            | Self::NoKey
            | Self::Stale
            | Self::FromTheFuture
            | Self::Token(_) => Check::Verify,
            Self::Malformed | Self::ContractBroken | Self::ContractUnknown | Self::ContractSunset => Check::Schema,
        }
    }

    /// Whether the sender could not show who it is. Outside, all of these look alike.
    pub const fn is_authentication(self) -> bool {
        match self {
            Self::Token(flaw) => !matches!(flaw.error(), TokenError::InsufficientScope),
            Self::AddressNotListed
            | Self::ReferenceRefused
            | Self::Unconfirmed
            | Self::SignatureMissing
            | Self::SignatureMalformed
            | Self::SignatureMismatch
            | Self::NoKey
            | Self::Stale
            | Self::FromTheFuture => true,
            Self::Head(_)
            | Self::TargetUnclear
            | Self::GuardedInForm
            | Self::Batch
            | Self::Method
            | Self::ContentType
            | Self::TooLarge
            | Self::TooSlow
            | Self::BodyBroken
            | Self::Left
            | Self::Unread
            | Self::AddressLimited(_)
            | Self::SenderLimited(_)
            | Self::HandshakeAddressLimited(_)
            | Self::HandshakeRouteLimited(_)
            | Self::StateRefused
            | Self::Malformed
            | Self::ContractBroken
            | Self::ContractUnknown
            | Self::ContractSunset => false,
        }
    }
}

/// What a route holds against a request, in the order in which a request meets it. A route that is tried before it enforces
/// counts by these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// All of them.
    All,
    /// Which endpoint it is for.
    Guard,
    /// Method, content type, length.
    Admit,
    /// Tokens of addresses and of senders.
    Limits,
    /// Signature and signed time, or the token.
    Verify,
    /// Whether it came before.
    Repeats,
    /// The contract.
    Schema,
}

impl Check {
    /// Stable, low-cardinality name for logs, metrics and documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Guard => "guard",
            Self::Admit => "admit",
            Self::Limits => "limits",
            Self::Verify => "verify",
            Self::Repeats => "repeats",
            Self::Schema => "schema",
        }
    }
}

/// The gate's own failure, or its origin's. The sender did nothing wrong and should try again, unless that is hopeless.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// All bodies together take as much memory as they may.
    #[error("no room for another body")]
    NoRoom,
    /// The ledger has reached its disk budget or the free-space floor.
    #[error(
        "the spool is full: it has as much as `spool.bytes` lets it have, or the disk has less free than `spool.free`"
    )]
    LedgerFull,
    /// More is waiting for the disk, or for the broker, than may wait.
    #[error("the spool, or the broker in its place, has too much to write")]
    LedgerBusy,
    /// Write or sync failed; the event is not durable.
    #[error("the spool, or the broker in its place, did not take the event")]
    Ledger(#[source] BoxError),
    /// The broker that alone keeps the route's events takes none that are so large, however often it is asked.
    #[error("the event is larger than its broker takes")]
    EventTooLarge(#[source] BoxError),
    /// No key has the token's id, and the set is old enough for the issuer to have a new one by now; or the certificate that
    /// the request names has not been fetched yet.
    #[error("the sender's key is not here yet")]
    KeyPending,
    /// The issuer's keys have never been fetched, or so long ago that they may have been revoked since.
    #[error("the keys that are published are not to be had")]
    KeysUnavailable,
    /// The vendor, asked whether what a request refers to exists, did not say.
    #[error("the vendor did not say whether it exists")]
    Unconfirmable(#[source] BoxError),
    /// The sender's answer was due before the ledger, or the first copy of this event, came to an end.
    #[error("no answer in time")]
    TooLate,
    /// Another request has taken over the lease.
    #[error("another request has taken over the lease")]
    LeaseLost,
    /// Nothing was sent to the origin.
    #[error("the origin cannot be reached")]
    OriginUnreachable(#[source] BoxError),
    /// Something was sent, and no answer came: the origin may have acted on it.
    #[error("the origin did not answer")]
    OriginUnknown(#[source] BoxError),
    /// A webhook sender takes a redirect for a failure, or turns its POST into a GET.
    #[error("the origin answered a webhook with a redirect")]
    OriginRedirected,
    /// As many requests are waiting for the origin as may.
    #[error("the origin is busy")]
    OriginBusy,
    /// A vendor has handed over a key, and it is not in its file, or not in force.
    #[error("the key that was handed over is not kept")]
    KeyNotKept(#[source] BoxError),
}

impl Fault {
    /// Every code; metrics are made for each at the start.
    pub const CODES: &[&str] = &[
        "no_room",
        "ledger_full",
        "ledger_busy",
        "ledger_failed",
        "event_too_large",
        "key_pending",
        "keys_unavailable",
        "unconfirmable",
        "too_late",
        "lease_lost",
        "origin_unreachable",
        "origin_unknown",
        "origin_redirected",
        "origin_busy",
        "key_not_kept",
    ];

    /// Stable, low-cardinality name for logs, metrics and documentation.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoRoom => "no_room",
            Self::LedgerFull => "ledger_full",
            Self::LedgerBusy => "ledger_busy",
            Self::Ledger(_) => "ledger_failed",
            Self::EventTooLarge(_) => "event_too_large",
            Self::KeyPending => "key_pending",
            Self::KeysUnavailable => "keys_unavailable",
            Self::Unconfirmable(_) => "unconfirmable",
            Self::TooLate => "too_late",
            Self::LeaseLost => "lease_lost",
            Self::OriginUnreachable(_) => "origin_unreachable",
            Self::OriginUnknown(_) => "origin_unknown",
            Self::OriginRedirected => "origin_redirected",
            Self::OriginBusy => "origin_busy",
            Self::KeyNotKept(_) => "key_not_kept",
        }
    }
}

/// The cause below an error of ours.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a request did not become an accepted event.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The sender's fault.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Ours.
    #[error(transparent)]
    Failed(#[from] Fault),
}

impl Refusal {
    /// Stable, low-cardinality name for logs, metrics and documentation.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::Failed(fault) => fault.code(),
        }
    }
}

/// Shows an error with its chain of causes on one line, for the one place that logs.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flaw_of_a_token_has_a_code_of_its_own_that_metrics_know() {
        for (index, flaw) in TokenFlaw::ALL.iter().enumerate() {
            assert!(Rejection::CODES.contains(&flaw.code()), "{flaw:?}");
            assert!(TokenFlaw::ALL[..index].iter().all(|other| other.code() != flaw.code()), "{flaw:?}");
        }
        let of_tokens = Rejection::CODES.iter().filter(|code| code.starts_with("token_")).count();
        assert_eq!(of_tokens, TokenFlaw::ALL.len(), "a flaw is not in `ALL`");
    }

    #[test]
    fn a_fault_tells_its_causes_and_a_rejection_has_none() {
        let fault = Fault::Ledger("no space left on device".into());
        let told = Chain(&fault).to_string();
        assert_eq!(told, "the spool, or the broker in its place, did not take the event: no space left on device");
    }
}
