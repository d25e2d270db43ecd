//! The same JSON as others would have written it.

use super::{BODY_BYTES_MAX, Cause, Code, proxy};
use crate::json;

const MEND: &str = "the bytes that were signed are gone: whatever reads the JSON and writes it anew, before the gate or in the sender's code behind its signing, must pass them as they were";

/// What stands between names and values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Kept,
    Compact,
    Spaced,
    Pretty(&'static str),
}

/// How texts are escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strings {
    Kept,
    /// Only what must be.
    Plain,
    /// And `/` as `\/`.
    Slashes,
    /// And letters beyond ASCII as `\u00e9`.
    Ascii,
    /// Both, as PHP does it.
    Php,
    /// `<`, `>` and `&`, as Go and Rails do it.
    Html,
}

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Kept,
    /// `1.0` as `1`.
    Js,
    /// `1e2` as `100.0`.
    Python,
}

const LAYOUTS: [Layout; 6] =
    [Layout::Kept, Layout::Compact, Layout::Spaced, Layout::Pretty("  "), Layout::Pretty("    "), Layout::Pretty("\t")];
const STRINGS: [Strings; 6] =
    [Strings::Kept, Strings::Plain, Strings::Slashes, Strings::Ascii, Strings::Php, Strings::Html];
const NUMBERS: [Numbers; 3] = [Numbers::Kept, Numbers::Js, Numbers::Python];

pub(super) fn each(raw: &[u8], show: &mut impl FnMut(Cause, &[u8])) {
    // What is no JSON in one reading was written by nobody's library.
    let (Ok(_), Ok(text)) = (json::read(raw), std::str::from_utf8(raw)) else { return };
    let tokens = lex(text);
    let sorted = sorted(&tokens);
    for numbers in NUMBERS {
        for strings in STRINGS {
            for layout in LAYOUTS {
                for (order, tokens) in [(None, &tokens), (Some("with its members sorted"), &sorted)] {
                    if order.is_some() && layout == Layout::Kept {
                        continue;
                    }
                    let words = [layout.describe(), strings.describe(), numbers.describe(), order];
                    let words: Vec<_> = words.into_iter().flatten().collect();
                    let what = format!(
                        "the body is the same JSON as was signed, written anew: it was signed {}",
                        words.join(", ")
                    );
                    let Some(written) = write(tokens, layout, strings, numbers) else { continue };
                    show(proxy(Code::BodyJson, what.clone(), MEND), written.as_bytes());
                    if matches!(layout, Layout::Pretty(_)) {
                        // Files end so.
                        let what = format!("{what}, with a line end behind it");
                        show(proxy(Code::BodyJson, what, MEND), format!("{written}\n").as_bytes());
                    }
                }
            }
        }
    }
}

impl Layout {
    fn describe(self) -> Option<&'static str> {
        match self {
            Self::Kept => None,
            Self::Compact => Some("without white space"),
            Self::Spaced => Some("with a blank after each `:` and `,`, as Python writes it"),
            Self::Pretty("  ") => Some("indented by two blanks"),
            Self::Pretty("\t") => Some("indented by tabs"),
            Self::Pretty(_) => Some("indented by four blanks"),
        }
    }
}

impl Strings {
    fn describe(self) -> Option<&'static str> {
        match self {
            Self::Kept => None,
            Self::Plain => Some("without needless escapes in texts"),
            Self::Slashes => Some("with `/` as `\\/`"),
            Self::Ascii => Some("with letters beyond ASCII as `\\u` escapes"),
            Self::Php => Some("with `\\/` and `\\u` escapes, as PHP writes it"),
            Self::Html => Some("with `<`, `>` and `&` as `\\u` escapes, as Go and Rails write it"),
        }
    }

    fn write(self, token: &str, text: &mut String) {
        let decoded = if self == Self::Kept { None } else { serde_json::from_str::<String>(token).ok() };
        let Some(decoded) = decoded else { return text.push_str(token) };
        text.push('"');
        for letter in decoded.chars() {
            match letter {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                '\u{8}' => text.push_str("\\b"),
                '\u{c}' => text.push_str("\\f"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                '/' if matches!(self, Self::Slashes | Self::Php) => text.push_str("\\/"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if self == Self::Html => escape(letter, text),
                letter if letter < ' ' => escape(letter, text),
                letter if !letter.is_ascii() && matches!(self, Self::Ascii | Self::Php) => escape(letter, text),
                letter => text.push(letter),
            }
        }
        text.push('"');
    }
}

fn escape(letter: char, text: &mut String) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        text.push_str(&format!("\\u{unit:04x}"));
    }
}

impl Numbers {
    fn describe(self) -> Option<&'static str> {
        match self {
            Self::Kept => None,
            Self::Js => Some("with numbers as JavaScript writes them"),
            Self::Python => Some("with numbers as Python writes them"),
        }
    }

    fn write(self, token: &str, text: &mut String) {
        let number = if token.contains(['.', 'e', 'E']) { token.parse::<f64>().ok() } else { None };
        // Beyond these, each writes exponents of its own kind.
        let number = number.filter(|number| *number == 0.0 || (1e-4..1e16).contains(&number.abs()));
        match (self, number) {
            (Self::Js, Some(number)) => text.push_str(&number.to_string()),
            (Self::Python, Some(number)) => text.push_str(&format!("{number:?}")),
            (Self::Kept, _) | (_, None) => text.push_str(token),
        }
    }
}

#[derive(Clone, Copy)]
enum Piece<'a> {
    Text(&'a str),
    /// A number, `true`, `false` or `null`.
    Word(&'a str),
    Mark(char),
    Space(&'a str),
}

/// Of a text that was read strictly before.
fn lex(text: &str) -> Vec<Piece<'_>> {
    let (mut tokens, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let is_space = |letter: char| matches!(letter, ' ' | '\t' | '\n' | '\r');
        let length = match first {
            '"' => end_of_text(rest),
            '{' | '}' | '[' | ']' | ':' | ',' => 1,
            first if is_space(first) => rest.find(|letter| !is_space(letter)).unwrap_or(rest.len()),
            _ => {
                let ends = |letter: char| is_space(letter) || matches!(letter, '}' | ']' | ':' | ',' | '{' | '[' | '"');
                rest.find(ends).unwrap_or(rest.len()).max(first.len_utf8())
            }
        };
        let Some((token, after)) = rest.split_at_checked(length) else { break };
        tokens.push(match first {
            '"' => Piece::Text(token),
            '{' | '}' | '[' | ']' | ':' | ',' => Piece::Mark(first),
            first if is_space(first) => Piece::Space(token),
            _ => Piece::Word(token),
        });
        rest = after;
    }
    tokens
}

fn end_of_text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `None` if it would be longer than what is looked at: white space can make a multiple of a deep document.
fn write(tokens: &[Piece<'_>], layout: Layout, strings: Strings, numbers: Numbers) -> Option<String> {
    let mut text = String::new();
    let kept = layout == Layout::Kept;
    let mut solid = tokens.iter().filter(|token| kept || !matches!(token, Piece::Space(_))).peekable();
    let mut depth = 0_usize;
    let line = |depth: usize, text: &mut String| {
        if let Layout::Pretty(indent) = layout {
            text.push('\n');
            text.extend(std::iter::repeat_n(indent, depth));
        }
    };
    while let Some(token) = solid.next() {
        if text.len() > BODY_BYTES_MAX {
            return None;
        }
        match token {
            Piece::Space(space) => text.push_str(space),
            Piece::Text(token) => strings.write(token, &mut text),
            Piece::Word(token) => numbers.write(token, &mut text),
            Piece::Mark(mark @ ('{' | '[')) => {
                text.push(*mark);
                if let Some(Piece::Mark(close @ ('}' | ']'))) = solid.peek() {
                    // Empty ones are written in one piece.
                    text.push(*close);
                    solid.next();
                } else {
                    depth += 1;
                    line(depth, &mut text);
                }
            }
            Piece::Mark(mark @ ('}' | ']')) => {
                depth = depth.saturating_sub(1);
                line(depth, &mut text);
                text.push(*mark);
            }
            Piece::Mark(',') => {
                text.push(',');
                if layout == Layout::Spaced {
                    text.push(' ');
                }
                line(depth, &mut text);
            }
            Piece::Mark(mark) => {
                text.push(*mark);
                if matches!(layout, Layout::Spaced | Layout::Pretty(_)) {
                    text.push(' ');
                }
            }
        }
    }
    Some(text)
}

/// The same tokens, without white space, with the members of each object by name.
fn sorted<'a>(tokens: &[Piece<'a>]) -> Vec<Piece<'a>> {
    let solid: Vec<_> = tokens.iter().copied().filter(|token| !matches!(token, Piece::Space(_))).collect();
    let mut made = Vec::with_capacity(solid.len());
    value(&mut solid.into_iter().peekable(), &mut made);
    made
}

type Pieces<'a> = std::iter::Peekable<std::vec::IntoIter<Piece<'a>>>;

/// One value; no deeper than the strict reader takes.
fn value<'a>(tokens: &mut Pieces<'a>, made: &mut Vec<Piece<'a>>) {
    let Some(first) = tokens.next() else { return };
    made.push(first);
    match first {
        Piece::Mark('[') => {
            while let Some(next) = tokens.peek().copied() {
                match next {
                    Piece::Mark(']' | ',') => made.extend(tokens.next()),
                    _ => value(tokens, made),
                }
                if matches!(next, Piece::Mark(']')) {
                    return;
                }
            }
        }
        Piece::Mark('{') => {
            let mut members: Vec<(String, Vec<Piece<'a>>)> = Vec::new();
            while let Some(next) = tokens.next() {
                match next {
                    Piece::Text(name) => {
                        let mut member = vec![next];
                        member.extend(tokens.next());
                        value(tokens, &mut member);
                        members.push((serde_json::from_str(name).unwrap_or_default(), member));
                    }
                    Piece::Mark('}') => break,
                    Piece::Mark(_) | Piece::Word(_) | Piece::Space(_) => {}
                }
            }
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (index, (_, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    made.push(Piece::Mark(','));
                }
                made.extend(member);
            }
            made.push(Piece::Mark('}'));
        }
        Piece::Mark(_) | Piece::Text(_) | Piece::Word(_) | Piece::Space(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"b": [1.0, {"z":1,"a":{}}, []],"a":"\u00e9/<\"" , "c":1e2}"#;

    fn written(layout: Layout, strings: Strings, numbers: Numbers) -> String {
        write(&lex(TEXT), layout, strings, numbers).unwrap()
    }

    #[test]
    fn what_is_kept_is_kept() {
        assert_eq!(written(Layout::Kept, Strings::Kept, Numbers::Kept), TEXT);
    }

    #[test]
    fn it_is_written_as_others_write_it() {
        let compact = written(Layout::Compact, Strings::Plain, Numbers::Js);
        assert_eq!(compact, r#"{"b":[1,{"z":1,"a":{}},[]],"a":"é/<\"","c":100}"#);
        let python = written(Layout::Spaced, Strings::Ascii, Numbers::Python);
        assert_eq!(python, r#"{"b": [1.0, {"z": 1, "a": {}}, []], "a": "\u00e9/<\"", "c": 100.0}"#);
        let php = written(Layout::Pretty("    "), Strings::Php, Numbers::Kept);
        assert!(php.starts_with("{\n    \"b\": [\n        1.0,\n        {\n            \"z\": 1,"), "{php}");
        assert!(
            php.contains("[]\n    ],") && php.ends_with("\n    \"a\": \"\\u00e9\\/<\\\"\",\n    \"c\": 1e2\n}"),
            "{php}"
        );
        assert!(written(Layout::Kept, Strings::Html, Numbers::Kept).contains("\"é/\\u003c\\\"\""));
    }

    #[test]
    fn members_are_sorted_at_every_depth() {
        let sorted = write(&sorted(&lex(TEXT)), Layout::Compact, Strings::Kept, Numbers::Kept).unwrap();
        assert_eq!(sorted, r#"{"a":"\u00e9/<\"","b":[1.0,{"a":{},"z":1},[]],"c":1e2}"#);
    }

    #[test]
    fn letters_beyond_the_first_plane_are_two_escapes() {
        let mut text = String::new();
        Strings::Ascii.write("\"😀\"", &mut text);
        assert_eq!(text, "\"\\ud83d\\ude00\"");
    }

    #[test]
    fn what_grows_beyond_all_measure_is_not_written() {
        let deep = format!("{}{}1{}", "[".repeat(60), "1,".repeat(4000), "]".repeat(60));
        let tokens = lex(&deep);
        assert!(write(&tokens, Layout::Compact, Strings::Kept, Numbers::Kept).is_some());
        assert!(write(&tokens, Layout::Pretty("    "), Strings::Kept, Numbers::Kept).is_some());
        let deeper = format!("{}{}1{}", "[".repeat(400), "1,".repeat(4000), "]".repeat(400));
        assert!(write(&lex(&deeper), Layout::Pretty("    "), Strings::Kept, Numbers::Kept).is_none());
    }
}
