//! The whole story with ports in memory: no sockets, no clock, no sleep.

use super::*;
use crate::{
    admit::Admit,
    answer,
    event::Form,
    guard::{Guards, Selector},
    json::{
        Library,
        schema::library::{Formats, Loaded},
    },
    ledger::{Receipt, Success},
    payload::{
        Contract, Naming,
        agreed::{Agreed, Version},
        redact::{How, Place, Redaction, Rule},
    },
    policy::Limits,
    repeat::Window,
    request::Target,
    secret::Secret,
    verify::{Catalogue, Key, Respond, Webhook, jwt},
};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{HeaderMap, Method, StatusCode};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const NOW: Timestamp = Timestamp::from_unix_s(1_760_000_000);

fn secret() -> Secret {
    Secret::new("It's a Secret to Everybody").unwrap()
}

fn keys() -> Keys {
    let key = Key { id: "2026".into(), secret: secret(), retire: None };
    Keys::new(Secret::new("memory").unwrap(), BTreeMap::from([("all".into(), vec![key])]))
}

fn route(delivery: Delivery) -> Arc<Route> {
    with(delivery, Naming::default(), |contract| contract)
}

fn with(delivery: Delivery, naming: Naming, terms: impl FnOnce(Contract) -> Contract) -> Arc<Route> {
    let provider = Catalogue::embedded().find("github").expect("GitHub is in the catalogue").clone();
    let horizon = Duration::from_hours(72);
    let naming = Naming { type_header: provider.type_header.clone(), remember: horizon, ..naming };
    Arc::new(Route {
        name: "issues".into(),
        class: None,
        observe: None,
        at: Selector::path("/hooks/github").unwrap(),
        owner: None,
        remember: horizon,
        admit: Admit { methods: vec![Method::POST], content_types: Vec::new(), body_limit_bytes: 64 },
        limits: Limits {
            per_address: None,
            per_sender: Some(Rate { count: NonZeroU32::MIN, per: Duration::from_secs(1) }),
        },
        sender: Sender::Webhook(Webhook {
            route: "issues".into(),
            provider,
            keys: "all".into(),
            window: Window::Unsigned { remember: horizon },
            public_url: None,
            config: crate::verify::Config::new(),
            handshakes: Vec::new(),
            verify_token: None,
            trust: crate::verify::Trust::default(),
        }),
        contract: terms(Contract::new(naming)),
        delivery,
        respond: Respond::default(),
        keep: Duration::ZERO,
        capture: None,
        answer_by: Duration::from_secs(9),
    })
}

fn queued() -> Arc<Route> {
    route(Delivery::Queue { to: vec!["wordpress".into()], form: Form::Event })
}

fn policy() -> Policy {
    let mut policy = Policy::pass_through(([127, 0, 0, 1], 0).into(), "http://127.0.0.1:1");
    policy.guards = Guards::default();
    policy
}

/// A body as GitHub signs it, with an event name that it does not sign.
fn signed(body: &str) -> Head {
    let digest = HEXLOWER.encode(&secret().digest(&[body.as_bytes()]));
    let mut headers = HeaderMap::new();
    headers.insert("x-hub-signature-256", format!("sha256={digest}").parse().unwrap());
    headers.insert("x-github-event", "issues".parse().unwrap());
    headers.insert("content-type", "application/json".parse().unwrap());
    Head {
        method: Method::POST,
        target: Target::parse("/hooks/github").unwrap(),
        host: "shop.example".into(),
        headers,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

struct Whole(&'static str);

impl Body for Whole {
    async fn collect(self, limit_bytes: usize) -> Result<Bytes, Refusal> {
        let fits = self.0.len() <= limit_bytes;
        fits.then(|| self.0.into()).ok_or(Rejection::TooLarge.into())
    }
}

/// Counts what is asked, and knows what it was told to know.
#[derive(Default)]
struct Asked {
    looks: AtomicUsize,
    tokens: AtomicUsize,
    knows: bool,
}

impl Memory for Asked {
    fn look(&self, _: &RepeatKeys) -> Option<Known> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.knows.then_some(Known { changed: None, success: None })
    }

    fn take(&self, _: Bucket<'_>) -> Result<(), Rejection> {
        let taken = self.tokens.fetch_add(1, Ordering::SeqCst);
        if taken == 0 { Ok(()) } else { Err(Rejection::SenderLimited(Duration::from_secs(1))) }
    }

    fn take_stranger(&self, _: &str, _: IpAddr) -> Result<(), Rejection> {
        Ok(())
    }
}

/// Keeps events in a list.
#[derive(Default)]
struct Kept(Mutex<Vec<Event>>);

impl Ledger for Kept {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        let mut kept = self.0.lock().unwrap();
        let id = event.record().id.clone();
        kept.push(event);
        Ok(Accepted::New(Receipt::durable(id, kept.len() as u64)))
    }
}

/// Nobody is asked here.
struct Nowhere;

impl Ledger for Nowhere {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        panic!("asked to keep {event:?}")
    }
}

/// Answers with the body's length.
struct Echo;

impl Origin for Echo {
    type Answer = usize;

    async fn relay(&self, _: &Arc<Route>, clean: Clean) -> Result<Relayed<usize>, Fault> {
        Ok(Relayed::Answered(clean.body().len()))
    }
}

async fn take(
    route: &Arc<Route>,
    memory: &Asked,
    ledger: &Kept,
    head: Head,
    body: &'static str,
) -> (Result<Ending<usize>, Refusal>, Notes) {
    let (policy, keys) = (policy(), keys());
    let gate =
        Gate { policy: &policy, keys: &keys, memory, ledger, direct: &Nowhere, origin: &Echo, vendor: &Believing };
    let arrival = Arrival { at: NOW, request_id: "request".into() };
    let mut notes = Notes::default();
    let ending = handle(&gate, route, head, Whole(body), &arrival, &mut notes).await;
    (ending, notes)
}

#[tokio::test]
async fn what_is_signed_becomes_an_event_with_its_lineage() {
    let ledger = Kept::default();
    let (ending, notes) = take(&queued(), &Asked::default(), &ledger, signed(r#"{"a": 1}"#), r#"{"a": 1}"#).await;
    let Ok(Ending::Accepted(receipt)) = ending else { panic!("{ending:?}") };
    let kept = ledger.0.lock().unwrap();
    let record = kept[0].record();
    assert_eq!(receipt.event(), record.id);
    assert_eq!(notes.event_id.as_deref(), Some(record.id.as_str()));
    let document: serde_json::Value = serde_json::from_str(std::str::from_utf8(&record.payload).unwrap()).unwrap();
    assert_eq!(document["type"], "issues");
    assert_eq!(document["source"], "issues");
    assert_eq!(document["hwkey"], "2026");
    assert_eq!(document["hwprovider"], "github");
    assert_eq!(document["hwrequest"], "request");
    assert_eq!(document["time"], "2025-10-09T08:53:20Z");
    assert!(std::str::from_utf8(&record.payload).unwrap().ends_with(r#","data":{"a": 1}}"#), "byte for byte");
}

#[tokio::test]
async fn a_body_that_is_no_json_travels_in_base64() {
    let ledger = Kept::default();
    let (ending, _) = take(&queued(), &Asked::default(), &ledger, signed("{a}"), "{a}").await;
    assert!(matches!(ending, Ok(Ending::Accepted(_))), "{ending:?}");
    let payload = ledger.0.lock().unwrap()[0].record().payload.clone();
    assert!(std::str::from_utf8(&payload).unwrap().ends_with(r#","data_base64":"e2F9"}"#));
}

/// By the value as it came: that it must not be stored is no reason to lose the order, and it is not stored for it.
#[tokio::test]
async fn events_with_the_same_value_are_in_one_order_also_where_that_is_taken_out() {
    let rule = || Rule { words: "/id".into(), place: Place::Pointer(vec!["id".into()]), how: How::Drop };
    let redacted = |contract: Contract| contract.redacted(Redaction::new(vec![rule()]));
    let by_id = || Naming { order_by: Some("/id".into()), ..Naming::default() };
    let to = Delivery::Queue { to: vec!["wordpress".into()], form: Form::Event };
    let (plain, scrubbed) = (with(to.clone(), by_id(), |contract| contract), with(to, by_id(), redacted));
    let (ledger, mut orders) = (Kept::default(), Vec::new());
    for (route, body) in [
        (&plain, r#"{"id": "canary"}"#),
        (&scrubbed, r#"{"id": "canary", "a": 1}"#),
        (&plain, r#"{"id": "other"}"#),
        (&plain, r#"{"id": 7}"#),
        (&plain, r#"{"id": null}"#),
        (&plain, "{}"),
        (&plain, "no JSON"),
        (&queued(), r#"{"id": "canary"}"#),
    ] {
        let (ending, _) = take(route, &Asked::default(), &ledger, signed(body), body).await;
        assert!(matches!(ending, Ok(Ending::Accepted(_))), "{ending:?}");
        orders.push(ledger.0.lock().unwrap().last().unwrap().record().order);
    }
    let [canary, same, other, number, none @ ..] = orders.as_slice() else { panic!("{orders:?}") };
    assert!(canary.is_some() && canary == same && canary != other && number.is_some() && number != canary);
    assert_eq!(none, [None; 4], "in no order");
    assert!(!format!("{:?}", ledger.0.lock().unwrap()[1].record()).contains("canary"));
}

#[tokio::test]
async fn a_bad_signature_is_neither_looked_up_nor_charged() {
    let (memory, ledger) = (Asked::default(), Kept::default());
    let (ending, _) = take(&queued(), &memory, &ledger, signed("{}"), "{ }").await;
    assert!(matches!(ending, Err(Refusal::Rejected(Rejection::SignatureMismatch))), "{ending:?}");
    assert_eq!((memory.looks.into_inner(), memory.tokens.into_inner()), (0, 0));
    assert!(ledger.0.lock().unwrap().is_empty());
}

/// One captured delivery is valid for ever: it must not drain its sender's quota.
#[tokio::test]
async fn a_known_event_is_answered_before_a_token_is_taken() {
    let memory = Asked { knows: true, ..Asked::default() };
    let (ending, notes) = take(&queued(), &memory, &Kept::default(), signed("{}"), "{}").await;
    assert!(matches!(ending, Ok(Ending::Again(_))), "{ending:?}");
    assert_eq!(memory.tokens.into_inner(), 0);
    assert!(notes.event_id.is_some());
}

#[tokio::test]
async fn a_sender_over_its_limit_waits_and_nothing_is_kept() {
    let (memory, ledger) = (Asked::default(), Kept::default());
    for expected in [true, false] {
        let (ending, _) = take(&queued(), &memory, &ledger, signed("{}"), "{}").await;
        assert_eq!(ending.is_ok(), expected, "{ending:?}");
    }
    assert_eq!(ledger.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_relay_gets_the_bytes_and_its_answer_comes_back() {
    let (ending, _) = take(&route(Delivery::Relay), &Asked::default(), &Kept::default(), signed("{ }"), "{ }").await;
    assert!(matches!(ending, Ok(Ending::Relayed(3))), "{ending:?}");
}

#[test]
fn a_repeat_hears_what_wordpress_said_to_the_first() {
    let route = route(Delivery::Relay);
    let said = |code: u16| {
        let success = StatusCode::from_u16(code).ok().and_then(Success::of);
        let answer = answer::again(&route, &Known { changed: None, success });
        (answer.status.as_u16(), answer.content_type, answer.body.is_empty())
    };
    assert_eq!([said(200), said(201)], [200, 201].map(|code| (code, "application/json", false)));
    assert_eq!([said(204), said(205)], [204, 205].map(|code| (code, "", true)), "these have no content");
    assert_eq!(said(404), (202, "application/json", false), "as of what is queued");
}

#[tokio::test]
async fn the_head_is_judged_before_the_body_is_read() {
    struct Unread;
    impl Body for Unread {
        async fn collect(self, _: usize) -> Result<Bytes, Refusal> {
            panic!("the body was read")
        }
    }
    let (policy, keys, memory, ledger) = (policy(), keys(), Asked::default(), Kept::default());
    let gate = Gate {
        policy: &policy,
        keys: &keys,
        memory: &memory,
        ledger: &ledger,
        direct: &Nowhere,
        origin: &Echo,
        vendor: &Believing,
    };
    let arrival = Arrival { at: NOW, request_id: "request".into() };
    let mut get = signed("{}");
    get.method = Method::GET;
    let mut long = signed("{}");
    long.headers.insert("content-length", "65".parse().unwrap());
    for (head, expected) in [(get, Rejection::Method), (long, Rejection::TooLarge)] {
        let ending = handle(&gate, &queued(), head, Unread, &arrival, &mut Notes::default()).await;
        assert!(matches!(ending, Err(Refusal::Rejected(found)) if found == expected), "{ending:?}");
    }
}

/// A route that takes tokens, a token that it takes, and the keys that tell so.
fn shown(once: bool) -> (Arc<Route>, Head, Keys) {
    shown_with(once, false, &BTreeMap::new())
}

/// The same, with these claims.
fn shown_with(
    once: bool,
    logs_subject: bool,
    claims: &BTreeMap<String, serde_json::Value>,
) -> (Arc<Route>, Head, Keys) {
    let terms = jwt::Terms {
        name: "idp".into(),
        issuer: "https://idp.example".into(),
        audiences: vec!["shop".into()],
        algorithms: vec![jwt::Algorithm::EdDsa],
        kinds: jwt::Kinds::Usual,
        leeway: Duration::ZERO,
        max_age: None,
        claims: Vec::new(),
        logs_subject,
        tells_subject: false,
    };
    let issuer = Arc::new(jwt::Issuer::new(terms).unwrap());
    let rule = jwt::TokenRule::new("issues", issuer, jwt::Place::Bearer, Vec::new(), Vec::new()).unwrap();
    let trial = jwt::Trial::new(jwt::Algorithm::EdDsa).unwrap();
    let token = trial.token(&rule, "token-1", NOW, claims).unwrap();
    let ring = jwt::Ring::new(trial.keys().unwrap());
    let cache = jwt::Cache::new(secret(), 0);
    let issuers = jwt::Issuers::new(BTreeMap::from([("idp".to_owned(), Arc::new(ring))]), Arc::new(cache));
    let mut route = Arc::unwrap_or_clone(route(Delivery::Relay));
    route.sender = Sender::Token(Tokens { rule, once, forward: false });
    let mut head = signed("{}");
    head.headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    (Arc::new(route), head, keys().trusting(issuers))
}

async fn show(
    (route, head, keys): (Arc<Route>, Head, Keys),
    memory: &Asked,
    body: impl Body,
) -> (Result<Ending<usize>, Refusal>, Notes) {
    let (policy, ledger) = (policy(), Kept::default());
    let gate = Gate {
        policy: &policy,
        keys: &keys,
        memory,
        ledger: &ledger,
        direct: &Nowhere,
        origin: &Echo,
        vendor: &Believing,
    };
    let arrival = Arrival { at: NOW, request_id: "request".into() };
    let mut notes = Notes::default();
    let ending = handle(&gate, &route, head, body, &arrival, &mut notes).await;
    (ending, notes)
}

#[tokio::test]
async fn a_token_is_judged_before_the_body_is_read() {
    struct Unread;
    impl Body for Unread {
        async fn collect(self, _: usize) -> Result<Bytes, Refusal> {
            panic!("the body was read")
        }
    }
    let (route, mut head, keys) = shown(false);
    head.headers.remove("authorization");
    let (ending, notes) = show((route, head, keys), &Asked::default(), Unread).await;
    assert!(matches!(ending, Err(Refusal::Rejected(Rejection::Token(TokenFlaw::Missing)))), "{ending:?}");
    assert_eq!(notes.issuer.as_deref(), Some("idp"));
}

#[tokio::test]
async fn a_used_token_is_refused_and_charged_to_nobody() {
    let memory = Asked { knows: true, ..Asked::default() };
    let (ending, _) = show(shown(true), &memory, Whole("{}")).await;
    assert!(matches!(ending, Err(Refusal::Rejected(Rejection::Token(TokenFlaw::Used)))), "{ending:?}");
    assert_eq!(memory.tokens.into_inner(), 0);
}

#[tokio::test]
async fn who_it_is_stands_in_the_log_only_where_its_issuers_terms_allow_it() {
    let named = BTreeMap::from([("sub".to_owned(), "user-7".into())]);
    for (logs, expected) in [(false, None), (true, Some("user-7"))] {
        let (ending, notes) = show(shown_with(false, logs, &named), &Asked::default(), Whole("{}")).await;
        assert!(matches!(ending, Ok(Ending::Relayed(2))), "{ending:?}");
        assert_eq!((notes.key_id.as_deref(), notes.subject.as_deref()), (Some("test"), expected));
    }
}

#[tokio::test]
async fn how_long_the_documents_version_is_good_stands_in_the_log() {
    let ends = Timestamp::from_unix_s(1_770_000_000);
    let loaded = Library::of([("a.json", r#"{"$id": "urn:order:1"}"#)]).load("a.json", Formats::ByDraft).unwrap();
    let Loaded { schema, version, names, digest, holds_formats, .. } = loaded;
    let version = Version { schema, name: version, digest, holds_formats, sunset: Some(ends), printable: names };
    let to = Delivery::Queue { to: vec!["wordpress".into()], form: Form::Event };
    let route = with(to, Naming::default(), |contract| contract.agreed(Agreed::One(version)));
    let (ending, notes) = take(&route, &Asked::default(), &Kept::default(), signed("{}"), "{}").await;
    assert!(matches!(ending, Ok(Ending::Accepted(_))), "{ending:?}");
    assert_eq!((notes.contract.as_deref(), notes.sunset), (Some("urn:order:1"), Some(ends)));
}

/// WordPress is told of others, and takes this request for nobody's: an operator has to see why.
#[test]
fn a_token_that_names_nobody_is_told_where_wordpress_hears_names() {
    let nameless = BTreeMap::from([("sub".to_owned(), serde_json::Value::Null)]);
    let nobody = |claims, tells: bool| {
        let (route, head, keys) = shown_with(false, false, claims);
        let (keys, mut notes) = (keys.identifying(tells.then(secret)), Notes::default());
        judge_head(&route, &keys, &NoMemory, &head, NOW, &mut notes).unwrap();
        notes.nobody
    };
    assert_eq!(nobody(&nameless, true), Some("no_subject"));
    assert_eq!((nobody(&nameless, false), nobody(&BTreeMap::new(), true)), (None, None));
}

#[test]
fn only_a_route_that_asks_nothing_of_the_body_is_judged_by_its_head() {
    for (once, expected) in [(false, true), (true, false)] {
        let (route, head, keys) = shown(once);
        assert_eq!(route.streams(), expected);
        let judged = judge_head(&route, &keys, &NoMemory, &head, NOW, &mut Notes::default());
        assert_eq!(judged.is_ok(), expected, "{judged:?}");
    }
}
