//! Which events are for a destination? Told by their types, so that nothing of their content has to be read again.

use crate::{
    json::Node,
    policy::{notes::Notes, text::TypeText},
};

/// Event types that a destination is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only(Option<Vec<Pattern>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Whole(String),
    /// Every type that begins like this.
    Start(String),
}

impl Only {
    /// As it would be written; `None`: all.
    pub fn written(&self) -> Option<String> {
        let types = self.0.as_ref()?.iter().map(|pattern| match pattern {
            Pattern::Whole(whole) => whole.clone(),
            Pattern::Start(start) => format!("{start}*"),
        });
        Some(types.collect::<Vec<_>>().join(", "))
    }

    /// Whether every event is for it.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether events of this type are for it.
    pub fn takes(&self, event_type: &str) -> bool {
        let Self(Some(patterns)) = self else { return true };
        patterns.iter().any(|pattern| match pattern {
            Pattern::Whole(whole) => whole == event_type,
            Pattern::Start(start) => event_type.starts_with(start.as_str()),
        })
    }
}

pub(super) fn compile(written: Option<&[TypeText]>, node: &Node, notes: &mut Notes<'_>) -> Only {
    let Some(written) = written else { return Only(None) };
    if written.is_empty() {
        notes.wrong(node.find("/only"), "no event would ever go there; name event types, or leave this out");
    }
    let mut patterns = Vec::new();
    for (index, TypeText(text)) in written.iter().enumerate() {
        let start = text.strip_suffix('*');
        if text.is_empty() || text == "*" || start.unwrap_or(text).contains('*') {
            let way_out = "write a type such as `order.paid`, or how types begin, such as `order.*`";
            notes.wrong(node.find(&format!("/only/{index}")), format!("this names no event types; {way_out}"));
        }
        patterns.push(start.map_or_else(|| Pattern::Whole(text.clone()), |start| Pattern::Start(start.to_owned())));
    }
    Only(Some(patterns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_whole_or_by_how_it_begins() {
        let only = Only(Some(vec![Pattern::Whole("invoice.paid".to_owned()), Pattern::Start("order.".to_owned())]));
        for (event_type, taken) in [
            ("invoice.paid", true),
            ("invoice.paid.late", false),
            ("order.", true),
            ("order.paid", true),
            ("orders.paid", false),
            ("Order.paid", false),
            ("", false),
        ] {
            assert_eq!(only.takes(event_type), taken, "{event_type}");
        }
        assert!(Only::default().takes("anything"), "without the key all events are for it");
    }
}
