//! Which URLs do vendors want opened? Nothing here follows them: an operator looks, and decides.

use crate::{
    clock::{Clock, Timestamp},
    edge::Report,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One URL, and who wanted it opened.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// When, in RFC 3339.
    pub at: String,
    /// The route's name.
    pub route: String,
    /// What the call is called.
    pub handshake: String,
    /// As the vendor wrote it.
    pub url: String,
}

/// The latest of them, in memory; the log has them all.
#[expect(missing_debug_implementations, reason = "the clock has none")]
pub struct ShownUrls {
    clock: Arc<dyn Clock>,
    latest: Mutex<VecDeque<Shown>>,
}

/// An operator looks when something is set up. Of 2 KiB each, this is what strangers can fill at most.
const SHOWN_MAX: usize = 64;

impl ShownUrls {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, latest: Mutex::default() }
    }

    /// One request.
    pub(super) fn finished(&self, report: &Report) {
        let Some(url) = &report.notes.shown else { return };
        let route = report.route.as_deref().unwrap_or_default().to_owned();
        let handshake = report.detail.clone().unwrap_or_default();
        self.note(self.clock.now(), route, handshake, url.clone());
    }

    /// The latest last.
    pub fn latest(&self) -> Vec<Shown> {
        self.lock().iter().cloned().collect()
    }

    /// The same URL again is the same wish, told again.
    fn note(&self, at: Timestamp, route: String, handshake: String, url: String) {
        let mut latest = self.lock();
        latest.retain(|known| known.url != url || known.route != route);
        latest.push_back(Shown { at: at.rfc3339(), route, handshake, url });
        while latest.len() > SHOWN_MAX {
            latest.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Shown>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn the_latest_are_kept_each_once() {
        let shown = ShownUrls::new(Arc::new(SystemClock));
        let note = |second: i64, route: &str, url: &str| {
            shown.note(Timestamp::from_unix_s(second), route.to_owned(), "confirmation".to_owned(), url.to_owned());
        };
        note(0, "sns", "https://a.example/1");
        note(1, "sns", "https://a.example/2");
        note(2, "sns", "https://a.example/1");
        note(3, "other", "https://a.example/2");
        let urls = || shown.latest().into_iter().map(|shown| (shown.route, shown.url)).collect::<Vec<_>>();
        let told = [("sns", "2"), ("sns", "1"), ("other", "2")];
        assert_eq!(urls(), told.map(|(route, end)| (route.to_owned(), format!("https://a.example/{end}"))));
        (0..100).for_each(|number| note(number, "sns", &format!("https://a.example/many/{number}")));
        assert_eq!(urls().len(), SHOWN_MAX);
        assert_eq!(urls()[SHOWN_MAX - 1].1, "https://a.example/many/99");
    }
}
