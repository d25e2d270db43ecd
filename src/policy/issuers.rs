//! Whose tokens are taken, and what WordPress is told of them.

use super::{
    IdentityReference, IssuerKeys, IssuerReference, Jwks,
    notes::Notes,
    text::{IdentityText, IssuerText},
    units::{ReferenceText, TimeText, written_time},
    url::{self, Shape},
};
use crate::{
    json::{Node, language::listed},
    verify::jwt::{Issuer, Kinds, LEEWAY, Refresh, Terms},
};
use http::Uri;
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// What is asked of each issuer's tokens, by its name. Who the tokens must be for is a route's to say where the issuer's
/// entry does not.
pub(super) type AllTerms = BTreeMap<String, Terms>;

/// Reads `issuers:`. An entry with a mistake in it may be left out, and there will be no policy.
pub(super) fn issuers(notes: &mut Notes<'_>) -> (AllTerms, Vec<IssuerReference>) {
    let is_told = notes.find("/identity").is_some();
    let (mut terms, mut references) = (AllTerms::new(), Vec::new());
    for (name, node) in notes.members("/issuers") {
        notes.check_name(name, node);
        let Some(text) = notes.decode::<IssuerText>(node) else { continue };
        let keys = keys(&text, node, notes);
        let of = of(name, text, is_told);
        let mut tried = of.clone();
        if tried.audiences.is_empty() {
            // Each route says its own, and is asked for it.
            tried.audiences.push(name.to_string());
        }
        if let Err(bad) = Issuer::new(tried) {
            notes.wrong(place(bad.key(), node), bad.to_string());
        }
        if let Some(keys) = keys {
            references.push(IssuerReference { name: name.to_string(), algorithms: of.algorithms.clone(), keys });
        }
        terms.insert(name.to_string(), of);
    }
    (terms, references)
}

/// Reads `identity:`.
pub(super) fn identity(public_url: Option<&str>, notes: &mut Notes<'_>) -> Option<IdentityReference> {
    let node = notes.find("/identity")?;
    let IdentityText { sign: ReferenceText(sign), audience } = notes.decode(node)?;
    notes.check_reference(&sign, node.find("/sign"));
    let audience = audience.or_else(|| public_url.map(str::to_owned));
    if audience.as_deref().is_none_or(str::is_empty) {
        notes
            .wrong(Some(node), "WordPress takes what is meant for its `home_url()`; write `audience`, or `public_url`");
    }
    Some(IdentityReference { sign, audience: audience? })
}

fn of(name: &str, text: IssuerText, is_told: bool) -> Terms {
    let time = |text: Option<TimeText>| text.map(|TimeText(time)| time);
    Terms {
        name: name.to_owned(),
        issuer: text.issuer,
        audiences: text.audience.into_iter().collect(),
        algorithms: text.algorithms.into_iter().map(Into::into).collect(),
        kinds: text.typ.map_or(Kinds::Usual, Kinds::Only),
        leeway: time(text.leeway).unwrap_or(LEEWAY),
        max_age: time(text.max_age),
        claims: Vec::new(),
        logs_subject: text.log_subject.unwrap_or_default(),
        tells_subject: is_told,
    }
}

fn place<'n>(key: &str, node: &'n Node) -> Option<&'n Node> {
    node.find(&format!("/{key}")).or(Some(node))
}

/// Exactly one place.
fn keys(text: &IssuerText, node: &Node, notes: &mut Notes<'_>) -> Option<IssuerKeys> {
    let written = [("jwks", text.jwks.is_some()), ("pem", text.pem.is_some()), ("from", text.from.is_some())];
    let written: Vec<_> = written.iter().filter(|(_, is_written)| *is_written).map(|(key, _)| *key).collect();
    match written.as_slice() {
        [_] => {}
        [] => notes.wrong(Some(node), "where are its keys? write one of `jwks`, `pem`, `from`"),
        several => {
            let several = listed(several, " and ");
            notes.wrong(Some(node), format!("its keys are in one place, and here are {several}; write one of them"));
        }
    }
    let is_shared =
        text.algorithms.iter().any(|algorithm| crate::verify::jwt::Algorithm::from(*algorithm).is_symmetric());
    for key in ["jwks", "pem"] {
        if let Some(node) = node.find(&format!("/{key}")).filter(|_| is_shared) {
            let message = "what is published is no secret, and whoever has it could sign with an `HS...` algorithm; write \
                           `from` for a shared secret, or an algorithm such as `RS256`";
            notes.wrong(Some(node), message);
        }
    }
    let fetched = text.jwks.as_ref().map(|url| jwks(&url.0, text, node, notes));
    if fetched.is_none() {
        for key in ["refresh", "stale", "private"] {
            if let Some(node) = node.find(&format!("/{key}")) {
                notes.wrong(Some(node), "goes with `jwks`, which is fetched; leave it out");
            }
        }
    }
    let mut reference = |key: &str, text: &Option<ReferenceText>| {
        let ReferenceText(reference) = text.as_ref()?;
        notes.check_reference(reference, node.find(&format!("/{key}")));
        Some(reference.clone())
    };
    let pem = reference("pem", &text.pem).map(IssuerKeys::Pem);
    let from = reference("from", &text.from).map(IssuerKeys::From);
    fetched.map(IssuerKeys::Jwks).or(pem).or(from)
}

fn jwks(written: &str, text: &IssuerText, node: &Node, notes: &mut Notes<'_>) -> Jwks {
    let private = text.private.is_some();
    let place = node.find("/jwks");
    let url = url::read(written, Shape::Whole).map_err(|why| notes.wrong(place, why)).unwrap_or_default();
    if url.starts_with("http:") && !(private && is_this_machine(&url)) {
        let message = "whoever is on the way could put in keys of their own; write `https://`, or of this machine \
                       `http://127.0.0.1...` with `private: allow`";
        notes.wrong(place, message);
    }
    let time = |text: Option<TimeText>, default| text.map_or(default, |TimeText(time)| time);
    let (refresh, stale) = (time(text.refresh, REFRESH), time(text.stale, STALE));
    if refresh < REFRESH_MIN {
        let message = format!("an issuer is asked once in `{}` at most", written_time(REFRESH_MIN));
        notes.wrong(node.find("/refresh"), message);
    }
    if stale < refresh + Refresh::SPARE {
        let message = format!(
            "keys would be too old while they are fetched again, which takes time and may fail at first; write `stale: {}` \
             at least",
            written_time(refresh + Refresh::SPARE)
        );
        notes.wrong(node.find("/stale").or_else(|| node.find("/refresh")), message);
    }
    Jwks { url, private, refresh, stale }
}

fn is_this_machine(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Issuers announce a key before they sign with it, by hours at least.
pub(super) const REFRESH: Duration = Duration::from_mins(15);
/// As often as a stranger can make the gate ask.
const REFRESH_MIN: Duration = Duration::from_mins(1);
/// A day without an issuer is an outage that somebody repairs; a revoked key must not live much longer.
pub(super) const STALE: Duration = Duration::from_hours(24);
