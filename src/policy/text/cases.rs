//! What can be written in a test of a policy.

use crate::policy::{Decision, units::TimeText};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// `*.test.yaml`, beside the routes that it is about.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Tests of a Hookwarden policy")]
#[expect(dead_code, reason = "decoded case by case, so that a bad one does not hide the others")]
pub(in crate::policy) struct TestsText {
    /// Requests, and what should become of them. Each is played by itself, in the order of the file.
    cases: Vec<CaseText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct CaseText {
    /// A sentence that should be true.
    #[schemars(example = &"a signed charge is queued")]
    pub(in crate::policy) name: String,
    /// The one stage that it is about.
    #[schemars(example = &"prod", extend("x-absent" = "every stage"))]
    pub(in crate::policy) env: Option<String>,
    /// The moment at which the request comes.
    #[schemars(example = &"2026-11-24T09:30:00Z", extend("x-absent" = "now"))]
    pub(in crate::policy) clock: Option<String>,
    /// The name of a case of this file whose request has come before, and is remembered.
    #[schemars(extend("x-absent" = "nothing came before"))]
    pub(in crate::policy) after: Option<String>,
    /// An operator has armed its route: a key that the request hands over is taken.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub(in crate::policy) armed: bool,
    /// A request that is signed as the route's sender signs, with a test key.
    #[schemars(extend("x-absent" = ONE_OF_TWO))]
    pub(in crate::policy) send: Option<SendText>,
    /// A request as it is, recorded or made up.
    #[schemars(extend("x-absent" = ONE_OF_TWO))]
    pub(in crate::policy) request: Option<RequestText>,
    /// Published secrets of recorded requests, by the name of the keys. Never a secret that is in use.
    #[serde(default)]
    pub(in crate::policy) secrets: BTreeMap<String, String>,
    /// What the vendor says when it is asked whether what the request refers to exists: of routes with `sender.confirm`.
    #[schemars(extend("x-absent" = "it says yes"))]
    pub(in crate::policy) confirm: Option<AnsweredText>,
    /// What should become of it.
    pub(in crate::policy) expect: ExpectText,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct AnsweredText {
    /// The status of the vendor's answer: 404 is that of what does not exist.
    #[schemars(range(min = 100, max = 599), extend("x-absent" = "200"))]
    pub(in crate::policy) status: Option<u16>,
    /// Its body: JSON, or a text as it stands.
    #[schemars(extend("x-absent" = "no body"))]
    pub(in crate::policy) body: Option<Value>,
}

const ONE_OF_TWO: &str = "one of `send` and `request`";
const ONE_OF_FOUR: &str = "one of these four, or no body";
const NOT_LOOKED_AT: &str = "not looked at";

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct SendText {
    /// The route whose endpoint, scheme and keys it uses.
    #[schemars(example = &"stripe-events")]
    pub(in crate::policy) route: String,
    /// The label of the key that signs.
    #[schemars(example = &"live-2026", extend("x-absent" = "the first one"))]
    pub(in crate::policy) key: Option<String>,
    /// Path and query.
    #[schemars(extend("x-absent" = "the route's plainest spelling"))]
    pub(in crate::policy) target: Option<String>,
    /// The sender's id for the event, where its scheme sends one; of senders that sign nothing, what the request refers to,
    /// made into one of theirs if it is none.
    #[schemars(extend("default" = "test_1"))]
    pub(in crate::policy) id: Option<String>,
    /// Claims of the token that is shown; `null` leaves one out.
    #[serde(default)]
    #[schemars(extend("x-absent" = "those that the route asks for"))]
    pub(in crate::policy) claims: BTreeMap<String, Value>,
    /// It was signed so long before the clock.
    #[schemars(extend("x-absent" = "at the clock"))]
    pub(in crate::policy) age: Option<TimeText>,
    /// It was signed so long after the clock.
    #[schemars(extend("x-absent" = "at the clock"))]
    pub(in crate::policy) ahead: Option<TimeText>,
    /// Further fields, as `"Name: value"`; they replace what the signature has set.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub(in crate::policy) headers: Vec<String>,
    /// The sender's address.
    #[schemars(extend("default" = "192.0.2.1"))]
    pub(in crate::policy) from: Option<String>,
    #[serde(flatten)]
    pub(in crate::policy) body: BodyText,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct RequestText {
    /// The method.
    #[schemars(example = &"GET", extend("default" = "POST"))]
    pub(in crate::policy) method: Option<String>,
    /// Path and query.
    #[schemars(example = &"/hooks/stripe")]
    pub(in crate::policy) target: String,
    /// Fields, as `"Name: value"`.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub(in crate::policy) headers: Vec<String>,
    /// The sender's address.
    #[schemars(extend("default" = "192.0.2.1"))]
    pub(in crate::policy) from: Option<String>,
    #[serde(flatten)]
    pub(in crate::policy) body: BodyText,
}

/// One of these.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::policy) struct BodyText {
    /// A body that is written as JSON; its content type is set.
    #[schemars(extend("x-absent" = ONE_OF_FOUR))]
    pub(in crate::policy) json: Option<Value>,
    /// A body, letter by letter.
    #[schemars(extend("x-absent" = ONE_OF_FOUR))]
    pub(in crate::policy) text: Option<String>,
    /// A form, by field; its content type is set.
    #[schemars(extend("x-absent" = ONE_OF_FOUR))]
    pub(in crate::policy) form: Option<BTreeMap<String, String>>,
    /// A body, byte by byte.
    #[schemars(extend("x-absent" = ONE_OF_FOUR))]
    pub(in crate::policy) base64: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct ExpectText {
    /// What the gate does, in one word; `handshake` is a validation call, `passed` what it does not guard, `observed` what
    /// it judges and counts alone, `failed` its own fault.
    pub(in crate::policy) decision: DecisionText,
    /// The code of logs and metrics; of what is observed, that of what was found: `ok`, or why it would be refused.
    #[schemars(example = &"signature_mismatch", extend("x-absent" = NOT_LOOKED_AT))]
    pub(in crate::policy) code: Option<String>,
    /// The status that the sender hears.
    #[schemars(range(min = 100, max = 599), extend("x-absent" = NOT_LOOKED_AT))]
    pub(in crate::policy) status: Option<u16>,
    /// Members that the answer's JSON body must have, or the whole body as a text.
    #[schemars(extend("x-absent" = NOT_LOOKED_AT))]
    pub(in crate::policy) answer: Option<Value>,
    /// Members that the event that leaves must have; others may be there.
    #[schemars(extend("x-absent" = NOT_LOOKED_AT))]
    pub(in crate::policy) event: Option<Value>,
    /// Members that the JSON body that reaches WordPress must have, or the whole body as a text.
    #[schemars(extend("x-absent" = NOT_LOOKED_AT))]
    pub(in crate::policy) relayed: Option<Value>,
    /// JSON Pointers that neither the event (`/data/email`) nor what reaches WordPress (`/email`) may have; of a form, by
    /// its fields. A body that is neither JSON nor a form cannot be looked into, and then the case fails.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub(in crate::policy) absent: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum DecisionText {
    Accepted,
    Repeat,
    Relayed,
    Handshake,
    Passed,
    Observed,
    Refused,
    Failed,
}

impl From<DecisionText> for Decision {
    fn from(text: DecisionText) -> Self {
        match text {
            DecisionText::Accepted => Self::Accepted,
            DecisionText::Repeat => Self::Repeat,
            DecisionText::Relayed => Self::Relayed,
            DecisionText::Handshake => Self::Handshake,
            DecisionText::Passed => Self::Passed,
            DecisionText::Observed => Self::Observed,
            DecisionText::Refused => Self::Refused,
            DecisionText::Failed => Self::Failed,
        }
    }
}
