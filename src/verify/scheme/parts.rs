//! The words of which schemes are made: where a value is, what is signed, how a time is written.

use super::{
    signature::{Shape, pairs},
    sole,
};
use crate::{clock::Timestamp, request::Head, verdict::Rejection};
use std::borrow::Cow;

/// One piece of what was signed.
pub(in crate::verify) enum Piece<'a> {
    /// The body, every byte of it.
    Body(&'a [u8]),
    /// Anything else.
    Text(Cow<'a, [u8]>),
}

impl Piece<'_> {
    pub(in crate::verify) fn bytes(&self) -> &[u8] {
        match self {
            Self::Body(bytes) => bytes,
            Self::Text(bytes) => bytes,
        }
    }
}

/// One part of the signed message, as a catalogue entry names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Body,
    Time,
    Id,
    Method,
    Url,
    Path,
    Header(String),
    /// An item of the signature header.
    Item(String),
    /// Names and values of a form, decoded and sorted; nothing for a body that is no form.
    SortedForm,
}

impl Part {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Body => "body".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Id => "id".to_owned(),
            Self::Method => "method".to_owned(),
            Self::Url => "url".to_owned(),
            Self::Path => "path".to_owned(),
            Self::Header(name) => format!("[{name}]"),
            Self::Item(name) => format!("[{name}=]"),
            Self::SortedForm => "form".to_owned(),
        }
    }
}

/// Where a single value of the head is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Header(String),
    /// An item of the signature header, such as Stripe's `t`.
    Item(String),
}

impl Place {
    /// The one value there. Twice is as good as never: of two `t=`, some libraries take the first and some the last.
    pub(super) fn read<'a>(&self, head: &'a Head, signature: &'a str, shape: &Shape) -> Result<&'a str, Rejection> {
        match (self, shape) {
            (Self::Header(name), _) => sole(head, name),
            (Self::Item(wanted), Shape::Pairs { separator, equals, .. }) => {
                let mut found = pairs(signature, separator, equals).filter(|(name, _)| name == wanted);
                let (_, value) = found.next().ok_or(Rejection::SignatureMissing)?;
                if found.next().is_some() { Err(Rejection::SignatureMalformed) } else { Ok(value) }
            }
            (Self::Item(_), Shape::Raw | Shape::List { .. }) => Err(Rejection::SignatureMissing),
        }
    }
}

/// How a signed time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeFormat {
    UnixSeconds,
    UnixMilliseconds,
    Rfc3339,
}

/// 10^16 milliseconds are 300,000 years: enough, and every parser agrees about such a number.
const DIGITS_MAX: usize = 16;

impl TimeFormat {
    /// Digits only, no sign, no leading zero: two parsers cannot disagree about it.
    pub(super) fn read(self, text: &str) -> Option<Timestamp> {
        if self == Self::Rfc3339 {
            return Timestamp::from_rfc3339(text);
        }
        let digits = text.len() <= DIGITS_MAX && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let plain = digits && (text == "0" || !text.starts_with('0'));
        let number = plain.then(|| text.parse().ok()).flatten()?;
        Some(match self {
            Self::UnixSeconds | Self::Rfc3339 => Timestamp::from_unix_s(number),
            Self::UnixMilliseconds => Timestamp::from_unix_ms(number),
        })
    }

    pub(super) fn write(self, at: Timestamp) -> String {
        match self {
            Self::UnixSeconds => at.unix_s().to_string(),
            Self::UnixMilliseconds => at.unix_ms().to_string(),
            Self::Rfc3339 => at.rfc3339(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_time_has_one_spelling() {
        let read = |text| TimeFormat::UnixSeconds.read(text);
        assert_eq!(read("1700000000"), Some(Timestamp::from_unix_s(1_700_000_000)));
        assert_eq!(read("0"), Some(Timestamp::from_unix_s(0)));
        for odd in ["", "+1", "-1", "01", "00", "1.5", " 1", "1 ", "1e9", "0x1", "\u{0661}", "12345678901234567"] {
            assert_eq!(read(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        let at = Timestamp::from_unix_ms(1_760_000_000_250);
        for format in [TimeFormat::UnixMilliseconds, TimeFormat::Rfc3339] {
            assert_eq!(format.read(&format.write(at)), Some(at), "{format:?}");
        }
    }
}
