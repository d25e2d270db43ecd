//! Validation calls: before it sends, a vendor asks whether its endpoint is at home. They are answered, and become no
//! events. What only looks like one is judged like any other request.

mod compile;
pub(super) mod text;

use super::{Keys, Verified, Webhook};
use crate::{
    clock::Timestamp,
    json::{self, Kind, Node},
    request::{Head, Unverified},
};
use http::Method;
use serde_json::{Map, Value};

/// One validation call of one sender, as its catalogue entry describes it.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// What it is called in logs.
    pub name: String,
    proof: Proof,
    when: When,
    reply: Reply,
}

/// Why it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    /// It is signed as events are.
    Signature,
    /// It says a word that the policy and the vendor's console share.
    Token(Place),
    /// Nothing: the answer gives nothing away.
    Nothing,
}

/// By what it is told. All of it must hold.
#[derive(Clone, Debug)]
struct When {
    method: Method,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    /// The body is a form of these fields alone, and all are digits.
    form: Vec<String>,
    json: Vec<(String, Value)>,
    has: Vec<String>,
    lacks: Vec<String>,
}

#[derive(Clone, Debug)]
struct Reply {
    status: u16,
    body: Said,
}

#[derive(Clone, Debug)]
enum Said {
    Nothing,
    /// As text.
    Echo(Place),
    /// As one JSON object.
    Members(Vec<(String, Made)>),
}

/// How a member of the answer is made.
#[derive(Clone, Debug)]
enum Made {
    Is(Value),
    Echo(Place),
    /// The keyed digest in hexadecimal, by the sender's own algorithm and the key that signed the call.
    HmacHex(Place),
}

/// Where a text of the call is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A parameter of the query, its name as PHP reads it.
    Query(String),
    /// A member of the JSON body.
    Json(String),
}

/// What a validation call is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Which call it was.
    pub handshake: String,
    /// The status.
    pub status: u16,
    /// Of the body; empty if there is none.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A validation call repeats the vendor's own settings at most; GitHub's is the longest, with some 8 KiB.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest text that is sent back or signed; vendors' are a tenth of it.
const ECHO_BYTES_MAX: usize = 512;

impl Webhook {
    /// Whether the request may turn out to be a validation call, so that it comes in whatever else the route admits.
    pub fn may_greet(&self, head: &Head) -> bool {
        self.handshakes.iter().any(|handshake| handshake.when.head(head))
    }

    /// Whether requests of this sender may be validation calls at all.
    pub fn has_handshakes(&self) -> bool {
        !self.handshakes.is_empty()
    }

    /// The answer to a validation call that nobody signed. What carries a signature is never one.
    pub fn greet_stranger(&self, keys: &Keys, request: &Unverified, now: Timestamp) -> Option<Greeting> {
        let Unverified { head, raw } = request;
        if self.handshakes.is_empty() || self.provider.scheme.is_signed(head) {
            return None;
        }
        self.handshakes.iter().find_map(|handshake| {
            let call = Call { head, document: None };
            match &handshake.proof {
                Proof::Signature => return None,
                Proof::Token(place) => {
                    let (said, list) = (call.text(place)?, self.verify_token.as_ref()?);
                    // Every word is tried, so that timing does not tell which one held.
                    let held = keys.in_force(list, now).filter(|key| key.secret.is(said.as_bytes())).count();
                    (held > 0).then_some(())?;
                }
                Proof::Nothing => {}
            }
            let told = handshake.when.head(head) && handshake.when.form(raw);
            told.then(|| handshake.answer(&call, |_| None)).flatten()
        })
    }

    /// The answer to a validation call that was signed as events are.
    pub fn greet(&self, keys: &Keys, verified: &Verified, now: Timestamp) -> Option<Greeting> {
        let (head, raw) = (verified.head(), verified.raw());
        let signed = |handshake: &&Handshake| handshake.proof == Proof::Signature;
        let mut candidates = self.handshakes.iter().filter(signed).filter(|it| it.when.may_be(head, raw)).peekable();
        candidates.peek()?;
        let root = json::read(raw).ok()?;
        let call = Call { head, document: Some(&root) };
        let key = keys.in_force(&self.keys, now).find(|key| key.id == verified.key_id())?;
        let digest = |text: &str| self.provider.scheme.hmac_hex(&key.secret, text);
        candidates.filter(|handshake| handshake.when.json(&root)).find_map(|handshake| handshake.answer(&call, digest))
    }
}

impl Handshake {
    /// Whether it says a word that the policy has to know.
    pub fn needs_token(&self) -> bool {
        matches!(self.proof, Proof::Token(_))
    }

    /// Whether it is signed as events are.
    pub fn is_signed(&self) -> bool {
        self.proof == Proof::Signature
    }

    /// `None` if what would have to be sent back is nothing that vendors send.
    fn answer(&self, call: &Call<'_>, digest: impl Fn(&str) -> Option<String>) -> Option<Greeting> {
        let (content_type, body) = match &self.reply.body {
            Said::Nothing => ("", String::new()),
            Said::Echo(place) => ("text/plain", call.text(place)?),
            Said::Members(members) => {
                let member = |(name, made): &(String, Made)| {
                    let value = match made {
                        Made::Is(value) => value.clone(),
                        Made::Echo(place) => call.text(place)?.into(),
                        Made::HmacHex(place) => digest(&call.text(place)?)?.into(),
                    };
                    Some((name.clone(), value))
                };
                let members: Map<_, _> = members.iter().map(member).collect::<Option<_>>()?;
                ("application/json", Value::Object(members).to_string())
            }
        };
        Some(Greeting { handshake: self.name.clone(), status: self.reply.status, content_type, body })
    }
}

impl When {
    fn head(&self, head: &Head) -> bool {
        let query = |(name, wanted): &(String, String)| parameter(head, name).is_some_and(|value| value == *wanted);
        let header = |(name, wanted): &(String, String)| head.sole(name) == Some(wanted);
        let form = || self.form.is_empty() || head.media_type() == "application/x-www-form-urlencoded";
        head.method == self.method && form() && self.query.iter().all(query) && self.headers.iter().all(header)
    }

    /// Vendors write neither escapes nor anything else into these forms.
    fn form(&self, raw: &[u8]) -> bool {
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
    fn may_be(&self, head: &Head, raw: &[u8]) -> bool {
        if raw.len() > BODY_BYTES_MAX || !self.head(head) {
            return false;
        }
        let Ok(text) = std::str::from_utf8(raw) else { return false };
        self.json.iter().filter_map(|(_, wanted)| wanted.as_str()).all(|word| text.contains(word))
    }

    fn json(&self, root: &Node) -> bool {
        let is = |(pointer, wanted): &(String, Value)| root.find(pointer).is_some_and(|node| same(node, wanted));
        let has = |pointer: &String| root.find(pointer).is_some();
        self.json.iter().all(is) && self.has.iter().all(has) && !self.lacks.iter().any(has)
    }
}

/// What a call says.
struct Call<'a> {
    head: &'a Head,
    document: Option<&'a Node>,
}

impl Call<'_> {
    /// A text that no browser and no log would take for anything else.
    fn text(&self, place: &Place) -> Option<String> {
        let text = match place {
            Place::Query(name) => parameter(self.head, name)?,
            Place::Json(pointer) => self.document?.find(pointer)?.text()?.to_owned(),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=:, ".contains(&byte);
        ((1..=ECHO_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)).then_some(text)
    }
}

/// The value of a parameter that stands in the query once.
fn parameter(head: &Head, name: &str) -> Option<String> {
    let mut found = head.target.parameters().filter(|(found, _)| **found == *name.as_bytes());
    let (_, value) = found.next()?;
    found.next().is_none().then_some(())?;
    String::from_utf8(value.into_owned()).ok()
}

fn same(node: &Node, wanted: &Value) -> bool {
    match (&node.kind, wanted) {
        (Kind::String(text), Value::String(wanted)) => **text == **wanted,
        (Kind::Number(number), Value::Number(wanted)) => number.to_string() == wanted.to_string(),
        (Kind::Bool(value), Value::Bool(wanted)) => value == wanted,
        _ => false,
    }
}
