//! What does each key mean, and what holds where it is absent? The words stand beside the keys, in `text/`; here they
//! become the tables of `policies/README.md`.

use super::{
    flow::flow,
    language::{ABSENT, LanguageOf, schema},
};
use serde_json::Value;
use std::fmt::Write as _;

/// One key that has a value of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// As documentation writes it: `limits.per_address`, `keys.NAME[].id`.
    pub name: String,
    /// What holds where it is absent; `None` is a gap in the language's own words, which a test finds.
    pub absent: Option<Absent>,
    /// What it says.
    pub meaning: String,
    /// Where a reader looks for it.
    pub table: Table,
}

/// What holds where a key is absent.
#[derive(Clone, Debug, PartialEq)]
pub enum Absent {
    /// It must be said.
    Refused,
    /// As if this were written.
    Default(Value),
    /// What no value could say.
    Words(String),
}

/// Keys that are looked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// What the platform team decides, and whatever has no other table.
    Gate,
    /// Limits in front of every route.
    Edge,
    /// What joins the parts of a policy of many files.
    Files,
    /// What a route and a class say.
    Routes,
    /// What is tried before it enforces.
    Rollout,
    /// What differs per stage.
    Stage,
    /// What stands in `*.test.yaml`.
    Tests,
    /// What stands in `providers/NAME.yaml`.
    Providers,
}

impl Table {
    /// In the order in which a newcomer needs them.
    pub const ALL: [Self; 8] =
        [Self::Gate, Self::Edge, Self::Files, Self::Routes, Self::Rollout, Self::Stage, Self::Tests, Self::Providers];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Gate => "The whole gate",
            Self::Edge => "Limits of connections and requests",
            Self::Files => "Many files",
            Self::Routes => "Routes",
            Self::Rollout => "Trying before enforcing",
            Self::Stage => "Keys, issuers and destinations",
            Self::Tests => "Tests",
            Self::Providers => "Senders",
        }
    }

    /// Keys that are new to the language are in a table without a word here.
    fn of(name: &str, within: Self) -> Self {
        match name.split(['.', '[']).next() {
            _ if matches!(within, Self::Tests | Self::Providers) => within,
            Some("edge") => Self::Edge,
            Some("classes" | "floor" | "class" | "exception") => Self::Files,
            Some("rollout") => Self::Rollout,
            Some("keys" | "destinations" | "issuers" | "identity") => Self::Stage,
            _ => within,
        }
    }

    /// The table, in Markdown.
    pub fn markdown(self) -> String {
        let mut table = "| key | default | meaning |\n|---|---|---|\n".to_owned();
        for Key { name, absent, meaning, .. } in keys().into_iter().filter(|key| key.table == self) {
            let absent = match absent {
                Some(Absent::Refused) => "must be said".to_owned(),
                Some(Absent::Default(value)) => format!("`{}`", flow(&value)),
                Some(Absent::Words(words)) => words,
                None => String::new(),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(table, "| `{name}` | {absent} | {meaning} |");
        }
        table
    }
}

/// Every key that has a value of its own, by name; those of a route and of a case without the names above them.
pub fn keys() -> Vec<Key> {
    let mut keys = Vec::new();
    walk(&schema(LanguageOf::Gate), "", Table::Gate, None, &mut keys);
    walk(&schema(LanguageOf::Tests), "", Table::Tests, None, &mut keys);
    walk(&schema(LanguageOf::Providers), "", Table::Providers, None, &mut keys);
    keys
}

/// The key that this is the schema of, if it has a value of its own, and those below it.
fn walk(schema: &Value, name: &str, within: Table, absent: Option<&Absent>, keys: &mut Vec<Key>) {
    let key = || Key {
        name: name.to_owned(),
        absent: absent.cloned(),
        meaning: meaning(schema),
        table: Table::of(name, within),
    };
    if let Some(members) = part(schema, "/properties").as_object() {
        let required =
            |name: &str| part(schema, "/required").as_array().is_some_and(|keys| keys.contains(&name.into()));
        for (member, schema) in members {
            let name = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
            // What must be said of something that may be absent may be absent with it.
            let unsaid = || required(member).then(|| absent.cloned().unwrap_or(Absent::Refused));
            walk(schema, &name, within, stated(schema).or_else(unsaid).as_ref(), keys);
        }
    } else if part(schema, "/additionalProperties").is_object() {
        keys.push(key());
        match name {
            // A route is named in its own words alone; a class says nothing that a route could not.
            "routes" => walk(part(schema, "/additionalProperties"), "", Table::Routes, None, keys),
            "classes" => {}
            // What stands under each name is one value, which the key has told already.
            _ if part(schema, "/additionalProperties/type") == "string" => {}
            _ => walk(part(schema, "/additionalProperties"), &format!("{name}{NAMED}"), within, None, keys),
        }
    } else if part(schema, "/items/properties").is_object() {
        if !name.ends_with(NAMED) {
            keys.push(key());
        }
        let below = if (name, within) == ("cases", Table::Tests) { String::new() } else { format!("{name}[]") };
        walk(part(schema, "/items"), &below, within, None, keys);
    } else {
        keys.push(key());
    }
}

/// Stands for whatever a policy calls it.
const NAMED: &str = ".NAME";

fn part<'s>(schema: &'s Value, pointer: &str) -> &'s Value {
    schema.pointer(pointer).unwrap_or(&Value::Null)
}

fn stated(schema: &Value) -> Option<Absent> {
    let words = || schema.get(ABSENT).and_then(Value::as_str).map(|words| Absent::Words(words.to_owned()));
    schema.get("default").map(|value| Absent::Default(value.clone())).or_else(words)
}

/// Its own words, and what they leave out of the words and numbers that can be written.
fn meaning(schema: &Value) -> String {
    let mut meaning = part(schema, "/description").as_str().unwrap_or_default().replace('|', "\\|");
    let words = part(schema, "/enum").as_array().or_else(|| part(schema, "/items/enum").as_array());
    let words: Vec<_> = words.into_iter().flatten().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
    if words.iter().any(|word| !meaning.contains(word.as_str())) {
        meaning += &format!(" Words: {}.", words.join(", "));
    }
    if let (Some(least), Some(most)) = (part(schema, "/minimum").as_u64(), part(schema, "/maximum").as_u64()) {
        meaning += &format!(" From {least} to {most}.");
    }
    meaning
}
