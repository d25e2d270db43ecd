//! Forms as senders sign them: names and values decoded, sorted, one behind another, or single fields of them.

mod multipart;

use crate::{
    request::{Head, target::php},
    verdict::Rejection,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// One field, decoded.
pub(super) struct Field<'a> {
    pub(super) name: Cow<'a, [u8]>,
    pub(super) value: Cow<'a, [u8]>,
}

/// The media type of a form that is one line.
pub(super) const URLENCODED: &str = "application/x-www-form-urlencoded";

/// Every field, in the order of the body; `None` for a body that is no form, or has more fields than PHP reads.
pub(super) fn fields<'a>(head: &Head, raw: &'a [u8]) -> Option<Vec<Field<'a>>> {
    let fields = match head.media_type().as_str() {
        URLENCODED => urlencoded(raw),
        multipart::MEDIA_TYPE => multipart::fields(head, raw)?,
        _ => return None,
    };
    (fields.len() <= FIELDS_MAX).then_some(fields)
}

pub(super) fn urlencoded(raw: &[u8]) -> Vec<Field<'_>> {
    pieces(raw).map(|(name, value)| Field { name: php::decode(name), value: php::decode(value) }).collect()
}

/// The value of a field that stands there once, in whatever spelling PHP would take its name from: of `a` and `+a` PHP takes the
/// second.
pub(super) fn sole<'f>(fields: &'f [Field<'_>], wanted: &str) -> Result<&'f [u8], Rejection> {
    let is_wanted = |field: &&Field<'_>| *php::name(Cow::Borrowed(&*field.name)) == *wanted.as_bytes();
    let mut found = fields.iter().filter(is_wanted);
    let field = found.next().filter(|field| *field.name == *wanted.as_bytes());
    let field = field.ok_or(Rejection::SignatureMissing)?;
    if found.next().is_some() { Err(Rejection::SignatureMissing) } else { Ok(&field.value) }
}

fn pieces(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    raw.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()).map(|piece| {
        let mut halves = piece.splitn(2, |byte| *byte == b'=');
        (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
    })
}

/// The fields of a form: each name with its different values.
pub(super) struct Fields(BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>);

impl Fields {
    /// `None` for a body that is no form.
    pub(super) fn of(head: &Head, raw: &[u8]) -> Option<Self> {
        if head.media_type() != URLENCODED {
            return None;
        }
        let mut fields: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (name, value) in pieces(raw) {
            fields.entry(php::decode(name).into_owned()).or_default().insert(php::decode(value).into_owned());
        }
        Some(Self(fields))
    }

    /// `name` and `value` of each, without anything between. Two splits of one text are one signature, so what is told
    /// from it is told from the whole text.
    ///
    /// # Errors
    /// More fields than any sender has.
    pub(super) fn sorted(&self) -> Result<Vec<u8>, Rejection> {
        if self.0.len() > FIELDS_MAX {
            return Err(Rejection::SignatureMalformed);
        }
        let fields = self.0.iter().flat_map(|(name, values)| values.iter().map(move |value| [name.as_slice(), value]));
        Ok(fields.flatten().flatten().copied().collect())
    }
}

/// PHP reads no more of them (`max_input_vars`), so that a longer form would not be read as it was signed.
const FIELDS_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Target;
    use http::{HeaderMap, HeaderValue, Method, header::CONTENT_TYPE};
    use std::net::Ipv4Addr;

    fn head(content_type: &'static str) -> Head {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        let (target, client) = (Target::parse("/in").unwrap(), Ipv4Addr::LOCALHOST.into());
        Head { method: Method::POST, target, host: String::new(), headers, client }
    }

    fn lines(count: usize) -> String {
        vec!["a=1"; count].join("&")
    }

    fn parts(count: usize) -> String {
        let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        format!("{}--b--\r\n", part.repeat(count))
    }

    /// Behind the last field that PHP reads, one could stand that only the gate reads.
    #[test]
    fn a_form_has_as_many_fields_as_php_reads() {
        let read = |content_type, raw: &str| fields(&head(content_type), raw.as_bytes()).map(|fields| fields.len());
        for (content_type, form) in
            [(URLENCODED, lines as fn(usize) -> String), ("multipart/form-data; boundary=b", parts)]
        {
            assert_eq!(read(content_type, &form(FIELDS_MAX)), Some(FIELDS_MAX), "{content_type}");
            assert_eq!(read(content_type, &form(FIELDS_MAX + 1)), None, "{content_type}");
        }
        assert_eq!(read("application/json", "a=1"), None);
        let names = |count: usize| (0..count).map(|name| format!("{name}=")).collect::<Vec<_>>().join("&");
        let sorted = |raw: &str| Fields::of(&head(URLENCODED), raw.as_bytes()).unwrap().sorted().is_ok();
        assert!(sorted(&names(FIELDS_MAX)) && !sorted(&names(FIELDS_MAX + 1)));
    }
}
