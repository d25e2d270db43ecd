//! Where the signature is, and how it is written there.

use super::parts::{as_php_reads, pointer_of};
use crate::verify::{
    catalogue::Mistakes,
    scheme::{
        algorithm::Algorithm,
        signature::{At, Encoding, Habits, Item, Shape, Signature},
        text::SignatureText,
    },
};
use http::HeaderName;
use serde_saphyr::Spanned;

pub(super) fn compile(
    text: &SignatureText,
    algorithm: Option<Algorithm>,
    is_token: bool,
    wrong: &mut Mistakes,
) -> Option<Signature> {
    let at = at(text, wrong);
    let shape = match &text.parse {
        None => Some(Shape::Raw),
        Some(written) => {
            let shape = shape(&written.value, text);
            if shape.is_none() {
                let message =
                    format!("cannot read `{}`; write `raw`, `list(,)`, or `kv(,;=)` with an `item`", written.value);
                wrong.at(written, message);
            }
            shape
        }
    };
    let encoding = encoding(text, algorithm, is_token, wrong);
    let habits = Habits {
        skip: text.skip,
        first: text.first,
        single: text.single,
        trim: text.trim,
        ordered: text.ordered.clone(),
        key_id: text.key_id.clone(),
    };
    if let Some(shape) = &shape {
        let (list, pairs) = (matches!(shape, Shape::List { .. }), matches!(shape, Shape::Pairs { .. }));
        if text.skip > 0 && !list || (text.single || !text.ordered.is_empty()) && !pairs {
            wrong.at(
                &text.place,
                "`skip` goes with `parse: list(...)`, and `single` and `ordered` with `parse: kv(...)`",
            );
        }
    }
    Some(Signature { at: at?, shape: shape?, habits, prefix: text.prefix.clone(), encoding: encoding? })
}

fn at(text: &SignatureText, wrong: &mut Mistakes) -> Option<At> {
    let written = &text.place;
    let lines = match &text.repeated {
        Some(word) => wrong.word(word, "word", &[("refuse", false), ("any", true)]).unwrap_or_default(),
        None => false,
    };
    let (kind, name) = written.value.split_once(':').unwrap_or((&written.value, ""));
    let at = match (kind, name) {
        ("headers", family) => numbered(written, family, wrong).map(At::Numbered),
        ("query", name) if !name.is_empty() => Some(At::Query(as_php_reads(name))),
        ("form", name) if !name.is_empty() => Some(At::Form(name.to_owned())),
        ("json", pointer) => pointer_of(written, pointer, wrong).map(At::Json),
        _ if lines => wrong.header(written).map(At::Lines),
        _ => wrong.header(written).map(At::Header),
    };
    match (at?, &text.second) {
        (At::Header(one), Some(second)) => Some(At::Either(one, wrong.header(second)?)),
        (at, None) if !lines || matches!(at, At::Lines(_)) => Some(at),
        (_, _) => {
            wrong.at(written, "`second` and `repeated` go with `header:NAME` alone, and not together");
            None
        }
    }
}

/// `X-Signature-N`.
fn numbered(written: &Spanned<String>, family: &str, wrong: &mut Mistakes) -> Option<String> {
    let prefix = family.strip_suffix('N').filter(|prefix| prefix.parse::<HeaderName>().is_ok());
    if prefix.is_none() {
        wrong.at(written, "write the number as N, as in `headers:X-Signature-N`");
    }
    prefix.map(str::to_ascii_lowercase)
}

fn encoding(
    text: &SignatureText,
    algorithm: Option<Algorithm>,
    is_token: bool,
    wrong: &mut Mistakes,
) -> Option<Encoding> {
    let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64), ("base64url", Encoding::Base64Url)];
    let own = match algorithm? {
        _ if is_token => Some(Encoding::Text),
        Algorithm::Equal => Some(Encoding::Text),
        Algorithm::Basic => Some(Encoding::Basic),
        _ => None,
    };
    match (&text.enc, own) {
        (Some(written), None) => wrong.word(written, "signature encoding", &encodings),
        (None, Some(own)) => Some(own),
        (Some(written), Some(_)) => {
            wrong.at(written, "what is shown as it is has no encoding; leave this out");
            None
        }
        (None, None) => {
            wrong.at(&text.place, "say how the signature is written, with `enc: hex`, `base64` or `base64url`");
            None
        }
    }
}

fn shape(written: &str, text: &SignatureText) -> Option<Shape> {
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
    if separator.is_empty() || equals.is_empty() {
        return None;
    }
    let item = text.item.as_ref()?;
    let item = match item.strip_prefix("config:") {
        Some(name) => Item::Configured(name.to_owned()),
        None => Item::Called(item.clone()),
    };
    Some(Shape::Pairs { separator: separator.into(), equals: equals.into(), item, trim: text.trim })
}
