//! Certificates that senders name by URL. A request never waits for one: it reads what is here, and asks for what is not.
//! Whoever fetches drives this, and brings the time.

use super::certificate::{Certificate, blocks};
use crate::{
    clock::Timestamp,
    verdict::{Fault, Rejection},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What has been fetched, and what somebody asked for. Shared by all that judge and the one that fetches.
#[derive(Debug, Default)]
pub struct Certificates(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    known: BTreeMap<String, Known>,
    /// With whose it would be.
    wanted: Vec<(Ask, Pins)>,
}

#[derive(Clone, Debug)]
struct Known {
    /// `None`: it was not to be had.
    certificate: Option<Arc<Certificate>>,
    at: Timestamp,
    /// When it was last asked for, in vain or not.
    tried: Timestamp,
}

impl Known {
    fn within(&self, limit: Duration, now: Timestamp) -> Option<&Arc<Certificate>> {
        self.certificate.as_ref().filter(|_| now.since(self.at).is_some_and(|age| age < limit))
    }
}

/// What is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// From where. It is one of the URLs that the sender's entry pins.
    pub url: String,
    /// The name that a chain to one of this machine's authorities has to be for; `None`: that it was fetched from there is enough.
    pub name: Option<String>,
}

/// Which certificates a sender may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pins {
    /// `https://`, with `*` for a run of letters, digits, `-` and `_`, and `{region}` for the name of one of Amazon's.
    pub(super) urls: Vec<String>,
    /// Whose they have to be.
    pub(super) name: Option<String>,
}

/// A vendor has a handful, one for each region at most.
const KNOWN_MAX: usize = 64;
/// Of one sender's, what waits to be fetched; more is asked for again by its next request. Anybody can name what no vendor
/// has, and delays no other sender's by it.
const WANTED_MAX: usize = 4;
/// From then on it is asked for again, and good meanwhile.
const REFRESH: Duration = Duration::from_hours(12);
/// A certificate that was withdrawn must not be believed for much longer.
const STALE: Duration = Duration::from_hours(24);
/// So long nobody asks again for what was not to be had.
const PAUSE: Duration = Duration::from_secs(30);
/// A chain is a tenth of it.
pub const CHAIN_MAX_BYTES: usize = 64 * 1024;

impl Certificates {
    /// The certificate of this URL, if it is here.
    ///
    /// # Errors
    /// [`Fault::KeyPending`]: it has been asked for, and the sender should come again.
    pub(super) fn find(&self, url: &str, pins: &Pins, now: Timestamp) -> Result<Arc<Certificate>, Fault> {
        let mut held = self.held();
        let known = held.known.get(url);
        let found = known.and_then(|known| known.within(STALE, now)).cloned();
        let is_fresh = known.is_some_and(|known| known.within(REFRESH, now).is_some());
        let rests = known.is_some_and(|known| now.since(known.tried).is_some_and(|since| since < PAUSE));
        let asked = held.wanted.iter().any(|(ask, _)| ask.url == url);
        let waiting = held.wanted.iter().filter(|(_, whose)| whose == pins).count();
        if !is_fresh && !rests && !asked && waiting < WANTED_MAX {
            held.wanted.push((Ask { url: url.to_owned(), name: pins.name.clone() }, pins.clone()));
        }
        found.ok_or(Fault::KeyPending)
    }

    /// Whether some were asked for, and not one is here that may be used: then their senders are answered with 503. Anybody can
    /// name one that no vendor has, so that a single one that is missing says nothing.
    pub fn are_awaited(&self, now: Timestamp) -> bool {
        let held = self.held();
        let asked = !held.wanted.is_empty() || !held.known.is_empty();
        asked && !held.known.values().any(|known| known.within(STALE, now).is_some())
    }

    /// What is to be fetched next. Until its end is told it is asked for no second time.
    pub fn next_wanted(&self) -> Option<Ask> {
        self.held().wanted.first().map(|(ask, _)| ask.clone())
    }

    /// This is what was there, and why it is believed is the caller's to know. Whether it is a certificate at all.
    pub fn keep(&self, url: &str, pem: &str, now: Timestamp) -> bool {
        let certificate = Certificate::from_pem(pem).map(Arc::new);
        let is_one = certificate.is_some();
        self.settle(url, certificate, now);
        is_one
    }

    /// Nothing that could be believed was there.
    pub fn failed(&self, url: &str, now: Timestamp) {
        self.settle(url, None, now);
    }

    fn settle(&self, url: &str, certificate: Option<Arc<Certificate>>, now: Timestamp) {
        let mut held = self.held();
        held.wanted.retain(|(ask, _)| ask.url != url);
        // What failed pushes out nothing that is good, and an old certificate is better than none.
        match held.known.get_mut(url).filter(|known| certificate.is_none() && known.certificate.is_some()) {
            Some(known) => known.tried = now,
            None => drop(held.known.insert(url.to_owned(), Known { certificate, at: now, tried: now })),
        }
        while held.known.len() > KNOWN_MAX {
            let worth = |known: &Known| (known.certificate.is_some(), known.at);
            let least = held.known.iter().min_by_key(|(_, known)| worth(known)).map(|(url, _)| url.clone());
            let Some(least) = least else { break };
            held.known.remove(&least);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Whole between any two of its lines.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pins {
    /// Whether a sender may name this URL.
    pub(super) fn take(&self, url: &str) -> bool {
        self.urls.iter().any(|pattern| matches(pattern, url))
    }

    /// Whether it is whose it should be, and now is one of its moments.
    pub(super) fn accept(&self, certificate: &Certificate, now: Timestamp) -> Result<(), Rejection> {
        let named = self.name.as_deref().is_none_or(|name| certificate.is_of(name));
        if named && certificate.holds(now) { Ok(()) } else { Err(Rejection::SignatureMismatch) }
    }

    /// One that it takes.
    pub(super) fn example(&self) -> String {
        self.urls.first().map(|url| url.replace(REGION, "eu-west-1").replace('*', "test-1")).unwrap_or_default()
    }
}

/// Stands for the name of a region, as in `us-gov-east-1`: two letters, words, and a number.
pub(super) const REGION: &str = "{region}";

/// A `*` is at least one letter, digit, `-` or `_`: no dot, so that it stays one label of a name and one piece of a path.
fn matches(pattern: &str, url: &str) -> bool {
    let (mut pattern, mut rest) = (pattern, url);
    while let Some(at) = [pattern.find('*'), pattern.find(REGION)].into_iter().flatten().min() {
        let (literal, from) = pattern.split_at(at);
        let is_region = from.starts_with(REGION);
        pattern = from.get(if is_region { REGION.len() } else { 1 }..).unwrap_or_default();
        let Some(after) = rest.strip_prefix(literal) else { return false };
        let run = after.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
        let (run, after) = after.split_at(run);
        if run.is_empty() || is_region && !names_a_region(run) {
            return false;
        }
        rest = after;
    }
    rest == pattern
}

/// Not so `s3-eu-west-1`, under which anybody can have a name.
fn names_a_region(text: &str) -> bool {
    let mut words = text.split('-');
    let number = words.next_back().unwrap_or_default();
    let [land, words @ ..] = &words.collect::<Vec<_>>()[..] else { return false };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    land.len() == 2
        && is_word(land)
        && !words.is_empty()
        && words.iter().all(is_word)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Every certificate of a chain, the sender's own first.
pub fn chain(pem: &str) -> Option<Vec<Vec<u8>>> {
    blocks(pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_s(1_760_000_000 + seconds)
    }

    fn pins() -> Pins {
        Pins { urls: vec!["https://sns.*.amazonaws.com/*.pem".to_owned()], name: None }
    }

    #[test]
    fn a_region_is_no_other_label() {
        let take = |region: &str| {
            matches("https://sns.{region}.amazonaws.com/*.pem", &format!("https://sns.{region}.amazonaws.com/a.pem"))
        };
        for region in ["us-east-1", "ap-southeast-12", "us-gov-west-1", "cn-north-1"] {
            assert!(take(region), "{region}");
        }
        for other in [
            "s3",
            "s3-eu-west-1",
            "_",
            "us",
            "us-1",
            "us-east",
            "us-east-",
            "US-east-1",
            "us--1",
            "us-e.a-1",
            "us-east-x",
            "us-east-1x",
            "buckets-in-1",
            "u-east-1",
            "",
        ] {
            assert!(!take(other), "{other}");
        }
    }

    #[test]
    fn a_url_is_pinned_whole() {
        let pins = pins();
        assert!(pins.take("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123.pem"));
        assert!(pins.take(&pins.example()));
        for other in [
            "http://sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.test/a.pem",
            "https://sns.evil.test/a.amazonaws.com/a.pem",
            "https://sns.a.b.amazonaws.com/a.pem",
            "https://sns..amazonaws.com/a.pem",
            "https://evil.test#sns.a.amazonaws.com/a.pem",
            "https://user@sns.a.amazonaws.com/a.pem",
            "https://sns.a.amazonaws.com:8443/a.pem",
            "https://sns.a@evil.test/.amazonaws.com/a.pem",
            "https://sns.a.amazonaws.com/a/b.pem",
            "https://sns.a.amazonaws.com/../a.pem",
            "https://sns.a.amazonaws.com/%2e.pem",
            "https://sns.a.amazonaws.com/a.pem?b=c",
            "https://sns.a.amazonaws.com/a.pem#b",
            "https://sns.a.amazonaws.com/.pem",
            "https://sns.a.amazonaws.com/a.pem\n",
            "HTTPS://sns.a.amazonaws.com/a.pem",
            "",
        ] {
            assert!(!pins.take(other), "{other}");
        }
    }

    #[test]
    fn what_is_not_here_is_asked_for_once() {
        let certificates = Certificates::default();
        let find = |url: &str, now| certificates.find(url, &pins(), now).is_ok();
        for _ in 0..3 {
            assert!(!find("a", at(0)));
        }
        assert_eq!(certificates.next_wanted(), Some(Ask { url: "a".to_owned(), name: None }));
        certificates.failed("a", at(1));
        assert!(!find("a", at(30)) && certificates.next_wanted().is_none(), "it rests");
        assert!(!find("a", at(31)) && certificates.next_wanted().is_some());
        assert!(!certificates.keep("a", "no certificate", at(32)));
        assert!(certificates.next_wanted().is_none());
    }

    #[test]
    fn a_certificate_is_asked_for_again_before_it_is_too_old() {
        let certificates = Certificates::default();
        let find = |seconds| certificates.find("a", &pins(), at(seconds)).is_ok();
        let pem = rcgen::generate_simple_self_signed(["sns.amazonaws.com".to_owned()]).unwrap().cert.pem();
        assert!(!find(0) && certificates.keep("a", &pem, at(1)));
        let hour = 3600;
        assert!(find(2) && find(12 * hour) && certificates.next_wanted().is_none());
        assert!(find(12 * hour + 1) && certificates.next_wanted().is_some());
        certificates.failed("a", at(12 * hour + 2));
        assert!(find(12 * hour + 31) && certificates.next_wanted().is_none(), "it rests");
        assert!(find(24 * hour) && certificates.next_wanted().is_some());
        assert!(!find(24 * hour + 1), "a day is the end");
        assert!(certificates.keep("a", &pem, at(24 * hour + 2)) && find(24 * hour + 3));
    }

    #[test]
    fn they_are_awaited_from_when_one_is_asked_for_until_one_is_here() {
        let certificates = Certificates::default();
        let pem = rcgen::generate_simple_self_signed(["sns.amazonaws.com".to_owned()]).unwrap().cert.pem();
        assert!(!certificates.are_awaited(at(0)), "nobody asked");
        assert!(certificates.find("a", &pins(), at(0)).is_err() && certificates.are_awaited(at(0)));
        certificates.failed("a", at(1));
        assert!(certificates.are_awaited(at(2)), "it was not to be had");
        assert!(certificates.keep("b", &pem, at(3)) && !certificates.are_awaited(at(4)));
        assert!(certificates.are_awaited(at(3 + 24 * 3600)), "a day is the end");
    }

    /// Anybody can name what no vendor has, as often as they like.
    #[test]
    fn what_failed_is_forgotten_before_what_is_good_and_the_oldest_first() {
        let certificates = Certificates::default();
        let pem = rcgen::generate_simple_self_signed(["sns.amazonaws.com".to_owned()]).unwrap().cert.pem();
        let knows = |url: &str| certificates.held().known.contains_key(url);
        // The older, and so the first to go, if being good did not count.
        assert!(certificates.keep("old", &pem, at(0)) && certificates.keep("good", &pem, at(1)));
        for number in 2..1000 {
            certificates.failed(&format!("failed-{number:03}"), at(1000 - number));
        }
        assert!(
            certificates.find("old", &pins(), at(1001)).is_ok() && certificates.find("good", &pins(), at(1001)).is_ok()
        );
        assert_eq!(certificates.held().known.len(), KNOWN_MAX);
        assert!(knows("failed-002") && !knows("failed-999"), "the one that failed last is asked for last");
        for number in 2..KNOWN_MAX {
            assert!(certificates.keep(&format!("good-{number:03}"), &pem, at(2000)));
        }
        assert!(knows("old") && knows("good") && !knows("failed-002"), "all are good by now");
        assert!(certificates.keep("one-more", &pem, at(2001)));
        assert!(!knows("old") && knows("good") && knows("one-more"));
        certificates.failed("good", at(2002));
        assert!(certificates.find("good", &pins(), at(2003)).is_ok(), "an old certificate is better than none");
    }

    #[test]
    fn strangers_cannot_make_it_grow() {
        let certificates = Certificates::default();
        for number in 0..1000 {
            assert!(certificates.find(&number.to_string(), &pins(), at(0)).is_err());
        }
        assert_eq!(certificates.held().wanted.len(), WANTED_MAX);
        let other = Pins { urls: vec!["https://api.paypal.com/*".to_owned()], name: None };
        assert!(certificates.find("https://api.paypal.com/a", &other, at(0)).is_err());
        assert_eq!(certificates.held().wanted.len(), WANTED_MAX + 1, "another sender's turn comes");
        certificates.failed("https://api.paypal.com/a", at(0));
        for number in 0..1000 {
            certificates.failed(&number.to_string(), at(number));
        }
        assert_eq!(certificates.held().known.len(), KNOWN_MAX);
    }
}
