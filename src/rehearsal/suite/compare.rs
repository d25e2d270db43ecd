//! What is otherwise than a case expects.

mod absent;

use crate::{
    json,
    policy::{Case, Decision},
    rehearsal::Played,
};
use bytes::Bytes;
use serde_json::{Value, json};

/// One thing that is otherwise than expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What: `code`, `event/data/id`.
    pub what: String,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub found: String,
}

pub(super) fn differences(case: &Case, played: &Played) -> Vec<Difference> {
    let mut differences = Vec::new();
    let expected = &case.expected;
    let mut compare = |what: &str, expected: &str, found: &str| {
        if expected != found {
            let (what, expected, found) = (what.to_owned(), expected.to_owned(), found.to_owned());
            differences.push(Difference { what, expected, found });
        }
    };
    if expected.decision != played.decision {
        compare("decision", expected.decision.name(), &told(played));
    }
    if let Some(code) = &expected.code {
        compare("code", code, played.code());
    }
    if let Some(status) = expected.status {
        let found = played.answer.as_ref().map(|answer| answer.status.as_u16().to_string());
        compare("status", &status.to_string(), found.as_deref().unwrap_or("WordPress's own"));
    }
    let answer = played.answer.as_ref().map(|answer| document(&answer.body));
    let event = played.event.as_ref().map(|event| {
        let document = document(&event.payload);
        if document.get("specversion").is_some() {
            return document;
        }
        json!({ "id": event.id, "source": event.route, "type": event.event_type, "data": document })
    });
    let relayed = played.relayed.as_ref().map(document);
    for (what, wanted, found) in [
        ("answer", &expected.answer, &answer),
        ("event", &expected.event, &event),
        ("relayed", &expected.relayed, &relayed),
    ] {
        match (wanted, found) {
            (Some(wanted), Some(found)) => contains(wanted, found, what, &mut differences),
            (Some(wanted), None) => {
                let (what, expected) = (what.to_owned(), wanted.to_string());
                differences.push(Difference { what, expected, found: "none".to_owned() });
            }
            (None, _) => {}
        }
    }
    differences.extend(absent::differences(&expected.absent, played, event.as_ref()));
    differences
}

/// What became of it, and why, where that is not in the word itself.
fn told(played: &Played) -> String {
    let name = played.decision.name();
    match played.decision {
        Decision::Refused | Decision::Failed | Decision::Observed => format!("{name} ({})", played.code()),
        Decision::Accepted | Decision::Repeat | Decision::Relayed | Decision::Handshake | Decision::Passed => {
            name.to_owned()
        }
    }
}

/// A body as JSON; what is none, as a text.
fn document(body: &Bytes) -> Value {
    let text = || Value::from(String::from_utf8_lossy(body));
    json::read(body).map_or_else(|_| text(), |node| node.to_value())
}

/// Every member that is wanted is there; others may be there too.
fn contains(wanted: &Value, found: &Value, at: &str, differences: &mut Vec<Difference>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, wanted) in wanted {
                contains(wanted, found.get(name).unwrap_or(&Value::Null), &format!("{at}/{name}"), differences);
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                contains(wanted, found, &format!("{at}/{index}"), differences);
            }
        }
        (wanted, found) if wanted == found => {}
        (wanted, found) => {
            differences.push(Difference {
                what: at.to_owned(),
                expected: wanted.to_string(),
                found: found.to_string(),
            });
        }
    }
}
