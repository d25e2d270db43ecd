//! What every engine has to keep, clause by clause: CONTRACT.md sections 2 and 3 as functions over the ports.
//!
//! An engine's own tests call the macro of each port that it serves, and get one test a clause, so that none can be left
//! out. They live inside the crate, because only here can an [`Event`] be made without a request.

#[cfg(feature = "e2e")]
pub(crate) mod brokers;
#[cfg(feature = "edge")]
pub(crate) mod destination;
#[cfg(feature = "edge")]
pub(crate) mod direct;
#[cfg(feature = "spool")]
pub(crate) mod leases;
#[cfg(feature = "spool")]
pub(crate) mod ledger;
pub(crate) mod limiter;
#[cfg(feature = "e2e")]
pub(crate) mod outage;

/// One test for each clause of a suite, over what `$rig` makes anew for each.
#[cfg(feature = "spool")]
macro_rules! clauses {
    ($suite:ident, $rig:expr; $($clause:ident)+) => {$(
        #[tokio::test]
        async fn $clause() {
            let rig = $rig;
            let clause = $crate::contract::$suite::$clause(&rig);
            tokio::time::timeout($crate::contract::PATIENCE, clause).await.expect("somebody waits for ever");
        }
    )+};
}
#[cfg(feature = "spool")]
pub(crate) use clauses;

/// No clause takes as long, however busy the machine.
#[cfg(feature = "spool")]
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

#[cfg(feature = "edge")]
pub(crate) use fixtures::record;
#[cfg(feature = "spool")]
pub(crate) use fixtures::{HOUR, event, event_with, keys};

#[cfg(feature = "spool")]
mod fixtures {
    use crate::{
        clock::Timestamp,
        event::{Event, Record},
        repeat::{BodyMark, Fingerprint, Remembered, RepeatKeys},
    };
    use std::time::Duration;

    pub(crate) const HOUR: Duration = Duration::from_secs(3600);

    pub(crate) fn remembered(name: &str) -> Remembered {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        Remembered { key: Fingerprint::from_bytes(bytes), remember: HOUR }
    }

    /// Of an event that its sender calls so.
    pub(crate) fn keys(name: &str, body: u64) -> RepeatKeys {
        RepeatKeys { proof: None, event: Some(remembered(name)), body: BodyMark(body) }
    }

    /// As the gate makes one, with these keys.
    pub(crate) fn event(name: &str) -> Event {
        event_with(keys(name, 1), name.as_bytes())
    }

    pub(crate) fn event_with(keys: RepeatKeys, payload: &[u8]) -> Event {
        Event::for_tests(keys, record(&keys.id().unwrap_or_else(|| "request".to_owned()), payload))
    }

    pub(crate) fn record(id: &str, payload: &[u8]) -> Record {
        Record {
            id: id.to_owned(),
            route: "orders".into(),
            event_type: "order.paid".into(),
            accepted_at: Timestamp::from_unix_s(1_760_000_000),
            request_id: "request".into(),
            to: vec!["wordpress".into()],
            keep: std::time::Duration::ZERO,
            order: None,
            content_type: "application/json".into(),
            payload: payload.to_vec().into(),
        }
    }
}
#[cfg(feature = "spool")]
pub(crate) use fixtures::remembered;
