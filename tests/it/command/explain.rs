//! `explain`: how far a request would come, and why its signature does not hold.

use super::{Bench, Ran};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write as _;

const SECRET: &str = "a secret of the shop's own";
const OLD: &str = "the one that was before it";

const POLICY: &str = "\
listeners: [{ on: \"127.0.0.1:8000\" }]
spool: { folder: spool }
routes:
  shop: { at: { path: /hooks/shop }, sender: { provider: stripe, keys: shop } }
  git: { at: { path: /hooks/git }, sender: { provider: github, keys: git }, repeats: { remember: 72h }, deliver: { via: relay } }
keys:
  shop: [{ id: live, from: env:SHOP }, { id: old, from: env:OLD, retire: 2026-01-01 }]
  git: [{ id: hub, from: env:GIT }]
destinations: { wordpress: { url: \"http://127.0.0.1:9/events\" } }
";

fn bench() -> Bench {
    Bench::new(&[("gate.yaml", POLICY), ("secret", SECRET)])
}

/// A request as its sender signs it, as a JSON object.
fn signed(bench: &Bench, provider: &str, path: &str) -> Value {
    let url = format!("https://shop.example{path}");
    let ran = bench.run(&["sign", &url, "--provider", provider, "--key", "file:secret", "--as", "json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

fn ran(bench: &Bench, arguments: &[&str]) -> Ran {
    let all = [&["explain", "gate.yaml"], arguments].concat();
    let mut command = bench.command(&all);
    command.env("SHOP", SECRET).env("OLD", OLD).env("GIT", SECRET);
    let ran = Ran::of(&command.output().unwrap());
    for secret in [SECRET, OLD, "\"hello\""] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{ran:?}");
    }
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80) || arguments.contains(&"--json"), "{}", ran.out);
    ran
}

/// What is said of it, in both forms.
fn explained(bench: &Bench, request: &Value, more: &[&str]) -> (Value, String) {
    bench.write("request.json", &request.to_string());
    let told = ran(bench, &[&["--request", "request.json"], more].concat());
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{told:?}");
    let object = ran(bench, &[&["--request", "request.json", "--json"], more].concat());
    let object: Value = serde_json::from_str(&object.out).unwrap_or_else(|_| panic!("{object:?}"));
    // No signature, whether it came or would have been right.
    for (_, value) in request["headers"].as_object().unwrap() {
        let pieces = value.as_str().unwrap().split(['=', ',', ' ']).filter(|piece| piece.len() > 20);
        for piece in pieces {
            assert!(!told.out.contains(piece) && !object.to_string().contains(piece), "{piece}: {told:?}");
        }
    }
    (object, told.out)
}

#[test]
fn every_phase_of_a_good_request_is_told() {
    let bench = bench();
    let (object, text) = explained(&bench, &signed(&bench, "stripe", "/hooks/shop?a=s3cr3t"), &[]);
    assert_eq!((&object["decision"], &object["route"]), (&json!("accepted"), &json!("shop")));
    assert_eq!(object["doctor"]["verdict"], "healthy");
    let phases: Vec<_> = object["phases"].as_array().unwrap().iter().map(|phase| &phase["result"]).collect();
    assert_eq!(phases, ["ok", "ok", "none", "ok", "ok", "ok", "none", "none", "done"], "{text}");
    for words in [
        "guard      ok  route `shop` (`path: /hooks/shop`), by the path as it came",
        "verify     ok  signed by key `live`: HMAC-SHA256 of time.body",
        "at most 5m (`max_age`)",
        "an event of the type `hookwarden.test`",
        "queued, then as an event to `wordpress`",
        "Not looked at: whether it came before",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("s3cr3t"), "the query is nobody's: {text}");
    assert!(!bench.path("spool").exists(), "nothing is made");
}

#[test]
fn where_it_ended_is_told_and_what_was_not_reached() {
    let bench = bench();
    let mut request = signed(&bench, "github", "//hooks/git/");
    request["method"] = json!("GET");
    let (object, text) = explained(&bench, &request, &[]);
    assert_eq!((&object["decision"], &object["code"]), (&json!("refused"), &json!("method_not_allowed")));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("by the path, read as `/hooks/git`") && words.contains("admit NO"), "{text}");
    assert!(words.contains("not reached: handshake, verify, age, read"), "{text}");
    request["url"] = json!("https://shop.example/about");
    let (object, text) = explained(&bench, &request, &[]);
    assert_eq!(object["decision"], "passed");
    assert!(text.contains("no route guards this"), "{text}");
    request["url"] = json!("https://shop.example/%00");
    assert_eq!(explained(&bench, &request, &[]).0["code"], "target_unclear");
}

#[test]
fn the_cause_is_named_with_its_mend() {
    let bench = bench();
    let mut request = signed(&bench, "github", "/hooks/git");
    let body = data_encoding::BASE64.decode(request["body_base64"].as_str().unwrap().as_bytes()).unwrap();
    let with = |body: &[u8]| data_encoding::BASE64.encode(body);
    request["body_base64"] = json!(with(&[&body[..], b"\n"].concat()));
    let (object, text) = explained(&bench, &request, &[]);
    assert_eq!(object["doctor"]["verdict"], "found");
    assert_eq!(object["doctor"]["causes"][0]["code"], "body_line_end");
    assert!(text.contains("The cause (body_line_end)\n  what   a line end (LF) was added"), "{text}");
    assert!(text.contains("\n  mend   before the gate: pass the body byte for byte"), "{text}");

    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&body).unwrap();
    request["body_base64"] = json!(with(&gzip.finish().unwrap()));
    assert_eq!(explained(&bench, &request, &[]).0["doctor"]["causes"][0]["code"], "body_compressed");

    request["body_base64"] = json!(with(b"{}"));
    let (object, text) = explained(&bench, &request, &[]);
    assert_eq!((&object["doctor"]["verdict"], &object["doctor"]["causes"]), (&json!("unknown"), &json!([])));
    assert!(text.contains("The cause cannot be told: nothing of what was tried"), "{text}");
    assert!(text.contains("pairs of a key and something else"), "{text}");

    request["headers"] = json!({ "content-type": "application/json" });
    let (object, text) = explained(&bench, &request, &[]);
    assert_eq!(object["doctor"]["verdict"], "unsigned");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("Headers of the signature: `x-hub-signature-256` is missing. There is no signature."),
        "{text}"
    );

    let mut cut = signed(&bench, "github", "/hooks/git");
    cut["body_base64"] = json!(with(&body[..4]));
    cut["headers"]["content-length"] = json!(body.len().to_string());
    let (object, text) = explained(&bench, &cut, &[]);
    assert_eq!(
        (&object["doctor"]["verdict"], &object["doctor"]["causes"][0]["code"]),
        (&json!("seen"), &json!("body_cut"))
    );
    assert!(text.contains("Seen without a key (body_cut)\n  what   the body has 4 bytes"), "{text}");
    assert!(text.contains("No key proves it"), "{text}");
}

#[test]
fn a_retired_key_and_a_recording_are_known() {
    let bench = bench();
    bench.write("secret", OLD);
    let (object, _) = explained(&bench, &signed(&bench, "stripe", "/hooks/shop"), &[]);
    assert_eq!(object["doctor"]["causes"][0]["code"], "key_retired");
    bench.write("secret", SECRET);
    let request = signed(&bench, "stripe", "/hooks/shop");
    let (object, text) = explained(&bench, &request, &["--at", "2030-01-01T00:00:00Z"]);
    assert_eq!((&object["code"], &object["doctor"]["causes"][0]["code"]), (&json!("stale"), &json!("too_old")));
    assert!(text.contains("say when it came, with `--at`"), "{text}");
}

#[test]
fn the_key_of_another_stage_is_known() {
    let stage = |secret: &str| format!("keys: {{ shop: [{{ id: key, from: env:{secret} }}] }}\n");
    let gate = "\
routes: { shop: { at: { path: /hooks/shop }, sender: { provider: stripe, keys: shop } } }
destinations: { wordpress: { url: \"http://127.0.0.1:9/events\" } }
";
    let bench = Bench::new(&[("gate.yaml", gate), ("secret", OLD)]);
    bench.write("env/prod.yaml", &stage("SHOP"));
    bench.write("env/dev.yaml", &stage("OLD"));
    bench.write("env/lost.yaml", &stage("NOWHERE"));
    let request = signed(&bench, "stripe", "/hooks/shop");
    let (object, text) = explained(&bench, &request, &["--env", "prod"]);
    assert_eq!(object["doctor"]["causes"][0]["code"], "key_of_other_stage");
    assert!(text.contains("of `shop` in the stage `dev`"), "{text}");
    let lost = "key `key` of `shop` (stage `lost`): it cannot be read here";
    assert_eq!(object["doctor"]["not_tried"], json!([lost]));
    assert!(!text.contains("Not tried"), "the cause is proved: {text}");
    let mut other = request.clone();
    other["body_base64"] = json!("e30=");
    let (object, text) = explained(&bench, &other, &["--env", "prod"]);
    assert_eq!(object["doctor"]["verdict"], "unknown");
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(&format!("Not tried: {lost}.")), "{text}");
    assert!(text.contains("Most often the sender then has a secret"), "{text}");
}

#[test]
fn a_key_that_cannot_be_read_is_told_and_the_rest_is_looked_at() {
    let bench = bench();
    let request = signed(&bench, "stripe", "/hooks/shop");
    bench.write("request.json", &request.to_string());
    let ran = bench.run(&["explain", "gate.yaml", "--request", "request.json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("With this key no gate starts: key `live` of `shop`"), "{ran:?}");
    assert!(ran.out.contains("no_key: the route has no key in force"), "{ran:?}");
    let words = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("a key of this route cannot be read here") && !words.contains("Most often"), "{ran:?}");
}

/// Nothing says whether its keys are secret: a public one would prove whatever anybody signs with it.
#[test]
fn a_list_that_no_route_uses_is_told_and_not_tried() {
    let bench = bench();
    let spare = POLICY.replace("keys:\n", "keys:\n  spare: [{ id: live, from: env:OLD }]\n");
    bench.write(
        "gate.yaml",
        &spare.replace(
            "shop: [{ id: live, from: env:SHOP }, { id: old, from: env:OLD, retire: 2026-01-01 }]",
            "shop: [{ id: live, from: env:SHOP }]",
        ),
    );
    bench.write("secret", OLD);
    let (object, text) = explained(&bench, &signed(&bench, "stripe", "/hooks/shop"), &[]);
    assert_eq!(object["doctor"]["verdict"], "unknown");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Not tried: the keys of `spare`: no route uses them"), "{text}");
}

#[test]
fn what_cannot_be_read_is_told_with_a_way_out() {
    let bench = bench();
    bench.write("odd", "hello\n");
    let odd = ran(&bench, &["--request", "odd"]);
    assert_eq!(odd.code, Some(1));
    assert!(odd.err.contains("write something such as `POST /hooks/shop HTTP/1.1`"), "{odd:?}");
    assert!(ran(&bench, &["--request", "nowhere"]).err.contains("cannot read `nowhere`"));
    // What stands in it may be secret, whatever it was meant to be.
    for odd in [
        "Authorization: Bearer s3cr3t\n\n{}",
        "POST /hooks/x?token=s3cr3t y z\n\n",
        "client_secret=s3cr3t more\n",
        "POST /hooks/shop HTTP/1.1\npassword=s3cr3t&to=https://a.example\n",
        r#"{"url":"https://a.example/","headers":"x: s3cr3t"}"#,
        r#"{"url":"https://a.example/","headers":{"a b s3cr3t":"x"}}"#,
    ] {
        bench.write("odd", odd);
        let told = ran(&bench, &["--request", "odd"]);
        assert!(told.code == Some(1) && !told.err.contains("s3cr3t"), "{odd}: {told:?}");
    }
    bench.write("odd", "POST /a\u{9b}31m\u{202e} HTTP/1.1\n\n");
    for more in [&[][..], &["--json"]] {
        let told = ran(&bench, &[&["--request", "odd"], more].concat());
        assert!(!told.out.contains(['\u{9b}', '\u{202e}']), "{told:?}");
    }
    let odd = ran(&bench, &["--request", "odd", "--at", "yesterday"]);
    assert_eq!((odd.code, odd.err.contains("write it as `2026-11-24T09:30:00Z`")), (Some(2), true), "{odd:?}");
    bench.write("gate.yaml", "routez: {}\n");
    bench.write("raw", "GET / HTTP/1.1\n\n");
    assert_eq!(ran(&bench, &["--request", "raw"]).code, Some(3));
}

/// GitHub's own example, <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>, with a line end
/// that an editor has put behind its body.
const HELLO: &str = "\
POST /hooks/github HTTP/1.1
Host: shop.example
Content-Type: text/plain
X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17

Hello, World!
";

#[test]
fn the_example_of_the_documentation_is_what_is_printed() {
    let policy = "\
routes:
  github:
    at: { path: /hooks/github }
    sender: { provider: github, keys: github }
    admit: { content_types: [text/plain] }
    repeats: { remember: 72h }
keys: { github: [{ id: live-2026, from: env:GITHUB }] }
destinations: { wordpress: { url: \"http://127.0.0.1:9/events\" } }
";
    let bench = Bench::new(&[("gate.yaml", policy), ("refused.http", HELLO)]);
    let arguments = ["explain", "gate.yaml", "--request", "refused.http", "--at", "2026-11-24T09:30:00Z"];
    let mut command = bench.command(&arguments);
    let ran = Ran::of(&command.env("GITHUB", "It's a Secret to Everybody").output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/README.md")).unwrap();
    // How many senders were tried changes with the catalogue.
    let (shown, tried) = ran.out.split_once("\nTried: ").unwrap();
    assert!(tried.contains("other bytes of the body"), "{ran:?}");
    assert!(readme.contains(shown), "policies/README.md should show:\n{shown}");
    assert!(readme.contains(&format!("hookwarden {}", arguments.join(" "))), "and how it was asked for");
}

#[test]
fn a_late_one_was_signed_by_a_key_all_the_same() {
    let bench = bench();
    let request = signed(&bench, "stripe", "/hooks/shop");
    let (object, text) = explained(&bench, &request, &["--at", "2030-01-01T00:00:00Z"]);
    assert_eq!(object["code"], "stale");
    assert!(text.contains("verify     ok  signed by key `live`: HMAC-SHA256 of time.body"), "{text}");
}

/// What a vendor publishes is not fetched: that is told, with the way to try the signature all the same.
#[test]
fn a_key_that_only_a_gate_would_fetch_is_told_by_its_kind() {
    let gate = "\
routes:
  sns: { at: { path: /hooks/sns }, sender: { provider: aws-sns, config: { topic_arns: 'arn:aws:sns:eu-west-1:123456789012:a' } }, repeats: { remember: 552h } }
  push:
    at: { path: /hooks/push }
    sender: { provider: google-pubsub, config: { audience: 'https://shop.example/hooks/push', email: 'a@b.example' } }
    repeats: { protection: impossible }
destinations: { wordpress: { url: \"http://127.0.0.1:9/events\" } }
";
    let bench = Bench::new(&[("gate.yaml", gate)]);
    let body = json!({
        "Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:a", "Message": "m",
        "Timestamp": "2026-11-23T00:00:00.000Z", "SignatureVersion": "2",
        "Signature": data_encoding::BASE64.encode(&[7; 256]),
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    });
    let request = json!({
        "url": "https://shop.example/hooks/sns", "headers": { "content-type": "application/json" },
        "body_base64": data_encoding::BASE64.encode(body.to_string().as_bytes()), "now_unix": 1_795_000_000,
    });
    let (object, text) = explained(&bench, &request, &[]);
    assert_eq!(object["code"], "key_pending");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("key_pending: the certificate that the request names is fetched by a gate that runs"),
        "{text}"
    );
    assert!(words.contains("write the certificate's PEM as a key into `keys` of the route"), "{text}");
    assert!(!words.contains("several that are really different"), "{text}");
    assert!(words.contains("Not tried: the keys that the sender publishes: nothing is fetched here."), "{text}");

    let token = ["{\"alg\":\"RS256\",\"kid\":\"a\"}", "{}", "none"]
        .map(|part| data_encoding::BASE64URL_NOPAD.encode(part.as_bytes()));
    let request = json!({
        "url": "https://shop.example/hooks/push",
        "headers": { "content-type": "application/json", "authorization": format!("Bearer {}", token.join(".")) },
        "body_base64": "e30=", "now_unix": 1_795_000_000,
    });
    let (object, text) = explained(&bench, &request, &[]);
    assert_eq!(object["code"], "keys_unavailable");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("keys_unavailable: the keys that the sender publishes are fetched by a gate that runs"),
        "{text}"
    );
}
