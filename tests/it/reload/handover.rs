//! A vendor hands its key over while an operator expects it: kept in a file, in force at once, once.

use super::gate::{Gate, Shop, Wire, write_secret};
use hookwarden::{
    clock::{Clock as _, SystemClock},
    verify::{Catalogue, Unsigned},
};
use serde_json::Value;
use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt as _, path::Path, process::Command, sync::Barrier};

const FIRST: &str = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
const SECOND: &str = "a1f4c8e8d0cb0d02357cf448134da559e8bd39d61597dcd5631b8012eae53e99";
const TOKEN: &str = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl";
const SIGNED: &str = r#"{"events":[{"action":"changed"}]}"#;

fn policy(folder: &Path, shop: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "\
listeners: [{{ on: \"127.0.0.1:0\" }}]
admin: {{ on: \"127.0.0.1:0\" }}
origin: {{ url: \"http://{shop}\" }}
spool: {{ folder: \"{folder}/spool\" }}
classes: {{ event: {{ repeats: {{ remember: 168h }}, limits: {{ per_address: 1000000/s }} }} }}
routes:
  asana: {{ class: event, at: {{ path: /asana }}, sender: {{ provider: asana, keys: asana }}, capture: {{ keep: 1h, body: sealed }} }}
  notion: {{ class: event, at: {{ path: /notion }}, sender: {{ provider: notion, keys: notion }} }}
  several: {{ class: event, at: {{ path: /several }}, sender: {{ provider: asana, keys: several }} }}
  marketing: {{ class: event, at: {{ path: /marketing }}, sender: {{ provider: salesforce-marketing-cloud, keys: shared }} }}
  github: {{ class: event, at: {{ path: /github }}, sender: {{ provider: github, keys: hub }} }}
keys:
  asana: [{{ id: hook, from: \"handed:{folder}/keys/asana\" }}]
  notion: [{{ id: token, from: \"handed:{folder}/keys/notion\" }}]
  several: [{{ id: a, from: \"handed:{folder}/keys/a\" }}, {{ id: b, from: \"handed:{folder}/keys/b\" }}]
  shared: [{{ id: ens, from: \"handed:{folder}/keys/ens\" }}]
  hub: [{{ id: live, from: \"file:{folder}/key\" }}]
destinations: {{ wordpress: {{ url: \"http://{shop}/events\" }} }}
"
    )
}

/// A gate that reads nothing by itself: what is in force there was put in force.
fn gate(shop: &Shop) -> Gate {
    let folder = Gate::folder();
    let path = folder.path().join("gate.yaml");
    fs::write(&path, policy(folder.path(), shop.address)).unwrap();
    Gate::start(folder, path, &["--no-watch"])
}

fn post(target: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
    )
}

fn hook(wire: &mut Wire, target: &str, key: &str) -> u16 {
    wire.ask(&post(target, &format!("X-Hook-Secret: {key}\r\n"), "{}")).0
}

fn deliver(wire: &mut Wire, provider: &str, target: &str, key: &str, body: &str) -> u16 {
    let catalogue = Catalogue::embedded();
    let scheme = &catalogue.find(provider).unwrap().scheme;
    let (method, url, content_type) = (http::Method::POST, target, "application/json");
    let what = Unsigned { method: &method, url, content_type, body: body.as_bytes(), id: "", at: SystemClock.now() };
    let fields = scheme.sign(&scheme.signing_key(key).unwrap(), &what).fields;
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    wire.ask(&post(target, &fields, body)).0
}

impl Gate {
    fn handshake(&self, verb: &[&str]) -> (Option<i32>, String) {
        self.cli(&[&["handshake"], verb, &["--spool", "spool"]].concat())
    }

    fn arm(&self, route: &str, more: &[&str]) -> (Option<i32>, String) {
        self.handshake(&[&["arm", route, "--for", "10m", "--actor", "kim", "--reason", "SEC-42"], more].concat())
    }

    fn acts(&self) -> String {
        self.cli(&["spool", "acts", "--spool", "spool"]).1
    }
}

#[test]
fn a_key_is_taken_once_while_its_route_is_armed_and_is_in_force_at_once() {
    let shop = Shop::open("shop");
    let gate = gate(&shop);
    let (mut wire, file) = (gate.connect(), gate.path("keys/asana"));
    assert_eq!(hook(&mut wire, "/asana", FIRST), 401, "nobody has armed it");
    let told = gate.hears(
        "refused a key that somebody wanted to hand over; if the sender shall, run `hookwarden handshake arm ROUTE --for 10m` \
         and let it try again",
    );
    assert_eq!((&told["outcome"], &told["handover"]), (&"signature_missing".into(), &"unarmed".into()));
    assert_eq!(told["captured"], Value::Null, "there is a key in it");
    assert_eq!(deliver(&mut wire, "asana", "/asana", SECOND, SIGNED), 401);
    assert_eq!(gate.hears("refused a request")["captured"], true);
    assert!(!file.exists());
    let (_, told) = gate.handshake(&["status"]);
    assert!(told.contains("asana  key hook  ") && told.contains("keys/asana is not there yet\n"), "{told}");

    let (code, told) = gate.arm("asana", &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("`asana` takes its sender's key `hook` once, until 20"), "{told}");
    assert!(gate.handshake(&["status"]).1.contains("; armed until 20"));
    assert_eq!(hook(&mut gate.connect(), "/notion", FIRST), 401, "another route");
    let echo = post("/asana", &format!("X-Hook-Secret: {FIRST}\r\n"), "{}");
    assert_eq!(wire.ask(&echo), (200, String::new()));
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{FIRST}\n"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&file), mode(&gate.path("keys"))), (0o600, 0o700));
    assert_eq!(deliver(&mut wire, "asana", "/asana", FIRST, SIGNED), 200, "no reload was needed");
    assert_eq!(deliver(&mut wire, "asana", "/asana", SECOND, SIGNED), 401);
    assert_eq!(hook(&mut wire, "/asana", SECOND), 401, "once");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{FIRST}\n"));
    assert!(gate.counts("hookwarden_handovers_total{result=\"kept\",route=\"asana\"} 1"), "{}", gate.metrics());
    assert!(gate.counts("hookwarden_handovers_total{result=\"unarmed\",route=\"asana\"} 2"));
    assert!(gate.counts("hookwarden_handovers_total{result=\"failed\",route=\"notion\"} 0"), "zeros, and no gaps");
    assert!(!gate.metrics().contains("hookwarden_handovers_total{result=\"kept\",route=\"github\"}"));

    let acts = gate.acts();
    assert!(acts.contains("handshake arm") && acts.contains("kim") && acts.contains("SEC-42"), "{acts}");
    assert!(acts.contains("key handed over") && acts.contains("asana: key hook, from 127.0.0.1"), "{acts}");
    let gate = gate.restarted(&["--no-watch"]);
    let event = r#"{"events":[{"action":"deleted"}]}"#;
    assert_eq!(deliver(&mut gate.connect(), "asana", "/asana", FIRST, event), 200, "it survives");
    assert_eq!(hook(&mut gate.connect(), "/asana", SECOND), 401);
    let (code, told) = gate.arm("asana", &[]);
    assert!(code == Some(0) && told.contains("; it replaces the one that is there"), "{told}");
    assert_eq!(hook(&mut gate.connect(), "/asana", SECOND), 200);
    let event = event.replace("deleted", "added");
    assert_eq!(deliver(&mut gate.connect(), "asana", "/asana", FIRST, &event), 401, "the old one is gone");
    assert_eq!(deliver(&mut gate.connect(), "asana", "/asana", SECOND, &event), 200);
    let everything = format!("{}{}", gate.whole_log(), gate.acts());
    assert!(!everything.contains(FIRST) && !everything.contains(SECOND), "a key is never told");
}

#[test]
fn of_many_that_hand_over_at_once_one_is_believed() {
    let shop = Shop::open("shop");
    let gate = gate(&shop);
    assert_eq!(gate.arm("asana", &[]).0, Some(0));
    let start = Barrier::new(8);
    let taken = std::thread::scope(|threads| {
        let tries = [0, 1, 2, 3, 4, 5, 6, 7].map(|number| {
            let (mut wire, start) = (gate.connect(), &start);
            threads.spawn(move || {
                let key = format!("{number}{}", &FIRST[1..]);
                start.wait();
                (hook(&mut wire, "/asana", &key), key)
            })
        });
        tries.map(|one| one.join().unwrap()).into_iter().filter(|(status, _)| *status == 200).collect::<Vec<_>>()
    });
    let [(_, key)] = taken.as_slice() else { panic!("{taken:?}") };
    assert_eq!(fs::read_to_string(gate.path("keys/asana")).unwrap().trim_end(), key);
    assert_eq!(deliver(&mut gate.connect(), "asana", "/asana", key, SIGNED), 200);
}

#[test]
fn what_cannot_be_kept_is_not_taken_and_the_route_stays_armed() {
    let shop = Shop::open("shop");
    let gate = gate(&shop);
    let (mut wire, file) = (gate.connect(), gate.path("keys/asana"));
    let open = |mode| fs::set_permissions(gate.path("keys"), fs::Permissions::from_mode(mode)).unwrap();
    fs::create_dir(gate.path("keys")).unwrap();
    open(0o777);
    assert_eq!(gate.arm("asana", &[]).0, Some(3), "nobody is asked for a key that cannot be kept");
    open(0o700);
    assert_eq!(gate.arm("asana", &[]).0, Some(0));
    open(0o777);
    let refused = wire.ask(&post("/asana", &format!("X-Hook-Secret: {FIRST}\r\n"), "{}"));
    assert_eq!(refused.0, 503);
    assert!(!refused.1.contains(FIRST));
    let told = gate.hears("could not serve a request");
    assert_eq!((&told["outcome"], &told["handover"]), (&"key_not_kept".into(), &"failed".into()));
    assert!(told["detail"].as_str().unwrap().contains("chmod go-w"), "{told}");
    assert_eq!(fs::read_dir(gate.path("keys")).unwrap().count(), 0, "nothing is left");
    assert_eq!(deliver(&mut wire, "asana", "/asana", FIRST, SIGNED), 401);
    open(0o700);
    fs::create_dir(&file).unwrap();
    assert_eq!(hook(&mut wire, "/asana", FIRST), 503, "it is written, and cannot have its name");
    assert_eq!(fs::read_dir(gate.path("keys")).unwrap().count(), 1, "nothing of it is left");
    fs::remove_dir(&file).unwrap();
    assert_eq!(hook(&mut wire, "/asana", FIRST), 200, "it is armed still");
    assert_eq!(hook(&mut wire, "/asana", FIRST), 401);
}

#[test]
fn keys_come_in_bodies_too_and_what_is_no_key_is_none() {
    let shop = Shop::open("shop");
    let gate = gate(&shop);
    let mut wire = gate.connect();
    assert_eq!(gate.arm("notion", &[]).0, Some(0));
    for odd in ["", "short", "secret <b>with markup</b>", r"line\nbreak-of-a-key", &"x".repeat(513)] {
        let body = format!(r#"{{"verification_token":"{odd}"}}"#);
        assert_eq!(wire.ask(&post("/notion", "", &body)).0, 401, "{odd}");
    }
    let event = format!(r#"{{"id":"1","type":"page.created","verification_token":"{TOKEN}"}}"#);
    assert_eq!(wire.ask(&post("/notion", "", &event)).0, 401, "an event");
    let body = format!(r#"{{"verification_token":"{TOKEN}"}}"#);
    assert_eq!(wire.ask(&post("/notion", "X-Notion-Signature: sha256=00\r\n", &body)).0, 401, "it is signed");
    assert_eq!(wire.ask(&post("/notion", "", &body)), (200, String::new()));
    let event = r#"{"id":"1","type":"page.created"}"#;
    assert_eq!(deliver(&mut wire, "notion", "/notion", TOKEN, event), 202);
    assert_eq!(gate.arm("marketing", &[]).0, Some(0));
    let body = r#"{"callbackId":"94766e1d-5dd7-4ba6-8b4b-9a1f0ab5dd9a","verificationKey":"AAAAAABBBBBBCCCCCC/+=="}"#;
    assert_eq!(wire.ask(&post("/marketing", "", body)), (200, String::new()));
    let key = "AAAAAABBBBBBCCCCCC/+==";
    assert_eq!(deliver(&mut wire, "salesforce-marketing-cloud", "/marketing", key, "[{}]"), 202);
}

#[test]
fn what_cannot_be_armed_is_told_with_the_way_out() {
    let shop = Shop::open("shop");
    let gate = gate(&shop);
    for (arguments, told) in [
        (&["shop"][..], "the policy has no route `shop`"),
        (&["github"], "`github` has no key that `github` could hand over"),
        (&["several"], "`several` has several keys to be handed over; write `--key` and one of `a`, `b`"),
        (&["several", "--key", "c"], "`several` has no key `c` that could be handed over; it has: `a`, `b`"),
    ] {
        let (code, said) = gate.handshake(&[&["arm"], arguments].concat());
        assert!(code == Some(3) && said.starts_with(told), "{code:?} {said}");
    }
    let (code, said) = gate.handshake(&["arm", "asana", "--for", "2h"]);
    assert!(code == Some(2) && said.contains("`1h` at most"), "{said}");
    let (code, said) = gate.handshake(&["disarm", "asana"]);
    assert!(code == Some(3) && said.starts_with("`asana` is not armed"), "{said}");
    assert_eq!(gate.handshake(&["arm", "several", "--key", "b"]).0, Some(0), "its account is an actor");
    let account = Command::new("id").arg("-un").output().unwrap().stdout;
    let account = format!("  {}", String::from_utf8_lossy(&account).trim());
    assert!(gate.acts().contains(&account), "{account}: {}", gate.acts());
    assert_eq!(gate.handshake(&["disarm", "several", "--actor", "kim"]).0, Some(0));
    assert_eq!(hook(&mut gate.connect(), "/several", FIRST), 401);
    assert!(gate.acts().contains("handshake disarm"));
    assert_eq!(gate.arm("several", &["--key", "b"]).0, Some(0));
    assert_eq!(hook(&mut gate.connect(), "/several", FIRST), 200);
    assert!(gate.path("keys/b").exists() && !gate.path("keys/a").exists());

    let observed = policy(gate.folder.path(), shop.address)
        .replace("keys: asana }, capture: { keep: 1h, body: sealed }", "keys: asana }, deliver: { via: relay }");
    gate.save(&(observed + "rollout: { asana: { observe: all, until: 2999-12-31 } }\n"));
    assert_eq!(gate.policy("reload").0, Some(0), "{}", gate.policy("reload").1);
    let (code, said) = gate.handshake(&["arm", "asana"]);
    assert!(code == Some(3) && said.contains("observed whole"), "{said}");
}

/// What an operator looked at when the route was armed is not there any more.
#[test]
fn another_policy_ends_what_was_armed_for_another_sender_or_key() {
    let shop = Shop::open("shop");
    let gate = gate(&shop);
    let first = policy(gate.folder.path(), shop.address);
    let reload = |text: &str| {
        gate.save(text);
        let (code, told) = gate.policy("reload");
        assert_eq!(code, Some(0), "{told}");
    };
    let arm = || assert_eq!(gate.arm("asana", &[]).0, Some(0));
    let line = first.lines().find(|line| line.starts_with("  asana: { class")).unwrap();
    let other_sender = first.replace(line, &line.replace("provider: asana", "provider: notion"));
    let other_file = first.replace("keys/asana", "keys/elsewhere");
    let no_route = first.replace(&format!("{line}\n"), "");
    let by_hand = first.replace(
        &format!("handed:{}/keys/asana", gate.folder.path().display()),
        &format!("file:{}/key", gate.folder.path().display()),
    );
    arm();
    reload(&first.replace("1000000/s", "900000/s"));
    assert!(gate.handshake(&["status"]).1.contains("; armed until 20"), "nothing of that is different");
    for (text, why) in [
        (&other_sender, "its sender is another one"),
        (&other_file, "this key is kept in another place"),
        (&by_hand, "this key is not handed over any more"),
        (&no_route, "the policy has no such route any more"),
    ] {
        reload(&first);
        arm();
        reload(text);
        let told = gate.handshake(&["status"]).1;
        assert!(!told.contains("armed until"), "{told}");
        assert!(told.contains("asana  key hook  not armed any more since 20") && told.contains(why), "{told}");
        let acts = gate.acts();
        assert!(acts.contains("handshake disarm") && acts.contains(&format!("asana: key hook, {why}")), "{acts}");
        assert_eq!(gate.hears("no key is taken any more: the policy is another one")["why"], why);
        hook(&mut gate.connect(), "/asana", FIRST);
        reload(&first);
        assert_eq!(hook(&mut gate.connect(), "/asana", FIRST), 401, "nor by the policy of before: {why}");
    }
    assert!(!gate.path("keys").exists());
    arm();
    assert!(!gate.handshake(&["status"]).1.contains("not armed any more"), "an operator knows better now");
    reload(&other_file);
    gate.arm("asana", &[]);
    assert_eq!(gate.policy("rollback").0, Some(0));
    assert_eq!(hook(&mut gate.connect(), "/asana", FIRST), 401, "a rollback is another policy as well");
    arm();
    assert_eq!(hook(&mut gate.connect(), "/asana", FIRST), 200);
}

#[test]
fn a_rollback_goes_on_with_the_key_that_the_sender_has_now() {
    let shop = Shop::open("shop");
    let gate = gate(&shop);
    let edited = policy(gate.folder.path(), shop.address).replace("1000000/s", "900000/s");
    gate.save(&edited);
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(gate.arm("asana", &[]).0, Some(0));
    assert_eq!(hook(&mut gate.connect(), "/asana", FIRST), 200);
    assert_eq!(gate.policy("rollback").0, Some(0));
    assert_eq!(deliver(&mut gate.connect(), "asana", "/asana", FIRST, SIGNED), 200);
}

/// With a sender of their own, whose confirmation is signed and shows a URL.
#[test]
fn a_url_that_a_vendor_wants_opened_is_listed_and_not_followed() {
    let (shop, vendor) = (Shop::open("shop"), Shop::open("vendor"));
    let folder = Gate::folder();
    write_secret(&folder.path().join("key"), FIRST);
    fs::create_dir(folder.path().join("providers")).unwrap();
    let entry = r#"name: notices
documentation: https://vendor.example/
source: { how: made up, checked: 2026-11-23 }
scheme: { alg: hmac-sha256, sig: { in: "header:X-Own", enc: hex }, message: [body] }
retry_horizon: 1h
answer_by: 9s
challenge:
  - name: confirmation
    when: { json: { /Type: SubscriptionConfirmation }, has: [/SubscribeURL] }
    proof: signature
    show: { url: "json:/SubscribeURL", hosts: [localhost] }
"#;
    fs::write(folder.path().join("providers/notices.yaml"), entry).unwrap();
    let at = folder.path().display().to_string();
    let text = format!(
        "listeners: [{{ on: '127.0.0.1:0' }}]\nadmin: {{ on: '127.0.0.1:0' }}\norigin: {{ url: 'http://{}' }}\n\
         spool: {{ folder: '{at}/spool' }}\nkeys: {{ own: [{{ id: live, from: 'file:{at}/key' }}] }}\n\
         routes: {{ own: {{ at: {{ path: /own }}, sender: {{ provider: notices, keys: own }}, repeats: {{ remember: 24h }} }} }}\n\
         destinations: {{ wordpress: {{ url: 'http://{}/events' }} }}\n",
        shop.address, shop.address
    );
    fs::write(folder.path().join("gate.yaml"), text).unwrap();
    let path = folder.path().to_owned();
    let gate = Gate::start(folder, path, &["--no-watch"]);
    let url = format!("https://localhost:{}/confirm?token=1", vendor.address.port());
    let body = format!(r#"{{"Type":"SubscriptionConfirmation","SubscribeURL":"{url}"}}"#);
    let mut wire = gate.connect();
    // It is no entry of the catalogue.
    let scheme = hookwarden::verify::Provider::from_yaml(entry).unwrap().scheme;
    let (method, target, content_type) = (http::Method::POST, "/own", "application/json");
    let what =
        Unsigned { method: &method, url: target, content_type, body: body.as_bytes(), id: "", at: SystemClock.now() };
    let fields = scheme.sign(&scheme.signing_key(FIRST).unwrap(), &what).fields;
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    assert_eq!(wire.ask(&post("/own", &fields, &body)).0, 200);
    assert_eq!(wire.ask(&post("/own", "", &body)).0, 401);
    assert_eq!(gate.handshake(&["ls"]).1.lines().count(), 1);
    assert!(gate.handshake(&["ls"]).1.trim_end().ends_with(&format!("  own  confirmation  {url}")));
    let (_, told) = gate.handshake(&["ls", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["shown"][0]["url"], &told["keys"]), (&url.into(), &Value::Array(Vec::new())));
    assert_eq!(vendor.received(""), 0, "nothing follows it");
}

/// Else nobody learns why a webhook cannot be made: all that was said was that no signature came.
#[test]
fn what_is_no_key_is_not_taken_and_the_log_says_why() {
    let shop = Shop::open("shop");
    let gate = gate(&shop);
    let mut wire = gate.connect();
    assert_eq!(gate.arm("asana", &[]).0, Some(0));
    assert_eq!(hook(&mut wire, "/asana", "fifteen-letters"), 401);
    let told = gate.hears(
        "refused a key that the sender wanted to hand over: it has fewer than 16 bytes, and could be guessed; the route stays \
         armed, let the sender make a longer one",
    );
    assert_eq!((&told["outcome"], &told["handover"]), (&"signature_missing".into(), &"too_short".into()));
    assert_eq!(told["captured"], Value::Null, "it may be a key all the same");
    assert!(!gate.whole_log().contains("fifteen-letters"));
    assert!(gate.counts("hookwarden_handovers_total{result=\"too_short\",route=\"asana\"} 1"), "{}", gate.metrics());
    assert!(gate.counts("hookwarden_handovers_total{result=\"unreadable\",route=\"asana\"} 0"), "zeros, and no gaps");
    assert!(!gate.path("keys/asana").exists());
    assert!(gate.handshake(&["status"]).1.contains("; armed until 20"), "the route is as armed as it was");
    assert_eq!(hook(&mut wire, "/asana", FIRST), 200, "and takes one that is a key");
}
