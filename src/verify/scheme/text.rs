//! How a scheme is written in a catalogue entry.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// How one sender signs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemeText {
    /// `hmac-sha256`, `hmac-sha1`, `hmac-sha512`, `ed25519`, `ecdsa-p256-sha256`, `rsa-sha1` or `rsa-sha256`; `sha1` and `sha256`
    /// are plain digests of a text that has the `secret` in it; `equal` and `basic` sign nothing, and show the secret itself;
    /// `unsigned` shows nothing; `jwt` is a token, of which `token` tells more; `http-message-signatures` is RFC 9421, where a
    /// policy says the rest under `sender.config`.
    #[schemars(with = "Option<String>", extend("x-absent" = "must be said"))]
    pub alg: Option<Spanned<String>>,
    /// How the operator's text becomes a key.
    #[serde(default)]
    pub key: KeyText,
    /// Where the signature is.
    #[schemars(with = "Option<SignatureText>", extend("x-absent" = "must be said, unless nothing is shown"))]
    pub sig: Option<Spanned<SignatureText>>,
    /// What is signed, part by part: `body`, `body_as_json`, `ts`, `id`, `method`, `url`, `url_without_query`, `path`, `form`,
    /// `secret`, `crc32` (of the body), `config:NAME`, `header:NAME`, `query:NAME`, `form:NAME`, `json:/pointer`, `kv:ITEM`,
    /// `text:LITERAL`, or `optional:BEFORE{query:NAME}AFTER`, which is nothing where the request has no such value. Where there
    /// is no `body_digest`, `form` refuses a body that is none.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("x-absent" = "must be said, unless `alg` or `odd` says what is signed"))]
    pub message: Vec<Spanned<String>>,
    /// In the place of `message`, for a sender that composes what it signs in a way of its own: `adyen-payments`, `aws-sns`,
    /// `contentful`, `microsoft-graph`, `paddle-classic` or `plivo-v3`.
    #[schemars(with = "Option<String>", extend("x-absent" = "`message` says it"))]
    pub odd: Option<Spanned<String>>,
    /// In the place of `message`, for `alg: jwt`: what the token has to be. It stands where `sig` says.
    #[schemars(with = "Option<TokenText>", extend("x-absent" = "must be said with `alg: jwt`"))]
    pub token: Option<Spanned<TokenText>>,
    /// Which certificate has the key, where the request names it: then a policy that names no `keys` has it fetched.
    #[schemars(with = "Option<CertificateText>", extend("x-absent" = "a policy has the key"))]
    pub certificate: Option<Spanned<CertificateText>>,
    /// Where the signed time is.
    #[schemars(extend("x-absent" = "no time is signed"))]
    pub ts: Option<TimeText>,
    /// `header:NAME` or `json:/pointer`: the sender's id for the event, which has to be signed.
    #[schemars(with = "Option<String>", extend("x-absent" = "no id is signed"))]
    pub id: Option<Spanned<String>>,
    /// Where the sender says which of several algorithms it used.
    #[schemars(extend("x-absent" = "it is always `alg`"))]
    pub alg_from: Option<ChosenText>,
    /// `query:NAME`: the SHA-256, in hexadecimal, of a body that is no form, in a URL that is signed. Where there is no body, it may
    /// be missing.
    #[schemars(with = "Option<String>", extend("x-absent" = "the message has the body itself"))]
    pub body_digest: Option<Spanned<String>>,
    /// Values that must be what they are, as `header:NAME: VALUE`, `query:NAME`, `form:NAME` or `json:/pointer`; `config:NAME` is
    /// what the policy says under `sender.config`, and `like:digits`, `like:word` and `like:base64` are any of such letters.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>", extend("default" = {}))]
    pub require: BTreeMap<String, Spanned<String>>,
    /// `unauthenticated` admits that the signature says nothing of the body.
    #[schemars(with = "Option<String>", extend("x-absent" = "the signature covers the body"))]
    pub content: Option<Spanned<String>>,
    /// `true`: the URL may be signed with a port or without, whatever `public_url` has.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub any_port: bool,
    /// `form:NAME`: the field of a form, urlencoded or multipart, that holds the JSON of every `json:/pointer` here.
    #[schemars(with = "Option<String>", extend("x-absent" = "the body itself"))]
    pub document: Option<Spanned<String>>,
    /// `true`: the form has no other fields than signature and message name, so that nothing in it is unsigned.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub only_fields: bool,
    /// `true`: what was signed may have ended with a line break that is not there.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub lost_newline: bool,
}

/// A token by which a sender signs (RFC 7515).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenText {
    /// Those that it may be made with, and no other: `HS256`, `RS256`, `ES256` and so on.
    #[schemars(with = "Vec<String>")]
    pub algorithms: Vec<Spanned<String>>,
    /// What claims have to be: a text, or one of several with ` or ` between them; `true`; `url`, the URL as the sender knows it; `config:NAME`, what the policy says
    /// under `sender.config`; or `config?:NAME`, which a policy has to say as well and a recorded request need not.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>", extend("default" = {}))]
    pub claims: BTreeMap<String, Spanned<String>>,
    /// Claims that have to be there.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub require: Vec<String>,
    /// The claim that holds the SHA-256 of the body; without it the token says nothing of the body.
    #[schemars(extend("x-absent" = "the token says nothing of it"))]
    pub body: Option<HashText>,
    /// The claim that holds the SHA-256 of the URL.
    #[schemars(extend("x-absent" = "the token says nothing of it"))]
    pub url: Option<HashText>,
    /// How long after its `exp` a token is still taken, a minute at most.
    #[schemars(with = "Option<String>", extend("default" = "0s"))]
    pub leeway: Option<Spanned<String>>,
    /// `iat` or `nbf`: the claim that is the signed time. `exp`, `nbf` and `iat` are held against the clock anyway, where
    /// they are there.
    #[schemars(with = "Option<String>", extend("x-absent" = "no time is signed"))]
    pub time: Option<Spanned<String>>,
    /// Where the vendor publishes its keys as a JWK Set. A policy that names no `keys` takes these.
    #[schemars(with = "Option<String>", extend("x-absent" = "a policy has the keys"))]
    pub keys: Option<Spanned<String>>,
}

/// The certificate that a request names.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateText {
    /// `header:NAME` or `json:/pointer`: where its URL is.
    #[schemars(with = "String")]
    pub from: Spanned<String>,
    /// URLs that it may have, `https://` and whole, with `*` for letters, digits, `-` and `_`, and `{region}` for one of
    /// Amazon's regions.
    #[schemars(with = "Vec<String>")]
    pub urls: Vec<Spanned<String>>,
    /// The name that it must have, and for which one of this machine's authorities has to vouch.
    #[schemars(with = "Option<String>", extend("x-absent" = "any name; that it was fetched from there is enough"))]
    pub name: Option<Spanned<String>>,
}

/// A claim that holds a SHA-256.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashText {
    /// Its name.
    #[schemars(with = "String")]
    pub claim: Spanned<String>,
    /// `hex`, `base64` or `base64url`.
    #[schemars(with = "String")]
    pub enc: Spanned<String>,
    /// `true`: of an empty body there is none, and there must be none.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub absent_if_empty: bool,
}

/// An item of a header that names the algorithm; without the header it is `alg`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenText {
    /// `header:NAME`, with `item=word` between commas.
    #[serde(rename = "in")]
    #[schemars(with = "String")]
    pub place: Spanned<String>,
    /// The item's name.
    pub item: String,
    /// What its words mean.
    #[schemars(with = "BTreeMap<String, String>")]
    pub words: BTreeMap<String, Spanned<String>>,
}

/// How the operator's text becomes a key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyText {
    /// `utf8`, `hex`, `base64`, or `pem` for a public key.
    #[schemars(with = "Option<String>", extend("x-absent" = "`utf8`; of `basic` name and password, and `pem` of tokens with a public key"))]
    pub enc: Option<Spanned<String>>,
    /// Prefixes that are taken off if they are there; `*` is a word of letters, digits and `_`.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("default" = []))]
    pub strip: Vec<Spanned<String>>,
    /// Prefixes such as `whsec_` that belong to the key, although they look as if they did not.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub literal: Vec<String>,
    /// `html_decode` and `nfkd`, in this order, and `sha1` at the end: the key is that digest of it.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("default" = []))]
    pub transform: Vec<Spanned<String>>,
    /// Words that the sender signs with as long as it has no secret: everybody knows them, so none is taken for one.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("default" = []))]
    pub never: Vec<Spanned<String>>,
    /// A pattern of the whole text, where the vendor says what all of them look like, as in `[0-9a-f]{64}`; others are refused.
    #[schemars(with = "Option<String>", extend("x-absent" = "it may be any text"))]
    pub like: Option<Spanned<String>>,
}

/// Where the signature is, and how it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureText {
    /// `header:NAME`, `headers:NAME-N` where N is 1, 2 and so on, `query:NAME`, `form:NAME` or `json:/pointer`.
    #[serde(rename = "in")]
    #[schemars(with = "String")]
    pub place: Spanned<String>,
    /// Another header that may carry a signature, beside the first or in its place.
    #[schemars(with = "Option<String>", extend("x-absent" = "there is no other"))]
    pub second: Option<Spanned<String>>,
    /// `refuse`, or `any`: the header comes once for each key.
    #[schemars(with = "Option<String>", extend("default" = "refuse"))]
    pub repeated: Option<Spanned<String>>,
    /// `raw`, `list(SEPARATOR)` or `kv(SEPARATOR;EQUALS)`.
    #[schemars(with = "Option<String>", extend("default" = "raw"))]
    pub parse: Option<Spanned<String>>,
    /// The item that holds a signature, with `kv`; `config:NAME` is what the policy says under `sender.config`.
    #[schemars(extend("x-absent" = "must be said with `kv`"))]
    pub item: Option<String>,
    /// So many entries before the first signature, with `list`.
    #[serde(default)]
    #[schemars(extend("default" = 0))]
    pub skip: usize,
    /// Only the first signature counts.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub first: bool,
    /// No item may come twice, with `kv`.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub single: bool,
    /// White space around entries is taken off.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub trim: bool,
    /// These items and no others, in this order, with `kv`.
    #[serde(default)]
    #[schemars(extend("x-absent" = "any items, in any order"))]
    pub ordered: Vec<String>,
    /// What parts the id of the key from its signature; only the key of that `id` is tried.
    #[schemars(extend("x-absent" = "every key is tried"))]
    pub key_id: Option<String>,
    /// Literal text before each encoded signature.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    pub prefix: String,
    /// `hex`, `base64` or `base64url`; nothing for `equal` and `basic`.
    #[schemars(with = "Option<String>", extend("x-absent" = "must be said, unless a text is shown as it is"))]
    pub enc: Option<Spanned<String>>,
}

/// Where the signed time is, and how it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeText {
    /// `header:NAME`, `kv:ITEM`, `item:N` of a list, counted from nought, or `json:/pointer`.
    #[schemars(with = "String")]
    pub from: Spanned<String>,
    /// `unix_s`, `unix_ms`, `rfc3339`, or `any` of these.
    #[schemars(with = "String")]
    pub fmt: Spanned<String>,
}
