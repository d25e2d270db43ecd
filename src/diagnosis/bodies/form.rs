//! Forms: decoded on the way, or encoded in another way.

use super::{Cause, Code, proxy};
use crate::request::{Head, target::php};

const FORM: &str = "application/x-www-form-urlencoded";
/// Fields whose value is the sender's JSON: GitHub, Slack, and their like.
const PAYLOADS: [&str; 3] = ["payload", "data", "json"];
const MEND: &str = "what decodes the form must stand behind the gate, not before it";

pub(super) fn each(head: &Head, raw: &[u8], show: &mut impl FnMut(Cause, &[u8])) {
    if head.media_type() == FORM || looks_like_form(raw) {
        fields(raw, show);
        for (from, to, what) in [
            (b"+".as_slice(), b"%20".as_slice(), "blanks of the form are written as `+`, and `%20` was signed"),
            (b"%20", b"+", "blanks of the form are written as `%20`, and `+` was signed"),
        ] {
            show(proxy(Code::BodyForm, what, super::BYTE_FOR_BYTE), &super::replaced(raw, from, to));
        }
        for (upper, what) in [(true, "capital"), (false, "small")] {
            let what = format!("the form was signed with escapes in {what} letters");
            show(proxy(Code::BodyForm, what, super::BYTE_FOR_BYTE), &escapes(raw, upper));
        }
        let decoded = php::decode(raw);
        show(proxy(Code::BodyForm, "the form was signed decoded, and came encoded", MEND), &decoded);
    }
    let Some(text) = super::lossless(raw).filter(|text| text.starts_with(['{', '['])) else { return };
    for name in PAYLOADS {
        for plus in [true, false] {
            let what = format!("the form field `{name}` was signed encoded, and its value alone came");
            let form = format!("{name}={}", encoded(&text, plus));
            show(proxy(Code::BodyForm, what, MEND), form.as_bytes());
        }
    }
}

fn looks_like_form(raw: &[u8]) -> bool {
    PAYLOADS.iter().any(|name| raw.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")))
}

fn fields(raw: &[u8], show: &mut impl FnMut(Cause, &[u8])) {
    for piece in raw.split(|byte| *byte == b'&').take(PAYLOADS.len() * 4) {
        let Some(at) = piece.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = piece.split_at(at);
        let Some(name) = PAYLOADS.iter().find(|known| known.as_bytes() == name) else { continue };
        let what = format!("the value of the form field `{name}` was signed, and the form around it came");
        show(proxy(Code::BodyForm, what, super::BYTE_FOR_BYTE), &php::decode(value.get(1..).unwrap_or_default()));
    }
}

/// As PHP's `urlencode` (`plus`) or JavaScript's `encodeURIComponent` writes it.
fn encoded(text: &str, plus: bool) -> String {
    let mut made = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) || (!plus && b"!~*'()".contains(&byte));
        match byte {
            b' ' if plus => made.push('+'),
            byte if is_plain => made.push(char::from(byte)),
            byte => made.push_str(&format!("%{byte:02X}")),
        }
    }
    made
}

fn escapes(raw: &[u8], upper: bool) -> Vec<u8> {
    let mut made = raw.to_vec();
    let mut left = 0;
    for byte in &mut made {
        if *byte == b'%' {
            left = 2;
        } else if left > 0 {
            left -= 1;
            if upper { byte.make_ascii_uppercase() } else { byte.make_ascii_lowercase() }
        }
    }
    made
}
