use super::*;
use crate::{clock::Timestamp, contract::record, spool::Lies, spool::view::ViewedState};
use serde_json::json;

/// Accepted in this hour of a day, and how it stands where.
fn viewed(sequence: u64, id: &str, hour: u32, states: &[(&str, State)]) -> Viewed {
    let accepted_at = Timestamp::from_rfc3339(&format!("2026-11-25T{hour:02}:00:00Z")).unwrap();
    let record = crate::event::Record { accepted_at, ..record(id, b"{}") };
    let state = |state| ViewedState { state, ..ViewedState::default() };
    Viewed {
        payload_bytes: 2,
        sequence,
        lies: Lies { segment: 1, at: sequence * 64, bytes: 64 },
        record,
        states: states.iter().map(|(name, stands)| ((*name).to_owned(), state(*stands))).collect(),
    }
}

fn wanted(arguments: &[&str]) -> Redeliver {
    use clap::Parser as _;
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        wanted: Redeliver,
    }
    let words = [&["redeliver", "--actor", "ops"], arguments].concat();
    Line::try_parse_from(words).unwrap().wanted
}

fn chosen(view: &View, arguments: &[&str], standings: &Standings) -> Vec<String> {
    let told = |(event, to): (&Viewed, Vec<String>)| format!("{}:{}", event.sequence, to.join("+"));
    choose(view, &wanted(arguments), standings).into_iter().map(told).collect()
}

fn view() -> View {
    let (delivered, dropped) = (State::Delivered, State::Dropped);
    let events = vec![
        viewed(1, "evt_1", 8, &[("archive", delivered), ("wordpress", delivered)]),
        viewed(2, "evt_2", 9, &[("archive", State::Pending), ("wordpress", dropped)]),
        viewed(3, "evt_3", 10, &[("wordpress", State::Dead)]),
        viewed(4, "evt_1", 8, &[("wordpress", delivered)]),
    ];
    View { events, ..View::default() }
}

#[test]
fn an_event_is_chosen_once_for_each_destination_that_is_done_with_it() {
    let none = Standings::default();
    assert_eq!(chosen(&view(), &["--route", "orders"], &none), ["1:archive", "2:wordpress", "4:wordpress"]);
    assert_eq!(chosen(&view(), &["evt_1", "--to", "wordpress"], &none), ["4:wordpress"], "the copy, not both");
    assert_eq!(chosen(&view(), &["--route", "others"], &none), [""; 0]);
}

#[test]
fn times_are_when_it_was_accepted_and_the_end_is_not_in_it() {
    let none = Standings::default();
    let times = ["--from", "2026-11-25T08:30:00Z", "--until", "2026-11-25T10:00:00Z"];
    assert_eq!(chosen(&view(), &times, &none), ["2:wordpress"]);
    assert_eq!(chosen(&view(), &["--until", "2026-11-25T09:00:00Z"], &none), ["1:archive", "4:wordpress"]);
}

#[test]
fn what_waits_already_does_not_wait_twice() {
    let mut view = view();
    view.events.push(viewed(5, "evt_1", 8, &[("wordpress", State::Pending)]));
    assert_eq!(chosen(&view, &["evt_1"], &Standings::default()), ["1:archive"]);
}

#[test]
fn nobody_would_deliver_to_a_destination_that_is_not_in_the_policy() {
    let standings = Standings::read(&json!({ "destinations": { "wordpress": "up" } }));
    assert_eq!(chosen(&view(), &["evt_1"], &standings), ["4:wordpress"]);
}

#[test]
fn a_batch_is_bounded_by_events_and_by_bytes() {
    let small: Vec<_> = (0..250).map(|number| viewed(number, "evt", 8, &[])).collect();
    let sizes = |events: &[Viewed]| {
        let chosen: Vec<_> = events.iter().map(|event| (event, vec!["wordpress".to_owned()])).collect();
        batches(&chosen).iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&small), [100, 100, 50]);
    let mut large = viewed(1, "evt", 8, &[]);
    large.record.payload = vec![0; 5 << 20].into();
    assert_eq!(sizes(&vec![large; 3]), [1, 1, 1]);
}
