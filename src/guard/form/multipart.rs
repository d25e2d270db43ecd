//! `multipart/form-data` as PHP's main/rfc1867.c reads it where every reader agrees, and refused where they could differ.

use super::{Fields, HEAD_BYTES_MAX, Step, VALUE_BYTES_MAX};
use crate::request::target::php;
use std::borrow::Cow;

/// Reads parts; only a head and a candidate's value are ever held.
#[derive(Debug)]
pub(super) struct Reader {
    /// `--BOUNDARY`.
    delimiter: Delimiter,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Before the first delimiter.
    Preamble(Text),
    /// On the delimiter's line, behind it.
    Line(Line),
    /// In a part's head, which is held.
    Head,
    /// In a candidate's value, which is held with its head.
    Value { names: Vec<Vec<u8>>, start: usize },
    /// In a part that nobody dispatches by.
    Body(Text),
    /// Behind the last delimiter. PHP goes on looking for parts, so nothing may be there.
    Epilogue,
}

/// What ends a part at the beginning of a line, with or without a CR before the line break.
///
/// PHP looks for it line by line where it skips an upload, and cuts long lines every 5 KiB, so that it alone sees one in
/// the middle of a line. Boundaries are random: what holds one elsewhere was made to be read in two ways.
#[derive(Debug)]
struct Delimiter {
    bytes: Vec<u8>,
    /// For each number of matched bytes: how many still match when the next one does not (Knuth, Morris, Pratt).
    fallback: Vec<usize>,
}

/// What passes unheld until a delimiter comes.
#[derive(Debug)]
struct Text {
    /// So many bytes of the delimiter have just been seen ...
    matched: usize,
    /// ... and the first of them began a line.
    at_line: bool,
    last: u8,
    seen: usize,
}

/// What may follow a delimiter on its line. PHP takes anything else for text, others take blanks for nothing.
#[derive(Clone, Copy, Debug)]
enum Line {
    Begun,
    Return,
    Dash,
}

/// Nobody sends a preamble; this is room for a few line breaks. PHP cuts lines at 5 KiB, so that it alone would see a
/// boundary in a longer one.
const PREAMBLE_BYTES_MAX: usize = 256;

impl Reader {
    pub(super) fn new(boundary: &str) -> Self {
        Self { delimiter: Delimiter::new(boundary), state: State::Preamble(Text::new()) }
    }

    pub(super) fn step(&mut self, held: &[u8], rest: &[u8], fields: &mut Fields) -> Step {
        match &mut self.state {
            State::Preamble(text) => {
                let (taken, complete) = text.advance(&self.delimiter, rest);
                if text.seen > PREAMBLE_BYTES_MAX + self.delimiter.bytes.len() || (complete && !text.at_line) {
                    return Step::Refuse;
                }
                if complete {
                    self.state = State::Line(Line::Begun);
                }
                Step::Pass(taken)
            }
            State::Body(text) => {
                let (taken, complete) = text.advance(&self.delimiter, rest);
                if complete {
                    // A body that begins with a delimiter is empty for one reader, and for PHP it is not.
                    if !text.at_line || text.seen == self.delimiter.bytes.len() {
                        return Step::Refuse;
                    }
                    self.state = State::Line(Line::Begun);
                }
                Step::Pass(taken)
            }
            State::Line(line) => {
                self.state = match (*line, rest.first()) {
                    (Line::Begun | Line::Return, Some(b'\n')) => State::Head,
                    (Line::Begun, Some(b'\r')) => State::Line(Line::Return),
                    (Line::Begun, Some(b'-')) => State::Line(Line::Dash),
                    (Line::Dash, Some(b'-')) => State::Epilogue,
                    (Line::Begun | Line::Return | Line::Dash, _) => return Step::Refuse,
                };
                Step::Pass(1)
            }
            State::Head => self.head(held, rest, fields),
            State::Value { .. } => self.value(held, rest, fields),
            State::Epilogue => {
                let blank = rest.iter().all(u8::is_ascii_whitespace);
                if blank { Step::Pass(rest.len()) } else { Step::Refuse }
            }
        }
    }

    fn head(&mut self, held: &[u8], rest: &[u8], fields: &Fields) -> Step {
        let room = HEAD_BYTES_MAX.saturating_sub(held.len());
        let whole = [held, rest.get(..room.min(rest.len())).unwrap_or_default()].concat();
        let Some(end) = end_of_head(&whole) else {
            return if rest.len() < room { Step::Hold(rest.len()) } else { Step::Refuse };
        };
        let Some(mut names) = field_names(whole.get(..end).unwrap_or_default(), &self.delimiter.bytes) else {
            return Step::Refuse;
        };
        names.retain(|name| fields.is_candidate(name));
        let taken = end.saturating_sub(held.len());
        if names.is_empty() {
            self.state = State::Body(Text::new());
            return Step::Pass(taken);
        }
        self.state = State::Value { names, start: end };
        Step::Hold(taken)
    }

    fn value(&mut self, held: &[u8], rest: &[u8], fields: &mut Fields) -> Step {
        let State::Value { names, start } = &self.state else { return Step::Refuse };
        let begun = held.get(*start..).unwrap_or_default();
        let delimiter = &self.delimiter.bytes;
        let room = (VALUE_BYTES_MAX + delimiter.len()).saturating_sub(begun.len());
        let whole = [begun, rest.get(..room.min(rest.len())).unwrap_or_default()].concat();
        let Some(end) = whole.windows(delimiter.len()).position(|window| window == delimiter) else {
            return if rest.len() < room { Step::Hold(rest.len()) } else { Step::Refuse };
        };
        let value = whole.get(..end).and_then(|value| value.strip_suffix(b"\n"));
        if value.is_none_or(|value| names.iter().any(|name| fields.is_guarded(name, value))) {
            return Step::Refuse;
        }
        let taken = (end + delimiter.len()).saturating_sub(begun.len());
        self.state = State::Line(Line::Begun);
        Step::Pass(taken)
    }

    /// PHP registers what it has of a value when the body ends early, so a held one is refused.
    pub(super) fn ends_well(&self) -> bool {
        match self.state {
            State::Preamble(_) | State::Body(_) | State::Epilogue => true,
            State::Line(_) | State::Head | State::Value { .. } => false,
        }
    }
}

impl Delimiter {
    fn new(boundary: &str) -> Self {
        let bytes = format!("--{boundary}").into_bytes();
        let mut fallback = vec![0];
        let mut kept: usize = 0;
        for byte in bytes.iter().skip(1) {
            while kept > 0 && bytes.get(kept) != Some(byte) {
                kept = fallback.get(kept - 1).copied().unwrap_or_default();
            }
            kept += usize::from(bytes.get(kept) == Some(byte));
            fallback.push(kept);
        }
        Self { bytes, fallback }
    }
}

impl Text {
    /// At the beginning of a line, as every head and the whole body is.
    fn new() -> Self {
        Self { matched: 0, at_line: false, last: b'\n', seen: 0 }
    }

    /// Looks for the delimiter; says how many bytes were taken, and whether it is complete with them.
    fn advance(&mut self, delimiter: &Delimiter, rest: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(byte) = rest.get(at) {
            if delimiter.bytes.get(self.matched) == Some(byte) {
                if self.matched == 0 {
                    self.at_line = before(rest, at).unwrap_or(self.last) == b'\n';
                }
                self.matched += 1;
                at += 1;
                if self.matched == delimiter.bytes.len() {
                    break;
                }
            } else if self.matched > 0 {
                self.matched = delimiter.fallback.get(self.matched - 1).copied().unwrap_or_default();
                self.at_line = false; // what still matches began behind a dash
            } else {
                let dash = rest.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'-'));
                at = dash.map_or(rest.len(), |dash| at + dash);
            }
        }
        self.seen = self.seen.saturating_add(at);
        self.last = before(rest, at).unwrap_or(self.last);
        (at, self.matched == delimiter.bytes.len())
    }
}

fn before(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at.checked_sub(1)?).copied()
}

/// Behind the empty line.
fn end_of_head(whole: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in whole.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Some(end);
        }
    }
    None
}

/// Every name that a reader could give this part; absent where that is unclear: no head, NUL or a bare CR in it, or a
/// delimiter. PHP takes the first `Content-Disposition` and the last `name` of it; all are returned here.
fn field_names(head: &[u8], delimiter: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let odd = line.iter().any(|byte| matches!(byte, 0 | b'\r'));
        if odd || line.starts_with(delimiter) {
            return None;
        }
        // PHP joins folded lines, and lines without a colon, to the one before, without a blank between.
        let continues = line.first().is_some_and(|first| is_blank(*first)) || !line.contains(&b':');
        match fields.last_mut() {
            Some(field) if continues => field.extend_from_slice(line),
            Some(_) | None if line.is_empty() => {}
            Some(_) | None => fields.push(line.to_vec()),
        }
    }
    let dispositions = fields.iter().filter(|field| {
        let name = field.split(|byte| *byte == b':').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"content-disposition")
    });
    (!fields.is_empty()).then(|| dispositions.flat_map(|field| names_in(field)).collect())
}

/// The value of each `name=` in a disposition, as PHP reads quotes, and as the key of `$_POST`.
fn names_in(disposition: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for at in 0..disposition.len() {
        let (before, from) = disposition.split_at_checked(at).unwrap_or_default();
        let Some((word, after)) = from.split_at_checked(b"name".len()) else { break };
        let begins = before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if !begins || !word.eq_ignore_ascii_case(b"name") {
            continue;
        }
        if let Some(value) = after.trim_ascii_start().strip_prefix(b"=") {
            names.push(php::name(Cow::Owned(unquoted(value))).into_owned());
        }
    }
    names
}

/// One word, or what is between quotes of either kind.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let value = value.trim_ascii_start();
    let (quote, mut rest) = match value.split_first() {
        Some((quote @ (b'"' | b'\''), rest)) => (Some(*quote), rest),
        Some(_) | None => (None, value),
    };
    let mut word = Vec::new();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let ends = quote.map_or(*byte == b';' || is_blank(*byte), |quote| *byte == quote);
        if ends {
            break;
        }
        match after.split_first() {
            Some((next, later)) if *byte == b'\\' && (*next == b'\\' || Some(*next) == quote) => {
                word.push(*next);
                rest = later;
            }
            Some(_) | None => word.push(*byte),
        }
    }
    word
}

/// C's `isspace`.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d)
}
