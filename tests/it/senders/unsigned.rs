//! Senders that sign nothing: what a request of theirs is held to.

use super::shown::{NOW_S, provider};
use hookwarden::{
    clock::Timestamp,
    policy::{Overrides, Policy, Source, compile},
    rehearsal::Rehearsal,
    request::{Head, Target, Unverified},
    secret::Secret,
    verdict::{Refusal, Rejection},
    verify::{Catalogue, Keys, Verified, network, verify},
};
use http::{HeaderMap, Method};
use std::collections::BTreeMap;

fn policy(sender: &str) -> Policy {
    let text = format!(
        "listeners: [{{ on: '127.0.0.1:0' }}]\nroutes:\n  payments:\n    at: {{ path: /in }}\n    sender: {{ provider: \
         mollie-classic, accept: unsigned, {sender} }}\n    repeats: {{ protection: impossible }}\n    deliver: {{ via: relay }}\n\
         keys: {{ api: [{{ id: live, from: env:A }}] }}\n"
    );
    let now = Timestamp::from_unix_s(NOW_S);
    compile(&Source::one("gate.yaml", &text), &Catalogue::embedded(), &Overrides::default(), now).unwrap().policy
}

fn keys() -> Keys {
    let listed = BTreeMap::from([("/lists/read.txt".into(), vec![network("2001:db8::/32").unwrap()])]);
    Keys::new(Secret::new("memory").unwrap(), BTreeMap::new()).listing(listed)
}

fn request(client: &str, content_type: &str, body: &str) -> Unverified {
    let head = Head {
        method: Method::POST,
        target: Target::parse("/in").unwrap(),
        host: "shop.example".into(),
        headers: HeaderMap::from_iter([(http::header::CONTENT_TYPE, content_type.parse().unwrap())]),
        client: client.parse().unwrap(),
    };
    Unverified { head, raw: body.as_bytes().to_vec().into() }
}

fn judged(sender: &str, client: &str, body: &str) -> Result<Verified, Rejection> {
    let policy = policy(sender);
    let webhook = policy.routes[0].sender.webhook().unwrap();
    let request = request(client, "application/x-www-form-urlencoded", body);
    verify(webhook, &keys(), request, Timestamp::from_unix_s(NOW_S)).map_err(rejected)
}

/// All that can be wrong with such a request is its sender's.
fn rejected(refusal: Refusal) -> Rejection {
    match refusal {
        Refusal::Rejected(rejection) => rejection,
        Refusal::Failed(fault) => panic!("{fault:?}"),
    }
}

const ADDRESSES: &str = "addresses: [192.0.2.0/24, 'file:/lists/read.txt', 'file:/lists/unread.txt']";

#[test]
fn only_the_addresses_of_the_list_may_send() {
    for (client, good) in [
        ("192.0.2.9", true),
        ("::ffff:192.0.2.9", true),
        ("2001:db8::7", true),
        ("192.0.3.9", false),
        ("2001:db9::7", false),
        ("::1", false),
    ] {
        let refused = judged(ADDRESSES, client, "id=tr_1").err();
        assert_eq!(refused, (!good).then_some(Rejection::AddressNotListed), "{client}");
    }
    let unread = "addresses: ['file:/lists/unread.txt']";
    assert_eq!(judged(unread, "192.0.2.9", "id=tr_1").err(), Some(Rejection::AddressNotListed), "nobody is in it");
}

/// What is asked about stands in a URL, and in whatever reads the event.
#[test]
fn an_id_is_one_that_the_vendor_gives_and_stands_there_once() {
    for good in ["id=tr_5B8cwPMGnU6qLbRvo7qEZo", "id=tr%5F1", "testByMollie=1&id=tr_1"] {
        assert!(judged(ADDRESSES, "192.0.2.9", good).is_ok(), "{good}");
    }
    let long = format!("id=tr_{}", "a".repeat(65));
    for bad in [
        "",
        "id=",
        "id=tr_",
        "id=ord_1",
        "id=xtr_1",
        "id=tr_1%0A",
        "id=tr_1/../x",
        "id=..",
        "id=tr_1&id=tr_1",
        "id=tr_1&+id=tr_2",
        "id[]=tr_1",
        long.as_str(),
    ] {
        assert_eq!(judged(ADDRESSES, "192.0.2.9", bad).err(), Some(Rejection::ReferenceRefused), "{bad}");
    }
    for query in ["id=tr_2", "id[]=tr_2", "i%64=tr_1"] {
        let mut two = request("192.0.2.9", "application/x-www-form-urlencoded", "id=tr_1");
        two.head.target = Target::parse(&format!("/in?{query}")).unwrap();
        let policy = policy(ADDRESSES);
        let judged = verify(policy.routes[0].sender.webhook().unwrap(), &keys(), two, Timestamp::from_unix_s(NOW_S));
        assert_eq!(judged.err().map(rejected), Some(Rejection::ReferenceRefused), "{query}");
    }
    let json = request("192.0.2.9", "application/json", r#"{"id":"tr_1"}"#);
    let policy = policy(ADDRESSES);
    let webhook = policy.routes[0].sender.webhook().unwrap();
    let refused = verify(webhook, &keys(), json, Timestamp::from_unix_s(NOW_S)).err().map(rejected);
    assert_eq!(refused, Some(Rejection::ReferenceRefused), "it is no form");
}

/// Nothing of it vouches for anything, and it is called what it is.
#[test]
fn what_nobody_signed_is_told_and_no_proof() {
    let verified = judged(ADDRESSES, "192.0.2.9", "id=tr_1").unwrap();
    assert_eq!(verified.key_id(), "unsigned");
    assert!(verified.proof().is_none() && verified.signed_id().is_none());
    let coverage = verified.coverage();
    assert!(!coverage.body && !coverage.id && !coverage.time);
    let told = provider("mollie-classic").uncovered();
    assert!(told.contains("unauthenticated sender, unauthenticated content"), "{told}");
    let summary = policy("confirm: { key: api, members: { /status: [paid] } }").summary()[0].to_string();
    assert!(summary.contains("mollie-classic, unsigned: nothing shows who sent it"), "{summary}");
    assert!(summary.contains("api.mollie.com has to know the id in [id], with /status as agreed"), "{summary}");
    let summary = policy(ADDRESSES).summary()[0].to_string();
    assert!(summary.contains("from 1 network and 2 files of addresses"), "{summary}");
}

/// Without the policy's word nobody is known by nothing.
#[test]
fn what_nobody_signed_is_refused_unless_the_policy_says_so() {
    let window = hookwarden::repeat::Window::Unsigned { remember: std::time::Duration::ZERO };
    let webhook = hookwarden::verify::Webhook::for_tools("in", provider("mollie-classic"), "all", window, None);
    let request = request("192.0.2.9", "application/x-www-form-urlencoded", "id=tr_1");
    let refused = verify(&webhook, &keys(), request, Timestamp::from_unix_s(NOW_S)).err().map(rejected);
    assert_eq!(refused, Some(Rejection::NoKey));
}

/// A message that is not acknowledged in its own words comes again for a day.
#[test]
fn salesforce_hears_an_acknowledgement_in_xml() {
    let text = "routes:\n  orders:\n    at: { path: /in }\n    sender: { provider: salesforce-outbound, accept: unsigned, addresses: \
                [192.0.2.0/24] }\n    repeats: { protection: impossible }\ndestinations: { wordpress: { url: 'http://127.0.0.1/' } }\n";
    let now = Timestamp::from_unix_s(NOW_S);
    let policy =
        compile(&Source::one("gate.yaml", text), &Catalogue::embedded(), &Overrides::default(), now).unwrap().policy;
    let keys = keys();
    let play = |client: &str| {
        let Unverified { head, raw } = request(client, "text/xml", "<soapenv:Envelope/>");
        Rehearsal::new(&policy, &keys).play(head, raw, now)
    };
    let played = play("192.0.2.9");
    assert_eq!(played.code(), "accepted");
    let answer = played.answer.unwrap();
    assert_eq!((answer.status.as_u16(), answer.content_type), (200, "text/xml"));
    assert!(std::str::from_utf8(&answer.body).unwrap().contains("<Ack>true</Ack>"));
    assert_eq!(play("192.0.3.9").code(), "address_not_listed");
}

/// An address is asked for before the signature is looked at, and does not take its place.
#[test]
fn a_signature_and_an_address_are_both_asked_for() {
    let text = "routes:\n  code:\n    at: { path: /in }\n    sender: { provider: github, keys: all, addresses: [192.0.2.0/24] }\n    \
                repeats: { remember: 72h }\nkeys: { all: [{ id: live, from: env:A }] }\n\
                destinations: { wordpress: { url: 'http://127.0.0.1/' } }\n";
    let now = Timestamp::from_unix_s(NOW_S);
    let policy =
        compile(&Source::one("gate.yaml", text), &Catalogue::embedded(), &Overrides::default(), now).unwrap().policy;
    let webhook = policy.routes[0].sender.webhook().unwrap();
    let refused =
        |client: &str| verify(webhook, &keys(), request(client, "application/json", "{}"), now).err().map(rejected);
    assert_eq!(refused("192.0.3.9"), Some(Rejection::AddressNotListed));
    assert_eq!(refused("192.0.2.9"), Some(Rejection::SignatureMissing));
}
