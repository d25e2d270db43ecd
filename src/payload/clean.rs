//! The only maker of [`Clean`]: every check, then every scrub. A check cannot change the document, and a scrub cannot
//! refuse it.

use super::{Contract, Read};
use crate::{repeat::RepeatKeys, request::Head, verdict::Rejection};
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
    keys: RepeatKeys,
    event_type: Option<String>,
    head: Head,
    body: Bytes,
    redacted: Vec<String>,
}

/// Turns what was read into a clean document.
///
/// # Errors
/// Every check of the contract that fails; this version of the language has none yet.
pub fn clean(read: Read, _contract: &Contract) -> Result<Clean, Rejection> {
    let (verified, keys, event_type) = read.into_parts();
    let (route, key_id, head, body) = verified.into_parts();
    Ok(Clean { route, key_id, keys, event_type, head, body, redacted: Vec::new() })
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

    /// What it is remembered by.
    pub fn keys(&self) -> &RepeatKeys {
        &self.keys
    }

    /// The vendor's name for this kind of event, where it gives one.
    pub fn event_type(&self) -> Option<&str> {
        self.event_type.as_deref()
    }

    /// The request's head, as it came.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The document, byte for byte as it was sent but for what was taken out.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The policy's places of which this document had some.
    pub fn redacted(&self) -> &[String] {
        &self.redacted
    }
}
