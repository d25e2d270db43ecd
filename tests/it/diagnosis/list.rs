//! The list of causes: each has words, stands in the documentation, and is found by some test beside this one.

use hookwarden::diagnosis::Code;

#[test]
fn every_cause_of_the_list_has_words_of_its_own() {
    for (index, code) in Code::ALL.iter().enumerate() {
        let (name, words) = (code.name(), code.meaning());
        assert!(!words.is_empty() && Code::ALL[..index].iter().all(|other| other.name() != name), "{name}");
    }
}

#[test]
fn the_documentation_lists_every_cause_in_these_words() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/README.md")).unwrap();
    let rows: String = Code::ALL.iter().map(|code| format!("| `{}` | {} |\n", code.name(), code.meaning())).collect();
    assert!(readme.contains(&rows), "policies/README.md should have:\n{rows}");
}

/// Where tests are, and not what they only say.
const TESTS: [&str; 7] = [
    include_str!("../diagnosis.rs"),
    include_str!("kinds.rs"),
    include_str!("messages.rs"),
    include_str!("own.rs"),
    include_str!("tokens.rs"),
    include_str!("wrong_key.rs"),
    include_str!("writings.rs"),
];

#[test]
fn every_cause_is_found_in_a_request_made_wrong_in_that_way() {
    for code in Code::ALL {
        let written = format!("\"{}\"", code.name());
        assert!(TESTS.iter().any(|text| text.contains(&written)), "no test finds `{}`", code.name());
    }
}
