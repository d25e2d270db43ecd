//! Who passes this event on, and is it remembered when WordPress took it? CONTRACT.md section 3, `relay`.

use super::{
    HOUR, keys,
    ledger::{Rig, everybody_waits},
};
use crate::{
    ledger::{Changed, Known, Lease, Leased, Leases, Settled, Success},
    repeat::BodyMark,
    verdict::Fault,
};
use http::StatusCode;
use std::time::Duration;
use tokio::task::JoinSet;

/// The tests of [`Leases`].
macro_rules! leases {
    ($rig:expr) => {
        $crate::contract::clauses! {
            leases, $rig;
            while_one_holds_it_the_others_wait
            what_is_released_is_the_next_ones
            what_is_done_is_known_and_so_it_is_after_a_kill
            what_wordpress_said_first_is_known_and_so_it_is_after_a_kill
            what_is_released_is_forgotten
            what_was_held_when_the_process_was_killed_is_free
            a_lease_that_lapses_goes_to_one_who_waits_and_its_holder_cannot_commit
            a_lease_that_is_dropped_is_held_until_it_lapses
            one_who_waits_and_leaves_burns_nothing
            what_is_done_is_known_even_if_it_cannot_be_made_durable
        }
    };
}
pub(crate) use leases;

/// A lease that lapses while the test waits.
const SHORT: Duration = Duration::from_millis(20);

/// As WordPress said.
fn done(code: u16) -> Settled {
    Settled::Done(success(code))
}

fn success(code: u16) -> Success {
    StatusCode::from_u16(code).ok().and_then(Success::of).expect("it is a 2xx")
}

type Waiting = JoinSet<Result<Leased, Fault>>;

fn spawn<L: Leases + Clone + 'static>(waiting: &mut Waiting, engine: &L) {
    let engine = engine.clone();
    waiting.spawn(async move { engine.lease(&keys("a", 1), HOUR).await });
}

async fn first(waiting: &mut Waiting) -> Result<Leased, Fault> {
    waiting.join_next().await.expect("somebody waits").expect("no panic")
}

fn held(leased: Result<Leased, Fault>) -> Lease {
    match leased {
        Ok(Leased::Held(lease)) => lease,
        other => panic!("not held: {other:?}"),
    }
}

fn again(leased: Result<Leased, Fault>) -> Known {
    match leased {
        Ok(Leased::Again(known)) => known,
        other => panic!("not known: {other:?}"),
    }
}

pub(crate) async fn while_one_holds_it_the_others_wait(rig: &impl Rig) {
    let engine = rig.open().await;
    let lease = held(engine.lease(&keys("a", 1), HOUR).await);
    let mut waiting = Waiting::new();
    (0..10).for_each(|_| spawn(&mut waiting, &engine));
    everybody_waits().await;
    assert!(waiting.try_join_next().is_none());
    let other = held(engine.lease(&keys("b", 1), HOUR).await);
    engine.settle(other, Settled::Released).await.unwrap();
    engine.settle(lease, done(200)).await.unwrap();
    for ended in waiting.join_all().await {
        assert_eq!(again(ended).changed, None);
    }
}

pub(crate) async fn what_is_released_is_the_next_ones(rig: &impl Rig) {
    let engine = rig.open().await;
    let lease = held(engine.lease(&keys("a", 1), HOUR).await);
    let mut waiting = Waiting::new();
    (0..3).for_each(|_| spawn(&mut waiting, &engine));
    everybody_waits().await;
    let mut fence = lease.fence;
    engine.settle(lease, Settled::Released).await.unwrap();
    for left in [2, 1, 0] {
        let next = held(first(&mut waiting).await);
        everybody_waits().await;
        assert_eq!((waiting.len(), waiting.try_join_next().is_none()), (left, true), "one at a time");
        assert!(next.fence > fence, "fences grow");
        fence = next.fence;
        engine.settle(next, Settled::Released).await.unwrap();
    }
}

pub(crate) async fn what_is_done_is_known_and_so_it_is_after_a_kill(rig: &impl Rig) {
    let engine = rig.open().await;
    let lease = held(engine.lease(&keys("a", 1), HOUR).await);
    engine.settle(lease, done(200)).await.unwrap();
    assert_eq!(again(engine.lease(&keys("a", 1), HOUR).await).changed, None);
    let engine = rig.reopen(engine).await;
    let both = Changed { accepted: BodyMark(1), came: BodyMark(2) };
    assert_eq!(again(engine.lease(&keys("a", 2), HOUR).await).changed, Some(both));
    assert!(rig.kept(&engine).await.is_empty(), "it is remembered, and no event");
}

pub(crate) async fn what_wordpress_said_first_is_known_and_so_it_is_after_a_kill(rig: &impl Rig) {
    let engine = rig.open().await;
    let codes = [("a", 200), ("b", 204), ("c", 299)];
    for (name, code) in codes {
        let lease = held(engine.lease(&keys(name, 1), HOUR).await);
        engine.settle(lease, done(code)).await.unwrap();
    }
    for body in [1, 2] {
        for (name, code) in codes {
            assert_eq!(again(engine.lease(&keys(name, body), HOUR).await).success, Some(success(code)));
        }
    }
    let engine = rig.reopen(engine).await;
    for (name, code) in codes {
        assert_eq!(again(engine.lease(&keys(name, 1), HOUR).await).success, Some(success(code)));
    }
}

pub(crate) async fn what_is_released_is_forgotten(rig: &impl Rig) {
    let engine = rig.open().await;
    for _ in 0..2 {
        let lease = held(engine.lease(&keys("a", 1), HOUR).await);
        engine.settle(lease, Settled::Released).await.unwrap();
    }
    let engine = rig.reopen(engine).await;
    let lease = held(engine.lease(&keys("a", 1), HOUR).await);
    engine.settle(lease, done(200)).await.unwrap();
}

pub(crate) async fn what_was_held_when_the_process_was_killed_is_free(rig: &impl Rig) {
    let engine = rig.open().await;
    drop(held(engine.lease(&keys("a", 1), HOUR).await));
    let engine = rig.reopen(engine).await;
    let lease = held(engine.lease(&keys("a", 1), HOUR).await);
    engine.settle(lease, Settled::Released).await.unwrap();
}

pub(crate) async fn a_lease_that_lapses_goes_to_one_who_waits_and_its_holder_cannot_commit(rig: &impl Rig) {
    let engine = rig.open().await;
    let slept = held(engine.lease(&keys("a", 1), SHORT).await);
    let mut waiting = Waiting::new();
    spawn(&mut waiting, &engine);
    let successor = held(first(&mut waiting).await);
    assert!(matches!(engine.settle(slept, done(200)).await, Err(Fault::LeaseLost)));
    engine.settle(successor, Settled::Released).await.unwrap();
    let lease = held(engine.lease(&keys("a", 1), HOUR).await); // nothing is remembered of the one that was lost
    engine.settle(lease, done(200)).await.unwrap();
}

pub(crate) async fn a_lease_that_is_dropped_is_held_until_it_lapses(rig: &impl Rig) {
    let engine = rig.open().await;
    drop(held(engine.lease(&keys("a", 1), HOUR).await));
    let mut waiting = Waiting::new();
    spawn(&mut waiting, &engine);
    everybody_waits().await;
    assert!(waiting.try_join_next().is_none(), "what became of it is unknown: the retry is no second order");
}

pub(crate) async fn one_who_waits_and_leaves_burns_nothing(rig: &impl Rig) {
    let engine = rig.open().await;
    let lease = held(engine.lease(&keys("a", 1), HOUR).await);
    let mut waiting = Waiting::new();
    spawn(&mut waiting, &engine);
    everybody_waits().await;
    waiting.shutdown().await;
    engine.settle(lease, Settled::Released).await.unwrap();
    let lease = held(engine.lease(&keys("a", 1), HOUR).await);
    engine.settle(lease, done(200)).await.unwrap();
}

pub(crate) async fn what_is_done_is_known_even_if_it_cannot_be_made_durable(rig: &impl Rig) {
    let engine = rig.open().await;
    let lease = held(engine.lease(&keys("a", 1), HOUR).await);
    rig.fail();
    assert!(matches!(engine.settle(lease, done(200)).await, Err(Fault::Ledger(_))), "somebody must hear of it");
    again(engine.lease(&keys("a", 1), HOUR).await);
}
