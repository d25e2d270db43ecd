//! Paddle Classic signs the form's fields, sorted and serialised as PHP does it: lengths are those of bytes. The signature is a
//! field itself.

use super::{Seen, Statement};
use crate::{request::target::php, verdict::Rejection};
use std::collections::BTreeMap;

const SIGNATURE: &[u8] = b"p_signature";
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn statement(seen: Seen<'_>) -> Result<Statement, Rejection> {
    if seen.head.media_type() != FORM {
        return Err(Rejection::SignatureMissing);
    }
    let mut fields = BTreeMap::new();
    for piece in seen.raw.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()) {
        let mut halves = piece.splitn(2, |byte| *byte == b'=');
        let mut half = || php::decode(halves.next().unwrap_or_default()).into_owned();
        let (name, value) = (half(), half());
        // Of two PHP takes the last, and others the first.
        if !is_plain(&name) || fields.insert(name, value).is_some() {
            return Err(Rejection::SignatureMalformed);
        }
    }
    fields.remove(SIGNATURE);
    if fields.is_empty() || fields.len() > FIELDS_MAX {
        return Err(Rejection::SignatureMalformed);
    }
    let mut text = format!("a:{}:{{", fields.len()).into_bytes();
    for string in fields.iter().flat_map(|(name, value)| [name, value]) {
        text.extend(format!("s:{}:\"", string.len()).bytes());
        text.extend(string);
        text.extend(b"\";");
    }
    text.push(b'}');
    Ok(Statement { claimed: None, text, body: false, sha1: false })
}

/// A name that PHP neither mends nor takes for a number, which would be sorted and serialised in another way.
fn is_plain(name: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    name.iter().all(word) && name.first().is_some_and(|first| !first.is_ascii_digit())
}

/// PHP reads no more of them (`max_input_vars`), so that a longer form would not be read as it was signed.
const FIELDS_MAX: usize = 1000;
