//! From an entry's text to a sender: every mistake of meaning at once, each where it stands.

use super::{
    MAX_AGE, MAX_FUTURE, Mistake, Mistakes, Provenance, Provider, Respond, Source, embedded,
    mistakes::unreadable,
    text::{ProviderText, RespondText, SourceText},
};
use crate::{
    repeat::Identical,
    verify::{Confirm, Handshake, Refers, Scheme, confirm::go_together},
};
use serde_saphyr::Spanned;
use std::{ops::RangeInclusive, time::Duration};

impl Provider {
    /// Compiles one catalogue entry.
    ///
    /// # Errors
    /// Every mistake of meaning at once; of form, the first one.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<Mistake>> {
        Self::compile(read(text).map_err(|mistake| vec![mistake])?, text)
    }

    pub(super) fn compile(read: ProviderText, text: &str) -> Result<Self, Vec<Mistake>> {
        let mut wrong = Mistakes(Vec::new());
        let like = read.like.as_ref().map(|like| like.value.clone());
        let read = alike(read, &mut wrong);
        // What an unknown entry would have said is not missing here.
        let is_whole = wrong.0.is_empty();
        let scheme = read.scheme.as_ref().and_then(|scheme| Scheme::compile(scheme, &mut wrong));
        let name = read.name.as_ref();
        for (name, also) in name.map(|name| (name, "")).into_iter().chain(read.aliases.iter().map(|alias| (alias, "_")))
        {
            plain_name(name, also, &mut wrong);
        }
        let event_key = event_key(&read, scheme.as_ref(), &mut wrong);
        let identical = match read.identical.as_ref().map(|word| (word, word.value.as_str())) {
            None | Some((_, "repeat")) => Identical::Repeat,
            Some((_, "normal")) => Identical::Normal,
            Some((word, _)) => {
                wrong.at(word, "write `repeat`, or `normal` if identical bytes can be two events");
                Identical::Repeat
            }
        };
        let (type_member, type_header) = event_type(read.event_type.as_ref(), &mut wrong);
        let refers = read.refers.as_ref().and_then(|refers| Refers::compile(refers, &mut wrong));
        let confirm = read.confirm.as_ref().and_then(|confirm| Confirm::compile(confirm, &mut wrong));
        if read.refers.is_none() {
            go_together(refers.as_ref(), read.confirm.as_ref(), &mut wrong);
        }
        let calls = read.challenge.iter().flatten();
        let handshakes = calls.filter_map(|call| Handshake::compile(call, scheme.as_ref(), &mut wrong)).collect();
        let mut time =
            |written: Option<&Spanned<String>>, within| written.and_then(|it| duration(it, within, &mut wrong));
        let (retry_horizon, answer_by) =
            (time(read.retry_horizon.as_ref(), HORIZON), time(read.answer_by.as_ref(), ANSWER_BY));
        let (max_age, max_future) = (time(read.max_age.as_ref(), AGE), time(read.max_future.as_ref(), FUTURE));
        let respond = respond(read.respond.as_ref(), &mut wrong);
        for (present, what) in [
            (name.is_some(), "`name: ...`, what a policy writes after `provider:`"),
            (read.documentation.is_some(), "`documentation: ...`, the vendor's page"),
            (read.source.is_some(), "`source: { how: ..., checked: 2026-11-23 }`, where these facts are from"),
            (
                read.scheme.is_some() || !is_whole,
                "`scheme: ...`, how it signs, or `like: ...`, the entry that it is like",
            ),
            (
                read.retry_horizon.is_some() || !is_whole,
                "`retry_horizon: 24h`, for how long the vendor repeats an event",
            ),
            (read.answer_by.is_some() || !is_whole, "`answer_by: 9s`, when the vendor stops waiting, less a second"),
        ] {
            if !present {
                wrong.missing(what);
            }
        }
        let source = read.source.as_ref().map(|source| self::source(source, &mut wrong));
        wrong.0.sort_by_key(|mistake| mistake.at.start);
        let (Some(scheme), Some(retry_horizon), Some(answer_by), Some(name), Some(documentation), Some(source), true) =
            (scheme, retry_horizon, answer_by, read.name, read.documentation, source, wrong.0.is_empty())
        else {
            return Err(wrong.0);
        };
        Ok(Self {
            name: name.value,
            aliases: read.aliases.into_iter().map(|alias| alias.value).collect(),
            event_key,
            type_member,
            type_header,
            identical,
            max_age: scheme.coverage().time.then(|| max_age.unwrap_or(MAX_AGE)),
            max_future: max_future.unwrap_or(MAX_FUTURE),
            retry_horizon,
            answer_by,
            respond,
            refers,
            confirm,
            handshakes,
            answers: read.answers,
            retries: read.retries,
            disables: read.disables,
            like,
            documentation: documentation.value,
            source,
            scheme,
            text: text.to_owned(),
        })
    }
}

/// Reads the form alone.
pub(super) fn read(text: &str) -> Result<ProviderText, Mistake> {
    let options = serde_saphyr::options! { strict_booleans: true, reject_unsupported_tags: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| unreadable(error.without_snippet(), text))
}

/// With the words of the entry that it is like. One step: an entry that is itself like another has few words of its own.
fn alike(read: ProviderText, wrong: &mut Mistakes) -> ProviderText {
    let Some(like) = &read.like else { return read };
    match embedded::find(&like.value).and_then(|text| self::read(text).ok()) {
        Some(entry) if entry.like.is_none() => read.or(entry),
        Some(_) => {
            wrong.at(like, format!("`{}` is itself like another entry; take that one", like.value));
            read
        }
        None => {
            let message = "the catalogue has no file of this name; `hookwarden providers` lists them";
            wrong.at(like, message);
            read
        }
    }
}

fn plain_name(name: &Spanned<String>, also: &str, wrong: &mut Mistakes) {
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-' || also.contains(letter);
    if name.value.is_empty() || !name.value.chars().all(plain) {
        wrong.at(name, "a name has lower-case letters, digits and `-` alone: it is a label of metrics");
    }
}

/// An id that nothing binds can be changed by whoever has captured a request, and would make it a new event each time.
/// A sender that hears anything but a 2xx for what was accepted sends it again.
fn respond(read: Option<&RespondText>, wrong: &mut Mistakes) -> Respond {
    let mut status = |written: Option<&Spanned<u16>>, known: RangeInclusive<u16>| {
        let written = written?;
        if !known.contains(&written.value) {
            wrong
                .at(written, format!("no answer has this status; write one from {} to {}", known.start(), known.end()));
        }
        Some(written.value)
    };
    let accepted = status(read.and_then(|read| read.accepted.as_ref()), 200..=299);
    let unauthenticated = status(read.and_then(|read| read.unauthenticated.as_ref()), 200..=599);
    let accepted_type = read.and_then(|read| read.accepted_type.as_ref()).and_then(|written| {
        let types = ["text/plain", "text/xml", "application/json"].map(|known| (known, known));
        wrong.word(written, "type of an answer", &types)
    });
    Respond {
        accepted,
        unauthenticated,
        accepted_body: read.and_then(|read| read.accepted_body.clone()),
        accepted_type,
        unauthenticated_body: read.and_then(|read| read.unauthenticated_body.clone()),
    }
}

fn event_key(read: &ProviderText, scheme: Option<&Scheme>, wrong: &mut Mistakes) -> Vec<String> {
    let pointers = read.event_key.iter().flatten();
    for pointer in pointers.clone() {
        if !pointer.value.starts_with('/') {
            wrong.at(pointer, "an event key is a JSON Pointer, as in `/id`");
        } else if scheme.is_some_and(|scheme| !scheme.coverage().body) {
            wrong
                .at(pointer, "the signature does not cover the body, so nothing in it can name an event; leave it out");
        }
    }
    pointers.map(|pointer| pointer.value.clone()).collect()
}

fn event_type(place: Option<&Spanned<String>>, wrong: &mut Mistakes) -> (Option<String>, Option<String>) {
    let Some(place) = place else { return (None, None) };
    match place.value.strip_prefix("json:") {
        Some(pointer) if pointer.starts_with('/') => (Some(pointer.to_owned()), None),
        Some(_) => {
            wrong.at(place, "after `json:` comes a JSON Pointer, as in `json:/type`");
            (None, None)
        }
        None => (None, wrong.header(place)),
    }
}

fn source(text: &SourceText, wrong: &mut Mistakes) -> Source {
    let words = [
        ("sdk", Provenance::Sdk),
        ("documentation", Provenance::Documentation),
        ("memory", Provenance::Memory),
        ("third_party", Provenance::ThirdParty),
    ];
    let mut word = |written: Option<&Spanned<String>>| wrong.word(written?, "source", &words);
    let (scheme, service) = (word(text.scheme.as_ref()), word(text.service.as_ref()));
    if day(&text.checked.value).is_none() {
        wrong.at(&text.checked, "write the day on which it was looked at, as in `2026-11-23`");
    }
    Source { scheme, service, how: text.how.clone(), checked: text.checked.value.clone() }
}

/// When that day began.
pub(super) fn day(text: &str) -> Option<crate::clock::Timestamp> {
    if text.len() != "2026-11-23".len() {
        return None;
    }
    crate::clock::Timestamp::from_rfc3339(&format!("{text}T00:00:00Z"))
}

/// Vendors' own limits are seconds to hours; a day is a mistake of units.
const AGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);
const FUTURE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(1);
/// The longest known is 23 days (`aws-sns`).
const HORIZON: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(60 * 24);
/// The longest known is 100 s (`docusign`).
const ANSWER_BY: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(120);

/// `900ms`, `9s`, `5m`, `72h`, `3d`.
pub(in crate::verify) fn duration(
    written: &Spanned<String>,
    within: RangeInclusive<Duration>,
    wrong: &mut Mistakes,
) -> Option<Duration> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let parted = units.iter().find_map(|(unit, ms)| Some((written.value.strip_suffix(unit)?, *ms)));
    let time = parted.and_then(|(digits, ms)| digits.parse::<u64>().ok()?.checked_mul(ms)).map(Duration::from_millis);
    match time {
        None => {
            let message = format!("cannot read `{}`; write something such as `9s`, `5m` or `72h`", written.value);
            wrong.at(written, message);
        }
        Some(time) if !within.contains(&time) => {
            let (least, most) = (within.start().as_secs(), within.end().as_secs());
            wrong.at(written, format!("no vendor has such a time; it lies between {least} s and {most} s"));
        }
        Some(_) => {}
    }
    time
}
