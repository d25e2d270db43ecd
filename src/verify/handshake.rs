//! Validation calls: before it sends, a vendor asks whether its endpoint is at home. They are answered, and become no
//! events. What only looks like one is judged like any other request.

mod call;
mod compile;
mod handed;
pub(super) mod text;
mod when;

use super::{Config, Keys, Scheme, Verified, Webhook};
use crate::{
    clock::Timestamp,
    json::{self, Node},
    request::{Head, Unverified},
    secret::Secret,
};
use call::{Call, Place, Texts};
use data_encoding::{BASE64, HEXLOWER};
pub use handed::{Handed, Unfit};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};
use when::When;

/// One validation call of one sender, as its catalogue entry describes it.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// What it is called in logs.
    pub name: String,
    proof: Proof,
    when: When,
    texts: Texts,
    show: Option<Show>,
    reply: Reply,
}

/// Why it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    /// It is signed as events are.
    Signature,
    /// It says a word that the policy and the vendor's console share.
    Token(Place),
    /// An operator expects it: it hands over the key that its sender will sign with, which is here. Whoever comes first
    /// is believed, so it is answered once, and only while the route is armed.
    Armed(Place),
    /// Nothing: the answer gives nothing away, or a keyed digest of a word that is no document.
    Nothing,
}

/// A URL that the vendor wants opened. The operator is shown it; nothing follows it.
#[derive(Clone, Debug)]
struct Show {
    /// Where it is in the body.
    pointer: String,
    /// Where it may lead: anywhere if empty.
    hosts: Vec<String>,
}

#[derive(Clone, Debug)]
struct Reply {
    status: u16,
    body: Said,
    headers: Vec<(HeaderName, Made)>,
}

#[derive(Clone, Debug)]
enum Said {
    Nothing,
    /// As text, of these parts.
    Text(Vec<Made>),
    /// As one JSON object.
    Members(Vec<(String, Made)>),
}

/// How a part of the answer is made.
#[derive(Clone, Debug)]
struct Made {
    prefix: String,
    of: Of,
}

#[derive(Clone, Debug)]
enum Of {
    Is(Value),
    Echo(Place),
    /// The keyed digest, by the sender's own algorithm and the key that signed the call; of a call that nobody signed,
    /// the first one in force.
    Mac(Written, Place),
    /// What the policy says of its account with the sender.
    Config(String),
}

/// How a keyed digest is written.
#[derive(Clone, Copy, Debug)]
enum Written {
    Hex,
    Base64,
}

/// What a validation call is answered with.
#[derive(Clone, Debug)]
pub struct Greeting {
    /// Which call it was.
    pub handshake: String,
    /// The status.
    pub status: u16,
    /// Of the body; empty if there is none.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// Other fields of the answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A URL that the vendor wants opened, for the operator to look at.
    pub shown: Option<String>,
    /// Nobody signed the call, and the answer is a keyed digest of what it said: such answers are counted out.
    pub is_oracle: bool,
    /// The key that the call hands over. It is to be kept before the vendor hears the answer, and the call is one only
    /// while its route is armed.
    pub handed: Option<Handed>,
    /// The call hands over what is no key, and why: so there is nothing to take, and no answer is due.
    pub unfit: Option<Unfit>,
}

impl Webhook {
    /// Whether the request may turn out to be a validation call, so that it comes in whatever else the route admits.
    pub fn may_greet(&self, head: &Head) -> bool {
        self.handshakes.iter().any(|handshake| handshake.when.head(head))
    }

    /// Whether requests of this sender may be validation calls at all.
    pub fn has_handshakes(&self) -> bool {
        !self.handshakes.is_empty()
    }

    /// Whether its sender hands its key over.
    pub fn takes_keys(&self) -> bool {
        self.handshakes.iter().any(Handshake::hands_over)
    }

    /// The answer to a validation call that nobody signed. What carries a signature is never one; a token that is shown
    /// says nothing of what comes with it, and some vendors show theirs here too.
    pub fn greet_stranger(&self, keys: &Keys, request: &Unverified, now: Timestamp) -> Option<Greeting> {
        let Unverified { head, raw } = request;
        let scheme = &self.provider.scheme;
        if self.handshakes.is_empty() || (scheme.signs() && scheme.is_signed(head)) {
            return None;
        }
        let unsigned = |handshake: &&Handshake| handshake.proof != Proof::Signature;
        // A call that says everything in its head has no body: what comes with one may be an event. Asana's has one.
        let bare = |it: &Handshake| raw.is_empty() || !it.when.is_bare() || it.hands_over();
        let told = |it: &&Handshake| bare(it) && it.when.form(raw) && it.when.may_be(head, raw);
        let candidates: Vec<_> = self.handshakes.iter().filter(unsigned).filter(told).collect();
        let reads_body = candidates.iter().any(|handshake| handshake.when.reads_body());
        let root = if reads_body { json::read(raw).ok() } else { None };
        candidates.into_iter().filter(|handshake| handshake.when.json(root.as_ref())).find_map(|handshake| {
            let call = Call { head, document: root.as_ref(), texts: handshake.texts };
            if let Proof::Token(place) = &handshake.proof {
                let (said, list) = (call.text(place)?, self.verify_token.as_ref()?);
                // Every word is tried, so that timing does not tell which one held.
                let held = keys.in_force(list, now).filter(|key| key.secret.is(said.as_bytes())).count();
                (held > 0).then_some(())?;
            }
            let key = keys.in_force(&self.keys, now).next().map(|key| &key.secret);
            handshake.answer(&call, &Account { scheme, key, config: &self.config })
        })
    }

    /// Whether this sender's answers make keyed digests for whoever asks.
    pub fn has_oracle(&self) -> bool {
        self.handshakes.iter().any(Handshake::is_oracle)
    }

    /// Whether this may be a text of which they make one, so that a signature over it shows nothing. No event of a vendor
    /// is a single word.
    pub(super) fn signs_for_strangers(&self, raw: &[u8]) -> bool {
        self.handshakes.iter().any(|handshake| handshake.is_oracle() && handshake.texts.is_part(raw))
    }

    /// The answer to a validation call that was signed as events are.
    pub fn greet(&self, keys: &Keys, verified: &Verified, now: Timestamp) -> Option<Greeting> {
        let (head, raw) = (verified.head(), verified.raw());
        let signed = |handshake: &&Handshake| handshake.proof == Proof::Signature;
        let mut candidates = self.handshakes.iter().filter(signed).filter(|it| it.when.may_be(head, raw)).peekable();
        candidates.peek()?;
        let root = json::read(raw).ok()?;
        let key = keys.in_force(&self.keys, now).find(|key| key.id == verified.key_id())?;
        let account = Account { scheme: &self.provider.scheme, key: Some(&key.secret), config: &self.config };
        candidates.filter(|handshake| handshake.when.json(Some(&root))).find_map(|handshake| {
            let call = Call { head, document: Some(&root), texts: handshake.texts };
            handshake.answer(&call, &account)
        })
    }
}

/// With what an answer is made.
struct Account<'a> {
    scheme: &'a Scheme,
    key: Option<&'a Secret>,
    config: &'a Config,
}

impl Handshake {
    /// Whether it says a word that the policy has to know.
    pub fn needs_token(&self) -> bool {
        matches!(self.proof, Proof::Token(_))
    }

    /// Whether it hands over a key, and so is answered only while its route is armed.
    pub fn hands_over(&self) -> bool {
        matches!(self.proof, Proof::Armed(_))
    }

    /// Whether it is signed as events are.
    pub fn is_signed(&self) -> bool {
        self.proof == Proof::Signature
    }

    /// Whether its answer is a keyed digest of what it said.
    pub fn makes_mac(&self) -> bool {
        self.parts().any(|made| matches!(made.of, Of::Mac(..)))
    }

    /// Whether it has texts signed for whoever asks.
    pub fn is_oracle(&self) -> bool {
        !self.is_signed() && self.makes_mac()
    }

    /// What the policy has to say of its account with the sender, for the answer.
    pub fn config(&self) -> impl Iterator<Item = &str> {
        self.parts().filter_map(|made| if let Of::Config(name) = &made.of { Some(name.as_str()) } else { None })
    }

    fn parts(&self) -> impl Iterator<Item = &Made> {
        let Reply { body, headers, .. } = &self.reply;
        let (parts, members) = match body {
            Said::Nothing => (&[][..], &[][..]),
            Said::Text(parts) => (parts.as_slice(), &[][..]),
            Said::Members(members) => (&[][..], members.as_slice()),
        };
        parts.iter().chain(members.iter().map(|(_, made)| made)).chain(headers.iter().map(|(_, made)| made))
    }

    /// `None` if what would have to be sent back is nothing that vendors send.
    fn answer(&self, call: &Call<'_>, account: &Account<'_>) -> Option<Greeting> {
        let (content_type, body) = match &self.reply.body {
            Said::Nothing => ("", String::new()),
            Said::Text(parts) => {
                let parts = parts.iter().map(|made| made.text(call, account));
                ("text/plain", parts.collect::<Option<String>>()?)
            }
            Said::Members(members) => {
                let member = |(name, made): &(String, Made)| Some((name.clone(), made.value(call, account)?));
                let members: Map<_, _> = members.iter().map(member).collect::<Option<_>>()?;
                ("application/json", Value::Object(members).to_string())
            }
        };
        let header = |(name, made): &(HeaderName, Made)| {
            let mut value = HeaderValue::from_str(&made.text(call, account)?).ok()?;
            value.set_sensitive(self.hands_over());
            Some((name.clone(), value))
        };
        let headers = self.reply.headers.iter().map(header).collect::<Option<_>>()?;
        let handed = match &self.proof {
            Proof::Armed(place) => Some(Handed::new(call.text(place)?, account.scheme)),
            Proof::Signature | Proof::Token(_) | Proof::Nothing => None,
        };
        let (handed, unfit) = match handed {
            Some(Ok(handed)) => (Some(handed), None),
            Some(Err(unfit)) => (None, Some(unfit)),
            None => (None, None),
        };
        let shown = self.show.as_ref().and_then(|Show { pointer, hosts }| call.url(pointer, hosts));
        let (handshake, status, is_oracle) = (self.name.clone(), self.reply.status, self.is_oracle());
        Some(Greeting { handshake, status, content_type, body, headers, shown, is_oracle, handed, unfit })
    }
}

impl Made {
    fn value(&self, call: &Call<'_>, account: &Account<'_>) -> Option<Value> {
        match &self.of {
            Of::Is(value) if self.prefix.is_empty() => Some(value.clone()),
            _ => self.text(call, account).map(Value::String),
        }
    }

    fn text(&self, call: &Call<'_>, account: &Account<'_>) -> Option<String> {
        let text = match &self.of {
            Of::Is(Value::String(text)) => text.clone(),
            Of::Is(value) => value.to_string(),
            Of::Echo(place) => call.text(place)?,
            Of::Mac(written, place) => {
                let mac = account.scheme.mac(account.key?, &call.text(place)?)?;
                match written {
                    Written::Hex => HEXLOWER.encode(&mac),
                    Written::Base64 => BASE64.encode(&mac),
                }
            }
            Of::Config(name) => account.config.get(name)?.clone(),
        };
        Some(format!("{}{text}", self.prefix))
    }
}

/// A validation call repeats the vendor's own settings at most; GitHub's is the longest, with some 8 KiB.
const BODY_BYTES_MAX: usize = 64 * 1024;

fn find<'a>(root: Option<&'a Node>, pointer: &str) -> Option<&'a Node> {
    root?.find(pointer)
}
