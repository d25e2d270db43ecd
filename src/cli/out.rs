//! Standard output: text for people and scripts, read by something that may stop reading, and written to something that
//! may be full.

use crate::control::actor::is_unprintable;
use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, StdoutLock, Write},
};

/// Standard output for as long as a verb writes. The macros of the standard library panic where it cannot be written.
#[derive(Debug)]
pub(super) struct Out(StdoutLock<'static>);

/// Whoever read standard output has seen enough, as `head` has: no failure of ours, and nothing to say to anybody.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads standard output any more")]
struct ReaderGone;

pub(super) fn out() -> Out {
    Out(io::stdout().lock())
}

/// Whether somebody looks at it.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether this is why a verb ended.
pub(super) fn reader_gone(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<ReaderGone>)
    })
}

/// What a sender or an operator wrote, without what would move a terminal's cursor or make another line of it.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, is_unprintable)
}

/// The same of a text of many lines, where a terminal shows it; files get every byte of it.
pub(super) fn printable_lines(text: &str) -> Cow<'_, str> {
    let unprintable = |character| is_unprintable(character) && !matches!(character, '\n' | '\t');
    if is_terminal() { escaped(text, unprintable) } else { Cow::Borrowed(text) }
}

fn escaped(text: &str, unprintable: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&unprintable) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if unprintable(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    Cow::Owned(plain)
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(named)
    }
}

fn named(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => io::Error::new(io::ErrorKind::BrokenPipe, ReaderGone),
        io::ErrorKind::Interrupted => error, // `write_all` tries again
        kind => io::Error::new(kind, format!("cannot write to standard output: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn text_of_others_does_nothing_to_a_terminal() {
        assert_eq!(printable("\u{1b}[31mme\nx"), "\\u{1b}[31mme\\nx");
        assert!(matches!(printable("order.paid, Zoë"), Cow::Borrowed("order.paid, Zoë")));
    }

    #[test]
    fn another_broken_pipe_is_not_that_of_standard_output() {
        let pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        let ours: Result<(), _> = Err(named(pipe()));
        assert!(reader_gone(&ours.context("writing").unwrap_err()));
        let other: Result<(), _> = Err(pipe());
        assert!(!reader_gone(&other.context("the gate did not answer").unwrap_err()));
    }
}
