//! Is it really gone? What leaves is looked into as far as somebody can: what nobody can look into proves nothing.

use super::Difference;
use crate::{
    json::{self, escape, unescape},
    payload::{form, read_form},
    rehearsal::Played,
};
use data_encoding::BASE64;
use serde_json::Value;

/// A body that leaves.
enum Content {
    Tree(Value),
    /// A form has names of its own for what is nested.
    Form(Value),
    Empty,
    /// What it is said to be.
    Opaque(String),
}

impl Content {
    fn of(content_type: &str, body: &[u8]) -> Self {
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if body.is_empty() {
            return Self::Empty;
        }
        if media == "application/x-www-form-urlencoded" {
            return read_form(body).map_or(Self::Opaque(media), |form| Self::Form(form.to_value()));
        }
        // Senders that call JSON something else, or nothing, mean it all the same.
        json::read(body).map_or(Self::Opaque(media), |node| Self::Tree(node.to_value()))
    }

    /// What stands there. `Err` if nobody can tell.
    fn find(&self, pointer: &str) -> Result<Option<&Value>, &str> {
        match self {
            Self::Tree(tree) => Ok(tree.pointer(pointer)),
            Self::Form(tree) => Ok(tree.pointer(pointer).or_else(|| tree.pointer(&nested(pointer)?))),
            Self::Empty => Ok(None),
            Self::Opaque(media) => Err(media),
        }
    }
}

/// `/customer[email]` as `/customer/email`.
fn nested(pointer: &str) -> Option<String> {
    let mut steps = String::new();
    for name in pointer.strip_prefix('/')?.split('/').map(unescape) {
        for step in form::steps(&name)? {
            let form::Step::Named(step) = step else { return None };
            steps.push('/');
            steps.push_str(&escape(&step));
        }
    }
    Some(steps)
}

/// What of these is there, or cannot be looked for. `event` is the document that leaves.
pub(super) fn differences(pointers: &[String], played: &Played, event: Option<&Value>) -> Vec<Difference> {
    let mut differences = Vec::new();
    if let Some(event) = event {
        let data = data(event, played);
        let at = |pointer: &str| match (event.pointer(pointer), pointer.strip_prefix("/data")) {
            (Some(found), _) => Ok(Some((format!("event{pointer}"), found))),
            (None, _) if is_attribute(pointer) => Ok(None),
            (None, Some(below)) if below.starts_with('/') => {
                data.find(below).map(|found| Some((format!("event{pointer}"), found?)))
            }
            // Whoever means the body and writes it as for a relay would never see it fail.
            (None, _) => data.find(pointer).map(|found| Some((format!("event/data{pointer}"), found?))),
        };
        differences.extend(pointers.iter().filter_map(|pointer| judged(at(pointer), &format!("event{pointer}"))));
    }
    if let Some(body) = &played.relayed {
        let content = Content::of(&played.relayed_type, body);
        let at = |pointer: &str| content.find(pointer).map(|found| Some((format!("relayed{pointer}"), found?)));
        differences.extend(pointers.iter().filter_map(|pointer| judged(at(pointer), &format!("relayed{pointer}"))));
    }
    differences
}

/// The body within an event.
fn data(event: &Value, played: &Played) -> Content {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    if text("specversion").is_none() {
        // Delivered as it came.
        let record = played.event.as_ref();
        return record.map_or(Content::Empty, |record| Content::of(&record.content_type, &record.payload));
    }
    match (event.get("data"), text("data_base64")) {
        (Some(data), _) => Content::Tree(data.clone()),
        (None, Some(coded)) => {
            let body = BASE64.decode(coded.as_bytes()).unwrap_or_default();
            Content::of(text("datacontenttype").unwrap_or_default(), &body)
        }
        (None, None) => Content::Empty,
    }
}

/// What an event says of itself, as CloudEvents and the gate name it; and whether there is a body at all.
fn is_attribute(pointer: &str) -> bool {
    let name = pointer.split('/').nth(1).unwrap_or_default();
    matches!(pointer, "/data" | "/data_base64")
        || name.starts_with("hw")
        || matches!(name, "dataschema" | "datacontenttype" | "subject")
}

fn judged(found: Result<Option<(String, &Value)>, &str>, place: &str) -> Option<Difference> {
    let expected = "nothing".to_owned();
    match found {
        Ok(None) => None,
        Ok(Some((what, found))) => Some(Difference { what, expected, found: found.to_string() }),
        Err(media) => {
            let what = place.to_owned();
            let found = format!(
                "a body of `{media}` that cannot be looked into; `absent` is for JSON and forms, so expect the whole body instead"
            );
            Some(Difference { what, expected, found })
        }
    }
}
