//! A request as it arrived: bounded, but not believed.

pub mod target;

pub use target::Target;

use crate::verdict::Refusal;
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use std::{fmt, net::IpAddr};

/// Everything known before the body is read.
#[derive(Clone, Debug)]
pub struct Head {
    /// As sent; the *effective* method may be another one in WordPress (`_method`, `X-HTTP-Method-Override`).
    pub method: Method,
    /// What is asked for: raw bytes, and every reading of them.
    pub target: Target,
    /// `Host`, or `:authority` in HTTP/2: what the client believes to talk to.
    pub host: String,
    /// All fields, in order, repeated ones included.
    pub headers: HeaderMap,
    /// Who asks: the connection's peer, or what a trusted proxy says of it.
    pub client: IpAddr,
}

impl Head {
    /// The header's value, if it is present exactly once and is visible ASCII.
    ///
    /// A repeated security header is a way to make two parsers disagree, so it counts as absent.
    pub fn sole(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// What the body says it is: without parameters, in lower case; empty if there is no such field, or more than one.
    pub fn media_type(&self) -> String {
        let value = self.sole(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// Port: the rest of a request, not yet read.
pub trait Body: Send {
    /// Reads to the end, or stops as soon as `limit_bytes` are exceeded.
    fn collect(self, limit_bytes: usize) -> impl Future<Output = Result<Bytes, Refusal>> + Send;
}

/// A complete request whose sender has not been authenticated.
pub struct Unverified {
    /// Everything before the body.
    pub head: Head,
    /// The body exactly as received; signatures are computed over these bytes.
    pub raw: Bytes,
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified")
            .field("method", &self.head.method)
            .field("raw_bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}
