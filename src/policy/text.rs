//! The language: what can be written in a policy, and not yet whether it makes sense.
//!
//! These types are the one source of it. The JSON Schema that editors use and that a file is held against is generated
//! from them, and the decoder is derived. What keeps the messages plain is told in [`language`](crate::json::language).

use super::units::{DayText, FlowText, RateText, ReferenceText, SizeText, TimeText};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Keys and words that the design has and this version does not.
pub(super) const LATER: &[&str] = &[
    "classes",
    "floor",
    "issuers",
    "rollout",
    "class",
    "contract",
    "redact",
    "order_by",
    "keep",
    "exception",
    "jwt",
    "scopes",
    "jti",
    "direct",
    "env",
];

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "decoded part by part, so that a bad one does not hide the others")]
pub(super) struct FileText {
    /// Scheme and host as senders know the site, for those who sign the URL; never taken from the Host header.
    public_url: Option<UrlText>,
    /// Where to listen.
    listeners: Option<Vec<ListenerText>>,
    /// What stands behind the gate.
    origin: Option<OriginText>,
    /// Networks whose `X-Forwarded-For` is believed.
    trusted_proxies: Option<Vec<NetworkText>>,
    /// The embedded queue.
    spool: Option<SpoolText>,
    /// Metrics and health.
    admin: Option<AdminText>,
    /// Time and size limits in front of every route.
    edge: Option<EdgeText>,
    /// Where the gate's own secret is; absent, it is made in the spool's folder at the first start.
    secret: Option<ReferenceText>,
    /// The guarded endpoints, by name.
    routes: BTreeMap<String, RouteText>,
    /// Where the senders' keys are, by name; never the keys.
    keys: Option<BTreeMap<String, Vec<KeyText>>>,
    /// Where queued events can go, by name.
    destinations: Option<BTreeMap<String, DestinationText>>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("examples" = ["https://shop.example"]))]
pub(super) struct UrlText(pub(super) String);

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("examples" = ["127.0.0.1:8000", "[::]:443"]))]
pub(super) struct AddressText(pub(super) String);

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("examples" = ["10.0.0.0/8", "192.0.2.7"]))]
pub(super) struct NetworkText(pub(super) String);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenerText {
    /// Address and port; port 0 takes any free one.
    pub(super) on: AddressText,
    /// Speak TLS.
    pub(super) tls: Option<TlsText>,
    /// Offer HTTP/2, which needs TLS.
    #[serde(default)]
    pub(super) http2: bool,
    /// Load balancers that open each connection with a PROXY preamble.
    #[serde(default)]
    pub(super) proxy_protocol: Vec<NetworkText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsText {
    /// A file with chain and key, or many, with a `*` in the file's name; chosen by the name that the client asks for.
    #[schemars(example = &"/etc/hookwarden/tls/*.pem")]
    pub(super) certificate: String,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OriginText {
    /// `http://` or `https://`, host and port.
    pub(super) url: Option<UrlText>,
    /// So many requests at once to guarded endpoints; below the number of PHP workers.
    #[schemars(range(min = 1, max = 10_000))]
    pub(super) concurrency: Option<usize>,
    /// Whether a WebSocket may open on unguarded paths.
    pub(super) websocket: Option<bool>,
    /// How long it may take for the head of its answer.
    pub(super) first_byte: Option<TimeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SpoolText {
    /// Its folder; made with mode 0700 if absent.
    #[schemars(example = &"/var/lib/hookwarden")]
    pub(super) folder: Option<String>,
    /// At most so much of segments.
    pub(super) bytes: Option<SizeText>,
    /// Leave so much of the file system free.
    pub(super) free: Option<SizeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AdminText {
    /// Address and port.
    pub(super) on: Option<AddressText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EdgeText {
    /// Until a request's head is complete.
    pub(super) header: Option<TimeText>,
    /// The longest pause in a body.
    pub(super) body_idle: Option<TimeText>,
    /// The slowest body, once `body_idle` has passed.
    pub(super) body_rate: Option<FlowText>,
    /// Between two requests of one connection.
    pub(super) keepalive: Option<TimeText>,
    /// Until TLS is agreed.
    pub(super) handshake: Option<TimeText>,
    /// Request line and fields together.
    pub(super) head: Option<SizeText>,
    /// The request line's target.
    pub(super) target: Option<SizeText>,
    /// Fields of one head.
    #[schemars(range(min = 10, max = 1000))]
    pub(super) fields: Option<usize>,
    /// One field's value.
    pub(super) field: Option<SizeText>,
    /// Connections in all.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) connections: Option<usize>,
    /// Connections of one address (IPv6: of one /64).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) connections_per_address: Option<usize>,
    /// All bodies of guarded requests together.
    pub(super) bodies: Option<SizeText>,
    /// How long a stop waits for what is in flight.
    pub(super) drain: Option<TimeText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteText {
    /// Who is asked about it.
    pub(super) owner: Option<OwnerText>,
    /// Which endpoint: one of these keys.
    pub(super) at: AtText,
    /// Who may send, and how that is known.
    pub(super) sender: SenderText,
    /// What comes in at all.
    #[serde(default)]
    pub(super) admit: AdmitText,
    /// How much of it.
    #[serde(default)]
    pub(super) limits: LimitsText,
    /// What is told from its repeats, and for how long.
    #[serde(default)]
    pub(super) repeats: RepeatsText,
    /// What happens to what was verified.
    #[serde(default)]
    pub(super) deliver: DeliverText,
    /// When the sender's answer is due at the latest; absent, what the catalogue says of the sender.
    pub(super) answer_by: Option<TimeText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnerText {
    /// Who owns the contract with this sender.
    #[schemars(example = &"payments@shop.example")]
    pub(super) team: String,
    /// Whom to call.
    pub(super) oncall: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AtText {
    /// A path, in every spelling.
    #[schemars(example = &"/hooks/stripe")]
    pub(super) path: Option<String>,
    /// Of a `WooCommerce` gateway: `?wc-api=NAME` and `/wc-api/NAME`.
    #[serde(rename = "wc-api")]
    #[schemars(example = &"wc_stripe")]
    pub(super) wc_api: Option<String>,
    /// A route of WordPress's REST API, without `/wp-json`.
    #[schemars(example = &"/shop/v1/orders")]
    pub(super) rest: Option<String>,
    /// A query variable with its value, on every URL.
    #[schemars(example = &"edd-listener=stripe")]
    pub(super) query: Option<String>,
    /// An action of admin-ajax.php and admin-post.php.
    #[schemars(example = &"stripe_webhook")]
    pub(super) ajax: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SenderText {
    /// A sender of the catalogue, or of `providers/` beside the policy.
    #[schemars(example = &"stripe")]
    pub(super) provider: String,
    /// A name under `keys`.
    #[schemars(example = &"stripe")]
    pub(super) keys: String,
    /// How far back a signed time may lie.
    pub(super) max_age: Option<TimeText>,
    /// How far ahead a signed time may lie.
    pub(super) max_future: Option<TimeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AdmitText {
    /// The one method.
    pub(super) method: Option<MethodText>,
    /// The longest body.
    pub(super) body: Option<SizeText>,
    /// Media types without parameters; absent, any.
    pub(super) content_types: Option<Vec<MediaText>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend(
    "pattern" = "^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$",
    "examples" = ["application/json", "application/x-www-form-urlencoded"]
))]
pub(super) struct MediaText(pub(super) String);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsText {
    /// Before verification, by client address.
    pub(super) per_address: Option<RateText>,
    /// After verification, by key.
    pub(super) per_sender: Option<RateText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RepeatsText {
    /// How long what was accepted is remembered; to be said of a sender that signs no time.
    pub(super) remember: Option<TimeText>,
    /// To be said of a sender whose repeats nothing can tell from new events.
    pub(super) protection: Option<ProtectionText>,
    /// What to do with another body under the same signed id.
    pub(super) on_changed: Option<ChangedText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DeliverText {
    /// Durable first, delivered by the gate; or passed on to the origin at once.
    pub(super) via: Option<ViaText>,
    /// Names of destinations.
    pub(super) to: Option<Vec<String>>,
    /// What they get: an event with its lineage, or the body as it came.
    pub(super) form: Option<FormText>,
    /// To be said where an endpoint of WordPress is queued: the plugin behind it will not see the request.
    pub(super) replaces_plugin: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyText {
    /// A label of metrics and logs; never the secret.
    #[schemars(example = &"live-2026")]
    pub(super) id: String,
    /// Where it is.
    pub(super) from: ReferenceText,
    /// From the start of this day, UTC, it verifies nothing.
    pub(super) retire: Option<DayText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DestinationText {
    /// `http://` or `https://`, with path and query.
    pub(super) url: UrlText,
    /// The Host to send; absent, that of `public_url`, else that of `url`.
    #[schemars(example = &"shop.example")]
    pub(super) host: Option<String>,
    /// Where the secret is to sign with as Standard Webhooks; absent, unsigned.
    pub(super) sign: Option<ReferenceText>,
    /// So many at once.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) concurrency: Option<usize>,
    /// How long an answer may take.
    pub(super) timeout: Option<TimeText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum MethodText {
    Post,
    Put,
    Patch,
    Get,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ViaText {
    Queue,
    Relay,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FormText {
    Event,
    Verbatim,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProtectionText {
    Impossible,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ChangedText {
    Deliver,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::language::schema_of;

    /// The wording of mistakes relies on it.
    #[test]
    fn the_schema_is_one_piece_without_choices_between_schemas() {
        let schema = schema_of::<FileText>().to_string();
        for keyword in ["$ref", "anyOf", "oneOf", "null"] {
            assert!(!schema.contains(&format!("\"{keyword}\"")), "{keyword} in {schema}");
        }
    }
}
