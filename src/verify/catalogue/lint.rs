//! What the author of an entry should know: all that is wrong with it, and what it does not promise.

use super::{Catalogue, Mistake, Provider, compile::day, read::read, text::ProviderText};
use crate::clock::Timestamp;
use serde_saphyr::Spanned;

/// Something to tell the author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it has to be changed; else it is to be known.
    pub is_mistake: bool,
    /// Where, and what.
    pub what: Mistake,
}

/// All there is to say of an entry, in the order of its lines; and the sender, if it is one.
pub fn lint(text: &str, catalogue: &Catalogue, now: Timestamp) -> (Option<Provider>, Vec<Finding>) {
    let mut findings = Findings(Vec::new());
    let provider = match Provider::from_yaml(text) {
        Ok(provider) => Some(provider),
        Err(mistakes) => {
            findings.0.extend(mistakes.into_iter().map(|what| Finding { is_mistake: true, what }));
            None
        }
    };
    if let Some(read) = read(text).entry {
        let known = provider.as_ref().and_then(|provider| catalogue.find(&provider.name));
        // The catalogue's own file is itself, and no other sender of the same name.
        if known.is_none_or(|known| known.text != text) {
            findings.names(&read, catalogue);
        }
        findings.source(&read, now);
        findings.parts(&read);
        findings.confirms(&read);
        findings.words(provider.as_ref());
    }
    if let Some(provider) = &provider {
        findings.promises(provider);
    }
    findings.0.sort_by_key(|finding| finding.what.at.start);
    (provider, findings.0)
}

struct Findings(Vec<Finding>);

impl Findings {
    fn tell<T>(&mut self, is_mistake: bool, place: Option<&Spanned<T>>, message: impl Into<String>) {
        let at = place.map(super::mistakes::place_of).unwrap_or_default();
        self.0.push(Finding { is_mistake, what: Mistake { at, message: message.into() } });
    }

    fn warn(&mut self, message: &str) {
        self.tell::<String>(false, None, message);
    }

    fn names(&mut self, read: &ProviderText, catalogue: &Catalogue) {
        for name in read.name.iter().chain(&read.aliases) {
            if catalogue.find(&name.value).is_some() {
                let message = format!("the catalogue has a sender `{}`; choose another name", name.value);
                self.tell(true, Some(name), message);
            }
        }
    }

    fn source(&mut self, read: &ProviderText, now: Timestamp) {
        let Some(source) = &read.source else { return };
        if day(&source.checked.value).is_some_and(|day| day > now) {
            self.tell(
                true,
                Some(&source.checked),
                "this day is still to come; write the day on which it was looked at",
            );
        }
        for (word, what) in [(&source.scheme, "scheme"), (&source.service, "service")] {
            if word.is_none() {
                let message =
                    format!("say how it is known, with `{what}: sdk`, `documentation`, `memory` or `third_party`");
                self.tell(false, Some(&source.checked), message);
            }
        }
    }

    /// Of `ab` and `c`, and of `a` and `bc`, the signature is the same.
    fn parts(&mut self, read: &ProviderText) {
        let Some(scheme) = &read.scheme else { return };
        let is_fixed = |part: &Spanned<String>| {
            ["text:", "optional:"].iter().any(|fixed| part.value.starts_with(fixed)) || part.value == "secret"
        };
        for pair in scheme.message.windows(2) {
            let [before, part] = pair else { continue };
            if !is_fixed(before) && !is_fixed(part) {
                let message = format!(
                    "nothing stands between `{}` and `{}`: where one ends and the other begins is not signed",
                    before.value, part.value
                );
                self.tell(false, Some(part), message);
            }
        }
    }

    /// The state of something else confirms nothing.
    fn confirms(&mut self, read: &ProviderText) {
        if let Some(confirm) = read.confirm.as_ref().filter(|confirm| confirm.same.is_none()) {
            let message = "an answer about something else would confirm it, and the state of that would count; name the \
                           member that repeats the id, as in `same: /id`";
            self.tell(false, Some(&confirm.url), message);
        }
    }

    fn words(&mut self, provider: Option<&Provider>) {
        let Some(provider) = provider else { return };
        for (word, what) in [
            (&provider.answers, "`answers: 2xx within 10 s`, what the vendor takes for an answer"),
            (&provider.retries, "`retries: 3 in an hour`, how often it comes again"),
            (&provider.disables, "`disables: never`, when it stops sending"),
        ] {
            if word.is_none() {
                self.warn(&format!("this could be said: {what}"));
            }
        }
    }

    fn promises(&mut self, provider: &Provider) {
        let coverage = provider.scheme.coverage();
        if !coverage.time {
            self.warn(
                "no time is signed: a captured request is valid for ever; a policy has to say how long to remember",
            );
        }
        if !coverage.body {
            self.warn("nothing binds the body: whoever has seen one request can send another body with it");
        }
        if !coverage.id && provider.event_key.is_empty() {
            self.warn("nothing that is signed names the event: a retry with another body is another event");
        }
    }
}
