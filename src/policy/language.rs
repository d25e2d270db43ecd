//! What can be written in each kind of file? The types in `text/` say it; here it becomes a JSON Schema, for whoever
//! writes a file with an editor.

use super::{
    cases,
    flow::flow,
    text::{EnvText, GateText, RoutesText},
};
use crate::{
    json::language::{MEANT, WRITTEN, schema_of},
    verify::catalogue,
};
use serde_json::{Map, Value};

/// Each kind of file has a language of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanguageOf {
    /// `gate.yaml`, which can say everything.
    Gate,
    /// `routes/*.yaml`.
    Routes,
    /// `env/NAME.yaml`.
    Env,
    /// `*.test.yaml`.
    Tests,
    /// `providers/NAME.yaml`.
    Providers,
}

/// The language of one kind of file as a JSON Schema, for editors.
pub fn language(of: LanguageOf) -> serde_json::Value {
    for_editors(schema(of))
}

/// The same in the words that stand beside its keys.
pub(super) fn schema(of: LanguageOf) -> serde_json::Value {
    match of {
        LanguageOf::Gate => schema_of::<GateText>(),
        LanguageOf::Routes => schema_of::<RoutesText>(),
        LanguageOf::Env => schema_of::<EnvText>(),
        LanguageOf::Tests => cases::language(),
        LanguageOf::Providers => catalogue::text::language(),
    }
}

/// A keyword of our own in the language's schema: what holds without the key, where no value says it.
pub(super) const ABSENT: &str = "x-absent";

/// What editors need beside the schema that a file is held against: they show Markdown, and say nothing of what holds
/// without a key unless it is said there.
fn for_editors(mut schema: Value) -> Value {
    explain(&mut schema);
    schema
}

fn explain(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(explain);
            if members.get("description").is_some_and(Value::is_string) {
                let shown = shown(members);
                members.insert("markdownDescription".to_owned(), shown.into());
            }
            [ABSENT, WRITTEN, MEANT].iter().for_each(|own| drop(members.remove(*own)));
        }
        Value::Array(items) => items.iter_mut().for_each(explain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn shown(schema: &Map<String, Value>) -> String {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    let description = text("description").unwrap_or_default();
    match (schema.get("default"), text(ABSENT)) {
        (Some(default), _) => format!("{description}\n\nDefault: `{}`", flow(default)),
        (None, Some(words)) => format!("{description}\n\nDefault: {words}"),
        (None, None) => description.to_owned(),
    }
}
