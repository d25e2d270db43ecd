//! The one reading of a verified body: what it is remembered by, and what kind of event it is.

use super::{Contract, agreed::Unclean, form};
use crate::{
    json::{self, Kind, Node, Unreadable},
    order::OrderKey,
    repeat::{Fingerprint, Remembered, RepeatKeys},
    request::Head,
    verdict::Rejection,
    verify::{Keys, Verified},
};

/// A verified request, read: what it is remembered by is known, and nothing has been checked or removed yet.
#[derive(Debug)]
pub struct Read {
    verified: Verified,
    keys: RepeatKeys,
    event_type: Option<String>,
    order: Option<OrderKey>,
    document: Option<Document>,
    unread: Option<Unclean>,
}

/// What a document says of itself.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) keys: RepeatKeys,
    pub(super) event_type: Option<String>,
    pub(super) order: Option<OrderKey>,
}

/// A body that has one meaning.
#[derive(Debug)]
pub(super) struct Document {
    root: Node,
    written: Written,
}

/// How a body is written. Any other one is opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Json,
    Form,
}

/// Reads the body once, as far as the route's contract asks for it.
///
/// Where the contract asks for names alone, a body that cannot be read has none, and so neither event key nor type: its
/// proof key still tells a repeat.
///
/// # Errors
/// Where the contract has checks or scrubs for the body: [`Rejection::ContentType`] for one that is neither JSON nor a
/// form, [`Rejection::Malformed`] with the reason for one that two readers could read in two ways. Not for checks that are
/// tried before they enforce: those find it later.
pub fn read(verified: Verified, contract: &Contract, keys: &Keys) -> Result<Read, Unclean> {
    let naming = contract.naming();
    let (head, raw) = (verified.head(), verified.raw());
    let for_names = || contract.wants_members().then(|| Document::try_read(head, raw)).flatten();
    let (document, unread) = match (contract.checks(), contract.needs_document()) {
        (_, true) => (Some(Document::read(head, raw)?), None),
        (Some(_), false) => match Document::read(head, raw) {
            Ok(document) => (Some(document), None),
            Err(unclean) => (for_names(), Some(unclean)),
        },
        (None, false) => (for_names(), None),
    };
    let root = document.as_ref().map(Document::root);
    let body = verified.body_mark();
    let mark = format!("{:016x}", body.0);

    let from_body = root.and_then(|root| members(root, &naming.event_key));
    let names = verified.signed_id().map(|id| vec![id.to_owned()]).or(from_body);
    let event = names.map(|names| {
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        if naming.changed_is_new {
            names.push(&mark);
        }
        let key = Fingerprint::of_event(keys.memory(), verified.route(), &names);
        Remembered { key, remember: naming.remember }
    });

    let member = naming.type_member.as_ref().and_then(|pointer| root?.find(pointer)?.text());
    let header = naming.type_header.as_ref().and_then(|name| verified.head().sole(name));
    let event_type = member.or(header).and_then(plain_type);
    // Of the value as it came: what is redacted still has its place in the order.
    let value = naming.order_by.as_ref().and_then(|pointer| name(root?, pointer));
    let order = value.map(|value| OrderKey::of(keys.memory(), verified.route(), &value));
    let keys = RepeatKeys { proof: verified.proof(), event, body };
    Ok(Read { verified, keys, event_type, order, document, unread })
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

    /// What its contract asks to be read, as it asks for it; or why it is not.
    pub(super) fn document(&self) -> Result<Option<&Document>, Unclean> {
        self.unread.clone().map_or(Ok(self.document.as_ref()), Err)
    }

    pub(super) fn into_parts(self) -> (Verified, Named, Option<Document>) {
        let Self { verified, keys, event_type, order, document, .. } = self;
        (verified, Named { keys, event_type, order }, document)
    }
}

impl Document {
    pub(super) fn read(head: &Head, raw: &[u8]) -> Result<Self, Unclean> {
        let content_type = Unclean { rejection: Rejection::ContentType, finding: None };
        let written = Written::of(head).ok_or(content_type)?;
        let root = match written {
            Written::Json => json::read(raw).map_err(Unreadable::code),
            Written::Form => form::read(raw).ok_or(FORM_UNCLEAR),
        };
        root.map(|root| Self { root, written }).map_err(|why| Unclean::new(Rejection::Malformed, "", why))
    }

    /// Senders that call JSON something else, or nothing, are read all the same.
    fn try_read(head: &Head, raw: &[u8]) -> Option<Self> {
        let written = Written::of(head).unwrap_or(Written::Json);
        let root = match written {
            Written::Json => json::read(raw).ok(),
            Written::Form => form::read(raw),
        };
        root.map(|root| Self { root, written })
    }

    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    pub(super) fn written(&self) -> Written {
        self.written
    }
}

impl Written {
    /// By the one content type that the head has. A coded body is read by nobody here.
    fn of(head: &Head) -> Option<Self> {
        let content_type = head.sole(http::header::CONTENT_TYPE.as_str())?;
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if head.headers.get_all(http::header::CONTENT_ENCODING).iter().any(|coding| coding != "identity") {
            return None;
        }
        Self::of_media_type(&media_type)
    }

    /// A media type without parameters, in lower case.
    fn of_media_type(media_type: &str) -> Option<Self> {
        if media_type == "application/json" || media_type.ends_with("+json") {
            return Some(Self::Json);
        }
        (media_type == "application/x-www-form-urlencoded").then_some(Self::Form)
    }
}

/// Whether a body of this type can be read, so that a contract can be held against it.
pub(crate) fn is_readable(media_type: &str) -> bool {
    Written::of_media_type(media_type).is_some()
}

/// The members that name the event. All of them, or the document has no name.
fn members(root: &Node, pointers: &[String]) -> Option<Vec<String>> {
    let names: Vec<_> = pointers.iter().map(|pointer| name(root, pointer)).collect::<Option<_>>()?;
    (!names.is_empty()).then_some(names)
}

/// A member that can name something.
fn name(root: &Node, pointer: &str) -> Option<String> {
    match &root.find(pointer)?.kind {
        Kind::String(text) => Some(text.to_string()),
        Kind::Number(number) => Some(number.to_string()),
        Kind::Null | Kind::Bool(_) | Kind::Array(_) | Kind::Object(_) => None,
    }
}

/// A form with a name twice, one that PHP mends, text that is not UTF-8, or too much of anything.
const FORM_UNCLEAR: &str = "form_unclear";

/// Longer than any vendor's; it becomes a field of logs and events.
const TYPE_LENGTH_MAX: usize = 128;

/// A type that is safe to print and to use in the name of a hook.
fn plain_type(text: &str) -> Option<String> {
    let plain = (1..=TYPE_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| text.to_owned())
}
