//! Can a document that fits a schema have a value there? A rule for a place that cannot be is a slip of the pen, and
//! what it should have taken out goes on.

use serde_json::Value;

/// References in a row; a schema may go round in a circle.
const REFERENCES_MAX: usize = 32;

/// `false` only where the schema is sure: on the way there is an object that has no such member and forbids others.
/// What `patternProperties`, other files or several schemas at once would say is not followed.
pub fn may_exist(schema: &Value, steps: &[String], same: fn(&str, &str) -> bool) -> bool {
    exists(schema, schema, steps, same, REFERENCES_MAX)
}

fn exists(root: &Value, schema: &Value, steps: &[String], same: fn(&str, &str) -> bool, left: usize) -> bool {
    let Some((step, rest)) = steps.split_first() else { return schema != &Value::Bool(false) };
    let Some(members) = schema.as_object() else { return schema != &Value::Bool(false) };
    if let Some(reference) = members.get("$ref") {
        let target =
            reference.as_str().and_then(|reference| reference.strip_prefix('#')).and_then(|at| root.pointer(at));
        return match (target, left.checked_sub(1)) {
            (Some(target), Some(left)) => exists(root, target, steps, same, left),
            (_, _) => true,
        };
    }
    let named = members.get("properties").and_then(Value::as_object).into_iter().flatten();
    let mut named = named.filter(|(name, _)| same(step, name)).map(|(_, schema)| schema).peekable();
    if named.peek().is_some() {
        return named.any(|schema| exists(root, schema, rest, same, left));
    }
    let open = ["patternProperties", "items", "prefixItems", "contains"];
    if open.iter().any(|keyword| members.contains_key(*keyword)) {
        return true;
    }
    match members.get("additionalProperties") {
        Some(Value::Bool(false)) => false,
        Some(schema) => exists(root, schema, rest, same, left),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn may(schema: &Value, pointer: &str) -> bool {
        let steps: Vec<_> = pointer.split('/').skip(1).map(str::to_owned).collect();
        may_exist(schema, &steps, str::eq_ignore_ascii_case)
    }

    #[test]
    fn a_place_that_the_schema_closes_cannot_be() {
        let schema = json!({
            "properties": {
                "closed": { "properties": { "email": {} }, "additionalProperties": false },
                "open": { "properties": { "email": {} } },
                "list": { "items": { "properties": { "a": {} }, "additionalProperties": false } },
                "again": { "$ref": "#/$defs/closed" },
                "never": false,
                "round": { "$ref": "#/$defs/round" },
            },
            "additionalProperties": { "properties": { "x": {} }, "additionalProperties": false },
            "$defs": { "closed": { "additionalProperties": false }, "round": { "$ref": "#/$defs/round" } },
        });
        for pointer in ["/closed/email", "/closed/EMAIL", "/open/other", "/list/0/b", "/round/a", "/other/x", "/closed"]
        {
            assert!(may(&schema, pointer), "{pointer}");
        }
        for pointer in ["/closed/phone", "/again/a", "/never", "/other/y"] {
            assert!(!may(&schema, pointer), "{pointer}");
        }
    }
}
