//! The calls of vendors that ask in other ways: with a HEAD, with OPTIONS, with a header, with a body that nobody signed.

use super::{Call, FORM, JSON, now};
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookwarden::{
    policy::{Overrides, Policy, Source, compile},
    rehearsal::{Played, Rehearsal},
    request::{Head, Target},
    secret::Secret,
    verify::{Catalogue, Key, Keys, Provider, Unsigned},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha1::Sha1;
use sha2::Sha256;
use std::{collections::BTreeMap, fmt::Write as _};

const NAMES: &[&str] = &[
    "x",
    "twitch",
    "dropbox",
    "okta",
    "xero",
    "trello",
    "intercom",
    "smartcar",
    "microsoft-graph",
    "event-grid",
    "cloud-events",
    "own-braintree",
    "own-sns",
    "braintree",
    "mandrill",
];
const SECRET: &str = "5b3975651c3cab92d044c096dc30a1c2";

/// Senders of which the scheme is made up, and the call is the vendor's.
const OWN: [(&str, &str); 4] = [
    (
        "event-grid",
        r#"[{ name: subscription-validation,
              when: { header: { aeg-event-type: SubscriptionValidation }, has: [/0/data/validationCode], lacks: [/1],
                      json: { /0/eventType: Microsoft.EventGrid.SubscriptionValidationEvent } },
              proof: nothing,
              show: { url: "json:/0/data/validationUrl", hosts: [.eventgrid.azure.net] },
              reply: { members: { validationResponse: { echo: "json:/0/data/validationCode" } } } }]"#,
    ),
    (
        "cloud-events",
        r#"[{ name: abuse-protection, when: { method: OPTIONS, present: ["header:WebHook-Request-Origin"] }, proof: nothing,
              reply: { headers: { WebHook-Allowed-Origin: { echo: "header:WebHook-Request-Origin" },
                                  WebHook-Allowed-Rate: { is: 120 } } } }]"#,
    ),
    (
        "own-braintree",
        r#"[{ name: challenge, when: { method: GET, present: ["query:bt_challenge"] }, proof: nothing,
              texts: { chars: hex, bytes_max: 32 },
              reply: { text: [{ config: public_key }, { prefix: "|", hmac_hex: "query:bt_challenge" }] } }]"#,
    ),
    (
        "own-sns",
        r#"[{ name: subscription-confirmation, when: { json: { /Type: SubscriptionConfirmation }, has: [/SubscribeURL] },
              proof: signature, show: { url: "json:/SubscribeURL", hosts: [.amazonaws.com] } }]"#,
    ),
];

pub(super) fn entry(name: &str, alg: &str, challenge: &str) -> String {
    format!(
        "name: {name}\ndocumentation: https://vendor.example/\nsource: {{ how: made up, checked: 2026-11-23 }}\n\
         scheme: {{ alg: {alg}, sig: {{ in: 'header:X-Own', enc: hex }}, message: [body] }}\n\
         retry_horizon: 1h\nanswer_by: 9s\nchallenge: {challenge}\n"
    )
}

fn catalogue() -> Catalogue {
    let own = OWN.map(|(name, challenge)| {
        let alg = if name == "own-braintree" { "hmac-sha1" } else { "hmac-sha256" };
        Provider::from_yaml(&entry(name, alg, challenge)).unwrap_or_else(|wrong| panic!("{name}: {wrong:?}"))
    });
    Catalogue::embedded().with(own.into()).unwrap()
}

fn policy(catalogue: &Catalogue) -> Policy {
    let mut text = "public_url: https://shop.example\nroutes:\n".to_owned();
    for name in NAMES {
        let entry = catalogue.find(name).unwrap();
        let repeats = match (entry.max_age, *name) {
            (_, "okta" | "dropbox" | "microsoft-graph") => "protection: impossible",
            (None, _) => "remember: 168h",
            (Some(_), _) => "",
        };
        let more = match *name {
            "own-braintree" | "braintree" => ", config: { public_key: our_public_key }",
            _ => "",
        };
        let kind = if matches!(*name, "braintree" | "mandrill") { FORM } else { JSON };
        writeln!(
            text,
            "  {name}: {{ at: {{ path: /{name} }}, sender: {{ provider: {name}, keys: all{more} }}, \
             admit: {{ content_types: [{kind}] }}, repeats: {{ {repeats} }} }}"
        )
        .unwrap();
    }
    text.push_str(
        "keys: { all: [{ id: live, from: env:ALL }] }\ndestinations: { wordpress: { url: 'http://127.0.0.1/' } }\n",
    );
    let compiled = compile(&Source::one("gate.yaml", text), catalogue, &Overrides::default(), now());
    compiled.unwrap_or_else(|report| panic!("{report}")).policy
}

fn keys() -> Keys {
    let key = || vec![Key { id: "live".into(), secret: Secret::new(SECRET).unwrap(), retire: None }];
    let named: BTreeMap<_, _> = NAMES.iter().map(|name| (format!("all/{name}"), key())).collect();
    Keys::new(Secret::new("the gate's own").unwrap(), named)
}

fn play(call: Call) -> Played {
    let (catalogue, keys) = (catalogue(), keys());
    let policy = policy(&catalogue);
    let mut headers = HeaderMap::new();
    for (name, value) in &call.fields {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let head = Head {
        method: call.method,
        target: Target::parse(&call.target).unwrap(),
        host: "shop.example".into(),
        headers,
        client: [127, 0, 0, 1].into(),
    };
    Rehearsal::new(&policy, &keys).play(head, call.body.into(), now())
}

/// Status, type and text of the answer, after it was told as a validation call.
fn answer(call: Call) -> (u16, &'static str, String) {
    let played = play(call);
    assert_eq!(played.decision.name(), "handshake", "{}", played.code());
    let answer = played.answer.unwrap();
    assert_eq!(answer.field, Some(("x-content-type-options", HeaderValue::from_static("nosniff"))));
    (answer.status.as_u16(), answer.content_type, String::from_utf8(answer.body.to_vec()).unwrap())
}

fn refused(call: Call) -> &'static str {
    let played = play(call);
    assert_eq!(played.decision.name(), "refused", "{}", played.code());
    played.code()
}

fn signed(name: &str, body: &str) -> Call {
    let mut call = Call::unsigned(&format!("/{name}"), JSON, body);
    let scheme = catalogue().find(name).unwrap().scheme.clone();
    let url = format!("https://shop.example/{name}");
    let what = Unsigned {
        method: &Method::POST,
        url: &url,
        content_type: JSON,
        body: body.as_bytes(),
        id: "msg_1",
        at: now(),
    };
    call.fields.extend(scheme.sign(&scheme.signing_key(SECRET).unwrap(), &what).fields);
    call
}

fn sha256(text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

const CHALLENGE: &str = r#"{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","type":"channel.follow"}}"#;
const INTENT: &str = r#"{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}"#;
const VERIFY: &str = r#"{"eventId":"d06b0bc3","eventType":"VERIFY","data":{"challenge":"3a5c8c72-31d7-4c4a-b6f2-6d3a4f8a2f8b"},"meta":{"version":"4.0"}}"#;
const GRID: &str = r#"[{"id":"2d1781af-3a4c-4d7c-bd0c-e34b19da4e66","topic":"/subscriptions/x","subject":"","data":{"validationCode":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6","validationUrl":"https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions/myeventsub/validate?id=0000"},"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2022-10-25T22:12:19.4556811Z","metadataVersion":"1","dataVersion":"1"}]"#;

#[test]
fn vendors_hear_what_their_documentation_asks_for() {
    let crc = BASE64.encode(&sha256("challenge_string"));
    let told = format!(r#"{{"response_token":"sha256={crc}"}}"#);
    assert_eq!(answer(Call::get("/x?crc_token=challenge_string")), (200, JSON, told));
    let twitch = signed("twitch", CHALLENGE).with("twitch-eventsub-message-type", "webhook_callback_verification");
    assert_eq!(answer(twitch), (200, "text/plain", "pogchamp-kappa-360noscope-vohiyo".to_owned()));
    assert_eq!(answer(Call::get("/dropbox?challenge=abc123")), (200, "text/plain", "abc123".to_owned()));
    let okta = || Call::get("/okta").with("x-okta-verification-challenge", "my_verification_challenge");
    let told = r#"{"verification":"my_verification_challenge"}"#.to_owned();
    assert_eq!(answer(okta()), (200, JSON, told.clone()));
    assert_eq!(answer(okta().with("authorization", SECRET)), (200, JSON, told), "its token is no signature");
    assert_eq!(answer(signed("xero", INTENT)), (200, "", String::new()));
    for name in ["trello", "intercom", "mandrill"] {
        assert_eq!(answer(Call::of(Method::HEAD, &format!("/{name}"))), (200, "", String::new()));
    }
    let digest = HEXLOWER.encode(&sha256("3a5c8c72-31d7-4c4a-b6f2-6d3a4f8a2f8b"));
    let told = (200, JSON, format!(r#"{{"challenge":"{digest}"}}"#));
    assert_eq!(answer(Call::unsigned("/smartcar", JSON, VERIFY)), told);
    assert_eq!(answer(signed("smartcar", VERIFY)), told);
    let token = "/microsoft-graph?validationToken=Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+522a8e7e-096a-494c-aaf1-ac0dcfca45b7";
    let told = "Validation: Testing client application reachability for subscription Request-Id: 522a8e7e-096a-494c-aaf1-ac0dcfca45b7";
    assert_eq!(answer(Call::of(Method::POST, token)), (200, "text/plain", told.to_owned()));
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(b"20f9f8ed05f77439fe955c977e4c8a53");
    let told = format!("our_public_key|{}", HEXLOWER.encode(&mac.finalize().into_bytes()));
    let call = Call::get("/own-braintree?bt_challenge=20f9f8ed05f77439fe955c977e4c8a53");
    assert_eq!(answer(call), (200, "text/plain", told));
}

#[test]
fn a_gateway_that_asks_with_options_hears_what_it_may() {
    let asks = |origin: &str| Call::of(Method::OPTIONS, "/cloud-events").with("webhook-request-origin", origin);
    let played = play(asks("eventemitter.example.com"));
    let wanted = played.answer.unwrap().wanted;
    let wanted: Vec<_> = wanted.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(wanted, [("webhook-allowed-origin", "eventemitter.example.com"), ("webhook-allowed-rate", "120")]);
    for odd in ["<b>", "", "a\"b"] {
        assert_eq!(refused(asks(odd)), "method_not_allowed", "{odd}");
    }
    let twice = asks("a.example").with("webhook-request-origin", "b.example");
    assert_eq!(refused(twice), "method_not_allowed");
    assert_eq!(refused(Call::of(Method::OPTIONS, "/cloud-events")), "method_not_allowed");
}

#[test]
fn a_url_is_shown_and_only_where_it_leads_to_the_vendor() {
    let grid =
        |body: &str| play(Call::unsigned("/event-grid", JSON, body).with("aeg-event-type", "SubscriptionValidation"));
    let told = grid(GRID);
    assert_eq!(told.decision.name(), "handshake", "{}", told.code());
    assert_eq!(told.answer.unwrap().body, r#"{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}"#);
    let shown_there = "https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions/myeventsub/validate?id=0000";
    assert_eq!(told.notes.shown.as_deref(), Some(shown_there));
    let url = |url: &str| GRID.replace("https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions", url);
    let shown = |wanted: &str| grid(&url(wanted)).notes.shown;
    let good = "https://rp-eastus2.eventgrid.azure.net/eventsubscriptions";
    assert_eq!(shown(good).as_deref(), Some(&*format!("{good}/myeventsub/validate?id=0000")));
    for other in [
        "http://rp-eastus2.eventgrid.azure.net/a",
        "https://evil.example/a",
        "https://eventgrid.azure.net.evil.example/a",
        "https://xeventgrid.azure.net/a",
        "https://rp.eventgrid.azure.net@evil.example/a",
        "https://a.eventgrid.azure.net/<b>",
        "javascript:alert(1)",
        "",
        &format!("{good}{}", "a".repeat(2048)),
    ] {
        assert_eq!(shown(other), None, "{other}");
    }
    let confirmation = r#"{"Type":"SubscriptionConfirmation","Token":"2336","SubscribeURL":"https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:MyTopic&Token=2336"}"#;
    let played = play(signed("own-sns", confirmation));
    assert_eq!(played.decision.name(), "handshake", "{}", played.code());
    assert!(played.notes.shown.unwrap().starts_with("https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription"));
    assert_eq!(refused(Call::unsigned("/own-sns", JSON, confirmation)), "signature_missing");
}

#[test]
fn what_only_looks_like_a_call_is_judged_like_any_request() {
    let get = |target: &str| refused(Call::get(target));
    for target in ["/x", "/x?crc_token=", "/x?crc_token=a&crc_token=b", "/x?crc_token=%7b%7d", "/x?crc_token=1"] {
        assert_eq!(get(target), "method_not_allowed", "{target}");
    }
    assert_eq!(get(&format!("/x?crc_token={}", "a".repeat(129))), "method_not_allowed");
    let with_signature = Call::get("/x?crc_token=a").with("x-twitter-webhooks-signature", "sha256=AAAA");
    assert_eq!(refused(with_signature), "method_not_allowed");
    for target in
        ["/dropbox", "/dropbox?challenge=", "/dropbox?challenge=%3Cscript%3E", "/dropbox?challenge=%0a", "/okta"]
    {
        assert_eq!(get(target), "method_not_allowed", "{target}");
    }
    assert_eq!(get(&format!("/dropbox?challenge={}", "a".repeat(513))), "method_not_allowed");
    let with_body = |target: &str| Call { body: "{}".into(), ..Call::of(Method::POST, target) };
    let notified = with_body("/microsoft-graph?validationToken=a").with("content-type", JSON);
    assert_eq!(refused(notified), "signature_missing", "a notification with a token in its URL is a notification");
    let challenge = |text: &str| get(&format!("/own-braintree?bt_challenge={text}"));
    for odd in ["20F9", "xyz", "12", &"a".repeat(33)] {
        assert_eq!(challenge(odd), "method_not_allowed", "{odd}");
    }
    assert_eq!(refused(Call::of(Method::HEAD, "/x")), "method_not_allowed");
    assert_eq!(refused(Call::get("/trello")), "method_not_allowed");
    for bad in ["{}", "[1]", "\\u007b\\u007d", "12", "a.b", "a b", ""] {
        let body = VERIFY.replace("3a5c8c72-31d7-4c4a-b6f2-6d3a4f8a2f8b", bad);
        assert_eq!(refused(Call::unsigned("/smartcar", JSON, &body)), "signature_missing", "{bad}");
    }
    let repeated = VERIFY.replace(r#""eventId""#, r#""eventType":"VERIFY","eventId""#);
    assert_eq!(
        refused(Call::unsigned("/smartcar", JSON, &repeated)),
        "signature_missing",
        "a member stands there once"
    );
    let long = VERIFY.replace(r#""meta""#, &format!(r#""a":"{}","meta""#, "a".repeat(64 << 10)));
    assert_eq!(refused(Call::unsigned("/smartcar", JSON, &long)), "signature_missing");
    assert_eq!(refused(Call::unsigned("/smartcar", FORM, "eventType=VERIFY")), "content_type");
    assert_eq!(refused(Call::unsigned("/twitch", JSON, CHALLENGE)), "signature_missing");
    assert_eq!(refused(Call::unsigned("/xero", JSON, INTENT)), "signature_missing");
    let event = INTENT.replace("[]", r#"[{"resourceId":"a"}]"#);
    assert_eq!(play(signed("xero", &event)).decision.name(), "accepted");
    let other_type = signed("twitch", CHALLENGE).with("twitch-eventsub-message-type", "notification");
    assert_eq!(play(other_type).decision.name(), "accepted");
}

/// What a stranger had signed is nothing that the vendor said.
#[test]
fn a_digest_that_was_made_for_a_stranger_signs_no_event() {
    let answered = answer(Call::get("/x?crc_token=a-word"));
    let told: serde_json::Value = serde_json::from_str(&answered.2).unwrap();
    let digest = told["response_token"].as_str().unwrap();
    let event = |body: &str, kind| Call::unsigned("/x", kind, body).with("x-twitter-webhooks-signature", digest);
    assert_eq!(refused(event("a-word", JSON)), "signature_mismatch");
    let (word, document) = (signed("x", "a-word"), signed("x", r#"{"for_user_id":"1"}"#));
    assert_eq!(refused(word), "signature_mismatch", "whoever signed it");
    assert_eq!(play(document).decision.name(), "accepted");
}

/// Mandrill asks with it where a HEAD was not answered; everybody has that key, and could send events by it.
#[test]
fn what_a_key_signs_that_everybody_has_is_nothing() {
    let url = "https://shop.example/mandrill";
    let post = |key: &[u8], events: &str| {
        let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
        mac.update(format!("{url}mandrill_events{events}").as_bytes());
        let form = format!("mandrill_events={}", events.replace('[', "%5B").replace(']', "%5D"));
        let call = Call::unsigned("/mandrill", FORM, &form);
        play(call.with("x-mandrill-signature", &BASE64.encode(&mac.finalize().into_bytes())))
    };
    for events in ["[]", "[1]"] {
        assert_eq!(post(b"test-webhook", events).code(), "signature_mismatch", "{events}");
        assert_eq!(post(SECRET.as_bytes(), events).decision.name(), "accepted", "{events}");
    }
}

/// The same where not the body is what is signed, but a field of it.
#[test]
fn a_digest_that_was_made_for_a_stranger_signs_no_field() {
    let word = "0123456789abcdef0123456789abcdef";
    let (_, _, signature) = answer(Call::get(&format!("/braintree?bt_challenge={word}")));
    for payload in [word.to_owned(), format!("{word}%0A")] {
        let form = format!("bt_signature={}&bt_payload={payload}", signature.replace('|', "%7C"));
        assert_eq!(refused(Call::unsigned("/braintree", FORM, &form)), "signature_mismatch", "{payload}");
    }
}

#[test]
fn an_entry_that_would_sign_anything_for_whoever_asks_does_not_compile() {
    let wrong = |alg: &str, challenge: &str| {
        let wrong = Provider::from_yaml(&entry("own", alg, challenge)).err().unwrap_or_default();
        wrong.into_iter().map(|mistake| mistake.message).collect::<Vec<_>>().join("\n")
    };
    let oracle = |texts: &str| {
        format!(
            r#"[{{ name: a, when: {{ method: GET, present: ["query:a"] }}, proof: nothing{texts}, reply: {{ text: [{{ hmac_hex: "query:a" }}] }} }}]"#
        )
    };
    for wide in ["", ", texts: { chars: line }", ", texts: { chars: word }", ", texts: { chars: word, bytes_max: 129 }"]
    {
        assert!(wrong("hmac-sha256", &oracle(wide)).contains("whoever asks would have any text signed"), "{wide}");
    }
    let narrow = oracle(", texts: { chars: word, bytes_max: 128 }");
    assert_eq!(wrong("hmac-sha256", &narrow), "");
    let plain = entry("own", "sha256", &narrow).replace("[body]", "[secret, body]");
    let wrong_digest = Provider::from_yaml(&plain).err().unwrap_or_default();
    assert!(wrong_digest.iter().any(|mistake| mistake.message.contains("no keyed digest")), "{wrong_digest:?}");
    let call = |body: &str| wrong("hmac-sha256", &format!("[{{ name: a, {body} }}]"));
    for (body, told) in [
        ("when: { method: PUT, has: [/a] }, proof: nothing", "write `GET`, `HEAD` or `OPTIONS`"),
        ("when: { method: GET }, proof: nothing", "every request would be this one"),
        ("when: { present: ['json:/a'] }, proof: nothing", "goes under `has`"),
        ("when: { present: ['a'] }, proof: nothing", "cannot read `a`"),
        ("when: { form: [a], has: [/a] }, proof: nothing", "a form or JSON"),
        ("when: { method: HEAD }, proof: nothing, reply: { echo: 'json:/a' }", "its body is not read"),
        ("when: { has: [/a] }, proof: nothing, show: { url: 'json:/a' }", "nobody signed it"),
        ("when: { has: [/a] }, proof: signature, show: { url: 'query:a' }", "write `json:/pointer`"),
        ("when: { has: [/a] }, proof: nothing, show: { url: 'json:/a', hosts: ['http://a'] }", "is no host"),
        (
            "when: { has: [/a] }, proof: nothing, reply: { headers: { Set-Cookie: { is: a } } }",
            "the vendor alone reads",
        ),
        (
            "when: { has: [/a] }, proof: nothing, reply: { headers: { X-Accel-Redirect: { is: a } } }",
            "the vendor alone reads",
        ),
        ("when: { has: [/a] }, proof: nothing, reply: { echo: 'json:/a', text: [{ is: a }] }", "one of `echo`"),
        ("when: { has: [/a] }, proof: nothing, reply: { text: [{ is: a, config: b }] }", "how is `text` made?"),
        ("when: { has: [/a] }, proof: nothing, texts: { bytes_max: 513 }", "from 1 to 512"),
    ] {
        assert!(call(body).contains(told), "{body}: {}", call(body));
    }
}
