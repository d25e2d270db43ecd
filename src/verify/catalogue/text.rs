//! How an entry of the catalogue is written. One YAML file is one sender; a team's own lie beside its policy.

use crate::{
    json::language::schema_of,
    verify::{handshake::text::HandshakeText, scheme::text::SchemeText},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

/// One sender. With `like`, what it does not say itself is what that entry says, key by key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderText {
    /// What a policy writes after `provider:`.
    #[schemars(with = "Option<String>", extend("x-absent" = "must be said"))]
    pub name: Option<Spanned<String>>,
    /// Other names of the same entry.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("default" = []))]
    pub aliases: Vec<Spanned<String>>,
    /// An entry of the catalogue that is the same but for what is said here.
    #[schemars(with = "Option<String>", extend("x-absent" = "it is like no other"))]
    pub like: Option<Spanned<String>>,
    /// The vendor's page.
    #[schemars(with = "Option<String>", extend("x-absent" = "must be said"))]
    pub documentation: Option<Spanned<String>>,
    /// Where these facts are from, and when they were looked at.
    #[schemars(extend("x-absent" = "must be said"))]
    pub source: Option<SourceText>,
    /// How it signs.
    #[schemars(extend("x-absent" = "must be said, unless it is `like` another"))]
    pub scheme: Option<SchemeText>,
    /// Members of the signed body that name the event, as JSON Pointers.
    #[schemars(with = "Option<Vec<String>>", extend("x-absent" = "a signed id, or nothing, names the event"))]
    pub event_key: Option<Vec<Spanned<String>>>,
    /// Where the kind of event is said: `header:NAME` or `json:/pointer`.
    #[schemars(with = "Option<String>", extend("x-absent" = "its kind is not told"), extend("examples" = ["json:/type"]))]
    pub event_type: Option<Spanned<String>>,
    /// Can identical bytes be two events? `repeat` says no, `normal` yes.
    #[schemars(with = "Option<String>", extend("default" = "repeat"))]
    pub identical: Option<Spanned<String>>,
    /// How far back a signed time may lie.
    #[schemars(with = "Option<String>", extend("x-absent" = "`300s`, where a time is signed"), extend("examples" = ["300s"]))]
    pub max_age: Option<Spanned<String>>,
    /// How far ahead it may lie.
    #[schemars(with = "Option<String>", extend("x-absent" = "`60s`, where a time is signed"), extend("examples" = ["60s"]))]
    pub max_future: Option<Spanned<String>>,
    /// For how long the vendor repeats what was not answered with 2xx.
    #[schemars(with = "Option<String>", extend("x-absent" = "must be said, unless it is `like` another"), extend("examples" = ["24h"]))]
    pub retry_horizon: Option<Spanned<String>>,
    /// When the answer is due: the vendor's own time less a second.
    #[schemars(with = "Option<String>", extend("x-absent" = "must be said, unless it is `like` another"), extend("examples" = ["9s"]))]
    pub answer_by: Option<Spanned<String>>,
    /// What the vendor takes for an answer, in words.
    #[schemars(extend("x-absent" = "not told"))]
    pub answers: Option<String>,
    /// How often it comes again, in words.
    #[schemars(extend("x-absent" = "not told"))]
    pub retries: Option<String>,
    /// When it stops sending, in words.
    #[schemars(extend("x-absent" = "not told"))]
    pub disables: Option<String>,
    /// What the vendor wants to hear.
    #[schemars(extend("x-absent" = "the gate's own way"))]
    pub respond: Option<RespondText>,
    /// What a request refers to: an id of the vendor's.
    #[schemars(extend("x-absent" = "a request is held to nothing"))]
    pub refers: Option<RefersText>,
    /// How the vendor is asked whether that exists.
    #[schemars(extend("x-absent" = "nobody is asked"))]
    pub confirm: Option<ConfirmText>,
    /// The vendor's validation calls, and their answers.
    #[schemars(extend("x-absent" = "it makes none"))]
    pub challenge: Option<Vec<HandshakeText>>,
}

/// What a request refers to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefersText {
    /// `form:NAME`, `json:/pointer`, `query:NAME` or `header:NAME`, which has to stand there once.
    #[schemars(with = "String")]
    pub at: Spanned<String>,
    /// A pattern of the whole id, as in `tr_[A-Za-z0-9]{1,64}`; others are refused.
    #[schemars(with = "String")]
    pub like: Spanned<String>,
}

/// How the vendor is asked whether what a request refers to exists.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmText {
    /// Its API, with `{id}` as one part of the path.
    #[schemars(with = "String")]
    pub url: Spanned<String>,
    /// `NAME: VALUE` with `{key}` in the value, as in `Authorization: Bearer {key}`: the policy's key.
    #[schemars(with = "Option<String>", extend("x-absent" = "no key is shown"))]
    pub header: Option<Spanned<String>>,
    /// The status of something that exists. 404 and 410 are those of what does not, and any other is no answer.
    #[schemars(with = "Option<u16>", range(min = 200, max = 299), extend("default" = 200))]
    pub status: Option<Spanned<u16>>,
    /// A JSON Pointer to the member of the answer that repeats the id.
    #[schemars(with = "Option<String>", extend("x-absent" = "any answer with that status will do"))]
    pub same: Option<Spanned<String>>,
    /// `allow`: it may be at an address that the internet does not reach.
    #[schemars(with = "Option<String>", extend("x-absent" = "an address of the internet alone"))]
    pub private: Option<Spanned<String>>,
}

/// Where facts are from: `sdk` (the vendor's own library was read and run), `documentation`, `memory` (of the vendor's
/// documentation, which was not read again) or `third_party`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceText {
    /// How it is known how it signs.
    #[schemars(with = "Option<String>", extend("x-absent" = "not told"))]
    pub scheme: Option<Spanned<String>>,
    /// How it is known how it behaves.
    #[schemars(with = "Option<String>", extend("x-absent" = "not told"))]
    pub service: Option<Spanned<String>>,
    /// In words.
    #[schemars(extend("x-absent" = "not told"))]
    pub how: Option<String>,
    /// The day on which it was looked at, as in `2026-11-23`.
    #[schemars(with = "String", extend("examples" = ["2026-11-23"]))]
    pub checked: Spanned<String>,
}

/// What the vendor wants to hear, where that is not the gate's own way.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RespondText {
    /// A status, for what was accepted.
    #[schemars(with = "Option<u16>", range(min = 200, max = 299), extend("x-absent" = "202"))]
    pub accepted: Option<Spanned<u16>>,
    /// Its body.
    #[schemars(extend("x-absent" = "the gate's own"))]
    pub accepted_body: Option<String>,
    /// What that is: `text/plain`, `text/xml` or `application/json`.
    #[schemars(with = "Option<String>", extend("default" = "text/plain"))]
    pub accepted_type: Option<Spanned<String>>,
    /// A status, for a signature that does not hold.
    #[schemars(with = "Option<u16>", range(min = 200, max = 599), extend("x-absent" = "401"))]
    pub unauthenticated: Option<Spanned<u16>>,
    /// Its body.
    #[schemars(extend("x-absent" = "the gate's own"))]
    pub unauthenticated_body: Option<String>,
}

/// What can be written in a sender's file, as a JSON Schema.
pub fn language() -> Value {
    schema_of::<ProviderText>()
}

impl ProviderText {
    /// With what the other one says where this one says nothing. Names and sources are each entry's own.
    pub(super) fn or(self, like: Self) -> Self {
        Self {
            scheme: self.scheme.or(like.scheme),
            event_key: self.event_key.or(like.event_key),
            event_type: self.event_type.or(like.event_type),
            identical: self.identical.or(like.identical),
            max_age: self.max_age.or(like.max_age),
            max_future: self.max_future.or(like.max_future),
            retry_horizon: self.retry_horizon.or(like.retry_horizon),
            answer_by: self.answer_by.or(like.answer_by),
            answers: self.answers.or(like.answers),
            retries: self.retries.or(like.retries),
            disables: self.disables.or(like.disables),
            respond: self.respond.or(like.respond),
            refers: self.refers.or(like.refers),
            confirm: self.confirm.or(like.confirm),
            challenge: self.challenge.or(like.challenge),
            ..self
        }
    }
}
