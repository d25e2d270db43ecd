//! What is wrong with a policy, where, and what to write instead.

use super::source::{Placed, Texts};
use crate::json::Wrong;
use serde::Serialize;
use std::{fmt, ops::Range};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// There is no policy as long as this stands.
    Error,
    /// The policy does what it says, which may not be what was meant.
    Warning,
}

/// One thing to change, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file's name as it was given.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Lower case, no full stop, with a way out.
    pub message: String,
    #[serde(skip)]
    excerpt: Excerpt,
}

/// Everything that is wrong with a policy, in the order of its files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Report(Vec<Diagnostic>);

/// One thing, before it is known in which line it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Note {
    pub(super) wrong: Wrong,
    pub(super) severity: Severity,
}

/// A text that notes point into.
struct Noted<'a> {
    file: &'a str,
    text: &'a str,
    /// Secrets that should not be there; they are not shown.
    hidden: Vec<Range<usize>>,
}

impl Report {
    pub(super) fn new(texts: &Texts<'_>, mut notes: Vec<Note>) -> Self {
        notes.sort();
        // What stands once, in a class, may be judged for many routes.
        notes.dedup();
        let mut told = Vec::new();
        let mut notes = notes.into_iter().peekable();
        while let Some(placed) = notes.peek().and_then(|note| texts.at(note.wrong.start)) {
            let noted = Noted::of(placed);
            let here = |note: &Note| texts.at(note.wrong.start).is_some_and(|other| other.base == placed.base);
            while let Some(Note { wrong, severity }) = notes.next_if(here) {
                let Wrong { start, end, message } = wrong;
                let local = |byte: usize| byte.saturating_sub(placed.base);
                let wrong = Wrong { start: local(start), end: local(end), message };
                told.push(Diagnostic::new(&noted, Note { wrong, severity }));
            }
        }
        Self(told)
    }

    /// One error of a file of which only this much could be read as text, because of what follows it.
    pub fn unreadable(file: &str, text: &str, message: impl Into<String>) -> Self {
        let (noted, end) = (Noted { file, text, hidden: Vec::new() }, text.len());
        let note = Note { wrong: Wrong::new(end..end, message), severity: Severity::Error };
        let excerpt = Excerpt::default();
        Self(vec![Diagnostic { excerpt, ..Diagnostic::new(&noted, note) }])
    }

    /// One error of a file, or of a folder, as a whole.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self::unreadable(file, "", message)
    }

    /// With what is wrong elsewhere.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        // Two stages of one policy have most of what is wrong in common.
        let new: Vec<_> = other.0.into_iter().filter(|diagnostic| !self.0.contains(diagnostic)).collect();
        self.0.extend(new);
        self
    }

    /// How many there are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// As text for a terminal, in colours if `coloured`.
    pub fn write(&self, f: &mut impl fmt::Write, coloured: bool) -> fmt::Result {
        for diagnostic in &self.0 {
            diagnostic.write(f, coloured)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

impl std::error::Error for Report {}

impl<'a> Noted<'a> {
    fn of(placed: &Placed<'a>) -> Self {
        Self { file: &placed.file.name, text: &placed.file.text, hidden: placed.hidden() }
    }
}

impl Diagnostic {
    fn new(noted: &Noted<'_>, note: Note) -> Self {
        let Note { wrong: Wrong { start, end, message }, severity, .. } = note;
        let above = noted.text.get(..start).unwrap_or(noted.text);
        let line_start = above.rfind('\n').map_or(0, |at| at + 1);
        let before = above.get(line_start..).unwrap_or_default();
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        let line = above.matches('\n').count() + 1;
        let excerpt = Excerpt::of(noted, line_start, start..end.max(start));
        let message = message.chars().filter_map(printable).collect();
        Self { severity, file: noted.file.to_owned(), line, column, message, excerpt }
    }

    fn write(&self, f: &mut impl fmt::Write, coloured: bool) -> fmt::Result {
        let Self { file, line, column, message, excerpt, severity } = self;
        let (word, colour) = match severity {
            Severity::Error => ("", "\x1b[31m"),
            Severity::Warning => ("warning: ", "\x1b[33m"),
        };
        let [bold, dim, colour, plain] =
            if coloured { ["\x1b[1m", "\x1b[2m", colour, "\x1b[0m"] } else { ["", "", "", ""] };
        // What is wrong is coloured, and the way out is not: an eye that runs down the list finds both.
        let wrong = message.find("; ").unwrap_or(message.len());
        let (wrong, way_out) = message.split_at_checked(wrong).unwrap_or((message, ""));
        writeln!(f, "{bold}{file}:{line}:{column}:{plain} {colour}{word}{wrong}{plain}{way_out}")?;
        if excerpt.marks > 0 {
            writeln!(f, "{dim}  |{plain} {}", excerpt.source)?;
            writeln!(f, "{dim}  |{plain} {}{colour}{}{plain}", excerpt.indent, "^".repeat(excerpt.marks))?;
        }
        Ok(())
    }
}

/// The line that a diagnostic speaks of, fit to be printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Excerpt {
    source: String,
    /// As wide as what stands before the marks.
    indent: String,
    marks: usize,
}

/// More of a line would wrap in most windows.
const SHOWN_MAX: usize = 120;
/// What is shown of a long line before the place that matters.
const LEAD: usize = 60;

impl Excerpt {
    fn of(noted: &Noted<'_>, line_start: usize, at: Range<usize>) -> Self {
        let rest = noted.text.get(line_start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let places: Vec<_> = line.char_indices().map(|(index, shown)| (line_start + index, shown)).collect();
        let first = places.iter().take_while(|(place, _)| *place < at.start).count();
        let skipped = if places.len() > SHOWN_MAX { first.saturating_sub(LEAD) } else { 0 };
        let mut excerpt = Self::default();
        if skipped > 0 {
            excerpt.source.push('…');
            excerpt.indent.push(' ');
        }
        for (place, shown) in places.iter().skip(skipped).take(SHOWN_MAX) {
            let hidden = noted.hidden.iter().any(|range| range.contains(place));
            let shown = if hidden { Some('*') } else { printable(*shown) };
            let Some(shown) = shown else { continue };
            excerpt.source.push(shown);
            if *place < at.start {
                // A tab stays one, or the marks would stand elsewhere.
                let blank = if shown == '\t' { "\t" } else { " " };
                excerpt.indent.extend(std::iter::repeat_n(blank, columns(shown)));
            } else if *place < at.end {
                excerpt.marks += columns(shown);
            }
        }
        if skipped + SHOWN_MAX < places.len() {
            excerpt.source.push('…');
        }
        if !line.trim().is_empty() {
            excerpt.marks = excerpt.marks.max(1);
        }
        excerpt
    }
}

/// What a terminal would obey is not shown; nor is a byte order mark.
fn printable(character: char) -> Option<char> {
    match character {
        '\u{feff}' => None,
        '\t' => Some('\t'),
        control if control.is_control() => Some('\u{fffd}'),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some('\u{fffd}'),
        other => Some(other),
    }
}

/// How many columns a terminal gives to a character: none to what combines, two to East Asian letters and pictures.
fn columns(character: char) -> usize {
    match character {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}
