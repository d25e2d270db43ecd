//! The ledger's suite over a broker in memory, and what is known of one that is down.

use super::*;
use crate::{
    contract::{
        self,
        direct::{Broker, CONCURRENCY},
        event, event_with, keys,
        ledger::Rig as _,
    },
    event::Record,
    repeat::RepeatKeys,
};
use tokio::task::JoinSet;

contract::ledger::ledger_of_a_broker!(shop());

/// Of an event.
const TAKES_BYTES: usize = 1000;

/// Keeps what it takes, each id once.
#[derive(Clone, Default)]
struct InMemory(Arc<Mutex<Vec<Record>>>);

impl Destination for InMemory {
    async fn publish(&self, record: &Record) -> Result<Confirmed, PublishError> {
        if record.payload.len() > TAKES_BYTES {
            let reason = PublishError::TOO_LARGE.to_owned();
            return Err(PublishError { reason, retry: Retry::Refused, source: None });
        }
        let mut kept = self.0.lock().unwrap();
        if kept.iter().any(|kept| kept.id == record.id) {
            return Ok(Confirmed::Known);
        }
        kept.push(record.clone());
        Ok(Confirmed::Taken)
    }
}

impl Broker for InMemory {
    type Destination = Self;

    fn destination(&self) -> Self {
        self.clone()
    }

    fn restart(&self) {}

    async fn kept(&self) -> Vec<Record> {
        self.0.lock().unwrap().clone()
    }
}

type Shop = contract::direct::Shop<InMemory>;

fn shop() -> Shop {
    Shop::before(InMemory::default())
}

fn refused(accepted: Result<Accepted, Fault>) -> String {
    match accepted {
        Err(fault @ Fault::Ledger(_)) => Chain(&fault).to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn events_without_keys_have_ids_of_their_own_and_are_all_kept() {
    let (shop, keyless) = (shop(), RepeatKeys::default());
    let gate = shop.gate();
    for id in ["one", "two"] {
        let record = Record { id: id.into(), ..event("a").into_record() };
        assert!(matches!(gate.accept(Event::for_tests(keyless, record)).await, Ok(Accepted::New(_))));
    }
    assert_eq!(shop.broker.0.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_repeat_that_this_process_has_seen_costs_the_broker_nothing() {
    let shop = shop();
    let gate = shop.gate();
    for _ in 0..3 {
        gate.accept(event("a")).await.unwrap();
    }
    assert_eq!(shop.valve.state().asked, 1);
    assert!(gate.spool.look(&keys("a", 1)).is_some(), "the look that comes before the sender's limit knows it too");
    let other = shop.gate();
    assert!(matches!(other.accept(event("a")).await, Ok(Accepted::Again(_))), "another gate asks the broker");
    assert_eq!(shop.valve.state().asked, 2);
}

#[tokio::test]
async fn a_broker_that_fails_is_known_to_be_down_and_nobody_waits_for_it() {
    let shop = shop();
    let gate = shop.gate();
    shop.valve.state().fails = 3;
    for name in ["a", "b", "c"] {
        assert!(gate.direct.ready("wordpress").is_ok());
        assert_eq!(
            refused(gate.accept(event(name)).await),
            "the spool, or the broker in its place, did not take the event: out_of_space"
        );
    }
    let down = "the spool, or the broker in its place, did not take the event: the broker is down: out_of_space";
    assert_eq!(refused(gate.accept(event("a")).await), down);
    assert_eq!(refused(gate.direct.ready("wordpress").map(|()| unreachable!())), down, "before a body is read");
    assert_eq!(shop.valve.state().asked, 3);
    assert_eq!(shop.heard(), ["out_of_space", "out_of_space", "out_of_space", "down"]);
    tokio::time::timeout(contract::PATIENCE, async {
        while gate.accept(event("a")).await.is_err() {
            tokio::task::yield_now().await; // until the breaker lets one probe
        }
    })
    .await
    .unwrap();
    assert_eq!(shop.heard()[4..], ["delivered", "up"]);
    assert_eq!(shop.broker.0.lock().unwrap().len(), 1, "what was refused is not remembered");
}

/// Its sender would repeat it for days, and the others are not to blame.
#[tokio::test]
async fn an_event_that_is_larger_than_the_broker_takes_is_told_from_a_broker_that_fails() {
    let shop = shop();
    let gate = shop.gate();
    for _ in 0..5 {
        let large = gate.accept(event_with(keys("a", 1), &[b'x'; TAKES_BYTES + 1])).await;
        assert!(matches!(large, Err(Fault::EventTooLarge(_))), "{large:?}");
    }
    assert!(gate.direct.ready("wordpress").is_ok());
    let fits = gate.accept(event_with(keys("a", 1), &[b'x'; TAKES_BYTES])).await;
    assert!(matches!(fits, Ok(Accepted::New(_))), "what was refused is not remembered: {fits:?}");
}

#[tokio::test]
async fn no_more_are_on_their_way_than_the_policy_says_and_the_others_wait() {
    let shop = shop();
    let gate = shop.gate();
    shop.hold();
    let mut senders = JoinSet::new();
    for name in ["a", "b", "c", "d"] {
        let gate = gate.clone();
        senders.spawn(async move { gate.accept(event(name)).await.is_ok() });
    }
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
    assert_eq!(shop.valve.state().asked, CONCURRENCY);
    shop.go_on();
    assert_eq!(senders.join_all().await, [true; 4]);
}

#[tokio::test]
async fn a_sender_whose_answer_was_due_leaves_its_place_and_counts_against_the_broker() {
    let shop = shop();
    let gate = shop.gate();
    shop.hold();
    for name in ["a", "b", "c"] {
        let mut waiting = pin!(gate.accept(event_with(keys(name, 1), b"{}")));
        assert!(futures_poll(waiting.as_mut()).await);
    }
    assert_eq!(shop.heard(), ["down"]);
    assert!(refused(gate.accept(event("d")).await).ends_with("the broker is down: no answer in time"));
}

/// Whether it waits, after it was asked once.
async fn futures_poll(future: std::pin::Pin<&mut impl Future>) -> bool {
    let mut future = future;
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_destination_that_the_policy_does_not_have_any_more_is_told() {
    let gate = shop().gate();
    gate.direct.replace(std::iter::empty());
    assert!(refused(gate.accept(event("a")).await).ends_with("the policy has no such destination any more"));
}

#[tokio::test]
async fn behind_too_many_that_wait_nobody_does() {
    let shop = shop();
    let gate = shop.gate();
    shop.hold();
    let mut senders = JoinSet::new();
    for number in 0..CONCURRENCY + WAITING_MAX {
        let gate = gate.clone();
        senders.spawn(async move { gate.accept(event(&number.to_string())).await.is_ok() });
    }
    let line = gate.direct.line("wordpress").unwrap();
    while line.state().waiting < WAITING_MAX {
        tokio::task::yield_now().await;
    }
    assert!(matches!(gate.accept(event("too many")).await, Err(Fault::LedgerBusy)));
    shop.go_on();
    assert!(senders.join_all().await.into_iter().all(|accepted| accepted), "those who were there before are served");
    assert!(gate.accept(event("too many")).await.is_ok(), "and then there is room");
}
