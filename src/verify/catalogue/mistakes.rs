//! What is wrong with a catalogue entry, and where: byte ranges, so that whoever reports can print the line.

use http::HeaderName;
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

    /// The value of one of these words; else a mistake, which names them all.
    pub(in crate::verify) fn word<T: Copy>(
        &mut self,
        written: &Spanned<String>,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == written.value);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.at(written, format!("unknown {what} `{}`; known here: {}", written.value, known.join(", ")));
        }
        found.map(|(_, value)| *value)
    }

    /// `header:NAME`, in lower case.
    pub(in crate::verify) fn header(&mut self, written: &Spanned<String>) -> Option<String> {
        let name = written.value.strip_prefix("header:").and_then(|name| name.parse::<HeaderName>().ok());
        if name.is_none() {
            self.at(
                written,
                format!("cannot read `{}`; write `header:NAME`, as in `header:X-Signature`", written.value),
            );
        }
        name.map(|name| name.as_str().to_owned())
    }
}

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
