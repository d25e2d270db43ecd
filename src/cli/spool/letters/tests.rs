use super::*;
use crate::{clock::Timestamp, contract::record, spool::Lies};

/// Accepted in this hour of a day, of this route, and how it stands where.
fn viewed(sequence: u64, hour: u32, route: &str, states: &[(&str, State)]) -> Viewed {
    let accepted_at = Timestamp::from_rfc3339(&format!("2026-11-25T{hour:02}:00:00Z")).unwrap();
    let id = format!("evt_{sequence}");
    let record = crate::event::Record { accepted_at, route: route.to_owned(), ..record(&id, b"{}") };
    let state = |state| ViewedState { state, reason: "status_500".to_owned(), ..ViewedState::default() };
    Viewed {
        payload_bytes: 2,
        sequence,
        lies: Lies { segment: 1, at: sequence * 64, bytes: 64 },
        record,
        states: states.iter().map(|(name, stands)| ((*name).to_owned(), state(*stands))).collect(),
    }
}

fn letters(arguments: &[&str]) -> Letters {
    use clap::Parser as _;
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        letters: Letters,
    }
    Line::try_parse_from([&["retry"], arguments].concat()).unwrap().letters
}

fn view() -> View {
    let (dead, pending) = (State::Dead, State::Pending);
    let events = vec![
        viewed(1, 8, "orders", &[("crm", dead), ("erp", dead)]),
        viewed(2, 9, "orders", &[("crm", pending), ("erp", State::Delivered)]),
        viewed(3, 10, "refunds", &[("crm", dead), ("erp", State::Dropped)]),
    ];
    View { events, ..View::default() }
}

#[test]
fn what_is_not_dead_is_never_chosen() {
    let chosen = |arguments: &[&str]| {
        let view = view();
        let found = letters(arguments).choose(&view, Fate::Retry);
        found.iter().map(|(event, name, _)| format!("{}:{name}", event.sequence)).collect::<Vec<_>>()
    };
    assert_eq!(chosen(&["--route", "orders"]), ["1:crm", "1:erp"]);
    assert_eq!(chosen(&["--destination", "crm"]), ["1:crm", "3:crm"]);
    let times = ["--from", "2026-11-25T08:30:00Z", "--until", "2026-11-25T11:00:00Z"];
    assert_eq!(chosen(&times), ["3:crm"]);
    assert_eq!(chosen(&["evt_1", "--destination", "erp"]), ["1:erp"]);
    assert_eq!(chosen(&["evt_2"]), [""; 0]);
}

#[test]
fn the_act_says_by_what_they_were_chosen() {
    let view = view();
    let arguments = ["--route", "orders", "--destination", "crm", "--until", "2026-11-26T00:00:00Z"];
    let letters = letters(&arguments);
    let settled = letters.settled(&letters.choose(&view, Fate::Drop));
    assert_eq!(settled.by, "at crm, of route orders, until 2026-11-26T00:00:00Z");
    assert_eq!(settled.of, BTreeMap::from([("crm".to_owned(), vec![1])]));
}

#[test]
fn they_are_counted_by_destination_and_reason() {
    let (view, mut other) = (view(), viewed(4, 11, "orders", &[("crm", State::Dead)]));
    other.states.get_mut("crm").unwrap().reason = "status_404\u{1b}[2J".to_owned();
    let mut found = letters(&["--destination", "crm"]).choose(&view, Fate::Drop);
    let states = other.states.clone();
    found.push((&other, "crm", &states["crm"]));
    assert_eq!(counts(&found), "3 dead letters: 1 at crm (status_404\\u{1b}[2J), 2 at crm (status_500)");
}

/// What the gate reads is bounded, and what this writes fits.
#[test]
fn as_many_as_one_act_takes_fit_into_one_question() {
    let of = BTreeMap::from([("x".repeat(64), vec![u64::MAX; LETTERS_MAX])]);
    let letters = Settled { by: "x".repeat(1000), of };
    let (actor, reason) = ("x".repeat(128).parse().unwrap(), "x".repeat(1000).parse().unwrap());
    let asked = serde_json::to_string(&Ask::Letters { fate: Fate::Retry, letters, actor, reason }).unwrap();
    assert!(asked.len() < 256 << 10, "{}", asked.len());
}

/// A spool of a gate that does not run, with two dead letters.
fn spool(folder: &std::path::Path) -> Place {
    use crate::{
        clock::SystemClock,
        contract::event,
        ledger::Ledger as _,
        spool::{Settings, Spool, Verdict},
    };
    let place = Place::of(folder.join("spool"));
    let settings = Settings { folder: place.folder.clone(), bytes: 64 << 20, free: 0 };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (spool, _) = Spool::open(settings, std::sync::Arc::new(SystemClock)).unwrap();
        for name in ["a", "b"] {
            spool.accept(event(name)).await.unwrap();
        }
        for claim in spool.claim("wordpress", 2) {
            spool
                .settle(claim.sequence, "wordpress", Verdict::Dead { attempts: 3, reason: "status_500".into() })
                .await
                .unwrap();
        }
        spool.close().await;
    });
    place
}

/// How many are dead, and the acts.
fn seen(place: &Place) -> (usize, Vec<String>) {
    let view = read(place).unwrap();
    let dead = view.events.iter().flat_map(|event| event.states.values()).filter(|state| state.state == State::Dead);
    (dead.count(), view.acts.iter().map(|act| format!("{}: {} {}", act.actor, act.what, act.about)).collect())
}

#[test]
fn nothing_changes_before_somebody_says_yes() {
    let folder = tempfile::tempdir().unwrap();
    let place = spool(folder.path());
    let all = ["--destination", "wordpress", "--actor", "kim"];
    let refused = run(&place, Fate::Drop, &letters(&all)).unwrap_err().to_string();
    assert_eq!(refused, "nothing has changed; write `--yes` to drop all of them, or `--dry-run` to see them");
    run(&place, Fate::Drop, &letters(&[&all[..], &["--dry-run", "--yes"]].concat())).unwrap();
    assert_eq!(seen(&place), (2, vec![]));
    run(&place, Fate::Drop, &letters(&[&all[..], &["--yes"]].concat())).unwrap();
    assert_eq!(seen(&place), (0, vec!["kim: drop 2 dead letters at wordpress".to_owned()]), "one act");
    let none = run(&place, Fate::Retry, &letters(&all)).unwrap_err().to_string();
    assert!(none.starts_with("no dead letter is such"), "{none}");
}

#[test]
fn an_event_that_is_named_needs_no_yes() {
    let folder = tempfile::tempdir().unwrap();
    let place = spool(folder.path());
    let id = read(&place).unwrap().events[0].record.id.clone();
    run(&place, Fate::Retry, &letters(&[&id, "--destination", "wordpress", "--actor", "kim"])).unwrap();
    assert_eq!(seen(&place), (1, vec![format!("kim: retry 1 dead letter of {id}, at wordpress")]));
}

/// Each open state of one event, as the real run and as the dry run see it.
#[test]
fn a_dry_run_says_what_the_real_run_does() {
    let folder = tempfile::tempdir().unwrap();
    let place = spool(folder.path());
    let id = |nth: usize| read(&place).unwrap().events[nth].record.id.clone();
    let (waits, dead) = (id(0), id(1));
    run(&place, Fate::Retry, &letters(&[&waits, "--actor", "kim"])).unwrap();
    let tried = |fate, id: &str, dry: &[&str]| {
        let told = run(&place, fate, &letters(&[&[id, "--actor", "kim"], dry].concat()));
        told.map(drop).map_err(|error| error.to_string())
    };
    let none = tried(Fate::Retry, &waits, &[]).unwrap_err();
    assert_eq!(tried(Fate::Retry, &waits, &["--dry-run"]), Err(none), "it waits, and is no dead letter");
    for id in [&waits, &dead] {
        let acts = seen(&place).1.len();
        assert_eq!(tried(Fate::Drop, id, &["--dry-run"]), Ok(()));
        assert_eq!(seen(&place).1.len(), acts, "nothing has changed");
        assert_eq!(tried(Fate::Drop, id, &[]), Ok(()));
        let none = tried(Fate::Drop, id, &[]).unwrap_err();
        assert_eq!(tried(Fate::Drop, id, &["--dry-run"]), Err(none), "it is gone");
    }
    let view = self::view();
    let chosen = |arguments: &[&str]| counts(&letters(arguments).choose(&view, Fate::Drop));
    assert_eq!(chosen(&["evt_2"]), "1 event that waits: 1 at crm (status_500)");
    assert_eq!(chosen(&["evt_2", "--destination", "crm"]), "", "as of all that are chosen, dead letters alone");
}
