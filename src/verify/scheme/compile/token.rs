//! What a sender's token is made with, and what it says.

use crate::verify::{
    catalogue::{Mistakes, duration, url_mistake},
    jwt::{Algorithm, LEEWAY_MAX},
    scheme::{
        signature::Encoding,
        text::{HashText, SchemeText, TokenText},
        token::{Demanded, Hash, SenderToken},
    },
};
use serde_saphyr::Spanned;
use std::{ops::RangeInclusive, time::Duration};

const LEEWAY: RangeInclusive<Duration> = Duration::ZERO..=LEEWAY_MAX;

/// `None` only where a mistake was told.
pub(super) fn compile(text: &SchemeText, alg: &Spanned<String>, wrong: &mut Mistakes) -> Option<SenderToken> {
    let Some(written) = &text.token else {
        wrong.at(
            alg,
            "say what the token has to be, with `token: { algorithms: [HS256], body: { claim: NAME, enc: hex } }`",
        );
        return None;
    };
    let TokenText { algorithms, claims, require, body, url, time, keys, leeway } = &written.value;
    let has_parts = !text.message.is_empty() || text.body_digest.is_some() || text.alg_from.is_some();
    let has_places = text.ts.is_some() || text.id.is_some() || text.odd.is_some() || !text.require.is_empty();
    if has_parts || has_places || text.any_port {
        let message = "a token says itself what is signed; leave out `message`, `ts`, `id`, `odd`, `require`, \
                       `body_digest`, `alg_from` and `any_port`";
        wrong.at(alg, message);
    }
    let known = Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm));
    let named = algorithms.iter().filter_map(|written| wrong.word(written, "algorithm", &known));
    let named: Vec<_> = named.collect();
    let shared = named.iter().filter(|algorithm| algorithm.is_symmetric()).count();
    if named.is_empty() || (shared > 0 && shared < named.len()) {
        wrong.at(written, "write `algorithms`, all with a shared secret (`HS256`) or all with a public key (`RS256`)");
    }
    if let Some(url) = keys {
        if shared > 0 {
            wrong.at(url, "what is published is no secret; leave this out");
        }
        if !url.value.starts_with("https://") {
            wrong.at(url, "whoever is on the way could put in keys of their own; write `https://`");
        } else if let Some(why) = url_mistake(&url.value, false) {
            wrong.at(url, why);
        }
    }
    let time = match time {
        Some(name) => Some(wrong.word(name, "time", &[("iat", "iat"), ("nbf", "nbf")])?.to_owned()),
        None => None,
    };
    let token = SenderToken {
        algorithms: named,
        claims: claims.iter().filter_map(|(name, value)| Some((name.clone(), demanded(value, wrong)?))).collect(),
        require: require.clone(),
        body: body.as_ref().and_then(|text| hash(text, wrong)),
        url: url.as_ref().and_then(|text| hash(text, wrong)),
        time,
        leeway: leeway.as_ref().and_then(|leeway| duration(leeway, LEEWAY, wrong)).unwrap_or_default(),
        published: keys.as_ref().map(|url| url.value.clone()),
    };
    for (name, value) in claims.iter().filter(|(name, _)| TIMES.contains(&name.as_str())) {
        let message = format!(
            "`{name}` is a moment, and held against the clock anyway; leave it out, or write it under `require`"
        );
        wrong.at(value, message);
    }
    one_meaning(&written.value, wrong);
    let hashes = token.body.is_some() == body.is_some() && token.url.is_some() == url.is_some();
    (hashes && !token.algorithms.is_empty()).then_some(token)
}

/// What the clock is asked about (RFC 7519 sections 4.1.4 to 4.1.6).
const TIMES: [&str; 3] = ["exp", "nbf", "iat"];

/// A claim that had to be a word and the digest of something would never be both.
fn one_meaning(text: &TokenText, wrong: &mut Mistakes) {
    let hashes: Vec<_> = [&text.body, &text.url].into_iter().flatten().map(|hash| &hash.claim).collect();
    for claim in &hashes {
        if text.claims.contains_key(&claim.value) || TIMES.contains(&claim.value.as_str()) {
            let message = format!(
                "`{}` is held against something else already, and is no digest too; name another claim",
                claim.value
            );
            wrong.at(claim, message);
        }
    }
    if let [body, url] = hashes.as_slice()
        && body.value == url.value
    {
        wrong.at(url, format!("`{}` is the digest of the body already; name another claim", url.value));
    }
}

fn demanded(written: &Spanned<String>, wrong: &mut Mistakes) -> Option<Demanded> {
    let mut configured = |name: &str, may_be_unsaid| {
        Some(Demanded::Configured { name: wrong.config_name(written, name)?, may_be_unsaid })
    };
    match written.value.split_once(':') {
        Some(("config", name)) => configured(name, false),
        Some(("config?", name)) => configured(name, true),
        _ if written.value == "url" => Some(Demanded::Url),
        _ if written.value == "true" => Some(Demanded::True),
        _ => Some(Demanded::Is(written.value.split(" or ").map(str::to_owned).collect())),
    }
}

fn hash(text: &HashText, wrong: &mut Mistakes) -> Option<Hash> {
    let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64), ("base64url", Encoding::Base64Url)];
    let encoding = wrong.word(&text.enc, "encoding", &encodings)?;
    Some(Hash { claim: text.claim.value.clone(), encoding, absent_if_empty: text.absent_if_empty })
}
