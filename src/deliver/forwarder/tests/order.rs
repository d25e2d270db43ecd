//! One after another, by the policy's `order_by`: whatever happens, and nobody else waits.

use super::{house::Call, *};
use crate::spool::By;
use std::sync::atomic::{AtomicUsize, Ordering};

const OPS: By<'_> = By { actor: "ops", reason: "a test" };

/// The odd ones are in one order, the even ones in none.
const ODD: fn(usize) -> u32 = |number| if number % 2 == 1 { 7 } else { 0 };

fn ids(calls: &[Call], wanted: impl Fn(&str) -> bool) -> Vec<String> {
    calls.iter().map(|call| call.id.clone()).filter(|id| wanted(id)).collect()
}

fn is_odd(id: &str) -> bool {
    id.ends_with(['1', '3', '5', '7', '9'])
}

#[tokio::test]
async fn events_with_one_order_key_are_never_under_way_together() {
    let house = House::with(8, |_, _| Answer::TakesIn(seconds(1)))
        .ordered(|number| if number % 2 == 1 { 7 } else { 8 })
        .begin(10)
        .await;
    house.until(|house| house.delivered() == 10).await;
    let calls = house.calls();
    assert_eq!(calls.iter().map(|call| call.under_way).max(), Some(2), "one of each key");
    assert_eq!(ids(&calls, is_odd), ["evt_1", "evt_3", "evt_5", "evt_7", "evt_9"]);
    assert_eq!(ids(&calls, |id| !is_odd(id)), ["evt_0", "evt_2", "evt_4", "evt_6", "evt_8"]);
}

#[tokio::test]
async fn a_poison_event_holds_up_its_own_key_alone_and_lets_it_go_when_it_is_dead() {
    let poison = |id: &str, _| if id == "evt_1" { FAILS } else { Answer::Takes };
    let house = House::with(4, poison).ordered(ODD).begin(10).await;
    house.until(|house| house.delivered() == 5).await;
    assert!(house.died().is_empty() && house.calls().iter().all(|call| call.id == "evt_1" || !is_odd(&call.id)));
    let waits = view(house.spool.folder(), &mut |_, _| ()).unwrap().events.remove(3).states["wordpress"].clone();
    assert_eq!((waits.state, waits.waits_for.as_deref()), (State::Pending, Some("evt_1")));
    house.until(|house| house.delivered() == 9).await;
    assert_eq!(house.died(), [("evt_1".to_owned(), 10, "status_500".to_owned())]);
    let odd = ids(&house.calls(), is_odd);
    assert_eq!(odd.iter().filter(|id| *id == "evt_1").count(), 10, "its whole schedule");
    assert_eq!(odd.get(10..).unwrap(), ["evt_3", "evt_5", "evt_7", "evt_9"], "then the others, in order");
}

#[tokio::test]
async fn a_dead_letter_that_an_operator_puts_back_goes_before_those_that_still_wait() {
    let calls = AtomicUsize::new(0);
    let answers = move |id: &str, _| match id {
        "evt_1" if calls.fetch_add(1, Ordering::SeqCst) < 3 => Answer::Fails("status_404", Retry::Refused),
        "evt_3" if calls.load(Ordering::SeqCst) < 4 => FAILS,
        _ => Answer::Takes,
    };
    let house = House::with(4, answers).ordered(ODD).begin(8).await;
    house.until(|house| house.died().len() == 1 && !house.calls_of("evt_3").is_empty()).await;
    // Were the clock to run on while the disk is waited for, evt_3 would die of old age.
    tokio::time::resume();
    assert!(house.spool.retry("evt_1", OPS).await.unwrap().is_some());
    tokio::time::pause();
    house.until(|house| house.delivered() == 8).await;
    let odd = ids(&house.calls(), is_odd);
    assert_eq!(odd.iter().rev().take(4).rev().collect::<Vec<_>>(), ["evt_1", "evt_3", "evt_5", "evt_7"]);
}

#[tokio::test]
async fn an_outage_and_a_kill_leave_the_order_as_it_was() {
    let house = House::with(8, |_, _| DOWN).ordered(ODD).begin(20).await;
    house.until(|house| house.calls().len() > 40).await;
    assert!(house.calls().iter().all(|call| !is_odd(&call.id) || call.id == "evt_1"), "the first one probes");
    let house = house.killed(8, |_, nth| if nth % 3 == 0 { Answer::Hangs(seconds(30)) } else { Answer::Takes }).await;
    let house = house.begin(0).await;
    house.until(|house| house.delivered() == 20).await;
    let mut odd = ids(&house.calls(), is_odd);
    odd.dedup();
    assert_eq!(odd, ["evt_1", "evt_3", "evt_5", "evt_7", "evt_9", "evt_11", "evt_13", "evt_15", "evt_17", "evt_19"]);
}
