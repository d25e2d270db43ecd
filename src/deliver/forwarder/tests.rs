//! Nights and days of a destination's life, on a clock that runs as fast as nothing happens, over a real spool.
//!
//! While the disk is waited for the clock runs ahead, so times are held from below, and above only where nothing is
//! written.

mod house;
mod order;

use super::*;
use crate::deliver::Standing;
use crate::spool::view::{State, view};
use house::{Answer, House, hours, seconds};
use tokio::time::{Instant, sleep};

const DOWN: Answer = Answer::Fails("connect", Retry::Destination { after: None });
const FAILS: Answer = Answer::Fails("status_500", Retry::Event { after: None });

/// Attempts that were written down, over all events.
fn attempts_lost(house: &House) -> u32 {
    let events = view(house.spool.folder(), &mut |_, _| ()).unwrap().events;
    events.iter().flat_map(|event| event.states.values()).map(|state| state.attempts).sum()
}

#[tokio::test]
async fn an_outage_of_a_night_costs_no_event_an_attempt() {
    let dawn = Instant::now() + hours(8);
    let house = House::with(8, move |_, _| if Instant::now() < dawn { DOWN } else { Answer::Takes }).begin(20).await;
    house.until(|house| house.delivered() > 0).await;
    let due = house.spool.next_due("wordpress");
    assert!(due.is_none_or(|due| due.is_zero()), "what waits is due at once, whatever it went through: {due:?}");
    house.until(|house| house.delivered() == 20).await;
    let (by_night, by_day): (Vec<_>, Vec<_>) = house.calls().into_iter().partition(|call| call.at < dawn);
    let probes = by_night.get(8..).unwrap();
    assert!((480..=1000).contains(&probes.len()), "once in 30 to 60 seconds: {}", probes.len());
    assert!(probes.iter().all(|call| call.under_way == 1), "one event probes at a time");
    assert_eq!(by_day.len(), 20, "once each");
    assert_eq!((attempts_lost(&house), house.died()), (0, vec![]));
    assert_eq!(house.standings(), [Standing::Down, Standing::Up]);
}

/// WordPress without its database answers 500 to everything.
#[tokio::test]
async fn an_outage_that_answers_500_is_an_outage() {
    let dawn = Instant::now() + hours(8);
    let house = House::with(8, move |_, _| if Instant::now() < dawn { FAILS } else { Answer::Takes }).begin(20).await;
    house.until(|house| house.delivered() == 20).await;
    assert!(attempts_lost(&house) <= 2, "before it is clear that nothing passes: {}", attempts_lost(&house));
    assert_eq!(house.died(), []);
}

#[tokio::test]
async fn a_poison_event_fails_alone_on_its_own_schedule() {
    let house = House::with(2, |id, _| if id == "evt_3" { FAILS } else { Answer::Takes }).begin(12).await;
    house.until(|house| house.delivered() == 11).await;
    assert!(house.died().is_empty(), "the others do not wait for it");
    house.until(|house| !house.died().is_empty()).await;
    assert_eq!(house.died(), [("evt_3".to_owned(), 10, "status_500".to_owned())]);
    let failed = house.failed();
    let attempts: Vec<_> = failed.iter().map(|(id, attempt, reason, _)| (&**id, *attempt, &**reason)).collect();
    assert_eq!(attempts, (1..10).map(|nth| ("evt_3", nth, "status_500")).collect::<Vec<_>>(), "one line for each");
    assert!(failed.is_sorted_by_key(|(_, _, _, next)| *next), "with the time of the next: {failed:?}");
    assert_eq!(house.calls_of("evt_3").len(), 10, "Standard Webhooks: one call, and nine after waits");
    assert!(house.calls().len() == 21 && house.standings().is_empty(), "its failures are its own");
    let dead = view(house.spool.folder(), &mut |_, _| ()).unwrap().events.remove(3).states.remove("wordpress").unwrap();
    assert_eq!(
        (dead.state, dead.attempts, &*dead.reason),
        (State::Dead, 10, "status_500"),
        "the last one is one of them"
    );
}

/// It runs into PHP's time limit each time: for a while it looks like an outage.
#[tokio::test]
async fn a_poison_event_that_is_never_answered_dies_while_others_pass() {
    let hangs = |id: &str, _| if id == "evt_0" { Answer::Hangs(seconds(30)) } else { Answer::Takes };
    let mut accepted = 1;
    let house = House::with(2, hangs).begin(accepted).await;
    while house.died().is_empty() {
        let calls = house.calls_of("evt_0").len();
        house.accept(1).await;
        accepted += 1;
        house.until(|house| house.calls_of("evt_0").len() > calls || !house.died().is_empty()).await;
        assert!(accepted < 200, "it is blamed at some time");
    }
    house.until(|house| house.delivered() == accepted - 1).await;
    assert_eq!(house.died(), [("evt_0".to_owned(), 10, "no_answer".to_owned())]);
}

#[tokio::test]
async fn what_is_refused_is_dead_after_three_tries() {
    let house = House::with(2, |_, _| Answer::Fails("status_404", Retry::Refused)).begin(2).await;
    house.until(|house| house.died().len() == 2).await;
    assert_eq!((house.calls_of("evt_0").len(), house.calls_of("evt_1").len()), (3, 3));
    assert!(house.died().iter().all(|(_, attempts, _)| *attempts == 3), "the log says so: {:?}", house.died());
    assert_eq!(attempts_lost(&house), 6, "and so do the files");
}

#[tokio::test]
async fn a_destination_that_is_gone_is_not_asked_until_an_operator_says_so() {
    let house =
        House::with(1, |_, nth| if nth == 0 { Answer::Fails("status_410", Retry::Disabled) } else { Answer::Takes })
            .begin(1)
            .await;
    house.until(|house| !house.standings().is_empty()).await;
    house.accept(3).await;
    sleep(hours(100)).await;
    assert_eq!(house.calls().len(), 1, "not once in a hundred hours");
    assert_eq!(house.switches.standings(), [("wordpress".to_owned(), Standing::Disabled)]);
    assert_eq!(house.switches.enable("wordpress"), crate::deliver::Enabled::Done);
    house.until(|house| house.delivered() == 4).await;
    assert_eq!(house.standings(), [Standing::Disabled, Standing::Up]);
    assert_eq!(attempts_lost(&house), 0);
}

#[tokio::test]
async fn retry_after_is_honoured_up_to_an_hour() {
    for (asked, expected) in [(seconds(120), seconds(120)), (hours(240), hours(1))] {
        for retry in [Retry::Destination { after: Some(asked) }, Retry::Event { after: Some(asked) }] {
            let once = move |_: &str, nth| if nth == 0 { Answer::Fails("asked", retry) } else { Answer::Takes };
            let house = House::with(4, once).begin(1).await;
            house.until(|house| house.delivered() == 1).await;
            let calls = house.calls();
            let waited = calls[1].at - calls[0].at;
            assert!((expected..=expected + seconds(60)).contains(&waited), "{retry:?}: {waited:?}");
        }
    }
}

#[tokio::test]
async fn no_more_calls_at_once_than_the_policy_allows() {
    let house = House::with(4, |_, _| Answer::TakesIn(seconds(1))).begin(40).await;
    house.until(|house| house.delivered() == 40).await;
    assert_eq!(house.calls().iter().map(|call| call.under_way).max(), Some(4));
}

/// CONTRACT.md C12.
#[tokio::test]
async fn a_destination_that_never_answers_holds_up_no_other() {
    let house = House::with(4, |_, _| Answer::Takes).and("slow", |_, _| Answer::Never).begin(50).await;
    house.until(|house| house.delivered() == 50).await;
    let stats = house.spool.stats();
    let of = |name: &str| stats.destinations.iter().find(|of| of.destination == name).unwrap();
    assert_eq!((of("wordpress").delivered, of("slow").delivered, of("slow").in_flight), (50, 0, 4));
}

/// CONTRACT.md C3.
#[tokio::test]
async fn after_a_kill_only_what_was_under_way_is_sent_again() {
    let house = House::with(4, |_, nth| if nth < 16 { Answer::Takes } else { Answer::Never }).begin(40).await;
    house.until(|house| house.delivered() == 16 && house.calls().len() == 20).await;
    let before = house.calls();
    let house = house.killed(4, |_, _| Answer::Takes).await.begin(0).await;
    house.until(|house| house.delivered() == 24).await;
    let mut ids: Vec<_> = before.into_iter().chain(house.calls()).map(|call| call.id).collect();
    assert_eq!(ids.len(), 40 + 4, "the four that were under way come twice, under the same id");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40, "and every event comes");
}

#[tokio::test]
async fn a_panic_costs_its_event_an_attempt_and_nothing_else() {
    let house = House::with(1, |_, nth| if nth == 0 { Answer::Panics } else { Answer::Takes }).begin(2).await;
    house.until(|house| house.delivered() == 2).await;
    assert_eq!((house.calls_of("evt_0").len(), house.calls_of("evt_1").len()), (2, 1));
}
