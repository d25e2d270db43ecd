//! What the author of an entry is told.

use hookwarden::{
    clock::Timestamp,
    verify::{Catalogue, lint},
};

const GOOD: &str = "\
name: acme
documentation: https://acme.example/webhooks
source: { scheme: documentation, service: documentation, checked: 2026-11-24 }
scheme:
  alg: hmac-sha256
  sig: { in: \"header:X-Acme\", enc: hex }
  id: header:X-Acme-Id
  ts: { from: \"header:X-Acme-Time\", fmt: unix_s }
  message: [id, \"text:.\", ts, \"text:.\", body]
retry_horizon: 24h
answer_by: 9s
answers: 2xx within 10 s
retries: 3 in an hour
disables: never
";

/// Each finding as `line:column`, `!` for a mistake, and its message.
fn told(text: &str) -> Vec<String> {
    let now = Timestamp::from_rfc3339("2026-11-25T00:00:00Z").unwrap();
    let (_, findings) = lint(text, &Catalogue::embedded(), now);
    let told = findings.into_iter().map(|finding| {
        let before = &text[..finding.what.at.start];
        let (line, column) = (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap().len() + 1);
        let mark = if finding.is_mistake { "!" } else { "" };
        format!("{line}:{column}{mark} {}", finding.what.message)
    });
    told.collect()
}

fn with(old: &str, new: &str) -> Vec<String> {
    assert!(GOOD.contains(old), "{old}");
    told(&GOOD.replace(old, new))
}

#[test]
fn nothing_is_said_of_an_entry_that_says_it_all() {
    assert!(told(GOOD).is_empty(), "{:?}", told(GOOD));
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let told = told("aliases: [a]\n");
    for what in ["name", "documentation", "source", "scheme", "retry_horizon", "answer_by"] {
        let missing = format!("1:1! this is missing: `{what}: ");
        assert_eq!(told.iter().filter(|line| line.starts_with(&missing)).count(), 1, "{what}: {told:?}");
    }
    let sentences = with("answers: 2xx within 10 s\nretries: 3 in an hour\ndisables: never\n", "");
    assert_eq!(sentences.len(), 3, "{sentences:?}");
    assert!(sentences.iter().all(|line| line.starts_with("1:1 this could be said: ")), "{sentences:?}");
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    for (old, new, expected) in [
        ("name: acme", "name: stripe", "1:7! the catalogue has a sender `stripe`; choose another name"),
        ("name: acme", "name: acme\naliases: [clerk]", "2:11! the catalogue has a sender `clerk`; choose another name"),
        ("2026-11-24", "2026-11-26", "3:67! this day is still to come; write the day on which it was looked at"),
        (
            "scheme: documentation, ",
            "",
            "3:44 say how it is known, with `scheme: sdk`, `documentation`, `memory` or `third_party`",
        ),
        (
            "retry_horizon: 24h",
            "retry_horizon: 90d",
            "10:16! no vendor has such a time; it lies between `1s` and `60d`",
        ),
        ("answer_by: 9s", "answer_by: 10m", "11:12! no vendor has such a time; it lies between `100ms` and `2m`"),
        (
            "retry_horizon: 24h",
            "max_age: 3d\nretry_horizon: 24h",
            "10:10! no vendor has such a time; it lies between `1s` and `1d`",
        ),
        (
            "answer_by: 9s",
            "answer_by: 9s\nrespond: { accepted: 302, unauthenticated: 4010 }",
            "12:22! needs 299 at most",
        ),
        (
            "answer_by: 9s",
            "answer_by: 9s\nrespond: { accepted: 200, unauthenticated: 4010 }",
            "12:44! needs 599 at most",
        ),
        (
            "ts, \"text:.\", body",
            "ts, body",
            "9:31 nothing stands between `ts` and `body`: where one ends and the other begins is not signed",
        ),
        (
            "[id, \"text:.\", ts",
            "[ts",
            "7:7! anyone can change an id that is not signed; put `id` into `message`, or leave it out",
        ),
    ] {
        let told = with(old, new);
        assert!(told.contains(&expected.to_owned()), "{expected}\n{told:#?}");
    }
}

/// The first mistake of form hides neither the second one nor those of meaning, and no place is told of twice.
#[test]
fn mistakes_of_form_and_of_meaning_are_told_together() {
    let text = GOOD
        .replace("retry_horizon: 24h", "retry_horizon: 24\ntolerance: 5m\nevent_type: /kind")
        .replace("fmt: unix_s", "fmt: ms")
        .replace("documentation: https", "documentatoin: https");
    assert_eq!(
        told(&text),
        [
            "2:1! unknown key `documentatoin`; did you mean `documentation`?",
            "8:42! unknown time format `ms`; write `unix_ms`",
            "10:16! needs a text such as `24h`, not a number",
            "11:1! `tolerance` is written `max_age`, beside `scheme`",
            "12:13! cannot read `/kind`; did you mean `json:/kind`?",
        ]
    );
}

#[test]
fn what_was_meant_is_told_where_it_can_be() {
    for (old, new, expected) in [
        ("alg: hmac-sha256", "alg: HMAC_SHA256", "5:8! unknown algorithm `HMAC_SHA256`; did you mean `hmac-sha256`?"),
        ("enc: hex", "enc: hexadecimal", "6:36! unknown signature encoding `hexadecimal`; write `hex`"),
        ("fmt: unix_s", "fmt: iso8601", "8:42! unknown time format `iso8601`; write `rfc3339`"),
        ("in: \"header:X-Acme\"", "in: X-Acme", "6:14! cannot read `X-Acme`; did you mean `header:X-Acme`?"),
        (
            "in: \"header:X-Acme\"",
            "in: headr:X-Acme",
            "6:14! cannot read `headr:X-Acme`; did you mean `header:X-Acme`?",
        ),
        ("text:.\", body]", "text:.\", bodi]", "9:41! unknown part `bodi`; did you mean `body`?"),
        (
            "retry_horizon: 24h",
            "event_key: [data.id]\nretry_horizon: 24h",
            "10:13! `data.id` is no JSON Pointer; write something such as `/data/id`",
        ),
    ] {
        let told = with(old, new);
        assert_eq!(told, [expected], "{new}");
    }
}

#[test]
fn a_word_that_is_none_is_told() {
    for (old, new, expected) in [
        ("id: header:X-Acme-Id", "id: query:id", "7:7! cannot read `query:id`; "),
        ("enc: hex }\n", "enc: hex }\n  key: { transform: [rot13] }\n", "7:22! unknown transform `rot13`; "),
        (", body]", ", \"query:a&b\", body]", "`a&b` is no name of a parameter; "),
        (", \"text:.\", body]", "]\n  content: whatever", "10:12! unknown word `whatever`; "),
    ] {
        let told = with(old, new);
        assert_eq!(told.iter().filter(|line| line.contains(expected)).count(), 1, "{new}: {told:?}");
    }
}

#[test]
fn an_answer_about_something_else_is_no_word_about_this() {
    let asks = GOOD.replace(
        "answers: 2xx",
        "refers: { at: \"form:id\", like: \"[0-9]+\" }\nconfirm: { url: \"https://api.acme.example/{id}\" }\nanswers: 2xx",
    );
    let told_of_it = told(&asks);
    assert_eq!(told_of_it.len(), 1, "{told_of_it:?}");
    assert!(told_of_it[0].starts_with("13:17 an answer about something else would confirm it"), "{told_of_it:?}");
    assert!(told_of_it[0].contains("`same: /id`"), "{told_of_it:?}");
    assert_eq!(told(&asks.replace("/{id}\" }", "/{id}\", same: /id }")), [""; 0]);
}

#[test]
fn what_an_entry_does_not_promise_is_told() {
    let no_time = with(
        "  ts: { from: \"header:X-Acme-Time\", fmt: unix_s }\n  message: [id, \"text:.\", ts, ",
        "  message: [id, ",
    );
    assert_eq!(no_time.len(), 1, "{no_time:?}");
    assert!(no_time[0].contains("no time is signed") && no_time[0].contains("how long to remember"), "{no_time:?}");
    let no_body = with(", \"text:.\", body]", "]\n  content: unauthenticated");
    assert_eq!(no_body, ["1:1 nothing binds the body: whoever has seen one request can send another body with it"]);
    let no_id = with("  id: header:X-Acme-Id\n", "").join("\n");
    assert!(no_id.contains("say where it is, with `id: header:NAME`"), "{no_id}");
    let no_id = told(&GOOD.replace("  id: header:X-Acme-Id\n", "").replace("id, \"text:.\", ", ""));
    assert_eq!(no_id, ["1:1 nothing that is signed names the event: a retry with another body is another event"]);
}

#[test]
fn the_catalogues_own_entries_are_no_clash_with_themselves() {
    let now = Timestamp::from_rfc3339("2027-01-01T00:00:00Z").unwrap();
    let catalogue = Catalogue::embedded();
    for entry in catalogue.iter() {
        let (_, findings) = lint(&entry.text, &catalogue, now);
        let mistakes: Vec<_> = findings.iter().filter(|finding| finding.is_mistake).collect();
        assert!(mistakes.is_empty(), "{}: {mistakes:?}", entry.name);
    }
}

/// One call is another's concern no more than one key is.
#[test]
fn a_call_that_does_not_fit_hides_nothing_of_the_others() {
    let block = "\
challenge:
  - name: Bad Name
    when: { json: { /a: b } }
    proof: signature
  - name: odd
    when: { jsonn: { /a: b } }
    proof: signature
  - { name: other, when: { json: { /a: b } }, proof: sometimes }
";
    let bracketed = "\
challenge: [ { name: Bad Name, when: { json: { /a: b } }, proof: signature },
  { name: other, when: { json: { /a: b } }, proof: sometimes },
  { name: odd, when: { jsonn: { /a: b } }, proof: signature } ]
";
    for calls in [block, bracketed] {
        let told = told(&format!("{GOOD}{calls}"));
        for what in ["a name has lower-case letters", "unknown key `jsonn`", "unknown proof `sometimes`"] {
            assert_eq!(told.iter().filter(|line| line.contains(what)).count(), 1, "{what}: {told:?}");
        }
        assert_eq!(told.len(), 3, "{told:?}");
    }
    let none = told(&format!("{GOOD}challenge: [ {{ name: odd }}, 5 ]\n"));
    assert!(none.iter().all(|line| line.starts_with("15:")) && none.len() >= 2, "{none:?}");
}
