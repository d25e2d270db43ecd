//! Which other key could have signed, and how else could the text of the right one be read?

use super::{
    Cause, KeyText, Patient,
    cause::{Area, By, Code},
    entry::Entry,
};
use crate::{
    clock::Timestamp,
    secret::Secret,
    verify::{Key, Provider, jwt::Algorithm},
};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

/// A key that the gate would not use for this request, and what it would mean if it held.
pub(super) struct Candidate {
    pub(super) key: Key,
    pub(super) cause: Cause,
    /// Everybody may have it.
    pub(super) is_public: bool,
}

/// The keys of the route, as the gate reads them.
pub(super) fn own(patient: &Patient<'_>) -> Vec<Key> {
    let scheme = &patient.webhook.provider().scheme;
    let key = |text: &KeyText| Some(key_of(text, scheme.key(&text.text).ok()?));
    patient.own().filter_map(key).collect()
}

/// Every other key of the policy, and the route's own ones read in another way.
pub(super) fn candidates(patient: &Patient<'_>, own: &[Key]) -> Vec<Candidate> {
    let mut found = others(patient, own);
    let provider = patient.webhook.provider();
    let Some(entry) = Entry::of(provider, patient.catalogue) else { return found };
    found.extend(by_default(provider));
    for text in patient.own() {
        let mut known: Vec<Zeroizing<Vec<u8>>> = own.iter().map(|key| bytes_of(&key.secret)).collect();
        let mut readings = readings(provider, &entry, text);
        readings.extend(public_of_messages(patient, text));
        for (bytes, cause) in readings {
            let Ok(secret) = Secret::new(bytes.to_vec()) else { continue };
            if !known.contains(&bytes) {
                known.push(bytes);
                found.push(Candidate { key: key_of(text, secret), cause, is_public: text.is_public });
            }
        }
    }
    found
}

pub(super) fn is_known_word(provider: &Provider, text: &KeyText) -> bool {
    provider.scheme.known_words().any(|word| word == text.text.trim())
}

/// What some senders sign with as long as they have no secret: their documentation says it, so it is none.
fn by_default(provider: &Provider) -> Option<Candidate> {
    let text = provider.scheme.known_words().next()?;
    let why = match provider.name.as_str() {
        "mandrill" => "this is the POST by which Mandrill tests a URL: it comes before there is a key",
        _ => "no secret is set for this webhook at the sender's",
    };
    let secret = provider.scheme.key(text).ok()?;
    let what = format!("it is signed with the word `{text}`, which is no secret: {why}");
    let mend =
        "enter the secret in the sender's settings; what is signed with a word that everybody knows could be anybody's";
    let cause = Cause::new(Code::KeyDefault, Area::Key, By::Sender, what, mend);
    Some(Candidate { key: Key { id: "default".to_owned(), secret, retire: None }, cause, is_public: false })
}

/// A public key of Ed25519 that stands there bare, where PEM is read and everything else is taken for a shared secret.
fn public_of_messages(patient: &Patient<'_>, KeyText { list, id, text, .. }: &KeyText) -> Vec<Reading> {
    const SPKI: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
    const LENGTH: usize = 32;
    if patient.webhook.config().get("alg").is_none_or(|alg| alg != "ed25519") {
        return Vec::new();
    }
    let bare = decodings(text.trim()).into_iter().filter(|(bytes, _)| bytes.len() == LENGTH);
    let reading = |(bytes, enc): (Vec<u8>, &str)| {
        let written = BASE64.encode(&[SPKI, &bytes].concat());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{written}\n-----END PUBLIC KEY-----");
        let what = format!(
            "the public key of `{id}` in `{list}` is written as {}, and the gate takes that for a shared secret",
            encoding_name(enc)
        );
        let mend = "write the same key as PEM (`-----BEGIN PUBLIC KEY-----`)";
        let cause = Cause::new(Code::SecretDecoded, Area::Secret, By::Operator, what, mend);
        (Zeroizing::new(pem.into_bytes()), cause)
    };
    bare.map(reading).collect()
}

fn others(patient: &Patient<'_>, own: &[Key]) -> Vec<Candidate> {
    let provider = patient.webhook.provider();
    let mut found: Vec<Candidate> = Vec::new();
    let mut seen: Vec<&KeyText> = Vec::new();
    let said = provider.scheme.algorithm_said(patient.webhook.config());
    let shares_its_key = said.map_or(provider.scheme.shares_its_key(), Algorithm::is_symmetric);
    for text in patient.keys.iter().filter(|text| !patient.is_own(text)) {
        let Ok(secret) = provider.scheme.key(&text.text) else { continue };
        // With a public key anybody could have made a keyed digest; and a word that everybody knows is told as that.
        if text.is_public && shares_its_key || is_known_word(provider, text) {
            continue;
        }
        let is_known = own.iter().any(|key| key.secret.is(secret.expose()));
        // Stages have most lists in common: the same key under the same name is one.
        let is_seen = seen.iter().any(|other| other.is_same(text));
        if is_known || is_seen {
            continue;
        }
        seen.push(text);
        let cause = cause_of(text, patient);
        let mut twins = found.iter_mut().filter(|twin| twin.key.secret.is(secret.expose()));
        if let Some(twin) = twins.next() {
            twin.cause.what += &format!("; the same secret is `{}` of `{}`", text.id, text.list);
            continue;
        }
        found.push(Candidate { key: key_of(text, secret), cause, is_public: text.is_public });
    }
    found
}

fn cause_of(text: &KeyText, patient: &Patient<'_>) -> Cause {
    let KeyText { list, id, stage, retire, .. } = text;
    let own_list = patient.own_list();
    if let Some(stage) = stage {
        let what = format!("the key `{id}` of `{list}` in the stage `{stage}` made the signature");
        let mend = format!(
            "the sender has the secret of `{stage}`: give it this stage's own in its settings, or send to the gate of `{stage}`"
        );
        return Cause::new(Code::KeyOfOtherStage, Area::Key, By::Sender, what, mend);
    }
    let retired = retire.filter(|retire| *retire <= patient.now).map(Timestamp::rfc3339);
    if *list == *own_list {
        let day = retired.as_deref().and_then(|day| day.split('T').next()).unwrap_or_default();
        let what = format!("the key `{id}` of `{list}` made the signature, which is retired since {day}");
        let mend = format!(
            "the sender still has the old secret: give it the one in force; or let `{id}` retire later, if it was not retired because others had it"
        );
        return Cause::new(Code::KeyRetired, Area::Key, By::Sender, what, mend);
    }
    let since = if retired.is_some() { " (which is retired, too)" } else { "" };
    let what = format!("the key `{id}` of the list `{list}`{since} made the signature, not one of `{own_list}`");
    let mend = format!(
        "give the sender the secret of `{own_list}`, or have it send to the route of `{list}`; only if both are the same sender's, write `keys: {list}` into this route"
    );
    Cause::new(Code::KeyOfOtherList, Area::Key, By::Both, what, mend)
}

fn key_of(text: &KeyText, secret: Secret) -> Key {
    Key { id: text.id.clone(), secret, retire: text.retire }
}

fn bytes_of(secret: &Secret) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(secret.expose().to_vec())
}

type Reading = (Zeroizing<Vec<u8>>, Cause);

/// The same text as other people read it.
fn readings(provider: &Provider, entry: &Entry, text: &KeyText) -> Vec<Reading> {
    let mut found = untidy(provider, text);
    if provider.scheme.shares_its_key() {
        found.extend(shared(entry, text));
    } else {
        found.extend(public(entry, text));
    }
    found
}

/// What was copied with too much around it.
fn untidy(provider: &Provider, KeyText { list, id, text, .. }: &KeyText) -> Vec<Reading> {
    let trimmed = text.trim();
    let bare = trimmed.trim_matches(['"', '\'', '`']);
    let at = format!("the secret of `{id}` in `{list}`");
    let mend = "take it out of the variable or file that `from` names";
    let mut found = Vec::new();
    for (without, around) in [(trimmed, "white space"), (bare, "quotation marks")] {
        if without != text.as_str() {
            let what = format!("{at} has {around} around it, which the sender does not use");
            let cause = Cause::new(Code::SecretUntidy, Area::Secret, By::Operator, what, mend);
            let decoded = provider.scheme.key(without).ok().map(|secret| bytes_of(&secret));
            found.extend(decoded.map(|bytes| (bytes, cause)));
        }
    }
    if provider.scheme.shares_its_key() {
        // A secret that is shown is in the request, with what stands around it there.
        let around = if provider.scheme.signs() { &AROUND[..] } else { &AROUND[..BEHIND] };
        for (before, after, name) in around {
            let what = format!("the sender signs with {name} {at}");
            let mend = "enter the secret again in the sender's settings, without it";
            let cause = Cause::new(Code::SecretUntidy, Area::Secret, By::Sender, what, mend);
            found.push((Zeroizing::new([before.as_bytes(), text.as_bytes(), after.as_bytes()].concat()), cause));
        }
    }
    found
}

/// What a sender's settings were filled with, beside the secret.
const AROUND: [(&str, &str, &str); 8] = [
    ("", "\n", "a line end behind"),
    ("", "\r\n", "a line end (CRLF) behind"),
    ("", " ", "a blank behind"),
    ("", "\t", "a tab behind"),
    (" ", "", "a blank before"),
    (" ", " ", "blanks around"),
    ("\"", "\"", "quotation marks around"),
    ("'", "'", "quotation marks around"),
];

/// So many of these stand behind it and are seen in no header.
const BEHIND: usize = 3;

/// A text with a short word and `_` before it, as `whsec_`.
fn without_prefix(text: &str) -> Option<(&str, &str)> {
    let at = text.find('_').filter(|at| (1..=PREFIX_LENGTH_MAX).contains(at))?;
    let (prefix, rest) = text.split_at(at + 1);
    (prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !rest.is_empty())
        .then_some((prefix, rest))
}

/// Those that vendors document, and that may be printed.
const PREFIXES: [&str; 2] = ["whsec_", "whpk_"];
/// `whsec_` and its like.
const PREFIX_LENGTH_MAX: usize = 8;

fn shared(entry: &Entry, KeyText { list, id, text, .. }: &KeyText) -> Vec<Reading> {
    let text = text.as_str();
    let ours = entry.key_encoding();
    let at = format!("the secret of `{id}` in `{list}`");
    let mut found: Vec<Reading> = Vec::new();
    let mut add = |bytes: Option<Vec<u8>>, code, what: String, enc: &str| {
        let mend = format!(
            "if this sender hands its secrets out so, say it in a sender of your own, with `key: {{ enc: {enc} }}`; else enter the secret again in its settings"
        );
        let cause = Cause::new(code, Area::Secret, By::Operator, what, mend);
        found.extend(bytes.map(|bytes| (Zeroizing::new(bytes), cause)));
    };
    let stands = |how: &str| format!("the sender uses {at} {how}, and the gate reads it as {}", encoding_name(ours));
    let literal = if ours == "utf8" { Code::SecretPrefix } else { Code::SecretLiteral };
    add(Some(text.as_bytes().to_vec()), literal, stands("as it stands, every letter"), "utf8");
    let bare = without_prefix(text);
    if let Some((prefix, rest)) = bare {
        // Of another one, these are letters of the secret.
        let told =
            if entry.strips(prefix) || PREFIXES.contains(&prefix) { prefix } else { "first letters, up to the `_`" };
        let how = format!(
            "without its {}, and otherwise as it stands",
            if told == prefix { format!("`{prefix}`") } else { told.to_owned() }
        );
        add(Some(rest.as_bytes().to_vec()), Code::SecretPrefix, stands(&how), "utf8");
    }
    for (part, which) in [(Some(text), ""), (bare.map(|(_, rest)| rest), " behind its prefix")] {
        let Some(part) = part else { continue };
        for (decoded, enc) in decodings(part) {
            let code = if ours == "utf8" { Code::SecretDecoded } else { Code::SecretLiteral };
            let code = if enc == ours { Code::SecretPrefix } else { code };
            add(Some(decoded), code, stands(&format!("decoded{which} as {}", encoding_name(enc))), enc);
        }
    }
    found
}

fn decodings(text: &str) -> Vec<(Vec<u8>, &'static str)> {
    let text = text.as_bytes();
    let hex = HEXLOWER_PERMISSIVE.decode(text).ok().map(|bytes| (bytes, "hex"));
    let base64 = BASE64.decode(text).or_else(|_| BASE64_NOPAD.decode(text)).ok().map(|bytes| (bytes, "base64"));
    let url = BASE64URL.decode(text).or_else(|_| BASE64URL_NOPAD.decode(text)).ok().map(|bytes| (bytes, "base64url"));
    [hex, base64, url].into_iter().flatten().collect()
}

fn encoding_name(encoding: &str) -> &'static str {
    match encoding {
        "hex" => "hexadecimal",
        "base64" => "base64",
        "base64url" => "base64url",
        _ => "text, as it stands",
    }
}

/// A public key in another encoding than the entry's.
fn public(entry: &Entry, KeyText { list, id, text, .. }: &KeyText) -> Vec<Reading> {
    let ours = entry.key_encoding();
    let bare = without_prefix(text).map_or(text.as_str(), |(_, rest)| rest);
    let mut found = Vec::new();
    for enc in ["hex", "base64"].into_iter().filter(|enc| *enc != ours) {
        let other = entry.with(|scheme| {
            scheme.insert("key".to_owned(), serde_json::json!({ "enc": enc }));
        });
        let decoded = other.and_then(|other| other.scheme.key(bare.trim()).ok());
        let Some(secret) = decoded else { continue };
        let what = format!(
            "the public key of `{id}` in `{list}` is written as {}, and the gate reads it as {}",
            encoding_name(enc),
            encoding_name(ours)
        );
        let mend = format!("write the same key as {}, as this sender's page shows it", encoding_name(ours));
        found.push((bytes_of(&secret), Cause::new(Code::SecretDecoded, Area::Secret, By::Operator, what, mend)));
    }
    found
}
