//! Whatever an entry can say, it cannot say nothing: every text of the whole catalogue, taken apart.

use hookwarden::{
    json::read_yaml,
    verify::{Catalogue, Provider},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Where nothing is something: what is sent, or held against what is sent.
fn may_be_empty(path: &str) -> bool {
    path.starts_with("/respond/") && path.ends_with("_body")
        || path.contains("/when/query/")
        || path.contains("/when/header/")
        || path.contains("/when/json/")
        || path.ends_with("/is")
        || path.ends_with("/prefix")
}

/// Every text of a tree: its pointer, and the same without numbers and names that a file chooses.
fn texts(value: &Value, pointer: &str, path: &str, found: &mut Vec<(String, String, String)>) {
    match value {
        Value::String(text) => found.push((pointer.to_owned(), path.to_owned(), text.clone())),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                texts(item, &format!("{pointer}/{at}"), path, found);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let step = name.replace('~', "~0").replace('/', "~1");
                texts(value, &format!("{pointer}/{step}"), &format!("{path}/{name}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every kind of text that stands in some entry, once: the entry, where it stands, and what it says.
fn each(mut visit: impl FnMut(&Value, &str, &str, &str)) -> usize {
    let mut seen = BTreeSet::new();
    for provider in Catalogue::embedded().iter() {
        let entry = read_yaml(&provider.text).unwrap().root.to_value();
        let mut found = Vec::new();
        texts(&entry, "", "", &mut found);
        for (pointer, path, text) in found {
            // Of two kinds of place at one key, both.
            let kind = text.split_once(':').map_or("", |(kind, _)| kind).to_owned();
            if seen.insert((path.clone(), kind)) {
                visit(&entry, &pointer, &path, &text);
            }
        }
    }
    seen.len()
}

fn with(entry: &Value, pointer: &str, text: &str) -> Result<Provider, Vec<String>> {
    let mut changed = entry.clone();
    *changed.pointer_mut(pointer).unwrap() = Value::from(text);
    // JSON is YAML.
    let read = Provider::from_yaml(&changed.to_string());
    read.map_err(|wrong| wrong.into_iter().map(|mistake| mistake.message).collect())
}

#[test]
fn no_text_is_nothing_or_no_text() {
    let held = each(|entry, pointer, path, _| {
        for bad in ["", " ", "\u{a0}", "a\u{0}b", "\u{7f}", &"a".repeat(5000)] {
            if bad.trim().is_empty() && may_be_empty(path) {
                continue;
            }
            assert!(with(entry, pointer, bad).is_err(), "{} {pointer} takes {bad:?}", entry["name"]);
        }
    });
    assert!(held > 100, "{held}");
}

#[test]
fn every_place_has_a_name_that_can_be_there() {
    let mut held = 0;
    each(|entry, pointer, path, text| {
        // A literal text, and what a page or a person says.
        let is_place = path.starts_with("/scheme") || path.starts_with("/event_type") || path.starts_with("/refers");
        if !is_place && !path.starts_with("/challenge") || path.ends_with("/prefix") {
            return;
        }
        let bad: &[&str] = match text.split_once(':') {
            Some(("header", _)) => &[
                "header:",
                "header: ",
                "header:A B",
                "header:X-\u{e9}",
                "header:Transfer-Encoding",
                "header:Content-Length",
            ],
            Some(("json", _)) => &["json:", "json:/", "json:/a//b", "json:id", "json:/a~b"],
            Some(("query", _)) => &["query:", "query: ", "query:a=b", "query:a&b"],
            Some(("form", _)) => &["form:", "form: ", "form:a "],
            Some(("kv", _)) => &["kv:", "kv: ", "kv:a=b"],
            Some(("config" | "config?", _)) => &["config:", "config: ", "config:a b", "config:a/b"],
            Some(("item", _)) => &["item:", "item:-1", "item:99"],
            Some(_) | None => &[],
        };
        for bad in bad {
            held += 1;
            assert!(with(entry, pointer, bad).is_err(), "{} {pointer} takes {bad:?}", entry["name"]);
        }
    });
    assert!(held > 100, "{held}");
}
