//! What an operator does and sees: metrics, logs, the spool's verbs, an orderly stop.

use crate::{bed, gate::Gate};

#[test]
fn every_request_is_counted_by_its_outcome_and_leaves_one_line() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    gate.deliver("standard-webhooks", "/hooks/events", "msg_counted", b"{}");
    gate.deliver("standard-webhooks", "/hooks/events", "msg_counted", b"{}");
    let refused = gate.send("POST", "/hooks/events", &[], b"{}");
    gate.counts(&[
        "hookwarden_requests_total{outcome=\"accepted\",route=\"events\"} 1",
        "hookwarden_requests_total{outcome=\"repeat\",route=\"events\"} 1",
        "hookwarden_requests_total{outcome=\"signature_missing\",route=\"events\"} 1",
    ]);
    let id = refused.header("hookwarden-request-id").expect("a request id").to_owned();
    let log = gate.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(&id)).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("signature_missing"), "{}", lines[0]);
}

#[test]
fn no_secret_and_no_body_is_in_the_log() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let body = br#"{"card":"4242-canary-4242"}"#;
    gate.deliver("standard-webhooks", "/hooks/events?token=canary-query", "msg_canary", body);
    gate.send(
        "POST",
        "/hooks/events",
        &[("webhook-signature", "v1,canary-signature"), ("Cookie", "canary-cookie")],
        body,
    );
    let told = gate.log() + &gate.metrics();
    for canary in
        ["4242-canary", "canary-query", "canary-signature", "canary-cookie", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    {
        assert!(!told.contains(canary), "{canary} in\n{told}");
    }
}

#[test]
fn the_spool_can_be_looked_at_while_the_gate_runs() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let answer = gate.deliver("standard-webhooks", "/hooks/events", "msg_listed", br#"{"type":"order.paid"}"#);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let (status, listed) = gate.cli(&["spool", "ls", "--json", "--spool", "spool"]);
    assert!(status.success(), "{listed}");
    assert!(listed.contains(&id), "{listed}");
    let (status, shown) = gate.cli(&["spool", "show", &id, "--spool", "spool"]);
    assert!(status.success() && shown.contains("order.paid"), "{shown}");
    let (status, checked) = gate.cli(&["spool", "fsck", "--spool", "spool"]);
    assert!(status.success(), "{checked}");
}

#[test]
fn sigterm_drains_and_ends_with_zero() {
    let (bed, _turn) = bed::wordpress();
    let mut gate = Gate::before(bed);
    gate.deliver("standard-webhooks", "/hooks/events", "msg_drained", b"{}");
    let ended = gate.terminate();
    assert!(ended.success(), "{ended:?}\n{}", gate.log());
}
