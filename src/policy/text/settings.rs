//! What the platform team can write of listeners, limits and the queue.

use super::{AddressText, NetworkText, UrlText};
use crate::policy::units::{FlowText, SizeText, TimeText};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-written" = "{ on: \"0.0.0.0:443\" }", "x-meant" = "on"))]
pub(in crate::policy) struct ListenerText {
    /// Address and port, such as `"0.0.0.0:443"` or `"[::]:443"`; port 0 takes any free one.
    pub(in crate::policy) on: AddressText,
    /// Speak TLS with these certificates.
    #[schemars(extend("x-absent" = "no TLS"))]
    pub(in crate::policy) tls: Option<TlsText>,
    /// Offer HTTP/2, with TLS only.
    #[serde(default)]
    pub(in crate::policy) http2: bool,
    /// Networks of load balancers that open each connection with a PROXY preamble.
    #[schemars(extend("x-absent" = "no preamble"))]
    pub(in crate::policy) proxy_protocol: Option<Vec<NetworkText>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-written" = "{ certificate: /etc/hookwarden/tls/shop.pem }", "x-meant" = "certificate"))]
pub(in crate::policy) struct TlsText {
    /// A PEM file with chain and key, or many with a `*` in the file's name; chosen by the name that the client asks
    /// for, and read again when they change.
    #[schemars(example = &"/etc/hookwarden/tls/*.pem")]
    pub(in crate::policy) certificate: String,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-written" = "{ url: \"http://127.0.0.1:8080\" }", "x-meant" = "url"))]
pub(in crate::policy) struct OriginText {
    /// WordPress: `https://`, or `http://` where nobody else is on the way, as on this machine; host and port. `run --upstream` replaces it.
    #[schemars(extend("default" = "http://127.0.0.1:8080"))]
    pub(in crate::policy) url: Option<UrlText>,
    /// So many requests at once to guarded endpoints. Keep it below the number of PHP workers, so that a flood of
    /// deliveries leaves workers to visitors.
    #[schemars(range(min = 1, max = 10_000), extend("default" = 32))]
    pub(in crate::policy) concurrency: Option<usize>,
    /// Whether a WebSocket may open on paths that no route guards.
    #[schemars(extend("default" = false))]
    pub(in crate::policy) websocket: Option<bool>,
    /// How long WordPress may take for the head of its answer.
    #[schemars(extend("default" = "120s"))]
    pub(in crate::policy) first_byte: Option<TimeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-written" = "{ folder: /var/lib/hookwarden }", "x-meant" = "folder"))]
pub(in crate::policy) struct SpoolText {
    /// The queue's folder; made with mode 0700 if it is not there.
    #[schemars(extend("default" = "hookwarden-spool", "examples" = ["/var/lib/hookwarden"]))]
    pub(in crate::policy) folder: Option<String>,
    /// At most so much of queued events, `16MiB` at least; then new ones are answered with 503.
    #[schemars(extend("default" = "1GiB"))]
    pub(in crate::policy) bytes: Option<SizeText>,
    /// Leave so much of the file system free; with less of it, new events are answered with 503.
    #[schemars(extend("default" = "256MiB"))]
    pub(in crate::policy) free: Option<SizeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-written" = "{ on: \"127.0.0.1:9090\" }", "x-meant" = "on"))]
pub(in crate::policy) struct AdminText {
    /// Address and port of metrics and health; whoever reaches it can read them. `run --admin` replaces it.
    #[schemars(extend("default" = "127.0.0.1:9090"))]
    pub(in crate::policy) on: Option<AddressText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct EdgeText {
    /// How long until a request's head is complete.
    #[schemars(extend("default" = "15s"))]
    pub(in crate::policy) header: Option<TimeText>,
    /// The longest pause in a body.
    #[schemars(extend("default" = "30s"))]
    pub(in crate::policy) body_idle: Option<TimeText>,
    /// The slowest body, once `body_idle` has passed; a size per second.
    #[schemars(extend("default" = "1KiB/s"))]
    pub(in crate::policy) body_rate: Option<FlowText>,
    /// The longest pause between two requests of one connection.
    #[schemars(extend("default" = "75s"))]
    pub(in crate::policy) keepalive: Option<TimeText>,
    /// How long until TLS is agreed.
    #[schemars(extend("default" = "10s"))]
    pub(in crate::policy) handshake: Option<TimeText>,
    /// The longest head: request line and fields together.
    #[schemars(extend("default" = "64KiB"))]
    pub(in crate::policy) head: Option<SizeText>,
    /// The longest target of a request line; a part of `head`.
    #[schemars(extend("default" = "8KiB"))]
    pub(in crate::policy) target: Option<SizeText>,
    /// The most fields of one head.
    #[schemars(range(min = 10, max = 1000), extend("default" = 100))]
    pub(in crate::policy) fields: Option<usize>,
    /// The longest value of one field; a part of `head`.
    #[schemars(extend("default" = "16KiB"))]
    pub(in crate::policy) field: Option<SizeText>,
    /// The most connections at once.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = 10_000))]
    pub(in crate::policy) connections: Option<usize>,
    /// The most connections at once of one address (IPv6: of one /64).
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = 256))]
    pub(in crate::policy) connections_per_address: Option<usize>,
    /// All bodies of guarded requests together, in memory; beyond, they are answered with 503.
    #[schemars(extend("default" = "256MiB"))]
    pub(in crate::policy) bodies: Option<SizeText>,
    /// The longest pause in reading an answer; then the reader is cut off.
    #[schemars(extend("default" = "30s"))]
    pub(in crate::policy) answer_idle: Option<TimeText>,
    /// All answers over HTTP/2 together whose readers pause, in memory; beyond, such readers are cut off at once. An
    /// address has a quarter of it.
    #[schemars(extend("default" = "256MiB"))]
    pub(in crate::policy) answers: Option<SizeText>,
    /// How long a stop waits for what is in flight.
    #[schemars(extend("default" = "10s"))]
    pub(in crate::policy) drain: Option<TimeText>,
}
