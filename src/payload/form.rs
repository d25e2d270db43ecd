//! A form body (`application/x-www-form-urlencoded`) read by field, into the same tree as JSON, so that one schema and
//! one set of rules serve both.
//!
//! PHP is the reader that counts: names are what `$_POST` has, `a[b]` and `a[]` are members and items. What PHP would
//! drop, overwrite or mend in a name is refused instead: the plugin behind the gate may not read forms as PHP does.

use crate::{
    json::{Kind, Member, Members, Node, Text},
    request::target::php,
};
use std::{borrow::Cow, ops::Range};

/// PHP reads so many (`max_input_vars`) and silently leaves out the rest.
const FIELDS_MAX: usize = 1000;
/// PHP goes so deep (`max_input_nesting_level`) and silently leaves out the rest.
const DEPTH_MAX: usize = 64;

/// One piece between `&`.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    /// All of it.
    pub(super) at: Range<usize>,
    /// What is behind the first `=`; empty at the end if there is none.
    pub(super) value_at: Range<usize>,
    /// What is before it.
    pub(super) name: &'a [u8],
    /// As written.
    pub(super) value: &'a [u8],
}

impl Piece<'_> {
    /// What to put in the place of its value, so that it reads as this text.
    pub(super) fn written(&self, text: &str) -> String {
        let equals = if self.at.len() == self.name.len() { "=" } else { "" };
        format!("{equals}{}", encode(text))
    }
}

/// Every piece that is not empty.
pub(super) fn pieces(raw: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut start = 0;
    let pieces = raw.split(|byte| *byte == b'&').map(move |piece| {
        let at = start..start + piece.len();
        start = at.end + 1;
        let name = piece.split(|byte| *byte == b'=').next().unwrap_or_default();
        let value = piece.get(name.len() + 1..).unwrap_or_default();
        let value_at = at.end - value.len()..at.end;
        Piece { at, value_at, name, value }
    });
    pieces.filter(|piece| !piece.at.is_empty())
}

/// How a text is written in a form.
fn encode(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'*' => written.push(char::from(byte)),
            b' ' => written.push('+'),
            _ => written.push_str(&format!("%{byte:02X}")),
        }
    }
    written
}

/// Reads a whole body. Lists and objects in the tree have no place of their own: their values lie scattered.
///
/// `None` for a form that has two readings: a name twice, a name that PHP mends, text that is not UTF-8, too much.
pub fn read(raw: &[u8]) -> Option<Node> {
    let mut root = Growing::Named(Vec::new());
    let mut count = 0;
    for piece in pieces(raw) {
        count += 1;
        let steps = steps(text(piece.name)?.as_ref())?;
        if count > FIELDS_MAX || steps.len() > DEPTH_MAX {
            return None;
        }
        let value = Node { at: piece.value_at, kind: Kind::String(Text::new(text(piece.value)?)) };
        root.grow(&steps, piece.at.start, value)?;
    }
    root.done()
}

fn text(raw: &[u8]) -> Option<Cow<'_, str>> {
    match php::decode(raw) {
        Cow::Borrowed(bytes) => str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

/// One step of a name: `a[b][]` has three.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Named(String),
    Next,
}

/// The steps of a decoded name; none if PHP would mend it in more than blanks and dots.
pub(crate) fn steps(name: &str) -> Option<Vec<Step>> {
    let (base, mut rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    if base.is_empty() || base.starts_with(' ') || name.contains('\0') {
        return None;
    }
    let mut steps = vec![Step::Named(base.replace([' ', '.'], "_"))];
    while let Some(open) = rest.strip_prefix('[') {
        let (index, behind) = open.split_once(']')?;
        let odd = index.contains('[') || index.starts_with(|first: char| first.is_ascii_whitespace());
        steps.push(match index {
            "" => Step::Next,
            _ if odd => return None,
            index => Step::Named(index.to_owned()),
        });
        rest = behind;
    }
    rest.is_empty().then_some(steps)
}

/// A tree that fields are put into one by one.
enum Growing {
    Value(Node),
    Listed(Vec<Growing>),
    /// In the order of the body.
    Named(Vec<(String, usize, Growing)>),
}

impl Growing {
    /// `None` if there is something already that PHP would overwrite.
    fn grow(&mut self, steps: &[Step], named_at: usize, value: Node) -> Option<()> {
        let (step, rest) = steps.split_first()?;
        let new = || match rest.first() {
            None => Self::Value(value.clone()),
            Some(Step::Next) => Self::Listed(Vec::new()),
            Some(Step::Named(_)) => Self::Named(Vec::new()),
        };
        let child = match (self, step) {
            (Self::Listed(items), Step::Next) => {
                items.push(new());
                items.last_mut()?
            }
            (Self::Named(members), Step::Named(name)) => {
                let known = members.iter().position(|(known, ..)| known == name);
                if known.is_some() && rest.is_empty() {
                    return None;
                }
                let index = known.unwrap_or(members.len());
                if known.is_none() {
                    members.push((name.clone(), named_at, new()));
                }
                members.get_mut(index).map(|(_, _, child)| child)?
            }
            (Self::Value(_) | Self::Listed(_) | Self::Named(_), Step::Named(_) | Step::Next) => return None,
        };
        if rest.is_empty() { Some(()) } else { child.grow(rest, named_at, value) }
    }

    fn done(self) -> Option<Node> {
        let kind = match self {
            Self::Value(value) => return Some(value),
            Self::Listed(items) => Kind::Array(items.into_iter().map(Self::done).collect::<Option<_>>()?),
            Self::Named(members) if is_list(&members) => {
                Kind::Array(members.into_iter().map(|(_, _, child)| child.done()).collect::<Option<_>>()?)
            }
            Self::Named(members) => {
                let member = |(name, named_at, child): (String, usize, Self)| {
                    Some(Member { name: Text::from(name), named_at, value: child.done()? })
                };
                Kind::Object(Members::of(members.into_iter().map(member).collect::<Option<_>>()?)?)
            }
        };
        Some(Node { at: 0..0, kind })
    }
}

/// `a[0]`, `a[1]`, and so on: for PHP that is what `a[]` makes.
fn is_list(members: &[(String, usize, Growing)]) -> bool {
    !members.is_empty() && members.iter().enumerate().all(|(index, (name, ..))| *name == index.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(raw: &str) -> String {
        read(raw.as_bytes()).map_or("refused".to_owned(), |root| root.to_value().to_string())
    }

    #[test]
    fn a_form_is_what_php_makes_of_it() {
        assert_eq!(value(""), "{}");
        assert_eq!(value("a=1&&b=x+y%21&c"), r#"{"a":"1","b":"x y!","c":""}"#);
        assert_eq!(value("user.email=a%40b&a%20b=1"), r#"{"a_b":"1","user_email":"a@b"}"#);
        assert_eq!(value("a[b][c]=1&a[d]=2"), r#"{"a":{"b":{"c":"1"},"d":"2"}}"#);
        assert_eq!(value("a[]=1&a[]=2&b[0][c]=3&b[1][c]=4"), r#"{"a":["1","2"],"b":[{"c":"3"},{"c":"4"}]}"#);
        assert_eq!(value("a[1]=x"), r#"{"a":{"1":"x"}}"#);
        assert_eq!(value("%61=1"), r#"{"a":"1"}"#);
    }

    #[test]
    fn a_form_with_two_readings_is_refused() {
        let twice =
            ["a=1&a=2", "a=1&%61=2", "a.b=1&a_b=2", "a=1&a[b]=2", "a[b]=1&a=2", "a[]=1&a[b]=2", "a[b]=1&a[b]=2"];
        let mended = ["=1", "+a=1", "a%00b=1", "[a]=1", "a[b=1", "a[b]c=1", "a[b[c]=1", "a[+b]=1"];
        let coded = ["a=%FF", "%FF=a"];
        for raw in twice.iter().chain(&mended).chain(&coded) {
            assert_eq!(value(raw), "refused", "{raw}");
        }
    }

    #[test]
    fn more_than_php_reads_is_refused() {
        let fields = |count| (0..count).map(|n| format!("f{n}=1")).collect::<Vec<_>>().join("&");
        assert_ne!(value(&fields(FIELDS_MAX)), "refused");
        assert_eq!(value(&fields(FIELDS_MAX + 1)), "refused");
        assert_ne!(value(&format!("a{}=1", "[b]".repeat(DEPTH_MAX - 1))), "refused");
        assert_eq!(value(&format!("a{}=1", "[b]".repeat(DEPTH_MAX))), "refused");
    }

    #[test]
    fn a_value_knows_its_bytes() {
        let raw = "a=1&b[c]=x%20y&d";
        let root = read(raw.as_bytes()).unwrap();
        let bytes = |pointer| &raw[root.find(pointer).unwrap().at.clone()];
        assert_eq!((bytes("/a"), bytes("/b/c"), bytes("/d")), ("1", "x%20y", ""));
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        let text = "a b+c&d=é%[masked]";
        assert_eq!(value(&format!("a={}", encode(text))), serde_json::json!({ "a": text }).to_string());
    }
}
