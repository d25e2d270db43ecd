//! `kill -9` under load, twenty times: no accepted event is lost.

use crate::{
    bed,
    delivery::wait_for_events,
    gate::{Gate, signed},
    wire,
};
use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

const KILLS: usize = 20;
const SENDERS: usize = 8;

#[test]
fn twenty_kills_under_load_lose_no_accepted_event() {
    let (bed, _turn) = bed::wordpress();
    let mut gate = Gate::before(bed);
    let before = bed.event_hits();
    let address = gate.address;
    let accepted = Mutex::new(BTreeSet::new());
    let (stop, number) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let id = format!("msg_kill_{}", number.fetch_add(1, Ordering::SeqCst));
                    let body = format!(r#"{{"type":"order.paid","id":"{id}"}}"#);
                    let headers = signed("standard-webhooks", "/hooks/events", &id, body.as_bytes());
                    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                    match wire::try_send(address, "POST", "/hooks/events", &headers, body.as_bytes()) {
                        Ok(answer) if answer.status == 202 => {
                            let id = answer.json()["id"].as_str().expect("the event's id").to_owned();
                            accepted.lock().unwrap().insert(id);
                        }
                        Ok(_) | Err(_) => {}
                    }
                    // WordPress takes some ten events a second here; what is proved does not need a flood.
                    std::thread::sleep(Duration::from_millis(40));
                }
            });
        }
        for round in 0..KILLS {
            std::thread::sleep(Duration::from_millis(60 + 13 * (round as u64 % 7)));
            gate.kill();
            gate.start();
        }
        stop.store(true, Ordering::SeqCst);
    });
    let accepted = accepted.into_inner().unwrap();
    assert!(accepted.len() > KILLS, "only {} events were accepted; the load was no load", accepted.len());
    let missing = || {
        let hits = bed.event_hits();
        accepted.iter().filter(|id| !hits.contains_key(*id)).count()
    };
    let mut left = 180;
    while missing() > 0 && left > 0 {
        std::thread::sleep(Duration::from_millis(500));
        left -= 1;
    }
    assert_eq!(missing(), 0, "of {} accepted events", accepted.len());
    wait_for_events(bed, before.len(), 0);
}
