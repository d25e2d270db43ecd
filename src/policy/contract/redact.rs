//! Which places of a route's requests must not go further.

use super::{
    Tell,
    text::{HowText, RedactText},
    wrong,
};
use crate::{
    json::{Path, language::listed, schema::reach::may_exist, unescape},
    payload::{
        form,
        redact::{How, Place, Rule, names},
    },
};
use http::HeaderName;
use serde_json::Value;
use std::cmp::Reverse;

/// The rules that are in order. `schemas` are those of which every document satisfies one.
pub(super) fn rules(texts: &[RedactText], schemas: &[&Value], tell: Tell<'_>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let pointer = format!("/redact/{index}");
        let how = how(text, &pointer, tell);
        let Some((words, place)) = place(text, &pointer, tell) else { continue };
        if let Place::Pointer(steps) = &place
            && !schemas.is_empty()
            && !schemas.iter().any(|schema| may_exist(schema, steps, names::alike))
        {
            let message = format!("the schema says that there is no `{words}`, so this would take out nothing");
            wrong(tell, format!("{pointer}/{}", key(text)), message);
        }
        if rules.iter().any(|rule| rule.words == words) {
            wrong(tell, format!("{pointer}/{}", key(text)), "a rule above is for this place; leave one of the two out");
        }
        rules.extend(how.map(|how| Rule { words, place, how }));
    }
    rules
}

pub(super) fn looks_into_body(rule: &Rule) -> bool {
    match rule.place {
        Place::Pointer(_) | Place::Path(_) | Place::Name(_) => true,
        Place::Header(_) | Place::Query(_) => false,
    }
}

/// The one key that names the place.
fn key(text: &RedactText) -> &'static str {
    written(text).first().map_or("as", |(key, _)| key)
}

fn written(text: &RedactText) -> Vec<(&'static str, &str)> {
    let keys = [
        ("at", &text.at),
        ("name", &text.name),
        ("field", &text.field),
        ("header", &text.header),
        ("query", &text.query),
    ];
    keys.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?))).collect()
}

fn how(text: &RedactText, pointer: &str, tell: Tell<'_>) -> Option<How> {
    let how = match (text.how, text.characters) {
        (HowText::Truncate, Some(length)) => How::Truncate(Reverse(length)),
        (HowText::Truncate, None) => {
            wrong(tell, format!("{pointer}/as"), "how much stays? write it, as in `characters: 4`");
            return None;
        }
        (HowText::Drop, _) => How::Drop,
        (HowText::Mask, _) => How::Mask,
        (HowText::Pseudonym, _) => How::Pseudonym,
    };
    if text.characters.is_some() && text.how != HowText::Truncate {
        wrong(tell, format!("{pointer}/characters"), "only what is truncated has some left; leave this out");
    }
    Some(how)
}

/// The policy's words for the place, and the place.
fn place(text: &RedactText, pointer: &str, tell: Tell<'_>) -> Option<(String, Place)> {
    let written = written(text);
    let [(key, value)] = written.as_slice() else {
        let keys: Vec<_> = written.iter().map(|(key, _)| *key).collect();
        let message = match keys.as_slice() {
            [] => "which place? write one of `at`, `name`, `field`, `header`, `query`".to_owned(),
            keys => format!("one rule is for one place, and here are {}; make a rule of each", listed(keys, " and ")),
        };
        wrong(tell, pointer, message);
        return None;
    };
    let place = match *key {
        "at" => at(value),
        "name" if value.is_empty() => Err("which name? an empty one has no member".to_owned()),
        "name" => Ok(Place::Name((*value).to_owned())),
        "field" => field(value),
        "header" => header(value),
        _ if value.is_empty() => Err("which parameter? an empty name has none".to_owned()),
        _ => Ok(Place::Query(value.replace([' ', '.'], "_"))),
    };
    let place = place.map_err(|why| wrong(tell, format!("{pointer}/{key}"), why)).ok()?;
    let words = if *key == "at" { (*value).to_owned() } else { format!("{key}:{value}") };
    Some((words, place))
}

fn at(text: &str) -> Result<Place, String> {
    if text.starts_with('$') {
        let path = Path::parse(text).map_err(|bad| {
            let character = text.get(..bad.at).unwrap_or(text).chars().count() + 1;
            format!("not a JSONPath, at its character {character}: {bad}")
        })?;
        if path.is_root() {
            return Err("this is the whole document, and nothing would be left; name a place in it".to_owned());
        }
        return Ok(Place::Path(path));
    }
    let steps =
        pointer(text).ok_or("write a JSON Pointer such as `/customer/email`, or a JSONPath such as `$..email`")?;
    steps.map(Place::Pointer).map_err(str::to_owned)
}

/// The steps of a JSON Pointer, or why it is a wrong one; `None` if it is none at all.
pub(super) fn pointer(text: &str) -> Option<Result<Vec<String>, &'static str>> {
    let steps = text.strip_prefix('/')?;
    if steps.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
        return Some(Err("in a JSON Pointer `~` is written `~0`, and `/` in a name `~1`"));
    }
    Some(Ok(steps.split('/').map(unescape).collect()))
}

/// A form's field is a place in its tree, as PHP builds it.
fn field(text: &str) -> Result<Place, String> {
    let steps =
        form::steps(text).ok_or("no form has such a field; write a name such as `email` or `customer[email]`")?;
    let named = steps.into_iter().map(|step| match step {
        form::Step::Named(name) => Ok(name),
        form::Step::Next => Err("which of them? write the array's name alone to mean all, or an index".to_owned()),
    });
    named.collect::<Result<_, _>>().map(Place::Pointer)
}

fn header(text: &str) -> Result<Place, String> {
    let name: HeaderName =
        text.parse().map_err(|_| "no header has such a name; write something such as `X-Customer-Email`".to_owned())?;
    if name == http::header::CONTENT_TYPE {
        return Err("without its content type nobody could read the body; leave this out".to_owned());
    }
    Ok(Place::Header(name))
}
