//! The language: what can be written in a policy, and not yet whether it makes sense.
//!
//! These types are the one source of it. The JSON Schema that editors use and that a file is held against is generated
//! from them, and the decoder is derived. What keeps the messages plain is told in [`language`](crate::json::language).

mod cases;
mod destination;
mod floor;
mod hints;
mod route;
mod settings;
mod tokens;

pub(super) use cases::{AnsweredText, BodyText, CaseText, ExpectText, RequestText, SendText, TestsText};
pub(super) use destination::{DestinationText, DurabilityText, TypeText};
pub(super) use floor::{ExceptionText, ExceptionsText, FloorLimitsText, FloorText, FloorWord, NeedText};
pub(super) use hints::{ELSEWHERE_ENV, ELSEWHERE_GATE, ELSEWHERE_ROUTES};
pub(super) use route::{
    AcceptText, AdmitText, AtText, CaptureText, CapturedBodyText, ChangedText, ConfirmText, DeliverText, FormText,
    LimitsText, MediaText, MethodText, ProtectionText, RepeatsText, RouteText, SenderText, TermsText, ViaText,
};
pub(super) use settings::{AdminText, EdgeText, ListenerText, OriginText, SpoolText};
pub(super) use tokens::{IdentityText, IssuerText};

use super::units::{DayText, KeyReferenceText, ReferenceText};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// `gate.yaml`: what the platform team decides.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "gate.yaml of a Hookwarden policy")]
#[expect(dead_code, reason = "decoded part by part, so that a bad one does not hide the others")]
pub(super) struct GateText {
    /// Terms that routes have in common, by name: any key of a route but `at`, `sender`, `class` and `exception`. What a
    /// route says itself replaces the whole key of its class.
    #[schemars(extend("x-absent" = "none"))]
    classes: Option<BTreeMap<String, TermsText>>,
    /// What no route may be weaker than, wherever its terms are written.
    floor: Option<FloorText>,
    #[schemars(flatten)]
    stage: StageText,
}

/// `routes/*.yaml`: the endpoints of one team.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "routes/*.yaml of a Hookwarden policy")]
#[expect(dead_code, reason = "decoded route by route, so that a bad one does not hide the others")]
pub(super) struct RoutesText {
    /// The guarded endpoints, by name. The name is a label of metrics, and the source of events.
    routes: BTreeMap<String, RouteText>,
}

/// `env/NAME.yaml`: what differs in this stage; each key replaces that of `gate.yaml` whole.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "env/NAME.yaml of a Hookwarden policy")]
#[expect(dead_code, reason = "decoded part by part, so that a bad one does not hide the others")]
pub(super) struct EnvText {
    #[schemars(flatten)]
    stage: StageText,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "decoded part by part, so that a bad one does not hide the others")]
struct StageText {
    /// Scheme and host as senders know the site, such as `https://shop.example`. Needed by schemes that sign the URL, and
    /// sent as Host to destinations; never taken from a request.
    #[schemars(extend("x-absent" = "none"))]
    public_url: Option<UrlText>,
    /// Where to listen. `run --listen` replaces all of it.
    #[schemars(extend("default" = [{ "on": "127.0.0.1:8000" }]))]
    listeners: Option<Vec<ListenerText>>,
    /// What stands behind the gate.
    origin: Option<OriginText>,
    /// Networks whose `X-Forwarded-For` is believed, such as `10.0.0.0/8`; a whole address family is refused.
    #[schemars(extend("default" = []))]
    trusted_proxies: Option<Vec<NetworkText>>,
    /// The embedded queue: what was answered with 202 is in here, on disk.
    spool: Option<SpoolText>,
    /// Metrics and health.
    admin: Option<AdminText>,
    /// Time and size limits of connections and requests. They hold in front of every route, and for ordinary traffic too.
    edge: Option<EdgeText>,
    /// Where the gate's own secret is: what requests are remembered by. Absent, it is made as the file `secret` in the
    /// spool's folder (mode 0600), and kept.
    #[schemars(extend("x-absent" = "made at the first start"))]
    secret: Option<ReferenceText>,
    /// The guarded endpoints, by name. The name is a label of metrics, and the source of events.
    #[schemars(extend("x-absent" = "those in `routes/`"))]
    routes: Option<BTreeMap<String, RouteText>>,
    /// Where the senders' keys are, in lists by name; never the keys. All of a list are tried, so that two overlap during
    /// a rotation.
    #[schemars(extend("x-absent" = "none", "x-written" = "{ shop: [{ id: live, from: env:SHOP_SECRET }] }"))]
    keys: Option<BTreeMap<String, Vec<KeyText>>>,
    /// Whose tokens are taken, by name.
    #[schemars(extend("x-absent" = "none"))]
    issuers: Option<BTreeMap<String, IssuerText>>,
    /// How WordPress is told who shows a token: in the field `Hookwarden-Identity`, which nobody else can set.
    #[schemars(extend("x-absent" = "it is not told"))]
    identity: Option<IdentityText>,
    /// Where queued events can go, by name.
    #[schemars(extend(
        "x-absent" = "none",
        "x-written" = "{ wordpress: { url: \"https://shop.example/events\" } }"
    ))]
    destinations: Option<BTreeMap<String, DestinationText>>,
    /// Routes that are tried before they enforce, by name.
    #[schemars(extend("x-absent" = "every route enforces"))]
    rollout: Option<BTreeMap<String, RolloutText>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RolloutText {
    /// `all` of a relayed route: everything is judged and counted, and the request reaches WordPress as it came. Or a list
    /// of single checks of any route, `[schema, limits]`: what they would refuse is counted, and goes on.
    #[schemars(extend("examples" = ["all"]))]
    pub(super) observe: Value,
    /// From the start of this day, UTC, the route enforces, in a running gate too; `check` warns two weeks before.
    pub(super) until: DayText,
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
#[schemars(extend("x-written" = "{ id: live, from: env:SHOP_SECRET }"))]
pub(super) struct KeyText {
    /// A label of metrics, logs and events; never the secret.
    #[schemars(example = &"live-2026")]
    pub(super) id: String,
    /// Where the secret is: `env:NAME` or `file:/path`; `handed:/path` is a file that the gate writes itself when the sender
    /// hands its key over, while an operator has armed the route.
    pub(super) from: KeyReferenceText,
    /// From the start of this day, UTC, the key verifies nothing, and is not looked for.
    #[schemars(extend("x-absent" = "never"))]
    pub(super) retire: Option<DayText>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::language::schema_of;
    use serde_json::Value;

    /// What stands nowhere in these schemas, if it does.
    fn odd(schema: &Value) -> Option<&str> {
        match schema {
            Value::Null => Some("null"),
            Value::String(word) if word == "null" => Some("null"),
            Value::Object(members) => {
                let odd = ["$ref", "anyOf", "oneOf", "allOf", "unevaluatedProperties"];
                let odd = odd.into_iter().find(|keyword| members.contains_key(*keyword));
                odd.or_else(|| members.values().find_map(self::odd))
            }
            Value::Array(items) => items.iter().find_map(self::odd),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }

    /// The wording of mistakes relies on it.
    #[test]
    fn the_schema_is_one_piece_without_choices_between_schemas() {
        let files = [schema_of::<GateText>(), schema_of::<RoutesText>(), schema_of::<EnvText>()];
        for schema in files.into_iter().chain([schema_of::<TestsText>()]) {
            assert_eq!(odd(&schema), None);
        }
    }

    /// Every value that a message says one could write, with the schema of where.
    fn written(schema: &Value, found: &mut Vec<(Value, String)>) {
        let below = match schema {
            Value::Object(members) => {
                if let Some(Value::String(written)) = members.get("x-written") {
                    found.push((schema.clone(), written.clone()));
                }
                members.values().collect::<Vec<_>>()
            }
            Value::Array(items) => items.iter().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        below.into_iter().for_each(|schema| written(schema, found));
    }

    #[test]
    fn what_a_message_says_one_could_write_is_of_the_language() {
        let mut found = Vec::new();
        written(&schema_of::<GateText>(), &mut found);
        assert!(found.len() > 10, "{found:?}");
        for (schema, text) in found {
            let value = crate::json::read_yaml(&text).unwrap().root.to_value();
            assert!(jsonschema::is_valid(&schema, &value), "{text}");
            if let Some(meant) = schema.get("x-meant").and_then(Value::as_str) {
                assert!(value.get(meant).is_some() || schema["properties"].get(meant).is_some(), "{meant}: {text}");
            }
        }
    }
}
