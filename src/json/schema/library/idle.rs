//! Words of a schema that check nothing: `requierd` would let everything pass, and nobody would see it.

use super::{Idle, Options, place};
use crate::json::{Node, escape, language::way_out};
use jsonschema::Draft;
use serde_json::Value;

pub(super) struct Search<'a> {
    text: &'a str,
    draft: Draft,
    options: &'a Options<'a>,
    pub(super) found: Vec<Idle>,
}

/// Where a keyword has schemas below it.
enum Below {
    One,
    List,
    Named,
}

/// Words that tell people something and are held against nothing, in any draft.
const ANNOTATIONS: [&str; 10] = [
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$vocabulary",
    "contentSchema",
];

/// What a slip of the pen can have meant.
const MEANT: [&str; 24] = [
    "type",
    "enum",
    "const",
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "required",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "multipleOf",
    "allOf",
    "anyOf",
    "oneOf",
    "$defs",
];

impl<'a> Search<'a> {
    pub(super) fn new(text: &'a str, draft: Draft, options: &'a Options<'a>) -> Self {
        Self { text, draft, options, found: Vec::new() }
    }

    /// Both are the same schema: the node knows its places.
    pub(super) fn schema(&mut self, node: &Node, value: &Value, pointer: &str) {
        for (keyword, value) in value.as_object().into_iter().flatten() {
            let step = format!("/{}", escape(keyword));
            let (Some(below), Some(named)) = (node.find(&step), node.name_of(keyword)) else { continue };
            let pointer = format!("{pointer}{step}");
            let known = self.draft.is_known_keyword(keyword) || ANNOTATIONS.contains(&keyword.as_str());
            if !known && !keyword.starts_with("x-") {
                let why = format!("`{keyword}` is no keyword of this draft{}", way_out(keyword, MEANT));
                self.idle(named.start, &pointer, why);
            }
            let format = value.as_str().filter(|_| keyword == "format");
            if let Some(format) = format.filter(|format| !self.options.is_known_format(self.draft, format)) {
                self.idle(below.at.start, &pointer, format!("no format `{format}` is known, so nothing is checked"));
            }
            let steps: Vec<(String, &Value)> = match below_keyword(keyword, value) {
                None => continue,
                Some(Below::One) => {
                    self.schema(below, value, &pointer);
                    continue;
                }
                Some(Below::List) => {
                    let items = value.as_array().into_iter().flatten();
                    items.enumerate().map(|(index, item)| (index.to_string(), item)).collect()
                }
                Some(Below::Named) => {
                    value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value)).collect()
                }
            };
            for (step, value) in steps {
                let step = format!("/{}", escape(&step));
                if let Some(node) = below.find(&step) {
                    self.schema(node, value, &format!("{pointer}{step}"));
                }
            }
        }
    }

    fn idle(&mut self, at: usize, pointer: &str, why: String) {
        let place = place(self.text, at);
        self.found.push(Idle { place, pointer: pointer.to_owned(), why });
    }
}

fn below_keyword(keyword: &str, value: &Value) -> Option<Below> {
    match keyword {
        "additionalProperties"
        | "unevaluatedProperties"
        | "propertyNames"
        | "additionalItems"
        | "unevaluatedItems"
        | "contains"
        | "not"
        | "if"
        | "then"
        | "else" => Some(Below::One),
        "items" => Some(if value.is_array() { Below::List } else { Below::One }),
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Some(Below::List),
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies" => {
            Some(Below::Named)
        }
        _ => None,
    }
}
