//! A signature that stands in the document, and could have been written in another way there.

use super::{
    Cause,
    cause::{Area, By, Code},
    entry::Entry,
    fields,
};
use crate::json;
use std::collections::BTreeSet;

/// More items in one request than the gate reads.
const ITEMS_MAX: usize = 256;

/// Shows the body with each other writing of the signatures in it; everything else stays byte for byte.
pub(super) fn each(entry: &Entry, raw: &[u8], mut visit: impl FnMut(Cause, Vec<u8>)) {
    let Some(pointer) = entry.signature_pointer() else { return };
    let (Ok(document), Ok(text)) = (json::read(raw), std::str::from_utf8(raw)) else { return };
    // Where each item of a list has one, the entry names that of the first.
    let pointers = (0..ITEMS_MAX).map(|item| pointer.replacen("/0/", &format!("/{item}/"), 1));
    let found = pointers.map_while(|pointer| document.find(&pointer)?.text().map(str::to_owned));
    let signatures: BTreeSet<String> = found.take(if pointer.contains("/0/") { ITEMS_MAX } else { 1 }).collect();
    if signatures.is_empty() || signatures.iter().any(|signature| fields::tokens(signature).len() != 1) {
        return;
    }
    let mut show = |code, what: String, mend: String, write: &dyn Fn(&str) -> Option<String>| {
        let mut body = text.to_owned();
        for signature in &signatures {
            let Some(written) = write(signature) else { return };
            body = body.replace(signature.as_str(), &written);
        }
        if body != text {
            visit(Cause::new(code, Area::Body, By::Sender, what, mend), body.into_bytes());
        }
    };
    let lower = |signature: &str| {
        signature.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| signature.to_ascii_lowercase())
    };
    let what = format!("the hexadecimal digits at `{pointer}` are capitals; this sender writes small letters");
    show(Code::SignatureCase, what, "write the signature in lower case".to_owned(), &lower);
    for (from, to) in fields::encodings() {
        let write = |signature: &str| {
            let (bytes, _) = fields::decoded(signature).into_iter().find(|(_, name)| *name == from)?;
            Some(fields::written_as(&bytes, to))
        };
        let what = format!("the signature at `{pointer}` is written as {from}, and this sender writes {to}");
        show(Code::SignatureEncoding, what, format!("write it as {to}"), &write);
    }
}
