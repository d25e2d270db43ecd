//! Why does a text not compile as a JSON Schema, in words that help whoever wrote it? For the mistakes that people make;
//! of any other one the library's own words have to do.

use crate::json::language::{listed, nearest, way_out};
use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;

/// What `$schema` may say.
const DRAFTS: [&str; 5] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-04/schema#",
];

/// What `type` may say.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// What is wrong with a draft that nobody knows.
pub(super) fn draft(schema: &Value) -> Option<String> {
    let written = schema.get("$schema")?.as_str()?;
    let plain = |uri: &str| uri.trim_end_matches('#').replacen("https://", "http://", 1);
    if DRAFTS.iter().any(|draft| plain(draft) == plain(written)) {
        return None;
    }
    let way_out = match nearest(written, DRAFTS) {
        Some(draft) => format!("; did you mean `{draft}`?"),
        None => format!("; known are {}", listed(&DRAFTS, ", ")),
    };
    Some(format!("unknown draft `{written}` in `$schema`{way_out}"))
}

/// Where it does not compile, as a JSON Pointer, and why.
pub(super) fn why(error: &ValidationError<'_>) -> (String, String) {
    let pointer = error.instance_path().as_str().to_owned();
    let said = error.instance();
    let why = match error.kind() {
        ValidationErrorKind::Format { format } if format == "regex" => said.as_str().map(pattern),
        _ if pointer.ends_with("/type") => unknown_type(said),
        _ => None,
    };
    (pointer, why.unwrap_or_else(|| format!("not a JSON Schema: {error}")))
}

/// What is wrong with a pattern. Some are in order elsewhere, and cannot be had here.
fn pattern(written: &str) -> String {
    let linear = |what: &str| {
        format!(
            "the pattern `{written}` has {what}, and patterns are matched in linear time, without any; write one that says it \
             otherwise, or leave it out"
        )
    };
    match regex::Regex::new(written) {
        Err(error) if error.to_string().contains("look-around") => linear("a look-around"),
        Err(error) if error.to_string().contains("backreference") => linear("a backreference"),
        Err(error) => {
            let told = error.to_string();
            let told = told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("`{written}` is no regular expression: {told}")
        }
        Ok(_) => format!("`{written}` is no regular expression"),
    }
}

fn unknown_type(said: &Value) -> Option<String> {
    let items = said.as_array().map_or(std::slice::from_ref(said), Vec::as_slice);
    let unknown = items.iter().filter_map(Value::as_str).find(|word| !TYPES.contains(word))?;
    Some(format!("unknown type `{unknown}`{}", way_out(unknown, TYPES)))
}

#[cfg(test)]
mod tests {
    use crate::json::schema::{BadSchema, Schema};
    use serde_json::{Value, json};

    /// Where, and why.
    fn told(schema: &Value) -> (String, String) {
        match Schema::compile(schema) {
            Err(BadSchema::Invalid { pointer, why }) => (pointer, why),
            other => panic!("{schema}: {other:?}"),
        }
    }

    #[test]
    fn a_type_that_is_none_is_told_with_the_nearest_one() {
        let of = |word: Value| told(&json!({ "properties": { "a": { "type": word } } }));
        let place = "/properties/a/type".to_owned();
        let strin = "unknown type `strin`; did you mean `string`?".to_owned();
        assert_eq!(of(json!("strin")), (place.clone(), strin.clone()));
        assert_eq!(of(json!(["null", "strin"])), (place, strin));
        assert!(of(json!("text")).1.starts_with("unknown type `text`; known here: `array`,"));
        assert!(of(json!(1)).1.starts_with("not a JSON Schema: 1 is not"), "{}", of(json!(1)).1);
    }

    #[test]
    fn a_pattern_says_what_cannot_be_had_in_linear_time() {
        let of = |pattern: &str| told(&json!({ "pattern": pattern })).1;
        for (pattern, what) in
            [(r"(a)\1", "a backreference"), ("(?=a)b", "a look-around"), ("(?<!a)b", "a look-around")]
        {
            let expected =
                format!("the pattern `{pattern}` has {what}, and patterns are matched in linear time, without any; ");
            assert!(of(pattern).starts_with(&expected), "{}", of(pattern));
        }
        assert_eq!(of("(a"), "`(a` is no regular expression: unclosed group");
    }

    #[test]
    fn a_draft_that_nobody_knows_is_told_with_those_that_are() {
        let of = |uri: &str| told(&json!({ "$schema": uri }));
        let (place, why) = of("https://json-schema.org/draft/2021-12/schema");
        assert_eq!(place, "/$schema");
        assert!(why.ends_with("; did you mean `https://json-schema.org/draft/2020-12/schema`?"), "{why}");
        let (_, why) = of("urn:mine");
        assert!(why.starts_with("unknown draft `urn:mine` in `$schema`; known are `https://"), "{why}");
        for draft in super::DRAFTS {
            assert!(Schema::compile(&json!({ "$schema": draft })).is_ok(), "{draft}");
        }
    }
}
