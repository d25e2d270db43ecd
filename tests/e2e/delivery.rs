//! Queued events: durable before the answer, delivered once, signed for WordPress.

use crate::{bed, gate::Gate};
use std::time::{Duration, Instant};

fn event(id: &str) -> Vec<u8> {
    format!(r#"{{"id":"{id}","type":"order.paid","data":{{"total":12.50,"note":"naïve — €"}}}}"#).into_bytes()
}

/// Waits until WordPress has so many different events more than before.
pub(crate) fn wait_for_events(bed: &bed::Bed, more_than: usize, many: usize) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while bed.event_hits().len() < more_than + many {
        assert!(Instant::now() < deadline, "{} of {many} events arrived", bed.event_hits().len() - more_than);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_signed_event_is_accepted_once_and_delivered_once() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let before = bed.event_hits().len();
    for _ in 0..3 {
        let answer = gate.deliver("standard-webhooks", "/hooks/events", "msg_delivered_once", &event("a"));
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    wait_for_events(bed, before, 1);
    std::thread::sleep(Duration::from_millis(500));
    let hits = bed.event_hits();
    assert_eq!(hits.len(), before + 1);
    assert!(hits.values().all(|times| *times == 1), "{hits:?}");
}

#[test]
fn github_events_are_told_apart_by_what_is_signed() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let before = bed.event_hits().len();
    for number in [1, 2, 2, 1] {
        let body = format!(r#"{{"action":"opened","number":{number}}}"#);
        assert_eq!(gate.deliver("github", "/hooks/github", "", body.as_bytes()).status, 202);
    }
    wait_for_events(bed, before, 2);
    assert_eq!(bed.event_hits().len(), before + 2);
}

#[test]
fn forged_events_are_refused_and_nothing_of_them_is_stored() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let before = bed.event_hits().len();
    let json = ("Content-Type", "application/json");
    let unsigned = gate.send("POST", "/hooks/events", &[json], &event("x"));
    let forged = [json, ("webhook-id", "msg_x"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,AAAA")];
    let forged = gate.send("POST", "/hooks/events", &forged, &event("x"));
    for answer in [&unsigned, &forged] {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    let same = |answer: &crate::wire::Answer| {
        let mut body = answer.json();
        body["request_id"] = serde_json::Value::Null;
        body
    };
    assert_eq!(same(&unsigned), same(&forged), "the sender does not learn which check failed");
    assert_eq!(bed.event_hits().len(), before);
}

/// When WordPress is down the queue is needed most.
#[test]
fn events_are_accepted_while_wordpress_is_down_and_delivered_when_it_is_back() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let before = bed.event_hits().len();
    bed.stop();
    for number in 0..20 {
        let id = format!("msg_outage_{number}");
        let answer = gate.deliver("standard-webhooks", "/hooks/events", &id, &event(&id));
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    assert!(gate.is_ready(), "readiness is about accepting, and that works");
    let ordinary = gate.send("GET", "/", &[], b"").status;
    assert!(matches!(ordinary, 502..=504), "{ordinary}");
    bed.start();
    wait_for_events(bed, before, 20);
}
