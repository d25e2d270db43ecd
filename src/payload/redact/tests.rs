use super::*;
use crate::{request::Target, secret::Secret};
use bytes::Bytes;
use http::{HeaderMap, Method};
use proptest::prelude::*;
use std::{cmp::Reverse, collections::BTreeMap};

fn keys() -> Keys {
    Keys::new(Secret::new("memory").unwrap(), BTreeMap::new())
}

fn head(content_type: &str) -> Head {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", content_type.parse().unwrap());
    let target = Target::parse("/hooks/a?token=s3cret&x[a]=s3cret&y=1&TOKEN=").unwrap();
    Head { method: Method::POST, target, host: "shop.example".into(), headers, client: [127, 0, 0, 1].into() }
}

fn rule(place: Place, how: How) -> Rule {
    Rule { words: format!("{place:?}"), place, how }
}

fn pointer(text: &str) -> Place {
    Place::Pointer(text.split('/').skip(1).map(crate::json::unescape).collect())
}

fn path(text: &str) -> Place {
    Place::Path(Path::parse(text).unwrap())
}

fn name(text: &str) -> Place {
    Place::Name(text.into())
}

fn scrubbed(rules: Vec<Rule>, content_type: &str, raw: &str) -> (String, usize) {
    let head = head(content_type);
    let document = Document::read(&head, raw.as_bytes()).unwrap();
    let scrubbed = Redaction::new(rules).scrub(Some(&document), raw.as_bytes(), head, &keys()).unwrap();
    let body = scrubbed.body.map_or(raw.to_owned(), |body| String::from_utf8(body).unwrap());
    (body, scrubbed.redacted.len())
}

fn json(rules: Vec<Rule>, raw: &str) -> String {
    scrubbed(rules, "application/json", raw).0
}

fn form(rules: Vec<Rule>, raw: &str) -> String {
    scrubbed(rules, "application/x-www-form-urlencoded", raw).0
}

#[test]
fn everything_else_stays_byte_for_byte() {
    let raw = " {\"a\" : 1.00e0,\n \"E\\u002dmail\":{\"x\":[1,2]} , \"b\":\"\\u00fc\"}\n";
    assert_eq!(
        json(vec![rule(name("e-mail"), How::Mask)], raw),
        " {\"a\" : 1.00e0,\n \"E\\u002dmail\":\"[masked]\" , \"b\":\"\\u00fc\"}\n"
    );
    assert_eq!(json(vec![rule(pointer("/e-mail"), How::Drop)], raw), " {\"a\" : 1.00e0 , \"b\":\"\\u00fc\"}\n");
    assert_eq!(json(vec![rule(pointer("/absent"), How::Drop)], raw), raw);
}

#[test]
fn a_place_is_found_however_it_is_named() {
    let raw = r#"{"list":[{"card":{"number":42}},{"CARD":{"number":"x"}}],"card":1}"#;
    let masked = r#"{"list":[{"card":{"number":"[masked]"}},{"CARD":{"number":"[masked]"}}],"card":1}"#;
    assert_eq!(json(vec![rule(path("$..card.number"), How::Mask)], raw), masked);
    assert_eq!(json(vec![rule(path("$.list[*].card.number"), How::Mask)], raw), masked);
    assert_eq!(json(vec![rule(name("number"), How::Mask)], raw), masked);
    assert_eq!(
        json(vec![rule(pointer("/list/1/card"), How::Mask)], raw),
        r#"{"list":[{"card":{"number":42}},{"CARD":"[masked]"}],"card":1}"#
    );
    assert_eq!(json(vec![rule(path("$..card"), How::Drop)], raw), r#"{"list":[{},{}]}"#);
}

#[test]
fn the_outer_rule_wins_and_of_two_for_one_place_the_stricter() {
    let raw = r#"{"a":{"b":"secret","c":1}}"#;
    let both = |first: Rule, second: Rule| {
        let one = json(vec![first.clone(), second.clone()], raw);
        assert_eq!(one, json(vec![second, first], raw), "whatever the order");
        one
    };
    assert_eq!(both(rule(pointer("/a"), How::Mask), rule(name("b"), How::Drop)), r#"{"a":"[masked]"}"#);
    assert_eq!(both(rule(pointer("/a/b"), How::Mask), rule(name("b"), How::Drop)), r#"{"a":{"c":1}}"#);
    assert_eq!(
        both(rule(pointer("/a/b"), How::Truncate(Reverse(2))), rule(name("b"), How::Mask)),
        r#"{"a":{"b":"[masked]","c":1}}"#
    );
    assert_eq!(
        both(rule(pointer("/a/b"), How::Truncate(Reverse(2))), rule(name("b"), How::Truncate(Reverse(4)))),
        r#"{"a":{"b":"se","c":1}}"#,
        "the fewer characters stay"
    );
}

#[test]
fn a_pseudonym_names_a_value_and_does_not_tell_it() {
    let rules = || vec![rule(name("id"), How::Pseudonym)];
    let id = |raw: &str| json(rules(), raw);
    assert_eq!(id(r#"{"id":"Ada"}"#), id(r#"{"id":"\u0041da"}"#), "as it is meant");
    assert_ne!(id(r#"{"id":"Ada"}"#), id(r#"{"id":"ada"}"#));
    assert!(!id(r#"{"id":"Ada"}"#).contains("Ada"));
    assert_eq!(id(r#"{"id":7}"#), id(r#"{"id":"7"}"#));
    assert_eq!(id(r#"{"id":"Ada"}"#).len(), r#"{"id":""}"#.len() + 26);
}

#[test]
fn what_is_truncated_keeps_its_first_characters() {
    let first = |raw: &str| json(vec![rule(name("a"), How::Truncate(Reverse(3)))], raw);
    assert_eq!(first(r#"{"a":"äöüß"}"#), r#"{"a":"äöü"}"#);
    assert_eq!(first(r#"{"a":"\"\n\u0000x"}"#), r#"{"a":"\"\n\u0000"}"#);
    assert_eq!(first(r#"{"a":"\u0061b"}"#), r#"{"a":"\u0061b"}"#, "short enough");
    assert_eq!(first(r#"{"a":123456}"#), r#"{"a":"[masked]"}"#, "not a text");
}

#[test]
fn only_what_was_there_is_named() {
    let rules =
        || vec![rule(name("a"), How::Mask), rule(name("b"), How::Drop), rule(name("c"), How::Truncate(Reverse(9)))];
    assert_eq!(scrubbed(rules(), "application/json", r#"{"a":1,"c":"short"}"#).1, 1);
    assert_eq!(scrubbed(rules(), "application/json", r#"{"x":1}"#).1, 0);
}

#[test]
fn a_form_loses_fields_and_stays_one() {
    let raw = "a=1&email=x%40y&c[email]=z&d&e=5";
    assert_eq!(form(vec![rule(name("email"), How::Mask)], raw), "a=1&email=%5Bmasked%5D&c[email]=%5Bmasked%5D&d&e=5");
    assert_eq!(form(vec![rule(name("EMAIL"), How::Drop)], raw), "a=1&d&e=5");
    assert_eq!(form(vec![rule(pointer("/c"), How::Mask)], raw), "a=1&email=x%40y&c[email]=%5Bmasked%5D&d&e=5");
    assert_eq!(form(vec![rule(pointer("/d"), How::Mask)], raw), "a=1&email=x%40y&c[email]=z&d=%5Bmasked%5D&e=5");
    assert_eq!(form(vec![rule(name("a"), How::Drop), rule(name("e"), How::Drop)], raw), "email=x%40y&c[email]=z&d");
    assert_eq!(form(vec![rule(path("$..email"), How::Truncate(Reverse(1)))], raw), "a=1&email=x&c[email]=z&d&e=5");
}

#[test]
fn headers_and_query_lose_what_the_rules_name() {
    let mut head = head("application/json");
    head.headers.append("x-email", "a@b".parse().unwrap());
    head.headers.append("x-email", "c@d".parse().unwrap());
    head.headers.append("x-phone", "123".parse().unwrap());
    let rules = vec![
        rule(Place::Header("x-email".parse().unwrap()), How::Mask),
        rule(Place::Header("x-phone".parse().unwrap()), How::Drop),
        rule(Place::Query("token".into()), How::Mask),
        rule(Place::Query("x".into()), How::Drop),
        rule(Place::Query("absent".into()), How::Drop),
    ];
    let redaction = Redaction::new(rules);
    assert!(!redaction.wants_document());
    let scrubbed = redaction.scrub(None, b"anything", head, &keys()).unwrap();
    assert_eq!(scrubbed.body, None);
    assert_eq!(scrubbed.redacted.len(), 4);
    let emails: Vec<_> = scrubbed.head.headers.get_all("x-email").iter().collect();
    assert_eq!(emails, ["[masked]", "[masked]"]);
    assert!(!scrubbed.head.headers.contains_key("x-phone"));
    assert_eq!(scrubbed.head.target.raw(), "/hooks/a?token=%5Bmasked%5D&y=1&TOKEN=%5Bmasked%5D");
}

#[test]
fn a_path_that_visits_too_much_lets_nothing_pass() {
    let raw = format!("[{}]", vec!["[[1,2],[3]]"; 2000].join(","));
    let head = head("application/json");
    let document = Document::read(&head, raw.as_bytes()).unwrap();
    let redaction = Redaction::new(vec![rule(path("$[?count($..*) > 1]"), How::Mask)]);
    assert!(redaction.scrub(Some(&document), raw.as_bytes(), head, &keys()).is_err());
}

/// Never a part of anything else.
const CANARY: &str = "c4n4ry";

/// A document as text, with canaries wherever a member is called `secret`, in some spelling.
fn document() -> impl Strategy<Value = String> {
    let space = || prop::sample::select(vec!["", " ", "\n\t"]);
    let canary = prop::sample::select(vec![
        r#""c4n4ry""#.to_owned(),
        r#""\u0063\u0034n\u0034ry""#.to_owned(),
        r#"["c4n4ry",{"x":"c4n4ry"}]"#.to_owned(),
        r#"{"secret":"c4n4ry","c4n4ry":["c4n4ry"]}"#.to_owned(),
        "4242424242424242".to_owned(),
        "42.42424242424242e1".to_owned(),
        "null".to_owned(),
    ]);
    let secret = prop::sample::select(vec![
        r#""secret""#,
        r#""SECRET""#,
        r#""\u0073ecret""#,
        r#""S\u0045cRet""#,
        r#""\u017fecret""#,
        r#""se\u0063ret""#,
    ]);
    let leaf = prop::sample::select(vec!["1", "-0.50", r#""x""#, r#""\u00e9\"}""#, "true", "[]", "{}", r#"",""#]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 5, move |inner| {
        let member = prop_oneof![
            3 => ("[a-r]{1,8}", inner.clone()).prop_map(|(name, value)| (format!("\"{name}\""), value)),
            2 => (secret.clone().prop_map(str::to_owned), canary.clone()),
        ];
        let between = |open: &'static str, close: &'static str| {
            move |(items, space): (Vec<String>, &'static str)| {
                format!("{open}{space}{}{space}{close}", items.join(&format!("{space},{space}")))
            }
        };
        let member = (member, space()).prop_map(|((name, value), space)| format!("{name}{space}:{space}{value}"));
        prop_oneof![
            (prop::collection::vec(inner, 0..5), space()).prop_map(between("[", "]")),
            (prop::collection::vec(member, 0..5), space()).prop_map(between("{", "}")),
        ]
    })
}

fn how() -> impl Strategy<Value = How> {
    prop::sample::select(vec![How::Drop, How::Mask, How::Pseudonym])
}

/// All values but those below a member that is meant, as they are written.
fn rest(node: &Node, raw: &str, out: &mut Vec<String>) {
    match &node.kind {
        Kind::Array(items) => items.iter().for_each(|item| rest(item, raw, out)),
        Kind::Object(members) => {
            for (name, value) in members.iter().filter(|(name, _)| !names::alike("secret", name)) {
                out.push(name.to_string());
                rest(value, raw, out);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => out.push(raw[node.at.clone()].to_owned()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_canary_survives_and_no_other_value_changes(raw in document(), how in how(), by_path in any::<bool>()) {
        let head = head("application/json");
        // Members that differ in case alone are fine; equal ones are refused, and so is a document that is one value.
        let Ok(document) = Document::read(&head, raw.as_bytes()) else { return Ok(()) };
        let place = if by_path { path("$..secret") } else { name("secret") };
        let redaction = Redaction::new(vec![rule(place, how)]);
        let scrubbed = redaction.scrub(Some(&document), raw.as_bytes(), head.clone(), &keys()).unwrap();
        let Some(body) = scrubbed.body else {
            prop_assert!(!raw.to_lowercase().contains("ecret"));
            return Ok(());
        };
        let edited = Bytes::from(body);
        let again = Document::read(&head, &edited).expect("still one document");
        let edited = str::from_utf8(&edited).unwrap();
        for canary in [CANARY, "4242424242", "42.4242", r"\u0063\u0034n"] {
            prop_assert!(!edited.contains(canary), "{edited}");
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        rest(document.root(), &raw, &mut before);
        rest(again.root(), edited, &mut after);
        prop_assert_eq!(before, after);
        let length = |text: &str| text.len();
        prop_assert!(how != How::Drop || length(edited) < length(&raw));
    }

    #[test]
    fn no_canary_survives_in_a_form(
        fields in prop::collection::btree_map("[a-r]{1,4}(\\[[a-r]{1,3}\\])?", "[a-z+]{0,5}", 0..6),
        secrets in prop::collection::btree_set("(s|S|%73)(e|%45)cret(\\[[a-z]\\])?", 1..3),
        at in 0_usize..6,
        how in how(),
    ) {
        let mut pieces: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let index = at.min(pieces.len());
        pieces.splice(index..index, secrets.iter().map(|secret| format!("{secret}={CANARY}")));
        let raw = pieces.join("&");
        let head = head("application/x-www-form-urlencoded");
        let Ok(document) = Document::read(&head, raw.as_bytes()) else { return Ok(()) };
        let redaction = Redaction::new(vec![rule(name("secret"), how)]);
        let scrubbed = redaction.scrub(Some(&document), raw.as_bytes(), head.clone(), &keys()).unwrap();
        let edited = String::from_utf8(scrubbed.body.expect("there is a secret")).unwrap();
        prop_assert!(Document::read(&head, edited.as_bytes()).is_ok(), "{}", edited);
        prop_assert!(!edited.contains(CANARY), "{}", edited);
        let others = |text: &str| {
            let others = text.split('&').filter(|piece| !piece.to_lowercase().replace("%73", "s").replace("%45", "e").starts_with("secret"));
            others.map(str::to_owned).collect::<Vec<_>>()
        };
        let kept: Vec<_> = others(&raw).into_iter().filter(|piece| !piece.is_empty()).collect();
        let left: Vec<_> = others(&edited).into_iter().filter(|piece| !piece.is_empty()).collect();
        prop_assert_eq!(kept, left);
    }
}
