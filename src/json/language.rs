//! A language that people write in YAML: one Rust type, from which its JSON Schema follows, and plain words for what
//! does not fit it, so that the next try does.
//!
//! Two rules keep the words plain: no enum of a text type has data (that would be "fits none of these four"), and no
//! enum's variant has a doc comment (that would make it a choice between schemas).

use super::{Document, Kind, Mistake, Node, Schema, Wrong, escape};
use jsonschema::{
    JsonType,
    error::{TypeKind, ValidationErrorKind},
};
use schemars::{JsonSchema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::Value;

/// A language, ready to be held against a tree.
#[derive(Debug)]
pub struct Language {
    schema: Schema,
    text: Value,
    hints: Vec<Hint>,
}

/// A key or word that is none here, and what to tell whoever writes it instead of the nearest one that is.
pub type Hint = (&'static str, &'static str);

impl Language {
    /// The language of `T`.
    ///
    /// # Errors
    /// The schema of `T` does not compile: a fault of ours, without a place in any file.
    pub fn of<T: JsonSchema>() -> Result<Self, Wrong> {
        let text = schema_of::<T>();
        let broken = |why| Wrong::new(0..0, format!("the language itself is broken: {why}"));
        Ok(Self { schema: Schema::compile(&text).map_err(broken)?, text, hints: Vec::new() })
    }

    /// Keys and words that belong elsewhere, or to another version: they are refused as such, and not as slips of the
    /// pen.
    #[must_use]
    pub fn with_hints<'h>(self, hints: impl IntoIterator<Item = &'h Hint>) -> Self {
        Self { hints: hints.into_iter().copied().collect(), ..self }
    }

    /// Whether this value is in the language.
    pub fn admits(&self, node: &Node) -> bool {
        self.schema.admits(node)
    }

    /// Everything in this file that is not in the language.
    pub fn check(&self, document: &Document) -> Vec<Wrong> {
        let mistakes = self.schema.mistakes(&document.root).flat_map(|mistake| self.word(&mistake, document));
        document.repeated().iter().cloned().chain(mistakes).collect()
    }

    fn word(&self, mistake: &Mistake, document: &Document) -> Vec<Wrong> {
        let Some(node) = document.root.find(&mistake.pointer) else {
            return Vec::new();
        };
        let due = self.around(&mistake.keyword);
        let message = match &mistake.kind {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                return unexpected.iter().map(|name| self.unknown(name, node, due, document)).collect();
            }
            ValidationErrorKind::Required { property } => {
                let property = property.as_str().unwrap_or_default();
                if is_slip_of(property, node, due) {
                    return Vec::new(); // told where it stands
                }
                format!("`{property}` is missing")
            }
            ValidationErrorKind::Enum { options } => {
                let words: Vec<_> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                match node.text() {
                    Some(written) => self
                        .hint(written)
                        .unwrap_or_else(|| format!("unknown word `{written}`{}", way_out(written, words))),
                    None => format!("needs one of {}, not {}", listed(&words, ", "), found(node)),
                }
            }
            // Where words are due, those are told.
            ValidationErrorKind::Type { .. } if due.get("enum").is_some() => return Vec::new(),
            ValidationErrorKind::Type { kind: TypeKind::Single(JsonType::Integer) }
                if matches!(node.kind, Kind::Number(_)) =>
            {
                "needs a whole number, not a fraction".to_owned()
            }
            ValidationErrorKind::Type { kind: TypeKind::Single(wanted) } => {
                format!("needs {}{}, not {}", called(*wanted), example_for(*wanted, due, node), found(node))
            }
            ValidationErrorKind::Pattern { .. } if due.get("writeOnly").is_some() => {
                format!("a secret does not stand here; write where it is,{}", example(due))
            }
            ValidationErrorKind::Pattern { .. } => {
                let written = node.text().unwrap_or_default();
                format!("cannot read `{written}`; write something{}{}", example(due), units(due))
            }
            ValidationErrorKind::Minimum { limit } => format!("needs {limit} at least"),
            ValidationErrorKind::Maximum { limit } => format!("needs {limit} at most"),
            other => format!("does not satisfy `{}`", other.keyword()),
        };
        let place = match &mistake.kind {
            ValidationErrorKind::Required { .. } => document.place(node),
            _ => document.form(node),
        };
        vec![Wrong::new(place, message)]
    }

    /// The part of the schema that the keyword at this pointer belongs to.
    fn around(&self, keyword: &str) -> &Value {
        let (parent, _) = keyword.rsplit_once('/').unwrap_or_default();
        self.text.pointer(parent).unwrap_or(&Value::Null)
    }

    fn unknown(&self, name: &str, node: &Node, due: &Value, document: &Document) -> Wrong {
        let value = node.find(&format!("/{}", escape(name)));
        let place = value.and_then(|value| document.name(value)).unwrap_or_else(|| document.place(node));
        if let Some(hint) = self.hint(name) {
            return Wrong::new(place, hint);
        }
        let known = due.get("properties").and_then(Value::as_object).into_iter().flatten();
        let known: Vec<_> = known.map(|(name, _)| name.as_str()).collect();
        Wrong::new(place, format!("unknown key `{name}`{}", way_out(name, known)))
    }

    fn hint(&self, word: &str) -> Option<String> {
        let (_, hint) = self.hints.iter().find(|(known, _)| *known == word)?;
        Some(format!("`{word}` {hint}"))
    }
}

/// Whether some name here is a slip of the pen for this one.
fn is_slip_of(property: &str, node: &Node, due: &Value) -> bool {
    let known = due.get("properties").and_then(Value::as_object);
    let known = || known.into_iter().flatten().map(|(name, _)| name.as_str());
    let mut unknown = node.members().filter(|(name, _)| !known().any(|known| known == name.as_str()));
    unknown.any(|(name, _)| nearest(name, known()) == Some(property))
}

/// ", with one of `ms`, `s`, `m`, `h`, `d`", if texts of this kind end with a unit.
fn units(due: &Value) -> String {
    let pattern = due.get("pattern").and_then(Value::as_str).and_then(|pattern| pattern.strip_suffix(")$"));
    let units: Vec<_> =
        pattern.and_then(|pattern| pattern.rsplit('(').next()).into_iter().flat_map(|units| units.split('|')).collect();
    let are_words = units.len() > 1 && units.iter().all(|unit| unit.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if are_words { format!(", with one of {}", listed(&units, ", ")) } else { String::new() }
}

/// " such as `10m` or `72h`", if the language has examples.
fn example(due: &Value) -> String {
    let examples = due.get("examples").and_then(Value::as_array).into_iter().flatten();
    let examples: Vec<_> = examples.filter_map(Value::as_str).collect();
    if examples.is_empty() { String::new() } else { format!(" such as {}", listed(&examples, " or ")) }
}

/// Of a value with parts, how it is written; of a list, with the text that was written in its place.
fn example_for(wanted: JsonType, due: &Value, node: &Node) -> String {
    match (wanted, node.text()) {
        (JsonType::Object, text) => {
            let required = due.get("required").and_then(Value::as_array).into_iter().flatten();
            let required: Vec<_> = required.filter_map(Value::as_str).collect();
            let keys = (!required.is_empty()).then(|| listed(&required, " and "));
            let example = written(due, text).map(|written| format!("`{written}`")).or(keys);
            example.map(|example| format!(" such as {example}")).unwrap_or_default()
        }
        (JsonType::Array, Some(text)) if due.pointer("/items/type").is_some_and(|of| of == "string") => {
            format!(" such as `[{text}]`")
        }
        // A number where a text is due only lacks its quotation marks.
        (JsonType::String, _) if example(due).is_empty() && due.get("writeOnly").is_none() => match &node.kind {
            Kind::Number(number) => format!(" such as `\"{number}\"`"),
            Kind::Bool(flag) => format!(" such as `\"{flag}\"`"),
            Kind::Null | Kind::String(_) | Kind::Array(_) | Kind::Object(_) => String::new(),
        },
        (JsonType::Array, text) => match due.get("items").and_then(|item| written(item, text)) {
            Some(written) => format!(" such as `[{written}]`"),
            None => example(due),
        },
        _ => example(due),
    }
}

/// A keyword of our own: how a value with keys is written, where somebody wrote something else.
pub const WRITTEN: &str = "x-written";
/// Another: the one key that a text in the place of such a value is probably meant for.
pub const MEANT: &str = "x-meant";

/// With the words of whoever wrote it, where it is likely what they mean.
fn written(due: &Value, text: Option<&str>) -> Option<String> {
    let keyword = |name| due.get(name).and_then(Value::as_str);
    let meant = keyword(MEANT).zip(text).and_then(|(key, text)| {
        let text = if key == "path" { path_of(text)? } else { text };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_.-@".contains(&byte);
        let is_usual = |byte: u8| is_plain(byte) || b":?=&%+~[]".contains(&byte);
        // A password in a URL is hidden in the report, and not repeated in its message.
        let is_secret = text.contains("://") && text.contains('@');
        let fits = !text.is_empty() && !is_secret && text.len() <= MEANT_MAX_BYTES && text.bytes().all(is_usual);
        let value = if text.bytes().all(is_plain) { text.to_owned() } else { format!("\"{text}\"") };
        fits.then(|| format!("{{ {key}: {value} }}"))
    });
    meant.or_else(|| keyword(WRITTEN).map(str::to_owned))
}

/// What is longer is not repeated in a message.
const MEANT_MAX_BYTES: usize = 80;

/// The path of a path, or of a URL.
pub fn path_of(text: &str) -> Option<&str> {
    let rest = match text.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..))?,
        None => text,
    };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    path.starts_with('/').then_some(path)
}

fn called(wanted: JsonType) -> &'static str {
    match wanted {
        JsonType::Array => "a list",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Integer | JsonType::Number => "a number",
        JsonType::Null => "nothing",
        JsonType::Object => "keys with values",
        JsonType::String => "a text",
    }
}

fn found(node: &Node) -> &'static str {
    match node.kind {
        Kind::Null => "nothing",
        Kind::Bool(_) => "`true` or `false`",
        Kind::Number(_) => "a number",
        Kind::String(_) => "a text",
        Kind::Array(_) => "a list",
        Kind::Object(_) => "keys with values",
    }
}

/// "; did you mean `mode`?" if something known is near, else what is known.
pub fn way_out<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<_> = known.into_iter().collect();
    match nearest(written, known.iter().copied()) {
        _ if known.is_empty() => "; there are none here".to_owned(),
        Some(name) => format!("; did you mean `{name}`?"),
        None => format!("; known here: {}", listed(&known, ", ")),
    }
}

/// What was meant, probably.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.into_iter().map(|name| (strsim::jaro_winkler(written, name), name));
    let nearest = known.max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.filter(|(nearness, _)| *nearness > NEAR).map(|(_, name)| name)
}

/// Below it, suggestions puzzle more than they help.
const NEAR: f64 = 0.8;

/// Each in backticks.
pub fn listed(names: &[&str], between: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}

/// The JSON Schema of one of these types, in one piece: without `$ref`, a mistake's place in the schema is where the
/// words for its message are. What may be absent may not be empty instead.
pub fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(RecursiveTransform(plain))
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// A key without a value is more often a slip of the editor than a wish for the default; and where a line of the source
/// ends is no part of what it says.
fn plain(schema: &mut schemars::Schema) {
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(types @ Value::Array(_)) = schema.get_mut("type")
        && let Some(only) = types.get(0).cloned()
    {
        *types = only;
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}
