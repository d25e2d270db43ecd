//! The words of which schemes are made: where a value is, what is signed, how a time is written.

use super::{
    form,
    signature::{Shape, pairs},
    sole,
};
use crate::{
    clock::Timestamp,
    json::{self, Kind, Node},
    request::{Head, Unverified},
    verdict::Rejection,
};
use std::{borrow::Cow, cell::OnceCell, ops::Range};

/// One piece of what was signed.
pub(in crate::verify) enum Piece<'a> {
    /// The body, every byte of it.
    Body(&'a [u8]),
    /// Anything else.
    Text(Cow<'a, [u8]>),
    /// The key itself, which a plain digest has in its text.
    Secret,
}

impl Piece<'_> {
    /// The secret has no bytes here: whoever computes with it has the key.
    pub(in crate::verify) fn bytes(&self) -> &[u8] {
        match self {
            Self::Body(bytes) => bytes,
            Self::Text(bytes) => bytes,
            Self::Secret => b"",
        }
    }
}

/// One part of the signed message, as a catalogue entry names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Body,
    /// The body as one JSON string, quotation marks and all.
    BodyAsJson,
    Time,
    Id,
    Method,
    Url,
    UrlWithoutQuery,
    Path,
    /// A single value of the request.
    At(Place),
    /// A value between two texts; nothing at all where the request has none.
    Optional {
        before: String,
        place: Place,
        after: String,
    },
    /// The key, in a plain digest.
    Secret,
    /// What the policy says under this name.
    Configured(String),
    /// A check of the body against faults of the line, as decimal digits. No key is in it.
    Crc32,
    /// Names and values of a form, decoded and sorted; nothing for a body that is no form.
    SortedForm,
}

impl Part {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Body => "body".to_owned(),
            Self::BodyAsJson => "\"body\"".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Id => "id".to_owned(),
            Self::Method => "method".to_owned(),
            Self::Url => "url".to_owned(),
            Self::UrlWithoutQuery => "url without its query".to_owned(),
            Self::Path => "path".to_owned(),
            Self::At(place) => place.describe(),
            Self::Optional { before, place, after } => format!("{before}{}{after}", place.describe()),
            Self::Secret => "secret".to_owned(),
            Self::Configured(name) => format!("[{name}]"),
            Self::Crc32 => "crc32 of body".to_owned(),
            Self::SortedForm => "form".to_owned(),
        }
    }
}

/// Where a single value of the request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Header(String),
    /// An item of the signature header, such as Stripe's `t`.
    Item(String),
    /// An entry of the list in the signature header, counted from nought.
    Entry(usize),
    /// A member of the JSON body, by its pointer.
    Json(String),
    /// A parameter of the query, its name as PHP reads it.
    Query(String),
    /// A field of the form that the body is.
    Form(String),
}

/// A request, as far as a scheme asks for single values of it.
pub(super) struct Told<'a> {
    head: &'a Head,
    raw: &'a [u8],
    /// The signature header and how it is read, where there is one.
    signature: Option<(&'a str, &'a Shape)>,
    /// The field of the form that holds the JSON, where that is not the body itself.
    document_in: Option<&'a str>,
    document: OnceCell<Option<(Cow<'a, [u8]>, Node)>>,
    form: OnceCell<Option<Vec<form::Field<'a>>>>,
}

impl<'a> Told<'a> {
    pub(super) fn by(request: &'a Unverified, document_in: Option<&'a str>) -> Self {
        let (head, raw) = (&request.head, &request.raw);
        let (document, form) = (OnceCell::new(), OnceCell::new());
        Self { head, raw, signature: None, document_in, document, form }
    }

    pub(super) fn head(&self) -> &'a Head {
        self.head
    }

    pub(super) fn raw(&self) -> &'a [u8] {
        self.raw
    }

    pub(super) fn reading(&mut self, header: Option<&'a str>, shape: &'a Shape) {
        self.signature = header.map(|header| (header, shape));
    }

    /// A text, or a number with every digit as it came.
    fn member(&self, pointer: &str) -> Option<String> {
        let (text, document) = self.document.get_or_init(|| self.document()).as_ref()?;
        let node = document.find(pointer)?;
        match &node.kind {
            Kind::String(text) => Some(text.to_string()),
            Kind::Number(_) => written(text, node.at.clone()),
            Kind::Null | Kind::Bool(_) | Kind::Array(_) | Kind::Object(_) => None,
        }
    }

    fn document(&self) -> Option<(Cow<'a, [u8]>, Node)> {
        let text = match self.document_in {
            None => Cow::Borrowed(self.raw),
            Some(field) => Cow::Owned(self.field(field).ok()?.into_bytes()),
        };
        let root = json::read(&text).ok()?;
        Some((text, root))
    }

    /// Every field of the form that the body is; `None` if it is none.
    pub(super) fn fields(&self) -> Option<&[form::Field<'a>]> {
        self.form.get_or_init(|| form::fields(self.head, self.raw)).as_deref()
    }

    fn field(&self, name: &str) -> Result<String, Rejection> {
        let value = form::sole(self.fields().ok_or(Rejection::SignatureMissing)?, name)?;
        String::from_utf8(value.to_vec()).map_err(|_| Rejection::SignatureMalformed)
    }
}

fn written(text: &[u8], at: Range<usize>) -> Option<String> {
    std::str::from_utf8(text.get(at)?).ok().map(str::to_owned)
}

impl Place {
    /// The one value there. Twice is as good as never: of two `t=`, some libraries take the first and some the last.
    pub(super) fn read<'a>(&self, told: &Told<'a>) -> Result<Cow<'a, str>, Rejection> {
        match self {
            Self::Header(name) => sole(told.head, name).map(Cow::Borrowed),
            Self::Item(wanted) => {
                let Some((header, Shape::Pairs { separator, equals, trim, .. })) = told.signature else {
                    return Err(Rejection::SignatureMissing);
                };
                let mut found = pairs(header, separator, equals, *trim).filter(|(name, _)| name == wanted);
                let (_, value) = found.next().ok_or(Rejection::SignatureMissing)?;
                if found.next().is_some() { Err(Rejection::SignatureMalformed) } else { Ok(Cow::Borrowed(value)) }
            }
            Self::Entry(number) => {
                let Some((header, Shape::List { separator })) = told.signature else {
                    return Err(Rejection::SignatureMissing);
                };
                let entry = header.split(separator.as_str()).nth(*number);
                entry.map(Cow::Borrowed).ok_or(Rejection::SignatureMissing)
            }
            Self::Json(pointer) => told.member(pointer).map(Cow::Owned).ok_or(Rejection::SignatureMissing),
            Self::Query(name) => parameter(told.head, name).map(Cow::Owned),
            Self::Form(name) => told.field(name).map(Cow::Owned),
        }
    }

    /// Whether the request says anything there, once or more often.
    pub(super) fn is_in(&self, told: &Told<'_>) -> bool {
        match self {
            Self::Header(name) => told.head.headers.get(name).is_some_and(|value| !value.is_empty()),
            Self::Query(name) => {
                told.head.target.parameters().any(|(found, value)| *found == *name.as_bytes() && !value.is_empty())
            }
            Self::Item(_) | Self::Entry(_) | Self::Json(_) | Self::Form(_) => self.read(told).is_ok(),
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Header(name) | Self::Query(name) | Self::Form(name) => format!("[{name}]"),
            Self::Item(name) => format!("[{name}=]"),
            Self::Entry(number) => format!("[{number}]"),
            Self::Json(pointer) => format!("[{pointer}]"),
        }
    }
}

/// The decoded value of a parameter that stands in the query once.
pub(super) fn parameter(head: &Head, name: &str) -> Result<String, Rejection> {
    let mut found = head.target.parameters().filter(|(found, _)| **found == *name.as_bytes());
    let (_, value) = found.next().ok_or(Rejection::SignatureMissing)?;
    if found.next().is_some() {
        return Err(Rejection::SignatureMissing);
    }
    String::from_utf8(value.into_owned()).map_err(|_| Rejection::SignatureMalformed)
}

/// The checksum of Ethernet and zip (ISO 3309). There is no secret in it, and a body with the same is easily made.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    /// Of four bits at a time.
    const TABLE: [u32; 16] = [
        0x0000_0000,
        0x1db7_1064,
        0x3b6e_20c8,
        0x26d9_30ac,
        0x76dc_4190,
        0x6b6b_51f4,
        0x4db2_6158,
        0x5005_713c,
        0xedb8_8320,
        0xf00f_9344,
        0xd6d6_a3e8,
        0xcb61_b38c,
        0x9b64_c2b0,
        0x86d3_d2d4,
        0xa00a_e278,
        0xbdbd_f21c,
    ];
    let half = |sum: u32, bits: u8| {
        let [low, ..] = sum.to_le_bytes();
        (sum >> 4) ^ TABLE.get(usize::from((low ^ bits) & 15)).copied().unwrap_or_default()
    };
    let step = |sum: u32, byte: &u8| half(half(sum, *byte), *byte >> 4);
    !bytes.iter().fold(u32::MAX, step)
}

/// How a signed time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeFormat {
    UnixSeconds,
    UnixMilliseconds,
    Rfc3339,
    /// One of the three: a number of eleven digits and more is one of milliseconds, which is right from 1973 to 5138.
    Any,
}

/// 10^16 milliseconds are 300,000 years: enough, and every parser agrees about such a number.
const DIGITS_MAX: usize = 16;
/// The most digits of seconds, where milliseconds are possible.
const DIGITS_OF_SECONDS: usize = 11;

impl TimeFormat {
    /// Digits only, no sign, no leading zero: two parsers cannot disagree about it.
    pub(super) fn read(self, text: &str) -> Option<Timestamp> {
        let digits = text.len() <= DIGITS_MAX && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if self == Self::Rfc3339 || (self == Self::Any && !digits) {
            return Timestamp::from_rfc3339(text);
        }
        let plain = digits && (text == "0" || !text.starts_with('0'));
        let number = plain.then(|| text.parse().ok()).flatten()?;
        Some(match self {
            Self::UnixMilliseconds => Timestamp::from_unix_ms(number),
            Self::Any if text.len() > DIGITS_OF_SECONDS => Timestamp::from_unix_ms(number),
            Self::UnixSeconds | Self::Rfc3339 | Self::Any => Timestamp::from_unix_s(number),
        })
    }

    pub(super) fn write(self, at: Timestamp) -> String {
        match self {
            Self::UnixSeconds => at.unix_s().to_string(),
            Self::UnixMilliseconds => at.unix_ms().to_string(),
            Self::Rfc3339 | Self::Any => at.rfc3339(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_the_one_of_its_standard() {
        assert_eq!((crc32(b"123456789"), crc32(b"")), (0xcbf4_3926, 0));
    }

    #[test]
    fn a_signed_time_has_one_spelling() {
        assert!(TimeFormat::UnixMilliseconds.read(&"9".repeat(DIGITS_MAX)).is_some(), "as many digits as there may be");
        let read = |text| TimeFormat::UnixSeconds.read(text);
        assert_eq!(read("1700000000"), Some(Timestamp::from_unix_s(1_700_000_000)));
        assert_eq!(read("0"), Some(Timestamp::from_unix_s(0)));
        for odd in ["", "+1", "-1", "01", "00", "1.5", " 1", "1 ", "1e9", "0x1", "\u{0661}", "12345678901234567"] {
            assert_eq!(read(odd), None, "{odd:?}");
            assert_eq!(TimeFormat::Any.read(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        let at = Timestamp::from_unix_ms(1_760_000_000_250);
        for format in [TimeFormat::UnixMilliseconds, TimeFormat::Rfc3339, TimeFormat::Any] {
            assert_eq!(format.read(&format.write(at)), Some(at), "{format:?}");
        }
        assert_eq!(TimeFormat::Any.read("1760000000250"), Some(at));
        assert_eq!(TimeFormat::Any.read("1760000000"), Some(Timestamp::from_unix_s(1_760_000_000)));
        assert_eq!(TimeFormat::Any.read("99999999999"), Some(Timestamp::from_unix_s(99_999_999_999)));
        assert_eq!(TimeFormat::Any.read("100000000000"), Some(Timestamp::from_unix_ms(100_000_000_000)));
    }
}
