//! JSON Pointers (RFC 6901) as people write them into a policy or an entry.

use super::unescape;
use serde_json::{Map, Value};

/// Writes a value where a pointer says, and what has to be above it: lists for numbers, unless there is an object already.
pub fn put(root: &mut Value, pointer: &str, leaf: Value) {
    let mut node = root;
    for step in pointer.split('/').skip(1).map(unescape) {
        // Longer lists are none that anybody writes by hand.
        let index = step.parse::<usize>().ok().filter(|index| *index < 100 && !node.is_object());
        node = if let Some(index) = index {
            if !node.is_array() {
                *node = Value::Array(Vec::new());
            }
            let Value::Array(items) = node else { return };
            if items.len() <= index {
                items.resize(index + 1, Value::Null);
            }
            let Some(item) = items.get_mut(index) else { return };
            item
        } else {
            if !node.is_object() {
                *node = Value::Object(Map::new());
            }
            let Value::Object(members) = node else { return };
            members.entry(step).or_insert(Value::Null)
        };
    }
    *node = leaf;
}

/// Why this is none, with what to write instead. The whole document has no name here, and a step without one is a slip.
pub fn pointer_mistake(text: &str) -> Option<String> {
    let Some(steps) = text.strip_prefix('/') else {
        let bare = text.trim_start_matches(['$', '.', '#']).trim();
        let steps = bare.replace('.', "/");
        let example = if is_plain(&steps) { format!("/{}", steps.trim_start_matches('/')) } else { "/id".to_owned() };
        return Some(format!("`{text}` is no JSON Pointer; write something such as `{example}`"));
    };
    if steps.split('/').any(|step| step.trim().is_empty()) {
        return Some(format!("a step of `{text}` has no name; write something such as `/data/id`"));
    }
    let odd = |(at, _): (usize, &str)| !steps.get(at + 1..).is_some_and(|rest| rest.starts_with(['0', '1']));
    if steps.match_indices('~').any(odd) {
        return Some(format!("in `{text}` a `~` is written `~0`, and a `/` within a name `~1`"));
    }
    None
}

fn is_plain(steps: &str) -> bool {
    !steps.is_empty() && steps.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_put_where_its_pointer_says() {
        for (pointer, expected) in [
            ("/id", r#"{"id":1}"#),
            ("/data/a~1b", r#"{"data":{"a/b":1}}"#),
            ("/0/id", r#"[{"id":1}]"#),
            ("/items/1", r#"{"items":[null,1]}"#),
            ("/4711", r#"{"4711":1}"#),
        ] {
            let mut root = Value::Null;
            put(&mut root, pointer, 1.into());
            assert_eq!(root.to_string(), expected, "{pointer}");
        }
        let mut root = serde_json::json!({ "id": "a", "data": { "b": 2 } });
        put(&mut root, "/data/0", 1.into());
        put(&mut root, "/id/c", 1.into());
        assert_eq!(root, serde_json::json!({ "id": { "c": 1 }, "data": { "0": 1, "b": 2 } }), "an object stays one");
    }

    #[test]
    fn a_pointer_names_every_step() {
        for good in ["/id", "/data/0/id", "/a~1b/~0", "/SubscribeURL", "/event id"] {
            assert_eq!(pointer_mistake(good), None, "{good}");
        }
        for (bad, way_out) in [
            ("", "`/id`"),
            ("id", "`/id`"),
            ("data.id", "`/data/id`"),
            ("$.data.id", "`/data/id`"),
            ("data/id", "`/data/id`"),
            ("a b", "`/id`"),
            ("/", "`/data/id`"),
            ("/ ", "`/data/id`"),
            ("/a//b", "`/data/id`"),
            ("/a/", "`/data/id`"),
            ("/a~b", "`~0`"),
            ("/a~", "`~0`"),
        ] {
            let told = pointer_mistake(bad).unwrap_or_else(|| panic!("{bad} is taken"));
            assert!(told.contains(way_out), "{bad}: {told}");
        }
    }
}
