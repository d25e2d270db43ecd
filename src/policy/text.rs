//! The language: what can be written in a policy, and not yet whether it makes sense.
//!
//! These types are the one source of it. The JSON Schema that editors use and that a file is held against is generated
//! from them, and the decoder is derived. What keeps the messages plain is told in [`language`](crate::json::language).

mod cases;
mod floor;
mod hints;
mod route;
mod settings;

pub(super) use cases::{BodyText, CaseText, ExpectText, RequestText, SendText, TestsText};
pub(super) use floor::{ExceptionText, ExceptionsText, FloorText, FloorWord, NeedText};
pub(super) use hints::{ELSEWHERE_ENV, ELSEWHERE_GATE, ELSEWHERE_ROUTES, LATER};
pub(super) use route::{
    AdmitText, AtText, ChangedText, DeliverText, FormText, LimitsText, MediaText, MethodText, ProtectionText,
    RepeatsText, RouteText, SenderText, TermsText, ViaText,
};
pub(super) use settings::{AdminText, EdgeText, ListenerText, OriginText, SpoolText};

use super::units::{DayText, ReferenceText, TimeText};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `gate.yaml`: what the platform team decides.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "decoded part by part, so that a bad one does not hide the others")]
pub(super) struct GateText {
    /// Terms that routes have in common, by name.
    classes: Option<BTreeMap<String, TermsText>>,
    /// What no route may be weaker than.
    floor: Option<FloorText>,
    #[schemars(flatten)]
    stage: StageText,
}

/// `routes/*.yaml`: the endpoints of one team.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "decoded route by route, so that a bad one does not hide the others")]
pub(super) struct RoutesText {
    /// The guarded endpoints, by name.
    routes: BTreeMap<String, RouteText>,
}

/// `env/NAME.yaml`: what differs in this stage; each key replaces that of `gate.yaml` whole.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "decoded part by part, so that a bad one does not hide the others")]
pub(super) struct EnvText {
    #[schemars(flatten)]
    stage: StageText,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "decoded part by part, so that a bad one does not hide the others")]
struct StageText {
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
    routes: Option<BTreeMap<String, RouteText>>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::language::schema_of;

    /// The wording of mistakes relies on it.
    #[test]
    fn the_schema_is_one_piece_without_choices_between_schemas() {
        for schema in [schema_of::<GateText>(), schema_of::<RoutesText>(), schema_of::<EnvText>()] {
            let schema = schema.to_string();
            for keyword in ["$ref", "anyOf", "oneOf", "allOf", "null", "unevaluatedProperties"] {
                assert!(!schema.contains(&format!("\"{keyword}\"")), "{keyword} in {schema}");
            }
        }
    }
}
