//! The vendor's own word for it: what is asked, where, and what an answer means. Asking is somebody else's work.

use super::{
    catalogue::{Mistakes, text::ConfirmText},
    scheme::Refers,
};
use crate::{
    json::{self, Kind, Node},
    secret::Secret,
    verdict::Rejection,
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
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
    /// `None` only where a mistake was told.
    pub(in crate::verify) fn compile(text: &ConfirmText, wrong: &mut Mistakes) -> Option<Self> {
        let url = &text.url.value;
        let Some((tls, authority, before, after)) = parted(url) else {
            let message = "write scheme, host and path with one `{id}` as a part of its own, as in \
                           `https://api.vendor.example/v2/payments/{id}`";
            wrong.at(&text.url, message);
            return None;
        };
        let private = match text.private.as_ref() {
            Some(word) => wrong.word(word, "word", &[("allow", true)]).unwrap_or_default(),
            None => false,
        };
        if !tls && !private {
            wrong.at(&text.url, "a key would cross the network for everybody to read; write `https://`");
        }
        let key = text.header.as_ref().and_then(|written| {
            let parted = written.value.split_once(": ").and_then(|(name, value)| {
                let (before, after) = value.split_once("{key}")?;
                let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
                let name = name.parse::<HeaderName>().ok().filter(|_| plain(before) && plain(after))?;
                Some((name, before.to_owned(), after.to_owned()))
            });
            if parted.is_none() {
                wrong.at(written, "write `NAME: VALUE` with `{key}` in the value, as in `Authorization: Bearer {key}`");
            }
            parted
        });
        if let Some(pointer) = text.same.as_ref().filter(|pointer| !pointer.value.starts_with('/')) {
            wrong.at(pointer, "this is no JSON Pointer; write something such as `/id`");
        }
        let same = text.same.as_ref().map(|pointer| pointer.value.clone());
        let uri = authority.parse::<http::uri::Authority>().ok()?;
        Some(Self {
            host: uri.host().trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            private,
            authority,
            path: (before, after),
            key,
            status: text.status.unwrap_or(200),
            same,
        })
    }

    /// Whether the policy has to have a key for it.
    pub fn needs_key(&self) -> bool {
        self.key.is_some()
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

/// Whether TLS, authority, and what stands around the id in path and query.
fn parted(url: &str) -> Option<(bool, String, String, String)> {
    let (before, after) = url.split_once("{id}")?;
    let whole = format!("{before}x{after}");
    let uri: Uri = whole.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let tls = match uri.scheme_str()? {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let path = before.split_once(authority)?.1;
    let alone = path.starts_with('/') && path.ends_with('/') && !path.contains(['?', '#', '%']);
    let good = alone
        && (after.is_empty() || after.starts_with(['/', '?']))
        && !authority.contains('@')
        && !after.contains(['#', '{', '}'])
        && whole.bytes().all(|byte| byte.is_ascii_graphic());
    good.then(|| (tls, authority.to_owned(), path.to_owned(), after.to_owned()))
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

/// Both of an entry: where nothing is signed, what is asked about has to be told from what is not.
pub(in crate::verify) fn go_together(refers: Option<&Refers>, text: Option<&ConfirmText>, wrong: &mut Mistakes) {
    if let (None, Some(text)) = (refers, text) {
        wrong.at(&text.url, "what is asked about? write `refers: { at: form:id, like: ... }`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirm() -> Confirm {
        let text = "{ url: 'https://api.mollie.com/v2/payments/{id}?embed=x', header: 'Authorization: Bearer {key}', same: /id }";
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

    #[test]
    fn a_template_has_one_place_for_the_id() {
        for bad in [
            "https://api.example/v2/payments/",
            "https://api.example/{id}/{id}",
            "https://api.example/v2?id={id}",
            "https://api.example/v2/p-{id}",
            "https://api.example/v2/{id}x",
            "https://{id}/v2",
            "https://a@api.example/{id}",
            "https://api.example/{id}#a",
            "ftp://api.example/{id}",
            "/v2/{id}",
        ] {
            assert!(parted(bad).is_none(), "{bad}");
        }
        assert!(parted("http://127.0.0.1:8080/{id}/state").is_some());
    }
}
