//! How a validation call is written in a catalogue entry.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// One validation call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandshakeText {
    /// What it is called in logs.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// By what it is told; all of it must hold.
    pub when: WhenText,
    /// `signature`, `verify_token`, `armed` or `nothing`: why it is answered.
    #[schemars(with = "String")]
    pub proof: Spanned<String>,
    /// `query:NAME` or `header:NAME`: where the verify token is.
    #[schemars(with = "Option<String>", extend("x-absent" = "must be said with `proof: verify_token`"))]
    pub token: Option<Spanned<String>>,
    /// `header:NAME` or `json:/pointer`: where the key is that an `armed` one hands over.
    #[schemars(with = "Option<String>", extend("x-absent" = "must be said with `proof: armed`"))]
    pub key: Option<Spanned<String>>,
    /// What a text may be that is sent back or signed.
    #[serde(default)]
    pub texts: TextsText,
    /// A URL that the vendor wants opened.
    #[schemars(extend("x-absent" = "nothing is shown"))]
    pub show: Option<ShowText>,
    /// What it is answered with.
    #[serde(default)]
    pub reply: ReplyText,
}

/// By what a validation call is told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhenText {
    /// `POST`, `GET`, `HEAD` or `OPTIONS`.
    #[schemars(with = "Option<String>", extend("default" = "POST"))]
    pub method: Option<Spanned<String>>,
    /// Parameters of the query with their values.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub query: BTreeMap<String, String>,
    /// Header fields with their values.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub header: BTreeMap<String, String>,
    /// `query:NAME` and `header:NAME`: what is there once, whatever it says.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("default" = []))]
    pub present: Vec<Spanned<String>>,
    /// Fields of a form that has no others, each a number.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub form: Vec<String>,
    /// Members of the JSON body with their values, by JSON Pointer.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub json: BTreeMap<String, Value>,
    /// Members that the JSON body has, as JSON Pointers.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub has: Vec<String>,
    /// Members that it has not.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub lacks: Vec<String>,
}

/// What a text may be that is sent back or signed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextsText {
    /// `line`: plain text. `word`: letters, digits, `-` and `_`, padded with `=`. `hex`: lower-case
    /// hexadecimal.
    #[schemars(with = "Option<String>", extend("default" = "line"))]
    pub chars: Option<Spanned<String>>,
    /// Its longest, in bytes.
    #[schemars(with = "Option<usize>", extend("default" = 512))]
    pub bytes_max: Option<Spanned<usize>>,
}

/// A URL that the vendor wants opened: the operator is shown it, and nothing follows it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowText {
    /// `json:/pointer`.
    #[schemars(with = "String")]
    pub url: Spanned<String>,
    /// Where it may lead: hosts, or `.example.com` for all below it. Required where nobody signed.
    #[serde(default)]
    #[schemars(extend("x-absent" = "any, where the call is signed"))]
    pub hosts: Vec<String>,
}

/// What a validation call is answered with.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyText {
    /// Its status, from 200 to 299.
    #[schemars(extend("default" = 200))]
    pub status: Option<u16>,
    /// `query:NAME`, `header:NAME` or `json:/pointer`: this text, as text.
    #[schemars(with = "Option<String>", extend("x-absent" = "no body"))]
    pub echo: Option<Spanned<String>>,
    /// A text of these parts.
    #[serde(default)]
    #[schemars(extend("x-absent" = "no body"))]
    pub text: Vec<MadeText>,
    /// One JSON object.
    #[serde(default)]
    #[schemars(extend("x-absent" = "no body"))]
    pub members: BTreeMap<String, MadeText>,
    /// Header fields.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub headers: BTreeMap<String, MadeText>,
}

/// How a part of the answer is made: one of these, and `prefix` before it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MadeText {
    /// Literal text before it.
    #[schemars(extend("default" = ""))]
    pub prefix: Option<String>,
    /// This value, whatever the call says.
    #[schemars(extend("x-absent" = "one of these five"))]
    pub is: Option<Value>,
    /// `query:NAME`, `header:NAME` or `json:/pointer`: the text from there.
    #[schemars(with = "Option<String>", extend("x-absent" = "one of these five"))]
    pub echo: Option<Spanned<String>>,
    /// Its keyed digest, in hexadecimal.
    #[schemars(with = "Option<String>", extend("x-absent" = "one of these five"))]
    pub hmac_hex: Option<Spanned<String>>,
    /// Its keyed digest, in base64.
    #[schemars(with = "Option<String>", extend("x-absent" = "one of these five"))]
    pub hmac_base64: Option<Spanned<String>>,
    /// What the policy says under this name in `sender.config`.
    #[schemars(with = "Option<String>", extend("x-absent" = "one of these five"))]
    pub config: Option<Spanned<String>>,
}
