//! How far is it with a long reading? Told on a terminal, and gone when it is done: what stays there is the answer.

use std::io::{self, IsTerminal as _, Write};

/// Fewer segments are read before anybody wonders.
const WORTH_TELLING: usize = 4;
/// Back to the start of the line, and nothing on it.
const GONE: &str = "\r\x1b[K";

/// One line that is written over, until this is dropped.
pub(super) struct Progress<W: Write = io::Stderr> {
    to: Option<W>,
    told: bool,
}

impl Progress {
    /// On standard error, if somebody looks at it.
    pub(super) fn new() -> Self {
        let error = io::stderr();
        Self { to: error.is_terminal().then_some(error), told: false }
    }
}

impl<W: Write> Progress<W> {
    pub(super) fn tell(&mut self, done: usize, all: usize) {
        if let Some(to) = self.to.as_mut().filter(|_| all > WORTH_TELLING) {
            self.told = true;
            let _ = write!(to, "{GONE}reading segment {} of {all}", done + 1).and_then(|()| to.flush());
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        if let Some(to) = self.to.as_mut().filter(|_| self.told) {
            let _ = write!(to, "{GONE}").and_then(|()| to.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_left_behind() {
        let mut told = Vec::new();
        let mut progress = Progress { to: Some(&mut told), told: false };
        (0..5).for_each(|done| progress.tell(done, 5));
        drop(progress);
        let told = String::from_utf8(told).unwrap();
        assert!(told.contains("reading segment 5 of 5"), "{told:?}");
        assert!(told.ends_with(GONE) && !told.contains('\n'), "{told:?}");
    }

    #[test]
    fn a_short_reading_is_not_told() {
        let mut told = Vec::new();
        let mut progress = Progress { to: Some(&mut told), told: false };
        (0..4).for_each(|done| progress.tell(done, 4));
        drop(progress);
        assert!(told.is_empty(), "{told:?}");
    }
}
