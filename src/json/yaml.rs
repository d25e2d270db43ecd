//! YAML text in, a tree that knows its places out: the same tree that bodies are read into, so that one JSON Schema
//! validator serves both.

use super::{Kind, Member, Members, Node, Text};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{
    Location, MessageFormatter as _, Spanned, UserMessageFormatter,
    budget::BudgetBreach,
    options::{DuplicateKeyPolicy, MergeKeyPolicy},
};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fmt,
    ops::Range,
};

/// One thing that is wrong with a text: which bytes of it, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wrong {
    /// Where it starts, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// Lower case, no full stop, with a way out.
    pub message: String,
}

impl Wrong {
    /// Says what is wrong with these bytes.
    pub fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { start: at.start, end: at.end, message: message.into() }
    }
}

/// One file, read.
#[derive(Clone, Debug)]
pub struct Document {
    /// All of it; of a name that is written twice, what both of them say together.
    pub root: Node,
    names: Names,
    bracketed: BTreeSet<usize>,
    repeated: Vec<Wrong>,
}

/// Where the name of a member stands, by where its value starts.
type Names = BTreeMap<usize, Range<usize>>;

/// The longest text that is read. Policies of a thousand routes have a fifth of it.
pub const TEXT_MAX_BYTES: usize = 1 << 20;

/// Reads YAML 1.2 strictly: two equal names, merge keys, unknown tags, a second document and everything that blows up
/// to more than a file of this length can need are refused.
///
/// # Errors
/// Only the first mistake is told, because what follows it cannot be relied on.
pub fn read_yaml(text: &str) -> Result<Document, Wrong> {
    let document = read_yaml_at(text, 0)?;
    match document.repeated.into_iter().next() {
        Some(repeated) => Err(repeated),
        None => Ok(Document { repeated: Vec::new(), ..document }),
    }
}

/// As [`read_yaml`], for one of several texts that share one numbering of bytes: this one begins at `base`. Names that
/// are written twice hide nothing else that is wrong: they are told by [`Document::repeated`].
///
/// # Errors
/// Only the first mistake is told, because what follows it cannot be relied on.
pub fn read_yaml_at(text: &str, base: usize) -> Result<Document, Wrong> {
    if text.len() > TEXT_MAX_BYTES {
        let message = format!("the file has {} bytes, and {TEXT_MAX_BYTES} at most are read", text.len());
        return Err(Wrong::new(base..base, message));
    }
    // A byte order mark is no part of the text, but its bytes count.
    let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = base + text.len() - unmarked.len();
    let options = serde_saphyr::options! {
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        leading_zero_numbers_as_strings: true,
        merge_keys: MergeKeyPolicy::Error,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        reject_unsupported_tags: true,
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: 20_000,
            max_nodes: 100_000,
            max_depth: DEPTH_MAX,
        },
    };
    let root: Spanned<Yaml> = serde_saphyr::from_str_with_options(unmarked, options)
        .map_err(|error| unreadable(error.without_snippet(), unmarked, mark))?;
    let mut reading = Reading { text: unmarked, mark, ..Reading::default() };
    let root = reading.node(root)?;
    let Reading { names, bracketed, repeated, .. } = reading;
    Ok(Document { root, names, bracketed, repeated })
}

const TOO_MUCH: &str = "more values, aliases or depth than any file of this kind needs";

/// A policy's own depth is 5; a schema written in YAML may be deeper.
const DEPTH_MAX: usize = 48;

impl Document {
    /// A value that was put together from parts of several files, which still know where they stand.
    pub fn joined(root: Node, parts: impl IntoIterator<Item = Self>) -> Self {
        let (mut names, mut bracketed) = (Names::new(), BTreeSet::new());
        for part in parts {
            names.extend(part.names);
            bracketed.extend(part.bracketed);
        }
        Self { root, names, bracketed, repeated: Vec::new() }
    }

    /// The names that stand twice in one place, each where it stands again.
    pub fn repeated(&self) -> &[Wrong] {
        &self.repeated
    }

    /// What to underline when something is wrong with this value. Of one that goes over many lines, its name.
    pub fn place(&self, node: &Node) -> Range<usize> {
        match node.kind {
            Kind::Object(_) | Kind::Array(_) | Kind::Null => self.name(node),
            Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => None,
        }
        .unwrap_or_else(|| node.at.clone())
    }

    /// What to underline when this value has not the form that is due. Of one that is written in brackets or braces, those:
    /// they stand behind the name, and may stand in the same line as many others.
    pub fn form(&self, node: &Node) -> Range<usize> {
        if self.bracketed.contains(&node.at.start) { node.at.clone() } else { self.place(node) }
    }

    /// Where the name stands under which this value is a member.
    pub fn name(&self, node: &Node) -> Option<Range<usize>> {
        self.names.get(&node.at.start).cloned()
    }
}

/// Words of what the reader says, and what there is to do about it.
const READER_SAYS: [(&str, &str); 4] = [
    ("tabs disallowed", "a tab stands where the line is indented; indent it with blanks, as in `  shop:`"),
    (
        "merge key not allowed",
        "merge keys (`<<`) are not read; write what several routes have in common under `classes`, and `class: NAME` in \
         each",
    ),
    (
        "reference to unknown value",
        "what begins with `*` repeats a value that has a name above, as in `&usual { per_address: 5/s }`, and there is none of \
         this name; a text that begins so stands in quotation marks",
    ),
    ("recursive references", "an alias names what it stands in itself; write the value out"),
];

fn unreadable(error: &serde_saphyr::Error, text: &str, mark: usize) -> Wrong {
    let message = match error {
        serde_saphyr::Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            "a second document begins here; write one".into()
        }
        other => UserMessageFormatter.format_message(other),
    };
    let said = READER_SAYS.iter().find(|(words, _)| message.contains(words));
    let message = said.map_or(message, |(_, instead)| (*instead).into());
    // Aliases that multiply are counted elsewhere, and told in the crate's own terms.
    let message = if message.contains("limits breached") { TOO_MUCH.into() } else { message };
    // Where the scanner stops it has counted characters and not bytes.
    let byte = |character| mark + text.char_indices().nth(character).map_or(text.len(), |(at, _)| at);
    let at = error.location().map_or(mark..mark, |location| {
        let span = location.span();
        let start = usize::try_from(span.offset()).unwrap_or_default();
        let length = usize::try_from(span.len()).unwrap_or_default();
        byte(start)..byte(start.saturating_add(length))
    });
    Wrong::new(at, format!("cannot be read as YAML: {message}"))
}

/// What is known of a text so far.
#[derive(Default)]
struct Reading<'t> {
    text: &'t str,
    mark: usize,
    names: Names,
    /// Where values in brackets or braces start.
    bracketed: BTreeSet<usize>,
    repeated: Vec<Wrong>,
}

impl Reading<'_> {
    fn node(&mut self, Spanned { value, referenced, .. }: Spanned<Yaml>) -> Result<Node, Wrong> {
        let at = bytes(&referenced, self.mark);
        let begins = self.text.as_bytes().get(at.start.saturating_sub(self.mark));
        if matches!((&value, begins), (Yaml::List(_), Some(b'[')) | (Yaml::Map(_), Some(b'{'))) {
            self.bracketed.insert(at.start);
        }
        let kind = match value {
            Yaml::Scalar(kind) => kind,
            Yaml::List(items) => {
                let items = items.into_iter().map(|item| self.node(item));
                Kind::Array(items.collect::<Result<_, _>>()?)
            }
            Yaml::Map(written) => {
                let mut members: BTreeMap<Text, Member> = BTreeMap::new();
                for (name, value) in written {
                    let named = bytes(&name.referenced, self.mark);
                    self.names.insert(bytes(&value.referenced, self.mark).start, named.clone());
                    let value = self.node(value)?;
                    let name = Text::from(name.value);
                    match members.entry(name.clone()) {
                        Entry::Vacant(free) => {
                            free.insert(Member { name, named_at: named.start, value });
                        }
                        Entry::Occupied(mut taken) => {
                            self.repeated.push(Wrong::new(
                                named,
                                format!("`{name}` is written twice here; leave one of the two out"),
                            ));
                            let first = taken.get_mut();
                            first.value = both(first.value.clone(), value);
                        }
                    }
                }
                let members = members.into_values().collect();
                Kind::Object(Members::of(members).ok_or_else(|| Wrong::new(at.clone(), "two names are equal"))?)
            }
        };
        Ok(Node { at, kind })
    }
}

/// What two values of one name say together, so that what is wrong in the second one is told too: nobody uses it.
fn both(first: Node, second: Node) -> Node {
    match (first.kind, second.kind) {
        (Kind::Object(one), Kind::Object(other)) => {
            let own = |(name, node): (&Text, &Node)| (name.clone(), node.clone());
            let mut joined: BTreeMap<Text, Node> = one.iter().map(own).collect();
            for (name, value) in other.iter().map(own) {
                let value = match joined.remove(&name) {
                    Some(first) => both(first, value),
                    None => value,
                };
                joined.insert(name, value);
            }
            Node { at: first.at, kind: Kind::Object(joined.into()) }
        }
        (Kind::Array(mut one), Kind::Array(other)) => {
            one.extend(other);
            Node { at: first.at, kind: Kind::Array(one) }
        }
        (kind, _) => Node { at: first.at, kind },
    }
}

fn bytes(location: &Location, mark: usize) -> Range<usize> {
    let span = location.span();
    let number = |bytes: Option<u64>| bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let start = mark.saturating_add(number(span.byte_offset()).unwrap_or_default());
    start..start.saturating_add(number(span.byte_len()).unwrap_or_default())
}

/// A value as the YAML reader hands it out.
enum Yaml {
    Scalar(Kind),
    List(Vec<Spanned<Yaml>>),
    Map(Vec<(Spanned<String>, Spanned<Yaml>)>),
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyYaml)
    }
}

struct AnyYaml;

impl<'de> Visitor<'de> for AnyYaml {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Kind::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Kind::Bool(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Kind::Number(number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Kind::Number(number.into())))
    }

    /// `.nan` and `.inf` have no place in JSON; as nothing they are refused where a number is due.
    /// `1e3` is an integer: JSON Schema says so, and Rust's would not.
    fn visit_f64<E>(self, number: f64) -> Result<Yaml, E> {
        let whole = number.fract() == 0.0 && number.abs() < 1e15;
        #[expect(clippy::cast_possible_truncation, reason = "whole, and far below the last one")]
        let number = if whole { Some((number as i64).into()) } else { serde_json::Number::from_f64(number) };
        Ok(Yaml::Scalar(number.map_or(Kind::Null, Kind::Number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Yaml, E> {
        Ok(Yaml::Scalar(Kind::String(text.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Yaml, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Yaml::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Yaml, A::Error> {
        let mut map = Vec::new();
        while let Some(member) = members.next_entry()? {
            map.push(member);
        }
        Ok(Yaml::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        read_yaml(text).unwrap_or_else(|wrong| panic!("{}", wrong.message)).root.to_value().to_string()
    }

    fn refused(text: &str) -> String {
        read_yaml(text).expect_err("must be refused").message
    }

    #[test]
    fn every_value_knows_its_bytes_and_every_member_its_name() {
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}# é\na:\n  b: 'ü'\n  c:\n  d:\ne: [1, {{ f: 2 }}]\n");
            let document = read_yaml(&text).unwrap();
            let bytes = |pointer| {
                let node = document.root.find(pointer).unwrap();
                (text.get(node.at.clone()).unwrap(), document.name(node).map(|name| text.get(name).unwrap()))
            };
            assert_eq!(bytes("/a/b"), ("'ü'", Some("b")));
            assert_eq!(bytes("/e/1/f"), ("2", Some("f")));
            assert_eq!(bytes("/a/c").1, Some("c"));
            assert_eq!(bytes("/a/d").1, Some("d"));
        }
    }

    #[test]
    fn words_are_texts_and_only_true_and_false_are_flags() {
        assert_eq!(
            value("[yes, no, on, off, y, n, ~, null, true, false]"),
            r#"["yes","no","on","off","y","n",null,null,true,false]"#
        );
        assert_eq!(value("{ on: 1, no: 2, 3: 4 }"), r#"{"3":4,"no":2,"on":1}"#);
    }

    #[test]
    fn numbers_are_plain_ones() {
        assert_eq!(
            value("[010, 1_000, 1e3, 0x10, 12:30, 2026-12-31]"),
            r#"["010","1_000",1000,16,"12:30","2026-12-31"]"#
        );
    }

    #[test]
    fn nothing_is_put_in_from_elsewhere() {
        assert_eq!(value("a: ${HOME}"), r#"{"a":"${HOME}"}"#);
        assert!(refused("a: &a { b: 1 }\nc: { <<: *a }\n").contains("merge key"));
        assert!(refused("a: !include other.yaml\n").contains("tag"));
    }

    #[test]
    fn two_equal_names_are_refused_however_they_are_written() {
        assert_eq!(refused("a: 1\n'a': 2\n"), "`a` is written twice here; leave one of the two out");
        assert_eq!(refused("a: { b: 1, \"\\x62\": 2 }\n"), "`b` is written twice here; leave one of the two out");
    }

    #[test]
    fn what_is_written_twice_hides_nothing_else() {
        let text = "a: { b: 1, d: [{ e: 1, e: 2 }] }\na: { b: 2, c: 3 }\n";
        let document = read_yaml_at(text, 100).unwrap();
        let places: Vec<_> = document.repeated().iter().map(|wrong| wrong.start - 100).collect();
        assert_eq!(places, [23, text.rfind("a:").unwrap()], "the inner one, and the outer one");
        assert_eq!(document.root.to_value().to_string(), r#"{"a":{"b":1,"c":3,"d":[{"e":1}]}}"#);
    }

    #[test]
    fn depth_and_aliases_and_length_have_an_end() {
        assert_eq!(
            refused(&format!("a: {}{}", "[".repeat(60), "]".repeat(60))),
            format!("cannot be read as YAML: {TOO_MUCH}")
        );
        let aliases = format!("a: &a 1\nb: [{}]\n", vec!["*a"; 2000].join(","));
        assert_eq!(refused(&aliases), format!("cannot be read as YAML: {TOO_MUCH}"));
        assert!(refused(&" ".repeat(TEXT_MAX_BYTES + 1)).contains("1048577 bytes"));
    }
}
