use super::{Compiled, Overrides, Report, Source, compile::compile_with, senders::Senders};
use crate::{
    clock::Timestamp,
    repeat::Identical,
    verify::{Catalogue, Provider, Respond, Scheme},
};
use std::{sync::Arc, time::Duration};

fn provider(name: &str, max_age: Option<u64>) -> Arc<Provider> {
    Arc::new(Provider {
        name: name.to_owned(),
        aliases: Vec::new(),
        scheme: Scheme {},
        event_key: Vec::new(),
        type_member: None,
        type_header: None,
        identical: Identical::Repeat,
        max_age: max_age.map(Duration::from_secs),
        max_future: Duration::from_secs(60),
        retry_horizon: Duration::from_hours(72),
        answer_by: Duration::from_secs(9),
        respond: Respond::default(),
        documentation: String::new(),
    })
}

fn compiled(text: &str) -> Result<Compiled, Report> {
    let catalogue = Catalogue::default();
    let own = vec![provider("stripe", Some(300)), provider("github", None)];
    let senders = Senders::only(&catalogue, own);
    let now = Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap();
    compile_with(&Source::one("gate.yaml", text), &senders, Vec::new(), &Overrides::default(), now)
}

#[test]
fn one_route_is_a_policy() {
    let text = "\
routes:
  shop: { at: { path: /hooks/shop }, sender: { provider: stripe, keys: shop } }
keys: { shop: [{ id: live, from: env:SHOP }] }
destinations: { wordpress: { url: 'http://127.0.0.1:8080/wp-json/hookwarden/v1/events' } }
";
    let compiled = compiled(text).unwrap_or_else(|report| panic!("{report}"));
    assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
    assert_eq!(compiled.policy.routes.len(), 1);
    assert_eq!(compiled.policy.keys[0].name, "shop/stripe");
}
