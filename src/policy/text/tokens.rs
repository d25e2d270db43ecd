//! What can be written of those whose tokens are taken, and of what WordPress is told of a token.

use super::UrlText;
use crate::policy::units::{ReferenceText, TimeText};
use crate::verify::jwt::Algorithm;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct IssuerText {
    /// What its tokens have in `iss`, letter for letter.
    #[schemars(example = &"https://idp.example")]
    pub(in crate::policy) issuer: String,
    /// What its tokens must have in `aud`, or among it: the name that it has for this site.
    #[schemars(example = &"shop", extend("x-absent" = "each route says its own"))]
    pub(in crate::policy) audience: Option<String>,
    /// What it signs with; nothing else is taken, whatever a token says of itself. Either shared secrets (`HS...`) or public
    /// keys.
    pub(in crate::policy) algorithms: Vec<AlgorithmText>,
    /// Where its public keys are published as a JWK Set: `https://`, or `http://` on this machine with `private: allow`.
    /// Fetched in the background, and never for a request.
    #[schemars(example = &"https://idp.example/jwks.json", extend("x-absent" = ONE_OF_THREE))]
    pub(in crate::policy) jwks: Option<UrlText>,
    /// Where its public keys are in PEM: `PUBLIC KEY`, one after another.
    #[schemars(extend("x-absent" = ONE_OF_THREE))]
    pub(in crate::policy) pem: Option<ReferenceText>,
    /// Where the secret is that it shares with the gate, as text; or a JWK Set in a file.
    #[schemars(extend("x-absent" = ONE_OF_THREE))]
    pub(in crate::policy) from: Option<ReferenceText>,
    /// The `typ` that its tokens have, and no other.
    #[schemars(example = &"at+jwt", extend("x-absent" = "`JWT`, `at+jwt` or none"))]
    pub(in crate::policy) typ: Option<String>,
    /// How far `exp`, `nbf` and `iat` may be off; `60s` at most.
    #[schemars(extend("default" = "30s"))]
    pub(in crate::policy) leeway: Option<TimeText>,
    /// How old a token may be by its `iat`, which it must have then; it need not have `exp` any more.
    #[schemars(extend("x-absent" = "as old as its `exp` says, which it must have"))]
    pub(in crate::policy) max_age: Option<TimeText>,
    /// How often `jwks` is fetched; `1m` at least. A token with a key that is not in the set asks for it at once, once a minute.
    #[schemars(extend("default" = "15m"))]
    pub(in crate::policy) refresh: Option<TimeText>,
    /// How old what was fetched may be while nothing newer can be had; then tokens are answered with 503. One minute more
    /// than `refresh` at least, so that a fetch that is slow, or fails at first, leaves nobody without keys.
    #[schemars(extend("default" = "24h"))]
    pub(in crate::policy) stale: Option<TimeText>,
    /// `allow`: the host of `jwks` may be at an address that the internet does not reach.
    #[schemars(extend("x-absent" = "public addresses alone"))]
    pub(in crate::policy) private: Option<AllowText>,
    /// Whether `sub` may stand in logs: it can be a person's name or address.
    #[schemars(extend("default" = false))]
    pub(in crate::policy) log_subject: Option<bool>,
}

const ONE_OF_THREE: &str = "one of `jwks`, `pem` and `from`";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum AllowText {
    Allow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(in crate::policy) enum AlgorithmText {
    #[serde(rename = "HS256")]
    Hs256,
    #[serde(rename = "HS384")]
    Hs384,
    #[serde(rename = "HS512")]
    Hs512,
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "RS384")]
    Rs384,
    #[serde(rename = "RS512")]
    Rs512,
    #[serde(rename = "PS256")]
    Ps256,
    #[serde(rename = "PS384")]
    Ps384,
    #[serde(rename = "PS512")]
    Ps512,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "ES384")]
    Es384,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl From<AlgorithmText> for Algorithm {
    fn from(text: AlgorithmText) -> Self {
        match text {
            AlgorithmText::Hs256 => Self::Hs256,
            AlgorithmText::Hs384 => Self::Hs384,
            AlgorithmText::Hs512 => Self::Hs512,
            AlgorithmText::Rs256 => Self::Rs256,
            AlgorithmText::Rs384 => Self::Rs384,
            AlgorithmText::Rs512 => Self::Rs512,
            AlgorithmText::Ps256 => Self::Ps256,
            AlgorithmText::Ps384 => Self::Ps384,
            AlgorithmText::Ps512 => Self::Ps512,
            AlgorithmText::Es256 => Self::Es256,
            AlgorithmText::Es384 => Self::Es384,
            AlgorithmText::EdDsa => Self::EdDsa,
        }
    }
}

/// How WordPress is told who shows a token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct IdentityText {
    /// Where the secret is that the gate and WordPress share for it, of 32 bytes at least (base64, with `whsec_` before it
    /// or not).
    pub(in crate::policy) sign: ReferenceText,
    /// What WordPress has as its `home_url()`.
    #[schemars(example = &"https://shop.example", extend("x-absent" = "`public_url`"))]
    pub(in crate::policy) audience: Option<String>,
}
