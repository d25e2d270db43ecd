//! What does another policy change that somebody answers for? Keys that come and go, and routes that guard less than
//! before: each is an act, which is written down.

use super::{IssuerKeys, KeyEntry, Observe, Policy, Reference, Route, floor::Limit};
use crate::{clock::Timestamp, verify::Trust};
use ipnet::IpNet;
use std::{collections::BTreeMap, fmt};

/// One change, in the words of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `key added`, `key changed`, `key retired`, `schema changed` or `weaken`.
    pub what: &'static str,
    /// Which key, or which route and in what.
    pub about: String,
}

const ADDED: &str = "key added";
const CHANGED: &str = "key changed";
const RETIRED: &str = "key retired";
const SCHEMA_CHANGED: &str = "schema changed";
const WEAKEN: &str = "weaken";

/// What is different under the policy `after`, as far as it is about keys or makes a route weaker.
pub fn changes(before: &Policy, after: &Policy) -> Vec<Change> {
    let mut changes = Vec::new();
    keys(&keys_of(before), &keys_of(after), &mut changes);
    for old in &before.routes {
        let new = after.routes.iter().find(|new| new.name == old.name);
        let about = |how: &dyn fmt::Display| format!("{}: {how}", old.name);
        let weaker = new.map_or_else(|| vec!["the route is gone".to_owned()], |new| weaker(old, new));
        changes.extend(weaker.iter().map(|how| Change { what: WEAKEN, about: about(how) }));
        for less in new.into_iter().flat_map(|new| old.contract.against(&new.contract)) {
            let what = if less.is_weaker() { WEAKEN } else { SCHEMA_CHANGED };
            changes.push(Change { what, about: about(&less) });
        }
    }
    changes
}

/// Where a key is, and when it ends.
#[derive(PartialEq, Eq)]
struct Key<'a> {
    from: From<'a>,
    retire: Option<Timestamp>,
}

#[derive(PartialEq, Eq)]
enum From<'a> {
    Entry(&'a Reference),
    Issuer(&'a IssuerKeys),
}

/// By what people call them. A list that two senders share has its keys once.
fn keys_of(policy: &Policy) -> BTreeMap<String, Key<'_>> {
    let entries = policy.keys.iter().flat_map(|reference| {
        let list = reference.name.split('/').next().unwrap_or_default();
        reference.entries.iter().map(move |KeyEntry { id, from, retire }| {
            (format!("{list}/{id}"), Key { from: From::Entry(from), retire: *retire })
        })
    });
    let issuers = policy
        .issuers
        .iter()
        .map(|issuer| (format!("issuer {}", issuer.name), Key { from: From::Issuer(&issuer.keys), retire: None }));
    entries.chain(issuers).collect()
}

fn keys(before: &BTreeMap<String, Key<'_>>, after: &BTreeMap<String, Key<'_>>, changes: &mut Vec<Change>) {
    let mut tell = |what, about: String| changes.push(Change { what, about });
    for (name, new) in after {
        match before.get(name) {
            None => tell(ADDED, name.clone()),
            Some(old) => {
                if old.from != new.from {
                    tell(CHANGED, name.clone());
                }
                match (old.retire, new.retire) {
                    (old, Some(new)) if old.is_none_or(|old| new < old) => {
                        tell(RETIRED, format!("{name}, from {}", day(new)));
                    }
                    (Some(old), new) if new != Some(old) => {
                        let until = new.map_or_else(|| "no day on".to_owned(), day);
                        tell(WEAKEN, format!("{name}: retires from {until}, and before from {}", day(old)));
                    }
                    (_, _) => {}
                }
            }
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        tell(RETIRED, name.clone());
    }
}

/// In what a route asks for less than it did.
fn weaker(old: &Route, new: &Route) -> Vec<String> {
    let below = Limit::of(old).into_iter().filter(|limit| limit.is_broken_by(new));
    let mut weaker: Vec<_> = below.map(|limit| format!("`{}` was {limit}", limit.route_key())).collect();
    let what = |observe: &Option<Observe>| observe.as_ref().map(|observe| observe.what);
    if new.observe.is_some() && what(&new.observe) != what(&old.observe) {
        weaker.push("is observed, and does not enforce".to_owned());
    }
    if let (Some(old), Some(new)) = (old.sender.webhook(), new.sender.webhook()) {
        weaker.extend(trusts_more(old.trust(), new.trust()).map(str::to_owned));
    }
    weaker
}

/// In what its sender is taken at its word more than it was.
fn trusts_more(old: &Trust, new: &Trust) -> impl Iterator<Item = &'static str> {
    let more = match (&old.addresses, &new.addresses) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old), Some(new)) => {
            let known = |net: &IpNet| old.nets.iter().any(|old| old.contains(net));
            !new.nets.iter().all(known) || !new.files.iter().all(|file| old.files.contains(file))
        }
    };
    let told = [
        (new.unsigned && !old.unsigned, "what nobody signed is taken"),
        (more, "more addresses may send"),
        (old.confirm.is_some() && new.confirm.is_none(), "the vendor is not asked any more"),
    ];
    told.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what)
}

fn day(at: Timestamp) -> String {
    at.rfc3339().split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policy::{Overrides, Source, TextFile, compile, tests::compiled},
        verify::Catalogue,
    };

    const BASE: &str = r"
routes:
  shop:
    at: { path: /hooks/shop }
    sender: { provider: standard-webhooks, keys: shop, max_age: 5m }
    limits: { per_address: 10/s, per_sender: 5/s }
    redact: [{ at: /card, as: drop }]
keys: { shop: [{ id: live, from: env:A }, { id: old, from: env:B, retire: 2030-01-31 }] }
destinations: { wordpress: { url: 'http://127.0.0.1:8080/' } }
";

    fn told(from: &str, to: &str) -> Vec<String> {
        let policy = |text: &str| compiled(text).unwrap().policy;
        changes(&policy(BASE), &policy(&BASE.replace(from, to)))
            .into_iter()
            .map(|Change { what, about }| format!("{what} {about}"))
            .collect()
    }

    #[test]
    fn the_same_policy_changes_nothing() {
        assert_eq!(told("", ""), [""; 0]);
    }

    #[test]
    fn keys_that_come_go_or_move_are_told() {
        assert_eq!(told("id: live", "id: new"), ["key added shop/new", "key retired shop/live"]);
        assert_eq!(told("env:A", "env:C"), ["key changed shop/live"]);
        assert_eq!(told("env:A }", "env:A, retire: 2030-06-01 }"), ["key retired shop/live, from 2030-06-01"]);
        assert_eq!(told("2030-01-31", "2030-01-01"), ["key retired shop/old, from 2030-01-01"]);
    }

    #[test]
    fn a_key_that_may_stay_for_longer_is_a_weakening() {
        let later = "weaken shop/old: retires from 2031-01-01, and before from 2030-01-31";
        assert_eq!(told("2030-01-31", "2031-01-01"), [later]);
        let never = "weaken shop/old: retires from no day on, and before from 2030-01-31";
        assert_eq!(told(", retire: 2030-01-31", ""), [never]);
    }

    #[test]
    fn a_route_that_asks_for_less_is_told_in_what() {
        assert_eq!(told("max_age: 5m", "max_age: 30m"), ["weaken shop: `sender.max_age` was `5m` or less"]);
        assert_eq!(told("10/s", "11/s"), ["weaken shop: `limits.per_address` was `10/s` or less"]);
        assert_eq!(told(", per_sender: 5/s", ""), ["weaken shop: `limits.per_sender` was `5/s` or less"]);
        let body = ["weaken shop: `admit.body` was `1MiB` or less"];
        assert_eq!(told("    limits:", "    admit: { body: 2MiB }\n    limits:"), body);
        let redaction = told("    redact: [{ at: /card, as: drop }]\n", "");
        assert_eq!(redaction, ["weaken shop: its redaction is gone"]);
        assert_eq!(told("max_age: 5m", "max_age: 1m"), [""; 0], "stronger is nothing to answer for");
    }

    #[test]
    fn a_milder_redaction_is_told_place_by_place() {
        let told = |before: &str, after: &str| {
            let policy = |rules: &str| {
                compiled(&BASE.replace("[{ at: /card, as: drop }]", &format!("[{rules}]"))).unwrap().policy
            };
            let changes = changes(&policy(before), &policy(after));
            changes.iter().map(|Change { what, about }| format!("{what} {about}")).collect::<Vec<_>>()
        };
        let both = "{ at: /card, as: drop }, { name: email, as: mask }";
        assert_eq!(told(both, "{ at: /card, as: drop }"), ["weaken shop: `name:email` is not redacted any more"]);
        let milder = told(both, "{ at: /card, as: truncate, characters: 4 }, { name: EMAIL, as: pseudonym }");
        let card = "weaken shop: `/card` was redacted by `drop`, and is by `truncate, characters: 4`";
        assert_eq!(milder, [card, "weaken shop: `name:email` was redacted by `mask`, and is by `pseudonym`"]);
        let (four, ten) = ("{ at: /a, as: truncate, characters: 4 }", "{ at: /a, as: truncate, characters: 10 }");
        assert_eq!(told(four, ten).len(), 1, "more of it stays");
        assert_eq!(told(ten, four), [""; 0]);
        let inner = "{ at: /card/number, as: mask }, { at: $..cvc, as: drop }, { header: X-A, as: mask }, { query: t, as: mask }";
        let outer =
            "{ at: /card, as: drop }, { at: $..cvc, as: drop }, { header: x-a, as: drop }, { query: t, as: mask }";
        assert_eq!(told(inner, outer), [""; 0], "what holds it goes whole");
        assert_eq!(told(outer, inner).len(), 2, "the rest of the card, and a header that was dropped");
        assert_eq!(told("{ at: /customer/email, as: mask }", "{ name: email, as: drop }"), [""; 0]);
    }

    /// What is told when a shop's contract and the files of its schemas change.
    fn of_schemas(before: (&str, &[(&str, &str)]), after: (&str, &[(&str, &str)])) -> Vec<String> {
        let policy = |(contract, schemas): (&str, &[(&str, &str)])| {
            let contract = if contract.is_empty() { String::new() } else { format!("    contract: {contract}\n") };
            let mut source = Source::one("gate.yaml", BASE.replace("    redact:", &format!("{contract}    redact:")));
            let file = |(name, text): &(&str, &str)| TextFile { name: format!("schemas/{name}"), text: (*text).into() };
            source.schemas = schemas.iter().map(file).collect();
            let now = Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap();
            compile(&source, &Catalogue::embedded(), &Overrides::default(), now).unwrap().policy
        };
        let changes = changes(&policy(before), &policy(after));
        changes.iter().map(|Change { what, about }| format!("{what} {about}")).collect()
    }

    #[test]
    fn a_schema_that_is_gone_or_says_something_else_is_told() {
        const ONE: &str = "{ schema: schemas/a.json }";
        let a = |text| [("a.json", text), ("b.json", r#"{ "maximum": 5 }"#), ("c.json", "{}")];
        let named = r#"{ "$id": "https://shop.example/a", "type": "object" }"#;
        let looser = r#"{ "$id": "https://shop.example/a" }"#;
        assert_eq!(of_schemas((ONE, &a(named)), ("", &a(named))), ["weaken shop: its schema is gone"]);
        assert_eq!(of_schemas(("", &a(named)), (ONE, &a(named))), [""; 0]);
        let changed = ["schema changed shop: its schema says something else"];
        assert_eq!(of_schemas((ONE, &a(named)), (ONE, &a(looser))), changed, "under the same name");
        let refers = r#"{ "properties": { "a": { "$ref": "b.json" } } }"#;
        let mut other = a(refers);
        other[1].1 = r#"{ "maximum": 6 }"#;
        assert_eq!(of_schemas((ONE, &a(refers)), (ONE, &other)), changed, "in what it refers to");
        let mut other = a(refers);
        other[2].1 = "true";
        assert_eq!(of_schemas((ONE, &a(refers)), (ONE, &other)), [""; 0], "it does not refer to this one");
        let checked = "{ schema: schemas/a.json, formats: check }";
        let formats = ["weaken shop: `format` is not checked any more in its schema"];
        assert_eq!(of_schemas((checked, &a(named)), (ONE, &a(named))), formats);
    }

    #[test]
    fn more_versions_and_later_ends_are_told() {
        let files = [("v/1.json", "{}"), ("v/2.json", "{}")];
        let told = |before, after| of_schemas((before, &files), (after, &files));
        let one = "{ schemas: schemas/v, by: /v, accepts: ['1'], sunset: { '1': 2030-01-31 } }";
        let two = "{ schemas: schemas/v, by: /v, sunset: { '1': 2030-02-28 } }";
        let later = "weaken shop: version `1` is refused from 2030-02-28, and before from 2030-01-31";
        assert_eq!(told(one, two), [later, "weaken shop: version `2` is accepted, too"]);
        assert_eq!(told(two, one), [""; 0]);
        let never = "weaken shop: version `1` is refused from no day on, and before from 2030-01-31";
        assert_eq!(told(one, "{ schemas: schemas/v, by: /v, accepts: ['1'] }"), [never]);
        let otherwise = ["schema changed shop: its schema is chosen in another way"];
        assert_eq!(told(two, "{ schemas: schemas/v, by: /w, sunset: { '1': 2030-02-28 } }"), otherwise);
        assert_eq!(told(two, "{ schema: schemas/v/1.json }"), otherwise);
    }

    #[test]
    fn a_sender_that_is_taken_at_its_word_more_than_before_is_told() {
        let told = |old: &str, new: &str| {
            let policy = |sender: &str| {
                let text = format!(
                    "routes: {{ shop: {{ at: {{ path: /a }}, sender: {{ {sender} }}, deliver: {{ via: relay }}, repeats: {{ \
                     protection: impossible }} }} }}\nkeys: {{ some: [{{ id: live, from: env:A }}] }}"
                );
                compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy
            };
            let told = changes(&policy(old), &policy(new)).into_iter();
            told.filter(|change| change.what == WEAKEN).map(|change| change.about).collect::<Vec<_>>()
        };
        let unsigned = |terms: &str| format!("provider: mollie-classic, accept: unsigned, {terms}");
        let (asked, listed) = (unsigned("confirm: { key: some }"), unsigned("addresses: [192.0.2.0/24, 'file:/a']"));
        let both = unsigned("confirm: { key: some }, addresses: [192.0.2.0/24]");
        assert_eq!(told(&both, &asked), ["shop: more addresses may send"]);
        assert_eq!(told(&both, &listed), ["shop: more addresses may send", "shop: the vendor is not asked any more"]);
        assert_eq!(told(&listed, &unsigned("addresses: [192.0.2.7, 'file:/a']")), [""; 0], "fewer are stronger");
        assert_eq!(told(&listed, &unsigned("addresses: [192.0.0.0/16]")), ["shop: more addresses may send"]);
        assert_eq!(told(&asked, &both), [""; 0]);
        assert_eq!(told("provider: url-token, keys: some", &asked), ["shop: what nobody signed is taken"]);
    }

    #[test]
    fn a_route_that_is_gone_or_only_observed_guards_less() {
        let gone = told("  shop:\n    at: { path: /hooks/shop }", "  other:\n    at: { path: /hooks/other }");
        assert_eq!(gone, ["weaken shop: the route is gone"]);
        let observed =
            told("destinations:", "rollout: { shop: { observe: [limits], until: 2030-01-01 } }\ndestinations:");
        assert_eq!(observed, ["weaken shop: is observed, and does not enforce"]);
    }
}
