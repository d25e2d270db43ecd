//! What a sender's token is made with, and what it says.

use crate::verify::{
    catalogue::{Mistakes, duration},
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
        }
    }
    let time = match time {
        Some(name) => Some(wrong.word(name, "time", &[("iat", "iat"), ("nbf", "nbf")])?.to_owned()),
        None => None,
    };
    let token = SenderToken {
        algorithms: named,
        claims: claims.iter().map(|(name, value)| (name.clone(), demanded(&value.value))).collect(),
        require: require.clone(),
        body: body.as_ref().and_then(|text| hash(text, wrong)),
        url: url.as_ref().and_then(|text| hash(text, wrong)),
        time,
        leeway: leeway.as_ref().and_then(|leeway| duration(leeway, LEEWAY, wrong)).unwrap_or_default(),
        published: keys.as_ref().map(|url| url.value.clone()),
    };
    let hashes = token.body.is_some() == body.is_some() && token.url.is_some() == url.is_some();
    (hashes && !token.algorithms.is_empty()).then_some(token)
}

fn demanded(written: &str) -> Demanded {
    let configured = |name: &str, may_be_unsaid| Demanded::Configured { name: name.to_owned(), may_be_unsaid };
    match written.split_once(':') {
        Some(("config", name)) => configured(name, false),
        Some(("config?", name)) => configured(name, true),
        _ if written == "url" => Demanded::Url,
        _ if written == "true" => Demanded::True,
        _ => Demanded::Is(written.split(" or ").map(str::to_owned).collect()),
    }
}

fn hash(text: &HashText, wrong: &mut Mistakes) -> Option<Hash> {
    let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64), ("base64url", Encoding::Base64Url)];
    let encoding = wrong.word(&text.enc, "encoding", &encodings)?;
    Some(Hash { claim: text.claim.clone(), encoding, absent_if_empty: text.absent_if_empty })
}
