//! Does this stream keep what it acknowledges as well as the policy wants, and for long enough to tell repeats?

use super::failure;
use crate::{
    destination::{PublishError, Remark},
    policy::Durability,
};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use std::time::Duration;

/// By what a stream knows an event again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownBy {
    /// Its id, in the stream's window.
    Id,
    /// Its subject too, for as long as it is there.
    Subject,
}

/// What there is to say of it.
///
/// # Errors
/// The policy wants more than it does.
pub(super) fn judge(
    config: &Config,
    durability: Durability,
    by: KnownBy,
    horizon: Duration,
) -> Result<Vec<Remark>, PublishError> {
    let mut remarks = Vec::new();
    let in_memory = config.storage == StorageType::Memory;
    match durability {
        Durability::Synced | Durability::Waited | Durability::Stored if in_memory => {
            let way_out = "keep it in files, or write `durability: any`";
            return Err(failure::not_durable(format!("the stream is kept in memory alone; {way_out}")));
        }
        Durability::Stored | Durability::Any => remarks.push(Remark::NotSynced),
        Durability::Synced | Durability::Waited => {}
    }
    if config.no_ack {
        let why = "the stream acknowledges nothing (`no_ack`), so nobody could tell what it has";
        return Err(failure::not_durable(why.to_owned()));
    }
    let window = known_for(config, by);
    if window < horizon {
        remarks.push(Remark::ForgetsSoon { window, horizon });
    }
    let limited = config.max_bytes > 0 || config.max_messages > 0 || config.max_messages_per_subject > 0;
    if config.discard == DiscardPolicy::Old && limited {
        remarks.push(Remark::LosesOldest);
    }
    Ok(remarks)
}

/// Of what comes, the largest events do not fit: into a message of the server, or into the stream's own limit.
pub(super) fn takes_less(config: &Config, max_payload_bytes: u64, largest_bytes: u64) -> Option<Remark> {
    // None is -1, or 0.
    let of_stream = u64::try_from(config.max_message_size).ok().filter(|bytes| *bytes > 0);
    let takes_bytes = max_payload_bytes.min(of_stream.unwrap_or(u64::MAX));
    (takes_bytes < largest_bytes).then_some(Remark::TakesLess { takes_bytes, largest_bytes })
}

/// At least.
fn known_for(config: &Config, by: KnownBy) -> Duration {
    let stays = match (by, config.retention) {
        (KnownBy::Subject, RetentionPolicy::Limits) if config.max_age.is_zero() => Duration::MAX,
        (KnownBy::Subject, RetentionPolicy::Limits) => config.max_age,
        // Consumers take it out when they like.
        (KnownBy::Subject, RetentionPolicy::Interest | RetentionPolicy::WorkQueue) | (KnownBy::Id, _) => Duration::ZERO,
    };
    stays.max(config.duplicate_window)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORIZON: Duration = Duration::from_secs(76 * 3600);

    fn stream() -> Config {
        Config { duplicate_window: HORIZON, discard: DiscardPolicy::New, ..Config::default() }
    }

    #[test]
    fn a_stream_in_memory_is_refused_unless_the_policy_says_any() {
        let memory = Config { storage: StorageType::Memory, ..stream() };
        for durability in [Durability::Synced, Durability::Stored] {
            assert_eq!(judge(&memory, durability, KnownBy::Id, HORIZON).unwrap_err().reason, "not_durable");
        }
        assert_eq!(judge(&memory, Durability::Any, KnownBy::Id, HORIZON).unwrap(), [Remark::NotSynced]);
    }

    #[test]
    fn that_acknowledged_is_not_synced_is_told_unless_the_operator_knows_better() {
        assert_eq!(judge(&stream(), Durability::Stored, KnownBy::Id, HORIZON).unwrap(), [Remark::NotSynced]);
        assert_eq!(judge(&stream(), Durability::Synced, KnownBy::Id, HORIZON).unwrap(), []);
    }

    #[test]
    fn a_window_that_is_shorter_than_events_are_tried_is_told() {
        let window = Duration::from_secs(120);
        let short = Config { duplicate_window: window, ..stream() };
        let told = judge(&short, Durability::Synced, KnownBy::Id, HORIZON).unwrap();
        assert_eq!(told, [Remark::ForgetsSoon { window, horizon: HORIZON }]);
    }

    #[test]
    fn a_stream_that_makes_room_by_losing_is_told() {
        let old = Config { discard: DiscardPolicy::Old, ..stream() };
        assert_eq!(judge(&old, Durability::Synced, KnownBy::Id, HORIZON).unwrap(), [], "it has no limit");
        for limited in [Config { max_bytes: 1, ..old.clone() }, Config { max_messages: 1, ..old }] {
            assert_eq!(judge(&limited, Durability::Synced, KnownBy::Id, HORIZON).unwrap(), [Remark::LosesOldest]);
        }
    }

    #[test]
    fn what_does_not_fit_into_the_server_or_the_stream_is_told() {
        for (max_message_size, max_payload, takes) in
            [(-1, 999, Some(999)), (0, 999, Some(999)), (999, 2000, Some(999)), (2000, 1000, None), (-1, 1000, None)]
        {
            let config = Config { max_message_size, ..stream() };
            let told = takes.map(|takes_bytes| Remark::TakesLess { takes_bytes, largest_bytes: 1000 });
            assert_eq!(takes_less(&config, max_payload, 1000), told, "{max_message_size} {max_payload}");
        }
    }

    #[test]
    fn a_stream_that_never_acknowledges_is_refused() {
        let silent = Config { no_ack: true, ..stream() };
        assert_eq!(judge(&silent, Durability::Any, KnownBy::Id, HORIZON).unwrap_err().reason, "not_durable");
    }

    #[test]
    fn a_subject_of_its_own_makes_an_event_known_for_as_long_as_it_stays() {
        let hour = Duration::from_secs(3600);
        let short = Config { duplicate_window: Duration::from_secs(120), ..stream() };
        for (retention, max_age, known_for) in [
            (RetentionPolicy::Limits, Duration::ZERO, None),
            (RetentionPolicy::Limits, HORIZON, None),
            (RetentionPolicy::Limits, hour, Some(hour)),
            (RetentionPolicy::WorkQueue, Duration::ZERO, Some(short.duplicate_window)),
            (RetentionPolicy::Interest, HORIZON, Some(short.duplicate_window)),
        ] {
            let config = Config { retention, max_age, ..short.clone() };
            let told = judge(&config, Durability::Synced, KnownBy::Subject, HORIZON).unwrap();
            let remark = known_for.map(|window| Remark::ForgetsSoon { window, horizon: HORIZON });
            assert_eq!(told, Vec::from_iter(remark), "{retention:?} {max_age:?}");
        }
    }
}
