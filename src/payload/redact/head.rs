//! Headers and query: what a plugin or an event would see of them.

use super::{How, how::MASK, names};
use crate::{
    json::Edits,
    payload::form,
    request::{Head, Target, target::php},
    verify::Keys,
};
use http::{HeaderName, HeaderValue};

/// Whether there was such a field to change.
pub(super) fn header(head: &mut Head, name: &HeaderName, how: How, keys: &Keys) -> bool {
    if how == How::Drop {
        let found = head.headers.contains_key(name);
        while head.headers.remove(name).is_some() {}
        return found;
    }
    let http::header::Entry::Occupied(mut values) = head.headers.entry(name) else { return false };
    let mut found = false;
    for value in values.iter_mut() {
        let text = String::from_utf8_lossy(value.as_bytes());
        if let Some(text) = how.of_text(&text, keys) {
            found = true;
            *value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(MASK));
        }
    }
    found
}

/// Whether there was such a parameter to change. All of an array goes by its name.
pub(super) fn query(head: &mut Head, name: &str, how: How, keys: &Keys) -> bool {
    let raw = head.target.query().as_bytes();
    let start = head.target.raw().len() - raw.len();
    let mut edits = Edits::default();
    let mut neighbours = Vec::new();
    for piece in form::pieces(raw) {
        let read = php::name(php::decode(piece.name));
        let is_meant = names::alike(name, &String::from_utf8_lossy(&read));
        let text = is_meant.then(|| how.of_text(&String::from_utf8_lossy(&php::decode(piece.value)), keys)).flatten();
        if let Some(text) = text.filter(|_| how != How::Drop) {
            edits.replace(piece.value_at.clone(), piece.written(&text));
        }
        neighbours.push((piece.at, is_meant && how == How::Drop));
    }
    edits.take_out(&neighbours);
    if edits.is_empty() {
        return false;
    }
    let kept = head.target.raw().get(..start).unwrap_or_default();
    let edited = [kept.as_bytes(), &edits.apply(raw)].concat();
    // Only the query has changed, and what was put into it is plain: the target can be read as before. If it could not,
    // the whole query goes.
    let edited = String::from_utf8(edited).ok().and_then(|edited| Target::parse(&edited).ok());
    let path_alone = || Target::parse(kept.trim_end_matches('?')).ok();
    if let Some(target) = edited.or_else(path_alone) {
        head.target = target;
    }
    true
}
