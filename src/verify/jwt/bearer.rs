//! The only maker of [`Bearer`] and [`Token`]. A leaf module: no reader and no cache can see their fields.

use super::{
    Cache, Demand, Issuer, KeySet, TokenRule,
    claims::{self, Span},
    compact,
};
use crate::{
    clock::Timestamp,
    json::Node,
    request::Head,
    verdict::{Refusal, TokenFlaw},
};
use std::sync::Arc;

/// A token whose signature held and whose claims its issuer's terms accept.
///
/// Only [`authenticate`] makes one:
///
/// ```compile_fail,E0451
/// use hookwarden::verify::jwt::Token;
///
/// fn forge(other: Token) -> Token {
///     Token { subject: Some("admin".into()), ..other }
/// }
/// ```
#[derive(Debug)]
pub struct Token {
    issuer: Arc<Issuer>,
    key_id: Option<String>,
    subject: Option<String>,
    jti: Option<String>,
    scopes: Vec<String>,
    expires: Option<Timestamp>,
    span: Span,
    claims: Node,
}

/// A token that may do what one route asks for.
///
/// Only [`authenticate`] makes one:
///
/// ```compile_fail,E0451
/// use hookwarden::verify::jwt::Bearer;
///
/// fn carry_over(other: Bearer) -> Bearer {
///     Bearer { route: "another route".into(), ..other }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Bearer {
    route: String,
    token: Arc<Token>,
}

/// Finds the request's token, believes it or knows that it did, and looks whether it may do this.
///
/// # Errors
/// A [`TokenFlaw`]; or a [`Fault`](crate::verdict::Fault) where only the issuer could tell: then the caller should ask
/// for its keys ([`Refresh::want`](super::Refresh::want)).
pub fn authenticate(
    rule: &TokenRule,
    keys: &KeySet,
    cache: &Cache,
    head: &Head,
    now: Timestamp,
) -> Result<Bearer, Refusal> {
    let shown = rule.place().find(head).map_err(rejected)?;
    keys.in_force(now)?;
    let token = known_or_believed(rule, keys, cache, shown, now)?;
    Demand::all_met_by(rule.claims(), &token.claims).map_err(rejected)?;
    if !rule.scopes().iter().all(|wanted| token.scopes.contains(wanted)) {
        return Err(rejected(TokenFlaw::Scope));
    }
    Ok(Bearer { route: rule.route().to_owned(), token })
}

/// Access tokens with a hundred groups stay under it, and so do the header limits of every server behind. Beyond it
/// not even a digest is made.
const TOKEN_MAX_BYTES: usize = 8 * 1024;

fn known_or_believed(
    rule: &TokenRule,
    keys: &KeySet,
    cache: &Cache,
    shown: &str,
    now: Timestamp,
) -> Result<Arc<Token>, Refusal> {
    if shown.len() > TOKEN_MAX_BYTES {
        return Err(rejected(TokenFlaw::TooLong));
    }
    let name = cache.name(rule.issuer(), shown);
    if let Some(token) = name.as_ref().and_then(|name| cache.find(name, keys.generation(), now)) {
        return Ok(token);
    }
    let token = Arc::new(believe(rule.issuer(), keys, shown, now)?);
    if let Some(name) = name {
        cache.keep(name, *keys.generation(), &token, now);
    }
    Ok(token)
}

fn believe(issuer: &Arc<Issuer>, keys: &KeySet, shown: &str, now: Timestamp) -> Result<Token, Refusal> {
    let compact = compact::read(shown).map_err(rejected)?;
    if !issuer.terms().algorithms.contains(&compact.algorithm) {
        return Err(rejected(TokenFlaw::Algorithm));
    }
    if !issuer.takes(compact.kind.as_deref()) {
        return Err(rejected(TokenFlaw::Type));
    }
    let key = keys.find(compact.key_id.as_deref(), compact.algorithm, now)?;
    compact.is_signed_by(key).map_err(rejected)?;
    let claims = claims::read(&compact.claims, issuer, now).map_err(rejected)?;
    Ok(Token {
        issuer: issuer.clone(),
        key_id: key.id().map(str::to_owned),
        subject: claims.subject,
        jti: claims.jti,
        scopes: claims.scopes,
        expires: claims.expires,
        span: claims.span,
        claims: claims.all,
    })
}

fn rejected(flaw: TokenFlaw) -> Refusal {
    Refusal::Rejected(flaw.into())
}

impl Token {
    /// Whose it is.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The id of the key that signed it, where the key has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// `sub`: whom it speaks for.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `jti`: its own id.
    pub fn jti(&self) -> Option<&str> {
        self.jti.as_deref()
    }

    /// What it may do.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// `exp`, without leeway.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// From then on nobody believes it any more: how long its `jti` has to be remembered.
    pub fn until(&self) -> Timestamp {
        self.span.until
    }

    /// Everything that it claims.
    pub fn claims(&self) -> &Node {
        &self.claims
    }

    pub(super) fn holds(&self, now: Timestamp) -> bool {
        self.span.holds(now)
    }
}

impl Bearer {
    /// The route that it may use.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Whose limit it spends: its subject's; all tokens without one have one together.
    pub fn spender(&self) -> &str {
        self.token.subject().unwrap_or_default()
    }

    /// What is believed of it.
    pub fn token(&self) -> &Token {
        &self.token
    }
}
