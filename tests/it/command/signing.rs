//! What is printed as a request is one: by a shell, by an editor, and by the gate's own judge.

use super::Bench;
use serde_json::{Value, json};
use std::process::Command;

const URL: &str = "https://shop.example/hooks/it's?a=b";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn bench() -> Bench {
    Bench::new(&[("secret", SECRET), ("body.json", "{\"a\": \"it's\"}\n"), ("form", "id=1&type=a")])
}

fn sign(bench: &Bench, provider: &str, rest: &[&str]) -> String {
    let ran = bench.run(&[&["sign", URL, "--provider", provider, "--key", "file:secret"], rest].concat());
    assert_eq!(ran.code, Some(0), "{provider}: {ran:?}");
    assert!(!(ran.out.clone() + &ran.err).contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "{ran:?}");
    ran.out
}

/// Whether `verify` believes a line, once it has the secret.
fn verified(bench: &Bench, line: &str) -> Value {
    let mut request: Value = serde_json::from_str(line).unwrap();
    request["secrets"] = json!([SECRET]);
    bench.write("recorded", &request.to_string());
    let ran = bench.run(&["verify", "--requests", "recorded"]);
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"))
}

#[test]
fn verify_believes_what_sign_prints_for_every_sender_whose_secret_is_shared() {
    let bench = bench();
    let shared =
        ["standard-webhooks", "svix", "github", "stripe", "shopify", "woocommerce", "slack", "twilio", "hubspot"];
    for provider in shared.iter().chain(&["square", "paddle", "pagerduty", "zoom", "meta"]) {
        let verdict = verified(&bench, &sign(&bench, provider, &["--as", "json"]));
        assert_eq!((&verdict["accepted"], &verdict["code"]), (&true.into(), &"ok".into()), "{provider}");
    }
    let form = ["--as", "json", "--body", "form", "--content-type", "application/x-www-form-urlencoded"];
    assert_eq!(verified(&bench, &sign(&bench, "twilio", &form))["code"], "ok");
}

/// The words of the command, as a shell reads them.
fn words(command: &str) -> Vec<String> {
    let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}; {command}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{command}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn a_shell_reads_the_command_as_it_is_meant() {
    let bench = bench();
    let read = words(&sign(&bench, "github", &["--id", "it's"]));
    assert_eq!(read[..3], ["--request", "POST", URL]);
    assert!(read.contains(&"Content-Type: application/json".to_owned()), "{read:?}");
    let body = r#"{"id":"it's","type":"hookwarden.test","data":{"message":"hello"}}"#;
    assert_eq!(read[read.len() - 2..], ["--data-binary", body]);
    let read = words(&sign(&bench, "github", &["--body", "body.json"]));
    assert_eq!(read[read.len() - 2..], ["--data-binary", "@body.json"]);
}

#[test]
fn a_file_for_an_editor_has_what_was_signed_and_no_line_end_more() {
    let bench = bench();
    let text = sign(&bench, "stripe", &["--as", "http", "--id", "evt_1"]);
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some(format!("POST {URL} HTTP/1.1").as_str()));
    assert_eq!(lines.next(), Some("Content-Type: application/json"));
    assert!(lines.next().unwrap().to_ascii_lowercase().starts_with("stripe-signature: t="), "{head}");
    assert_eq!(body, r#"{"id":"evt_1","type":"hookwarden.test","data":{"message":"hello"}}"#);
    assert!(sign(&bench, "stripe", &["--as", "http", "--body", "body.json"]).ends_with("\n\n< body.json\n"));
}

/// Nothing is signed, so that there is no key; what it would send is all there is.
#[test]
fn a_sender_that_signs_nothing_sends_an_id_of_its_kind() {
    let bench = bench();
    let sign = |rest: &[&str]| bench.run(&[&["sign", URL, "--provider", "mollie-classic"], rest].concat());
    let ran = sign(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("`mollie-classic` signs nothing") && ran.err.contains("anybody could send it"), "{ran:?}");
    let read = words(&ran.out);
    assert!(read.contains(&"Content-Type: application/x-www-form-urlencoded".to_owned()), "{read:?}");
    let id = read.last().and_then(|body| body.strip_prefix("id=tr_")).unwrap_or_else(|| panic!("{read:?}"));
    assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{read:?}");
    assert_eq!(words(&sign(&["--id", "tr_1"]).out).last().map(String::as_str), Some("id=tr_1"));
    let ran = sign(&["--id", "ord_1"]);
    assert!(ran.err.contains("`ord_1` is no id of `mollie-classic`") && ran.err.contains("such as `tr_"), "{ran:?}");
    let ran = sign(&["--key", "file:secret"]);
    assert!(ran.err.contains("signs nothing") && ran.err.contains("leave out `--key`"), "{ran:?}");
    let ran = bench.run(&["sign", URL, "--provider", "github"]);
    assert!(ran.err.contains("say where its secret is, with `--key env:NAME`"), "{ran:?}");
    assert!(
        words(&sign(&["--body", "body.json", "--content-type", "a/b"]).out).contains(&"Content-Type: a/b".to_owned())
    );
    let asks = |place: &str| {
        let text = format!(
            "name: acme\ndocumentation: https://acme.example/webhooks\nsource: {{ how: read, checked: 2026-11-24 }}\n\
             scheme: {{ alg: unsigned }}\nrefers: {{ at: \"{place}\", like: \"[0-9]{{4}}\" }}\nretry_horizon: 1h\nanswer_by: 9s\n"
        );
        bench.write("providers/asks.yaml", &text);
        words(&bench.run(&["sign", URL, "--provider", "providers/asks.yaml", "--id", "4711"]).out)
    };
    assert!(asks("query:order").iter().any(|word| word.ends_with("?a=b&order=4711")), "{:?}", asks("query:order"));
    assert!(asks("header:X-Order").contains(&"x-order: 4711".to_owned()), "{:?}", asks("header:X-Order"));
    assert_eq!(asks("json:/order/id").last().map(String::as_str), Some(r#"{"order":{"id":"4711"}}"#));
}

/// A test event is one that the entry finds its id and its kind in.
#[test]
fn a_test_event_says_its_id_and_its_kind_where_the_file_has_them() {
    let bench = bench();
    let event = |said: &str| {
        bench.write(
            "providers/acme.yaml",
            &format!(
                "name: acme\ndocumentation: https://acme.example/webhooks\nsource: {{ how: read, checked: 2026-11-24 }}\n\
                 scheme: {{ alg: hmac-sha256, sig: {{ in: \"header:X-Acme\", enc: hex }}, message: [body] }}\n\
                 retry_horizon: 1h\nanswer_by: 9s\n{said}\n"
            ),
        );
        words(&sign(&bench, "providers/acme.yaml", &["--id", "o1"]))
    };
    let body = |said: &str| -> serde_json::Value { serde_json::from_str(event(said).last().unwrap()).unwrap() };
    let said = body("event_key: [/order/number, /order/state]\nevent_type: json:/kind");
    assert_eq!(said["order"], serde_json::json!({ "number": "o1", "state": "test" }), "{said}");
    assert_eq!(said["kind"], "hookwarden.test", "{said}");
    let said = body("event_key: [/0/eventId]\nevent_type: json:/0/kind");
    assert_eq!(said, serde_json::json!([{ "eventId": "o1", "kind": "hookwarden.test" }]));
    let words = event("event_type: header:X-Kind");
    assert!(words.iter().any(|word| word.eq_ignore_ascii_case("x-kind: hookwarden.test")), "{words:?}");
}

#[test]
fn a_sender_of_ones_own_signs_too() {
    let bench = bench();
    bench.write(
        "providers/acme.yaml",
        "name: acme\ndocumentation: https://acme.example/webhooks\nsource: { how: read, checked: 2026-11-24 }\n\
         scheme: { alg: hmac-sha256, sig: { in: \"header:X-Acme\", enc: hex }, message: [body] }\n\
         retry_horizon: 1h\nanswer_by: 9s\n",
    );
    assert!(sign(&bench, "providers/acme.yaml", &[]).to_ascii_lowercase().contains("'x-acme: "));
    let ran = bench.run(&["sign", URL, "--provider", "body.yaml", "--key", "file:secret"]);
    assert!(ran.err.contains("cannot read `body.yaml`"), "{ran:?}");
    let ran = bench.run(&["sign", URL, "--provider", "acme", "--key", "file:secret"]);
    assert!(ran.err.contains("unknown sender `acme`") && ran.err.contains("name the file"), "{ran:?}");
    let ran = bench.run(&["sign", URL, "--provider", "pusher", "--key", "file:secret"]);
    assert!(ran.err.contains("write `--config key=...`"), "{ran:?}");
    assert!(sign(&bench, "pusher", &["--config", "key=ours"]).contains("'x-pusher-key: ours'"));
    let odd = ["sign", URL, "--provider", "github", "--key", "file:secret", "--content-type", "text/plain"];
    assert!(bench.run(&odd).err.contains("name a file with `--body`"));
}
