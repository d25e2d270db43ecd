//! The vendor's own word for it: what is asked, where, and what an answer means. Asking is somebody else's work.

mod compile;

pub(in crate::verify) use compile::go_together;

use crate::{
    json::{self, Kind, Node},
    secret::Secret,
    verdict::Rejection,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;
use std::collections::BTreeMap;

/// How a vendor is asked whether what a request refers to exists.
#[derive(Clone, Debug)]
pub struct Confirm {
    host: String,
    port: u16,
    tls: bool,
    /// It may be at an address that the internet does not reach.
    private: bool,
    authority: String,
    /// Around the id.
    path: (String, String),
    /// A header with the policy's key in it, and what stands around the key.
    key: Option<(HeaderName, String, String)>,
    status: u16,
    /// The member of the answer that repeats the id: an answer about something else confirms nothing.
    same: Option<String>,
}

/// What is asked of the network.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whom.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// Over TLS, for this name.
    pub tls: bool,
    /// Addresses that the internet does not reach are in order.
    pub private: bool,
    /// Path and query.
    pub path: String,
    /// With `Host`, and the key among them.
    pub headers: HeaderMap,
}

/// What the vendor said.
#[derive(Clone, Debug)]
pub struct Word {
    /// The status.
    pub status: u16,
    /// The body, up to [`ANSWER_BYTES_MAX`]; one byte more if there was more.
    pub body: Vec<u8>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// It exists, in a state that the policy asks for.
    Yes,
    /// The vendor does not know it, or it is in another state.
    No(Rejection),
    /// Neither: try again later.
    Unclear(&'static str),
}

/// No object of a vendor's is longer (CONTRACT: 64 KiB of what is fetched because of a message).
pub const ANSWER_BYTES_MAX: usize = 64 << 10;

impl Confirm {
    /// Whether the policy has to have a key for it.
    pub fn needs_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether an answer about something else is told from one about what was asked.
    pub fn knows_its_answer(&self) -> bool {
        self.same.is_some()
    }

    /// Whom it asks, for people.
    pub fn asks(&self) -> &str {
        &self.authority
    }

    /// What to ask of the network; `None` if the key is no value of a header.
    pub(crate) fn question(&self, id: &str, key: Option<&Secret>) -> Option<Question> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(&self.authority).ok()?);
        headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("hookwarden/", env!("CARGO_PKG_VERSION"))));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some((name, before, after)) = &self.key {
            let bytes = [before.as_bytes(), key?.expose(), after.as_bytes()].concat();
            let mut value = HeaderValue::from_bytes(&bytes).ok()?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        let (before, after) = &self.path;
        let path = format!("{before}{}{after}", segment(id)?);
        let (host, port, tls, private) = (self.host.clone(), self.port, self.tls, self.private);
        Some(Question { host, port, tls, private, path, headers })
    }

    /// What the vendor's word means for this id.
    pub(crate) fn judge(&self, word: &Word, id: &str, members: &BTreeMap<String, Vec<Value>>) -> Confirmed {
        match word.status {
            404 | 410 => return Confirmed::No(Rejection::Unconfirmed),
            401 | 403 => return Confirmed::Unclear("the vendor did not take the gate's key"),
            status if status != self.status => return Confirmed::Unclear("the vendor answered with another status"),
            _ => {}
        }
        if self.same.is_none() && members.is_empty() {
            return Confirmed::Yes;
        }
        if word.body.len() > ANSWER_BYTES_MAX {
            return Confirmed::Unclear("the vendor's answer is too long");
        }
        let Ok(root) = json::read(&word.body) else { return Confirmed::Unclear("the vendor's answer is no JSON") };
        if let Some(pointer) = &self.same
            && root.find(pointer).and_then(Node::text) != Some(id)
        {
            return Confirmed::No(Rejection::Unconfirmed);
        }
        let holds = |(pointer, wanted): (&String, &Vec<Value>)| {
            root.find(pointer).is_some_and(|node| wanted.iter().any(|value| is(node, value)))
        };
        if members.iter().all(holds) { Confirmed::Yes } else { Confirmed::No(Rejection::StateRefused) }
    }
}

/// As one part of a path, whatever is in it. A part of dots alone is none, in whatever spelling.
fn segment(id: &str) -> Option<String> {
    if id.bytes().all(|byte| byte == b'.') {
        return None;
    }
    let mut written = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(written)
}

fn is(node: &Node, wanted: &Value) -> bool {
    match (&node.kind, wanted) {
        (Kind::String(text), Value::String(wanted)) => **text == **wanted,
        (Kind::Number(number), Value::Number(wanted)) => number.to_string() == wanted.to_string(),
        (Kind::Bool(value), Value::Bool(wanted)) => value == wanted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::catalogue::Mistakes;

    fn confirm() -> Confirm {
        compiled(
            "{ url: 'https://api.mollie.com/v2/payments/{id}?embed=x', header: 'Authorization: Bearer {key}', same: /id }",
        )
    }

    fn compiled(text: &str) -> Confirm {
        let mut wrong = Mistakes(Vec::new());
        let made = Confirm::compile(&serde_saphyr::from_str(text).unwrap(), &mut wrong);
        assert!(wrong.0.is_empty(), "{:?}", wrong.0);
        made.unwrap()
    }

    #[test]
    fn an_id_is_one_part_of_the_path_whatever_is_in_it() {
        let key = Secret::new("test_key").unwrap();
        let path = |id: &str| confirm().question(id, Some(&key)).map(|question| question.path);
        assert_eq!(path("tr_1").as_deref(), Some("/v2/payments/tr_1?embed=x"));
        assert_eq!(path("../a?b#c%2f").as_deref(), Some("/v2/payments/..%2Fa%3Fb%23c%252f?embed=x"));
        assert_eq!(path("."), None);
        assert_eq!(path(".."), None);
        let question = confirm().question("tr_1", Some(&key)).unwrap();
        assert_eq!(question.headers["authorization"], "Bearer test_key");
        assert!(question.headers["authorization"].is_sensitive());
        assert_eq!((question.host.as_str(), question.port, question.tls), ("api.mollie.com", 443, true));
        assert!(confirm().question("tr_1", None).is_none(), "nothing is asked without the key");
    }

    #[test]
    fn only_the_vendors_word_about_this_id_confirms() {
        let members = BTreeMap::from([("/status".to_owned(), vec![Value::from("paid"), Value::from(1)])]);
        let said = |status, body: &str| confirm().judge(&Word { status, body: body.into() }, "tr_1", &members);
        assert_eq!(said(200, r#"{"id":"tr_1","status":"paid"}"#), Confirmed::Yes);
        assert_eq!(said(200, r#"{"id":"tr_1","status":1}"#), Confirmed::Yes);
        for (status, body, expected) in [
            (404, "", Rejection::Unconfirmed),
            (410, "", Rejection::Unconfirmed),
            (200, r#"{"id":"tr_2","status":"paid"}"#, Rejection::Unconfirmed),
            (200, r#"{"status":"paid"}"#, Rejection::Unconfirmed),
            (200, r#"{"id":"tr_1","status":"open"}"#, Rejection::StateRefused),
            (200, r#"{"id":"tr_1","status":"1"}"#, Rejection::StateRefused),
            (200, r#"{"id":"tr_1"}"#, Rejection::StateRefused),
        ] {
            assert_eq!(said(status, body), Confirmed::No(expected), "{status} {body}");
        }
        let long = format!(r#"{{"id":"tr_1","status":"paid","x":"{}"}}"#, "x".repeat(ANSWER_BYTES_MAX));
        for (status, body) in [
            (500, ""),
            (302, ""),
            (201, r#"{"id":"tr_1","status":"paid"}"#),
            (401, ""),
            (429, ""),
            (200, "no JSON"),
            (200, r#"{"id":"tr_2","id":"tr_1","status":"paid"}"#),
            (200, long.as_str()),
        ] {
            assert!(matches!(said(status, body), Confirmed::Unclear(_)), "{status}");
        }
    }

    /// Where the vendor's answer does not repeat the id, what the policy wants of it still has to be there.
    #[test]
    fn an_answer_that_repeats_no_id_says_what_the_policy_wants() {
        let confirm = compiled("{ url: 'https://api.mollie.com/v2/payments/{id}' }");
        let said = |body: &str, members: &BTreeMap<_, _>| {
            confirm.judge(&Word { status: 200, body: body.as_bytes().to_vec() }, "tr_1", members)
        };
        let paid = BTreeMap::from([("/status".to_owned(), vec![Value::from("paid")])]);
        assert_eq!(said(r#"{"status":"paid"}"#, &paid), Confirmed::Yes);
        assert_eq!(said(r#"{"status":"open"}"#, &paid), Confirmed::No(Rejection::StateRefused));
        assert!(matches!(said("no JSON", &paid), Confirmed::Unclear(_)));
        assert_eq!(said("no JSON", &BTreeMap::new()), Confirmed::Yes, "that it is there is all that was asked");
    }
}
