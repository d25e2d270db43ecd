//! Where the signature is, and how one header carries one or several.

use super::{
    Config,
    parts::{Place, Told, parameter},
};
use crate::{request::Head, verdict::Rejection};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use std::{borrow::Cow, collections::BTreeSet};

#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) at: At,
    pub(super) shape: Shape,
    pub(super) habits: Habits,
    /// Literal text before each encoded signature; entries of a list without it are of another version, and skipped.
    pub(super) prefix: String,
    pub(super) encoding: Encoding,
}

/// Where the signature is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// One header, once.
    Header(String),
    /// Two headers, of which each comes once or not at all.
    Either(String, String),
    /// One header on as many lines as the sender has keys.
    Lines(String),
    /// Headers of this name with a number behind it.
    Numbered(String),
    Query(String),
    /// A member of the JSON body.
    Json(String),
    /// A field of the form that the body is.
    Form(String),
    /// There is none.
    Nowhere,
}

/// How one header carries one signature or several.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Raw,
    List { separator: String },
    Pairs { separator: String, equals: String, item: Item, trim: bool },
}

/// Which of the pairs holds a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Called(String),
    /// The one that the policy names so: the sender's word for our account.
    Configured(String),
}

impl Item {
    pub(super) fn name<'i>(&'i self, config: &'i Config) -> Option<&'i str> {
        match self {
            Self::Called(name) => Some(name),
            Self::Configured(name) => config.get(name).map(String::as_str),
        }
    }
}

/// What else a sender does to its signature header.
#[derive(Clone, Debug, Default)]
pub(super) struct Habits {
    /// So many entries of the list before the first signature.
    pub(super) skip: usize,
    /// Only the first signature counts.
    pub(super) first: bool,
    /// No item comes twice.
    pub(super) single: bool,
    /// White space around entries is none of theirs.
    pub(super) trim: bool,
    /// These items and no others, in this order.
    pub(super) ordered: Vec<String>,
    /// What parts the id of the key from the signature that it made.
    pub(super) key_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
    Base64Url,
    /// A token as it is.
    Text,
    /// The credentials of RFC 7617.
    Basic,
}

/// One signature that a request shows.
pub(super) struct Claim {
    /// The id of the key that it says it was made with.
    pub(super) key_id: Option<String>,
    pub(super) signature: Vec<u8>,
}

/// Senders rotate between a few keys; more entries only make us compare more.
const SIGNATURES_MAX: usize = 16;
/// `docusign` signs with up to a hundred keys, each in a header of its own.
const NUMBERED_MAX: usize = 100;

impl Signature {
    /// Every signature of the right version that can be decoded strictly; and the header, where there is just one.
    pub(super) fn claimed<'a>(
        &self,
        told: &Told<'a>,
        config: &Config,
    ) -> Result<(Vec<Claim>, Option<&'a str>), Rejection> {
        let values = self.at.values(told)?;
        let mut claims = Vec::new();
        for value in &values {
            claims.extend(self.read(value, config)?);
        }
        let header = match (&self.at, values.as_slice()) {
            (At::Header(_), [Cow::Borrowed(header)]) => Some(*header),
            _ => None,
        };
        if claims.is_empty() { Err(Rejection::SignatureMalformed) } else { Ok((claims, header)) }
    }

    fn read(&self, value: &str, config: &Config) -> Result<Vec<Claim>, Rejection> {
        let Habits { skip, first, single, trim, ordered, key_id } = &self.habits;
        let entries: Vec<&str> = match &self.shape {
            Shape::Raw => vec![value],
            Shape::List { separator } => value.split(separator.as_str()).skip(*skip).collect(),
            Shape::Pairs { separator, equals, item, trim } => {
                let names = || value.split(separator.as_str()).filter_map(|pair| pair.split(equals.as_str()).next());
                let mut seen = BTreeSet::new();
                let in_order = ordered.is_empty() || names().eq(ordered.iter());
                if !in_order || *single && !names().all(|name| seen.insert(name)) {
                    return Err(Rejection::SignatureMalformed);
                }
                let item = item.name(config).ok_or(Rejection::SignatureMismatch)?;
                pairs(value, separator, equals, *trim)
                    .filter(|(name, _)| *name == item)
                    .map(|(_, value)| value)
                    .collect()
            }
        };
        let entries = entries.into_iter().map(|entry| if *trim { entry.trim() } else { entry });
        let keyed = entries.filter_map(|entry| match key_id {
            None => Some((None, entry)),
            Some(separator) => entry.split_once(separator.as_str()).map(|(key, rest)| (Some(key.to_owned()), rest)),
        });
        let versioned = keyed.filter_map(|(key, entry)| Some((key, entry.strip_prefix(self.prefix.as_str())?)));
        let most = if *first { 1 } else { SIGNATURES_MAX };
        let claim = |(key_id, text): (_, &str)| Some(Claim { key_id, signature: self.encoding.read(text)? });
        Ok(versioned.take(most).filter_map(claim).collect())
    }
}

impl At {
    fn values<'a>(&self, told: &Told<'a>) -> Result<Vec<Cow<'a, str>>, Rejection> {
        let head = told.head();
        let missing = Rejection::SignatureMissing;
        let some = |values: Vec<&'a str>| if values.is_empty() { Err(missing) } else { Ok(values) };
        let values = match self {
            Self::Header(name) => vec![super::sole(head, name)?],
            Self::Either(one, other) => {
                let present = [one, other].into_iter().filter(|name| head.headers.contains_key(*name));
                some(present.map(|name| super::sole(head, name)).collect::<Result<_, _>>()?)?
            }
            Self::Lines(name) => {
                let lines = head.headers.get_all(name).iter().map(|line| line.to_str().map_err(|_| missing));
                some(lines.take(SIGNATURES_MAX).collect::<Result<_, _>>()?)?
            }
            Self::Numbered(prefix) => {
                let numbered = |name: &&str| name.strip_prefix(prefix.as_str()).is_some_and(is_number);
                let names = head.headers.keys().map(http::HeaderName::as_str).filter(numbered).take(NUMBERED_MAX);
                some(names.map(|name| super::sole(head, name)).collect::<Result<_, _>>()?)?
            }
            Self::Query(name) => return Ok(vec![Cow::Owned(parameter(head, name)?)]),
            Self::Json(pointer) => return Ok(vec![Place::Json(pointer.clone()).read(told)?]),
            Self::Form(name) => return Ok(vec![Place::Form(name.clone()).read(told)?]),
            Self::Nowhere => return Err(missing),
        };
        Ok(values.into_iter().map(Cow::Borrowed).collect())
    }

    /// Whether the head shows a signature, good or not.
    pub(super) fn is_in(&self, head: &Head) -> bool {
        match self {
            Self::Header(name) | Self::Lines(name) => head.headers.contains_key(name),
            Self::Either(one, other) => [one, other].iter().any(|name| head.headers.contains_key(*name)),
            Self::Numbered(prefix) => {
                head.headers.keys().any(|name| name.as_str().strip_prefix(prefix.as_str()).is_some_and(is_number))
            }
            Self::Query(name) => head.target.parameters().any(|(found, _)| *found == *name.as_bytes()),
            Self::Json(_) | Self::Form(_) | Self::Nowhere => false,
        }
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Header(name) | Self::Lines(name) => name.clone(),
            Self::Either(one, other) => format!("{one}, {other}"),
            Self::Numbered(prefix) => format!("{prefix}N"),
            Self::Query(name) => format!("query `{name}`"),
            Self::Json(pointer) => format!("body {pointer}"),
            Self::Form(name) => format!("form field `{name}`"),
            Self::Nowhere => "nowhere".to_owned(),
        }
    }
}

/// `1`, `2` and so on, in one spelling.
fn is_number(text: &str) -> bool {
    (1..=3).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn pairs<'h>(
    header: &'h str,
    separator: &str,
    equals: &str,
    trim: bool,
) -> impl Iterator<Item = (&'h str, &'h str)> {
    let pairs = header.split(separator).filter_map(move |pair| pair.split_once(equals));
    pairs.map(move |(name, value)| if trim { (name.trim(), value.trim()) } else { (name, value) })
}

impl Encoding {
    /// The one spelling that senders emit: lower-case hex, canonical base64.
    pub(super) fn read(self, text: &str) -> Option<Vec<u8>> {
        let bytes = text.as_bytes();
        match self {
            Self::Hex => HEXLOWER.decode(bytes).ok(),
            Self::Base64 => BASE64.decode(bytes).ok(),
            Self::Base64Url => BASE64URL_NOPAD.decode(bytes).ok(),
            Self::Text => (!text.is_empty()).then(|| bytes.to_vec()),
            Self::Basic => {
                let (scheme, credentials) = text.split_once(' ')?;
                let credentials = scheme.eq_ignore_ascii_case("basic").then_some(credentials)?;
                BASE64.decode(credentials.as_bytes()).ok()
            }
        }
    }

    pub(super) fn write(self, digest: &[u8]) -> String {
        match self {
            Self::Hex => HEXLOWER.encode(digest),
            Self::Base64 => BASE64.encode(digest),
            Self::Base64Url => BASE64URL_NOPAD.encode(digest),
            Self::Text => String::from_utf8_lossy(digest).into_owned(),
            Self::Basic => format!("Basic {}", BASE64.encode(digest)),
        }
    }
}
