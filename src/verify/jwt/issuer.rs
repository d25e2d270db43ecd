//! Whose tokens are taken, and what a route asks of them. Compiled from a policy; what is wrong with it is told there.

use super::{Algorithm, Place, compact};
use crate::{json::Kind, json::Node, verdict::TokenFlaw};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{sync::Arc, time::Duration};

/// How far `exp`, `nbf` and `iat` may be off unless the policy says otherwise: the clocks of two machines with NTP
/// differ by less.
pub const LEEWAY: Duration = Duration::from_secs(30);
/// A token that must live longer should be issued longer.
pub const LEEWAY_MAX: Duration = Duration::from_secs(60);

/// Of a `sub` that WordPress can be told. `OpenID` Connect Core section 2: it has at most 255 characters.
pub const SUBJECT_MAX_BYTES: usize = 255;

/// What is asked of every token of one issuer.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What a policy calls it.
    pub name: String,
    /// `iss`, letter for letter.
    pub issuer: String,
    /// `aud` must be, or contain, one of them.
    pub audiences: Vec<String>,
    /// Those that it signs with.
    pub algorithms: Vec<Algorithm>,
    /// The `typ` that its tokens have.
    pub kinds: Kinds,
    /// How far times may be off.
    pub leeway: Duration,
    /// How old a token may be, by its `iat`; where it is named, `exp` may be absent.
    pub max_age: Option<Duration>,
    /// Claims that every token must have.
    pub claims: Vec<Demand>,
    /// Whether `sub` may stand in logs: it can be a person's name or address.
    pub logs_subject: bool,
    /// Whether WordPress is told `sub`: one that it cannot be told is refused then, and does not become nobody on the way.
    pub tells_subject: bool,
}

/// Which `typ` is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// `JWT`, `at+jwt` (RFC 9068), or none.
    Usual,
    /// This one, and no other.
    Only(String),
}

/// A claim that has to be there and say something, and with this value if one is named: of an array, one of its items.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// Where, as a JSON Pointer.
    pub pointer: String,
    /// What, if that matters.
    pub value: Option<Value>,
}

/// An issuer whose terms can be met by no token of another.
#[derive(Clone, Debug)]
pub struct Issuer {
    terms: Terms,
    mark: [u8; 32],
}

/// What one route asks for.
#[derive(Clone, Debug)]
pub struct TokenRule {
    route: String,
    issuer: Arc<Issuer>,
    place: Place,
    scopes: Vec<String>,
    claims: Vec<Demand>,
}

/// What is wrong with a policy's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTerms {
    /// Anybody's tokens would do.
    #[error("an issuer needs its `issuer`, as its tokens have it in `iss`")]
    NoIssuer,
    /// Tokens for other services would do.
    #[error("an issuer needs an `audience`: its tokens for other services must not pass here")]
    NoAudience,
    /// Nothing would pass.
    #[error("an issuer needs `algorithms`, such as `[RS256]`")]
    NoAlgorithm,
    /// RFC 8725 section 3.1: a public key would be taken for a secret.
    #[error("`algorithms` mixes shared secrets (HS...) with public keys; make it two issuers")]
    MixedAlgorithms,
    /// Expired tokens would go on for long.
    #[error("`leeway` is at most {} s; let the issuer's tokens live longer instead", LEEWAY_MAX.as_secs())]
    Leeway,
    /// Blanks, quotes: not a scope of RFC 6749.
    #[error("`{0}` is no scope: one word without blanks, quotes and backslashes")]
    Scope(String),
    /// Not a JSON Pointer.
    #[error("`{0}` is no claim; write a JSON Pointer, as in `/tenant`")]
    Claim(String),
    /// No cookie has such a name.
    #[error("`{0}` is no cookie's name: letters, digits, `-` and `_` alone")]
    Cookie(String),
}

impl BadTerms {
    /// The word of a policy that it is about.
    pub fn key(&self) -> &'static str {
        match self {
            Self::NoIssuer => "issuer",
            Self::NoAudience => "audience",
            Self::NoAlgorithm | Self::MixedAlgorithms => "algorithms",
            Self::Leeway => "leeway",
            Self::Scope(_) => "scopes",
            Self::Claim(_) => "claims",
            Self::Cookie(_) => "cookie",
        }
    }
}

impl Issuer {
    /// # Errors
    /// The first of [`BadTerms`].
    pub fn new(terms: Terms) -> Result<Self, BadTerms> {
        if terms.issuer.is_empty() {
            return Err(BadTerms::NoIssuer);
        }
        if terms.audiences.is_empty() || terms.audiences.iter().any(String::is_empty) {
            return Err(BadTerms::NoAudience);
        }
        let first = terms.algorithms.first().ok_or(BadTerms::NoAlgorithm)?;
        if terms.algorithms.iter().any(|algorithm| algorithm.is_symmetric() != first.is_symmetric()) {
            return Err(BadTerms::MixedAlgorithms);
        }
        if terms.leeway > LEEWAY_MAX {
            return Err(BadTerms::Leeway);
        }
        pointers(&terms.claims)?;
        // All of it: a reload that changes one word must not find tokens that were judged by the old ones.
        let mark = Sha256::digest(format!("{terms:?}")).into();
        Ok(Self { terms, mark })
    }

    /// What is asked.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Differs wherever the terms do.
    pub(super) fn mark(&self) -> &[u8; 32] {
        &self.mark
    }

    pub(super) fn takes(&self, kind: Option<&str>) -> bool {
        match (&self.terms.kinds, kind) {
            (Kinds::Usual, None) => true,
            (Kinds::Usual, Some(kind)) => compact::is_kind(kind, "JWT") || compact::is_kind(kind, "at+jwt"),
            (Kinds::Only(_), None) => false,
            (Kinds::Only(wanted), Some(kind)) => compact::is_kind(kind, wanted),
        }
    }
}

impl TokenRule {
    /// # Errors
    /// The first of [`BadTerms`].
    pub fn new(
        route: &str,
        issuer: Arc<Issuer>,
        place: Place,
        scopes: Vec<String>,
        claims: Vec<Demand>,
    ) -> Result<Self, BadTerms> {
        if let Some(bad) = scopes.iter().find(|scope| !is_scope(scope)) {
            return Err(BadTerms::Scope(bad.clone()));
        }
        if let Place::Cookie(name) = &place {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if name.is_empty() || !name.bytes().all(plain) {
                return Err(BadTerms::Cookie(name.clone()));
            }
        }
        pointers(&claims)?;
        Ok(Self { route: route.to_owned(), issuer, place, scopes, claims })
    }

    /// The route that asks.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Whose tokens it takes.
    pub fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
    }

    /// Where they are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// All of which a token must have.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// What else the route asks of them.
    pub fn claims(&self) -> &[Demand] {
        &self.claims
    }
}

impl Demand {
    /// Whether these claims meet it.
    pub(super) fn is_met_by(&self, claims: &Node) -> bool {
        match (claims.find(&self.pointer), &self.value) {
            (None, _) => false,
            // A blank text is how an issuer writes that it does not know.
            (Some(node), None) => !matches!(node.kind, Kind::Null) && node.text().is_none_or(|text| !is_blank(text)),
            (Some(Node { kind: Kind::Array(items), .. }), Some(value)) if !value.is_array() => {
                items.iter().any(|item| item.to_value() == *value)
            }
            (Some(node), Some(value)) => node.to_value() == *value,
        }
    }

    pub(super) fn all_met_by(demands: &[Self], claims: &Node) -> Result<(), TokenFlaw> {
        if demands.iter().all(|demand| demand.is_met_by(claims)) { Ok(()) } else { Err(TokenFlaw::ClaimMissing) }
    }
}

pub(super) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// RFC 6749 section 3.3: what may stand in a challenge's quoted string.
fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

fn pointers(demands: &[Demand]) -> Result<(), BadTerms> {
    let bad = demands.iter().find(|demand| !demand.pointer.starts_with('/'));
    bad.map_or(Ok(()), |bad| Err(BadTerms::Claim(bad.pointer.clone())))
}
