//! Text to scheme: every mistake of meaning at once, each where it stands.

use super::{
    BodyDigest, Chosen, Scheme, Time,
    algorithm::Algorithm,
    key::{KeyEncoding, KeyFormat},
    parts::{Part, Place, TimeFormat},
    signature::{Encoding, Shape, Signature},
    text::{ChosenText, SchemeText, SignatureText},
};
use crate::verify::catalogue::Mistakes;
use serde_saphyr::Spanned;

impl Scheme {
    /// `None` only where a mistake was told.
    pub(in crate::verify) fn compile(text: &SchemeText, wrong: &mut Mistakes) -> Option<Self> {
        let algorithm = algorithm(&text.alg, wrong);
        let chosen = text.alg_from.as_ref().and_then(|text| chosen(text, wrong));
        let digest = text.body_digest.as_ref().and_then(|written| digest(written, wrong));
        let key = key(text, wrong);
        let signature = signature(&text.sig, wrong);
        let id = text.id.as_ref().and_then(|id| wrong.header(id));
        let time = text.ts.as_ref().and_then(|time| {
            let formats = [
                ("unix_s", TimeFormat::UnixSeconds),
                ("unix_ms", TimeFormat::UnixMilliseconds),
                ("rfc3339", TimeFormat::Rfc3339),
            ];
            let format = wrong.word(&time.fmt, "time format", &formats, &["any"]);
            Some(Time { from: place(&time.from, text, wrong)?, format: format? })
        });
        let message: Vec<_> = text.message.iter().filter_map(|written| part(written, text, wrong)).collect();
        let (algorithm, key, signature, any_port) = (algorithm?, key?, signature?, text.any_port);
        let scheme = Self { algorithm, chosen, key, signature, message, time, id, digest, any_port };
        scheme.holds_together(text, wrong).then_some(scheme)
    }

    fn holds_together(&self, text: &SchemeText, wrong: &mut Mistakes) -> bool {
        let before = wrong.0.len();
        let place = text.message.first().unwrap_or(&text.alg);
        if !self.coverage().body {
            wrong.at(
                place,
                "the message has no `body`, so such a signature says nothing of what was sent; write it into `message`",
            );
        }
        if self.coverage().time && self.time.is_none() {
            wrong.at(
                place,
                "the message has a `ts`; say where the time is, with `ts: { from: header:NAME, fmt: unix_s }`",
            );
        }
        if self.coverage().id && self.id.is_none() {
            wrong.at(place, "the message has an `id`; say where it is, with `id: header:NAME`");
        }
        if let Some(digest) = text.body_digest.as_ref().filter(|_| !self.signs_url()) {
            wrong.at(digest, "a digest in the query vouches for nothing unless the message has the `url`");
        }
        if self.key.encoding == KeyEncoding::Utf8 && !self.shares_its_key() {
            wrong.at(&text.alg, "a public key is written as `hex` or `base64`; say so with `key: { enc: base64 }`");
        }
        wrong.0.len() == before && self.message.len() == text.message.len()
    }
}

fn algorithm(written: &Spanned<String>, wrong: &mut Mistakes) -> Option<Algorithm> {
    let algorithms = [
        ("hmac-sha256", Algorithm::HmacSha256),
        ("hmac-sha1", Algorithm::HmacSha1),
        ("hmac-sha512", Algorithm::HmacSha512),
        ("ed25519", Algorithm::Ed25519),
        ("ecdsa-p256-sha256", Algorithm::EcdsaP256Sha256),
    ];
    let later = ["sha1", "sha256", "rsa-sha1", "rsa-sha256", "jwt", "equal", "basic"];
    wrong.word(written, "algorithm", &algorithms, &later)
}

fn chosen(text: &ChosenText, wrong: &mut Mistakes) -> Option<Chosen> {
    let header = wrong.header(&text.place);
    let words = text.words.iter().filter_map(|(word, written)| Some((word.clone(), algorithm(written, wrong)?)));
    let words: Vec<_> = words.collect();
    let shared = words.iter().all(|(_, algorithm)| algorithm.shares_its_key());
    if !shared || words.is_empty() {
        wrong.at(
            &text.place,
            "one key serves all of these; write words for some of `hmac-sha256`, `hmac-sha1`, `hmac-sha512`",
        );
    }
    Some(Chosen { header: header?, item: text.item.clone(), words })
}

fn digest(written: &Spanned<String>, wrong: &mut Mistakes) -> Option<BodyDigest> {
    let parameter = written.value.strip_prefix("query:").filter(|name| !name.is_empty());
    if parameter.is_none() {
        wrong.at(written, format!("cannot read `{}`; write `query:NAME`, as in `query:bodySHA256`", written.value));
    }
    parameter.map(|parameter| BodyDigest { parameter: parameter.to_owned() })
}

fn key(text: &SchemeText, wrong: &mut Mistakes) -> Option<KeyFormat> {
    let encodings = [("utf8", KeyEncoding::Utf8), ("hex", KeyEncoding::Hex), ("base64", KeyEncoding::Base64)];
    let encoding = match &text.key.enc {
        Some(written) => wrong.word(written, "key encoding", &encodings, &["pem", "x509_from_url"]),
        None => Some(KeyEncoding::Utf8),
    };
    let mut html_decode = false;
    for written in &text.key.transform {
        html_decode |=
            wrong.word(written, "transform", &[("html_decode", true)], &["nfkd", "sha1"]).unwrap_or_default();
    }
    Some(KeyFormat { encoding: encoding?, strip: text.key.strip.clone(), html_decode })
}

fn signature(text: &SignatureText, wrong: &mut Mistakes) -> Option<Signature> {
    let header = wrong.header(&text.place);
    let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64), ("base64url", Encoding::Base64Url)];
    let encoding = wrong.word(&text.enc, "signature encoding", &encodings, &[]);
    let shape = match &text.parse {
        None => Some(Shape::Raw),
        Some(written) => {
            let shape = shape(&written.value, text.item.as_deref());
            if shape.is_none() {
                let message =
                    format!("cannot read `{}`; write `raw`, `list(,)`, or `kv(,;=)` with an `item`", written.value);
                wrong.at(written, message);
            }
            shape
        }
    };
    Some(Signature { header: header?, shape: shape?, prefix: text.prefix.clone(), encoding: encoding? })
}

fn shape(written: &str, item: Option<&str>) -> Option<Shape> {
    if written == "raw" {
        return Some(Shape::Raw);
    }
    let inside = |name: &str| {
        written.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')').filter(|inside| !inside.is_empty())
    };
    if let Some(separator) = inside("list") {
        return Some(Shape::List { separator: separator.to_owned() });
    }
    // The separator may itself be a semicolon: `kv(;;=)`.
    let (separator, equals) = inside("kv")?.rsplit_once(';')?;
    let told = !separator.is_empty() && !equals.is_empty();
    told.then(|| Some(Shape::Pairs { separator: separator.into(), equals: equals.into(), item: item?.into() }))?
}

fn place(written: &Spanned<String>, text: &SchemeText, wrong: &mut Mistakes) -> Option<Place> {
    match written.value.strip_prefix("kv:") {
        Some(item) => {
            has_items(written, text, wrong);
            Some(Place::Item(item.to_owned()))
        }
        None => wrong.header(written).map(Place::Header),
    }
}

fn has_items(written: &Spanned<String>, text: &SchemeText, wrong: &mut Mistakes) {
    if !text.sig.parse.as_ref().is_some_and(|parse| parse.value.starts_with("kv")) {
        wrong.at(written, "the signature header has no items; only `parse: kv(...)` has");
    }
}

fn part(written: &Spanned<String>, text: &SchemeText, wrong: &mut Mistakes) -> Option<Part> {
    Some(match written.value.as_str() {
        "body" => Part::Body,
        "ts" => Part::Time,
        "id" => Part::Id,
        "method" => Part::Method,
        "url" => Part::Url,
        "path" => Part::Path,
        "form" => Part::SortedForm,
        other => {
            if let Some(literal) = other.strip_prefix("text:") {
                Part::Text(literal.to_owned())
            } else if let Some(item) = other.strip_prefix("kv:") {
                has_items(written, text, wrong);
                Part::Item(item.to_owned())
            } else if other.starts_with("header:") {
                Part::Header(wrong.header(written)?)
            } else {
                let message = format!(
                    "unknown part `{other}`; known here: `body`, `ts`, `id`, `method`, `url`, `path`, `form`, `header:NAME`, `kv:ITEM`, `text:LITERAL`"
                );
                wrong.at(written, message);
                return None;
            }
        }
    })
}
