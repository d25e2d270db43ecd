//! `multipart/form-data` of one spelling (RFC 7578): what two readers could take apart in two ways is no form.

use super::Field;
use crate::request::Head;
use http::header;
use std::borrow::Cow;

pub(super) const MEDIA_TYPE: &str = "multipart/form-data";

/// Every field; `None` for what is not whole, has a file in it, or is written as nobody writes it.
pub(super) fn fields<'a>(head: &Head, raw: &'a [u8]) -> Option<Vec<Field<'a>>> {
    let delimiter = format!("--{}", boundary(head)?);
    let delimiter = delimiter.as_bytes();
    let mut rest = raw.strip_prefix(delimiter)?;
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        let (part, behind) = split(rest.strip_prefix(b"\r\n")?, delimiter)?;
        let (lines, value) = cut(part, b"\r\n\r\n")?;
        fields.push(Field { name: Cow::Borrowed(name(lines)?), value: Cow::Borrowed(value) });
        rest = behind;
    }
    matches!(rest, b"--" | b"--\r\n").then_some(fields)
}

/// Letters that need no quotes, in quotes or not (RFC 2046 section 5.1.1): others could be read in two ways.
fn boundary(head: &Head) -> Option<&str> {
    let value = head.sole(header::CONTENT_TYPE.as_str())?;
    let mut parameters = value.split(';').skip(1).map(str::trim).filter(|parameter| !parameter.is_empty());
    let (name, boundary) = parameters.next()?.split_once('=')?;
    let boundary = boundary.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(boundary);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.'+".contains(&byte);
    let good = name.eq_ignore_ascii_case("boundary") && (1..=70).contains(&boundary.len());
    (good && boundary.bytes().all(plain) && parameters.next().is_none()).then_some(boundary)
}

/// A part, and what follows the delimiter behind it. One that stands anywhere but at the beginning of a line is made to be
/// read in two ways.
fn split<'a>(part: &'a [u8], delimiter: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (part, behind) = cut(part, delimiter)?;
    Some((part.strip_suffix(b"\r\n")?, behind))
}

fn cut<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = text.windows(at.len()).position(|window| window == at)?;
    Some((text.get(..found)?, text.get(found + at.len()..)?))
}

/// Of the one disposition of the part.
fn name(lines: &[u8]) -> Option<&[u8]> {
    let mut dispositions = lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let (field, value) = cut(line.strip_suffix(b"\r").unwrap_or(line), b":")?;
        field.eq_ignore_ascii_case(b"content-disposition").then(|| value.trim_ascii())
    });
    let value = dispositions.next()?.strip_prefix(b"form-data; name=\"")?.strip_suffix(b"\"")?;
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"\\%;".contains(byte) || *byte == b' ';
    (dispositions.next().is_none() && lines.iter().all(|byte| *byte != 0) && value.iter().all(plain)).then_some(value)
}
