//! What the platform team can write of listeners, limits and the queue.

use super::{AddressText, NetworkText, UrlText};
use crate::policy::units::{FlowText, SizeText, TimeText};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct ListenerText {
    /// Address and port; port 0 takes any free one.
    pub(in crate::policy) on: AddressText,
    /// Speak TLS.
    pub(in crate::policy) tls: Option<TlsText>,
    /// Offer HTTP/2, which needs TLS.
    #[serde(default)]
    pub(in crate::policy) http2: bool,
    /// Load balancers that open each connection with a PROXY preamble.
    #[serde(default)]
    pub(in crate::policy) proxy_protocol: Vec<NetworkText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct TlsText {
    /// A file with chain and key, or many, with a `*` in the file's name; chosen by the name that the client asks for.
    #[schemars(example = &"/etc/hookwarden/tls/*.pem")]
    pub(in crate::policy) certificate: String,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct OriginText {
    /// `http://` or `https://`, host and port.
    pub(in crate::policy) url: Option<UrlText>,
    /// So many requests at once to guarded endpoints; below the number of PHP workers.
    #[schemars(range(min = 1, max = 10_000))]
    pub(in crate::policy) concurrency: Option<usize>,
    /// Whether a WebSocket may open on unguarded paths.
    pub(in crate::policy) websocket: Option<bool>,
    /// How long it may take for the head of its answer.
    pub(in crate::policy) first_byte: Option<TimeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct SpoolText {
    /// Its folder; made with mode 0700 if absent.
    #[schemars(example = &"/var/lib/hookwarden")]
    pub(in crate::policy) folder: Option<String>,
    /// At most so much of segments.
    pub(in crate::policy) bytes: Option<SizeText>,
    /// Leave so much of the file system free.
    pub(in crate::policy) free: Option<SizeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct AdminText {
    /// Address and port.
    pub(in crate::policy) on: Option<AddressText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct EdgeText {
    /// Until a request's head is complete.
    pub(in crate::policy) header: Option<TimeText>,
    /// The longest pause in a body.
    pub(in crate::policy) body_idle: Option<TimeText>,
    /// The slowest body, once `body_idle` has passed.
    pub(in crate::policy) body_rate: Option<FlowText>,
    /// Between two requests of one connection.
    pub(in crate::policy) keepalive: Option<TimeText>,
    /// Until TLS is agreed.
    pub(in crate::policy) handshake: Option<TimeText>,
    /// Request line and fields together.
    pub(in crate::policy) head: Option<SizeText>,
    /// The request line's target.
    pub(in crate::policy) target: Option<SizeText>,
    /// Fields of one head.
    #[schemars(range(min = 10, max = 1000))]
    pub(in crate::policy) fields: Option<usize>,
    /// One field's value.
    pub(in crate::policy) field: Option<SizeText>,
    /// Connections in all.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(in crate::policy) connections: Option<usize>,
    /// Connections of one address (IPv6: of one /64).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(in crate::policy) connections_per_address: Option<usize>,
    /// All bodies of guarded requests together.
    pub(in crate::policy) bodies: Option<SizeText>,
    /// How long a stop waits for what is in flight.
    pub(in crate::policy) drain: Option<TimeText>,
}
