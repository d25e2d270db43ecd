//! Which events? By route and by the time at which they were accepted, in the same words for every verb.

use super::Named;
use crate::{clock::Timestamp, spool::view::Viewed};

/// All of them, if nothing is said.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Chosen {
    /// Those of this route
    #[arg(long)]
    pub(super) route: Option<String>,
    /// Those that were accepted at this time, as in 2026-11-25T08:00:00Z, or later
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) from: Option<Timestamp>,
    /// Those that were accepted before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) until: Option<Timestamp>,
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::from_rfc3339(text).ok_or("write a time as in 2026-11-25T08:00:00Z")
}

impl Chosen {
    /// Whether this event is one of them.
    pub(super) fn has(&self, event: &Viewed) -> bool {
        self.route.as_deref().is_none_or(|route| route == event.record.route)
            && self.from.is_none_or(|from| event.record.accepted_at >= from)
            && self.until.is_none_or(|until| event.record.accepted_at < until)
    }

    /// What it calls by a name.
    pub(super) fn named(&self) -> Option<Named<'_>> {
        self.route.as_deref().map(Named::Route)
    }

    /// In words, one for each that was said.
    pub(super) fn told(&self) -> impl Iterator<Item = String> + '_ {
        let route = self.route.as_ref().map(|route| format!("of route {route}"));
        let from = self.from.map(|from| format!("from {}", from.rfc3339()));
        let until = self.until.map(|until| format!("until {}", until.rfc3339()));
        [route, from, until].into_iter().flatten()
    }
}
