//! What can be written of a route, and of a class of them.

use super::ExceptionText;
use crate::policy::{
    contract::text::{ContractText, RedactText},
    units::{RateText, SizeText, TimeText},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One guarded endpoint. What its class says of the same key is replaced whole.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct RouteText {
    /// The class whose terms the route has where it says nothing itself: a name under `classes`.
    #[schemars(example = &"plugin", extend("x-absent" = "none"))]
    pub(in crate::policy) class: Option<String>,
    /// Which endpoint: one of these keys, in every spelling that WordPress accepts for it.
    pub(in crate::policy) at: AtText,
    /// Who may send, and how that is known.
    pub(in crate::policy) sender: SenderText,
    /// A value of the floor that is lifted for a while.
    #[schemars(extend("x-absent" = "no exception"))]
    pub(in crate::policy) exception: Option<ExceptionText>,
    #[serde(flatten)]
    pub(in crate::policy) terms: TermsText,
}

/// What a class and a route can both say.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct TermsText {
    /// Who is asked about the route; shown by `check`, decides nothing. Routes in `routes/` must say it, or their class.
    #[schemars(extend("x-absent" = "nobody"))]
    pub(in crate::policy) owner: Option<OwnerText>,
    /// What comes in at all.
    #[serde(default)]
    pub(in crate::policy) admit: AdmitText,
    /// How much of it.
    #[serde(default)]
    pub(in crate::policy) limits: LimitsText,
    /// How repeats are told from new events, and for how long.
    #[serde(default)]
    pub(in crate::policy) repeats: RepeatsText,
    /// What happens to what was verified.
    #[serde(default)]
    pub(in crate::policy) deliver: DeliverText,
    /// A JSON Pointer into the body: events with the same value there are delivered one after another, in the order in
    /// which they were accepted, also when one has to be tried again; all others do not wait for them. One that becomes a
    /// dead letter lets the next one go. An event without a text or a number there is in no order. Refused for a relay.
    #[schemars(extend("pattern" = "^/", "examples" = ["/data/object/id"], "x-absent" = "in no order"))]
    pub(in crate::policy) order_by: Option<String>,
    /// How long delivered events stay for looking at and `spool redeliver`, counted from their delivery; then they are
    /// erased within a day. A full spool lets them go sooner. Refused for a relay.
    #[schemars(example = &"7d", extend("x-absent" = "erased within a day"))]
    pub(in crate::policy) keep: Option<TimeText>,
    /// Keeps refused requests for `hookwarden explain --capture`, encrypted in the spool's folder. Refused for routes that
    /// take tokens.
    #[schemars(extend("x-absent" = "nothing is kept"))]
    pub(in crate::policy) capture: Option<CaptureText>,
    /// When the sender's answer is due; never later than the sender waits.
    #[schemars(extend("x-absent" = "the sender's; 10 s at most where events are queued"))]
    pub(in crate::policy) answer_by: Option<TimeText>,
    /// What every document must be like.
    #[schemars(extend("x-absent" = "nothing is asked of it"))]
    pub(in crate::policy) contract: Option<ContractText>,
    /// What must not go further than the gate.
    #[serde(default)]
    #[schemars(extend("x-absent" = "nothing is taken out"))]
    pub(in crate::policy) redact: Vec<RedactText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-written" = "{ keep: 24h, body: sealed }"))]
pub(in crate::policy) struct CaptureText {
    /// How long a refused request stays, a week at most; then it is erased within a minute.
    #[schemars(example = &"24h")]
    pub(in crate::policy) keep: TimeText,
    /// `sealed`: with its body, encrypted; without it no signature can be explained. `none`: its head alone.
    #[schemars(example = &"sealed")]
    pub(in crate::policy) body: CapturedBodyText,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum CapturedBodyText {
    Sealed,
    None,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-written" = "{ team: payments@shop.example }", "x-meant" = "team"))]
pub(in crate::policy) struct OwnerText {
    /// Who owns the contract with this sender. Routes in `routes/` must say it, or their class.
    #[schemars(example = &"payments@shop.example")]
    pub(in crate::policy) team: String,
    /// Whom to call.
    #[schemars(extend("x-absent" = "nobody"))]
    pub(in crate::policy) oncall: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-written" = "{ path: /hooks/shop }", "x-meant" = "path"))]
pub(in crate::policy) struct AtText {
    /// A path with what lies below it, in every spelling that a web server or PHP accepts.
    #[schemars(example = &"/hooks/stripe", extend("x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) path: Option<String>,
    /// A gateway of WooCommerce: `?wc-api=NAME` and `/wc-api/NAME`.
    #[serde(rename = "wc-api")]
    #[schemars(example = &"wc_stripe", extend("x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) wc_api: Option<String>,
    /// A route of WordPress's REST API and those below it, without `/wp-json`; a dot in it is any byte,
    /// as it is to WordPress.
    #[schemars(example = &"/shop/v1/orders", extend("x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) rest: Option<String>,
    /// A query variable with its value, on any URL; a name alone means any value.
    #[schemars(example = &"edd-listener=stripe", extend("x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) query: Option<String>,
    /// An action of `admin-ajax.php` and `admin-post.php`.
    #[schemars(example = &"stripe_webhook", extend("x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) ajax: Option<String>,
}

const ONE_OF_FIVE: &str = "one of these five";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-written" = "{ provider: github, keys: shop }"))]
pub(in crate::policy) struct SenderText {
    /// Who sends: a name from `hookwarden providers`, or of a file in `providers/` beside the policy.
    #[schemars(example = &"stripe", extend("x-absent" = ONE_OF_TWO))]
    pub(in crate::policy) provider: Option<String>,
    /// The keys that its signatures are held against: a name under `keys`.
    #[schemars(example = &"stripe", extend("x-absent" = "with `provider`, must be said; or those that its vendor publishes"))]
    pub(in crate::policy) keys: Option<String>,
    /// The words that its validation calls may say, for senders that have such calls (Meta): a name under `keys`.
    #[schemars(example = &"meta-verify", extend("x-absent" = "such calls are judged as any request"))]
    pub(in crate::policy) verify_token: Option<String>,
    /// `false`: its validation calls are judged as any request. A relayed route answers only those that nobody signed.
    #[schemars(extend("default" = true))]
    pub(in crate::policy) handshakes: Option<bool>,
    /// How far back a signed time may lie; refused for senders that sign none.
    #[schemars(extend("x-absent" = "the sender's"))]
    pub(in crate::policy) max_age: Option<TimeText>,
    /// How far ahead a signed time may lie; refused for senders that sign none.
    #[schemars(extend("x-absent" = "the sender's, mostly `60s`"))]
    pub(in crate::policy) max_future: Option<TimeText>,
    /// What tells your account with the sender from others, for senders that ask for it (`key` of Pusher).
    #[serde(default)]
    #[schemars(extend("default" = {}, "examples" = [{ "key": "a1b2c3" }]))]
    pub(in crate::policy) config: BTreeMap<String, String>,
    /// `unsigned` admits that nothing in a request shows who sent it. Required for senders that sign nothing, together with
    /// `addresses` or `confirm`; refused for others.
    #[schemars(extend("x-absent" = "what nobody signed is refused"))]
    pub(in crate::policy) accept: Option<AcceptText>,
    /// Who may send, by the client's address as the gate knows it: addresses, networks, and `file:/path` with one on each line,
    /// which is read again when it changes. Any other is refused before its signature is looked at.
    #[schemars(extend("examples" = [["192.0.2.0/24", "file:/etc/hookwarden/vendor.txt"]], "x-absent" = "any address"))]
    pub(in crate::policy) addresses: Option<Vec<String>>,
    /// Asks the sender's own API whether what a request refers to exists, before anything is kept or passed on; for senders whose
    /// entry says how.
    #[schemars(extend("x-absent" = "nobody is asked"))]
    pub(in crate::policy) confirm: Option<ConfirmText>,
    /// Whose tokens are taken: a name under `issuers`. The token stands in `Authorization: Bearer TOKEN`.
    #[schemars(example = &"shop-idp", extend("x-absent" = ONE_OF_TWO))]
    pub(in crate::policy) jwt: Option<String>,
    /// What a token must have in `aud`, or among it.
    #[schemars(example = &"shop", extend("x-absent" = "the issuer's"))]
    pub(in crate::policy) audience: Option<String>,
    /// Scopes that a token must have, all of them.
    #[serde(default)]
    #[schemars(extend("default" = [], "examples" = [["orders"]]))]
    pub(in crate::policy) scopes: Vec<String>,
    /// What a token must claim, by JSON Pointer, as in `{ /tenant: shop }`; of a list, one of its items.
    #[serde(default)]
    #[schemars(extend("x-absent" = "nothing more"))]
    pub(in crate::policy) claims: BTreeMap<String, Value>,
    /// What a token must say something of, by JSON Pointer, as in `[/sub]`; `null` and a blank text say nothing.
    #[serde(default)]
    #[schemars(extend("default" = [], "examples" = [["/sub"]]))]
    pub(in crate::policy) present: Vec<String>,
    /// The token stands alone in this header.
    #[schemars(example = &"X-Shop-Token", extend("x-absent" = "in `Authorization`"))]
    pub(in crate::policy) header: Option<String>,
    /// The token stands alone in this cookie.
    #[schemars(example = &"shop_session", extend("x-absent" = "in `Authorization`"))]
    pub(in crate::policy) cookie: Option<String>,
    /// Whether the token goes on to WordPress. One that has done its work at the gate can do no harm behind it.
    #[schemars(extend("default" = false))]
    pub(in crate::policy) forward: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum AcceptText {
    Unsigned,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct ConfirmText {
    /// The key that the API wants: a name under `keys`.
    #[schemars(example = &"vendor-api", extend("x-absent" = "none, for an API that wants none"))]
    pub(in crate::policy) key: Option<String>,
    /// What the API has to answer, by JSON Pointer, as in `{ /status: [paid, refunded] }`: a value, or one of a list.
    #[serde(default)]
    #[schemars(extend("x-absent" = "that it exists"))]
    pub(in crate::policy) members: BTreeMap<String, Value>,
}

const ONE_OF_TWO: &str = "one of `provider` and `jwt`";

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-written" = "{ body: 256KiB }"))]
pub(in crate::policy) struct AdmitText {
    /// The one method.
    #[schemars(extend("x-absent" = "`POST`; of a route that takes tokens, any but `OPTIONS`"))]
    pub(in crate::policy) method: Option<MethodText>,
    /// The longest body; a declared longer one is refused before it is read.
    #[schemars(extend("default" = "1MiB"))]
    pub(in crate::policy) body: Option<SizeText>,
    /// Media types without parameters, such as `[application/json]`.
    #[schemars(extend("x-absent" = "any"))]
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
#[schemars(extend("x-written" = "{ per_address: 100/s }", "x-meant" = "per_address"))]
pub(in crate::policy) struct LimitsText {
    /// Before verification, for one client address and route.
    #[schemars(extend("default" = "100/s"))]
    pub(in crate::policy) per_address: Option<RateText>,
    /// After verification, for one key and route; where tokens are shown, for one subject (`sub`) and route, and all tokens
    /// without one share one limit.
    #[schemars(extend("x-absent" = "unlimited"))]
    pub(in crate::policy) per_sender: Option<RateText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-written" = "{ remember: 72h }", "x-meant" = "remember"))]
pub(in crate::policy) struct RepeatsText {
    /// How long what was accepted is known again; never shorter than the sender repeats. Must be said for senders that
    /// sign no time: their signatures pass for ever, and this is the only bound.
    #[schemars(extend("x-absent" = "the sender's retry horizon"))]
    pub(in crate::policy) remember: Option<TimeText>,
    /// `impossible` admits that nothing tells a captured request of this sender from a new one; required for such senders,
    /// refused for others.
    #[schemars(extend("x-absent" = "repeats can be told"))]
    pub(in crate::policy) protection: Option<ProtectionText>,
    /// `deliver`: another body under the same signed id is another event.
    #[schemars(extend("x-absent" = "a repeat"))]
    pub(in crate::policy) on_changed: Option<ChangedText>,
    /// `once`: a token is taken once, by its `jti`, which must not be empty, and refused when it is shown again. With `sender: { jwt: ... }` only.
    #[schemars(extend("x-absent" = "for as long as it is good"))]
    pub(in crate::policy) jti: Option<OnceText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-written" = "{ via: relay }", "x-meant" = "via"))]
pub(in crate::policy) struct DeliverText {
    /// `queue`: durable, then 202, then delivered by the gate. `relay`: passed on to the origin at once, whose answer goes
    /// back. `direct`: handed to a broker at once, and 202 when that has confirmed it; the gate keeps nothing.
    #[schemars(extend("default" = "queue"))]
    pub(in crate::policy) via: Option<ViaText>,
    /// Names under `destinations`; refused for a relay. `direct` needs one, with `nats` or `redis`.
    #[schemars(extend("x-absent" = "`[wordpress]`, if there is one"))]
    pub(in crate::policy) to: Option<Vec<String>>,
    /// What destinations get: `event` is a CloudEvents document with its lineage, `verbatim` the body as it came. A relay
    /// is always verbatim.
    #[schemars(extend("default" = "event"))]
    pub(in crate::policy) form: Option<FormText>,
    /// Must be `true` to queue what WordPress itself would answer (`wc-api`, `query`, `ajax`, `rest` but for
    /// `/hookwarden`): the plugin there will not see these requests any more.
    #[schemars(extend("default" = false))]
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
    Direct,
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
pub(in crate::policy) enum OnceText {
    Once,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum ChangedText {
    Deliver,
}
