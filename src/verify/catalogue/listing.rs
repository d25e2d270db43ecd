//! The catalogue as people read it.

use super::{Catalogue, Provider, UNAUTHENTICATED};
use crate::{repeat::Identical, verify::Handshake};

impl Provider {
    /// What the policy has to say of its account with this sender, to believe it or to answer its calls.
    pub fn config(&self) -> impl Iterator<Item = &str> {
        self.scheme.config().chain(self.handshakes.iter().flat_map(Handshake::config))
    }

    /// By what a repeat is told from a new event, for people.
    pub fn repeats_by(&self) -> String {
        let coverage = self.scheme.coverage();
        let event = if coverage.id {
            Some("its signed id".to_owned())
        } else if self.event_key.is_empty() {
            None
        } else {
            Some(self.event_key.join(" and "))
        };
        let proof = (coverage.body && self.identical == Identical::Repeat).then(|| "what was signed".to_owned());
        let told: Vec<_> = event.into_iter().chain(proof).collect();
        if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
    }

    /// What its signature does not cover, for people.
    pub fn uncovered(&self) -> String {
        if self.scheme.shows_nothing() {
            return format!("everything: nothing shows who sent it (un{UNAUTHENTICATED})");
        }
        let coverage = self.scheme.coverage();
        let parts =
            [(coverage.body, "body"), (coverage.id || !self.event_key.is_empty(), "id"), (coverage.time, "time")];
        let missing: Vec<_> = parts.iter().filter(|(covered, _)| !covered).map(|(_, name)| *name).collect();
        let told = if missing.is_empty() { "headers".to_owned() } else { format!("{}, headers", missing.join(", ")) };
        if coverage.body { told } else { format!("{told} ({UNAUTHENTICATED})") }
    }

    /// By what its requests are held to something although nothing is signed, for people.
    pub fn held_to(&self) -> Option<String> {
        let refers = self.refers.as_ref()?;
        Some(match &self.confirm {
            Some(confirm) => format!("the id in {}, which {} can confirm", refers.describe(), confirm.asks()),
            None => format!("the id in {}", refers.describe()),
        })
    }

    /// The validation calls that are answered, for people.
    pub fn handshakes_by_name(&self) -> String {
        let names: Vec<_> = self.handshakes.iter().map(|handshake| handshake.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// How its facts are known, for people.
    pub fn known_from(&self) -> String {
        let parts = [("signature", self.source.scheme), ("behaviour", self.source.service)];
        let known = parts.iter().filter_map(|(what, from)| Some(format!("{what}: {}", (*from)?.describe())));
        let known: Vec<_> = known.collect();
        let known = if known.is_empty() { "not said".to_owned() } else { known.join("; ") };
        format!("{known} ({})", self.source.checked)
    }
}

/// What is signed, or what a request can be held to where nothing is.
fn signs(provider: &Provider) -> String {
    match provider.held_to() {
        Some(held) => format!("{}; held to {held}", provider.scheme.describe()),
        None => provider.scheme.describe(),
    }
}

impl Catalogue {
    /// As a table in Markdown.
    pub fn markdown(&self) -> String {
        let mut table =
            "| sender | what is signed | not covered | validation calls | vendor |\n|---|---|---|---|---|\n".to_owned();
        for provider in self.iter() {
            let names = std::iter::once(&provider.name).chain(&provider.aliases);
            let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
            let link = format!("[page]({})", provider.documentation);
            let cells = [
                names.join(", "),
                signs(provider).replace('|', "\\|"),
                provider.uncovered(),
                provider.handshakes_by_name(),
                link,
            ];
            table.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        table
    }
}
