//! The language of catalogue entries, as it is written. One YAML file is one sender; a team's own lie beside its policy.

use crate::verify::handshake::text::HandshakeText;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// One sender.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderText {
    /// What a policy writes after `provider:`.
    pub name: Spanned<String>,
    /// Other names of the same entry.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The vendor's page.
    pub documentation: String,
    /// Where these facts are from, and when they were looked at.
    pub source: SourceText,
    /// How it signs.
    pub scheme: SchemeText,
    /// Members of the signed body that name the event, as JSON Pointers.
    #[serde(default)]
    pub event_key: Vec<Spanned<String>>,
    /// `header:NAME` or `json:/pointer`.
    pub event_type: Option<Spanned<String>>,
    /// `repeat` (the default) or `normal`: can identical bytes be two events?
    pub identical: Option<Spanned<String>>,
    /// How far back a signed time may lie.
    pub max_age: Option<Spanned<String>>,
    /// How far ahead it may lie.
    pub max_future: Option<Spanned<String>>,
    /// For how long the vendor repeats what was not answered with 2xx.
    pub retry_horizon: Spanned<String>,
    /// When the answer is due: the vendor's own time less a second.
    pub answer_by: Spanned<String>,
    /// What the vendor wants to hear.
    #[serde(default)]
    pub respond: RespondText,
    /// The vendor's validation calls, and their answers.
    #[serde(default)]
    pub challenge: Vec<HandshakeText>,
}

/// Where facts are from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceText {
    /// How they are known.
    pub how: String,
    /// A date.
    pub checked: String,
}

/// How one sender signs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemeText {
    /// `hmac-sha256`, `hmac-sha1`, `hmac-sha512`, `ed25519` or `ecdsa-p256-sha256`.
    pub alg: Spanned<String>,
    /// How the operator's text becomes a key.
    #[serde(default)]
    pub key: KeyText,
    /// Where the signature is.
    pub sig: SignatureText,
    /// What is signed, part by part.
    pub message: Vec<Spanned<String>>,
    /// Where the signed time is.
    pub ts: Option<TimeText>,
    /// `header:NAME` with the sender's id for the event.
    pub id: Option<Spanned<String>>,
    /// Where the sender says which of several algorithms it used.
    pub alg_from: Option<ChosenText>,
    /// `query:NAME`: the SHA-256, in hexadecimal, of a body that is no form, in a URL that is signed.
    pub body_digest: Option<Spanned<String>>,
    /// `true`: the URL may be signed with a port or without, whatever `public_url` has.
    #[serde(default)]
    pub any_port: bool,
}

/// An item of a header that names the algorithm; without the header it is `alg`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenText {
    /// `header:NAME`, with `item=word` between commas.
    #[serde(rename = "in")]
    pub place: Spanned<String>,
    /// The item's name.
    pub item: String,
    /// What its words mean.
    pub words: BTreeMap<String, Spanned<String>>,
}

/// How the operator's text becomes a key.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyText {
    /// `utf8` (the default), `hex` or `base64`.
    pub enc: Option<Spanned<String>>,
    /// A prefix that is taken off if it is there.
    #[serde(default)]
    pub strip: Vec<String>,
    /// `html_decode`.
    #[serde(default)]
    pub transform: Vec<Spanned<String>>,
}

/// Where the signature is, and how it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureText {
    /// `header:NAME`.
    #[serde(rename = "in")]
    pub place: Spanned<String>,
    /// `raw` (the default), `list(SEPARATOR)` or `kv(SEPARATOR;EQUALS)`.
    pub parse: Option<Spanned<String>>,
    /// The item that holds a signature, with `kv`.
    pub item: Option<String>,
    /// Literal text before each encoded signature.
    #[serde(default)]
    pub prefix: String,
    /// `hex`, `base64` or `base64url`.
    pub enc: Spanned<String>,
}

/// Where the signed time is, and how it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeText {
    /// `header:NAME` or `kv:ITEM`.
    pub from: Spanned<String>,
    /// `unix_s`, `unix_ms` or `rfc3339`.
    pub fmt: Spanned<String>,
}

/// What the vendor wants to hear, where that is not the gate's own way.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RespondText {
    /// A status, for what was accepted.
    pub accepted: Option<u16>,
    /// Its body.
    pub accepted_body: Option<String>,
    /// A status, for a signature that does not hold.
    pub unauthenticated: Option<u16>,
}
