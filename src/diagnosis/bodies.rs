//! Which bytes could have been signed, if the body was changed on its way?

mod form;
mod json;

use super::{
    Cause,
    cause::{Area, By, Code},
};
use crate::request::Head;
use encoding_rs::{Encoding, ISO_8859_15, UTF_16BE, UTF_16LE};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, collections::BTreeSet};

/// A longer body is not written anew: each of two hundred writings of it is hashed.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// Takes compression off, up to so many bytes; `None` if it is none, or too long.
pub type Inflate = fn(&[u8], usize) -> Option<(Vec<u8>, &'static str)>;

/// Shows every other writing of this body once.
pub(super) fn each(head: &Head, raw: &[u8], inflate: Option<Inflate>, mut visit: impl FnMut(&Cause, &[u8])) {
    if raw.len() > BODY_BYTES_MAX {
        return;
    }
    let mut seen = BTreeSet::from([<[u8; 32]>::from(Sha256::digest(raw))]);
    let mut show = |cause: Cause, body: &[u8]| {
        if seen.insert(Sha256::digest(body).into()) {
            visit(&cause, body);
        }
    };
    line_ends(raw, &mut show);
    blanks(raw, &mut show);
    if let Some((plain, name)) = inflate.and_then(|inflate| inflate(raw, BODY_BYTES_MAX)) {
        let what = format!(
            "the body came compressed ({name}, {} bytes), and was signed uncompressed ({} bytes)",
            raw.len(),
            plain.len()
        );
        let mend = "let nothing compress requests between the sender and the gate";
        show(proxy(Code::BodyCompressed, what, mend), &plain);
    }
    if let Some(whole) = unchunked(raw) {
        let what = format!(
            "the body is in the chunks of its transfer ({} bytes), and was signed without them ({} bytes)",
            raw.len(),
            whole.len()
        );
        let mend = "what takes requests apart before the gate must decode `transfer-encoding: chunked` and not pass it on as a body; or this is a recording of the wire: save it without the chunks";
        show(proxy(Code::BodyChunked, what, mend), &whole);
    }
    charsets(raw, &mut show);
    form::each(head, raw, &mut show);
    json::each(raw, &mut show);
    if !raw.is_empty() {
        show(unsigned(raw), b"");
    }
}

/// Signed before there was a body.
pub(super) fn unsigned(raw: &[u8]) -> Cause {
    let what = format!("the signature is one of no body at all, and {} bytes came", raw.len());
    let mend = "the sender's code signs before it has the body: let it sign the bytes that it sends";
    Cause::new(Code::BodyUnsigned, Area::Body, By::Sender, what, mend)
}

fn proxy(code: Code, what: impl Into<String>, mend: &str) -> Cause {
    Cause::new(code, Area::Body, By::Proxy, what, mend)
}

const BYTE_FOR_BYTE: &str = "pass the body byte for byte: an API gateway, a firewall, a framework, or the editor that saved this recording, has changed it";

fn line_ends(raw: &[u8], show: &mut impl FnMut(Cause, &[u8])) {
    for (end, name) in [(b"\r\n".as_slice(), "CRLF"), (b"\n", "LF")] {
        if let Some(without) = raw.strip_suffix(end) {
            let what = format!("a line end ({name}) was added at the end of the body, at byte {}", without.len());
            show(proxy(Code::BodyLineEnd, what, BYTE_FOR_BYTE), without);
        }
        let what =
            format!("a line end ({name}) was signed at the end of the body, at byte {}, and did not come", raw.len());
        let mend = "let the sender sign the bytes that it sends (`echo` adds a line end, `printf %s` none); or something on the way takes it off, and must pass the body byte for byte";
        show(Cause::new(Code::BodyLineEnd, Area::Body, By::Both, what, mend), &[raw, end].concat());
    }
    let unix = replaced(raw, b"\r\n", b"\n");
    let what = "the line ends within the body are CRLF, and LF was signed";
    show(proxy(Code::BodyLineEnds, what, BYTE_FOR_BYTE), &unix);
    let what = "the line ends within the body are LF, and CRLF was signed";
    show(proxy(Code::BodyLineEnds, what, BYTE_FOR_BYTE), &replaced(&unix, b"\n", b"\r\n"));
}

fn blanks(raw: &[u8], show: &mut impl FnMut(Cause, &[u8])) {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if let Some(without) = raw.strip_prefix(MARK) {
        show(proxy(Code::BodyMark, "a byte order mark was put before the body", BYTE_FOR_BYTE), without);
    } else {
        let what = "the byte order mark before the body was taken off";
        show(proxy(Code::BodyMark, what, BYTE_FOR_BYTE), &[MARK, raw].concat());
    }
    let trimmed = raw.trim_ascii();
    let what = format!("{} bytes of white space were added around the body", raw.len() - trimmed.len());
    show(proxy(Code::BodyBlanks, what, BYTE_FOR_BYTE), trimmed);
}

/// A chunk is announced by so many digits at most: four thousand MiB.
const CHUNK_DIGITS_MAX: usize = 8;

/// What stands in chunks (RFC 9112 section 7.1), if all of it does and they come to their end.
fn unchunked(raw: &[u8]) -> Option<Vec<u8>> {
    let (mut whole, mut rest) = (Vec::with_capacity(raw.len()), raw);
    loop {
        let end = rest.windows(2).take(CHUNK_DIGITS_MAX + 1).position(|two| two == b"\r\n")?;
        let digits = std::str::from_utf8(rest.get(..end)?).ok()?;
        let length = usize::from_str_radix(digits, 16).ok()?;
        rest = rest.get(end + 2..)?;
        if length == 0 {
            return matches!(rest, b"" | b"\r\n").then_some(whole);
        }
        whole.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

fn encoded(what: String) -> Cause {
    let mend = "let the sender sign the bytes that it sends, and let nothing before the gate decode and encode texts";
    Cause::new(Code::BodyCharset, Area::Body, By::Both, what, mend)
}

/// In which texts are still written beside UTF-8.
const CHARSETS: [(&Encoding, &str); 2] = [(encoding_rs::WINDOWS_1252, "Windows-1252"), (ISO_8859_15, "Latin-9")];

fn charsets(raw: &[u8], show: &mut impl FnMut(Cause, &[u8])) {
    wide(raw, show);
    let Some(first) = raw.iter().position(|byte| !byte.is_ascii()) else { return };
    let at = format!("from byte {first} on");
    let text = std::str::from_utf8(raw).ok();
    if let Some(text) = text {
        let latin: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
        if let Some(latin) = latin {
            let what = format!("the body was signed in Latin-1 and came in UTF-8, or in UTF-8 twice over ({at})");
            show(encoded(what), &latin);
        }
    }
    let latin: String = raw.iter().map(|byte| char::from(*byte)).collect();
    let latin_of = |name: &str| match text {
        // It came in UTF-8.
        Some(_) => format!("the body was signed in UTF-8 twice over, as if it were {name}, and came in UTF-8 ({at})"),
        None => format!("the body was signed in UTF-8 and came in {name} ({at})"),
    };
    show(encoded(latin_of("Latin-1")), latin.as_bytes());
    for (encoding, name) in CHARSETS {
        if let Some((bytes, _, false)) = text.map(|text| encoding.encode(text)) {
            let what = format!("the body was signed in {name} and came in UTF-8, or in UTF-8 twice over ({at})");
            show(encoded(what), &bytes);
        }
        let (decoded, _) = encoding.decode_without_bom_handling(raw);
        show(encoded(latin_of(name)), decoded.as_bytes());
    }
}

/// UTF-16, with its mark and without; none of its texts is UTF-8.
fn wide(raw: &[u8], show: &mut impl FnMut(Cause, &[u8])) {
    for (encoding, name, mark) in [(UTF_16LE, "UTF-16LE", b"\xff\xfe"), (UTF_16BE, "UTF-16BE", b"\xfe\xff")] {
        let bare = raw.strip_prefix(mark.as_slice());
        if bare.is_some() || raw.len().is_multiple_of(2) && raw.contains(&0) {
            let (decoded, is_wrong) = encoding.decode_without_bom_handling(bare.unwrap_or(raw));
            if !is_wrong {
                let what = format!("the body was signed in UTF-8 and came in {name}");
                show(encoded(what), decoded.as_bytes());
            }
        }
        let Ok(text) = std::str::from_utf8(raw) else { continue };
        let units = text.encode_utf16();
        let bytes: Vec<u8> = if encoding == UTF_16LE {
            units.flat_map(u16::to_le_bytes).collect()
        } else {
            units.flat_map(u16::to_be_bytes).collect()
        };
        let what = format!("the body was signed in {name} and came in UTF-8");
        show(encoded(what.clone()), &bytes);
        show(encoded(what), &[mark.as_slice(), &bytes].concat());
    }
}

fn replaced(raw: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut made, mut rest) = (Vec::with_capacity(raw.len()), raw);
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            made.extend_from_slice(to);
            rest = after;
        } else {
            made.push(*first);
            rest = after;
        }
    }
    made
}

/// A text without its escapes, if there are any.
fn lossless(raw: &[u8]) -> Option<Cow<'_, str>> {
    std::str::from_utf8(raw).ok().map(Cow::Borrowed)
}
