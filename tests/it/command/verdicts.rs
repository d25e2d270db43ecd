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
    let bench = Bench::new(&[("gate.yaml", POLICY), ("gate_test.yaml", cases)]);
    for (policy, wanted) in [(".", "write a `*.test.yaml` in this folder"), ("gate.yaml", "write `gate.test.yaml`")] {
        let ran = bench.run(&["test", policy]);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(format!("{}{}", ran.out, ran.err).contains(wanted), "{ran:?}");
    }
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
fn of_a_line_that_cannot_be_read_nothing_is_shown() {
    for wrong in [r#""secrets":"s3cr3t""#, r#""headers":"s3cr3t""#, r#""config":"s3cr3t""#, r#""now_unix":"s3cr3t""#] {
        let bench = Bench::new(&[("requests", &format!(r#"{{"id":1,"scheme":"github",{wrong}}}"#))]);
        let ran = bench.run(&["verify", "--requests", "requests"]);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(!ran.err.contains("s3cr3t") && ran.err.contains("line 1: at column "), "{ran:?}");
    }
}

#[test]
fn what_a_sender_file_says_does_nothing_to_a_terminal() {
    let bench = Bench::new(&[("acme.yaml", "name: acme\n\"foo\\e[2J\u{202e}\": 1\n")]);
    let ran = bench.run(&["providers", "lint", "acme.yaml"]);
    assert!(ran.out.contains("foo") && !ran.out.contains('\u{1b}') && !ran.out.contains('\u{202e}'), "{ran:?}");
}

#[test]
fn a_recorded_call_that_hands_a_key_over_is_answered_where_it_is_armed() {
    let asana = r#"{"id":1,"scheme":"asana","headers":{"X-Hook-Secret":"b537207f20cbfa02357cf448134da559"},"body_base64":"e30=","config":{"armed":true},"now_unix":0}"#;
    let notion = r#"{"id":2,"scheme":"notion","config":{"armed":true},"body_base64":"eyJ2ZXJpZmljYXRpb25fdG9rZW4iOiJzZWNyZXRfdE1ybEwxcUs1dnVRQWgxYjZjWkdoIn0=","now_unix":0}"#;
    let unarmed = |line: &str| line.replace("true", "false");
    let lines = [asana.to_owned(), notion.to_owned(), unarmed(asana), unarmed(notion)].join("\n");
    let bench = Bench::new(&[("requests", &lines)]);
    let ran = bench.run(&["verify", "--requests", "requests"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told[0]["answer"]["status"], 200);
    assert_eq!(told[0]["answer"]["headers"]["x-hook-secret"], "b537207f20cbfa02357cf448134da559");
    assert_eq!((&told[1]["answer"]["status"], &told[1]["answer"]["body_base64"]), (&200.into(), &"".into()));
    assert_eq!((&told[2]["code"], &told[3]["code"]), (&"signature_missing".into(), &"signature_missing".into()));
}

#[test]
fn a_recorded_call_is_answered_as_the_gate_would() {
    let crc = r#"{"id":1,"scheme":"x","secrets":["a-secret-of-x"],"method":"GET","url":"https://a.example/x?crc_token=foo","now_unix":0}"#;
    let meta = r#"{"id":2,"scheme":"meta","config":{"verify_token":"word"},"method":"GET","url":"/in?hub.mode=subscribe&hub.challenge=115&hub.verify_token=word","now_unix":0}"#;
    let lines = format!("{crc}\n{meta}\n{}\n", meta.replace("token=word", "token=other"));
    let bench = Bench::new(&[("requests", &lines)]);
    let ran = bench.run(&["verify", "--requests", "requests"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let crc = "eyJyZXNwb25zZV90b2tlbiI6InNoYTI1Nj02VTJ0M0tQMEZ1S3gwcHYyZzIrM3pUTURIN3ZsTUJ5N0ZtVklSQ3kwZm4wPSJ9";
    assert_eq!(told[0]["answer"]["body_base64"], crc, "{ran:?}");
    assert_eq!(told[0]["answer"]["status"], 200);
    assert_eq!(told[0]["answer"]["headers"]["content-type"], "application/json");
    assert_eq!((&told[1]["id"], &told[1]["answer"]["body_base64"]), (&2.into(), &"MTE1".into()), "{ran:?}");
    assert_eq!(told[1]["answer"]["headers"]["x-content-type-options"], "nosniff");
    assert_eq!(told[2]["code"], "signature_missing", "{ran:?}");
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
                " RSA",
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
                " nothing",
            ];
            begins.iter().find_map(|it| line.find(it))
        })
        .collect();
    assert!(widths.iter().all(|at| at.is_some() && *at == widths[0]), "one column: {ran:?}");
}
