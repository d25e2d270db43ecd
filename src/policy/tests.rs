use super::{Compiled, Overrides, Report, Source, compile};
use crate::{clock::Timestamp, verify::Catalogue};

/// On 2026-11-24.
pub(crate) fn compiled(text: &str) -> Result<Compiled, Report> {
    let now = Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap();
    compile(&Source::one("gate.yaml", text), &Catalogue::embedded(), &Overrides::default(), now)
}

/// All that is told about a text.
fn told(text: &str) -> String {
    compiled(text).map_or_else(|report| report.to_string(), |compiled| compiled.warnings.to_string())
}

#[test]
fn columns_are_characters_and_marks_are_as_wide_as_a_terminal_shows_them() {
    let told = told("routes: {}\n日本: 1\n");
    assert!(told.starts_with("gate.yaml:2:1: unknown key `日本`"), "{told}");
    assert!(told.ends_with("  | 日本: 1\n  | ^^^^\n"), "{told}");
}

#[test]
fn what_a_terminal_would_obey_is_not_shown() {
    let told = told("routes: {}\n\"\\e[2J\u{202e}\": 1\n");
    assert!(told.contains("unknown key"), "{told}");
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
}

#[test]
fn colours_are_for_terminals() {
    let report = compiled("routes: {}\nzebra: 1\n").unwrap_err();
    let mut coloured = String::new();
    report.write(&mut coloured, true).unwrap();
    let marked = "\x1b[31munknown key `zebra`\x1b[0m; known here: `admin`";
    assert!(coloured.contains(marked), "the way out stands out: {coloured:?}");
    assert!(!report.to_string().contains('\x1b'));
}

#[test]
fn the_memory_of_a_window_follows_from_the_policy() {
    let text = "\
routes:
  signed: { at: { path: /a }, sender: { provider: stripe, keys: k, max_age: 10m, max_future: 5s } }
  unsigned: { at: { path: /b }, sender: { provider: github, keys: k }, repeats: { remember: 2d } }
keys: { k: [{ id: a, from: env:A }] }
destinations: { wordpress: { url: 'http://w/' } }
";
    let policy = compiled(text).unwrap_or_else(|report| panic!("{report}")).policy;
    let seconds: Vec<_> =
        policy.routes.iter().map(|route| route.sender.webhook().unwrap().window().memory().as_secs()).collect();
    assert_eq!(seconds, [607, 172_800]);
}

#[test]
fn a_summary_says_what_is_covered_and_what_is_hearsay() {
    let text = "\
routes:
  github: { owner: { team: web }, at: { path: /b }, sender: { provider: github, keys: k }, repeats: { remember: 2d } }
keys: { k: [{ id: a, from: env:A }] }
destinations: { wordpress: { url: 'http://w/' } }
";
    let policy = compiled(text).unwrap().policy;
    let expected = "\
github  (path: /b)
  sender    github, 1 key in `k`; the signature covers body, but no id and no time
  repeats   by what was signed: 48h
  delivery  queued, then as an event to wordpress; a 2xx is 202 after fdatasync in the spool
  limits    POST up to 1MiB, 100/s from one address, answered within 9s
  answers   validation calls: ping
  owner     web
";
    assert_eq!(policy.summary()[0].to_string(), expected);
}
