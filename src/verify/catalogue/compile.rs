//! From an entry's text to a sender: every mistake of meaning at once, each where it stands.

use super::{
    MAX_AGE, MAX_FUTURE, Mistake, Mistakes, Provenance, Provider, Respond, Source, embedded,
    read::{Read, known, read},
    text::{ProviderText, RespondText, SourceText},
    urls::url_mistake,
};
use crate::{
    json,
    repeat::Identical,
    verify::{Confirm, Handshake, Refers, Scheme, confirm::go_together},
};
use serde_saphyr::Spanned;
use std::{ops::RangeInclusive, time::Duration};

impl Provider {
    /// Compiles one catalogue entry.
    ///
    /// # Errors
    /// Every mistake at once, each where it stands.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<Mistake>> {
        let mut read = read(text);
        match read.entry.take() {
            Some(entry) => Self::compile(entry, read, text),
            None => Err(read.wrong),
        }
    }

    /// The same of one of the catalogue's own, which are known to fit the language.
    pub(super) fn known(text: &str) -> Result<Self, Vec<Mistake>> {
        Self::compile(known(text).map_err(|mistake| vec![mistake])?, Read::default(), text)
    }

    fn compile(entry: ProviderText, told: Read, text: &str) -> Result<Self, Vec<Mistake>> {
        let mut wrong = Mistakes(Vec::new());
        let like = entry.like.as_ref().map(|like| like.value.clone());
        let own_time = entry.max_age.clone().or(entry.max_future.clone());
        let mut read = alike(entry, &mut wrong);
        // What an unknown entry would have said is not missing here; and what cannot be read here is not as it is there.
        let is_whole = wrong.0.is_empty() && !told.has_spoilt("like");
        if told.has_spoilt("scheme") {
            read.scheme = None;
        }
        let scheme = read.scheme.as_ref().and_then(|scheme| Scheme::compile(scheme, &mut wrong));
        let name = read.name.as_ref();
        for (name, also) in name.map(|name| (name, "")).into_iter().chain(read.aliases.iter().map(|alias| (alias, "_")))
        {
            plain_name(name, also, &mut wrong);
        }
        for alias in read.aliases.iter().filter(|alias| name.is_some_and(|name| name.value == alias.value)) {
            wrong.at(alias, "this is its name already; leave it out");
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
        if read.refers.is_none() && !told.has_spoilt("refers") {
            go_together(refers.as_ref(), read.confirm.as_ref(), &mut wrong);
        }
        let handshakes = handshakes(&read, scheme.as_ref(), &mut wrong);
        let mut time =
            |written: Option<&Spanned<String>>, within| written.and_then(|it| duration(it, within, &mut wrong));
        let (retry_horizon, answer_by) =
            (time(read.retry_horizon.as_ref(), HORIZON), time(read.answer_by.as_ref(), ANSWER_BY));
        let (max_age, max_future) = (time(read.max_age.as_ref(), AGE), time(read.max_future.as_ref(), FUTURE));
        if let (Some(written), Some(false)) = (&own_time, scheme.as_ref().map(|scheme| scheme.coverage().time)) {
            wrong.at(written, "no time is signed, so nothing has an age; leave this out");
        }
        let respond = respond(read.respond.as_ref(), &mut wrong);
        if let Some(page) = &read.documentation
            && let Some(why) = page.value.split('#').next().and_then(|page| url_mistake(page, true))
        {
            wrong.at(page, why);
        }
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
            let key = what.trim_start_matches('`').split(':').next().unwrap_or_default();
            if !present && !told.has_spoilt(key) {
                wrong.missing(what);
            }
        }
        let source = read.source.as_ref().map(|source| self::source(source, &mut wrong));
        let wrong = wrong.once(told.wrong);
        let (Some(scheme), Some(retry_horizon), Some(answer_by), Some(name), Some(documentation), Some(source), true) =
            (scheme, retry_horizon, answer_by, read.name, read.documentation, source, wrong.is_empty())
        else {
            return Err(wrong);
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

/// With the words of the entry that it is like. One step: an entry that is itself like another has few words of its own.
fn alike(read: ProviderText, wrong: &mut Mistakes) -> ProviderText {
    let Some(like) = &read.like else { return read };
    match embedded::find(&like.value).and_then(|text| known(text).ok()) {
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

/// As of every name that is a label of metrics.
const NAME_BYTES_MAX: usize = 64;

fn plain_name(name: &Spanned<String>, also: &str, wrong: &mut Mistakes) {
    let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let plain = |other: char| letter(other) || other == '-' || also.contains(other);
    let text = &name.value;
    if !text.starts_with(letter) || !text.ends_with(letter) || !text.chars().all(plain) {
        wrong.at(name, "a name has lower-case letters, digits and `-` between them alone: it is a label of metrics");
    } else if text.len() > NAME_BYTES_MAX {
        wrong.at(name, format!("a name has {NAME_BYTES_MAX} bytes at most: it is a label of metrics"));
    }
}

/// The calls, each of another name.
fn handshakes(read: &ProviderText, scheme: Option<&Scheme>, wrong: &mut Mistakes) -> Vec<Handshake> {
    let calls: Vec<_> = read.challenge.iter().flatten().collect();
    for (at, call) in calls.iter().enumerate() {
        if calls.iter().take(at).any(|other| other.name.value == call.name.value) {
            let message = format!("another call is called `{}`, and logs could not tell the two", call.name.value);
            wrong.at(&call.name, message);
        }
    }
    calls.into_iter().filter_map(|call| Handshake::compile(call, scheme, wrong)).collect()
}

/// A sender that hears anything but a 2xx for what was accepted sends it again.
fn respond(read: Option<&RespondText>, wrong: &mut Mistakes) -> Respond {
    let Some(read) = read else { return Respond::default() };
    if let Some(written) = read.unauthenticated.as_ref().filter(|written| (300..400).contains(&written.value)) {
        wrong.at(written, "this sends a webhook elsewhere, and none goes there; write 401, or what the vendor wants");
    }
    let status = |written: &Option<Spanned<u16>>| written.as_ref().map(|written| written.value);
    let (accepted, unauthenticated) = (status(&read.accepted), status(&read.unauthenticated));
    for (status, body) in [(&read.accepted, &read.accepted_body), (&read.unauthenticated, &read.unauthenticated_body)] {
        if let (Some(status), Some(_)) = (status, body.as_ref().filter(|body| !body.is_empty()))
            && has_no_body(status.value)
        {
            wrong.at(status, format!("an answer with {} has no body; write 200, or leave the body out", status.value));
        }
    }
    let accepted_type = read.accepted_type.as_ref().and_then(|written| {
        let types = ["text/plain", "text/xml", "application/json"].map(|known| (known, known));
        let known = wrong.word(written, "type of an answer", &types);
        match &read.accepted_body {
            None if known.is_some() => {
                wrong.at(written, "there is no `accepted_body` that it would be of; leave it out");
            }
            Some(body) if known == Some("application/json") && json::read(body.as_bytes()).is_err() => {
                wrong.at(written, "the `accepted_body` is no JSON; write it anew, or leave this out");
            }
            None | Some(_) => {}
        }
        known
    });
    Respond {
        accepted,
        unauthenticated,
        accepted_body: read.accepted_body.clone(),
        accepted_type,
        unauthenticated_body: read.unauthenticated_body.clone(),
    }
}

/// RFC 9110 sections 15.3.5 and 15.3.6.
pub(in crate::verify) fn has_no_body(status: u16) -> bool {
    matches!(status, 204 | 205)
}

/// An id that nothing binds can be changed by whoever has captured a request, and would make it a new event each time.
fn event_key(read: &ProviderText, scheme: Option<&Scheme>, wrong: &mut Mistakes) -> Vec<String> {
    let pointers = read.event_key.iter().flatten();
    for pointer in pointers.clone() {
        if wrong.pointer(pointer, &pointer.value).is_some() && scheme.is_some_and(|scheme| !scheme.coverage().body) {
            wrong
                .at(pointer, "the signature does not cover the body, so nothing in it can name an event; leave it out");
        }
    }
    pointers.map(|pointer| pointer.value.clone()).collect()
}

fn event_type(place: Option<&Spanned<String>>, wrong: &mut Mistakes) -> (Option<String>, Option<String>) {
    let Some(place) = place else { return (None, None) };
    match place.value.split_once(':') {
        Some(("json", pointer)) => (wrong.pointer(place, pointer), None),
        Some(("header", name)) => (None, wrong.header_name(place, name)),
        _ => (None, wrong.no_place(place, &["header:NAME", "json:/pointer"])),
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
            let (least, most) = (words(*within.start()), words(*within.end()));
            wrong.at(written, format!("no vendor has such a time; it lies between `{least}` and `{most}`"));
        }
        Some(_) => {}
    }
    time
}

/// As an entry would write it.
fn words(time: Duration) -> String {
    match time.as_millis() {
        ms if ms % 86_400_000 == 0 && ms > 0 => format!("{}d", ms / 86_400_000),
        ms if ms % 3_600_000 == 0 && ms > 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 && ms > 0 => format!("{}m", ms / 60_000),
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
    }
}
