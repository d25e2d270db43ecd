//! May this head come in at all? Cheap checks, before a byte of the body is read.

use crate::{request::Head, verdict::Rejection};
use http::{Method, header};

/// What a route admits. Compiled from `admit:`.
#[derive(Clone, Debug)]
pub struct Admit {
    /// Any of these; a method that the sender's handshake uses is among them.
    pub methods: Vec<Method>,
    /// Media types without parameters, in lower case; empty means any.
    pub content_types: Vec<String>,
    /// The longest body, in bytes.
    pub body_limit_bytes: usize,
}

impl Admit {
    /// Holds a head against the route's rules.
    ///
    /// # Errors
    /// [`Rejection::Method`], [`Rejection::ContentType`], or [`Rejection::TooLarge`] for a declared length over
    /// the limit: the body then never comes.
    pub fn head(&self, head: &Head) -> Result<(), Rejection> {
        if !self.methods.contains(&head.method) {
            return Err(Rejection::Method);
        }
        let media_type = media_type(head);
        if !self.content_types.is_empty() && !self.content_types.contains(&media_type) {
            return Err(Rejection::ContentType);
        }
        if declared(head).is_some_and(|bytes| bytes > self.body_limit_bytes as u64) {
            return Err(Rejection::TooLarge);
        }
        Ok(())
    }
}

/// Without parameters, in lower case; empty if there is none, or more than one.
pub fn media_type(head: &Head) -> String {
    let value = head.sole(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `Content-Length`, where there is one: chunked and HTTP/2 bodies need none.
pub fn declared(head: &Head) -> Option<u64> {
    head.sole(header::CONTENT_LENGTH.as_str())?.parse().ok()
}
