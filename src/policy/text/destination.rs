//! What can be written of a destination. Flat, whatever its kind: a mistake is then told as one key, and not as a choice
//! between schemas.

use super::UrlText;
use crate::policy::units::{ReferenceText, TimeText};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-written" = "{ url: \"https://shop.example/events\" }", "x-meant" = "url"))]
pub(in crate::policy) struct DestinationText {
    /// WordPress, or any URL that takes POSTs: `https://`, or `http://` where nobody else is on the way, as on this machine; with path and query.
    #[schemars(extend("x-absent" = "one of `url`, `nats`, `redis`"))]
    pub(in crate::policy) url: Option<UrlText>,
    /// NATS JetStream: `nats://` or `tls://`, host and port; several servers of one cluster with commas between them.
    #[schemars(extend("x-absent" = "one of `url`, `nats`, `redis`"))]
    pub(in crate::policy) nats: Option<NatsText>,
    /// Redis Streams: `redis://` or `rediss://`, host and port, and perhaps the number of a database.
    #[schemars(extend("x-absent" = "one of `url`, `nats`, `redis`"))]
    pub(in crate::policy) redis: Option<RedisText>,
    /// Event types that go there, whole (`order.paid`) or by how they begin (`order.*`); events of other types do not.
    #[schemars(extend("x-absent" = "all"))]
    pub(in crate::policy) only: Option<Vec<TypeText>>,
    /// The Host to send: WordPress redirects what asks for another site than its own to itself, so the site's name goes
    /// before that of the URL. One that is another site, as at a vendor, needs its own name here; `check` shows which is sent.
    #[schemars(example = &"shop.example", extend("x-absent" = "that of `public_url`, else of `url`"))]
    pub(in crate::policy) host: Option<String>,
    /// Where the secret is to sign deliveries with as Standard Webhooks (base64, with `whsec_` before it or not).
    #[schemars(extend("x-absent" = "unsigned"))]
    pub(in crate::policy) sign: Option<ReferenceText>,
    /// The stream of a broker: its name in NATS, its key in Redis. It must be said for these.
    #[schemars(example = &"ORDERS", extend("x-absent" = "none"))]
    pub(in crate::policy) stream: Option<String>,
    /// The subject to publish to in NATS, one that the stream listens to. It must be said there. `{id}` as a word of it, as
    /// in `shop.orders.{id}`, gives each event a subject of its own, which the stream takes once: then no window limits how
    /// long an event is known again.
    #[schemars(example = &"shop.orders", extend("x-absent" = "none"))]
    pub(in crate::policy) subject: Option<String>,
    /// The name to log in with at a broker.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) user: Option<String>,
    /// Where the password is to log in with at a broker.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) password: Option<ReferenceText>,
    /// Where the token is to log in with at NATS.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) token: Option<ReferenceText>,
    /// A PEM file with the authorities that may vouch for a broker's servers.
    #[schemars(example = &"/etc/hookwarden/broker-ca.pem", extend("x-absent" = "the system's"))]
    pub(in crate::policy) ca: Option<String>,
    /// What a broker's confirmation must be worth, or nothing is sent to it. `synced`: it is on disk; looked up at Redis
    /// (`appendfsync always`), and of NATS your word that its servers have `sync_interval: always`. `waited`: Redis 7.2 is
    /// asked to sync after each event. `any`: whatever it is.
    #[schemars(extend("x-absent" = "`synced` of Redis; of NATS, that the stream is in files"))]
    pub(in crate::policy) durability: Option<DurabilityText>,
    /// How long Redis knows an event again that it has, so that one of which no answer came is not there twice.
    #[schemars(extend("x-absent" = "76h, as long as an event is tried"))]
    pub(in crate::policy) remember: Option<TimeText>,
    /// About so many entries are kept in a stream of Redis; the oldest are lost, read or not.
    #[schemars(range(min = 1), extend("x-absent" = "all are kept"))]
    pub(in crate::policy) length: Option<u64>,
    /// So many deliveries at once.
    #[schemars(range(min = 1, max = 1000), extend("x-absent" = "8, and 64 of a broker"))]
    pub(in crate::policy) concurrency: Option<usize>,
    /// How long an answer may take; then its outcome is unknown, and the delivery is tried again.
    #[schemars(extend("x-absent" = "30s, and 10s of a broker"))]
    pub(in crate::policy) timeout: Option<TimeText>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("examples" = ["nats://127.0.0.1:4222", "tls://a.nats.example:4222,tls://b.nats.example:4222"]))]
pub(in crate::policy) struct NatsText(pub(in crate::policy) String);

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("examples" = ["redis://127.0.0.1:6379", "rediss://redis.example:6379/2"]))]
pub(in crate::policy) struct RedisText(pub(in crate::policy) String);

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("examples" = ["order.paid", "order.*"]))]
pub(in crate::policy) struct TypeText(pub(in crate::policy) String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum DurabilityText {
    Synced,
    Waited,
    Any,
}
