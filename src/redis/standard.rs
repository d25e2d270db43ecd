//! Does this server keep what it confirms as well as the policy wants?

use super::failure;
use crate::{
    destination::{PublishError, Remark},
    policy::Durability,
};
use ::redis::{RedisResult, aio::MultiplexedConnection, cmd};
use std::collections::HashMap;

/// What a server says of itself. Empty where it was not allowed to say.
type Said = HashMap<String, String>;

/// Who has the events that it confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// The spool too, until it has.
    Both,
    /// It alone, and it alone knows a repeat.
    Alone,
}

/// What an event meets there.
#[derive(Debug)]
pub(super) struct Found {
    /// What an operator should know.
    pub(super) remarks: Vec<Remark>,
    /// How long a command may be, as far as it says.
    pub(super) takes_bytes: u64,
}

/// Asks it.
///
/// # Errors
/// It does not, or does not say.
pub(super) async fn look(
    connection: &mut MultiplexedConnection,
    durability: Durability,
    keeps: Keeps,
) -> Result<Found, PublishError> {
    let mut said = Some(Said::new());
    for pattern in ["append*", "maxmemory*", "proto-max-bulk-len", "client-query-buffer-limit"] {
        let answer: RedisResult<Said> = cmd("CONFIG").arg("GET").arg(pattern).query_async(connection).await;
        match answer {
            Ok(more) => {
                if let Some(said) = &mut said {
                    said.extend(more);
                }
            }
            // A managed server, or a user without the right to ask.
            Err(error) if !failure::is_lost(&error) => said = None,
            Err(error) => return Err(failure::before_sending(error)),
        }
    }
    let remarks = judge(said.as_ref(), durability, keeps).map_err(failure::not_durable)?;
    if durability == Durability::Waited {
        // Before an event is there of which nobody could say how well.
        let asked: RedisResult<::redis::Value> = cmd("WAITAOF").arg(0).arg(0).arg(0).query_async(connection).await;
        asked.map_err(|error| match error.code() {
            Some(_) => {
                failure::not_durable(format!("it cannot be asked to wait for a sync, which needs Redis 7.2: {error}"))
            }
            None => failure::before_sending(error),
        })?;
    }
    Ok(Found { remarks, takes_bytes: takes_bytes(said.as_ref()) })
}

fn takes_bytes(said: Option<&Said>) -> u64 {
    let limit = |name| said.and_then(|said| said.get(name)).and_then(|bytes| bytes.parse().ok()).unwrap_or(u64::MAX);
    limit("proto-max-bulk-len").min(limit("client-query-buffer-limit"))
}

fn judge(said: Option<&Said>, durability: Durability, keeps: Keeps) -> Result<Vec<Remark>, String> {
    let Some(said) = said else {
        return match durability {
            Durability::Synced => {
                Err("`CONFIG GET` is not allowed, so nobody knows whether it syncs before it confirms; \
                                       allow it to this user, or write `durability: waited` (Redis 7.2) or `any`"
                    .to_owned())
            }
            Durability::Waited if keeps == Keeps::Alone => Err(
                "`CONFIG GET` is not allowed, so nobody knows whether it evicts events that it alone keeps; allow it \
                     to this user, or write `durability: any`"
                    .to_owned(),
            ),
            Durability::Waited => Ok(Vec::new()),
            Durability::Any | Durability::Stored => Ok(vec![Remark::NotSynced]),
        };
    };
    let value = |name: &str| said.get(name).map_or("", String::as_str);
    let mut remarks = Vec::new();
    let (appendonly, appendfsync) = (value("appendonly"), value("appendfsync"));
    let synced = appendonly == "yes" && appendfsync == "always";
    match durability {
        Durability::Synced if !synced => {
            return Err(format!(
                "it has `appendonly {appendonly}` and `appendfsync {appendfsync}`, and the policy wants `yes` and `always`; \
                 change the server, or write `durability: any`"
            ));
        }
        Durability::Waited if appendonly != "yes" => {
            return Err(format!("it has `appendonly {appendonly}`, so there is nothing to wait for"));
        }
        Durability::Any | Durability::Stored if !synced => remarks.push(Remark::NotSynced),
        Durability::Synced | Durability::Waited | Durability::Any | Durability::Stored => {}
    }
    // What is evicted is gone, however well it was synced.
    match value("maxmemory-policy") {
        "" | "noeviction" => {}
        evicts if keeps == Keeps::Alone => {
            return Err(format!(
                "it has `maxmemory-policy {evicts}`, which takes out events, or what they are known by, that it alone \
                 keeps; give it `noeviction`"
            ));
        }
        _ if matches!(value("maxmemory"), "" | "0") => {}
        evicts if evicts.starts_with("allkeys") => remarks.push(Remark::LosesOldest),
        evicts if evicts.starts_with("volatile") => remarks.push(Remark::ForgetsWhenFull),
        _ => {}
    }
    Ok(remarks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pairs: &[(&str, &str)]) -> Said {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn synced_means_a_log_that_is_synced_each_time() {
        for (appendonly, appendfsync, holds) in
            [("yes", "always", true), ("yes", "everysec", false), ("yes", "no", false), ("no", "always", false)]
        {
            let said = said(&[("appendonly", appendonly), ("appendfsync", appendfsync)]);
            assert_eq!(
                judge(Some(&said), Durability::Synced, Keeps::Both).is_ok(),
                holds,
                "{appendonly} {appendfsync}"
            );
            let any = judge(Some(&said), Durability::Any, Keeps::Both).unwrap();
            assert_eq!(any.contains(&Remark::NotSynced), !holds, "{appendonly} {appendfsync}");
        }
        assert!(judge(Some(&said(&[])), Durability::Synced, Keeps::Both).is_err(), "silence is no yes");
    }

    #[test]
    fn who_may_not_ask_believes_nothing() {
        assert!(judge(None, Durability::Synced, Keeps::Both).unwrap_err().contains("CONFIG GET"));
        assert_eq!(judge(None, Durability::Any, Keeps::Both), Ok(vec![Remark::NotSynced]));
        assert_eq!(judge(None, Durability::Waited, Keeps::Both), Ok(vec![]), "it is asked for after each event");
    }

    #[test]
    fn without_a_log_there_is_nothing_to_wait_for() {
        assert!(judge(Some(&said(&[("appendonly", "no")])), Durability::Waited, Keeps::Both).is_err());
        assert_eq!(judge(Some(&said(&[("appendonly", "yes")])), Durability::Waited, Keeps::Both), Ok(vec![]));
    }

    #[test]
    fn a_server_that_evicts_is_told_of() {
        for (bytes, policy, remark) in [
            ("0", "allkeys-lru", None),
            ("1000", "noeviction", None),
            ("1000", "allkeys-lru", Some(Remark::LosesOldest)),
            ("1000", "volatile-ttl", Some(Remark::ForgetsWhenFull)),
        ] {
            let synced = [("appendonly", "yes"), ("appendfsync", "always")];
            let said = said(&[synced.as_slice(), &[("maxmemory", bytes), ("maxmemory-policy", policy)]].concat());
            assert_eq!(
                judge(Some(&said), Durability::Synced, Keeps::Both),
                Ok(Vec::from_iter(remark)),
                "{bytes} {policy}"
            );
        }
    }

    /// Also while it has no limit: that can be set while it runs.
    #[test]
    fn a_server_that_evicts_keeps_nothing_alone() {
        for (policy, holds) in [("noeviction", true), ("allkeys-lru", false), ("volatile-ttl", false)] {
            let said = said(&[("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", policy)]);
            for durability in [Durability::Synced, Durability::Waited, Durability::Any] {
                assert_eq!(judge(Some(&said), durability, Keeps::Alone).is_ok(), holds, "{policy} {durability:?}");
                assert!(judge(Some(&said), durability, Keeps::Both).is_ok(), "{policy} {durability:?}");
            }
        }
        assert!(judge(None, Durability::Waited, Keeps::Alone).unwrap_err().contains("CONFIG GET"));
        assert!(judge(None, Durability::Any, Keeps::Alone).is_ok(), "the policy wants it so");
    }
}
