//! Observe, then enforce: a route is tried in a gate that runs, and a policy without its rollout ends that.

use super::gate::{Gate, KEY, Shop, until};
use serde_json::Value;
use std::path::Path;

const ROLLOUT: &str = "rollout: { plugin: { observe: all, until: 2999-12-31 } }\n";

/// A relayed route that is observed whole, and one that is queued and enforces.
fn policy(folder: &Path, shop: &Shop) -> String {
    let (folder, shop) = (folder.display(), shop.address);
    format!(
        "\
listeners: [{{ on: \"127.0.0.1:0\" }}]
admin: {{ on: \"127.0.0.1:0\" }}
origin: {{ url: \"http://{shop}\" }}
spool: {{ folder: \"{folder}/spool\" }}
routes:
  plugin:
    at: {{ path: /plugin }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    deliver: {{ via: relay }}
  events:
    at: {{ path: /events }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    limits: {{ per_address: 2/h }}
    deliver: {{ via: queue, to: [wordpress] }}
keys: {{ shop: [{{ id: live, from: \"file:{folder}/key\" }}] }}
destinations: {{ wordpress: {{ url: \"http://{shop}/queue\" }} }}
"
    )
}

fn forged(body: &str) -> String {
    let fields = "webhook-id: 1\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,AAAA\r\n";
    format!("POST /plugin HTTP/1.1\r\nHost: shop.test\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// Exit code, and what `observe report` says of its only route.
fn report(gate: &Gate) -> (Option<i32>, Value) {
    let path = gate.path("gate.yaml").display().to_string();
    let (code, told) = gate.cli(&["observe", "report", "--json", &path]);
    let mut report: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"));
    (code, report["routes"][0].take())
}

#[test]
fn a_forged_webhook_reaches_the_shop_until_the_rollout_is_taken_out() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, &shop) + ROLLOUT);
    assert_eq!(gate.connect().ask(&forged("forged-1")), (200, "shop".to_owned()));
    assert_eq!(gate.deliver("/plugin", KEY, "msg_1"), 200);
    assert_eq!(gate.deliver("/plugin", KEY, "msg_1"), 200);
    assert_eq!((shop.received("forged-1"), shop.received("msg_1")), (1, 2), "a repeat too");

    let example = gate.hears("would have refused a request that is only observed; more of this kind are counted");
    assert_eq!((&example["route"], &example["check"]), (&"plugin".into(), &"verify".into()));
    assert_eq!(example["code"], "signature_mismatch");
    assert_eq!(example["client"], "127.0.0.1");
    let line = |request_id: &Value| {
        let told = gate.told("let a request pass that is only observed");
        told.into_iter().find(|line| line["request_id"] == *request_id)
    };
    let line = until("the request has its line", || line(&example["request_id"]));
    assert_eq!(line["found"], "signature_mismatch");
    until("all is counted", || {
        gate.counts("hookwarden_observed_total{check=\"repeats\",code=\"repeat\",route=\"plugin\"} 1").then_some(())
    });
    for series in [
        "hookwarden_observed_total{check=\"verify\",code=\"signature_mismatch\",route=\"plugin\"} 1",
        "hookwarden_observed_total{check=\"all\",code=\"ok\",route=\"plugin\"} 1",
        "hookwarden_observed_total{check=\"all\",code=\"unjudged\",route=\"plugin\"} 0",
        "hookwarden_requests_total{outcome=\"observed\",route=\"plugin\"} 3",
        "hookwarden_verified_total{key=\"live\",route=\"plugin\"} 2",
    ] {
        assert!(gate.counts(series), "no `{series}` in\n{}", gate.metrics());
    }
    let (code, told) = report(&gate);
    assert_eq!(code, Some(3), "it is too early");
    assert_eq!((&told["route"], &told["safe"]), (&"plugin".into(), &false.into()));
    assert_eq!(told["judged"][0].to_string(), r#"{"by":"all","good":1,"refused":1,"repeats":1}"#);
    assert_eq!((&told["refused"][0]["code"], &told["refused"][0]["count"]), (&"signature_mismatch".into(), &1.into()));

    gate.save(&(policy(gate.folder.path(), &shop) + ROLLOUT).replace("per_address: 2/h", "per_address: 3/h"));
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(report(&gate).1["judged"], told["judged"], "another route's change is none of this one");

    gate.save(&policy(gate.folder.path(), &shop));
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(gate.connect().ask(&forged("forged-2")).0, 401);
    assert_eq!(shop.received("forged-2"), 0);
    assert_eq!(gate.deliver("/plugin", KEY, "msg_1"), 200, "what was only observed is remembered by nobody");
    assert_eq!((gate.deliver("/plugin", KEY, "msg_1"), shop.received("msg_1")), (200, 3));
    let (code, told) = gate.cli(&["observe", "report", "--spool", "spool"]);
    assert_eq!((code, told.as_str()), (Some(0), "no route is tried: what the policy says is enforced\n"));
}

#[test]
fn a_queued_route_is_tried_in_its_limits_while_the_rest_enforces() {
    let shop = Shop::open("shop");
    let rollout = "rollout: { events: { observe: [limits], until: 2999-12-31 } }\n";
    let gate = Gate::run(|folder| policy(folder, &shop) + rollout);
    for id in 1..=4 {
        assert_eq!(gate.deliver("/events", KEY, &format!("msg_{id}")), 202);
    }
    assert_eq!(gate.connect().ask(&forged("{}").replace("/plugin", "/events")).0, 401);
    let (_, told) = report(&gate);
    assert_eq!(told["judged"][0].to_string(), r#"{"by":"limits","good":2,"refused":3,"repeats":0}"#);
    assert!(gate.counts("hookwarden_observed_total{check=\"limits\",code=\"address_limited\",route=\"events\"} 3"));
    assert_eq!(gate.events().len(), 4);

    gate.save(&policy(gate.folder.path(), &shop));
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(gate.deliver("/events", KEY, "msg_5"), 429);
}
