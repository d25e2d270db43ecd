//! What can be written in a test of a policy.

use crate::policy::{Decision, units::TimeText};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// `*.test.yaml`, beside the routes that it is about.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "decoded case by case, so that a bad one does not hide the others")]
pub(in crate::policy) struct TestsText {
    /// Each is played by itself, in the order of the file.
    cases: Vec<CaseText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct CaseText {
    /// A sentence that should be true.
    #[schemars(example = &"a signed charge is queued")]
    pub(in crate::policy) name: String,
    /// The one stage that it is about; absent: every stage.
    #[schemars(example = &"prod")]
    pub(in crate::policy) env: Option<String>,
    /// The moment at which the request comes; absent: now.
    #[schemars(example = &"2026-11-24T09:30:00Z")]
    pub(in crate::policy) clock: Option<String>,
    /// The name of a case of this file whose request has come before, and is remembered.
    pub(in crate::policy) after: Option<String>,
    /// A request that is signed as the route's sender signs, with a test key.
    pub(in crate::policy) send: Option<SendText>,
    /// A request as it is, recorded or made up.
    pub(in crate::policy) request: Option<RequestText>,
    /// Published secrets of recorded requests, by the name of the keys. Never a secret that is in use.
    #[serde(default)]
    pub(in crate::policy) secrets: BTreeMap<String, String>,
    /// What should become of it.
    pub(in crate::policy) expect: ExpectText,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct SendText {
    /// Whose endpoint, scheme and keys.
    #[schemars(example = &"stripe-events")]
    pub(in crate::policy) route: String,
    /// The label of the key that signs; absent: the first one.
    #[schemars(example = &"live-2026")]
    pub(in crate::policy) key: Option<String>,
    /// Path and query, where they are not the route's plainest.
    pub(in crate::policy) target: Option<String>,
    /// The sender's id for the event, where it sends one.
    pub(in crate::policy) id: Option<String>,
    /// Signed so long before the clock.
    pub(in crate::policy) age: Option<TimeText>,
    /// Signed so long after the clock.
    pub(in crate::policy) ahead: Option<TimeText>,
    /// Further fields, as `"Name: value"`; they replace what the signature has set.
    #[serde(default)]
    pub(in crate::policy) headers: Vec<String>,
    /// The sender's address.
    pub(in crate::policy) from: Option<String>,
    #[serde(flatten)]
    pub(in crate::policy) body: BodyText,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct RequestText {
    /// Absent: `POST`.
    #[schemars(example = &"GET")]
    pub(in crate::policy) method: Option<String>,
    /// Path and query.
    #[schemars(example = &"/hooks/stripe")]
    pub(in crate::policy) target: String,
    /// Fields, as `"Name: value"`.
    #[serde(default)]
    pub(in crate::policy) headers: Vec<String>,
    /// The sender's address.
    pub(in crate::policy) from: Option<String>,
    #[serde(flatten)]
    pub(in crate::policy) body: BodyText,
}

/// One of these.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::policy) struct BodyText {
    /// A body that is written as JSON.
    pub(in crate::policy) json: Option<Value>,
    /// A body, letter by letter.
    pub(in crate::policy) text: Option<String>,
    /// A form, by field.
    pub(in crate::policy) form: Option<BTreeMap<String, String>>,
    /// A body, byte by byte.
    pub(in crate::policy) base64: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct ExpectText {
    /// In one word.
    pub(in crate::policy) decision: DecisionText,
    /// The code of logs and metrics.
    #[schemars(example = &"signature_mismatch")]
    pub(in crate::policy) code: Option<String>,
    /// What the sender hears.
    #[schemars(range(min = 100, max = 599))]
    pub(in crate::policy) status: Option<u16>,
    /// Members of the answer's JSON body.
    pub(in crate::policy) answer: Option<Value>,
    /// Members of the event that leaves.
    pub(in crate::policy) event: Option<Value>,
    /// Members of the JSON body that reaches WordPress, or the whole body as a text.
    pub(in crate::policy) relayed: Option<Value>,
    /// JSON Pointers that neither the event nor what reaches WordPress may have.
    #[serde(default)]
    pub(in crate::policy) absent: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum DecisionText {
    Accepted,
    Repeat,
    Relayed,
    Passed,
    Refused,
    Failed,
}

impl From<DecisionText> for Decision {
    fn from(text: DecisionText) -> Self {
        match text {
            DecisionText::Accepted => Self::Accepted,
            DecisionText::Repeat => Self::Repeat,
            DecisionText::Relayed => Self::Relayed,
            DecisionText::Passed => Self::Passed,
            DecisionText::Refused => Self::Refused,
            DecisionText::Failed => Self::Failed,
        }
    }
}
