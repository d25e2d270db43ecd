//! Is this event new, and is it durable now? CONTRACT.md C1, C2, C4 and C5.

use super::{event, event_with, keys, remembered};
use crate::{
    event::{Event, Record},
    ledger::{Accepted, Changed, Known, Leases, Ledger, Receipt},
    repeat::{BodyMark, RepeatKeys},
    verdict::Fault,
};
use tokio::task::JoinSet;

/// An engine that a suite may stop, break and open again.
pub(crate) trait Rig: Sync {
    type Engine: Ledger + Leases + Clone + 'static;
    /// An empty one.
    async fn open(&self) -> Self::Engine;
    /// What another process finds after this one was killed.
    async fn reopen(&self, killed: Self::Engine) -> Self::Engine;
    /// From now on nothing becomes durable, and nothing fails.
    fn hold(&self);
    /// What was held becomes durable.
    fn go_on(&self);
    /// What was held fails, or if nothing was, the next that is to become durable.
    fn fail(&self);
    /// Waits until events can be accepted again after a failure.
    async fn mended(&self, engine: &Self::Engine);
    /// The events that are there.
    async fn kept(&self, engine: &Self::Engine) -> Vec<Record>;
}

/// The tests of a [`Ledger`] of our own.
macro_rules! ledger {
    ($rig:expr) => {
        $crate::contract::ledger::ledger_of_a_broker!($rig);
        $crate::contract::clauses! {
            ledger, $rig;
            without_keys_nothing_is_a_repeat
            a_changed_body_is_told_after_a_kill
        }
    };
}
pub(crate) use ledger;

/// The tests of a [`Ledger`] that hands events on, to what knows them by their ids alone.
macro_rules! ledger_of_a_broker {
    ($rig:expr) => {
        $crate::contract::clauses! {
            ledger, $rig;
            a_new_event_is_kept_as_it_is_and_its_receipt_names_it
            the_same_event_again_is_known
            another_body_under_the_same_id_is_known_with_both_digests
            either_of_two_keys_tells_a_repeat
            copies_in_parallel_wait_and_share_the_first_ones_result
            if_the_first_fails_one_of_those_who_wait_takes_over
            what_failed_is_not_remembered
            what_was_accepted_is_known_after_a_kill
            a_sender_that_leaves_while_it_is_written_makes_no_second_event
            a_copy_that_leaves_burns_nothing
        }
    };
}
pub(crate) use ledger_of_a_broker;

/// Lets everything that was spawned come to where it has to wait.
pub(super) async fn everybody_waits() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

fn receipt(accepted: Result<Accepted, Fault>) -> Receipt {
    match accepted {
        Ok(Accepted::New(receipt)) => receipt,
        other => panic!("not new: {other:?}"),
    }
}

fn is_new(accepted: Result<Accepted, Fault>) {
    drop(receipt(accepted));
}

fn again(accepted: Result<Accepted, Fault>) -> Known {
    match accepted {
        Ok(Accepted::Again(known)) => known,
        other => panic!("not known: {other:?}"),
    }
}

type Copies = JoinSet<Result<Accepted, Fault>>;

fn spawn<L: Ledger + Clone + 'static>(copies: &mut Copies, engine: &L, event: Event) {
    let engine = engine.clone();
    copies.spawn(async move { engine.accept(event).await });
}

/// How many were new, known and refused.
fn counted(ended: Vec<Result<Accepted, Fault>>) -> (usize, usize, usize) {
    ended.into_iter().fold((0, 0, 0), |(new, again, failed), accepted| match accepted {
        Ok(Accepted::New(_)) => (new + 1, again, failed),
        Ok(Accepted::Again(_)) => (new, again + 1, failed),
        Err(_) => (new, again, failed + 1),
    })
}

pub(crate) async fn a_new_event_is_kept_as_it_is_and_its_receipt_names_it(rig: &impl Rig) {
    let engine = rig.open().await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let (one, other) = (event_with(keys("a", 1), &every_byte), event_with(keys("b", 1), b""));
    let (first, second) = (receipt(engine.accept(one.clone()).await), receipt(engine.accept(other.clone()).await));
    assert_eq!((first.event(), second.event()), (&*one.record().id, &*other.record().id));
    assert!(second.position() > first.position(), "positions grow");
    assert_eq!(rig.kept(&engine).await, [one.record().clone(), other.record().clone()]);
}

pub(crate) async fn the_same_event_again_is_known(rig: &impl Rig) {
    let engine = rig.open().await;
    is_new(engine.accept(event("a")).await);
    for _ in 0..3 {
        assert_eq!(again(engine.accept(event("a")).await).changed, None);
    }
    assert_eq!(rig.kept(&engine).await.len(), 1);
}

pub(crate) async fn another_body_under_the_same_id_is_known_with_both_digests(rig: &impl Rig) {
    let engine = rig.open().await;
    is_new(engine.accept(event_with(keys("a", 1), b"1")).await);
    let both = Changed { accepted: BodyMark(1), came: BodyMark(2) };
    for _ in 0..2 {
        assert_eq!(again(engine.accept(event_with(keys("a", 2), b"2")).await).changed, Some(both));
    }
    assert_eq!(rig.kept(&engine).await[0].payload, "1");
}

pub(crate) async fn either_of_two_keys_tells_a_repeat(rig: &impl Rig) {
    let engine = rig.open().await;
    let with = |proof: &str, name: &str| {
        let keys = RepeatKeys { proof: Some(remembered(proof)), ..keys(name, 1) };
        event_with(keys, b"{}")
    };
    rig.hold();
    let mut copies = Copies::new();
    spawn(&mut copies, &engine, with("proof", "event"));
    spawn(&mut copies, &engine, with("signed afresh", "event"));
    everybody_waits().await;
    rig.go_on();
    assert_eq!(counted(copies.join_all().await), (1, 1, 0), "also while the first is being written");
    again(engine.accept(with("proof", "another id")).await);
    again(engine.accept(with("signed again", "event")).await);
    is_new(engine.accept(with("another proof", "another event")).await);
}

pub(crate) async fn without_keys_nothing_is_a_repeat(rig: &impl Rig) {
    let engine = rig.open().await;
    for _ in 0..2 {
        is_new(engine.accept(event_with(RepeatKeys::default(), b"id=tr_1")).await);
    }
    assert_eq!(rig.kept(&engine).await.len(), 2);
}

pub(crate) async fn copies_in_parallel_wait_and_share_the_first_ones_result(rig: &impl Rig) {
    let engine = rig.open().await;
    rig.hold();
    let mut copies = Copies::new();
    (0..20).for_each(|_| spawn(&mut copies, &engine, event("a")));
    everybody_waits().await;
    assert!(copies.try_join_next().is_none(), "nobody is answered before it is durable");
    rig.go_on();
    assert_eq!(counted(copies.join_all().await), (1, 19, 0));
    assert_eq!(rig.kept(&engine).await.len(), 1);
}

pub(crate) async fn if_the_first_fails_one_of_those_who_wait_takes_over(rig: &impl Rig) {
    let engine = rig.open().await;
    rig.hold();
    let mut copies = Copies::new();
    (0..8).for_each(|_| spawn(&mut copies, &engine, event("a")));
    everybody_waits().await;
    rig.fail();
    assert_eq!(counted(copies.join_all().await), (1, 6, 1));
    let engine = rig.reopen(engine).await;
    assert_eq!(rig.kept(&engine).await.len(), 1, "what failed is no second event");
}

pub(crate) async fn what_failed_is_not_remembered(rig: &impl Rig) {
    let engine = rig.open().await;
    is_new(engine.accept(event("before")).await);
    rig.fail();
    assert!(matches!(engine.accept(event("a")).await, Err(Fault::Ledger(_))));
    rig.mended(&engine).await;
    is_new(engine.accept(event("a")).await);
    let engine = rig.reopen(engine).await;
    again(engine.accept(event("a")).await);
    assert_eq!(rig.kept(&engine).await.len(), 2);
}

pub(crate) async fn what_was_accepted_is_known_after_a_kill(rig: &impl Rig) {
    let engine = rig.open().await;
    for name in ["a", "b", "c"] {
        is_new(engine.accept(event(name)).await);
    }
    let before = rig.kept(&engine).await;
    let engine = rig.reopen(engine).await;
    assert_eq!(rig.kept(&engine).await, before);
    for name in ["a", "b", "c"] {
        again(engine.accept(event(name)).await);
    }
}

pub(crate) async fn a_changed_body_is_told_after_a_kill(rig: &impl Rig) {
    let engine = rig.open().await;
    is_new(engine.accept(event("a")).await);
    let engine = rig.reopen(engine).await;
    let changed = again(engine.accept(event_with(keys("a", 2), b"a")).await).changed;
    assert_eq!(changed, Some(Changed { accepted: BodyMark(1), came: BodyMark(2) }));
}

pub(crate) async fn a_sender_that_leaves_while_it_is_written_makes_no_second_event(rig: &impl Rig) {
    let engine = rig.open().await;
    rig.hold();
    let mut gone = Copies::new();
    spawn(&mut gone, &engine, event("a"));
    everybody_waits().await;
    gone.shutdown().await;
    let mut copies = Copies::new();
    spawn(&mut copies, &engine, event("a"));
    everybody_waits().await;
    assert!(copies.try_join_next().is_none(), "its write has begun: the retry waits for the end of it");
    rig.go_on();
    let (_, _, failed) = counted(copies.join_all().await);
    assert_eq!((failed, rig.kept(&engine).await.len()), (0, 1));
}

pub(crate) async fn a_copy_that_leaves_burns_nothing(rig: &impl Rig) {
    let engine = rig.open().await;
    rig.hold();
    let (mut first, mut second) = (Copies::new(), Copies::new());
    spawn(&mut first, &engine, event("a"));
    everybody_waits().await;
    spawn(&mut second, &engine, event("a"));
    everybody_waits().await;
    second.shutdown().await;
    rig.fail();
    assert_eq!(counted(first.join_all().await), (0, 0, 1));
    rig.mended(&engine).await;
    is_new(engine.accept(event("a")).await);
}
