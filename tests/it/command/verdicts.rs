//! What is told, and with which exit code, where something is not in order.

use super::{Bench, POLICY};
use serde_json::Value;

#[test]
fn tests_that_cannot_be_read_are_told_in_the_form_that_was_asked_for() {
    let bench = Bench::new(&[("gate.yaml", POLICY), ("gate.test.yaml", "casez: []\n")]);
    let ran = bench.run(&["test", ".", "--json", "--junit", "results.xml"]);
    assert_eq!((ran.code, &*ran.err), (Some(3), ""), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    assert!(told["diagnostics"][0]["file"].as_str().unwrap().ends_with("gate.test.yaml"), "{told}");
    assert_eq!((&told["passed"], &told["failed"]), (&0.into(), &0.into()), "{told}");
    let xml = std::fs::read_to_string(bench.path("results.xml")).unwrap();
    assert!(xml.contains("errors=\"1\"") && xml.contains("<error message=\"unknown key"), "{xml}");
}

#[test]
fn cases_that_nobody_has_are_not_passed() {
    let cases = "cases: [{ name: a, request: { target: /x }, expect: { decision: passed } }]\n";
    let bench = Bench::new(&[("gate.yaml", POLICY), ("gate.test.yaml", cases)]);
    let ran = bench.run(&["test", ".", "--only", "zzz"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("no case has `zzz` in its name"), "{ran:?}");
}

#[test]
fn a_refusal_is_a_judgement_and_a_line_that_is_no_request_is_not() {
    let line =
        |scheme: &str, body: &str| format!(r#"{{"id":1,"scheme":"{scheme}","now_unix":0,"body_base64":"{body}"}}"#);
    for (line, code, told) in [
        (line("github", "e30="), 0, "signature_missing"),
        (line("gitlub", "e30="), 3, "unknown_scheme"),
        (line("github", "%"), 3, "body_not_base64"),
        ("{".to_owned(), 3, "unreadable_line"),
    ] {
        let bench = Bench::new(&[("requests", &line)]);
        let ran = bench.run(&["verify", "--requests", "requests"]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.out.contains(&format!("\"code\":\"{told}\"")), "{ran:?}");
    }
}

#[test]
fn a_start_that_is_refused_writes_nothing() {
    let bench = Bench::new(&[("gate.yaml", POLICY)]);
    let ran = bench.run(&["run", "gate.yaml", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("`env:SHOP_SECRET` is not set"), "{ran:?}");
    assert!(!bench.path("spool").exists(), "no folder, and no secret in it");
}

#[test]
fn what_is_wrong_at_a_start_is_in_the_log_where_machines_read_it() {
    let bench = Bench::new(&[("gate.yaml", "routez: {}\n")]);
    let ran = bench.run(&["run", "gate.yaml", "--log-format", "json"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let lines: Vec<Value> =
        ran.err.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{ran:?}"))).collect();
    assert!(lines.iter().any(|line| line["level"] == "ERROR" && line["file"] == "gate.yaml"), "{ran:?}");
}

#[test]
fn an_upstream_is_held_to_the_same_as_an_origin() {
    let bench = Bench::new(&[]);
    for odd in ["http://127.0.0.1:99999", "127.0.0.1:8080", "http://a/b"] {
        let ran = bench.run(&["run", "--upstream", odd]);
        assert_eq!(ran.code, Some(1), "{odd}: {ran:?}");
        assert!(
            ran.err.contains("`--upstream`: ") && ran.err.contains("write something such as `http://127.0.0.1:8080`"),
            "{odd}: {ran:?}"
        );
    }
}

#[test]
fn what_a_sender_signs_reads_as_parts_and_is_told_alike_everywhere() {
    let bench = Bench::new(&[]);
    let ran = bench.run(&["providers"]);
    assert!(ran.out.contains("Ed25519 of time + body") && ran.out.contains("HMAC-SHA256 of time.body"), "{ran:?}");
    let stripe = ran.out.split("\nstripe").nth(1).unwrap();
    assert!(stripe.lines().nth(1).unwrap().contains("not covered: headers;"), "{stripe}");
    let widths: Vec<_> = ran
        .out
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| {
            let begins = [
                " RSA with",
                " HMAC",
                " Ed25519",
                " ECDSA",
                " SHA-",
                " HS256",
                " RS256",
                " ES256",
                " the parts",
                " token in",
                " name and",
            ];
            begins.iter().find_map(|it| line.find(it))
        })
        .collect();
    assert!(widths.iter().all(|at| at.is_some() && *at == widths[0]), "one column: {ran:?}");
}
