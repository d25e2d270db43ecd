//! Whose failure is it? A server that is full, loading or not writable is to blame itself; where no answer came, nobody
//! is yet.

use crate::{
    destination::{PublishError, Retry},
    verdict::BoxError,
};
use ::redis::{ErrorKind, RedisError};

/// Nothing was sent.
pub(super) fn unreachable(source: impl Into<BoxError>) -> PublishError {
    destination("connect", source)
}

/// The connection was there, and the event not yet on it.
pub(super) fn before_sending(error: RedisError) -> PublishError {
    match of(error) {
        PublishError { retry: Retry::Unknown | Retry::Event { .. }, reason, source } => {
            let reason = if reason == "no_answer" { "connect".to_owned() } else { reason };
            PublishError { retry: Retry::Destination { after: None }, reason, source }
        }
        told => told,
    }
}

/// Sent, and not answered.
pub(super) fn no_answer(source: impl Into<BoxError>) -> PublishError {
    PublishError { reason: "no_answer".to_owned(), retry: Retry::Unknown, source: Some(source.into()) }
}

/// The server would hang up instead of saying so, and nobody would know whose failure it is.
pub(super) fn too_large(event_bytes: u64, takes_bytes: u64) -> PublishError {
    let why = format!(
        "the event has {event_bytes} bytes, and the server takes {takes_bytes} (`proto-max-bulk-len`, \
         `client-query-buffer-limit`)"
    );
    PublishError { reason: PublishError::TOO_LARGE.to_owned(), retry: Retry::Refused, source: Some(why.into()) }
}

/// The server does not keep what the policy wants to be kept.
pub(super) fn not_durable(why: String) -> PublishError {
    destination("not_durable", why)
}

fn destination(reason: &str, source: impl Into<BoxError>) -> PublishError {
    let retry = Retry::Destination { after: None };
    PublishError { reason: reason.to_owned(), retry, source: Some(source.into()) }
}

/// Whether the connection ended before an answer came.
pub(super) fn is_lost(error: &RedisError) -> bool {
    error.code().is_none() && (error.is_io_error() || error.is_connection_dropped())
}

/// Whether the address leads to another server by now, or will.
pub(super) fn is_another_server(error: &RedisError) -> bool {
    matches!(code(error), Some("READONLY" | "MASTERDOWN" | "UNBLOCKED"))
}

/// What an answer that is no confirmation says.
/// <https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors>: the first word is the kind.
pub(super) fn of(error: RedisError) -> PublishError {
    if error.kind() == ErrorKind::AuthenticationFailed {
        return destination("not_allowed", error);
    }
    let reason = match code(&error) {
        // What a user may not do inside of a script is told in words alone: those of 7.0, and those of 7.2 and later.
        Some("ERR") if says(&error, "user executing the script can't run") || says(&error, "ACL failure in script") => {
            "not_allowed"
        }
        Some("OOM" | "MISCONF") => "out_of_space",
        Some("LOADING" | "BUSY" | "TRYAGAIN" | "MASTERDOWN" | "CLUSTERDOWN" | "NOREPLICAS") => "not_ready",
        Some("READONLY") => "read_only",
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => "not_allowed",
        Some("MOVED" | "ASK" | "CROSSSLOT") => "cluster",
        Some("WRONGTYPE") => "not_a_stream",
        // About the command, and not known here: if all events fail so, it is the server's.
        Some(_) => {
            let retry = Retry::Event { after: None };
            return PublishError { reason: "refused".to_owned(), retry, source: Some(error.into()) };
        }
        None => return no_answer(error),
    };
    destination(reason, error)
}

fn says(error: &RedisError, words: &str) -> bool {
    error.detail().is_some_and(|detail| detail.contains(words))
}

/// Servers before 7.0 hide the word of a command that failed inside of a script in the text of another error.
fn code(error: &RedisError) -> Option<&str> {
    let inner = error.detail().and_then(|detail| detail.rsplit_once(": -")).map(|(_, rest)| rest);
    let inner = inner.and_then(|rest| rest.split_whitespace().next());
    inner.filter(|word| word.chars().all(|letter| letter.is_ascii_uppercase())).or_else(|| error.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::redis::{Value, parse_redis_value};

    fn said(line: &str) -> RedisError {
        match parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap() {
            Value::ServerError(error) => error.into(),
            other => panic!("{other:?}"),
        }
    }

    /// As Redis 7.0 writes them, and the last two as 6.2 does.
    #[test]
    fn whose_failure_it_is_follows_from_the_first_word() {
        let destination = Retry::Destination { after: None };
        for (line, reason, retry) in [
            ("OOM command not allowed when used memory > 'maxmemory'.", "out_of_space", destination),
            ("MISCONF Errors writing to the AOF file: No space left on device", "out_of_space", destination),
            ("LOADING Redis is loading the dataset in memory", "not_ready", destination),
            ("NOREPLICAS Not enough good replicas to write.", "not_ready", destination),
            ("READONLY You can't write against a read only replica.", "read_only", destination),
            ("NOAUTH Authentication required.", "not_allowed", destination),
            ("NOPERM this user has no permissions to run the 'evalsha' command", "not_allowed", destination),
            ("ERR The user executing the script can't run this command or subcommand", "not_allowed", destination),
            (
                "ERR ACL failure in script: User u has no permissions to run the 'xadd' command",
                "not_allowed",
                destination,
            ),
            ("MOVED 3999 127.0.0.1:6381", "cluster", destination),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", "not_a_stream", destination),
            ("ERR something new", "refused", Retry::Event { after: None }),
            (
                "ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -OOM command not allowed",
                "out_of_space",
                destination,
            ),
            (
                "ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write",
                "read_only",
                destination,
            ),
        ] {
            let error = of(said(line));
            assert_eq!((&*error.reason, error.retry), (reason, retry), "{line}");
        }
    }

    #[test]
    fn what_fails_before_an_event_is_sent_is_never_unknown_and_never_the_events() {
        for error in [said("ERR unknown command 'EVALSHA'"), RedisError::from(std::io::Error::other("cut"))] {
            assert_eq!(before_sending(error).retry, Retry::Destination { after: None });
        }
    }

    #[test]
    fn an_answer_on_an_open_connection_is_no_lost_connection() {
        assert!(is_lost(&RedisError::from(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))));
        assert!(!is_lost(&said("OOM command not allowed")));
        assert!(is_another_server(&said("READONLY You can't write against a read only replica.")));
    }
}
