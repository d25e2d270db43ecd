//! Text to scheme: every mistake of meaning at once, each where it stands.

mod parts;
mod signature;
mod token;

use super::{
    BodyDigest, Certified, Chosen, Required, Scheme, Time, Wanted,
    algorithm::Algorithm,
    key::{KeyEncoding, KeyFormat, Strip, Transform},
    likeness::Likeness,
    over::{Composition, Over},
    parts::{Part, Place, TimeFormat},
    signature::{At, Encoding, Habits, Shape, Signature},
    text::{CertificateText, ChosenText, KeyText, SchemeText},
};
use crate::verify::{
    catalogue::{Mistakes, is_host, url_mistake},
    certificates::{Pins, REGION},
    odd::Odd,
};
use regex::{Regex, RegexBuilder};
use serde_saphyr::Spanned;

impl Scheme {
    /// `None` only where a mistake was told.
    pub(in crate::verify) fn compile(text: &SchemeText, wrong: &mut Mistakes) -> Option<Self> {
        let Some(alg) = &text.alg else {
            wrong.missing("`scheme: { alg: ... }`, such as `hmac-sha256`");
            return None;
        };
        let over = over(text, alg, wrong)?;
        let certified = text.certificate.as_ref().and_then(|written| certified(written, text, wrong));
        if text.certificate.is_some() && certified.is_none() {
            return None;
        }
        let algorithm = match &over {
            Over::Components => Some(Algorithm::HmacSha256),
            Over::Token(token) => Some(Algorithm::of_tokens(&token.algorithms)),
            Over::Parts(_) | Over::Odd(_) => algorithm(alg, &[JWT, MESSAGES], wrong),
        };
        let chosen = text.alg_from.as_ref().and_then(|text| chosen(text, wrong));
        let key = key(&text.key, algorithm, over.token().is_some(), wrong);
        if algorithm == Some(Algorithm::Unsigned) {
            let said = [&text.odd, &text.id, &text.content, &text.body_digest].into_iter().flatten();
            if let Some(place) = said.chain(&text.message).next() {
                wrong.at(place, "nothing is signed here; leave this out, and `sig` with it");
            } else if text.sig.is_some() || text.ts.is_some() {
                wrong.at(alg, "nothing is signed here; leave out `sig` and `ts`");
            } else {
                return Some(Self::unsigned());
            }
            return None;
        }
        if text.sig.is_none() {
            wrong.missing("`scheme: { sig: ... }`, where the signature is");
        }
        let composed = matches!(over, Over::Token(_) | Over::Components);
        let signature = text.sig.as_ref().and_then(|sig| signature::compile(&sig.value, algorithm, composed, wrong));
        let id = text.id.as_ref().and_then(|id| match id.value.strip_prefix("json:") {
            Some(_) => parts::place(id, text, wrong),
            None if id.value.starts_with("header:") => wrong.header(id).map(Place::Header),
            None => wrong.no_place(id, &["header:NAME", "json:/pointer"]),
        });
        let time = text.ts.as_ref().and_then(|time| {
            let formats = [
                ("unix_s", TimeFormat::UnixSeconds),
                ("unix_ms", TimeFormat::UnixMilliseconds),
                ("rfc3339", TimeFormat::Rfc3339),
                ("any", TimeFormat::Any),
            ];
            let format = wrong.word(&time.fmt, "time format", &formats);
            Some(Time { from: parts::place(&time.from, text, wrong)?, format: format? })
        });
        let mut require: Vec<Required> = Vec::new();
        for (place, value) in &text.require {
            let Some(required) = required(place, value, text, wrong) else { continue };
            if require.iter().any(|other| other.place == required.place) {
                wrong.at(value, format!("`{place}` is required in another spelling already; leave one out"));
            }
            require.push(required);
        }
        let document_in = text.document.as_ref().and_then(|written| {
            let Some(field) = written.value.strip_prefix("form:") else {
                wrong.at(written, format!("cannot read `{}`; write `form:NAME`, as in `form:json`", written.value));
                return None;
            };
            wrong.field(written, field)
        });
        let (algorithm, key, signature) = (algorithm?, key?, signature?);
        let scheme = Self { algorithm, chosen, key, signature, over, certified, time, id, require, document_in };
        scheme.holds_together(text, alg, wrong).then_some(scheme)
    }

    /// Of a sender that shows nothing: no request is authentic by it.
    fn unsigned() -> Self {
        let key = KeyFormat {
            encoding: KeyEncoding::Utf8,
            strip: Vec::new(),
            literal: Vec::new(),
            transforms: Vec::new(),
            never: Vec::new(),
            like: None,
        };
        let signature = Signature {
            at: At::Nowhere,
            shape: Shape::Raw,
            habits: Habits::default(),
            prefix: String::new(),
            encoding: Encoding::Text,
        };
        Self {
            algorithm: Algorithm::Unsigned,
            chosen: None,
            key,
            signature,
            over: Over::Parts(Composition::default()),
            certified: None,
            time: None,
            id: None,
            require: Vec::new(),
            document_in: None,
        }
    }

    fn holds_together(&self, text: &SchemeText, alg: &Spanned<String>, wrong: &mut Mistakes) -> bool {
        let before = wrong.0.len();
        let place = text.message.first().unwrap_or(alg);
        // Of what could not be read the cause has been told: it is not missing.
        if self.over.parts().len() == text.message.len() {
            self.says_what_it_covers(text, place, wrong);
        }
        let coverage = self.coverage();
        if coverage.time && text.ts.is_none() && matches!(self.over, Over::Parts(_) | Over::Odd(_)) {
            wrong.at(
                place,
                "the message has a `ts`; say where the time is, with `ts: { from: header:NAME, fmt: unix_s }`",
            );
        }
        if coverage.id && text.id.is_none() && self.over.odd().is_none() {
            wrong.at(place, "the message has an `id`; say where it is, with `id: header:NAME`");
        }
        let signature = text.sig.as_ref().map(|sig| &sig.value.place.value);
        let elsewhere = text.ts.as_ref().map(|time| &time.from).into_iter().chain(&text.id);
        for at in elsewhere.filter(|at| signature.is_some_and(|place| place.eq_ignore_ascii_case(&at.value))) {
            wrong.at(at, format!("the signature itself stands in `{}`; name where this is", at.value));
        }
        if let Some(id) = text.id.as_ref().filter(|_| self.signs() && !coverage.id) {
            wrong.at(id, "anyone can change an id that is not signed; put `id` into `message`, or leave it out");
        }
        if text.lost_newline && (self.signs_url() || !matches!(self.over.parts().last(), Some(Part::At(_)))) {
            wrong.at(place, "a line break can be lost at the end of a value alone, in a message without its URL");
        }
        for (at, part) in text.message.iter().enumerate() {
            // Two texts are two borders; anything else twice is a slip, or two names of one thing.
            let again = text.message.iter().take(at).any(|other| other.value == part.value);
            if again && !part.value.starts_with("text:") && part.value != "secret" {
                wrong.at(part, format!("`{}` is in the message already; leave one out", part.value));
            }
        }
        if let Some(digest) = text.body_digest.as_ref().filter(|_| !self.signs_url()) {
            wrong.at(digest, "a digest in the query vouches for nothing unless the message has the `url`");
        }
        if self.key.encoding == KeyEncoding::Utf8 && !self.shares_its_key() {
            wrong.at(alg, "a public key is written as `hex` or `base64`; say so with `key: { enc: base64 }`");
        }
        let secrets = text.message.iter().filter(|part| part.value == "secret").count();
        if secrets != usize::from(self.algorithm.is_plain_digest()) {
            let message = "a plain digest has the `secret` in its message, once, and nothing else has it there";
            wrong.at(place, message);
        }
        let says_what = !text.message.is_empty() || text.ts.is_some() || text.id.is_some();
        if !self.signs() && says_what && self.over.odd().is_none() {
            wrong.at(place, "nothing is signed where the secret itself is shown; leave out `message`, `ts` and `id`");
        }
        wrong.0.len() == before && self.over.parts().len() == text.message.len()
    }

    fn says_what_it_covers(&self, text: &SchemeText, place: &Spanned<String>, wrong: &mut Mistakes) {
        let admitted = match &text.content {
            Some(content) => wrong.word(content, "word", &[("unauthenticated", true)]).unwrap_or_default(),
            None => !self.signs(),
        };
        match (self.coverage().body, admitted, &text.content) {
            (false, false, None) => wrong.at(
                place,
                "the message has no `body`, so such a signature says nothing of what was sent; write it into `message`, or admit it with `content: unauthenticated`",
            ),
            (true, true, Some(content)) => wrong.at(content, "the message has the `body`; leave this out"),
            _ => {}
        }
    }
}

fn certified(written: &Spanned<CertificateText>, text: &SchemeText, wrong: &mut Mistakes) -> Option<Certified> {
    let CertificateText { from, urls, name } = &written.value;
    let is_pinned = |url: &Spanned<String>| {
        let host = url.value.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
        // Of a host that ends in a star anybody could have the end.
        let is_known = !url.value.replace(REGION, "").contains('{');
        is_known
            && host.is_some_and(|(host, _)| !host.contains([':', '@']) && !host.ends_with('*') && host.contains('.'))
    };
    let mut all_pinned = !urls.is_empty();
    for url in urls {
        let like_one = url.value.replace(REGION, "x").replace('*', "x");
        let why = if is_pinned(url) { url_mistake(&like_one, false) } else { Some(PINNED.to_owned()) };
        if let Some(why) = why {
            wrong.at(url, why);
            all_pinned = false;
        }
    }
    if let Some(name) = name.as_ref().filter(|name| !is_host(&name.value) || !name.value.contains('.')) {
        let message =
            format!("`{}` is no name that a certificate could be for; write the whole host, without `*`", name.value);
        wrong.at(name, message);
        all_pinned = false;
    }
    if urls.is_empty() {
        wrong.at(written, "without `urls` anybody could bring a certificate of their own; say where it may be");
    }
    if text.key.enc.as_ref().is_none_or(|enc| enc.value != "pem") {
        wrong.at(written, "a certificate is PEM; say so with `key: { enc: pem }`");
    }
    let name = name.as_ref().map(|name| name.value.clone());
    let pins = Pins { urls: urls.iter().map(|url| url.value.clone()).collect(), name };
    Some(Certified { from: parts::place(from, text, wrong)?, pins }).filter(|_| all_pinned)
}

const PINNED: &str =
    "say where it may be, as in `https://sns.*.amazonaws.com/*.pem`: a host, the default port, and a path";

/// What `alg` says of a sender that signs by tokens.
const JWT: &str = "jwt";
/// And of one that signs as RFC 9421 says.
const MESSAGES: &str = "http-message-signatures";

/// `None` only where a mistake was told.
fn over(text: &SchemeText, alg: &Spanned<String>, wrong: &mut Mistakes) -> Option<Over> {
    if alg.value == JWT {
        return Some(Over::Token(Box::new(token::compile(text, alg, wrong)?)));
    }
    if let Some(written) = &text.token {
        wrong.at(written, "this goes with `alg: jwt`; leave it out");
    }
    if alg.value == MESSAGES {
        if !text.message.is_empty() || text.ts.is_some() || text.id.is_some() || text.odd.is_some() {
            wrong.at(alg, "the request says what is signed; leave out `message`, `ts`, `id` and `odd`");
        }
        return Some(Over::Components);
    }
    if let Some(written) = &text.odd {
        return Some(Over::Odd(odd(written, text, wrong)?));
    }
    Some(Over::Parts(Composition {
        parts: text.message.iter().filter_map(|written| parts::part(written, text, wrong)).collect(),
        digest: text.body_digest.as_ref().and_then(|written| digest(written, wrong)),
        only_fields: text.only_fields,
        lost_newline: text.lost_newline,
        any_port: text.any_port,
    }))
}

fn odd(written: &Spanned<String>, text: &SchemeText, wrong: &mut Mistakes) -> Option<Odd> {
    let has_parts = !text.message.is_empty() || text.body_digest.is_some() || text.alg_from.is_some() || text.any_port;
    if has_parts || !text.require.is_empty() {
        let message = "an odd sender composes what it signs itself; leave out `message`, `body_digest`, `alg_from`, `any_port` and `require`";
        wrong.at(written, message);
    }
    wrong.word(written, "odd sender", &Odd::WORDS)
}

/// `composed` are words in its place that were told apart before, and that a slip may have meant.
fn algorithm(written: &Spanned<String>, composed: &[&str], wrong: &mut Mistakes) -> Option<Algorithm> {
    let mut algorithms = vec![
        ("hmac-sha256", Algorithm::HmacSha256),
        ("hmac-sha1", Algorithm::HmacSha1),
        ("hmac-sha512", Algorithm::HmacSha512),
        ("sha1", Algorithm::Sha1),
        ("sha256", Algorithm::Sha256),
        ("ed25519", Algorithm::Ed25519),
        ("ecdsa-p256-sha256", Algorithm::EcdsaP256Sha256),
        ("rsa-sha1", Algorithm::RsaSha1),
        ("rsa-sha256", Algorithm::RsaSha256),
        ("equal", Algorithm::Equal),
        ("basic", Algorithm::Basic),
        ("unsigned", Algorithm::Unsigned),
    ];
    algorithms.extend(composed.iter().map(|word| (*word, Algorithm::HmacSha256)));
    wrong.word(written, "algorithm", &algorithms)
}

fn chosen(text: &ChosenText, wrong: &mut Mistakes) -> Option<Chosen> {
    let separates = |letter: char| letter.is_whitespace() || ",=".contains(letter);
    if let Some(odd) = std::iter::once(&text.item).chain(text.words.keys()).find(|word| word.contains(separates)) {
        wrong.at(&text.place, format!("no item could be read as `{odd}`: it has no blank, comma or `=` in it"));
    }
    let header = wrong.header(&text.place);
    let words = text.words.iter().filter_map(|(word, written)| Some((word.clone(), algorithm(written, &[], wrong)?)));
    let words: Vec<_> = words.collect();
    let keyed = |algorithm: Algorithm| algorithm.shares_its_key() && algorithm.signs() && !algorithm.is_plain_digest();
    if !words.iter().all(|(_, algorithm)| keyed(*algorithm)) || words.is_empty() {
        wrong.at(
            &text.place,
            "one key serves all of these; write words for some of `hmac-sha256`, `hmac-sha1`, `hmac-sha512`",
        );
    }
    Some(Chosen { header: header?, item: text.item.clone(), words })
}

fn digest(written: &Spanned<String>, wrong: &mut Mistakes) -> Option<BodyDigest> {
    let Some(parameter) = written.value.strip_prefix("query:") else {
        wrong.at(written, format!("cannot read `{}`; write `query:NAME`, as in `query:bodySHA256`", written.value));
        return None;
    };
    wrong.parameter(written, parameter).map(|parameter| BodyDigest { parameter })
}

fn key(text: &KeyText, algorithm: Option<Algorithm>, of_tokens: bool, wrong: &mut Mistakes) -> Option<KeyFormat> {
    let encodings = [
        ("utf8", KeyEncoding::Utf8),
        ("hex", KeyEncoding::Hex),
        ("base64", KeyEncoding::Base64),
        ("pem", KeyEncoding::Pem),
    ];
    let encoding = match &text.enc {
        Some(written) => wrong.word(written, "key encoding", &encodings),
        None if algorithm == Some(Algorithm::Basic) => Some(KeyEncoding::Credentials),
        None if of_tokens && algorithm.is_some_and(|algorithm| !algorithm.shares_its_key()) => Some(KeyEncoding::Pem),
        None => Some(KeyEncoding::Utf8),
    };
    let known = [("html_decode", Transform::HtmlDecode), ("nfkd", Transform::Nfkd), ("sha1", Transform::Sha1)];
    let transforms = text.transform.iter().filter_map(|written| wrong.word(written, "transform", &known));
    let transforms: Vec<_> = transforms.collect();
    let digested = transforms.iter().position(|transform| *transform == Transform::Sha1);
    if let Some(written) = digested.filter(|at| at + 1 < transforms.len()).and_then(|at| text.transform.get(at)) {
        wrong.at(written, "nothing is done to a digest; write `sha1` at the end");
    }
    for written in &text.strip {
        let bare = written.value.replace('*', "");
        if bare.is_empty() || written.value.matches('*').count() > 1 {
            let message =
                "every key begins so; write what stands before it, with one `*` at most, as in `whsec_` or `key-*-`";
            wrong.at(written, message);
        }
    }
    let strip = text.strip.iter().map(|written| match written.value.split_once('*') {
        Some((before, after)) => Strip::Word { before: before.to_owned(), after: after.to_owned() },
        None => Strip::Literal(written.value.clone()),
    });
    let never = text.never.iter().map(|written| written.value.clone()).collect();
    let like = text.like.as_ref().and_then(|written| key_pattern(written, wrong));
    let literal = text.literal.clone();
    Some(KeyFormat { encoding: encoding?, strip: strip.collect(), literal, transforms, never, like })
}

/// `None` only where a mistake was told.
fn key_pattern(written: &Spanned<String>, wrong: &mut Mistakes) -> Option<Regex> {
    let whole = format!("^(?:{})$", written.value);
    let like = RegexBuilder::new(&whole).unicode(false).size_limit(PATTERN_BYTES_MAX).build().ok();
    if like.as_ref().is_none_or(|like| like.is_match("")) {
        wrong.at(written, "this is no pattern of a secret; write what a whole one looks like, as in `[0-9a-f]{64}`");
        return None;
    }
    like
}

/// A pattern of a secret has some dozen letters; a compiled one that is larger says something else.
const PATTERN_BYTES_MAX: usize = 64 << 10;

fn required(place: &str, value: &Spanned<String>, text: &SchemeText, wrong: &mut Mistakes) -> Option<Required> {
    if place.trim().is_empty() || place.chars().any(char::is_control) {
        return None; // told as a name that is none
    }
    if !["header:", "query:", "form:", "json:"].iter().any(|kind| place.starts_with(kind)) {
        wrong.at(value, format!("cannot read `{place}` before it; write `header:NAME`, as in `header:X-Version`"));
        return None;
    }
    let written = Spanned { value: place.to_owned(), referenced: value.referenced, defined: value.defined };
    let place = parts::place(&written, text, wrong);
    let value = match value.value.split_once(':') {
        Some(("config", name)) => Wanted::Configured(wrong.config_name(value, name)?),
        Some(("like", word)) => {
            let word = Spanned { value: word.to_owned(), referenced: value.referenced, defined: value.defined };
            Wanted::Like(wrong.word(&word, "likeness", &Likeness::WORDS)?)
        }
        Some(_) | None => Wanted::Is(value.value.clone()),
    };
    Some(Required { place: place?, value })
}
