//! Parts of messages, and places of single values.

use crate::{
    json::language::nearest,
    verify::{
        catalogue::Mistakes,
        scheme::{
            parts::{Part, Place},
            text::SchemeText,
        },
    },
};
use serde_saphyr::Spanned;

/// `header:NAME`, `query:NAME`, `form:NAME`, `json:/pointer`, `kv:ITEM` or `item:N`.
pub(super) fn place(written: &Spanned<String>, text: &SchemeText, wrong: &mut Mistakes) -> Option<Place> {
    let (kind, name) = written.value.split_once(':').unwrap_or((&written.value, ""));
    let parse = text.sig.as_ref().and_then(|sig| sig.value.parse.as_ref()).map_or("raw", |parse| parse.value.as_str());
    match (kind, name) {
        ("kv", item) => {
            if !parse.starts_with("kv") {
                wrong.at(written, "the signature header has no items; only `parse: kv(...)` has");
            }
            item_name(written, item, parse, wrong).map(Place::Item)
        }
        ("item", number) => {
            let number = number.parse::<usize>().ok().filter(|number| *number <= ENTRIES_MAX);
            if number.is_none() || !parse.starts_with("list") {
                wrong.at(written, "write `item:0` for the first entry of a signature header with `parse: list(...)`");
            }
            number.map(Place::Entry)
        }
        ("json", pointer) => wrong.pointer(written, pointer).map(Place::Json),
        ("query", name) => wrong.parameter(written, name).map(Place::Query),
        ("form", name) => wrong.field(written, name).map(Place::Form),
        ("header", name) => wrong.header_name(written, name).map(Place::Header),
        _ => wrong.no_place(written, &PLACES),
    }
}

/// Where a single value can stand.
const PLACES: [&str; 6] = ["header:NAME", "json:/pointer", "query:NAME", "form:NAME", "kv:ITEM", "item:0"];
/// No list has as many before what counts.
pub(super) const ENTRIES_MAX: usize = 16;

/// A name that the header could have an item of.
pub(super) fn item_name<T>(place: &Spanned<T>, item: &str, parse: &str, wrong: &mut Mistakes) -> Option<String> {
    let inside = parse.strip_prefix("kv(").and_then(|rest| rest.strip_suffix(')')).unwrap_or_default();
    let parts = inside.rsplit_once(';').into_iter().flat_map(|(separator, equals)| [separator, equals]);
    let is_parted = parts.into_iter().any(|part| !part.is_empty() && item.contains(part));
    if item.trim() != item || item.is_empty() || is_parted {
        let message =
            format!("no item of the signature header can be called `{item}`; write its name alone, as in `kv:t`");
        wrong.at(place, message);
        return None;
    }
    Some(item.to_owned())
}

pub(super) fn part(written: &Spanned<String>, text: &SchemeText, wrong: &mut Mistakes) -> Option<Part> {
    Some(match written.value.as_str() {
        "body" => Part::Body,
        "body_as_json" => Part::BodyAsJson,
        "ts" => Part::Time,
        "id" => Part::Id,
        "method" => Part::Method,
        "url" => Part::Url,
        "url_without_query" => Part::UrlWithoutQuery,
        "path" => Part::Path,
        "form" => Part::SortedForm,
        "secret" => Part::Secret,
        "crc32" => Part::Crc32,
        other => match other.split_once(':') {
            Some(("config", name)) => Part::Configured(wrong.config_name(written, name)?),
            Some(("text", "")) => {
                wrong.at(written, "nothing is signed here; write the text after `text:`, or leave this out");
                return None;
            }
            Some(("text", literal)) => Part::Text(literal.to_owned()),
            Some(("optional", pattern)) => optional(written, pattern, text, wrong)?,
            Some(("kv" | "header" | "query" | "form" | "json", _)) => Part::At(place(written, text, wrong)?),
            Some(_) | None => {
                let known = WORDS.map(|word| format!("`{word}`")).join(", ");
                let bare = WORDS.into_iter().filter(|word| !word.contains(':'));
                let way_out = match nearest(other, bare) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None if other.starts_with('/') => format!("did you mean `json:{other}`?"),
                    None => format!("known here: {known}"),
                };
                let message = format!("unknown part `{other}`; {way_out}");
                wrong.at(written, message);
                return None;
            }
        },
    })
}

/// What a message is made of.
const WORDS: [&str; 19] = [
    "body",
    "body_as_json",
    "ts",
    "id",
    "method",
    "url",
    "url_without_query",
    "path",
    "form",
    "secret",
    "crc32",
    "config:NAME",
    "header:NAME",
    "query:NAME",
    "form:NAME",
    "json:/pointer",
    "kv:ITEM",
    "text:LITERAL",
    "optional:BEFORE{query:NAME}AFTER",
];

/// `BEFORE{PLACE}AFTER`.
fn optional(written: &Spanned<String>, pattern: &str, text: &SchemeText, wrong: &mut Mistakes) -> Option<Part> {
    let parted = pattern.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (inside, after))) = parted else {
        wrong.at(written, "an optional part has its place in braces, as in `optional:id:{query:data.id};`");
        return None;
    };
    let inside = Spanned { value: inside.to_owned(), referenced: written.referenced, defined: written.defined };
    let place = place(&inside, text, wrong)?;
    Some(Part::Optional { before: before.to_owned(), place, after: after.to_owned() })
}
