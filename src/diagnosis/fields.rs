//! How else could the same signature have been written into its header?

use super::{
    Cause,
    cause::{Area, By, Code},
    entry::Entry,
    tokens::token_in,
};
use crate::request::Head;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use http::{HeaderName, HeaderValue};
use std::ops::Range;

/// The shortest signature is a SHA-1: 20 bytes, 27 letters of base64.
const TOKEN_LENGTH_MIN: usize = 26;
/// No header has more signatures in it.
const TOKENS_MAX: usize = 16;
/// Copies of a repeated header, and pieces of a joined one.
const COPIES_MAX: usize = 8;

/// A run of letters that could be a signature.
pub(super) fn tokens(value: &str) -> Vec<Range<usize>> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let bytes = value.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() && found.len() < TOKENS_MAX {
        let run = bytes.iter().skip(at).take_while(|byte| is_letter(**byte)).count();
        let pads = bytes.iter().skip(at + run).take(2).take_while(|byte| **byte == b'=').count();
        if run >= TOKEN_LENGTH_MIN {
            found.push(at..at + run + pads);
        }
        at += run + pads.max(1);
    }
    found
}

/// The bytes of such a run, and what it is written as.
pub(super) fn decoded(token: &str) -> Vec<(Vec<u8>, &'static str)> {
    let text = token.as_bytes();
    let base64 = || BASE64.decode(text).or_else(|_| BASE64_NOPAD.decode(text)).ok();
    let mut found = Vec::new();
    if let Ok(bytes) = HEXLOWER_PERMISSIVE.decode(text) {
        found.push((bytes, "hexadecimal"));
    }
    if let Some(bytes) = base64() {
        if let Ok(inner) = HEXLOWER_PERMISSIVE.decode(&bytes) {
            found.push((inner, "base64 of hexadecimal"));
        }
        found.push((bytes, "base64"));
    }
    if let Ok(bytes) = BASE64URL.decode(text).or_else(|_| BASE64URL_NOPAD.decode(text)) {
        found.push((bytes, "base64url"));
    }
    found
}

/// Shows the head with each other writing of its signature.
pub(super) fn each(head: &Head, entry: &Entry, header: &str, mut visit: impl FnMut(Cause, Head)) {
    repeated(head, entry, &mut visit);
    let Some(value) = head.sole(header) else { return };
    let found = tokens(value);
    let mut show = |code, by, what: String, mend: String, value: String| {
        if let Some(head) = with(head, header, &value) {
            visit(Cause::new(code, Area::Header, by, what, mend), head);
        }
    };
    let bare = value.trim_matches(['"', '\'', ',', ';', ' ']);
    if bare != value {
        let what = format!("quotation marks, commas or blanks stand around the value of `{header}`");
        let mend = "send the bare value: whatever writes this header, a client library or a proxy, must not quote it";
        show(Code::SignatureQuoted, By::Sender, what, mend.to_owned(), bare.to_owned());
    }
    items(value, entry, header, &mut show);
    prefixes(value, entry, header, &found, &mut show);
    credentials(value, entry, header, &mut show);
    let lower = rewritten(value, &found, |token| {
        let is_hex = token.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_hex && token.bytes().any(|byte| byte.is_ascii_uppercase())).then(|| token.to_ascii_lowercase())
    });
    if let Some(lower) = lower {
        let what = format!("the hexadecimal digits in `{header}` are capitals; this sender writes small letters");
        show(Code::SignatureCase, By::Sender, what, "write the signature in lower case".to_owned(), lower);
    }
    for (from, to) in encodings() {
        let written = rewritten(value, &found, |token| {
            let (bytes, _) = decoded(token).into_iter().find(|(_, name)| *name == from)?;
            Some(written_as(&bytes, to)).filter(|text| text != token)
        });
        if let Some(written) = written {
            let (from, ours) =
                if from == "base64" && to == "base64" { ("base64 without padding", to) } else { (from, to) };
            let what = format!("the signature in `{header}` is written as {from}, and this sender writes {ours}");
            let mend = format!(
                "write it as {ours}; or, if the sender cannot, say so in a sender of your own (`sig: {{ enc: }}`)"
            );
            show(Code::SignatureEncoding, By::Sender, what, mend, written);
        }
    }
}

pub(super) fn encodings() -> impl Iterator<Item = (&'static str, &'static str)> {
    let from = ["hexadecimal", "base64 of hexadecimal", "base64", "base64url"];
    from.into_iter().flat_map(|from| ["hexadecimal", "base64", "base64url"].into_iter().map(move |to| (from, to)))
}

pub(super) fn written_as(bytes: &[u8], encoding: &str) -> String {
    match encoding {
        "base64" => BASE64.encode(bytes),
        "base64url" => BASE64URL_NOPAD.encode(bytes),
        _ => HEXLOWER.encode(bytes),
    }
}

/// The value with every run that can be written anew, or nothing if there is none.
fn rewritten(value: &str, tokens: &[Range<usize>], write: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (mut text, mut end, mut changed) = (String::new(), 0, false);
    for token in tokens {
        text.push_str(value.get(end..token.start)?);
        let old = value.get(token.clone())?;
        match write(old) {
            Some(new) => {
                text.push_str(&new);
                changed = true;
            }
            None => text.push_str(old),
        }
        end = token.end;
    }
    text.push_str(value.get(end..)?);
    changed.then_some(text)
}

fn prefixes(
    value: &str,
    entry: &Entry,
    header: &str,
    tokens: &[Range<usize>],
    show: &mut impl FnMut(Code, By, String, String, String),
) {
    let prefix = entry.prefix();
    if entry.item().is_some() || (prefix.is_empty() && !entry.is_raw()) {
        return;
    }
    // Of a list, every entry.
    let separator = if entry.is_raw() { None } else { value.contains(' ').then_some(' ') };
    let pieces: Vec<&str> = separator.map_or_else(|| vec![value], |separator| value.split(separator).collect());
    let joined = |pieces: Vec<String>| pieces.join(" ");
    let mend = |how: &str| format!("write `{prefix}` and then the signature, {how}");
    if !prefix.is_empty() {
        let doubled: Option<Vec<_>> = pieces
            .iter()
            .map(|piece| piece.strip_prefix(prefix).filter(|rest| rest.starts_with(prefix)).map(str::to_owned))
            .collect();
        if let Some(doubled) = doubled {
            let what = format!("the prefix `{prefix}` stands twice in `{header}`");
            show(Code::SignaturePrefix, By::Sender, what, mend("once"), joined(doubled));
        }
        if pieces.iter().all(|piece| !piece.starts_with(prefix)) {
            let with = pieces.iter().map(|piece| format!("{prefix}{piece}")).collect();
            let what = format!("the prefix `{prefix}` is missing in `{header}`");
            show(Code::SignaturePrefix, By::Sender, what, mend("without anything else"), joined(with));
        }
    }
    let alone = match tokens {
        [token] if token.start > 0 => value.get(token.clone()),
        // A word that is shown may be short.
        _ if entry.algorithm() == "equal" => value.split_ascii_whitespace().last(),
        _ => token_in(value),
    };
    if let Some(alone) = alone {
        let written = format!("{prefix}{alone}");
        if written != value {
            let ours = if prefix.is_empty() { "none".to_owned() } else { format!("`{prefix}`") };
            let what = format!("another prefix stands before the signature in `{header}`; this sender has {ours}");
            let how = if prefix.is_empty() { "send the signature alone".to_owned() } else { mend("and nothing else") };
            show(Code::SignaturePrefix, By::Sender, what, how, written);
        }
    }
}

/// Blanks between the items, or something else than the sender's separator.
fn items(value: &str, entry: &Entry, header: &str, show: &mut impl FnMut(Code, By, String, String, String)) {
    let Some(separator) = entry.item_separator() else { return };
    let mend = || format!("write `{separator}` between the items, and nothing else");
    let blank = |separator: &str| value.split(separator).map(str::trim).collect::<Vec<_>>().join(separator);
    let bare = blank(separator);
    if bare != value {
        let what = format!("blanks stand between the items of `{header}`");
        show(Code::SignatureQuoted, By::Sender, what, mend(), bare);
    }
    for other in [",", ";", "&", " "].into_iter().filter(|other| *other != separator && value.contains(other)) {
        let what = format!("`{other}` stands between the items of `{header}`, and this sender writes `{separator}`");
        let pieces: Vec<_> = value.split(other).map(str::trim).filter(|piece| !piece.is_empty()).collect();
        show(Code::SignatureQuoted, By::Sender, what, mend(), pieces.join(separator));
    }
}

/// `Basic` is left out before the base64. (That of `name:password` itself cannot be told from a sender that shows a token.)
fn credentials(value: &str, entry: &Entry, header: &str, show: &mut impl FnMut(Code, By, String, String, String)) {
    if entry.algorithm() == "basic" && !value.contains(' ') {
        let what = format!("`Basic` is missing before the credentials in `{header}`");
        let mend = "write `Basic`, a blank, and the base64 of `name:password`, as RFC 7617 has it";
        show(Code::SignaturePrefix, By::Sender, what, mend.to_owned(), format!("Basic {value}"));
    }
}

/// A header that comes twice counts as absent; one of its copies may be the sender's.
fn repeated(head: &Head, entry: &Entry, visit: &mut impl FnMut(Cause, Head)) {
    for name in entry.headers() {
        let values: Vec<_> = head.headers.get_all(&name).iter().filter_map(|value| value.to_str().ok()).collect();
        let joined = values.first().filter(|value| values.len() == 1 && value.contains(", "));
        let copies: Vec<&str> = joined.map_or_else(|| values.clone(), |value| value.split(", ").collect());
        if copies.len() < 2 {
            continue;
        }
        let how = if joined.is_some() { "joined in one line" } else { "in lines of their own" };
        for (number, copy) in copies.iter().take(COPIES_MAX).enumerate() {
            let Some(single) = with(head, &name, copy) else { continue };
            let what = format!(
                "`{name}` comes {} times, {how}, and counts as absent; number {} of them holds",
                copies.len(),
                number + 1
            );
            let mend = format!(
                "something on the way adds `{name}` a second time: let it replace the field, or leave it alone"
            );
            visit(Cause::new(Code::HeaderRepeated, Area::Header, By::Proxy, what, mend), single);
        }
    }
}

/// The same head with this one value in this header.
pub(super) fn with(head: &Head, name: &str, value: &str) -> Option<Head> {
    let (name, value) = (name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?);
    let mut head = head.clone();
    head.headers.insert(name, value);
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_letters_is_found_with_its_padding_and_nothing_else() {
        let hex = "0123456789abcdef0123456789abcdef";
        let found = |value: &str| tokens(value).into_iter().map(|at| value[at].to_owned()).collect::<Vec<_>>();
        assert_eq!(found(&format!("t=1760000000,v1={hex}")), [hex]);
        assert_eq!(found(&format!("v1,{hex}== v1,{hex}")), [format!("{hex}=="), hex.to_owned()]);
        assert_eq!(found("sha256=abc"), [""; 0]);
    }
}
