//! Plivo's third signature: the URL with its query sorted, the form's fields sorted, and a nonce.

use super::{Seen, Statement};
use crate::{request::target::php, verdict::Rejection};

const NONCE: &str = "x-plivo-signature-v3-nonce";
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn statement(seen: Seen<'_>) -> Result<Statement, Rejection> {
    let Seen { head, raw, base, .. } = seen;
    let base = base.ok_or(Rejection::SignatureMismatch)?;
    let nonce = head.sole(NONCE).ok_or(Rejection::SignatureMissing)?;
    // A body that is no form would not be signed at all.
    if !raw.is_empty() && head.media_type() != FORM {
        return Err(Rejection::SignatureMissing);
    }
    let (query, form) = (sorted(head.target.query().as_bytes())?, sorted(raw)?);
    let mut text = [base.as_bytes(), head.target.path().as_bytes()].concat();
    if !query.is_empty() || !form.is_empty() {
        text.push(b'?');
    }
    for (number, (name, value)) in query.iter().enumerate() {
        let mark: &[u8] = if number == 0 { b"" } else { b"&" };
        text.extend([mark, name, b"=", value].concat());
    }
    if !query.is_empty() && !form.is_empty() {
        text.push(b'.');
    }
    form.iter().for_each(|(name, value)| text.extend([name.as_slice(), value].concat()));
    text.push(b'.');
    text.extend(nonce.as_bytes());
    Ok(Statement { claimed: None, text, body: false, sha1: false })
}

type Field = (Vec<u8>, Vec<u8>);

/// Decoded, by name and then by value.
fn sorted(encoded: &[u8]) -> Result<Vec<Field>, Rejection> {
    let pieces = encoded.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty());
    let field = |piece: &[u8]| {
        let mut halves = piece.splitn(2, |byte| *byte == b'=');
        let mut half = || php::decode(halves.next().unwrap_or_default()).into_owned();
        (half(), half())
    };
    let mut fields: Vec<_> = pieces.map(field).collect();
    fields.sort();
    if fields.len() > FIELDS_MAX { Err(Rejection::SignatureMalformed) } else { Ok(fields) }
}

/// PHP reads no more of them (`max_input_vars`), so that a longer form would not be read as it was signed.
const FIELDS_MAX: usize = 1000;
