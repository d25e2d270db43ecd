//! Which files belong to a policy, by whatever path it is named.

use super::{Bench, POLICY, name};

const CASES: &str = "\
cases:
  - name: what is not signed is refused
    request: { method: POST, target: /hooks/shop, json: { id: a } }
    expect: { decision: refused }
";

#[test]
fn the_tests_beside_a_policy_are_played_whatever_the_path_to_it() {
    let files = [("gate.yaml", POLICY), ("gate.test.yaml", CASES), ("other.test.yaml", CASES)];
    let bench = Bench::new(&files);
    let absolute = bench.path("gate.yaml");
    for policy in ["gate.yaml", "./gate.yaml", ".", name(&absolute)] {
        let ran = bench.run(&["test", policy]);
        assert!(ran.out.contains("\n2 passed, 0 failed\n"), "{policy}: {ran:?}");
        assert_eq!(ran.code, Some(0), "{policy}: {ran:?}");
    }
    assert!(bench.run(&["test", "gate.yaml"]).out.starts_with("gate.test.yaml\n"));
}

#[test]
fn of_a_policy_in_one_file_only_the_tests_of_its_name_are_played() {
    let bench = Bench::new(&[("shop.yaml", POLICY), ("shop.test.yaml", CASES), ("other.test.yaml", CASES)]);
    for policy in ["shop.yaml", "./shop.yaml"] {
        assert!(bench.run(&["test", policy]).out.contains("\n1 passed, 0 failed\n"), "{policy}");
    }
}

#[test]
fn a_route_in_a_file_that_is_not_read_is_no_policy_in_order() {
    let bench = Bench::new(&[("gate.yaml", POLICY), ("routes/X.YAML", ""), ("routes/sub/y.yaml", "")]);
    let ran = bench.run(&["check", "gate.yaml"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("routes/X.YAML") && ran.out.contains("routes/sub"), "{ran:?}");
    assert_eq!(ran.err, "", "the list is on standard output");
}

/// What a case says of a day is what the gate does on that day.
#[test]
fn an_exception_has_ended_for_a_case_that_is_played_on_its_last_day() {
    let policy = POLICY
        .replace("keys: shop }", "keys: shop, max_age: 30m }, exception: { from: verify.max_age, until: 2999-12-31 }");
    let policy = format!("floor: {{ verify: {{ max_age: 10m }}, exceptions: {{ longest: 999999d }} }}\n{policy}");
    let case = |day: &str, expected: &str| {
        format!(
            "  - name: on {day}\n    clock: \"{day}T00:00:01Z\"\n    send: {{ route: shop, age: 20m, json: {{ a: 1 }} }}\n    \
             expect: {{ {expected} }}\n"
        )
    };
    let cases = case("2999-12-30", "decision: accepted") + &case("2999-12-31", "decision: refused, code: stale");
    let bench = Bench::new(&[("gate.yaml", &policy), ("gate.test.yaml", &format!("cases:\n{cases}"))]);
    let ran = bench.run(&["test", "gate.yaml"]);
    assert!(ran.out.contains("2 passed, 0 failed"), "{ran:?}");
}

/// A pipe would be waited for, by a gate that runs too.
#[test]
fn a_pipe_among_the_files_of_a_policy_is_refused() {
    let bench = Bench::new(&[("gate.yaml", POLICY), ("routes/a.yaml", "routes: {}\n")]);
    let pipe = bench.path("routes/pipe.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let ran = bench.run(&["check", "."]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("pipe.yaml:1:1: this is not a file"), "{ran:?}");
}
