//! Tests of a policy, as a team writes them beside its routes: a request, a clock, and what should become of it.

use super::{
    Policy, Sender,
    notes::Notes,
    report::{Report, Severity},
    source::{TextFile, Texts},
    text::{AnsweredText, CaseText, ExpectText, RequestText, SendText, TestsText},
    units::TimeText,
};
use crate::{
    clock::Timestamp,
    json::{Language, Node, language::way_out},
    verdict::{Fault, Rejection},
    verify::Handshake,
};
use data_encoding::BASE64;
use serde_json::Value;
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it says that is true.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The moment of the request; absent: now.
    pub clock: Option<Timestamp>,
    /// A case whose request has come before, and is remembered.
    pub after: Option<String>,
    /// An operator has armed its route.
    pub armed: bool,
    /// What is sent.
    pub sent: Sent,
    /// Published secrets of recorded requests, by the name of the keys; the only keys of that name in this case.
    pub secrets: BTreeMap<String, String>,
    /// What the vendor says when it is asked; absent: that it is so.
    pub confirm: Option<Answered>,
    /// What should become of it.
    pub expected: Expected,
}

/// A vendor's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum Sent {
    /// By a sender that signs as the route wants it, with a test key.
    Signed(Signed),
    /// Byte for byte.
    Raw(Raw),
}

/// A request that the tool signs.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Whose endpoint, scheme and keys.
    pub route: String,
    /// The label of the key that signs; absent: the first one in force.
    pub key: Option<String>,
    /// Another target than the route's plainest.
    pub target: Option<String>,
    /// The sender's id for the event.
    pub id: String,
    /// Claims of its token, in the place of those that the route asks for.
    pub claims: BTreeMap<String, Value>,
    /// Signed so long before the clock.
    pub age: Duration,
    /// Signed so long after the clock.
    pub ahead: Duration,
    /// Body, type and further fields; a field that the signature has set is replaced.
    pub message: Message,
}

/// A request as it is.
#[derive(Clone, Debug)]
pub struct Raw {
    /// `POST` and so on.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Body and fields.
    pub message: Message,
}

/// What both kinds have.
#[derive(Clone, Debug)]
pub struct Message {
    /// Fields in order, repeated ones included.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The media type that goes with how the body was written, unless a field says another.
    pub content_type: Option<&'static str>,
    /// Who sends it.
    pub from: IpAddr,
}

/// What should become of it. What is absent is not looked at.
#[derive(Clone, Debug)]
pub struct Expected {
    /// In one word.
    pub decision: Decision,
    /// The code of logs and metrics.
    pub code: Option<String>,
    /// The status that the sender hears.
    pub status: Option<u16>,
    /// Members of the answer's JSON body, or the body itself as a text.
    pub answer: Option<Value>,
    /// Members of the event that leaves.
    pub event: Option<Value>,
    /// Members of the JSON body that reaches WordPress, or the body itself as a text.
    pub relayed: Option<Value>,
    /// JSON Pointers that the event, or what reaches WordPress, must not have.
    pub absent: Vec<String>,
}

/// What becomes of a request, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Queued.
    Accepted,
    /// Known from before.
    Repeat,
    /// Passed on to WordPress, verified.
    Relayed,
    /// A validation call, answered.
    Handshake,
    /// Not guarded.
    Passed,
    /// Guarded by a route that is tried: judged and counted, and passed on as it came.
    Observed,
    /// The sender's fault.
    Refused,
    /// The gate's.
    Failed,
}

impl Decision {
    /// As a case writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Repeat => "repeat",
            Self::Relayed => "relayed",
            Self::Handshake => "handshake",
            Self::Passed => "passed",
            Self::Observed => "observed",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Codes of requests that end well.
const GOOD_CODES: [&str; 8] =
    ["accepted", "repeat", "repeat_changed", "relayed", "handshake", "passed", "ok", "unjudged"];

/// Which stage's policy the tests are read for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stages<'a> {
    /// All that the policy has.
    pub known: &'a [String],
    /// This one.
    pub this: Option<&'a str>,
}

/// Reads the tests of a policy, without those that are about another stage: its keys and routes may be others.
///
/// # Errors
/// Everything that is wrong with them.
pub fn cases(files: &[TextFile], policy: &Policy, stages: Stages<'_>) -> Result<Vec<Case>, Report> {
    let texts = Texts::of_tests(files);
    let (mut cases, mut found) = (Vec::new(), Vec::new());
    let case = Language::of::<CaseText>();
    for placed in texts.iter() {
        let document = match &placed.document {
            Some(Ok(document)) => document,
            Some(Err(unreadable)) => {
                found.push(super::report::Note { wrong: unreadable.clone(), severity: Severity::Error });
                continue;
            }
            None => continue,
        };
        let mut notes = Notes::new(document, &texts, std::mem::take(&mut found));
        match Language::of::<TestsText>() {
            Ok(language) => {
                for wrong in language.check(document) {
                    notes.push(wrong, Severity::Error);
                }
            }
            Err(broken) => notes.push(broken, Severity::Error),
        }
        let nodes = (0..).map_while(|index| document.root.find(&format!("/cases/{index}")));
        let names: Vec<_> = nodes.clone().filter_map(|node| node.find("/name")?.text()).collect();
        for node in nodes {
            let Some(text) = case.as_ref().ok().and_then(|case| notes.decode_as::<CaseText>(case, node)) else {
                continue;
            };
            if let Some(env) = text.env.as_deref().filter(|env| stages.this != Some(env)) {
                if !stages.known.iter().any(|known| known == env) {
                    let way_out = match stages.known {
                        [] => "; this policy has none, so leave this out".to_owned(),
                        known => way_out(env, known.iter().map(String::as_str)),
                    };
                    notes.wrong(node.find("/env"), format!("no stage is called `{env}`{way_out}"));
                }
                continue;
            }
            let line = placed.line_of(node.at.start);
            let mut reader = CaseReader { policy, names: &names, node, notes: &mut notes };
            cases.extend(reader.case(text, &placed.file.name, line));
        }
        found = notes.found;
    }
    if found.iter().any(|note| note.severity == Severity::Error) { Err(Report::new(&texts, found)) } else { Ok(cases) }
}

/// The language of `*.test.yaml`, for editors.
pub(super) fn language() -> Value {
    crate::json::language::schema_of::<TestsText>()
}

struct CaseReader<'a, 'd> {
    policy: &'a Policy,
    names: &'a [&'a str],
    node: &'a Node,
    notes: &'a mut Notes<'d>,
}

impl CaseReader<'_, '_> {
    fn case(&mut self, text: CaseText, file: &str, line: usize) -> Option<Case> {
        if self.names.iter().filter(|name| **name == text.name).count() > 1 {
            self.wrong(
                "/name",
                "another case of this file has this name; nobody could tell which one failed".to_owned(),
            );
        }
        if let Some(after) = text.after.as_deref().filter(|after| !self.names.contains(after) || *after == text.name) {
            let others = self.names.iter().copied().filter(|name| *name != text.name);
            self.wrong("/after", format!("no other case here is called `{after}`{}", way_out(after, others)));
        }
        let clock = text.clock.as_deref().and_then(|written| {
            let read = Timestamp::from_rfc3339(written);
            if read.is_none() {
                self.wrong(
                    "/clock",
                    format!("cannot read `{written}`; write something such as `2026-11-24T09:30:00Z`"),
                );
            }
            read
        });
        for name in text.secrets.keys() {
            let known: Vec<_> = self.policy.keys.iter().filter_map(|keys| keys.name.split('/').next()).collect();
            if !known.contains(&name.as_str()) {
                self.wrong("/secrets", format!("no keys are called `{name}`{}", way_out(name, known)));
            }
        }
        let sent = match (text.send, text.request) {
            (Some(send), None) => self.signed(send).map(Sent::Signed),
            (None, Some(request)) => self.raw(request).map(Sent::Raw),
            (Some(_), Some(_)) => {
                self.wrong("/request", "a case sends one request; write `send` or `request`".to_owned());
                None
            }
            (None, None) => {
                let message = "what is sent? write `send: { route: ... }`, signed by the tool, or `request: ...`";
                self.wrong("", message.to_owned());
                None
            }
        };
        let expected = self.expected(text.expect);
        let (name, after, armed, secrets) = (text.name, text.after, text.armed, text.secrets);
        let mut webhooks = self.policy.routes.iter().filter_map(|route| route.sender.webhook());
        if armed && !webhooks.any(|webhook| webhook.handshakes().iter().any(Handshake::hands_over)) {
            self.wrong("/armed", "no sender of this policy hands its key over; leave it out".to_owned());
        }
        let confirm = text.confirm.map(answered);
        if let (Some(_), Some(Sent::Signed(signed))) = (&confirm, &sent)
            && !self.asks(&signed.route)
        {
            self.wrong("/confirm", format!("route `{}` asks no vendor; leave this out", signed.route));
        }
        Some(Case { name, file: file.to_owned(), line, clock, after, armed, sent: sent?, secrets, confirm, expected })
    }

    fn asks(&self, route: &str) -> bool {
        let route = self.policy.routes.iter().find(|known| *known.name == *route);
        route.and_then(|route| route.sender.webhook()).is_some_and(|webhook| webhook.trust().confirm.is_some())
    }

    fn signed(&mut self, text: SendText) -> Option<Signed> {
        let routes = self.policy.routes.iter();
        let Some(route) = routes.clone().find(|route| *route.name == text.route) else {
            let way_out = way_out(&text.route, routes.map(|route| &*route.name));
            self.wrong("/send/route", format!("no route is called `{}`{way_out}", text.route));
            return None;
        };
        match &route.sender {
            Sender::Webhook(webhook) => {
                let keys = self.policy.keys.iter().find(|keys| keys.name == webhook.keys());
                let ids = keys.into_iter().flat_map(|keys| &keys.entries).map(|entry| entry.id.as_str());
                let ids: Vec<_> = ids.collect();
                if let Some(key) = text.key.as_deref().filter(|key| !ids.contains(key)) {
                    self.wrong("/send/key", format!("no key of this route is called `{key}`{}", way_out(key, ids)));
                }
                if !text.claims.is_empty() {
                    self.wrong("/send/claims", "this route's sender shows no token; leave it out".to_owned());
                }
                for (key, written) in [("age", &text.age), ("ahead", &text.ahead)] {
                    if written.is_some() && webhook.provider().scheme.shows_nothing() {
                        let message = "this route's sender signs nothing, so that nothing has an age; leave it out";
                        self.wrong(&format!("/send/{key}"), message.to_owned());
                    }
                }
            }
            Sender::Token(_) => {
                if text.key.is_some() {
                    let message = "the tool signs a token with a key of its own; leave it out";
                    self.wrong("/send/key", message.to_owned());
                }
            }
        }
        let time = |text: Option<TimeText>| text.map_or(Duration::ZERO, |TimeText(time)| time);
        let message = self.message("/send", text.body, &text.headers, text.from.as_deref())?;
        Some(Signed {
            route: text.route,
            key: text.key,
            target: text.target,
            id: text.id.unwrap_or_else(|| "test_1".to_owned()),
            claims: text.claims,
            age: time(text.age),
            ahead: time(text.ahead),
            message,
        })
    }

    fn raw(&mut self, text: RequestText) -> Option<Raw> {
        let message = self.message("/request", text.body, &text.headers, text.from.as_deref())?;
        Some(Raw { method: text.method.unwrap_or_else(|| "POST".to_owned()), target: text.target, message })
    }

    fn message(
        &mut self,
        below: &str,
        body: super::text::BodyText,
        headers: &[String],
        from: Option<&str>,
    ) -> Option<Message> {
        let written = [
            body.json.map(|value| (value.to_string().into_bytes(), Some("application/json"))),
            body.text.map(|text| (text.into_bytes(), None)),
            body.form.map(|fields| (encoded(&fields).into_bytes(), Some("application/x-www-form-urlencoded"))),
            body.base64.as_deref().map(|text| (BASE64.decode(text.as_bytes()).unwrap_or_default(), None)),
        ];
        if body.base64.is_some_and(|text| BASE64.decode(text.as_bytes()).is_err()) {
            self.wrong(&format!("{below}/base64"), "this is not base64".to_owned());
        }
        let mut written = written.into_iter().flatten();
        let (body, content_type) = written.next().unwrap_or_default();
        if written.next().is_some() {
            self.wrong(below, "one request has one body; write one of `json`, `text`, `form`, `base64`".to_owned());
        }
        let mut fields = Vec::new();
        for (index, line) in headers.iter().enumerate() {
            match line.split_once(':') {
                Some((name, value)) if !name.is_empty() => fields.push((name.to_owned(), value.trim().to_owned())),
                Some(_) | None => {
                    let message = format!("cannot read `{line}`; write something such as `\"X-Event: push\"`");
                    self.wrong(&format!("{below}/headers/{index}"), message);
                }
            }
        }
        let from = from.unwrap_or("192.0.2.1").parse::<IpAddr>();
        if from.is_err() {
            self.wrong(&format!("{below}/from"), "this is no address; write something such as `192.0.2.1`".to_owned());
        }
        Some(Message { headers: fields, body, content_type, from: from.ok()? })
    }

    fn expected(&mut self, text: ExpectText) -> Expected {
        if let Some(code) = &text.code {
            let known = || GOOD_CODES.iter().chain(Rejection::CODES).chain(Fault::CODES).copied();
            if !known().any(|known| known == code) {
                self.wrong("/expect/code", format!("unknown code `{code}`{}", way_out(code, known())));
            }
        }
        for (index, pointer) in text.absent.iter().enumerate() {
            if !pointer.starts_with('/') {
                let message = format!("`{pointer}` is no JSON Pointer; write something such as `/data/email`");
                self.wrong(&format!("/expect/absent/{index}"), message);
            }
        }
        Expected {
            decision: text.decision.into(),
            code: text.code,
            status: text.status,
            answer: text.answer,
            event: text.event,
            relayed: text.relayed,
            absent: text.absent,
        }
    }

    fn wrong(&mut self, pointer: &str, message: String) {
        let node = self.node.find(pointer).unwrap_or(self.node);
        self.notes.wrong(Some(node), message);
    }
}

fn answered(AnsweredText { status, body }: AnsweredText) -> Answered {
    let body = match body {
        None => Vec::new(),
        Some(Value::String(text)) => text.into_bytes(),
        Some(json) => json.to_string().into_bytes(),
    };
    Answered { status: status.unwrap_or(200), body }
}

/// As a browser writes a form.
fn encoded(fields: &BTreeMap<String, String>) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        other => format!("%{other:02X}"),
    };
    let text = |text: &str| text.bytes().map(byte).collect::<String>();
    let fields = fields.iter().map(|(name, value)| format!("{}={}", text(name), text(value)));
    fields.collect::<Vec<_>>().join("&")
}
