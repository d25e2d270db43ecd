//! What does the token claim, and is it for us, by our issuer, now (RFC 7519 section 4)? Asked after the signature held.

use super::{
    Demand, Issuer,
    issuer::{SUBJECT_MAX_BYTES, Terms, is_blank},
};
use crate::{
    clock::Timestamp,
    json::{self, Kind, Node},
    verdict::TokenFlaw,
};
use serde_json::Number;
use std::time::Duration;

/// Claims that hold, and between which moments.
pub(super) struct Claims {
    pub(super) all: Node,
    pub(super) subject: Option<String>,
    pub(super) jti: Option<String>,
    pub(super) scopes: Vec<String>,
    /// `exp`, as it is written.
    pub(super) expires: Option<Timestamp>,
    pub(super) span: Span,
}

/// When a token may be believed: from the first moment until just before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Span {
    pub(super) fn holds(self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// Reads the claims and judges them.
pub(super) fn read(raw: &[u8], issuer: &Issuer, now: Timestamp) -> Result<Claims, TokenFlaw> {
    let all = json::read(raw).map_err(|_| TokenFlaw::Claims)?;
    if !matches!(all.kind, Kind::Object(_)) {
        return Err(TokenFlaw::Claims);
    }
    let terms = issuer.terms();
    if text(&all, "iss")? != Some(terms.issuer.as_str()) {
        return Err(TokenFlaw::Issuer);
    }
    if !texts(&all, "aud")?.iter().any(|audience| terms.audiences.iter().any(|ours| ours == audience)) {
        return Err(TokenFlaw::Audience);
    }
    let (span, expires) = span(&all, issuer, now)?;
    Demand::all_met_by(&terms.claims, &all)?;
    let subject = subject(&all, terms)?.map(str::to_owned);
    let jti = text(&all, "jti")?.map(str::to_owned);
    let scopes = scopes(&all)?;
    Ok(Claims { all, subject, jti, scopes, expires, span })
}

/// Whom it speaks for. One without a name would share the limits of all tokens that have none, and be nobody to WordPress.
fn subject<'n>(claims: &'n Node, terms: &Terms) -> Result<Option<&'n str>, TokenFlaw> {
    let subject = text(claims, "sub")?;
    let is_unfit = |subject: &str| is_blank(subject) || (terms.tells_subject && subject.len() > SUBJECT_MAX_BYTES);
    if subject.is_some_and(is_unfit) { Err(TokenFlaw::Subject) } else { Ok(subject) }
}

/// Between which moments the token holds, if now is one of them.
fn span(claims: &Node, issuer: &Issuer, now: Timestamp) -> Result<(Span, Option<Timestamp>), TokenFlaw> {
    let (leeway, max_age) = (issuer.terms().leeway, issuer.terms().max_age);
    let [expires, not_before, issued] = [date(claims, "exp")?, date(claims, "nbf")?, date(claims, "iat")?];
    // Without `exp` the age is what ends it, and then there must be one.
    if expires.is_none() && (max_age.is_none() || issued.is_none()) {
        return Err(TokenFlaw::EndMissing);
    }
    let mut span = Span { from: Timestamp::from_unix_s(i64::MIN), until: Timestamp::from_unix_s(i64::MAX) };
    if let Some(expires) = expires {
        // Section 4.1.4: now must be before it.
        span.until = expires + leeway;
        if now >= span.until {
            return Err(TokenFlaw::Expired);
        }
    }
    if let Some(not_before) = not_before {
        span.from = not_before - leeway;
        if now < span.from {
            return Err(TokenFlaw::NotYet);
        }
    }
    if let Some(issued) = issued {
        span.from = span.from.max(issued - leeway);
        if now < span.from {
            return Err(TokenFlaw::FromTheFuture);
        }
    }
    if let Some(max_age) = max_age {
        let issued = issued.ok_or(TokenFlaw::ClaimMissing)?;
        // At exactly this age it is still good.
        let too_old = issued + max_age + leeway + Duration::from_millis(1);
        span.until = span.until.min(too_old);
        if now >= too_old {
            return Err(TokenFlaw::TooOld);
        }
    }
    Ok((span, expires))
}

/// Text or nothing; anything else, `null` too, is refused.
pub(super) fn text<'n>(claims: &'n Node, name: &str) -> Result<Option<&'n str>, TokenFlaw> {
    match member(claims, name).map(|node| &node.kind) {
        None => Ok(None),
        Some(Kind::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenFlaw::ClaimType),
    }
}

/// One text or a list of texts.
pub(super) fn texts<'n>(claims: &'n Node, name: &str) -> Result<Vec<&'n str>, TokenFlaw> {
    match member(claims, name).map(|node| &node.kind) {
        None => Ok(Vec::new()),
        Some(Kind::String(text)) => Ok(vec![text]),
        Some(Kind::Array(items)) => items.iter().map(|item| item.text().ok_or(TokenFlaw::ClaimType)).collect(),
        Some(_) => Err(TokenFlaw::ClaimType),
    }
}

/// `scope` (RFC 9068 section 2.2.3, words in one text), else `scp` (Okta writes a list, Entra ID one text).
fn scopes(claims: &Node) -> Result<Vec<String>, TokenFlaw> {
    let name = if member(claims, "scope").is_some() { "scope" } else { "scp" };
    let words = texts(claims, name)?;
    Ok(words.iter().flat_map(|text| text.split(' ')).filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

/// The last second of the year 9999: what lies further on is in milliseconds, or meant to overflow.
const DATE_MAX: Duration = Duration::from_secs(253_402_300_799);

/// A `NumericDate`: seconds since the epoch, whole or not. Numbers as text, negative ones and those out of range are
/// refused and not repaired: another reader would repair them in another way.
pub(super) fn date(claims: &Node, name: &str) -> Result<Option<Timestamp>, TokenFlaw> {
    let Some(node) = member(claims, name) else { return Ok(None) };
    let Kind::Number(number) = &node.kind else { return Err(TokenFlaw::ClaimType) };
    let since = since_epoch(number).filter(|since| *since <= DATE_MAX).ok_or(TokenFlaw::ClaimType)?;
    Ok(Some(Timestamp::default() + since))
}

fn since_epoch(number: &Number) -> Option<Duration> {
    match number.as_i64() {
        Some(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
        // To the nearest millisecond: 1760000000.001 is a little less as a double.
        None => Duration::try_from_secs_f64(number.as_f64()?).ok()?.checked_add(Duration::from_micros(500)),
    }
}

pub(super) fn member<'n>(claims: &'n Node, name: &str) -> Option<&'n Node> {
    if let Kind::Object(members) = &claims.kind { members.get(name) } else { None }
}
