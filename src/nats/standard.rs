//! Does this stream keep what it acknowledges as well as the policy wants, and for long enough to tell repeats?

use super::failure;
use crate::{
    destination::{PublishError, Remark},
    policy::Durability,
};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use std::time::Duration;

/// What there is to say of it.
///
/// # Errors
/// The policy wants more than it does.
pub(super) fn judge(config: &Config, durability: Durability, horizon: Duration) -> Result<Vec<Remark>, PublishError> {
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
    if config.duplicate_window < horizon {
        remarks.push(Remark::ForgetsSoon { window: config.duplicate_window, horizon });
    }
    let limited = config.max_bytes > 0 || config.max_messages > 0 || config.max_messages_per_subject > 0;
    if config.discard == DiscardPolicy::Old && limited {
        remarks.push(Remark::LosesOldest);
    }
    Ok(remarks)
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
            assert_eq!(judge(&memory, durability, HORIZON).unwrap_err().reason, "not_durable");
        }
        assert_eq!(judge(&memory, Durability::Any, HORIZON).unwrap(), [Remark::NotSynced]);
    }

    #[test]
    fn that_acknowledged_is_not_synced_is_told_unless_the_operator_knows_better() {
        assert_eq!(judge(&stream(), Durability::Stored, HORIZON).unwrap(), [Remark::NotSynced]);
        assert_eq!(judge(&stream(), Durability::Synced, HORIZON).unwrap(), []);
    }

    #[test]
    fn a_window_that_is_shorter_than_events_are_tried_is_told() {
        let window = Duration::from_secs(120);
        let short = Config { duplicate_window: window, ..stream() };
        let told = judge(&short, Durability::Synced, HORIZON).unwrap();
        assert_eq!(told, [Remark::ForgetsSoon { window, horizon: HORIZON }]);
    }

    #[test]
    fn a_stream_that_makes_room_by_losing_is_told() {
        let old = Config { discard: DiscardPolicy::Old, ..stream() };
        assert_eq!(judge(&old, Durability::Synced, HORIZON).unwrap(), [], "it has no limit");
        for limited in [Config { max_bytes: 1, ..old.clone() }, Config { max_messages: 1, ..old }] {
            assert_eq!(judge(&limited, Durability::Synced, HORIZON).unwrap(), [Remark::LosesOldest]);
        }
    }

    #[test]
    fn a_stream_that_never_acknowledges_is_refused() {
        let silent = Config { no_ack: true, ..stream() };
        assert_eq!(judge(&silent, Durability::Any, HORIZON).unwrap_err().reason, "not_durable");
    }
}
