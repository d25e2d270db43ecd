//! By what a validation call is told.

use super::{
    BODY_BYTES_MAX,
    call::{Place, parameter},
    find,
};
use crate::{
    json::{Kind, Node},
    request::Head,
};
use http::Method;
use serde_json::Value;

/// All of it must hold.
#[derive(Clone, Debug)]
pub(super) struct When {
    pub(super) method: Method,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    /// Of the head, and there once, whatever it says.
    pub(super) present: Vec<Place>,
    /// The body is a form of these fields alone, and all are digits.
    pub(super) form: Vec<String>,
    pub(super) json: Vec<(String, Value)>,
    pub(super) has: Vec<String>,
    pub(super) lacks: Vec<String>,
}

impl When {
    pub(super) fn head(&self, head: &Head) -> bool {
        let query = |(name, wanted): &(String, String)| parameter(head, name).is_some_and(|value| value == *wanted);
        let header = |(name, wanted): &(String, String)| head.sole(name) == Some(wanted);
        let present = |place: &Place| match place {
            Place::Query(name) => parameter(head, name).is_some(),
            Place::Header(name) => head.sole(name).is_some(),
            Place::Json(_) => false,
        };
        let form = || self.form.is_empty() || head.media_type() == "application/x-www-form-urlencoded";
        head.method == self.method
            && form()
            && self.query.iter().all(query)
            && self.headers.iter().all(header)
            && self.present.iter().all(present)
    }

    /// Whether it is told by its JSON body too.
    pub(super) fn reads_body(&self) -> bool {
        !(self.json.is_empty() && self.has.is_empty())
    }

    /// Whether it is told by its head alone.
    pub(super) fn is_bare(&self) -> bool {
        !self.reads_body() && self.form.is_empty()
    }

    /// Vendors write neither escapes nor anything else into these forms.
    pub(super) fn form(&self, raw: &[u8]) -> bool {
        if self.form.is_empty() {
            return true;
        }
        let digits = |value: &[u8]| (1..=20).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
        let mut pieces = raw.split(|byte| *byte == b'&');
        let field = |name: &String| {
            let value = pieces.next().and_then(|piece| piece.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
            value.is_some_and(digits)
        };
        self.form.iter().all(field) && pieces.next().is_none()
    }

    /// Cheap, for every event is asked: a body without the words need not be read.
    pub(super) fn may_be(&self, head: &Head, raw: &[u8]) -> bool {
        if !self.head(head) {
            return false;
        }
        if !self.reads_body() {
            return true;
        }
        let Some(text) = (raw.len() <= BODY_BYTES_MAX).then(|| std::str::from_utf8(raw).ok()).flatten() else {
            return false;
        };
        self.json.iter().filter_map(|(_, wanted)| wanted.as_str()).all(|word| text.contains(word))
    }

    /// `None` is a body that is no JSON, or was not read.
    pub(super) fn json(&self, root: Option<&Node>) -> bool {
        let is = |(pointer, wanted): &(String, Value)| find(root, pointer).is_some_and(|node| same(node, wanted));
        let has = |pointer: &String| find(root, pointer).is_some();
        self.json.iter().all(is) && self.has.iter().all(has) && !self.lacks.iter().any(has)
    }
}

fn same(node: &Node, wanted: &Value) -> bool {
    match (&node.kind, wanted) {
        (Kind::String(text), Value::String(wanted)) => **text == **wanted,
        (Kind::Number(number), Value::Number(wanted)) => number.to_string() == wanted.to_string(),
        (Kind::Bool(value), Value::Bool(wanted)) => value == wanted,
        _ => false,
    }
}
