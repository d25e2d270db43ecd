//! What security teams do to a gate that runs in front of a real shop: edit, break, repair, go back, try, enforce.

use crate::{
    bed,
    gate::{Gate, signed},
    wire,
};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

const BODY: &[u8] = br#"{"id":"evt_1","type":"invoice.paid"}"#;
/// Guarded, relayed to a vendor's stand-in.
const LISTENER: &str = "/mepr/notify/1/whk";

/// What senders and visitors were answered, and how often.
type Answers = BTreeMap<(&'static str, u16), usize>;

/// Tells the load to stop, also where a test fails: otherwise it would never end.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Events to the queue, webhooks to a plugin and visitors of the site, until it is told to stop.
fn load(gate: &Gate, number: &AtomicUsize, stop: &AtomicBool, answers: &Mutex<Answers>) {
    let heard = |what, target: &str, method, headers: &[(String, String)], body: &[u8]| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = wire::try_send(gate.address, method, target, &headers, body);
        // 0: there was no answer.
        *answers.lock().unwrap().entry((what, answer.map_or(0, |answer| answer.status))).or_default() += 1;
    };
    while !stop.load(Ordering::SeqCst) {
        let id = format!("msg_policy_{}", number.fetch_add(1, Ordering::SeqCst));
        heard("event", "/hooks/events", "POST", &signed("standard-webhooks", "/hooks/events", &id, BODY), BODY);
        let body = format!(r#"{{"id":"{id}","type":"invoice.paid"}}"#);
        heard("webhook", LISTENER, "POST", &signed("stripe", LISTENER, &id, body.as_bytes()), body.as_bytes());
        heard("visitor", "/wp-includes/css/dashicons.min.css", "GET", &[], b"");
    }
}

#[test]
fn policies_are_edited_broken_repaired_and_rolled_back_under_load_and_no_request_fails() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let (stop, number, answers) = (AtomicBool::new(false), AtomicUsize::new(0), Mutex::new(Answers::new()));
    let first = gate.read_policy();
    let policy = |verb: &str, code: i32| {
        let (status, told) = gate.cli(&["policy", verb, "gate.yaml", "--actor", "alice"]);
        assert_eq!(status.code(), Some(code), "{verb}: {told}");
        told
    };
    let pause = || std::thread::sleep(Duration::from_millis(100));
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        for _ in 0..4 {
            scope.spawn(|| load(&gate, &number, &stop, &answers));
        }
        for round in 0..5 {
            let edited = first.replace("concurrency: 4", &format!("concurrency: {}", 5 + round));
            gate.write_policy(&edited.replace("per_address: 100000/s", "per_address: 90000/s"));
            policy("reload", 0);
            pause();
            gate.write_policy(&edited.replace("provider: stripe,", "provider: strpe,"));
            let told = policy("reload", 3);
            assert!(told.contains("strpe") && told.contains("did you mean `stripe`"), "{told}");
            pause();
            gate.write_policy(&first);
            policy("reload", 0);
            pause();
            policy("rollback", 0);
            pause();
        }
    });
    let answers = answers.into_inner().unwrap();
    let kinds: Vec<_> = answers.keys().copied().collect();
    assert_eq!(kinds, [("event", 202), ("visitor", 200), ("webhook", 200)], "{answers:?}");
    assert!(answers.values().all(|times| *times >= 20), "the load was no load: {answers:?}");
}

#[test]
fn a_route_is_observed_first_and_enforced_when_its_rollout_is_taken_out() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let enforced = gate.read_policy();
    let reload = || {
        let (status, told) = gate.cli(&["policy", "reload", "gate.yaml", "--actor", "alice"]);
        assert!(status.success(), "{told}");
    };
    let forged = || gate.send("POST", LISTENER, &[("Content-Type", "application/json")], BODY).status;
    let received = || bed.vendor_hits().len();

    let before = received();
    assert_eq!((forged(), received()), (401, before));
    gate.write_policy(&(enforced.clone() + "rollout: { vendor-path: { observe: all, until: 2999-12-31 } }\n"));
    reload();
    assert_eq!((forged(), received()), (200, before + 1), "it reaches the plugin while it is only tried");
    assert_eq!(gate.deliver("stripe", LISTENER, "evt_tried", BODY).status, 200);
    let (status, told) = gate.cli(&["observe", "report", "gate.yaml"]);
    assert_eq!(status.code(), Some(3), "{told}");
    assert!(told.contains("verify: 1 signature_missing") && told.contains("enforce   not yet:"), "{told}");

    gate.write_policy(&enforced);
    reload();
    let before = received();
    assert_eq!((forged(), received()), (401, before));
    assert_eq!(gate.deliver("stripe", LISTENER, "evt_enforced", BODY).status, 200);
    assert_eq!(received(), before + 1);
}
