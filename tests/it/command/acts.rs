//! Who acts is somebody, in one line of a log.

use super::{Bench, POLICY};

#[test]
fn nobody_acts_without_a_name_and_nobody_writes_another_line_of_the_log() {
    let bench = Bench::new(&[("gate.yaml", POLICY)]);
    let verbs: [&[&str]; 5] = [
        &["policy", "reload", "gate.yaml"],
        &["policy", "rollback", "gate.yaml"],
        &["spool", "drop", "evt_1"],
        &["spool", "retry", "evt_1"],
        &["spool", "enable", "wordpress"],
    ];
    let long = "x".repeat(129);
    for verb in verbs {
        for actor in ["", " ", "eve\n2026-11-25T00:00:00Z  INFO accepted an event", "\u{1b}[31mme", &long] {
            let ran = bench.run(&[verb, &["--actor", actor]].concat());
            assert_eq!(ran.code, Some(2), "{verb:?} by {actor:?}: {ran:?}");
            assert!(ran.err.contains("an actor "), "{verb:?} by {actor:?}: {ran:?}");
        }
    }
    let unnamed = bench.run(&["spool", "retry", "evt_1", "--spool", "nowhere"]);
    assert!(
        unnamed.code == Some(1) && unnamed.err.contains("there is no spool in `nowhere`"),
        "an account is a name: {unnamed:?}"
    );
    for verb in ["drop", "retry"] {
        let ran = bench.run(&["spool", verb, "evt_1", "--actor", "kim", "--reason", "a\nb"]);
        assert_eq!(ran.code, Some(2), "{verb}: {ran:?}");
    }
}
