//! Which routes are tried before they enforce, in what, and until when.

use super::{
    Delivery, Observe, Observed, Route,
    floor::{WARNED_BEFORE, days},
    notes::Notes,
    source::TextFile,
    text::RolloutText,
    units::DayText,
};
use crate::{
    clock::Timestamp,
    json::{
        Kind, Node,
        language::{listed, way_out},
    },
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Checks that can be watched one by one, on any route.
const CHECKS: [&str; 2] = ["schema", "limits"];

/// Gives each route what `rollout:` says of it. Hands back when that ends.
pub(super) fn rollout(
    routes: &mut [Route],
    schemas: &[TextFile],
    now: Timestamp,
    notes: &mut Notes<'_>,
) -> Vec<Timestamp> {
    let mut ends = Vec::new();
    let written: Vec<_> = notes.members("/routes").map(|(name, _)| name.as_str()).collect();
    for (name, node) in notes.members("/rollout") {
        if !written.contains(&name.as_str()) && !notes.lacks_routes() {
            let way_out = way_out(name, written.iter().copied());
            notes.misnamed(node, format!("no route is called `{name}`{way_out}"));
        }
        let Some(text) = notes.decode::<RolloutText>(node) else { continue };
        let what = observed(&text.observe, node, notes);
        let until = end(&text.until, node, now, notes);
        // A route that was refused is told already.
        let Some(route) = routes.iter_mut().find(|route| *route.name == **name) else { continue };
        let (Some(what), Some(until)) = (what, until) else { continue };
        let place = node.find("/observe");
        match (&what, &route.delivery) {
            (Observed::All, Delivery::Queue { .. } | Delivery::Direct { .. }) => {
                let message = "what was not verified can never become an event, so a queued route's signature cannot be \
                               observed; write some of its checks, as in `observe: [schema, limits]`";
                notes.wrong(place, message);
            }
            (Observed::All, Delivery::Relay) | (Observed::Checks { .. }, _) => {}
        }
        if let Observed::Checks { schema: true, .. } = what {
            if !route.contract.has_schema() {
                let item = items(node).into_iter().find(|item| item.text() == Some("schema"));
                let message = format!(
                    "`{name}` has no `contract`, so no schema would be observed; take `schema` out, or write a `contract`"
                );
                notes.wrong(item.or(place), message);
            }
            route.contract = route.contract.clone().tried();
        }
        ends.push(until);
        route.observe = Some(Observe { what, until, terms: terms(route, schemas) });
    }
    ends
}

/// Not whose terms they are, or who is asked about them.
fn terms(route: &Route, schemas: &[TextFile]) -> u64 {
    let Route { name, at, admit, limits, sender, contract, remember, delivery, .. } = route;
    let mut digest = Sha256::new();
    digest.update(format!("{:?}", (name, at, admit, limits, sender, contract, remember, delivery)));
    // A contract shows of its schema no more than the name that it gives itself.
    for file in schemas {
        digest.update(&file.text);
    }
    let digest: [u8; 32] = digest.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// `all`, or a list of checks.
fn observed(written: &Value, node: &Node, notes: &mut Notes<'_>) -> Option<Observed> {
    let place = node.find("/observe");
    if written == "all" {
        return Some(Observed::All);
    }
    let Some(Kind::Array(items)) = place.map(|place| &place.kind) else {
        let known = listed(&CHECKS, ", ");
        notes.wrong(place, format!("what is observed? write `all`, or a list with some of {known}"));
        return None;
    };
    if items.is_empty() {
        notes.wrong(place, "nothing would be observed; write `all`, or take the rollout out");
    }
    for item in items {
        match item.text() {
            Some(word) if CHECKS.contains(&word) => {}
            Some(word) => notes.wrong(Some(item), format!("unknown check `{word}`{}", way_out(word, CHECKS))),
            None => notes.wrong(Some(item), format!("needs one of {}", listed(&CHECKS, ", "))),
        }
    }
    let named = |check| items.iter().any(|item| item.text() == Some(check));
    Some(Observed::Checks { schema: named("schema"), limits: named("limits") })
}

fn items(node: &Node) -> Vec<&Node> {
    (0..).map_while(|index| node.find(&format!("/observe/{index}"))).collect()
}

/// `None` if it is over: then the route enforces.
fn end(DayText(until): &DayText, node: &Node, now: Timestamp, notes: &mut Notes<'_>) -> Option<Timestamp> {
    let place = node.find("/until");
    let Some(until) = *until else {
        notes.wrong(place, "no such day; write something such as `2027-01-31`");
        return None;
    };
    if until <= now {
        notes.warn(place, "this rollout has ended, and the route enforces; take it out");
        return None;
    }
    if let Some(left) = until.since(now).filter(|left| *left <= WARNED_BEFORE) {
        notes.warn(place, format!("this rollout ends in {}; then the route enforces", days(left)));
    }
    Some(until)
}
