//! Who acts? A name that people give of themselves, and that is read in logs for as long as the queue's files last.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, str::FromStr};

/// Something that can be written into one line of a log, and names somebody.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Actor(Cow<'static, str>);

/// Why somebody acts, in their words; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

/// Why this names nobody, or is no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadActor {
    /// Nothing, or blanks.
    #[error("an actor is somebody: write a name, as in `--actor kim`")]
    Nobody,
    /// A text, and no name.
    #[error("an actor has {ACTOR_MAX_CHARS} characters at most, and a reason {REASON_MAX_CHARS}")]
    TooLong,
    /// A newline would be another line of the log, in the name of the gate; an escape sequence, or a mark that turns
    /// the direction of writing, would show a terminal something else than what is there.
    #[error("an actor has no line breaks, control characters or invisible marks, and neither has a reason")]
    Unprintable,
}

/// A name with an address, a role and a ticket.
const ACTOR_MAX_CHARS: usize = 128;
/// A few sentences.
const REASON_MAX_CHARS: usize = 1000;

impl Actor {
    /// Whoever sent the signal.
    pub const SIGHUP: Self = Self(Cow::Borrowed("SIGHUP"));

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Actor {
    type Err = BadActor;

    fn from_str(text: &str) -> Result<Self, BadActor> {
        if text.trim().is_empty() {
            return Err(BadActor::Nobody);
        }
        one_line(text, ACTOR_MAX_CHARS)?;
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

impl Reason {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = BadActor;

    fn from_str(text: &str) -> Result<Self, BadActor> {
        one_line(text, REASON_MAX_CHARS)?;
        Ok(Self(text.to_owned()))
    }
}

fn one_line(text: &str, most: usize) -> Result<(), BadActor> {
    if text.chars().nth(most).is_some() {
        return Err(BadActor::TooLong);
    }
    if text.chars().any(is_unprintable) { Err(BadActor::Unprintable) } else { Ok(()) }
}

/// Control characters, line and paragraph separators, and the marks of Unicode that nobody sees.
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl TryFrom<String> for Actor {
    type Error = BadActor;

    fn try_from(text: String) -> Result<Self, BadActor> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.0.into_owned()
    }
}

impl TryFrom<String> for Reason {
    type Error = BadActor;

    fn try_from(text: String) -> Result<Self, BadActor> {
        text.parse()
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_somebody_in_one_line() {
        for good in ["kim", "Zoë Müller <zoe@shop.example>, on call (SEC-42)", "山田"] {
            assert_eq!(good.parse::<Actor>().map(String::from).as_deref(), Ok(good));
        }
        for nobody in ["", " ", "\t"] {
            assert_eq!(nobody.parse::<Actor>(), Err(BadActor::Nobody), "{nobody:?}");
        }
        for bad in [
            "eve\n2026-11-25T00:00:00Z INFO accepted",
            "\u{1b}[31mme",
            "a\rb",
            "a\u{9b}31m",
            "a\u{202e}b",
            "a\u{2028}b",
        ] {
            assert_eq!(bad.parse::<Actor>(), Err(BadActor::Unprintable), "{bad:?}");
        }
        assert!("x".repeat(ACTOR_MAX_CHARS).parse::<Actor>().is_ok());
        assert_eq!("x".repeat(ACTOR_MAX_CHARS + 1).parse::<Actor>(), Err(BadActor::TooLong));
    }

    #[test]
    fn a_reason_is_in_one_line_too_and_may_be_missing() {
        assert!("".parse::<Reason>().is_ok() && "a sandbox that came back".parse::<Reason>().is_ok());
        assert_eq!("a\nb".parse::<Reason>(), Err(BadActor::Unprintable));
        assert_eq!("x".repeat(REASON_MAX_CHARS + 1).parse::<Reason>(), Err(BadActor::TooLong));
        assert!(serde_json::from_str::<Reason>(r#""a\u001b[31mb""#).is_err());
    }

    #[test]
    fn who_speaks_to_the_socket_is_held_to_the_same() {
        assert!(serde_json::from_str::<Actor>(r#""kim""#).is_ok());
        assert!(serde_json::from_str::<Actor>(r#""a\nb""#).is_err());
    }
}
