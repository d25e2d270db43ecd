//! JSON Pointers (RFC 6901) as people write them into a policy or an entry.

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
