//! Parts of messages, and places of single values.

use crate::{
    request::target::php,
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
            Some(Place::Item(item.to_owned()))
        }
        ("item", number) => {
            let number = number.parse::<usize>().ok();
            if number.is_none() || !parse.starts_with("list") {
                wrong.at(written, "write `item:0` for the first entry of a signature header with `parse: list(...)`");
            }
            number.map(Place::Entry)
        }
        ("json", pointer) => pointer_of(written, pointer, wrong).map(Place::Json),
        ("query", name) if !name.is_empty() => Some(Place::Query(as_php_reads(name))),
        ("form", name) if !name.is_empty() => Some(Place::Form(name.to_owned())),
        _ => wrong.header(written).map(Place::Header),
    }
}

pub(super) fn pointer_of(written: &Spanned<String>, pointer: &str, wrong: &mut Mistakes) -> Option<String> {
    if !pointer.starts_with('/') {
        wrong.at(written, "after `json:` comes a JSON Pointer, as in `json:/signature/token`");
        return None;
    }
    Some(pointer.to_owned())
}

/// `data.id` is `data_id` to PHP, and targets show it so.
pub(super) fn as_php_reads(name: &str) -> String {
    let (name, _) = php::parameter(name.as_bytes());
    String::from_utf8_lossy(&name).into_owned()
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
            Some(("config", name)) => Part::Configured(name.to_owned()),
            Some(("text", literal)) => Part::Text(literal.to_owned()),
            Some(("optional", pattern)) => optional(written, pattern, text, wrong)?,
            Some(("kv" | "header" | "query" | "form" | "json", _)) => Part::At(place(written, text, wrong)?),
            Some(_) | None => {
                let message = format!(
                    "unknown part `{other}`; known here: `body`, `body_as_json`, `ts`, `id`, `method`, `url`, `url_without_query`, `path`, `form`, `secret`, `crc32`, `config:NAME`, `header:NAME`, `query:NAME`, `form:NAME`, `json:/pointer`, `kv:ITEM`, `text:LITERAL`, `optional:BEFORE{{query:NAME}}AFTER`"
                );
                wrong.at(written, message);
                return None;
            }
        },
    })
}

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
