//! Where the signature is, and how it is written there.

use super::parts::{ENTRIES_MAX, item_name};
use crate::verify::{
    catalogue::Mistakes,
    scheme::{
        algorithm::Algorithm,
        signature::{At, Encoding, Habits, Item, Shape, Signature},
        text::SignatureText,
    },
};
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
            let before = wrong.0.len();
            let shape = shape(&written.value, text, wrong);
            if shape.is_none() && wrong.0.len() == before {
                let message = if written.value.starts_with("kv(") && text.item.is_none() {
                    "which of its items is the signature? write its name beside this, as in `item: v1`".to_owned()
                } else {
                    format!("cannot read `{}`; write `raw`, `list(,)`, or `kv(,;=)` with an `item`", written.value)
                };
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
        habits_hold(text, pairs, wrong);
    }
    Some(Signature { at: at?, shape: shape?, habits, prefix: text.prefix.clone(), encoding: encoding? })
}

/// What a header has besides signatures, where it has it.
fn habits_hold(text: &SignatureText, pairs: bool, wrong: &mut Mistakes) {
    if text.skip > ENTRIES_MAX {
        wrong
            .at(&text.place, format!("no list has `skip: {}` before its signatures; {ENTRIES_MAX} at most", text.skip));
    }
    if let Some(item) = text.item.as_ref().filter(|_| !pairs) {
        let message =
            format!("the header has no items, and none is called `{item}`; write `parse: kv(,;=)`, or leave it out");
        wrong.at(&text.place, message);
    }
    let is_ordered = |item: &&String| !text.ordered.is_empty() && !text.ordered.contains(item);
    if let Some(item) = text.item.as_ref().filter(|item| !item.starts_with("config:")).filter(is_ordered) {
        wrong.at(&text.place, format!("`{item}` holds the signature and is not in `ordered`; write it there"));
    }
    for (what, text_of) in [("prefix", Some(&text.prefix)), ("key_id", text.key_id.as_ref())] {
        let is_line = |text: &String| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if text_of.is_some_and(|text| !is_line(text)) {
            wrong.at(&text.place, format!("no header has such a `{what}`; write letters of ASCII alone"));
        }
    }
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
        ("query", name) => wrong.parameter(written, name).map(At::Query),
        ("form", name) => wrong.field(written, name).map(At::Form),
        ("json", pointer) => wrong.pointer(written, pointer).map(At::Json),
        ("header", name) => wrong.header_name(written, name).map(if lines { At::Lines } else { At::Header }),
        _ => wrong.no_place(written, &["header:NAME", "headers:NAME-N", "query:NAME", "form:NAME", "json:/pointer"]),
    };
    match (at?, &text.second) {
        (At::Header(one), Some(second)) => {
            let other = wrong.header(second)?;
            if other == one {
                wrong.at(second, "this is the first one again; name another header, or leave it out");
            }
            Some(At::Either(one, other))
        }
        (at, None) if !lines || matches!(at, At::Lines(_)) => Some(at),
        (_, _) => {
            wrong.at(written, "`second` and `repeated` go with `header:NAME` alone, and not together");
            None
        }
    }
}

/// `X-Signature-N`.
fn numbered(written: &Spanned<String>, family: &str, wrong: &mut Mistakes) -> Option<String> {
    let Some(prefix) = family.strip_suffix('N').filter(|prefix| !prefix.is_empty()) else {
        wrong.at(written, "write the number as N, as in `headers:X-Signature-N`");
        return None;
    };
    wrong.header_name(written, prefix)
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

fn shape(written: &str, text: &SignatureText, wrong: &mut Mistakes) -> Option<Shape> {
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
    if separator.is_empty() || equals.is_empty() || separator.contains(equals) || equals.contains(separator) {
        return None;
    }
    let item = text.item.as_ref()?;
    let item = match item.strip_prefix("config:") {
        Some(name) => Item::Configured(wrong.config_name(&text.place, name)?),
        None => Item::Called(item_name(&text.place, item, written, wrong)?),
    };
    Some(Shape::Pairs { separator: separator.into(), equals: equals.into(), item, trim: text.trim })
}
