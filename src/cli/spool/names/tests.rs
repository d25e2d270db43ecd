use super::*;
use crate::{contract::record, spool::Lies, spool::view::Viewed};
use std::{collections::BTreeMap, fs};

/// One event of the route `orders`, for `old`.
fn view() -> View {
    let event = Viewed {
        sequence: 1,
        lies: Lies { segment: 1, at: 0, bytes: 1 },
        record: record("evt_1", b"{}"),
        payload_bytes: 2,
        states: BTreeMap::from([("old".to_owned(), crate::spool::view::ViewedState::default())]),
    };
    View { events: vec![event], ..View::default() }
}

fn place(folder: &Path, env: Option<&str>) -> Place {
    let mut place = Place::of(folder.join("spool"));
    place.policy = Some((folder.join("gate.yaml"), env.map(str::to_owned)));
    place
}

fn told(place: &Place, named: Named<'_>, unsure: Unsure) -> Option<String> {
    check(place, &view(), [None, Some(named)], unsure).err().map(|error| error.to_string())
}

#[test]
fn a_name_is_that_of_the_policy_or_of_an_event_or_it_is_told() {
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("gate.yaml"), "routes: { github: {} }\nclasses: {").unwrap();
    let place = place(files.path(), None);
    let wrong = |named| told(&place, named, Unsure::Refused);
    let unsure = wrong(Named::Route("ordes")).unwrap();
    assert_eq!(unsure, "no event in the spool has the route `ordes`; did you mean `orders`?", "it is no YAML");
    assert_eq!(told(&place, Named::Route("ordes"), Unsure::Told), None);
    fs::write(files.path().join("gate.yaml"), "routes: { github: {} }\ndestinations: { crm: {} }\n").unwrap();
    fs::create_dir(files.path().join("routes")).unwrap();
    fs::write(files.path().join("routes/a.yaml"), "routes: { stripe: {} }\n").unwrap();
    for known in ["github", "stripe", "orders"] {
        assert_eq!(wrong(Named::Route(known)), None, "{known}");
    }
    for known in ["crm", "old"] {
        assert_eq!(wrong(Named::Destination(known)), None, "{known}");
    }
    let sure = wrong(Named::Route("gitub")).unwrap();
    assert_eq!(sure, "the policy has no route `gitub`, and neither has an event; did you mean `github`?");
    assert_eq!(told(&place, Named::Route("gitub"), Unsure::Told), Some(sure), "also where events are listed");
    let sure = wrong(Named::Destination("zzz")).unwrap();
    assert_eq!(sure, "the policy has no destination `zzz`, and neither has an event; known here: `crm`, `old`");
}

#[test]
fn without_a_stage_those_of_all_stages_are_known() {
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("gate.yaml"), "routes: { github: {} }\n").unwrap();
    fs::create_dir(files.path().join("env")).unwrap();
    fs::write(files.path().join("env/dev.yaml"), "destinations: { crm: {} }\n").unwrap();
    fs::write(files.path().join("env/prod.yaml"), "destinations: { erp: {} }\n").unwrap();
    let wrong = |env, name| told(&place(files.path(), env), Named::Destination(name), Unsure::Told);
    assert_eq!((wrong(None, "crm"), wrong(None, "erp")), (None, None));
    assert!(wrong(Some("dev"), "erp").is_some_and(|told| told.contains("known here: `crm`, `old`")));
}
