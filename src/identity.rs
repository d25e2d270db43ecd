//! Who asks, as WordPress is told it: a short-lived token of the gate's own in `Hookwarden-Identity`.
//!
//! WordPress maps `iss` and `sub` to a user, so both are the issuer's own words; what vouches for them is the key that
//! gate and WordPress share, and not `iss`. Method and target are signed with them: who reads one request's field
//! cannot use it for another.

use crate::{
    clock::Timestamp,
    json::{Kind, Node},
    secret::Secret,
    verify::jwt::{Bearer, SUBJECT_MAX_BYTES, Token},
};
use data_encoding::BASE64URL_NOPAD;
use http::Method;
use serde_json::json;
use std::time::Duration;

/// The field. Clients cannot set it: the edge drops it in every spelling that PHP folds together.
pub const FIELD: &str = "hookwarden-identity";
/// Its `typ`: no other token signed with the same key can be taken for it.
pub const KIND: &str = "hookwarden+jwt";
/// RFC 7518 section 3.2: what HS256 needs of the shared key.
pub const KEY_MIN_BYTES: usize = 32;

/// A relay waits 25 s; the rest is for clocks that differ. WordPress takes at most 120 s.
const LIFETIME: Duration = Duration::from_secs(60);
/// RFC 5321 with its erratum 1690.
const EMAIL_MAX_BYTES: usize = 254;
/// Why a request goes on without the field, as nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// The token has no subject that could be told.
    NoSubject,
    /// The target does not fit into a field.
    LongTarget,
}

impl Nobody {
    /// Why this request would be nobody's; `None` if it is somebody's.
    pub fn of(bearer: &Bearer, target: &str) -> Option<Self> {
        if subject(bearer.token()).is_none() {
            return Some(Self::NoSubject);
        }
        (target.len() > TARGET_MAX_BYTES).then_some(Self::LongTarget)
    }

    /// Stable, low-cardinality name for logs and documentation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSubject => "no_subject",
            Self::LongTarget => "long_target",
        }
    }
}

fn subject(token: &Token) -> Option<&str> {
    token.subject().filter(|subject| (1..=SUBJECT_MAX_BYTES).contains(&subject.len()))
}

/// In base64 with the rest it stays below the 8190 bytes that Apache has for one field.
const TARGET_MAX_BYTES: usize = 5000;

/// What WordPress is to know.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Who asks.
    pub bearer: &'a Bearer,
    /// `home_url()` of the site that it is for.
    pub audience: &'a str,
    /// As it is passed on.
    pub method: &'a Method,
    /// As it is passed on: PHP's `REQUEST_URI`.
    pub target: &'a str,
    /// Random, so that WordPress can take it once.
    pub jti: &'a str,
    /// When.
    pub at: Timestamp,
}

impl Identity<'_> {
    /// The field's value: a compact JWS with HS256.
    ///
    /// There is none for a token without a subject, which names nobody, nor for a target that does not fit into a
    /// field: any doubt is nobody.
    pub fn sign(&self, key: &Secret) -> Option<String> {
        let token = self.bearer.token();
        if Nobody::of(self.bearer, self.target).is_some() {
            return None;
        }
        let subject = subject(token)?;
        let issued_s = self.at.unix_s();
        // Not beyond the token that it is made of; and not for no time at all.
        let expires_s = (self.at + LIFETIME).min(token.until()).unix_s().max(issued_s.saturating_add(1));
        let mut claims = json!({
            "iss": token.issuer().terms().issuer,
            "sub": subject,
            "aud": self.audience,
            "iat": issued_s,
            "exp": expires_s,
            "htm": self.method.as_str(),
            "htu": self.target,
            "jti": self.jti,
        });
        if let (Some(email), Some(claims)) = (email(token), claims.as_object_mut()) {
            claims.insert("email".to_owned(), email.into());
            claims.insert("email_verified".to_owned(), is_verified(token).into());
        }
        let header = json!({ "alg": "HS256", "typ": KIND }).to_string();
        let [header, claims] = [header, claims.to_string()].map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
        let signature = key.digest(&[header.as_bytes(), b".", claims.as_bytes()]);
        Some(format!("{header}.{claims}.{}", BASE64URL_NOPAD.encode(&signature)))
    }
}

/// Text alone: a list of addresses once was a fatal error in PHP.
fn email(token: &Token) -> Option<&str> {
    token.claims().find("/email")?.text().filter(|email| (1..=EMAIL_MAX_BYTES).contains(&email.len()))
}

/// `true` alone: the text `"false"` is true in PHP.
fn is_verified(token: &Token) -> bool {
    matches!(token.claims().find("/email_verified"), Some(Node { kind: Kind::Bool(true), .. }))
}
