//! Vendors' validation calls, and the keys that they hand over: what a vendor hears, what an operator does and sees, and that
//! nobody behind the gate hears of it.

use crate::{
    bed,
    delivery::wait_for_events,
    gate::{Gate, write_private},
    wire::Answer,
};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookwarden::{
    clock::{Clock as _, SystemClock},
    verify::{Catalogue, Scheme, Unsigned},
};
use sha2::Sha256;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const SECRET: &str = "e6b19c573432dcc6b075501d51b51bb8";
const FIRST: &str = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
const SECOND: &str = "a1f4c8e8d0cb0d02357cf448134da559e8bd39d61597dcd5631b8012eae53e99";

/// A server that nobody should come to.
struct Trap {
    at: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let trap = Self { at: listener.local_addr().unwrap(), connections: Arc::default() };
        let connections = trap.connections.clone();
        std::thread::spawn(move || {
            for tcp in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let Ok(mut tcp) = tcp else { continue };
                let _ = tcp.read(&mut [0; 4096]);
                let _ = tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        });
        trap
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// The fields of what this scheme signs with this key.
fn signed(scheme: &Scheme, key: &str, target: &str, body: &str) -> Vec<(String, String)> {
    let (method, at, content_type) = (http::Method::POST, SystemClock.now(), JSON.1);
    let what = Unsigned { method: &method, url: target, content_type, body: body.as_bytes(), id: "msg_1", at };
    let mut fields = vec![(JSON.0.to_owned(), JSON.1.to_owned())];
    fields.extend(scheme.sign(&scheme.signing_key(key).unwrap(), &what).fields);
    fields
}

impl Gate {
    fn calls(&self, method: &str, target: &str, fields: &[(String, String)], body: &str) -> Answer {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.send(method, target, &fields, body.as_bytes())
    }

    fn sends(&self, provider: &str, key: &str, target: &str, body: &str) -> Answer {
        let scheme = &Catalogue::embedded().find(provider).unwrap().scheme.clone();
        self.calls("POST", target, &signed(scheme, key, target, body), body)
    }

    fn handshake(&self, verb: &[&str]) -> (Option<i32>, String) {
        let (status, told) = self.cli(&[&["handshake"], verb, &["--spool", "spool"]].concat());
        (status.code(), told)
    }

    fn hands_over(&self, key: &str) -> Answer {
        self.send("POST", "/asana", &[JSON, ("X-Hook-Secret", key)], b"{}")
    }
}

/// Every sender whose calls are answered, each at its own name; half of them relayed to what stands behind the gate.
fn policy(folder: &std::path::Path, on: SocketAddr, admin: SocketAddr, behind: SocketAddr) -> String {
    write_private(&folder.join("key"), SECRET);
    write_private(&folder.join("word"), "meatyhamhock");
    let folder = folder.display();
    let impossible = "repeats: { protection: impossible }";
    let remember = "repeats: { remember: 168h }";
    let relay = "deliver: { via: relay }";
    let route = |name: &str, more: &str| {
        let token = if name == "meta" { ", verify_token: word" } else { "" };
        let more = if more.is_empty() { String::new() } else { format!(", {more}") };
        format!("  {name}: {{ at: {{ path: /{name} }}, sender: {{ provider: {name}, keys: all{token} }}{more} }}\n")
    };
    let routes = [
        route("x", &format!("{remember}, {relay}")),
        route("meta", &format!("{remember}, {relay}")),
        route("dropbox", &format!("{impossible}, {relay}")),
        route("microsoft-graph", &format!("{impossible}, {relay}")),
        route("okta", &format!("{impossible}, {relay}")),
        route("cloudevents", &format!("{impossible}, {relay}")),
        route("trello", &format!("{remember}, {relay}")),
        route("intercom", &format!("{remember}, {relay}")),
        route("twitch", ""),
        route("slack", ""),
        route("xero", remember),
        route("azure-event-grid", impossible),
    ];
    format!(
        "public_url: \"http://{on}\"\nlisteners: [{{ on: \"{on}\" }}]\nadmin: {{ on: \"{admin}\" }}\n\
         origin: {{ url: \"http://{behind}\" }}\nspool: {{ folder: \"{folder}/spool\" }}\n\
         destinations: {{ wordpress: {{ url: \"http://{behind}/events\" }} }}\n\
         keys: {{ all: [{{ id: live, from: \"file:{folder}/key\" }}], word: [{{ id: console, from: \"file:{folder}/word\" }}] }}\n\
         routes:\n{}",
        routes.concat()
    )
}

#[test]
fn vendors_hear_what_they_ask_for_and_nobody_behind_the_gate_hears_of_it() {
    let behind = Trap::set();
    let gate = Gate::alone(|folder, on, admin| policy(folder, on, admin, behind.at));
    let of = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let by = |provider: &str, more: &[(&str, &str)], body: &str| {
        let scheme = &Catalogue::embedded().find(provider).unwrap().scheme.clone();
        [signed(scheme, SECRET, &format!("/{provider}"), body), of(more)].concat()
    };
    let crc = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update("a_word").finalize().into_bytes();
    let crc = format!(r#"{{"response_token":"sha256={}"}}"#, BASE64.encode(&crc));
    let challenge = r#"{"challenge":"pogchamp-kappa","subscription":{"type":"channel.follow"}}"#;
    let url = r#"{"type":"url_verification","token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV"}"#;
    let intent = r#"{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}"#;
    let grid = r#"[{"id":"1","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6"}}]"#;
    let twitch = [("Twitch-Eventsub-Message-Type", "webhook_callback_verification")];
    let grid_target = format!("/azure-event-grid?token={SECRET}");
    let calls = [
        ("GET", "/x?crc_token=a_word", of(&[]), "", crc.as_str()),
        ("GET", "/meta?hub.mode=subscribe&hub.challenge=1158&hub.verify_token=meatyhamhock", of(&[]), "", "1158"),
        ("GET", "/dropbox?challenge=abc", of(&[]), "", "abc"),
        ("POST", "/microsoft-graph?validationToken=Validation%3a+it+is", of(&[]), "", "Validation: it is"),
        ("GET", "/okta", of(&[("X-Okta-Verification-Challenge", "mine")]), "", r#"{"verification":"mine"}"#),
        ("OPTIONS", "/cloudevents", of(&[("WebHook-Request-Origin", "events.example")]), "", ""),
        ("HEAD", "/trello", of(&[]), "", ""),
        ("HEAD", "/intercom", of(&[]), "", ""),
        ("POST", "/twitch", by("twitch", &twitch, challenge), challenge, "pogchamp-kappa"),
        ("POST", "/slack", by("slack", &[], url), url, "3eZbrw1aBm2rZgRNFdxV"),
        ("POST", "/xero", by("xero", &[], intent), intent, ""),
        ("POST", grid_target.as_str(), of(&[JSON]), grid, r#"{"validationResponse":"512d38b6"}"#),
    ];
    for (method, target, fields, body, told) in &calls {
        let answer = gate.calls(method, target, fields, body);
        assert_eq!((answer.status, answer.text().as_str()), (200, *told), "{method} {target}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
        assert_ne!(answer.header("content-type"), Some("text/html"), "{target}");
        assert_eq!(answer.header("webhook-allowed-origin").is_some(), *method == "OPTIONS", "{target}");
        let route = target.trim_start_matches('/').split('?').next().unwrap();
        gate.counts(&[&format!("hookwarden_requests_total{{outcome=\"handshake\",route=\"{route}\"}} 1")]);
    }
    // Xero looks at this one too.
    let answer = gate.calls("POST", "/xero", &by("xero", &[], intent), &intent.replace("S0m3", "s0m3"));
    assert_eq!((answer.status, answer.text().as_str(), answer.header("set-cookie")), (401, "", None));
    // And what only looks like a call is none.
    for (method, target, body) in [
        ("GET", "/x?crc_token=%7B%22a%22%3A1%7D", ""),
        ("GET", "/meta?hub.mode=subscribe&hub.challenge=1158&hub.verify_token=guessed", ""),
        ("GET", "/dropbox?challenge=%3Cscript%3Ealert(1)%3C/script%3E", ""),
        ("GET", "/dropbox?challenge=a%0d%0aSet-Cookie:+a=b", ""),
        ("GET", "/slack", ""),
        ("OPTIONS", "/trello", ""),
        ("POST", "/slack", url),
        ("POST", "/azure-event-grid?token=guessed", grid),
        ("POST", "/x?crc_token=a_word&_method=GET", "{}"),
    ] {
        let answer = gate.send(method, target, &[JSON, ("X-HTTP-Method-Override", "GET")], body.as_bytes());
        assert!((400..500).contains(&answer.status), "{method} {target}: {}", answer.status);
        assert!(!answer.text().contains("script") && answer.header("set-cookie").is_none(), "{target}");
    }
    // Nobody signs the question, so it is answered in small numbers.
    let mut heard = 1;
    let refused = loop {
        let answer = gate.send("GET", "/x?crc_token=a_word", &[], b"");
        if answer.status != 200 {
            break answer;
        }
        heard += 1;
        assert!(heard < 50, "there is no bound");
    };
    assert!(refused.status == 429 && refused.header("retry-after").is_some() && heard >= 10, "{heard}");
    gate.counts(&["hookwarden_requests_total{outcome=\"handshake_address_limited\",route=\"x\"} 1"]);
    assert_eq!(behind.connections(), 0, "nobody behind the gate has heard of it");
    assert!(!gate.log().contains("meatyhamhock"), "what the console shares with the policy is not in the log");
}

fn takes_keys(bed: &bed::Bed) -> Gate {
    Gate::alone(|folder, on, admin| {
        let (origin, key, folder) = (bed.address, bed.events_key(), folder.display());
        let key = key.display();
        format!(
            "listeners: [{{ on: \"{on}\" }}]\nadmin: {{ on: \"{admin}\" }}\norigin: {{ url: \"http://{origin}\" }}\n\
             public_url: \"http://{}\"\nspool: {{ folder: \"{folder}/spool\" }}\n\
             destinations:\n  wordpress: {{ url: \"http://{origin}/index.php?rest_route=/hookwarden/v1/events\", sign: \"file:{key}\" }}\n\
             keys:\n  asana: [{{ id: hook, from: \"handed:{folder}/keys/asana\" }}]\n  \
             notion: [{{ id: token, from: \"handed:{folder}/keys/notion\" }}]\n\
             routes:\n  asana: {{ at: {{ path: /asana }}, sender: {{ provider: asana, keys: asana }}, repeats: {{ remember: 72h }} }}\n  \
             notion: {{ at: {{ path: /notion }}, sender: {{ provider: notion, keys: notion }}, repeats: {{ remember: 72h }} }}\n",
            bed.public
        )
    })
}

#[test]
fn a_key_that_is_handed_over_is_kept_once_and_its_events_reach_wordpress() {
    let (bed, _turn) = bed::wordpress();
    let gate = takes_keys(bed);
    let before = bed.event_hits().len();
    let event = |number: usize| format!(r#"{{"events":[{{"action":"changed","number":{number}}}]}}"#);
    assert_eq!(gate.hands_over(FIRST).status, 401, "nobody has armed it");
    assert_eq!(gate.handshake(&["arm", "asana", "--actor", "kim"]).0, Some(0));
    assert_eq!(gate.handshake(&["disarm", "asana", "--actor", "kim"]).0, Some(0));
    assert_eq!(gate.hands_over(FIRST).status, 401, "disarmed");
    assert_eq!(gate.handshake(&["arm", "asana", "--for", "1s"]).0, Some(0));
    let deadline = Instant::now() + Duration::from_secs(20);
    while gate.handshake(&["status"]).1.contains("armed until") {
        assert!(Instant::now() < deadline, "it has no end");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(gate.hands_over(FIRST).status, 401, "its time is over");
    assert!(!gate.path("keys").exists());

    assert_eq!(gate.handshake(&["arm", "asana"]).0, Some(0));
    let answer = gate.hands_over(FIRST);
    assert_eq!((answer.status, answer.header("x-hook-secret")), (200, Some(FIRST)));
    let mode = |name: &str| fs::metadata(gate.path(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("keys/asana"), mode("keys")), (0o600, 0o700));
    assert_eq!(fs::read_to_string(gate.path("keys/asana")).unwrap(), format!("{FIRST}\n"));
    assert_eq!(gate.hands_over(SECOND).status, 401, "once");
    assert_eq!(gate.sends("asana", FIRST, "/asana", &event(1)).status, 200);
    assert_eq!(gate.sends("asana", SECOND, "/asana", &event(2)).status, 401);

    let token = format!(r#"{{"verification_token":"{SECOND}"}}"#);
    assert_eq!(gate.send("POST", "/notion", &[JSON], token.as_bytes()).status, 401);
    assert_eq!(gate.handshake(&["arm", "notion"]).0, Some(0));
    assert_eq!(gate.send("POST", "/notion", &[JSON], token.as_bytes()).status, 200);
    assert_eq!(mode("keys/notion"), 0o600);
    assert_eq!(gate.send("POST", "/notion", &[JSON], token.as_bytes()).status, 401);
    assert_eq!(gate.sends("notion", SECOND, "/notion", r#"{"id":"1","type":"page.created"}"#).status, 202);
    wait_for_events(bed, before, 2);
    assert_eq!(bed.event_hits().len(), before + 2, "the events, and no call");
    let told = gate.log() + &gate.metrics() + &gate.cli(&["spool", "acts", "--folder", "spool"]).1;
    assert!(!told.contains(FIRST) && !told.contains(SECOND), "a key is never told");
}

/// What SNS sends, signed in a way that needs no certificate of Amazon's.
const NOTICES: &str = r#"name: notices
documentation: https://vendor.example/
source: { how: made up, checked: 2026-11-23 }
scheme: { alg: hmac-sha256, sig: { in: "header:X-Own", enc: hex }, message: [body] }
retry_horizon: 1h
answer_by: 9s
challenge:
  - name: subscription-confirmation
    when: { json: { /Type: SubscriptionConfirmation }, has: [/SubscribeURL] }
    proof: signature
    show: { url: "json:/SubscribeURL", hosts: [localhost] }
"#;

#[test]
fn a_subscription_is_shown_to_the_operator_and_never_followed() {
    let (trap, behind) = (Trap::set(), Trap::set());
    let gate = Gate::alone(|folder, on, admin| {
        write_private(&folder.join("key"), SECRET);
        fs::create_dir(folder.join("providers")).unwrap();
        fs::write(folder.join("providers/notices.yaml"), NOTICES).unwrap();
        let (folder, behind) = (folder.display(), behind.at);
        format!(
            "listeners: [{{ on: \"{on}\" }}]\nadmin: {{ on: \"{admin}\" }}\norigin: {{ url: \"http://{behind}\" }}\n\
             spool: {{ folder: \"{folder}/spool\" }}\ndestinations: {{ wordpress: {{ url: \"http://{behind}/events\" }} }}\n\
             keys: {{ own: [{{ id: live, from: \"file:{folder}/key\" }}] }}\n\
             routes:\n  own: {{ at: {{ path: /own }}, sender: {{ provider: notices, keys: own }}, repeats: {{ remember: 24h }} }}\n  \
             sns:\n    at: {{ path: /sns }}\n    sender: {{ provider: aws-sns, config: {{ topic_arns: \"arn:aws:sns:us-east-1:123456789012:t\" }} }}\n    \
             repeats: {{ remember: 552h }}\n"
        )
    });
    let url = format!("https://localhost:{}/?Action=ConfirmSubscription&Token=2336", trap.at.port());
    let body = format!(r#"{{"Type":"SubscriptionConfirmation","Token":"2336","SubscribeURL":"{url}"}}"#);
    let scheme = hookwarden::verify::Provider::from_yaml(NOTICES).unwrap().scheme;
    assert_eq!(gate.calls("POST", "/own", &signed(&scheme, SECRET, "/own", &body), &body).status, 200);
    assert_eq!(gate.send("POST", "/own", &[JSON], body.as_bytes()).status, 401);
    let listed = gate.handshake(&["ls"]).1;
    assert!(
        listed.lines().count() == 1 && listed.contains(&format!("own  subscription-confirmation  {url}")),
        "{listed}"
    );
    assert!(gate.log().contains(&url), "{}", gate.log());
    // As Amazon's, but for where it says that its certificate is: nobody looks there, and nobody follows it.
    let certificate = format!("https://localhost:{}/SimpleNotificationService-01.pem", trap.at.port());
    let body = format!(
        r#"{{"Type":"SubscriptionConfirmation","MessageId":"1","TopicArn":"arn:aws:sns:us-east-1:123456789012:t","Message":"m","SubscribeURL":"{url}","Token":"2336","Timestamp":"2026-11-28T00:00:00.000Z","SignatureVersion":"2","Signature":"AAAA","SigningCertURL":"{certificate}"}}"#
    );
    assert_eq!(gate.send("POST", "/sns", &[JSON], body.as_bytes()).status, 401);
    assert_eq!(gate.handshake(&["ls"]).1, listed, "nobody vouched for it");
    gate.counts(&["hookwarden_requests_total{outcome=\"handshake\",route=\"own\"} 1"]);
    assert_eq!((trap.connections(), behind.connections()), (0, 0));
}
