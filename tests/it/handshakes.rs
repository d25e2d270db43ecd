//! Validation calls, as their vendors document them: what is answered, and what only looks like one.

mod slips;
mod vendors;

use hookwarden::{
    clock::Timestamp,
    policy::{Overrides, Policy, Source, compile},
    rehearsal::{Played, Rehearsal},
    request::{Head, Target, Unverified},
    secret::Secret,
    verify::{Catalogue, Key, Keys, Unsigned},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{collections::BTreeMap, fmt::Write as _};

const PROVIDERS: &[&str] =
    &["slack", "zoom", "discord", "meta", "woocommerce", "github", "pagerduty", "azure-event-grid", "bitbucket"];
const VERIFY_TOKEN: &str = "meatyhamhock";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn now() -> Timestamp {
    Timestamp::from_unix_s(1_760_000_000)
}

/// Public keys are in none with secrets.
fn list(provider: &str) -> &'static str {
    if provider == "discord" { "chat" } else { "all" }
}

/// A route of each sender at its own name, each with these terms more.
fn policy(terms: &str) -> Policy {
    let mut text = "routes:\n".to_owned();
    for name in PROVIDERS {
        let token = if *name == "meta" { ", verify_token: words" } else { "" };
        let keys = list(name);
        let provider = Catalogue::embedded().find(name).unwrap().clone();
        let repeats = match (provider.tells_repeats(), provider.max_age) {
            (false, _) => "protection: impossible",
            (true, None) => "remember: 168h",
            (true, Some(_)) => "",
        };
        writeln!(
            text,
            "  {name}: {{ at: {{ path: /{name} }}, sender: {{ provider: {name}, keys: {keys}{token} }}, \
             admit: {{ content_types: [application/json] }}, repeats: {{ {repeats} }}{terms} }}"
        )
        .unwrap();
    }
    text.push_str("keys: { all: [{ id: live, from: env:ALL }], chat: [{ id: live, from: env:CHAT }], words: [{ id: console, from: env:WORDS }] }\n");
    text.push_str("destinations: { wordpress: { url: 'http://127.0.0.1/' } }\n");
    let compiled = compile(&Source::one("gate.yaml", text), &Catalogue::embedded(), &Overrides::default(), now());
    compiled.unwrap_or_else(|report| panic!("{report}")).policy
}

fn queued() -> Policy {
    policy(", limits: { per_sender: 1/h }")
}

fn keys() -> Keys {
    let catalogue = Catalogue::embedded();
    let mut named = BTreeMap::new();
    for name in PROVIDERS {
        let scheme = &catalogue.find(name).unwrap().scheme;
        let secret = scheme.key(&scheme.test_key("own").unwrap().0).unwrap();
        named.insert(format!("{}/{name}", list(name)), vec![Key { id: "live".into(), secret, retire: None }]);
    }
    let word = |text: &str, retire| Key { id: text.into(), secret: Secret::new(text).unwrap(), retire };
    named.insert("words/verify_token".to_owned(), vec![word(VERIFY_TOKEN, None), word("retired", Some(now()))]);
    Keys::new(Secret::new("the gate's own").unwrap(), named)
}

/// What is sent to the route of one sender.
#[derive(Clone)]
struct Call {
    method: Method,
    target: String,
    fields: Vec<(String, String)>,
    body: String,
}

impl Call {
    fn unsigned(target: &str, content_type: &str, body: &str) -> Self {
        let fields = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { method: Method::POST, target: target.to_owned(), fields, body: body.to_owned() }
    }

    fn signed(name: &str, body: &str) -> Self {
        let mut call = Self::unsigned(&format!("/{name}"), JSON, body);
        let scheme = Catalogue::embedded().find(name).unwrap().scheme.clone();
        let what = Unsigned {
            method: &Method::POST,
            url: &call.target,
            content_type: JSON,
            body: body.as_bytes(),
            id: "msg_1",
            at: now(),
        };
        let signed = scheme.sign(&scheme.test_key("own").unwrap().1, &what);
        call.fields.extend(signed.fields);
        call.target = signed.url;
        call
    }

    fn get(target: &str) -> Self {
        Self::of(Method::GET, target)
    }

    fn of(method: Method, target: &str) -> Self {
        Self { method, target: target.to_owned(), fields: Vec::new(), body: String::new() }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    fn played(self, policy: &Policy) -> Played {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let head = Head {
            method: self.method,
            target: Target::parse(&self.target).unwrap(),
            host: "shop.example".into(),
            headers,
            client: [127, 0, 0, 1].into(),
        };
        Rehearsal::new(policy, &keys()).play(head, self.body.into(), now())
    }

    /// Its answer, after it was told as a validation call.
    fn answer(self) -> (u16, &'static str, String) {
        let played = self.played(&queued());
        assert_eq!(played.decision.name(), "handshake", "{}", played.code());
        assert!(played.event.is_none() && played.relayed.is_none());
        let answer = played.answer.unwrap();
        assert_eq!(answer.field, Some(("x-content-type-options", HeaderValue::from_static("nosniff"))));
        (answer.status.as_u16(), answer.content_type, String::from_utf8(answer.body.to_vec()).unwrap())
    }

    /// What becomes of it where no call is told.
    fn judged(self) -> (&'static str, &'static str) {
        let played = self.played(&queued());
        (played.decision.name(), played.code())
    }
}

const SLACK: &str = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
const ZOOM: &str =
    r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}"#;
const META: &str = "/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock";
const GITHUB: &str = r#"{"zen":"Keep it logically awesome.","hook_id":12345678,"hook":{"type":"Repository"}}"#;

#[test]
fn vendors_hear_what_their_documentation_asks_for() {
    let challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P".to_owned();
    assert_eq!(Call::signed("slack", SLACK).answer(), (200, "text/plain", challenge));
    assert_eq!(Call::get(META).answer(), (200, "text/plain", "1158201444".to_owned()));
    assert_eq!(Call::signed("discord", r#"{"type":1}"#).answer(), (200, JSON, r#"{"type":1}"#.to_owned()));
    assert_eq!(Call::signed("discord", r#"{"version":1,"type":0}"#).answer(), (204, "", String::new()));
    let ping = Call::signed("github", GITHUB).with("x-github-event", "ping");
    assert_eq!(ping.answer(), (200, "", String::new()));
    let ping = r#"{"event":{"id":"01","event_type":"pagey.ping","data":{"message":"Hello from your friend Pagey!"}}}"#;
    assert_eq!(Call::signed("pagerduty", ping).answer(), (200, "", String::new()));
    assert_eq!(Call::unsigned("/woocommerce", FORM, "webhook_id=12").answer(), (200, "", String::new()));
    let (code, back) = ("512d38b6-c7b8-40c8-89fe-f46f9e9622b6", "validationResponse");
    let validation = format!(
        r#"[{{"id":"2d1781af","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{{"validationCode":"{code}"}}}}]"#
    );
    let said = format!(r#"{{"{back}":"{code}"}}"#);
    assert_eq!(Call::signed("azure-event-grid", &validation).answer(), (200, JSON, said));
    let stranger = Call::unsigned("/azure-event-grid?token=guessed", JSON, &validation);
    assert_eq!(stranger.judged(), ("refused", "signature_mismatch"));
}

/// A subscription in the schema of CloudEvents asks whether events are wanted; Data Center tests the connection. Neither proves
/// anything, and neither is an event.
#[test]
fn event_grid_asks_before_it_sends_and_bitbucket_tests_the_connection() {
    let asks = Call::of(Method::OPTIONS, "/azure-event-grid").with("webhook-request-origin", "eventgrid.azure.net");
    assert_eq!(asks.judged().0, "handshake");
    assert_eq!(Call::of(Method::OPTIONS, "/azure-event-grid").judged(), ("refused", "method_not_allowed"));
    let ping = || Call::unsigned("/bitbucket", JSON, r#"{"test":true}"#).with("x-event-key", "diagnostics:ping");
    assert_eq!(ping().answer().0, 200);
    let event =
        Call { fields: Call::unsigned("/bitbucket", JSON, "").fields, ..ping() }.with("x-event-key", "repo:push");
    assert_eq!(event.judged(), ("refused", "signature_missing"));
}

/// The digest is what `openssl dgst -sha256 -hmac` says.
#[test]
fn zoom_hears_its_token_and_the_digest_of_it() {
    let (status, content_type, body) = Call::signed("zoom", ZOOM).answer();
    assert_eq!((status, content_type), (200, JSON));
    let scheme = Catalogue::embedded().find("zoom").unwrap().scheme.clone();
    assert_eq!(scheme.test_key("own").unwrap().0, "5b3975651c3cab92d044c096dc30a1c2d9525497457472de48c51ecb363d1f4a");
    let digest = "ecdd61f40617cb472847c01eda85abe69228e7bb08b8f51168544e01a292c31a";
    assert_eq!(body, format!(r#"{{"encryptedToken":"{digest}","plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#));
}

#[test]
fn what_only_looks_like_a_call_is_judged_like_any_request() {
    let refused = |code| ("refused", code);
    let accepted = ("accepted", "accepted");
    // Who may ask.
    assert_eq!(Call::unsigned("/slack", JSON, SLACK).judged(), refused("signature_missing"));
    let forged = Call { body: SLACK.replace("3eZ", "4eZ"), ..Call::signed("slack", SLACK) };
    assert_eq!(forged.judged(), refused("signature_mismatch"));
    for wrong in ["meatyhamhoc", "", "retired", "MEATYHAMHOCK"] {
        let target = META.replace(VERIFY_TOKEN, wrong);
        assert_eq!(Call::get(&target).judged(), refused("method_not_allowed"), "{wrong}");
    }
    let twice = format!("{META}&hub.verify_token=a");
    assert_eq!(Call::get(&twice).judged(), refused("method_not_allowed"));
    assert_eq!(Call::get(META).with("x-hub-signature-256", "sha256=00").judged(), refused("method_not_allowed"));
    // What is asked.
    for target in ["/meta", "/meta?hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=meatyhamhock"] {
        assert_eq!(Call::get(target).judged(), refused("method_not_allowed"));
    }
    for form in ["webhook_id=", "webhook_id=1a", "webhook_id=1&a=1", "a=1&webhook_id=1", "webhook_id=%31", ""] {
        assert_eq!(Call::unsigned("/woocommerce", FORM, form).judged(), refused("content_type"), "{form}");
    }
    // These bytes are a form only where they are called one: else they are an event that nobody signed.
    for other in [JSON, "text/plain", "multipart/form-data"] {
        let code = if other == JSON { "signature_missing" } else { "content_type" };
        assert_eq!(Call::unsigned("/woocommerce", other, "webhook_id=1").judged(), refused(code), "{other}");
    }
    let signed = Call::unsigned("/woocommerce", FORM, "webhook_id=1").with("x-wc-webhook-signature", "AAAA");
    assert_eq!(signed.judged(), refused("content_type"));
    assert_eq!(Call::signed("github", r#"{"action":"opened"}"#).with("x-github-event", "ping").judged(), accepted);
    assert_eq!(Call::signed("github", GITHUB).with("x-github-event", "push").judged(), accepted);
    let event = r#"{"version":1,"type":1,"event":{"type":"APPLICATION_AUTHORIZED"}}"#;
    assert_eq!(Call::signed("discord", event).judged(), accepted);
    let inside = r#"{"type":"event_callback","event":{"text":"url_verification"},"challenge":"a"}"#;
    assert_eq!(Call::signed("slack", inside).judged(), accepted);
    // What would go back.
    let long = "a".repeat(513);
    for odd in ["", "<script>", "a\\nb", "\\u00e9", "\\\"", &long] {
        let body = format!(r#"{{"type":"url_verification","challenge":"{odd}"}}"#);
        assert_eq!(Call::signed("slack", &body).judged(), accepted, "{odd}");
    }
    let odd = META.replace("1158201444", "%3Cscript%3E");
    assert_eq!(Call::get(&odd).judged(), refused("method_not_allowed"));
}

#[test]
fn calls_cost_no_sender_its_tokens_and_are_answered_again() {
    let (policy, keys) = (queued(), keys());
    let gate = Rehearsal::new(&policy, &keys);
    let play = |body: &'static str| {
        let call = Call::signed("slack", body);
        let headers = call.fields.iter();
        let headers = headers.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        let head = Head {
            method: Method::POST,
            target: Target::parse("/slack").unwrap(),
            host: "shop.example".into(),
            headers: headers.collect(),
            client: [127, 0, 0, 1].into(),
        };
        gate.play(head, body.into(), now()).decision.name()
    };
    assert_eq!(
        (play(SLACK), play(SLACK), play("{}"), play(SLACK)),
        ("handshake", "handshake", "accepted", "handshake")
    );
}

#[test]
fn a_plugin_that_answers_for_itself_hears_the_calls_that_were_signed() {
    let policy = policy(", deliver: { via: relay }");
    let decision = |call: Call| call.played(&policy).decision.name();
    assert_eq!(decision(Call::signed("slack", SLACK)), "relayed");
    assert_eq!(decision(Call::unsigned("/woocommerce", FORM, "webhook_id=12")), "handshake");
    assert_eq!(decision(Call::get(META)), "handshake");
}

#[test]
fn calls_can_be_left_to_the_rest_of_the_policy() {
    let off = without_calls();
    let code = |call: Call| call.played(&off).code();
    assert_eq!(code(Call::signed("slack", SLACK)), "accepted");
    assert_eq!(code(Call::unsigned("/woocommerce", FORM, "webhook_id=12")), "content_type");
}

fn without_calls() -> Policy {
    let text = "
routes:
  slack: { at: { path: /slack }, sender: { provider: slack, keys: all, handshakes: false } }
  woocommerce:
    at: { path: /woocommerce }
    sender: { provider: woocommerce, keys: all, handshakes: false }
    repeats: { remember: 72h }
    admit: { content_types: [application/json] }
keys: { all: [{ id: live, from: env:ALL }] }
destinations: { wordpress: { url: 'http://127.0.0.1/' } }
";
    compile(&Source::one("gate.yaml", text), &Catalogue::embedded(), &Overrides::default(), now()).unwrap().policy
}

/// Whoever prints an answer's headers prints this one as sensitive: the key is in it.
#[test]
fn a_key_that_goes_back_to_its_sender_is_marked_as_one() {
    let text = "
routes:
  tasks: { at: { path: /a }, sender: { provider: asana, keys: handed }, repeats: { remember: 72h } }
  grid: { at: { path: /b }, sender: { provider: azure-event-grid, keys: grid }, repeats: { protection: impossible } }
keys: { handed: [{ id: hook, from: 'handed:/var/lib/keys/asana' }], grid: [{ id: live, from: env:ALL }] }
destinations: { wordpress: { url: 'http://127.0.0.1/' } }
";
    let policy =
        compile(&Source::one("gate.yaml", text), &Catalogue::embedded(), &Overrides::default(), now()).unwrap().policy;
    let keys = Keys::new(Secret::new("the gate's own").unwrap(), BTreeMap::new());
    let answered = |route: &str, method: Method, name: &'static str, value: &'static str| {
        let headers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
        let (target, host, client) = (Target::parse("/").unwrap(), String::new(), [127, 0, 0, 1].into());
        let request = Unverified { head: Head { method, target, host, headers, client }, raw: bytes::Bytes::new() };
        let route = policy.routes.iter().find(|known| *known.name == *route).unwrap();
        let greeting = route.sender.webhook().unwrap().greet_stranger(&keys, &request, now()).unwrap();
        let (_, value) = &greeting.headers[0];
        (value.to_str().unwrap().to_owned(), value.is_sensitive())
    };
    let key = "b537207f20cbfa02357cf448134da559";
    assert_eq!(answered("tasks", Method::POST, "x-hook-secret", key), (key.to_owned(), true));
    let (said, is_sensitive) = answered("grid", Method::OPTIONS, "webhook-request-origin", "eventgrid.azure.net");
    assert!(!is_sensitive, "`{said}` is nobody's secret");
}
