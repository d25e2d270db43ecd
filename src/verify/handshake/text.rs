//! How a validation call is written in a catalogue entry.

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// One validation call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandshakeText {
    /// What it is called in logs.
    pub name: Spanned<String>,
    /// By what it is told; all of it must hold.
    pub when: WhenText,
    /// `signature`, `verify_token` or `nothing`: why it is answered.
    pub proof: Spanned<String>,
    /// `query:NAME`: where the verify token is.
    pub token: Option<Spanned<String>>,
    /// What it is answered with.
    #[serde(default)]
    pub reply: ReplyText,
}

/// By what a validation call is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhenText {
    /// `POST` if absent.
    pub method: Option<Spanned<String>>,
    /// Parameters of the query with their values.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Header fields with their values.
    #[serde(default)]
    pub header: BTreeMap<String, String>,
    /// Fields of a form that has no others, each a number.
    #[serde(default)]
    pub form: Vec<String>,
    /// Members of the JSON body with their values, by JSON Pointer.
    #[serde(default)]
    pub json: BTreeMap<String, Value>,
    /// Members that the JSON body has, as JSON Pointers.
    #[serde(default)]
    pub has: Vec<String>,
    /// Members that it has not.
    #[serde(default)]
    pub lacks: Vec<String>,
}

/// What a validation call is answered with.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyText {
    /// 200 if absent.
    pub status: Option<u16>,
    /// `query:NAME` or `json:/pointer`: this text, as text.
    pub echo: Option<Spanned<String>>,
    /// One JSON object.
    #[serde(default)]
    pub members: BTreeMap<String, MemberText>,
}

/// How a member of the answer is made: one of these.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberText {
    /// A value.
    pub is: Option<Value>,
    /// `query:NAME` or `json:/pointer`: the text from there.
    pub echo: Option<Spanned<String>>,
    /// Its keyed digest, in hexadecimal.
    pub hmac_hex: Option<Spanned<String>>,
}
