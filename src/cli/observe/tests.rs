//! What a person reads.

use super::*;

fn report(routes: Vec<RouteReport>) -> ObserveReport {
    ObserveReport { at: "2026-11-25T12:00:00Z".into(), safe: routes.iter().all(|route| route.safe), routes }
}

fn text(report: &ObserveReport) -> String {
    let mut text = String::new();
    write(&mut text, report).unwrap();
    text
}

fn checkout() -> RouteReport {
    RouteReport {
        route: "checkout".into(),
        observes: vec!["all".into()],
        until: "2026-12-15T00:00:00Z".into(),
        since: "2026-11-25T06:00:00Z".into(),
        observed_s: 6 * 3600,
        judged: vec![Judged { by: "all".into(), good: 120, repeats: 3, refused: 2 }],
        refused: vec![Refused {
            check: "verify".into(),
            code: "stale".into(),
            count: 2,
            last: "2026-11-25T11:59:00Z".into(),
        }],
        unjudged: vec![Unjudged { reason: "no_room".into(), count: 1, last: "2026-11-25T09:00:00Z".into() }],
        safe: false,
        because: vec!["it has been observed for 6h; 24h at least".into()],
    }
}

#[test]
fn says_of_each_route_what_was_found_and_what_speaks_against_enforcing() {
    let judged = |by: &str, good| Judged { by: by.into(), good, repeats: 0, refused: 0 };
    let events = RouteReport {
        route: "events".into(),
        observes: vec!["schema".into(), "limits".into()],
        observed_s: 90_000,
        judged: vec![judged("schema", 100), judged("limits", 101)],
        refused: Vec::new(),
        unjudged: Vec::new(),
        safe: true,
        because: Vec::new(),
        ..checkout()
    };
    let expected = "\
checkout  (all)
  since     2026-11-25T06:00:00Z, for 6h
  until     2026-12-15T00:00:00Z; then it enforces
  judged    125: 120 good, 3 repeats, 2 would have been refused
  refused   verify: 2 stale, last 2026-11-25T11:59:00Z
  unjudged  1 no_room, last 2026-11-25T09:00:00Z
  enforce   not yet:
            - it has been observed for 6h; 24h at least

events  (schema, limits)
  since     2026-11-25T06:00:00Z, for 25h
  until     2026-12-15T00:00:00Z; then it enforces
  judged    by schema: 100: 100 good, 0 would have been refused
  judged    by limits: 101: 101 good, 0 would have been refused
  enforce   yes: nothing speaks against it
";
    assert_eq!(text(&report(vec![checkout(), events])), expected);
}

#[test]
fn says_so_where_nothing_is_tried() {
    assert_eq!(text(&report(Vec::new())), "no route is tried: what the policy says is enforced\n");
}
