//! What can be written of a route, and of a class of them.

use super::ExceptionText;
use crate::policy::{
    contract::text::{ContractText, RedactText},
    units::{RateText, SizeText, TimeText},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// One route. What its class says of the same keys is replaced whole.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct RouteText {
    /// Whose terms it has where it says nothing itself: a name under `classes`.
    #[schemars(example = &"plugin")]
    pub(in crate::policy) class: Option<String>,
    /// Which endpoint: one of these keys.
    pub(in crate::policy) at: AtText,
    /// Who may send, and how that is known.
    pub(in crate::policy) sender: SenderText,
    /// A value of the floor that is lifted for a while.
    pub(in crate::policy) exception: Option<ExceptionText>,
    #[serde(flatten)]
    pub(in crate::policy) terms: TermsText,
}

/// What a class and a route can both say.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct TermsText {
    /// Who is asked about it.
    pub(in crate::policy) owner: Option<OwnerText>,
    /// What comes in at all.
    #[serde(default)]
    pub(in crate::policy) admit: AdmitText,
    /// How much of it.
    #[serde(default)]
    pub(in crate::policy) limits: LimitsText,
    /// What is told from its repeats, and for how long.
    #[serde(default)]
    pub(in crate::policy) repeats: RepeatsText,
    /// What happens to what was verified.
    #[serde(default)]
    pub(in crate::policy) deliver: DeliverText,
    /// When the sender's answer is due at the latest; absent, what the catalogue says of the sender.
    pub(in crate::policy) answer_by: Option<TimeText>,
    /// What every document must be like.
    pub(in crate::policy) contract: Option<ContractText>,
    /// What must not go further.
    #[serde(default)]
    pub(in crate::policy) redact: Vec<RedactText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct OwnerText {
    /// Who owns the contract with this sender.
    #[schemars(example = &"payments@shop.example")]
    pub(in crate::policy) team: String,
    /// Whom to call.
    pub(in crate::policy) oncall: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct AtText {
    /// A path, in every spelling.
    #[schemars(example = &"/hooks/stripe")]
    pub(in crate::policy) path: Option<String>,
    /// Of a `WooCommerce` gateway: `?wc-api=NAME` and `/wc-api/NAME`.
    #[serde(rename = "wc-api")]
    #[schemars(example = &"wc_stripe")]
    pub(in crate::policy) wc_api: Option<String>,
    /// A route of WordPress's REST API, without `/wp-json`.
    #[schemars(example = &"/shop/v1/orders")]
    pub(in crate::policy) rest: Option<String>,
    /// A query variable with its value, on every URL.
    #[schemars(example = &"edd-listener=stripe")]
    pub(in crate::policy) query: Option<String>,
    /// An action of admin-ajax.php and admin-post.php.
    #[schemars(example = &"stripe_webhook")]
    pub(in crate::policy) ajax: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct SenderText {
    /// A sender of the catalogue, or of `providers/` beside the policy.
    #[schemars(example = &"stripe")]
    pub(in crate::policy) provider: String,
    /// A name under `keys`.
    #[schemars(example = &"stripe")]
    pub(in crate::policy) keys: String,
    /// How far back a signed time may lie.
    pub(in crate::policy) max_age: Option<TimeText>,
    /// How far ahead a signed time may lie.
    pub(in crate::policy) max_future: Option<TimeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct AdmitText {
    /// The one method.
    pub(in crate::policy) method: Option<MethodText>,
    /// The longest body.
    pub(in crate::policy) body: Option<SizeText>,
    /// Media types without parameters; absent, any.
    pub(in crate::policy) content_types: Option<Vec<MediaText>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend(
    "pattern" = "^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$",
    "examples" = ["application/json", "application/x-www-form-urlencoded"]
))]
pub(in crate::policy) struct MediaText(pub(in crate::policy) String);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct LimitsText {
    /// Before verification, by client address.
    pub(in crate::policy) per_address: Option<RateText>,
    /// After verification, by key.
    pub(in crate::policy) per_sender: Option<RateText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct RepeatsText {
    /// How long what was accepted is remembered; to be said of a sender that signs no time.
    pub(in crate::policy) remember: Option<TimeText>,
    /// To be said of a sender whose repeats nothing can tell from new events.
    pub(in crate::policy) protection: Option<ProtectionText>,
    /// What to do with another body under the same signed id.
    pub(in crate::policy) on_changed: Option<ChangedText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct DeliverText {
    /// Durable first, delivered by the gate; or passed on to the origin at once.
    pub(in crate::policy) via: Option<ViaText>,
    /// Names of destinations.
    pub(in crate::policy) to: Option<Vec<String>>,
    /// What they get: an event with its lineage, or the body as it came.
    pub(in crate::policy) form: Option<FormText>,
    /// To be said where an endpoint of WordPress is queued: the plugin behind it will not see the request.
    pub(in crate::policy) replaces_plugin: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(in crate::policy) enum MethodText {
    Post,
    Put,
    Patch,
    Get,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum ViaText {
    Queue,
    Relay,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum FormText {
    Event,
    Verbatim,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum ProtectionText {
    Impossible,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum ChangedText {
    Deliver,
}
