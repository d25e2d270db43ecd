//! Is it signed in another way: in another header, with another algorithm, as another sender signs?

use super::{
    Cause, Patient,
    cause::{Area, By, Code},
    composed,
    entry::Entry,
    fields, tokens,
};
use crate::{request::Head, verify::Provider};
use data_encoding::HEXLOWER;
use serde_json::json;
use std::sync::Arc;

/// Fields of one request that are looked at for a signature.
const SIBLINGS_MAX: usize = 32;

/// Another way to sign, and the head as it wants it.
pub(super) struct Way {
    pub(super) provider: Arc<Provider>,
    pub(super) head: Option<Head>,
    pub(super) cause: Cause,
    /// The other header that has the signature.
    pub(super) sibling: Option<String>,
}

/// The route's own sender with one thing changed.
pub(super) fn altered(patient: &Patient<'_>, entry: &Entry) -> Vec<Way> {
    let (head, own) = (&patient.request.head, patient.webhook.provider());
    let mut ways = algorithms(patient, entry);
    ways.extend(times(entry));
    if let Some(name) = patient.own_sender() {
        ways.extend(composed::each(entry, name));
    }
    let Some(header) = own.scheme.signature_header().map(str::to_ascii_lowercase) else {
        return ways;
    };
    if entry.token().is_some() {
        ways.extend(tokens::elsewhere(head, entry, own));
        return ways;
    }
    let others = head.headers.iter().filter(|(name, _)| !is_no_signature(name.as_str()) && *name.as_str() != *header);
    for (name, value) in others.take(SIBLINGS_MAX) {
        let could_be = |value: &&str| !own.scheme.signs() || !fields::tokens(value).is_empty();
        let Some(value) = value.to_str().ok().filter(could_be) else { continue };
        ways.extend(sibling(patient, entry, name.as_str(), value));
    }
    ways
}

/// Long words that nobody signs with.
fn is_no_signature(name: &str) -> bool {
    matches!(
        name,
        "authorization" | "cookie" | "user-agent" | "traceparent" | "content-type" | "host" | "proxy-authorization"
    )
}

const SHARED: [(&str, &str, usize); 3] =
    [("hmac-sha256", "HMAC-SHA256", 32), ("hmac-sha1", "HMAC-SHA1", 20), ("hmac-sha512", "HMAC-SHA512", 64)];

fn algorithms(patient: &Patient<'_>, entry: &Entry) -> Vec<Way> {
    if !patient.webhook.provider().scheme.shares_its_key() {
        return Vec::new();
    }
    let others = SHARED.iter().filter(|(word, ..)| *word != entry.algorithm());
    let way = |(word, name, _): &(&str, &str, usize)| {
        let provider = entry.with(|scheme| {
            scheme.insert("alg".to_owned(), json!(word));
            scheme.remove("alg_from");
        })?;
        let what = format!("it is signed with {name}, and not as this sender of the policy signs");
        let mend = "choose the algorithm in the sender's settings; a weaker one is no way out".to_owned();
        let cause = Cause::new(Code::OtherAlgorithm, Area::Scheme, By::Sender, what, mend);
        Some(Way { provider: Arc::new(provider), head: None, cause, sibling: None })
    };
    others.filter_map(way).collect()
}

fn times(entry: &Entry) -> Vec<Way> {
    let ours = entry.time_format();
    if ours.is_empty() {
        return Vec::new();
    }
    let formats = [("unix_s", "seconds"), ("unix_ms", "milliseconds"), ("rfc3339", "a date (RFC 3339)")];
    let name = |word: &str| formats.iter().find(|(known, _)| *known == word).map_or("another format", |(_, name)| name);
    let others = formats.iter().filter(|(word, _)| *word != ours);
    let way = |(word, theirs): &(&str, &str)| {
        let provider = entry.with(|scheme| {
            if let Some(time) = scheme.get_mut("ts").and_then(serde_json::Value::as_object_mut) {
                time.insert("fmt".to_owned(), json!(word));
            }
        })?;
        let what = format!("the signed time is written as {theirs}, and this sender writes {}", name(ours));
        let mend = format!("write the time as {}", name(ours));
        let cause = Cause::new(Code::TimeFormat, Area::Clock, By::Sender, what, mend);
        Some(Way { provider: Arc::new(provider), head: None, cause, sibling: None })
    };
    let other = entry.with_any_time().map(|provider| {
        let what = format!("the signed time is written in a form of its own, and this sender writes {}", name(ours));
        let mend = format!("write the time as {}", name(ours));
        let cause = Cause::new(Code::TimeFormat, Area::Clock, By::Sender, what, mend);
        Way { provider: Arc::new(provider), head: None, cause, sibling: None }
    });
    others.filter_map(way).chain(other).collect()
}

/// The signature is in this header: as it is, or by the algorithm that its length tells.
fn sibling(patient: &Patient<'_>, entry: &Entry, name: &str, value: &str) -> Vec<Way> {
    let (head, own) = (&patient.request.head, patient.webhook.provider());
    let Some(header) = own.scheme.signature_header() else { return Vec::new() };
    let mut ways = Vec::new();
    if let Some(head) = fields::with(head, header, value) {
        let what = format!("the signature is in `{name}`, and not in `{header}`");
        let mend = format!("whatever renames the header on the way must leave it as `{header}`");
        let cause = Cause::new(Code::HeaderRenamed, Area::Scheme, By::Proxy, what, mend);
        let provider = Arc::new(own.clone());
        ways.push(Way { provider, head: Some(head), cause, sibling: Some(name.to_owned()) });
    }
    if entry.has_items() || !own.scheme.shares_its_key() {
        return ways;
    }
    for token in fields::tokens(value) {
        for (bytes, encoding) in fields::decoded(value.get(token).unwrap_or_default()) {
            let Some((word, algorithm, _)) = SHARED.iter().find(|(.., length)| *length == bytes.len()) else {
                continue;
            };
            let provider = entry.with(|scheme| {
                scheme.insert("alg".to_owned(), json!(word));
                scheme.remove("alg_from");
                scheme.insert("sig".to_owned(), json!({ "in": format!("header:{header}"), "enc": "hex" }));
            });
            let head = fields::with(head, header, &HEXLOWER.encode(&bytes));
            let (Some(provider), Some(head)) = (provider, head) else { continue };
            let what = format!(
                "`{name}` has a good signature ({algorithm}, {encoding}); the one in `{header}` is missing or does not hold"
            );
            let mend = format!(
                "let the sender sign in `{header}` as well, and let it through; the gate does not fall back to another header"
            );
            let cause = Cause::new(Code::HeaderRenamed, Area::Scheme, By::Sender, what, mend);
            ways.push(Way { provider: Arc::new(provider), head: Some(head), cause, sibling: Some(name.to_owned()) });
        }
    }
    ways
}

/// Every other sender of the catalogue. Those that sign alike are one; one that signs as the route's own does can differ
/// in how its key is read alone, which is asked of the keys.
pub(super) fn listed(patient: &Patient<'_>) -> Vec<Way> {
    let own = patient.webhook.provider();
    let kind =
        |provider: &Provider| (provider.scheme.describe(), provider.scheme.signature_header().map(str::to_owned));
    // One that shows nothing would be told by every request.
    let others = patient.catalogue.iter().filter(|provider| !provider.scheme.shows_nothing());
    let others = others.filter(|provider| kind(provider) != kind(own));
    let way = |provider: &Arc<Provider>| {
        let what = format!("it is signed as `{}` signs, and the route expects `{}`", provider.name, own.name);
        let mend = format!("write `provider: {}` into the route", provider.name);
        let cause = Cause::new(Code::OtherSender, Area::Scheme, By::Operator, what, mend);
        Way { provider: provider.clone(), head: None, cause, sibling: None }
    };
    others.map(way).collect()
}

/// Several senders whose signatures are the same: their names instead of one.
pub(super) fn alike(ways: &[&Way], own: &str) -> Option<Cause> {
    let kind = |way: &Way| {
        (way.provider.scheme.describe(), way.provider.scheme.signature_header().map(str::to_ascii_lowercase))
    };
    let first = ways.first()?;
    if ways.iter().any(|way| kind(way) != kind(first)) {
        return None;
    }
    let names: Vec<_> = ways.iter().map(|way| format!("`{}`", way.provider.name)).collect();
    let names = names.join(" or ");
    let mut cause = first.cause.clone();
    if ways.len() > 1 {
        cause.what = format!("it is signed as {names} sign, and the route expects `{own}`");
        cause.mend = format!("write the one that it is into the route: `provider:` {names}");
    }
    Some(cause)
}
