//! Text to scheme: every mistake of meaning at once, each where it stands.

use super::{
    Algorithm, Encoding, KeyEncoding, KeyFormat, Scheme, Shape, Signature, Time,
    parts::{Part, Place, TimeFormat},
    text::{SchemeText, SignatureText},
};
use crate::verify::catalogue::Mistakes;
use serde_saphyr::Spanned;

impl Scheme {
    /// `None` only where a mistake was told.
    pub(in crate::verify) fn compile(text: &SchemeText, wrong: &mut Mistakes) -> Option<Self> {
        let algorithms = [
            ("hmac-sha256", Algorithm::HmacSha256),
            ("hmac-sha1", Algorithm::HmacSha1),
            ("hmac-sha512", Algorithm::HmacSha512),
        ];
        let later =
            ["sha1", "sha256", "ed25519", "ecdsa-p256-sha256", "rsa-sha1", "rsa-sha256", "jwt", "equal", "basic"];
        let algorithm = wrong.word(&text.alg, "algorithm", &algorithms, &later);
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
        let scheme = Self { algorithm: algorithm?, key: key?, signature: signature?, message, time, id };
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
        wrong.0.len() == before && self.message.len() == text.message.len()
    }
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
                    "unknown part `{other}`; known here: `body`, `ts`, `id`, `method`, `url`, `path`, `header:NAME`, `kv:ITEM`, `text:LITERAL`"
                );
                wrong.at(written, message);
                return None;
            }
        }
    })
}
