//! Who may import whom, and who may make what. A new arrow is a design decision: draw it here.

use crate::reading::{imports, makes};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Each module, and the modules it may name. Only what stands above may be named, so there is no way round in a
/// circle.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    // values
    ("address", &[]),
    ("clock", &[]),
    ("json", &[]),
    ("secret", &[]),
    ("verdict", &[]),
    // words of the story
    ("request", &["verdict"]),
    ("admit", &["request", "verdict"]),
    ("guard", &["request", "verdict"]),
    ("limit", &["clock", "verdict"]),
    ("order", &["secret"]),
    ("repeat", &["clock", "json", "secret"]),
    ("verify", &["address", "clock", "json", "repeat", "request", "secret", "verdict"]),
    ("identity", &["clock", "json", "secret", "verify"]),
    ("payload", &["clock", "json", "order", "repeat", "request", "verdict", "verify"]),
    ("event", &["clock", "json", "order", "payload", "repeat"]),
    ("outcome", &["clock", "verdict"]),
    (
        "policy",
        &[
            "admit", "clock", "event", "guard", "json", "limit", "payload", "repeat", "request", "secret", "verdict",
            "verify",
        ],
    ),
    // ports
    ("outbound", &["address", "clock", "verdict"]),
    ("destination", &["event", "verdict"]),
    ("ledger", &["event", "repeat", "verdict"]),
    ("answer", &["ledger", "policy", "verdict", "verify"]),
    (
        "gate",
        &[
            "admit", "answer", "clock", "event", "guard", "identity", "ledger", "limit", "outcome", "payload",
            "policy", "repeat", "request", "secret", "verdict", "verify",
        ],
    ),
    (
        "rehearsal",
        &[
            "answer", "clock", "event", "gate", "guard", "json", "ledger", "limit", "outcome", "payload", "policy",
            "repeat", "request", "secret", "verdict", "verify",
        ],
    ),
    ("diagnosis", &["admit", "clock", "json", "policy", "repeat", "request", "secret", "verdict", "verify"]),
    // engines: the ports and words that they serve, and never each other but deliver -> spool
    ("captures", &["clock", "limit", "policy", "request", "secret"]),
    ("spool", &["clock", "event", "ledger", "order", "repeat", "verdict"]),
    (
        "deliver",
        &["clock", "destination", "event", "ledger", "outbound", "policy", "secret", "spool", "verdict", "verify"],
    ),
    ("keys", &["clock", "identity", "json", "outbound", "policy", "secret", "verdict", "verify"]),
    ("nats", &["destination", "event", "policy", "secret", "verdict"]),
    ("redis", &["destination", "event", "policy", "secret", "verdict"]),
    // shell
    (
        "edge",
        &[
            "admit", "answer", "captures", "clock", "event", "gate", "guard", "identity", "ledger", "limit",
            "outbound", "outcome", "payload", "policy", "repeat", "request", "spool", "verdict", "verify",
        ],
    ),
    (
        "control",
        &[
            "captures",
            "clock",
            "deliver",
            "destination",
            "edge",
            "keys",
            "outcome",
            "policy",
            "spool",
            "verdict",
            "verify",
        ],
    ),
    (
        "cli",
        &[
            "answer",
            "captures",
            "clock",
            "control",
            "deliver",
            "destination",
            "diagnosis",
            "edge",
            "event",
            "json",
            "keys",
            "ledger",
            "nats",
            "outbound",
            "policy",
            "redis",
            "rehearsal",
            "repeat",
            "request",
            "secret",
            "spool",
            "verdict",
            "verify",
        ],
    ),
];

/// Each type that is a proof, and the files that may make one, by literal or by constructor.
const MAY_MAKE: &[(&str, &[&str])] = &[
    ("Sender", &["policy/route/sender.rs", "policy/tokens.rs"]),
    ("Webhook", &["policy/route/sender.rs", "verify/verified.rs", "cli/verify.rs"]),
    ("Verified", &["verify/verified.rs"]),
    ("Token", &["verify/jwt/bearer.rs"]),
    ("Bearer", &["verify/jwt/bearer.rs"]),
    ("Clean", &["payload/clean.rs"]),
    ("Contract", &["payload/contract.rs", "policy/contract.rs"]),
    ("Event", &["event.rs", "gate.rs"]),
    ("Receipt", &["deliver/direct.rs", "ledger/receipt.rs", "rehearsal.rs", "spool/commit.rs"]),
];

#[test]
fn every_file_imports_only_what_its_module_may() {
    for file in sources().iter().filter(|file| !file.is_tests()) {
        let Some((module, _)) = file.module.split_first() else { continue };
        let allowed = MAY_IMPORT.iter().find(|(name, _)| name == module);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("`{module}` is not in MAY_IMPORT"));
        let mut found = imports(&file.module, &file.text);
        found.remove(module);
        let extra: Vec<_> = found.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
        assert!(extra.is_empty(), "{} imports {extra:?}; see MAY_IMPORT", file.name);
    }
}

#[test]
fn arrows_only_point_up_the_table() {
    for (index, (module, allowed)) in MAY_IMPORT.iter().enumerate() {
        let above = |name: &&str| MAY_IMPORT[..index].iter().any(|(module, _)| module == name);
        assert!(allowed.iter().all(above), "`{module}` imports what stands below it");
    }
}

#[test]
fn every_proof_is_made_where_it_may_be() {
    for file in sources().iter().filter(|file| !file.is_tests()) {
        for made in makes(&file.text) {
            let makers = MAY_MAKE.iter().find(|(proof, _)| *proof == made);
            let allowed = makers.is_none_or(|(_, files)| files.contains(&file.name.as_str()));
            assert!(allowed, "{} makes a `{made}`; see MAY_MAKE", file.name);
        }
    }
}

#[test]
fn every_maker_in_the_table_is_one() {
    for (proof, files) in MAY_MAKE {
        for name in *files {
            let text = fs::read_to_string(src().join(name)).unwrap();
            assert!(makes(&text).contains(*proof), "{name} makes no `{proof}`");
        }
    }
}

#[test]
fn sees_super_and_inline_paths_and_the_insides_of_macros() {
    let inside_payload = ["payload".to_owned(), "clean".to_owned()];
    let found = |source| imports(&inside_payload, source).into_iter().collect::<Vec<_>>();
    assert_eq!(found("use super::super::gate::judge;"), ["gate"]);
    assert_eq!(found("use super::{Contract, super::{answer::*, gate}};"), ["answer", "gate", "payload"]);
    assert_eq!(found("fn f() -> crate::x::y { crate::z::g() }"), ["x", "z"]);
    assert_eq!(found("fn f() { println!(\"{}\", crate::spool::SIZE) }"), ["spool"]);
    assert_eq!(found("fn f() { assert!(g(crate::spool), 1) }"), ["spool"]);
    assert_eq!(found("mod tests { use super::super::super::edge; }"), ["edge"]);
    assert_eq!(found("use std::fmt; use bytes::Bytes;"), [""; 0]);
}

#[test]
fn sees_makers_however_they_are_spelt() {
    let found = |source| makes(source).into_iter().collect::<Vec<_>>();
    assert_eq!(found("fn f() { crate::event::Event { id: 1 }; }"), ["Event"]);
    assert_eq!(found("fn f() { Entry::Event { id: 1 }; }"), ["Entry"]);
    assert_eq!(found("impl Clean { fn f() -> Self { Self { id: 1 } } }"), ["Clean"]);
    assert_eq!(found("fn f() { x.map(Receipt::durable); }"), ["Receipt"]);
    assert_eq!(found("use crate::event::Event as Innocent;"), ["Event"]);
    assert_eq!(found("fn f(Event { id }: Event) -> Accepted { Accepted::Again }"), ["Accepted"]);
}

/// One file of the crate.
struct Source {
    /// Below `src`, as in `verify/hmac.rs`.
    name: String,
    /// As in `["verify", "hmac"]`; empty for `lib.rs`.
    module: Vec<String>,
    text: String,
}

impl Source {
    /// Test files may ask the whole house; `contract` holds the suites that every engine must pass.
    fn is_tests(&self) -> bool {
        self.name.ends_with("/tests.rs")
            || self.name.contains("/tests/")
            || self.module.first().is_some_and(|module| module == "contract")
    }
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![src()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                sources.push(source(&path));
            }
        }
    }
    let names: BTreeSet<_> = sources.iter().map(|source| &source.name).collect();
    assert!(names.contains(&"lib.rs".to_owned()), "reads the wrong folder");
    sources
}

fn source(path: &Path) -> Source {
    let name = path.strip_prefix(src()).unwrap().to_str().unwrap().to_owned();
    let stem = name.strip_suffix(".rs").unwrap_or_else(|| panic!("{name} is no Rust source"));
    let module = match stem {
        "lib" | "main" => Vec::new(),
        module => module.split('/').map(str::to_owned).collect(),
    };
    Source { module, text: fs::read_to_string(path).unwrap(), name }
}
