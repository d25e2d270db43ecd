use super::*;
use crate::{
    json::{
        Library,
        schema::library::{Formats, Loaded},
    },
    request::{Head, Target},
};
use http::{HeaderMap, Method};

const NOW: Timestamp = Timestamp::from_unix_s(1_760_000_000);

fn document(raw: &str) -> Document {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    let target = Target::parse("/").unwrap();
    let head = Head { method: Method::POST, target, host: String::new(), headers, client: [127, 0, 0, 1].into() };
    Document::read(&head, raw.as_bytes()).unwrap()
}

fn version(schema: &str, sunset: Option<Timestamp>) -> Version {
    let loaded = Library::of([("a.json", schema)]).load("a.json", Formats::ByDraft).unwrap();
    let Loaded { schema, version, names, digest, holds_formats, .. } = loaded;
    Version { schema, name: version, digest, holds_formats, sunset, printable: names }
}

fn found(agreed: &Agreed, raw: &str) -> (Rejection, String, String) {
    let unclean = agreed.check(&document(raw), NOW).map(|version| version.name.clone()).unwrap_err();
    let finding = unclean.finding.unwrap();
    (unclean.rejection, finding.pointer, finding.keyword)
}

#[test]
fn a_refusal_names_pointer_and_keyword_and_nothing_of_the_content() {
    let schema = r#"{
        "properties": {
            "order": { "properties": { "lines": { "items": { "properties": { "price": { "minimum": 0 } } } } } }
        },
        "additionalProperties": { "additionalProperties": { "type": "string" } }
    }"#;
    let agreed = Agreed::One(version(schema, None));
    let broken = |pointer: &str, keyword: &str| (Rejection::ContractBroken, pointer.to_owned(), keyword.to_owned());
    assert_eq!(
        found(&agreed, r#"{"order": {"lines": [{"price": 1}, {"price": -1}]}}"#),
        broken("/order/lines/1/price", "/properties/order/properties/lines/items/properties/price/minimum")
    );
    // The sender's own names may be what it should not have sent: a card's number as a key, an index that is none.
    let own = "/additionalProperties/additionalProperties/type";
    assert_eq!(found(&agreed, r#"{"4242424242424242": {"7": 1}}"#), broken("/*/*", own));
    assert_eq!(found(&agreed, r#"{"a~b/c": {"order": 1}}"#), broken("/*/order", own));
}

#[test]
fn a_member_picks_the_version() {
    let versions = [("1", r#"{"required": ["a"]}"#), ("2026-01-01", r#"{"required": ["b"]}"#)];
    let versions = versions.map(|(name, schema)| (name.to_owned(), version(schema, None)));
    let agreed = Agreed::ByMember { pointer: "/api/version".to_owned(), versions: BTreeMap::from(versions) };
    let passes = |raw: &str| agreed.check(&document(raw), NOW).is_ok();
    assert!(passes(r#"{"api": {"version": "2026-01-01"}, "b": 1}"#));
    assert!(passes(r#"{"api": {"version": 1}, "a": 1}"#), "a number is a name, too");
    assert!(!passes(r#"{"api": {"version": 1}, "b": 1}"#));
    let unknown = (Rejection::ContractUnknown, "/api/version".to_owned(), "accepts".to_owned());
    for raw in [r#"{"api": {"version": "3"}}"#, r#"{"api": {}}"#, "[]", r#"{"api": {"version": null}}"#] {
        assert_eq!(found(&agreed, raw), unknown, "{raw}");
    }
}

#[test]
fn a_version_ends_at_its_sunset() {
    let agreed = |second: i64| Agreed::One(version("{}", Some(Timestamp::from_unix_s(1_760_000_000 + second))));
    assert!(agreed(1).check(&document("1"), NOW).is_ok());
    for ended in [0, -1] {
        assert_eq!(found(&agreed(ended), "1").0, Rejection::ContractSunset);
    }
}
