use super::*;
use crate::{contract::record, spool::Lies};
use serde_json::json;

fn viewed(id: &str, route: &str, event_type: &str, states: &[(&str, ViewedState)]) -> Viewed {
    let accepted_at = Timestamp::from_rfc3339("2026-11-25T08:00:00.123Z").unwrap();
    let (route, event_type) = (route.to_owned(), event_type.to_owned());
    Viewed {
        sequence: id.len() as u64,
        lies: Lies { segment: 1, at: 0, bytes: 1 },
        record: Record { route, event_type, accepted_at, ..record(id, b"{}") },
        payload_bytes: 2,
        states: states.iter().map(|(name, state)| ((*name).to_owned(), state.clone())).collect(),
    }
}

fn stands(state: State, attempts: u32, reason: &str) -> ViewedState {
    ViewedState { state, attempts, reason: reason.to_owned(), ..ViewedState::default() }
}

fn written(events: &[Viewed], standings: &Standings) -> String {
    let mut out = Vec::new();
    Table::of(events, standings).write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const ID: &str = "k7sm2ghf3ysw5yqnmqdzr5jboe";

#[test]
fn a_person_sees_columns_with_their_names_in_80_columns() {
    let at = |text| Timestamp::from_rfc3339(text);
    let due = ViewedState { due: at("2026-11-25T10:04:05Z"), ..stands(State::Pending, 2, "status_500") };
    let done = ViewedState { settled_at: at("2026-11-25T08:00:01.5Z"), ..stands(State::Delivered, 1, "connect") };
    let events = [
        viewed(ID, "orders", "order.created", &[("crm", due), ("wordpress", done)]),
        viewed("evt_2", "github", "push", &[("wordpress", stands(State::Dead, 3, "status_404"))]),
        viewed("evt_34", "github", "push", &[("wordpress", stands(State::Pending, 0, ""))]),
        viewed("evt_345", "github", "push", &[("wordpress", stands(State::Dropped, 3, "kim"))]),
    ];
    let expected = "\
EVENT                       ACCEPTED              ROUTE   TYPE
  DESTINATION  STATE      DETAILS
k7sm2ghf3ysw5yqnmqdzr5jboe  2026-11-25T08:00:00Z  orders  order.created
  crm          pending    failed 2 times (status_500), due 2026-11-25T10:04:05Z
  wordpress    delivered  2026-11-25T08:00:01Z, failed 1 time (connect)
evt_2                       2026-11-25T08:00:00Z  github  push
  wordpress    dead       failed 3 times (status_404)
evt_34                      2026-11-25T08:00:00Z  github  push
  wordpress    pending
evt_345                     2026-11-25T08:00:00Z  github  push
  wordpress    dropped    by kim, failed 3 times
";
    assert_eq!(written(&events, &Standings::default()), expected);
    assert!(expected.lines().all(|line| line.chars().count() <= WIDTH_CHARS));
}

#[test]
fn what_does_not_move_says_so_below_it_and_within_the_width() {
    let first = ViewedState { waits_for: Some(ID.to_owned()), ..stands(State::Pending, 0, "") };
    let due = ViewedState {
        due: Timestamp::from_rfc3339("2026-11-25T10:04:05Z"),
        ..stands(State::Pending, 2, "tls_handshake")
    };
    let events = [viewed(ID, "orders", "push", &[("crm", first.clone()), ("erp", due), ("old", first)])];
    let told = json!({ "ok": true, "destinations": { "crm": "disabled", "erp": "up" } });
    let written = written(&events, &Standings::read(&told));
    assert!(written.contains(&format!("pending    waits for {ID}\n    the destination answered 410;")), "{written}");
    let goes_on = format!("failed 2 times (tls_handshake),\n{:26}due 2026", "");
    assert!(written.contains(&goes_on), "{written}");
    assert!(written.contains("\n    the policy has no such destination: put it back, or"), "{written}");
    assert!(written.lines().all(|line| line.chars().count() <= WIDTH_CHARS), "{written}");
}

#[test]
fn nothing_has_no_heading() {
    assert_eq!(written(&[], &Standings::default()), "");
}

#[test]
fn what_people_and_senders_wrote_does_nothing_to_a_terminal() {
    let bad = stands(State::Dead, 0, "\u{1b}[31mme\nx");
    let written = written(&[viewed("evt_1", "a\nb", "order\u{1b}[2J", &[("crm", bad)])], &Standings::default());
    assert!(written.contains(r"order\u{1b}[2J") && written.contains(r"\u{1b}[31mme\nx"), "{written}");
    assert!(written.contains(r"a\nb") && written.lines().count() == 4, "{written}");
}
