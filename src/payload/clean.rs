//! The only maker of [`Clean`]: every check, then every scrub. A check cannot change the document, and a scrub cannot
//! refuse it.

use super::{
    Contract, Read,
    agreed::Unclean,
    document::{Named, Written},
};
use crate::{
    clock::Timestamp,
    order::OrderKey,
    repeat::RepeatKeys,
    request::Head,
    verdict::Rejection,
    verify::{Keys, jwt::Bearer},
};
use bytes::Bytes;

/// A document that is authentic, as agreed, and free of what the policy takes out.
///
/// The raw bytes are gone: nothing downstream can reach what was taken out.
///
/// ```compile_fail,E0451
/// use hookwarden::payload::Clean;
///
/// fn forge(other: Clean) -> Clean {
///     Clean { route: String::new(), ..other }
/// }
/// ```
#[derive(Debug)]
pub struct Clean {
    route: String,
    key_id: String,
    bearer: Option<Bearer>,
    keys: RepeatKeys,
    event_type: Option<String>,
    order: Option<OrderKey>,
    head: Head,
    body: Bytes,
    redacted: Vec<String>,
    version: Option<String>,
    sunset: Option<Timestamp>,
    is_json: bool,
    unagreed: Option<Unclean>,
}

/// Turns what was read into a clean document.
///
/// # Errors
/// The first check of the contract that fails; one that is tried before it enforces does not, and the document tells it. A
/// scrub fails only if a path of the policy has more to visit in this document than it may: what was not searched to its
/// end cannot go on.
pub fn clean(read: Read, contract: &Contract, keys: &Keys, now: Timestamp) -> Result<Clean, Unclean> {
    let agreed = match (contract.checks(), read.document()) {
        (Some(agreed), Ok(Some(document))) => agreed.check(document, now).map(Some),
        (Some(_), Ok(None)) => Err(Unclean::new(Rejection::Malformed, "", "contract")),
        // A type that nobody reads is one that the contract is against; of what is malformed, the reason is known.
        (Some(_), Err(Unclean { rejection, finding: None })) => Err(Unclean::new(rejection, "", "contract")),
        (Some(_), Err(unclean)) => Err(unclean),
        (None, _) => Ok(None),
    };
    let (version, unagreed) = match agreed {
        Ok(version) => (version, None),
        Err(unclean) if contract.is_tried() => (None, Some(unclean)),
        Err(unclean) => return Err(unclean),
    };
    let (version, sunset) = version.map_or((None, None), |version| (Some(version.name.clone()), version.sunset));
    let (verified, named, document) = read.into_parts();
    let Named { keys: repeat, mut event_type, order } = named;
    let (route, key_id, bearer, head, raw) = verified.into_parts();
    let scrubbed = contract.scrubs().scrub(document.as_ref(), &raw, head, keys);
    let scrubbed = scrubbed.map_err(|_| Unclean::new(Rejection::ContractBroken, "", "redact"))?;
    if scrubbed.hides_type(document.as_ref(), contract.naming()) {
        event_type = None;
    }
    // With values in the place of values, and commas where they belong, it still is.
    let is_json = document.as_ref().is_some_and(|document| document.written() == Written::Json);
    let body = scrubbed.body.map_or(raw, Bytes::from);
    let (head, redacted) = (scrubbed.head, scrubbed.redacted);
    Ok(Clean {
        route,
        key_id,
        bearer,
        keys: repeat,
        event_type,
        order,
        head,
        body,
        redacted,
        version,
        sunset,
        is_json,
        unagreed,
    })
}

impl Clean {
    /// The route's name.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Which of the sender's keys signed it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The token that it showed, if that is how its sender is known.
    pub fn bearer(&self) -> Option<&Bearer> {
        self.bearer.as_ref()
    }

    /// What it is remembered by.
    pub fn keys(&self) -> &RepeatKeys {
        &self.keys
    }

    /// The vendor's name for this kind of event, where it gives one.
    pub fn event_type(&self) -> Option<&str> {
        self.event_type.as_deref()
    }

    /// Which others it must not overtake, if any.
    pub fn order(&self) -> Option<OrderKey> {
        self.order
    }

    /// The request's head, as it came but for what was taken out.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The document, byte for byte as it was sent but for what was taken out.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether the body has been read as one JSON document already; one that was not may be one all the same.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// The policy's places of which this document had some.
    pub fn redacted(&self) -> &[String] {
        &self.redacted
    }

    /// Where it is not as agreed, while the contract is tried before it enforces.
    pub fn unagreed(&self) -> Option<&Unclean> {
        self.unagreed.as_ref()
    }

    /// The version of the contract that it satisfies, where there is one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// From when on this version will be refused.
    pub fn sunset(&self) -> Option<Timestamp> {
        self.sunset
    }
}
