//! Did it arrive? CONTRACT.md C3: confirmed once, and sent again only under the same id.

use super::record;
use crate::{
    destination::{Confirmed, Destination, PublishError, Retry},
    event::Record,
};
use std::time::Duration;
use tokio::time::timeout;

/// A destination, and a receiver behind it that behaves as a suite tells it to.
pub(crate) trait Rig: Sync {
    type Destination: Destination;
    /// Whether it knows an event again by its id, so that one that is sent twice is there once.
    const KNOWS: bool = false;
    /// With a receiver that takes events.
    async fn open(&self) -> Self::Destination;
    /// From now on.
    async fn behave(&self, manner: Manner);
    /// Everything that arrived whole, whether or not it was confirmed.
    fn received(&self) -> impl Future<Output = Vec<Received>> + Send;
}

/// How a receiver behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Takes,
    /// Takes it, confirms it, and closes the connection a moment later.
    TakesAndCloses,
    /// Takes it and says nothing, as behind a connection that is open on one side alone.
    Silent,
    /// Takes it and goes away in the middle of its answer.
    BreaksOff,
    /// Nobody is there.
    Down,
}

/// An event as a receiver sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) content_type: String,
    pub(crate) payload: Vec<u8>,
}

/// The tests of a [`Destination`].
macro_rules! destination {
    ($rig:expr) => {
        $crate::contract::clauses! {
            destination, $rig;
            an_event_arrives_byte_for_byte_under_its_id
            no_answer_is_unknown_and_a_repeat_bears_the_same_id
            an_answer_that_breaks_off_is_unknown
            what_is_down_has_nothing_and_the_event_is_not_to_blame
            a_connection_that_was_closed_meanwhile_is_not_a_failure
        }
    };
}
pub(crate) use destination;

/// Whoever waits longer than this waits for ever.
const PATIENCE: Duration = Duration::from_secs(30);

async fn publish(destination: &impl Destination, event: &Record) -> Result<Confirmed, PublishError> {
    timeout(PATIENCE, destination.publish(event)).await.expect("a destination has deadlines of its own")
}

async fn refused(destination: &impl Destination, event: &Record) -> Retry {
    publish(destination, event).await.expect_err("it is not confirmed").retry
}

fn seen(event: &Record) -> Received {
    let Record { id, content_type, payload, .. } = event.clone();
    Received { id, content_type, payload: payload.to_vec() }
}

pub(crate) async fn an_event_arrives_byte_for_byte_under_its_id(rig: &impl Rig) {
    let destination = rig.open().await;
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let events = [record("evt_1", b"{\"a\": 1.0}"), record("evt_2", b""), record("evt_3", &every_byte)];
    for event in &events {
        publish(&destination, event).await.unwrap();
    }
    assert!(rig.received().await == events.each_ref().map(seen), "in order, whole, and once each");
}

pub(crate) async fn no_answer_is_unknown_and_a_repeat_bears_the_same_id<R: Rig>(rig: &R) {
    let (destination, event) = (rig.open().await, record("evt_1", b"{}"));
    rig.behave(Manner::Silent).await;
    assert_eq!(refused(&destination, &event).await, Retry::Unknown);
    rig.behave(Manner::Takes).await;
    let confirmed = publish(&destination, &event).await.unwrap();
    if R::KNOWS {
        assert_eq!((confirmed, rig.received().await), (Confirmed::Known, vec![seen(&event)]));
    } else {
        assert_eq!(rig.received().await, [seen(&event), seen(&event)], "by its id the consumer tells");
    }
}

pub(crate) async fn an_answer_that_breaks_off_is_unknown(rig: &impl Rig) {
    let (destination, event) = (rig.open().await, record("evt_1", b"{}"));
    rig.behave(Manner::BreaksOff).await;
    assert_eq!(refused(&destination, &event).await, Retry::Unknown);
    assert_eq!(rig.received().await.len(), 1, "whether to send it again is not the destination's to decide");
    rig.behave(Manner::Takes).await;
    publish(&destination, &event).await.unwrap();
}

pub(crate) async fn what_is_down_has_nothing_and_the_event_is_not_to_blame(rig: &impl Rig) {
    let (destination, event) = (rig.open().await, record("evt_1", b"{}"));
    rig.behave(Manner::Down).await;
    for _ in 0..3 {
        assert_eq!(refused(&destination, &event).await, Retry::Destination { after: None });
    }
    assert_eq!(rig.received().await, []);
    rig.behave(Manner::Takes).await;
    publish(&destination, &event).await.unwrap();
    assert_eq!(rig.received().await, [seen(&event)]);
}

pub(crate) async fn a_connection_that_was_closed_meanwhile_is_not_a_failure(rig: &impl Rig) {
    let destination = rig.open().await;
    rig.behave(Manner::TakesAndCloses).await;
    for number in 0..5 {
        publish(&destination, &record(&format!("evt_{number}"), b"{}")).await.unwrap();
    }
    assert_eq!(rig.received().await.len(), 5);
}
