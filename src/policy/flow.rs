//! How is a value written on one line?

use serde_json::Value;

/// One line of YAML for any value.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if !members.is_empty() => {
            let members =
                members.iter().map(|(name, value)| format!("{}: {}", flow(&Value::from(name.as_str())), flow(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => value.to_string(),
    }
}

/// A text that YAML reads as this text without quotes, anywhere.
fn is_plain(text: &str) -> bool {
    let word = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text
            .split(':')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_./@+-".contains(c)))
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null");
    let units = ["ms", "s", "m", "h", "d", "B", "KiB", "MiB", "GiB", "/s", "/m", "/h", "KiB/s", "MiB/s", "B/s"];
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    word || (unit.len() < text.len() && units.contains(&unit))
}
