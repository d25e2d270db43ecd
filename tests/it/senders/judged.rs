//! Requests that vendors' own libraries have judged: what they say of a request is what the gate says, but where it is stricter
//! on purpose.

use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

#[test]
fn requests_are_judged_as_the_vendors_own_libraries_judged_them() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let judged = fs::read_dir(vectors.join("judged")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = judged.filter(|path| path.extension().is_some_and(|kind| kind == "jsonl")).collect();
    assert!(!files.is_empty(), "the folder of what was judged is there");
    files.push(vectors.join("senders.jsonl"));
    let mut wrong = Vec::new();
    for file in &files {
        for (line, told) in told(file) {
            assert_eq!(told["id"], line["id"]);
            // A validation call is answered in place of being accepted.
            let believed = told["accepted"] == true || told["answer"].is_object();
            let said = if believed { "accept" } else { "reject" };
            if said != expected(&line) {
                wrong.push(format!("{}: {} {told}, {}", file.display(), line["expect"], line["why"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What the library said, unless the line says that the gate says otherwise, and why.
fn expected(line: &Value) -> &str {
    let verdict = |member: &str| line[member].as_str().filter(|verdict| ["accept", "reject"].contains(verdict));
    let library = verdict("expect").unwrap_or_else(|| panic!("{} has no verdict", line["id"]));
    let Some(ours) = verdict("ours") else {
        assert!(line["ours"].is_null() && line["ours_because"].is_null(), "{}", line["id"]);
        return library;
    };
    assert_ne!(ours, library, "{} is no difference", line["id"]);
    assert!(line["ours_because"].as_str().is_some_and(|why| why.len() > 10), "{} has no reason", line["id"]);
    ours
}

/// Each line beside what the command says of it.
fn told(file: &Path) -> Vec<(Value, Value)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookwarden"));
    let output = command.args(["verify", "--requests"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    let read = |text: &str| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
    let (lines, told) = (read(&fs::read_to_string(file).unwrap()), read(&String::from_utf8(output.stdout).unwrap()));
    assert_eq!(lines.len(), told.len(), "{}", file.display());
    lines.into_iter().zip(told).collect()
}

/// Who judged a line can be asked again, and no line stands there twice.
#[test]
fn a_judged_line_names_its_judge() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/judged");
    let (mut ids, mut bytes) = (BTreeSet::new(), 0);
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        bytes += text.len();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(ids.insert(line["id"].to_string()), "{} stands there twice", line["id"]);
            assert!(["sdk", "doc"].contains(&line["confirmed_by"].as_str().unwrap_or_default()), "{}", line["id"]);
            let why = line["why"].as_str().unwrap_or_default();
            assert!(why.bytes().any(|byte| byte.is_ascii_digit()), "{} has no library with its version", line["id"]);
        }
    }
    assert!(bytes <= BYTES_MAX, "{bytes} bytes; keep those that show something of their own");
}

/// More would be a weight in every clone, and shows nothing new.
const BYTES_MAX: usize = 600_000;
