//! What is counted, what of it is told, and what speaks against enforcing.

use super::*;
use crate::{
    edge::Took,
    outcome::{Notes, Outcome},
    policy::{Overrides, Source, TextFile, compile},
    verdict::Rejection,
    verify::Catalogue,
};
use std::sync::atomic::{AtomicI64, Ordering};

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(self.0.load(Ordering::SeqCst))
    }
}

const START: i64 = 1_790_000_000;
const WHOLE: &str = "tried: { observe: all, until: 2999-12-31 }";
const CHECKS: &str = "tried: { observe: [schema, limits], until: 2999-12-31 }";

struct Table {
    observed: Observed,
    clock: Arc<Hand>,
}

fn policy(rollout: &str, body: &str) -> Policy {
    let text = format!(
        "
routes:
  tried:
    at: {{ path: /tried }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    admit: {{ body: {body} }}
    contract: {{ schema: schemas/order.json }}
    deliver: {{ via: relay }}
keys: {{ shop: [{{ id: live, from: env:SHOP }}] }}
rollout: {{ {rollout} }}
"
    );
    let now = Timestamp::from_unix_s(START);
    let mut source = Source::one("gate.yaml", text);
    source.schemas = vec![TextFile { name: "schemas/order.json".into(), text: "{}".into() }];
    let compiled = compile(&source, &Catalogue::embedded(), &Overrides::default(), now);
    compiled.unwrap_or_else(|report| panic!("{report}")).policy
}

fn table(rollout: &str) -> Table {
    let clock = Arc::new(Hand(AtomicI64::new(START)));
    let observed = Observed::new(clock.clone());
    observed.know(&policy(rollout, "1KiB"));
    Table { observed, clock }
}

fn good() -> Observation {
    Observation { check: Check::All, found: Judgement::Good }
}

fn refused(rejection: Rejection) -> Observation {
    Observation::refused(rejection, None)
}

impl Table {
    fn passes(&self, time: Duration) {
        self.clock.0.fetch_add(time.as_secs().cast_signed(), Ordering::SeqCst);
    }

    fn finds(&self, times: usize, observation: &Observation) {
        for _ in 0..times {
            self.observed.finished(&report_of("tried", observation.clone()));
        }
    }

    fn route(&self) -> RouteReport {
        self.observed.report().routes.pop().expect("one is tried")
    }

    /// All that is asked for, so that what is added is what speaks against it.
    fn in_order() -> Self {
        let table = table(WHOLE);
        table.finds(100, &good());
        table.passes(Duration::from_hours(24));
        table
    }
}

fn report_of(route: &str, observation: Observation) -> Report {
    Report {
        outcome: Outcome::Observed,
        detail: None,
        route: Some(route.into()),
        status: Some(200),
        method: None,
        path: String::new(),
        version: http::Version::HTTP_11,
        client: None,
        request_id: "request".into(),
        received_bytes: 0,
        sent_bytes: 0,
        took: Took::default(),
        notes: Notes { observed: vec![observation], ..Notes::default() },
    }
}

#[test]
fn a_day_and_a_hundred_good_requests_are_enough() {
    let table = Table::in_order();
    assert_eq!(table.route().because, [""; 0]);
    assert!(table.route().safe && table.observed.report().safe);

    table.passes(Duration::from_hours(1));
    let report = table.route();
    assert_eq!((report.observed_s, report.judged[0].good), (25 * 3600, 100));
    assert_eq!((report.since.as_str(), report.until.as_str()), ("2026-09-21T14:13:20Z", "2999-12-31T00:00:00Z"));
}

#[test]
fn less_than_that_is_too_little() {
    let table = table(WHOLE);
    table.finds(99, &good());
    table.passes(Duration::from_secs(86_399));
    let doubts = table.route().because;
    assert_eq!(doubts, ["it has been observed for 23h; 24h at least", "99 good requests were judged; 100 at least"]);
    assert!(!table.observed.report().safe);
}

#[test]
fn whatever_a_genuine_sender_would_lose_speaks_against_it() {
    for (rejection, doubt) in [
        (Rejection::Stale, "`verify` would have refused 1 as `stale`"),
        (Rejection::NoKey, "`verify` would have refused 1 as `no_key`"),
        (Rejection::Method, "`admit` would have refused 1 as `method_not_allowed`"),
        (Rejection::ContractBroken, "`schema` would have refused 1 as `contract_broken`"),
        (Rejection::AddressLimited(Duration::ZERO), "`limits` would have refused 1 as `address_limited`"),
        (Rejection::GuardedInForm, "`guard` would have refused 1 as `guarded_in_form`"),
        (Rejection::TooLarge, "1 bodies were longer than the route takes, and would have been refused"),
    ] {
        let table = Table::in_order();
        table.finds(1, &refused(rejection));
        assert_eq!(table.route().because, [doubt]);
    }
}

#[test]
fn a_few_strangers_and_repeats_are_what_the_gate_is_for() {
    let table = Table::in_order();
    table.finds(9, &refused(Rejection::SignatureMissing));
    table.finds(1, &refused(Rejection::SignatureMismatch));
    table.finds(500, &Observation { check: Check::Repeats, found: Judgement::Repeat });
    assert!(table.route().safe, "{:?}", table.route().because);
    assert_eq!(table.route().judged, [Judged { by: "all".into(), good: 100, repeats: 500, refused: 10 }]);
    table.finds(1, &refused(Rejection::SignatureMismatch));
    let doubts = table.route().because;
    assert!(matches!(&doubts[..], [doubt] if doubt.starts_with("11 had no signature by a key")), "{doubts:?}");
}

#[test]
fn what_could_not_be_judged_counts_when_there_is_much_of_it() {
    let table = Table::in_order();
    table.finds(10, &Observation::unjudged("no_room"));
    assert!(table.route().safe, "{:?}", table.route().because);
    table.finds(1, &Observation::unjudged("incomplete"));
    assert_eq!(table.route().because, ["11 could not be judged, more than one for 10 that were"]);
}

#[test]
fn checks_that_are_tried_alone_have_counts_of_their_own() {
    let table = table(CHECKS);
    table.passes(Duration::from_hours(24));
    table.finds(100, &Observation { check: Check::Limits, found: Judgement::Good });
    table.finds(7, &Observation { check: Check::Schema, found: Judgement::Good });
    table.finds(2, &refused(Rejection::ContractBroken));
    let report = table.route();
    assert_eq!(report.observes, ["schema", "limits"]);
    let judged = |by: &str, good, refused| Judged { by: by.into(), good, repeats: 0, refused };
    assert_eq!(report.judged, [judged("schema", 7, 2), judged("limits", 100, 0)]);
    let doubts =
        ["7 good requests were judged by `schema`; 100 at least", "`schema` would have refused 2 as `contract_broken`"];
    assert_eq!(report.because, doubts);
}

#[test]
fn counts_stay_over_a_reload_as_long_as_their_terms_do() {
    let table = table(WHOLE);
    table.finds(3, &good());
    table.passes(Duration::from_hours(2));
    table.observed.know(&policy(WHOLE, "1KiB"));
    assert_eq!((table.route().judged[0].good, table.route().observed_s), (3, 7200));

    table.observed.know(&policy(WHOLE, "2KiB"));
    assert_eq!((table.route().judged[0].good, table.route().observed_s), (0, 0), "another limit, another trial");
    table.finds(3, &good());
    table.observed.know(&policy(&WHOLE.replace("2999", "2998"), "2KiB"));
    assert_eq!(table.route().judged[0].good, 0, "another rollout");
    table.observed.know(&policy("", "2KiB"));
    table.finds(1, &good());
    assert_eq!(table.observed.report().routes, []);
}

#[test]
fn the_log_has_one_example_of_each_kind_an_hour() {
    let table = table(WHOLE);
    let add = |observation: &Observation| {
        let now = table.clock.now();
        table.observed.routes().get_mut("tried").unwrap().add(observation, now)
    };
    let (stale, forged) = (refused(Rejection::Stale), refused(Rejection::SignatureMismatch));
    assert!(add(&stale) && add(&forged), "each kind");
    assert!(!add(&stale) && !add(&forged));
    assert!(!add(&good()), "what is good is no news");
    table.passes(Duration::from_secs(3599));
    assert!(!add(&stale));
    table.passes(Duration::from_secs(1));
    assert!(add(&stale) && !add(&stale));
    table.clock.0.store(START, Ordering::SeqCst);
    assert!(add(&stale) && !add(&stale), "a clock that was set back does not silence it");
    assert_eq!(table.route().refused.iter().map(|refused| refused.count).sum::<u64>(), 9);
}
