//! The one reading of a verified body: what it is remembered by, and what kind of event it is.

use super::Contract;
use crate::{
    json::{self, Kind, Node},
    repeat::{Fingerprint, Remembered, RepeatKeys},
    verify::{Keys, Verified},
};

/// A verified request, read: what it is remembered by is known, and nothing has been checked or removed yet.
#[derive(Debug)]
pub struct Read {
    verified: Verified,
    keys: RepeatKeys,
    event_type: Option<String>,
}

/// Reads the body once, as far as the route's contract asks for it.
///
/// A body that cannot be read as one JSON document has no members, and so neither event key nor type: its proof key
/// still tells a repeat.
pub fn read(verified: Verified, contract: &Contract, keys: &Keys) -> Read {
    let naming = contract.naming();
    let document = contract.wants_members().then(|| json::read(verified.raw()).ok()).flatten();
    let body = verified.body_mark();
    let mark = format!("{:016x}", body.0);

    let from_body = document.as_ref().and_then(|document| members(document, &naming.event_key));
    let names = verified.signed_id().map(|id| vec![id.to_owned()]).or(from_body);
    let event = names.map(|names| {
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        if naming.changed_is_new {
            names.push(&mark);
        }
        let key = Fingerprint::of_event(keys.memory(), verified.route(), &names);
        Remembered { key, remember: naming.remember }
    });

    let member = naming.type_member.as_ref().and_then(|pointer| document.as_ref()?.find(pointer)?.text());
    let header = naming.type_header.as_ref().and_then(|name| verified.head().sole(name));
    let event_type = member.or(header).and_then(plain_type);
    let keys = RepeatKeys { proof: verified.proof(), event, body };
    Read { verified, keys, event_type }
}

impl Read {
    /// What this request is remembered by.
    pub fn keys(&self) -> &RepeatKeys {
        &self.keys
    }

    /// The request behind it.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    pub(super) fn into_parts(self) -> (Verified, RepeatKeys, Option<String>) {
        (self.verified, self.keys, self.event_type)
    }
}

/// The members that name the event. All of them, or the document has no name.
fn members(document: &Node, pointers: &[String]) -> Option<Vec<String>> {
    let name = |pointer: &String| match &document.find(pointer)?.kind {
        Kind::String(text) => Some(text.to_string()),
        Kind::Number(number) => Some(number.to_string()),
        Kind::Null | Kind::Bool(_) | Kind::Array(_) | Kind::Object(_) => None,
    };
    let names: Vec<_> = pointers.iter().map(name).collect::<Option<_>>()?;
    (!names.is_empty()).then_some(names)
}

/// Longer than any vendor's; it becomes a field of logs and events.
const TYPE_LENGTH_MAX: usize = 128;

/// A type that is safe to print and to use in the name of a hook.
fn plain_type(text: &str) -> Option<String> {
    let plain = (1..=TYPE_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| text.to_owned())
}
