//! Believing a signature, by sender and size, next to the bare digest that nobody can do without.

use crate::{NOW, SECRET, SIZES_KIB, document, head};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use hookwarden::{
    repeat::Window,
    request::Unverified,
    secret::Secret,
    verify::{Catalogue, Config, Key, Keys, Provider, SigningKey, Unsigned, Webhook, verify},
};
use http::Method;
use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Duration};

/// Whose scheme differs: an HMAC over the body alone, with its time, with id and time, and Stripe's.
const COMMON: [&str; 7] = ["github", "shopify", "slack", "standard-webhooks", "stripe", "svix", "woocommerce"];

pub(crate) fn all(criterion: &mut Criterion) {
    let catalogue = Catalogue::embedded();
    let mut group = criterion.benchmark_group("verify");
    for kib in SIZES_KIB {
        let body = document(kib);
        group.throughput(Throughput::Bytes(body.len() as u64));
        let secret = Secret::new(SECRET).unwrap();
        group.bench_function(BenchmarkId::new("bare HMAC-SHA256", kib), |bencher| {
            bencher.iter(|| secret.digest(&[black_box(body.as_bytes())]));
        });
        let wanted = |name: &str| kib == SIZES_KIB[0] || COMMON.contains(&name);
        for provider in signing(&catalogue).filter(|provider| wanted(&provider.name)) {
            let (sender, keys) = sender(provider);
            let request = signed(provider, &body);
            group.bench_function(BenchmarkId::new(&provider.name, kib), |bencher| {
                let one = || Unverified { head: request.head.clone(), raw: request.raw.clone() };
                let believed = |one| verify(&sender, &keys, one, NOW).unwrap();
                bencher.iter_batched(one, believed, BatchSize::SmallInput);
            });
        }
    }
    group.finish();
}

/// All but those that show nothing: they have nothing to verify.
fn signing(catalogue: &Catalogue) -> impl Iterator<Item = &Arc<Provider>> {
    catalogue.iter().filter(|provider| !provider.scheme.shows_nothing())
}

/// A stranger's requests, as good as the sender's but for the key: they must not cost more to refuse than the sender's do
/// to believe.
pub(crate) fn strangers(criterion: &mut Criterion) {
    let catalogue = Catalogue::embedded();
    let mut group = criterion.benchmark_group("refuse");
    let body = document(1);
    for provider in signing(&catalogue) {
        let (sender, keys) = sender(provider);
        let (_, stranger) = provider.scheme.test_key("stranger").unwrap();
        let request = signed_with(&stranger, provider, &body);
        group.bench_function(BenchmarkId::new(&provider.name, 1), |bencher| {
            let one = || Unverified { head: request.head.clone(), raw: request.raw.clone() };
            bencher.iter_batched(one, |one| verify(&sender, &keys, one, NOW).unwrap_err(), BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn sender(provider: &Arc<Provider>) -> (Webhook, Keys) {
    let key = Key { id: LABEL.into(), secret: provider.scheme.key(&test_key(provider).0).unwrap(), retire: None };
    let keys = Keys::new(Secret::new("memory").unwrap(), BTreeMap::from([("all".to_owned(), vec![key])]));
    let window = match provider.max_age {
        Some(max_age) => Window::Signed { max_age, max_future: provider.max_future },
        None => Window::Unsigned { remember: Duration::from_secs(72 * 3600) },
    };
    let public_url = Some("https://shop.example".to_owned());
    (Webhook::for_tools("in", provider.clone(), "all", window, public_url).configured(config(provider)), keys)
}

/// What its scheme asks of a policy.
fn config(provider: &Provider) -> Config {
    provider.config().map(|name| (name.to_owned(), provider.scheme.config_example(name))).collect()
}

/// Every file of the catalogue, from its text.
pub(crate) fn catalogue(criterion: &mut Criterion) {
    criterion.bench_function("compile the whole catalogue", |bencher| bencher.iter(Catalogue::compile_embedded));
}

/// As this sender signs it.
pub(crate) fn signed(provider: &Provider, body: &str) -> Unverified {
    signed_with(&test_key(provider).1, provider, body)
}

fn signed_with(key: &SigningKey, provider: &Provider, body: &str) -> Unverified {
    let (site, id) = ("https://shop.example", "msg_1");
    let form = provider.scheme.signs_forms().then(|| form(body.len()));
    let content_type = if form.is_some() { "application/x-www-form-urlencoded" } else { "application/json" };
    let body = form.as_deref().unwrap_or(body);
    let url = format!("{site}/in");
    let what = Unsigned { method: &Method::POST, url: &url, content_type, body: body.as_bytes(), id, at: NOW };
    let mut made = provider.scheme.sign_for(&config(provider), key, &what);
    made.fields.extend(provider.scheme.config_fields(&config(provider)));
    made.fields.push(("content-type".to_owned(), content_type.to_owned()));
    let target = made.url.strip_prefix(site).unwrap();
    let raw = made.body.unwrap_or_else(|| body.as_bytes().to_vec());
    Unverified { head: head(Method::POST, target, &made.fields), raw: raw.into() }
}

/// Of the key; some senders say it beside their signature.
const LABEL: &str = "bench";

/// Of a field below.
const FIELD_BYTES: usize = 29;

/// For senders whose bodies are forms, about as long.
fn form(bytes: usize) -> String {
    let fields = (0..bytes / FIELD_BYTES).map(|at| format!("&text_{at}=caf%C3%A9+cr%C3%A8me"));
    format!("id=evt_1&type=invoice.paid{}", fields.collect::<String>())
}

/// What an operator would have been handed out, and what its sender signs with.
pub(crate) fn test_key(provider: &Provider) -> (String, SigningKey) {
    provider.scheme.test_key(LABEL).unwrap()
}
