//! A sender of one's own: is what it signs put together in another way than its file says?

use super::{
    Cause,
    cause::{Area, By, Code},
    entry::Entry,
    schemes::Way,
};
use serde_json::json;
use std::sync::Arc;

/// What stands between the parts at vendors.
const SEPARATORS: [&str; 9] = ["", ".", ":", "\n", "|", ",", ";", "-", "&"];
/// So many parts are put into every order: 24 of them.
const PARTS_MAX: usize = 4;

/// The same parts in other orders and with other things between them; with the time or the id, and without the time.
pub(super) fn each(entry: &Entry, name: &str) -> Vec<Way> {
    let ours = entry.message();
    let parts: Vec<&str> = ours.iter().copied().filter(|part| !part.starts_with("text:")).collect();
    let mut sets = vec![parts.clone()];
    let more = ["ts", "id"].into_iter().filter(|name| entry.has(name) && !parts.contains(name));
    sets.extend(more.map(|name| [parts.as_slice(), &[name]].concat()));
    sets.push(parts.iter().copied().filter(|part| *part != "ts").collect());
    sets.retain(|set| (1..=PARTS_MAX).contains(&set.len()));
    let mut ways: Vec<(Vec<String>, Way)> = Vec::new();
    for message in
        sets.iter().flat_map(|set| orders(set)).flat_map(|order| SEPARATORS.map(|between| joined(&order, between)))
    {
        if message.iter().eq(ours.iter()) || ways.iter().any(|(known, _)| *known == message) {
            continue;
        }
        let provider = entry.signing(|scheme| {
            scheme.insert("message".to_owned(), json!(message));
            scheme.insert("content".to_owned(), json!("unauthenticated"));
            if message.iter().any(|part| part == "body") {
                scheme.remove("content");
            }
        });
        let Some(provider) = provider else { continue };
        let written = serde_json::to_string(&message).unwrap_or_default();
        let what = format!("another text is signed than the file of `{name}` says: `message: {written}`");
        let mend = format!("write that into the file of `{name}`; or let its sender sign what the file says");
        let cause = Cause::new(Code::MessageOther, Area::Scheme, By::Operator, what, mend);
        ways.push((message, Way { provider: Arc::new(provider), head: None, cause, sibling: None }));
    }
    ways.into_iter().map(|(_, way)| way).collect()
}

fn joined(parts: &[&str], between: &str) -> Vec<String> {
    let mut message = Vec::new();
    for part in parts {
        if !message.is_empty() && !between.is_empty() {
            message.push(format!("text:{between}"));
        }
        message.push((*part).to_owned());
    }
    message
}

/// Every order of a few parts, theirs first.
fn orders<'p>(parts: &[&'p str]) -> Vec<Vec<&'p str>> {
    let Some((last, rest)) = parts.split_last() else { return vec![Vec::new()] };
    let mut found = Vec::new();
    for order in orders(rest) {
        for at in (0..=order.len()).rev() {
            let mut order = order.clone();
            order.insert(at, *last);
            found.push(order);
        }
    }
    found
}
