//! Every request of a site pays for this, guarded or not: reading its target, and asking which route it is for.

use crate::head;
use criterion::{BenchmarkId, Criterion};
use hookwarden::{
    guard::{Found, Guards, Selector},
    request::Target,
};
use http::Method;
use std::hint::black_box;

const ROUTES: [usize; 3] = [10, 100, 1000];

/// What is asked for; and whether a route guards it.
const TARGETS: [(&str, &str, bool); 5] = [
    ("path", "/hooks/sender-7", true),
    ("wc-api query", "/?wc-api=WC_Gateway_3", true),
    ("rest", "/wp-json/shop/v1/orders-5/", true),
    ("page", "/product/espresso-cups/?color=red&size=4", false),
    ("escaped page", "/?s=caf%C3%A9+cr%C3%A8me&rest_route=/wp/v2/posts&orderby=date", false),
];

pub(crate) fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("guard");
    for (name, target, _) in TARGETS {
        group.bench_function(BenchmarkId::new("read the target", name), |bencher| {
            bencher.iter(|| Target::parse(black_box(target)).unwrap());
        });
    }
    for routes in ROUTES {
        let guards = guards(routes);
        for (name, target, is_guarded) in TARGETS {
            let head = head(Method::POST, target, &[]);
            let found = guards.find(&head);
            assert_eq!(matches!(found, Found::Guarded(_)), is_guarded, "{target}: {found:?}");
            group.bench_function(BenchmarkId::new(name, routes), |bencher| {
                bencher.iter(|| guards.find(black_box(&head)));
            });
        }
    }
    group.finish();
}

/// A third each of paths, of `WooCommerce`'s endpoints and of REST routes.
fn guards(routes: usize) -> Guards {
    let selector = |number: usize| match number % 3 {
        0 => Selector::wc_api(&format!("wc_gateway_{number}")),
        1 => Selector::path(&format!("/hooks/sender-{number}")),
        _ => Selector::rest(&format!("/shop/v1/orders-{number}")),
    };
    Guards::new((0..routes).map(|number| (selector(number).unwrap(), number)))
}
