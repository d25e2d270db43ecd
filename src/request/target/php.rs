//! How PHP reads `name=value`: main/php_variables.c and ext/standard/url.c of PHP 8.

use std::borrow::Cow;

/// One piece between `&`, as it is registered in `$_GET` or `$_POST`.
pub(crate) fn parameter(piece: &[u8]) -> (Cow<'_, [u8]>, Cow<'_, [u8]>) {
    let mut halves = piece.splitn(2, |byte| *byte == b'=');
    let (raw_name, raw_value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    (name(decode(raw_name)), decode(raw_value))
}

/// A decoded name as the key of `$_GET`: leading blanks stripped, cut at NUL, ` ` and `.` made `_`; of an array its
/// base; a first `[` that is never closed is `_` too, so that `rest[route` is `rest_route`.
pub(crate) fn name(decoded: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if !decoded.iter().any(|byte| matches!(byte, 0 | b' ' | b'.' | b'[')) {
        return decoded;
    }
    let text = decoded.split(|byte| *byte == 0).next().unwrap_or_default();
    let start = text.iter().position(|byte| *byte != b' ').unwrap_or(text.len());
    let text = text.get(start..).unwrap_or_default();
    let base = match text.iter().position(|byte| *byte == b'[') {
        Some(open) if open == 0 || text.get(open..).is_some_and(|index| index.contains(&b']')) => text.get(..open),
        Some(_) | None => Some(text),
    };
    base.unwrap_or_default().iter().map(|byte| if matches!(byte, b' ' | b'.' | b'[') { b'_' } else { *byte }).collect()
}

/// `php_url_decode`: `+` is a blank, `%XX` is a byte, and what is no escape stands for itself.
pub(crate) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return unescape(text);
    }
    let blanks: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(unescape(&blanks).into_owned())
}

/// Escapes alone, as in paths. Borrowed if there are none.
pub(crate) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match escape(after).filter(|_| *byte == b'%') {
            Some(meant) => {
                decoded.push(meant);
                rest = after.get(2..).unwrap_or_default();
            }
            None => decoded.push(*byte),
        }
    }
    if decoded.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(decoded) }
}

/// The byte that the two digits at the beginning stand for.
pub(crate) fn escape(after_percent: &[u8]) -> Option<u8> {
    let (digits, _) = after_percent.split_at_checked(2)?;
    let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}
