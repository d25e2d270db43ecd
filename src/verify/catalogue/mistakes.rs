//! What is wrong with a catalogue entry, and where: byte ranges, so that whoever reports can print the line.

use crate::json::language::way_out;
use serde_saphyr::{MessageFormatter as _, Spanned, UserMessageFormatter};
use std::ops::Range;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Which bytes of the text.
    pub at: Range<usize>,
    /// Lower case, no full stop, with a way out.
    pub message: String,
}

/// Collects mistakes, so that the second is told with the first.
pub(in crate::verify) struct Mistakes(pub(in crate::verify) Vec<Mistake>);

impl Mistakes {
    pub(in crate::verify) fn at<T>(&mut self, place: &Spanned<T>, message: impl Into<String>) {
        self.0.push(Mistake { at: place_of(place), message: message.into() });
    }

    /// Something that is not there has no place but the file.
    pub(in crate::verify) fn missing(&mut self, what: &str) {
        self.0.push(Mistake { at: 0..0, message: format!("this is missing: {what}") });
    }

    /// The value of one of these words; else a mistake, which names what was meant, or all of them.
    pub(in crate::verify) fn word<T: Copy>(
        &mut self,
        written: &Spanned<String>,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == written.value);
        if found.is_none() {
            let known = || words.iter().map(|(word, _)| *word);
            let bare = written.value.trim().to_ascii_lowercase().replace('_', "-");
            let called = ELSEWHERE.iter().find(|(word, ours)| *word == bare && known().any(|known| known == *ours));
            let way_out = match called {
                Some((_, ours)) => format!("; write `{ours}`"),
                None if known().any(|word| word.replace('_', "-") == bare) => way_out(&bare, known()),
                None => way_out(&written.value, known()),
            };
            self.at(written, format!("unknown {what} `{}`{way_out}", written.value));
        }
        found.map(|(_, value)| *value)
    }

    /// Without what has been told of the same place in another way, in the order of the lines.
    pub(super) fn once(mut self, told: Vec<Mistake>) -> Vec<Mistake> {
        let is_told = |at: &Range<usize>| !at.is_empty() && told.iter().any(|known| known.at.start == at.start);
        self.0.retain(|mistake| !is_told(&mistake.at));
        self.0.extend(told);
        self.0.sort_by_key(|mistake| mistake.at.start);
        self.0
    }
}

/// Words of other catalogues, and ours for them.
const ELSEWHERE: [(&str, &str); 20] = [
    ("ms", "unix_ms"),
    ("millis", "unix_ms"),
    ("milliseconds", "unix_ms"),
    ("s", "unix_s"),
    ("sec", "unix_s"),
    ("seconds", "unix_s"),
    ("unix", "unix_s"),
    ("epoch", "unix_s"),
    ("iso", "rfc3339"),
    ("iso8601", "rfc3339"),
    ("iso-8601", "rfc3339"),
    ("hexadecimal", "hex"),
    ("base16", "hex"),
    ("hmac", "hmac-sha256"),
    ("hs256", "hmac-sha256"),
    ("token", "equal"),
    ("bearer", "equal"),
    ("plain", "equal"),
    ("none", "unsigned"),
    ("rsa", "rsa-sha256"),
];

/// Which bytes it is.
pub(super) fn place_of<T>(place: &Spanned<T>) -> Range<usize> {
    let span = place.referenced.span();
    let number = |bytes: Option<u64>| bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let start = number(span.byte_offset()).unwrap_or_default();
    start..start.saturating_add(number(span.byte_len()).unwrap_or_default())
}

/// A mistake of form: what follows it cannot be relied on.
pub(super) fn unreadable(error: &serde_saphyr::Error, text: &str) -> Mistake {
    let message = UserMessageFormatter.format_message(error);
    // Where the scanner stops it has counted characters and not bytes.
    let byte = |character| text.char_indices().nth(character).map_or(text.len(), |(at, _)| at);
    let at = error.location().map_or(0..0, |location| {
        let span = location.span();
        let start = usize::try_from(span.offset()).unwrap_or_default();
        let length = usize::try_from(span.len()).unwrap_or_default();
        byte(start)..byte(start.saturating_add(length))
    });
    Mistake { at, message: format!("cannot be read: {message}") }
}
