//! Contentful signs method, path, the headers that it lists, and body, each on a line.

use super::Statement;
use crate::{request::Head, verdict::Rejection};

/// The list of the headers that are signed.
pub(super) const SIGNED: &str = "x-contentful-signed-headers";
const TIMESTAMP: &str = "x-contentful-timestamp";

pub(super) fn statement(head: &Head) -> Result<Statement, Rejection> {
    let list = head.sole(SIGNED).ok_or(Rejection::SignatureMissing)?;
    let names: Vec<_> = list.split(',').collect();
    // In their order and each once, as the vendor's library writes them before it signs.
    let is_name = |name: &&str| !name.is_empty() && **name == name.trim().to_ascii_lowercase();
    if !names.iter().all(is_name) || !names.is_sorted_by(|one, next| one < next) {
        return Err(Rejection::SignatureMalformed);
    }
    // Else a time could be put beside a signature of another one.
    if !names.contains(&SIGNED) || !names.contains(&TIMESTAMP) {
        return Err(Rejection::SignatureMalformed);
    }
    let line = |name: &&str| head.sole(name).map(|value| format!("{name}:{}", value.trim()));
    let lines: Option<Vec<_>> = names.iter().map(line).collect();
    let headers = lines.ok_or(Rejection::SignatureMissing)?.join(";");
    let text = format!("{}\n{}\n{headers}\n", head.method, target(head)?);
    Ok(Statement { claimed: None, text: text.into_bytes(), body: true, sha1: false })
}

/// `encodeURI( path + '?' + querystring.escape( query ) )`, as the vendor's library writes it: of a query every escape is
/// escaped again.
fn target(head: &Head) -> Result<String, Rejection> {
    let (path, query) = (head.target.path(), head.target.query());
    // That library takes what stands before a second one for the whole.
    if query.contains('?') {
        return Err(Rejection::SignatureMismatch);
    }
    let mark = if query.is_empty() { "" } else { "?" };
    Ok(escape(&format!("{path}{mark}{}", escape(query, "")), ";/?:@&=+$,#"))
}

/// All but letters, digits, these marks and `also`.
fn escape(text: &str, also: &str) -> String {
    let kept = |letter: char| letter.is_ascii_alphanumeric() || "-_.!~*'()".contains(letter) || also.contains(letter);
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if kept(letter) {
            escaped.push(letter);
        } else {
            let mut bytes = [0; 4];
            letter.encode_utf8(&mut bytes).bytes().for_each(|byte| escaped.push_str(&format!("%{byte:02X}")));
        }
    }
    escaped
}
