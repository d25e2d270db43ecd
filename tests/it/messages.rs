//! Every message of the policy compiler is shown by a golden in `policy/`: what nobody has seen, nobody has found puzzling.

use crate::{policy::folder, reading::texts};
use std::fs;

/// Where messages are made. Files that are new to `policy/` join by themselves.
const FILES: [&str; 17] = [
    "json/language.rs",
    "json/pointer.rs",
    "policy/route/delivery.rs",
    "policy/route/sender.rs",
    "policy/settings/read.rs",
    "guard/selector.rs",
    "verify/catalogue/compile.rs",
    "verify/catalogue/mistakes.rs",
    "verify/catalogue/named.rs",
    "verify/catalogue/tidy.rs",
    "verify/confirm/compile.rs",
    "verify/handshake/compile.rs",
    "verify/scheme/compile.rs",
    "verify/scheme/compile/parts.rs",
    "verify/scheme/compile/signature.rs",
    "verify/scheme/compile/token.rs",
    "verify/scheme/refers.rs",
];

/// Files of `policy/` whose texts are no messages about a policy.
/// `cases.rs` tells of tests of policies, and `tests/it/cases.rs` shows each of its messages.
/// `changes.rs` tells of two policies that are in order, and its own tests show each of its texts.
const SILENT: [&str; 7] =
    ["cases.rs", "changes.rs", "effective.rs", "language.rs", "reference.rs", "summary.rs", "units.rs"];

/// Texts that no policy brings about, or that are seen elsewhere.
const ELSEWHERE: [&str; 7] = [
    // faults of ours
    "cannot be read: ",
    "the language itself is broken: ",
    "does not satisfy `",
    "the language's schema and its types disagree here",
    "a route got lost; this is a fault of the compiler",
    // of the command line
    "`--upstream`: ",
    "; there are none here",
];

#[test]
fn every_message_is_shown_by_a_golden() {
    let read = |path: std::path::PathBuf| fs::read_to_string(path).unwrap();
    let entries = |below: &str| fs::read_dir(folder(below)).unwrap().map(|entry| entry.unwrap().path());
    let of_kind =
        |below, kind: &str| entries(below).filter(|path| path.extension().is_some_and(|e| e == kind)).collect();
    let goldens: Vec<std::path::PathBuf> = of_kind("tests/it/policy", "txt");
    let goldens: String = goldens.into_iter().map(read).collect();
    let mut files: Vec<std::path::PathBuf> = of_kind("src/policy", "rs");
    files.retain(|path| !SILENT.iter().any(|silent| path.ends_with(silent)) && !path.ends_with("tests.rs"));
    files.extend(FILES.map(|file| folder("src").join(file)));
    files.push(folder("src/policy/text/hints.rs"));
    let (mut seen, mut unseen) = (0, Vec::new());
    for path in files {
        for text in texts(&read(path.clone())) {
            for part in parts(&text) {
                seen += 1;
                if !goldens.contains(&part) && !ELSEWHERE.contains(&part.as_str()) {
                    unseen.push(format!("{}: {part}", path.display()));
                }
            }
        }
    }
    assert!(seen > 100, "reads the wrong files: {seen}");
    assert!(unseen.is_empty(), "no golden in tests/it/policy shows these:\n{}", unseen.join("\n"));
}

/// What stands in a message between the values that are put into it, where it is long enough to be told from others.
fn parts(text: &str) -> Vec<String> {
    if !text.trim().contains(' ') {
        return Vec::new();
    }
    let plain = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut parts = Vec::new();
    for (index, piece) in plain.split('{').enumerate() {
        let part = if index == 0 { piece } else { piece.split_once('}').map_or(piece, |(_, after)| after) };
        let part = part.replace('\u{1}', "{").replace('\u{2}', "}");
        if part.trim().len() > 5 {
            parts.push(part);
        }
    }
    parts
}

#[test]
fn sees_texts_in_macros_and_none_of_documentation_attributes_and_tests() {
    let source = r#"//! a
        /// b
        #[c = "d"] fn f() -> String { format!("e {f}") }
        mod tests { const G: &str = "g"; }"#;
    assert_eq!(texts(source), ["e {f}"]);
    assert_eq!(parts("write `a: {{ b: {c} }}`, and {d} more"), ["write `a: { b: ", " }`, and "]);
}
