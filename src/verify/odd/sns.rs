//! Amazon SNS signs some members of the body, each as a line of its name and one of its value. Which ones follows from the type.

use super::{Seen, Statement};
use crate::{
    clock::Timestamp,
    json::{self, Kind, Node},
    verdict::Rejection,
    verify::Config,
};

const NOTIFICATION: [&str; 6] = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
const CONFIRMATION: [&str; 7] = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
/// What a notification may do without.
const OPTIONAL: &str = "Subject";
const MESSAGE: &str = "Message";

/// What a policy says: whose messages they may be, with a blank between two.
pub(super) const TOPICS: &str = "topic_arns";
/// In tests, where a policy says none.
pub(super) const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:test";

pub(super) fn statement(seen: Seen<'_>) -> Result<Statement, Rejection> {
    let document = json::read(seen.raw).map_err(|_| Rejection::SignatureMissing)?;
    let text =
        |name: &str| document.find(&format!("/{name}")).map(|node| node.text().ok_or(Rejection::SignatureMalformed));
    // Some relays write what is not there as `null`, and so do Amazon's libraries take it.
    let is_absent = |name: &str| document.find(&format!("/{name}")).is_none_or(|node| matches!(node.kind, Kind::Null));
    let needed = |name: &str| text(name).unwrap_or(Err(Rejection::SignatureMissing));
    let names: &[&str] = match needed("Type")? {
        "Notification" => &NOTIFICATION,
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => &CONFIRMATION,
        _ => return Err(Rejection::SignatureMalformed),
    };
    let sha1 = match needed("SignatureVersion")? {
        "1" => true,
        "2" => false,
        _ => return Err(Rejection::SignatureMalformed),
    };
    // Anybody can have a topic of their own, and Amazon signs for it too.
    let topic = needed("TopicArn")?;
    let topics = seen.config.get(TOPICS).map(String::as_str).unwrap_or_default();
    if !topics.split_ascii_whitespace().any(|known| known == topic) {
        return Err(Rejection::SignatureMismatch);
    }
    let mut lines = String::new();
    for name in names {
        let value = match text(name) {
            _ if *name == OPTIONAL && is_absent(name) => continue,
            value => value.unwrap_or(Err(Rejection::SignatureMissing))?,
        };
        // The message stands first and may have line ends: from the end of the text the other lines can still be told. With a
        // second value of that kind one message could be parted into another.
        if value.contains('\n') && *name != MESSAGE {
            return Err(Rejection::SignatureMalformed);
        }
        if *name == "Timestamp" && Timestamp::from_rfc3339(value).is_none() {
            return Err(Rejection::SignatureMalformed);
        }
        lines.push_str(&format!("{name}\n{value}\n"));
    }
    Ok(Statement { claimed: None, text: lines.into_bytes(), body: false, sha1 })
}

/// Why one of these is the name of no topic: nothing from it would ever be taken.
pub(super) fn topics_mistake(written: &str) -> Option<String> {
    let odd = written.split_ascii_whitespace().find(|topic| !is_topic(topic))?;
    let star =
        if odd.contains('*') { "a topic has one name, and `*` would be anybody's" } else { "this names no topic" };
    Some(format!("{star}: `{odd}`; write `{TOPIC}`, with a blank between two"))
}

/// `arn:aws:sns:REGION:ACCOUNT:NAME`.
fn is_topic(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let ["arn", partition, "sns", region, account, name] = parts.as_slice() else { return false };
    let bare = name.strip_suffix(".fifo").unwrap_or(name);
    let words = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    (*partition == "aws" || partition.starts_with("aws-"))
        && words(partition)
        && words(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=256).contains(&name.len())
        && !bare.is_empty()
        && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// A retry has the same one.
pub(super) fn id(raw: &[u8]) -> Result<String, Rejection> {
    let document = json::read(raw).map_err(|_| Rejection::SignatureMissing)?;
    let id = document.find("/MessageId").and_then(Node::text).ok_or(Rejection::SignatureMissing)?;
    let plain =
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if plain { Ok(id.to_owned()) } else { Err(Rejection::SignatureMalformed) }
}

pub(super) fn body(given: &[u8], id: &str, config: &Config) -> Option<Vec<u8>> {
    if json::read(given).is_ok_and(|document| document.find("/TopicArn").is_some()) {
        return None;
    }
    let topic = config.get(TOPICS).and_then(|topics| topics.split_ascii_whitespace().next()).unwrap_or(TOPIC);
    let message = String::from_utf8_lossy(given);
    let body = serde_json::json!({
        "Type": "Notification", "MessageId": id, "TopicArn": topic, "Message": message,
        "Timestamp": "2026-11-23T00:00:00.000Z", "SignatureVersion": "2",
    });
    Some(body.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that is none, and is taken, guards nothing: every notification would be refused, and nobody told why.
    #[test]
    fn a_topic_is_named_as_amazon_names_it() {
        let longest = "a".repeat(256);
        for (partition, region, account, name) in [
            ("aws", "eu-west-1", "123456789012", "orders"),
            ("aws-us-gov", "us-gov-east-1", "123456789012", "Orders_2-x"),
            ("aws-cn", "cn-north-1", "123456789012", "orders.fifo"),
            ("aws", "eu-west-1", "123456789012", longest.as_str()),
        ] {
            let topic = format!("arn:{partition}:sns:{region}:{account}:{name}");
            assert_eq!(topics_mistake(&topic), None, "{topic}");
        }
        let longer = "a".repeat(257);
        for (partition, region, account, name) in [
            ("", "eu-west-1", "123456789012", "orders"),
            ("azure", "eu-west-1", "123456789012", "orders"),
            ("awsx", "eu-west-1", "123456789012", "orders"),
            ("aws-CN", "eu-west-1", "123456789012", "orders"),
            ("aws", "", "123456789012", "orders"),
            ("aws", "*", "123456789012", "orders"),
            ("aws", "EU-west-1", "123456789012", "orders"),
            ("aws", "eu-west-1", "12345678901", "orders"),
            ("aws", "eu-west-1", "1234567890123", "orders"),
            ("aws", "eu-west-1", "12345678901x", "orders"),
            ("aws", "eu-west-1", "123456789012", ""),
            ("aws", "eu-west-1", "123456789012", ".fifo"),
            ("aws", "eu-west-1", "123456789012", "a.b"),
            ("aws", "eu-west-1", "123456789012", "a*"),
            ("aws", "eu-west-1", "123456789012", longer.as_str()),
        ] {
            let topic = format!("arn:{partition}:sns:{region}:{account}:{name}");
            assert!(topics_mistake(&topic).is_some(), "{topic}");
        }
        for other in ["arn:aws:sqs:eu-west-1:123456789012:a", "urn:aws:sns:eu-west-1:123456789012:a", "orders"] {
            assert!(topics_mistake(&format!("{TOPIC} {other}")).is_some_and(|told| told.contains(other)), "{other}");
        }
    }

    #[test]
    fn an_id_is_as_long_as_one_and_of_its_letters() {
        let id = |text: &str| id(format!(r#"{{"MessageId":"{text}"}}"#).as_bytes());
        for good in ["da41e39f-ea4d-435a-b922-c6aae3915ebe", "a_1", &"a".repeat(64)] {
            assert_eq!(id(good).as_deref(), Ok(good));
        }
        for bad in ["", "a.b", "a b", "\u{e9}", &"a".repeat(65)] {
            assert_eq!(id(bad), Err(Rejection::SignatureMalformed), "{bad}");
        }
    }
}
