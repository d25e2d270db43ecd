//! What can be wrong with a bearer token. Each reason has its own code for the log; outside, RFC 6750 knows four.

/// Why a token, or the way it is shown, is not believed. In the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenFlaw {
    /// None where the policy looks for it.
    #[error("there is no token")]
    Missing,
    /// More than one: what stands behind the gate could take the other.
    #[error("there is more than one token")]
    Twice,
    /// Longer than any issuer makes them.
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of one compact JWS.
    #[error("the token is not a compact JWS")]
    Malformed,
    /// Padding, blanks, another alphabet, or bits that decoders throw away: two spellings of one token.
    #[error("a part of the token is not canonical base64url")]
    Encoding,
    /// Not one JSON object with one meaning, or a member of the wrong type.
    #[error("the token's header cannot be read")]
    Header,
    /// Five parts, or `enc`: what is encrypted cannot be judged.
    #[error("the token is encrypted")]
    Encrypted,
    /// `zip`: a bomb.
    #[error("the token is compressed")]
    Compressed,
    /// `b64`: another text was signed than the one shown (RFC 7797).
    #[error("the token's payload is not encoded")]
    Unencoded,
    /// `crit`: the signer insists on something that is not understood here.
    #[error("the token has a critical extension")]
    Critical,
    /// `cty`: a token in a token.
    #[error("the token holds another token")]
    Nested,
    /// Not in the issuer's list; `none` never is.
    #[error("the token's algorithm is not one of the issuer's")]
    Algorithm,
    /// A JWT of another kind, as an ID token shown as an access token.
    #[error("the token's type is not one of the issuer's")]
    Type,
    /// No key has this id, and the set was fetched just now.
    #[error("the token's key is not known")]
    KeyUnknown,
    /// No id, and more than one key that could have signed.
    #[error("the token does not say which key signed it")]
    KeyAmbiguous,
    /// The key is there and is not one for this algorithm.
    #[error("the token's algorithm does not fit its key")]
    KeyMisfit,
    /// Wrong length for its algorithm, or zeros where a curve has no point (CVE-2022-21449).
    #[error("the token's signature is malformed")]
    SignatureMalformed,
    /// Somebody else, or other bytes.
    #[error("the token's signature does not match")]
    SignatureMismatch,
    /// Not one JSON object with one meaning.
    #[error("the token's claims cannot be read")]
    Claims,
    /// A time as text, a list of issuers and the like.
    #[error("a claim has the wrong type or range")]
    ClaimType,
    /// Of somebody else.
    #[error("the token is of another issuer")]
    Issuer,
    /// For somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// It would be good for ever.
    #[error("the token has no end")]
    EndMissing,
    /// Past `exp`.
    #[error("the token has expired")]
    Expired,
    /// Before `nbf`.
    #[error("the token is not valid yet")]
    NotYet,
    /// `iat` lies ahead.
    #[error("the token was issued in the future")]
    FromTheFuture,
    /// `iat` lies further back than the policy's `max_age`.
    #[error("the token was issued too long ago")]
    TooOld,
    /// A claim that the policy asks for is not there, says nothing, or not what is asked.
    #[error("a required claim is missing, empty or different")]
    ClaimMissing,
    /// It names nobody, or somebody whom WordPress could not be told: that request would be nobody's there.
    #[error("the token's subject is empty, or longer than 255 bytes where WordPress is told it")]
    Subject,
    /// A good token that may not do this.
    #[error("the token lacks a required scope")]
    Scope,
    /// A good token, on a route that takes each once, and it did.
    #[error("the token was used before")]
    Used,
}

/// What RFC 6750 section 3.1 lets the client know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Nothing was shown, so no error is named.
    None,
    /// `invalid_request`, 400: more than one token, which is no proof of anything.
    InvalidRequest,
    /// `invalid_token`, 401.
    Invalid,
    /// `insufficient_scope`, 403.
    InsufficientScope,
}

impl TokenFlaw {
    /// Every one, in order.
    pub const ALL: &[Self] = &[
        Self::Missing,
        Self::Twice,
        Self::TooLong,
        Self::Malformed,
        Self::Encoding,
        Self::Header,
        Self::Encrypted,
        Self::Compressed,
        Self::Unencoded,
        Self::Critical,
        Self::Nested,
        Self::Algorithm,
        Self::Type,
        Self::KeyUnknown,
        Self::KeyAmbiguous,
        Self::KeyMisfit,
        Self::SignatureMalformed,
        Self::SignatureMismatch,
        Self::Claims,
        Self::ClaimType,
        Self::Issuer,
        Self::Audience,
        Self::EndMissing,
        Self::Expired,
        Self::NotYet,
        Self::FromTheFuture,
        Self::TooOld,
        Self::ClaimMissing,
        Self::Subject,
        Self::Scope,
        Self::Used,
    ];

    /// Stable, low-cardinality name for logs, metrics and documentation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Twice => "token_twice",
            Self::TooLong => "token_too_long",
            Self::Malformed => "token_malformed",
            Self::Encoding => "token_encoding",
            Self::Header => "token_header",
            Self::Encrypted => "token_encrypted",
            Self::Compressed => "token_compressed",
            Self::Unencoded => "token_unencoded",
            Self::Critical => "token_critical",
            Self::Nested => "token_nested",
            Self::Algorithm => "token_algorithm",
            Self::Type => "token_type",
            Self::KeyUnknown => "token_key_unknown",
            Self::KeyAmbiguous => "token_key_ambiguous",
            Self::KeyMisfit => "token_key_misfit",
            Self::SignatureMalformed => "token_signature_malformed",
            Self::SignatureMismatch => "token_signature_mismatch",
            Self::Claims => "token_claims",
            Self::ClaimType => "token_claim_type",
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::EndMissing => "token_end_missing",
            Self::Expired => "token_expired",
            Self::NotYet => "token_not_yet",
            Self::FromTheFuture => "token_from_the_future",
            Self::TooOld => "token_too_old",
            Self::ClaimMissing => "token_claim_missing",
            Self::Subject => "token_subject",
            Self::Scope => "token_scope",
            Self::Used => "token_used",
        }
    }

    /// What the client may know of it.
    pub const fn error(self) -> TokenError {
        match self {
            Self::Missing => TokenError::None,
            Self::Twice => TokenError::InvalidRequest,
            Self::Scope => TokenError::InsufficientScope,
            Self::TooLong
            | Self::Malformed
            | Self::Encoding
            | Self::Header
            | Self::Encrypted
            | Self::Compressed
            | Self::Unencoded
            | Self::Critical
            | Self::Nested
            | Self::Algorithm
            | Self::Type
            | Self::KeyUnknown
            | Self::KeyAmbiguous
            | Self::KeyMisfit
            | Self::SignatureMalformed
            | Self::SignatureMismatch
            | Self::Claims
            | Self::ClaimType
            | Self::Issuer
            | Self::Audience
            | Self::EndMissing
            | Self::Expired
            | Self::NotYet
            | Self::FromTheFuture
            | Self::TooOld
            | Self::ClaimMissing
            | Self::Subject
            | Self::Used => TokenError::Invalid,
        }
    }
}
