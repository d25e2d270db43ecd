//! Numbers, texts and patterns, as a path writes them.

use super::Reader;
use crate::json::path::BadPath;
use serde_json::Number;

/// I-JSON: beyond it, not every reader means the same number (RFC 9535 section 2.1).
const INTEGER_MAX: i64 = (1 << 53) - 1;

impl Reader<'_> {
    pub(super) fn integer_if_any(&mut self) -> Result<Option<i64>, BadPath> {
        if !self.peek().is_some_and(|c| c == '-' || c.is_ascii_digit()) {
            return Ok(None);
        }
        let from = self.at;
        self.eat("-");
        let digits = self.take_while(|c| c.is_ascii_digit());
        let plain = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
        let number = self.text.get(from..self.at).filter(|text| plain && *text != "-0");
        let number = number.and_then(|text| text.parse::<i64>().ok()).filter(|number| number.abs() <= INTEGER_MAX);
        number.map(Some).ok_or_else(|| BadPath { at: from, why: "not an integer of RFC 9535".into() })
    }

    pub(super) fn number(&mut self) -> Result<Number, BadPath> {
        let from = self.at;
        self.eat("-");
        let whole = self.take_while(|c| c.is_ascii_digit());
        let mut good = !whole.is_empty() && (whole == "0" || !whole.starts_with('0'));
        let mut is_integer = true;
        if self.eat(".") {
            is_integer = false;
            good &= !self.take_while(|c| c.is_ascii_digit()).is_empty();
        }
        if self.eat("e") || self.eat("E") {
            is_integer = false;
            if !self.eat("+") {
                self.eat("-");
            }
            good &= !self.take_while(|c| c.is_ascii_digit()).is_empty();
        }
        let literal = self.text.get(from..self.at).unwrap_or_default();
        let integer = literal.parse::<i64>().ok().filter(|_| is_integer).map(Number::from);
        let number = integer.or_else(|| Number::from_f64(literal.parse().ok()?));
        number.filter(|_| good).ok_or(BadPath { at: from, why: "not a number".into() })
    }

    pub(super) fn string(&mut self) -> Result<String, BadPath> {
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"')).ok_or_else(|| self.bad("a text is due here"))?;
        self.at += 1;
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or_else(|| self.bad(format!("`{quote}` is due at the end of a text")))?;
            match c {
                '\\' => text.push(self.escape(quote)?),
                c if c == quote => {
                    self.at += 1;
                    return Ok(text);
                }
                c if c < ' ' => return Err(self.bad("a control character is written as `\\u00..`")),
                c => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
            }
        }
    }

    fn escape(&mut self, quote: char) -> Result<char, BadPath> {
        let from = self.at;
        let unknown = || BadPath { at: from, why: "not an escape of RFC 9535".into() };
        self.at += 1;
        let c = self.peek().ok_or_else(unknown)?;
        self.at += c.len_utf8();
        match c {
            'b' => Ok('\u{8}'),
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            '/' | '\\' => Ok(c),
            c if c == quote => Ok(c),
            'u' => {
                let high = self.hex().ok_or_else(unknown)?;
                let is_high = (0xD800..0xDC00).contains(&high);
                let low = if is_high && self.eat("\\u") { self.hex() } else { None };
                let code = match low.filter(|low| (0xDC00..0xE000).contains(low)) {
                    Some(low) => 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00),
                    None => high,
                };
                char::from_u32(code).ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        self.at += digits.len();
        u32::from_str_radix(digits, 16).ok()
    }
}

/// In RFC 9485 a dot is neither `\n` nor `\r`; in `regex` it is only not `\n`.
pub(super) fn dots(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let (mut escaped, mut in_class) = (false, false);
    for c in pattern.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                written.push_str("[^\\n\\r]");
                continue;
            }
            _ => {}
        }
        written.push(c);
    }
    written
}
