//! Cases of routes whose sender signs messages (RFC 9421): signed with a key of the kind that the route wants.

use super::now;
use hookwarden::{
    policy::{Overrides, Source, Stages, TextFile, cases, compile},
    rehearsal::{Ending, Suite},
    verify::{Catalogue, message_algorithms},
};

#[test]
fn a_case_signs_with_the_algorithm_of_its_route() {
    let routes = message_algorithms().map(|alg| {
        let keys = if alg.starts_with("hmac-") { "secrets" } else { "all" };
        format!(
            "  of-{alg}:\n    at: {{ path: /{alg} }}\n    sender: {{ provider: http-message-signatures, keys: {keys}, config: {{ alg: {alg}, \
             components: '@method @target-uri content-digest' }} }}\n"
        )
    });
    let policy = format!(
        "public_url: https://shop.example\nroutes:\n{}keys: {{ all: [{{ id: live, from: env:A }}], secrets: [{{ id: live, from: env:B }}] }}\ndestinations: {{ wordpress: {{ \
         url: 'http://w/' }} }}\n",
        routes.collect::<String>()
    );
    let compiled = compile(&Source::one("gate.yaml", &policy), &Catalogue::embedded(), &Overrides::default(), now());
    let policy = compiled.unwrap_or_else(|report| panic!("{report}")).policy;
    let written = message_algorithms().map(|alg| {
        format!(
            "  - {{ name: good {alg}, send: {{ route: of-{alg}, json: {{}} }}, expect: {{ decision: accepted }} }}\n  - {{ name: old \
             {alg}, send: {{ route: of-{alg}, json: {{}}, age: 1h }}, expect: {{ decision: refused, code: stale }} }}\n"
        )
    });
    let text = format!("cases:\n{}", written.collect::<String>());
    let file = TextFile { name: "gate.test.yaml".to_owned(), text };
    let cases = cases(&[file], &policy, Stages { known: &[], this: None }).unwrap_or_else(|report| panic!("{report}"));
    let (verdicts, _) = Suite::new(&policy, &cases, now()).play();
    assert_eq!(verdicts.len(), 12);
    for verdict in verdicts {
        assert_eq!(verdict.ending, Ending::Passed, "{}", verdict.case.name);
    }
}
