//! From text to segments: the grammar of RFC 9535, appendix A, top to bottom.

use super::{
    BadPath, Segment, Selector,
    filter::{Operand, Query, Relation, Test},
};
use regex::{Regex, RegexBuilder};
use serde_json::Number;

/// Longer than any path that a person reads; also the end of every recursion here.
const LENGTH_MAX_BYTES: usize = 512;
/// I-JSON: beyond it, not every reader means the same number (RFC 9535 section 2.1).
const INTEGER_MAX: i64 = (1 << 53) - 1;
/// What one compiled pattern may take.
const PATTERN_BYTES: usize = 1 << 20;

pub(super) fn query(text: &str) -> Result<Vec<Segment>, BadPath> {
    let mut reader = Reader { text, at: 0 };
    if text.len() > LENGTH_MAX_BYTES {
        return Err(reader.bad(format!("a path has {LENGTH_MAX_BYTES} bytes at most")));
    }
    reader.due("$")?;
    let segments = reader.segments()?;
    if reader.at < text.len() {
        return Err(reader.bad("a path goes on with `.name`, `[...]` or `..`"));
    }
    Ok(segments)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bad(&self, why: impl Into<String>) -> BadPath {
        BadPath { at: self.at, why: why.into() }
    }

    fn eat(&mut self, token: &str) -> bool {
        let here = self.rest().starts_with(token);
        if here {
            self.at += token.len();
        }
        here
    }

    fn due(&mut self, token: &str) -> Result<(), BadPath> {
        if self.eat(token) { Ok(()) } else { Err(self.bad(format!("`{token}` is due here"))) }
    }

    fn blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn segments(&mut self) -> Result<Vec<Segment>, BadPath> {
        let mut segments = Vec::new();
        loop {
            let before = self.at;
            self.blank();
            let segment = if self.eat("..") {
                let selectors = if self.rest().starts_with('[') { self.bracketed()? } else { vec![self.shorthand()?] };
                Segment { deep: true, selectors }
            } else if self.eat(".") {
                Segment { deep: false, selectors: vec![self.shorthand()?] }
            } else if self.rest().starts_with('[') {
                Segment { deep: false, selectors: self.bracketed()? }
            } else {
                self.at = before;
                return Ok(segments);
            };
            segments.push(segment);
        }
    }

    fn shorthand(&mut self) -> Result<Selector, BadPath> {
        if self.eat("*") {
            return Ok(Selector::Every);
        }
        let first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
        if !self.peek().is_some_and(first) {
            return Err(self.bad("a name or `*` is due here; other names are written `['name']`"));
        }
        Ok(Selector::Name(self.take_while(|c| first(c) || c.is_ascii_digit()).to_owned()))
    }

    fn bracketed(&mut self) -> Result<Vec<Selector>, BadPath> {
        self.due("[")?;
        let mut selectors = Vec::new();
        loop {
            self.blank();
            selectors.push(self.selector()?);
            self.blank();
            if self.eat("]") {
                return Ok(selectors);
            }
            self.due(",")?;
        }
    }

    fn selector(&mut self) -> Result<Selector, BadPath> {
        match self.peek() {
            Some('\'' | '"') => Ok(Selector::Name(self.string()?)),
            Some('*') => {
                self.at += 1;
                Ok(Selector::Every)
            }
            Some('?') => {
                self.at += 1;
                self.blank();
                Ok(Selector::Filter(self.any()?))
            }
            Some(_) | None => self.index_or_slice(),
        }
    }

    fn index_or_slice(&mut self) -> Result<Selector, BadPath> {
        let start = self.integer_if_any()?;
        let before = self.at;
        self.blank();
        if !self.eat(":") {
            self.at = before;
            return start.map(Selector::Index).ok_or_else(|| self.bad("a name, index, slice, `*` or `?` is due here"));
        }
        self.blank();
        let end = self.integer_if_any()?;
        self.blank();
        let mut step = None;
        if self.eat(":") {
            self.blank();
            step = self.integer_if_any()?;
        }
        Ok(Selector::Slice { start, end, step: step.unwrap_or(1) })
    }

    fn integer_if_any(&mut self) -> Result<Option<i64>, BadPath> {
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

    fn any(&mut self) -> Result<Test, BadPath> {
        let mut tests = vec![self.all()?];
        while self.eat_between("||") {
            tests.push(self.all()?);
        }
        Ok(if tests.len() == 1 { tests.remove(0) } else { Test::Any(tests) })
    }

    fn all(&mut self) -> Result<Test, BadPath> {
        let mut tests = vec![self.basic()?];
        while self.eat_between("&&") {
            tests.push(self.basic()?);
        }
        Ok(if tests.len() == 1 { tests.remove(0) } else { Test::All(tests) })
    }

    /// The token with blanks around it, or nothing.
    fn eat_between(&mut self, token: &str) -> bool {
        let before = self.at;
        self.blank();
        let here = self.eat(token);
        if here {
            self.blank();
        } else {
            self.at = before;
        }
        here
    }

    fn basic(&mut self) -> Result<Test, BadPath> {
        if self.eat("!") {
            self.blank();
            let test = if self.rest().starts_with('(') { self.parenthesis()? } else { self.lone_test()? };
            return Ok(Test::Not(Box::new(test)));
        }
        if self.rest().starts_with('(') {
            return self.parenthesis();
        }
        let from = self.at;
        let term = self.term()?;
        let before = self.at;
        self.blank();
        let Some(relation) = self.relation() else {
            self.at = before;
            return as_test(term, from);
        };
        self.blank();
        let left = as_value(term, from)?;
        let from = self.at;
        let right = self.term()?;
        Ok(Test::Compare(left, relation, as_value(right, from)?))
    }

    fn parenthesis(&mut self) -> Result<Test, BadPath> {
        self.due("(")?;
        self.blank();
        let test = self.any()?;
        self.blank();
        self.due(")")?;
        Ok(test)
    }

    fn lone_test(&mut self) -> Result<Test, BadPath> {
        let from = self.at;
        let term = self.term()?;
        as_test(term, from)
    }

    fn relation(&mut self) -> Option<Relation> {
        let relations = [
            ("==", Relation::Equal),
            ("!=", Relation::Unequal),
            ("<=", Relation::LessOrEqual),
            (">=", Relation::GreaterOrEqual),
            ("<", Relation::Less),
            (">", Relation::Greater),
        ];
        relations.into_iter().find(|(token, _)| self.eat(token)).map(|(_, relation)| relation)
    }

    fn term(&mut self) -> Result<Term, BadPath> {
        if self.rest().starts_with(['@', '$']) {
            return self.query().map(Term::Query);
        }
        match self.peek() {
            Some('\'' | '"') => Ok(Term::Value(Operand::Text(self.string()?))),
            Some(c) if c == '-' || c.is_ascii_digit() => Ok(Term::Value(Operand::Number(self.number()?))),
            Some(c) if c.is_ascii_lowercase() => {
                let from = self.at;
                let word = self.take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
                match word {
                    _ if self.rest().starts_with('(') => self.function(word, from),
                    "true" => Ok(Term::Value(Operand::Bool(true))),
                    "false" => Ok(Term::Value(Operand::Bool(false))),
                    "null" => Ok(Term::Value(Operand::Null)),
                    _ => Err(BadPath { at: from, why: "neither a value nor a function".into() }),
                }
            }
            Some(_) | None => Err(self.bad("`@`, `$`, a value or a function is due here")),
        }
    }

    fn query(&mut self) -> Result<Query, BadPath> {
        let from_root = self.eat("$");
        if !from_root {
            self.due("@")?;
        }
        Ok(Query { from_root, segments: self.segments()? })
    }

    /// RFC 9535 section 2.4: which functions there are, and what they take.
    fn function(&mut self, name: &str, from: usize) -> Result<Term, BadPath> {
        self.due("(")?;
        self.blank();
        let term = match name {
            "length" => Term::Value(Operand::Length(Box::new(self.value_argument()?))),
            "count" => Term::Value(Operand::Count(self.query()?)),
            "value" => Term::Value(Operand::Sole(self.query()?)),
            "match" | "search" => {
                let text = self.value_argument()?;
                self.blank();
                self.due(",")?;
                self.blank();
                Term::Test(Test::Matches(text, self.pattern(name == "match")?))
            }
            _ => return Err(BadPath { at: from, why: format!("RFC 9535 has no function `{name}`") }),
        };
        self.blank();
        self.due(")")?;
        Ok(term)
    }

    fn value_argument(&mut self) -> Result<Operand, BadPath> {
        let from = self.at;
        let term = self.term()?;
        as_value(term, from)
    }

    fn pattern(&mut self, whole: bool) -> Result<Regex, BadPath> {
        let from = self.at;
        if !self.rest().starts_with(['\'', '"']) {
            return Err(self.bad("a pattern is written here, and not chosen by the sender"));
        }
        let pattern = dots(&self.string()?);
        let pattern = if whole { format!(r"\A(?:{pattern})\z") } else { pattern };
        let pattern = RegexBuilder::new(&pattern).size_limit(PATTERN_BYTES).build();
        pattern.map_err(|_| BadPath { at: from, why: "not a pattern of RFC 9485, or too large".into() })
    }

    fn number(&mut self) -> Result<Number, BadPath> {
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

    fn string(&mut self) -> Result<String, BadPath> {
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

/// What stands on one side of a comparison, or alone.
enum Term {
    Query(Query),
    Value(Operand),
    Test(Test),
}

fn as_test(term: Term, from: usize) -> Result<Test, BadPath> {
    match term {
        Term::Query(query) => Ok(Test::Exists(query)),
        Term::Test(test) => Ok(test),
        Term::Value(_) => Err(BadPath { at: from, why: "a value is no test; compare it with another".into() }),
    }
}

fn as_value(term: Term, from: usize) -> Result<Operand, BadPath> {
    match term {
        Term::Value(value) => Ok(value),
        Term::Query(query) if is_singular(&query) => Ok(Operand::Sole(query)),
        Term::Query(_) => Err(BadPath { at: from, why: "only a query of one value can be compared".into() }),
        Term::Test(_) => Err(BadPath { at: from, why: "a test is no value; leave the comparison out".into() }),
    }
}

/// RFC 9535 section 2.3.5.1: names and indices alone.
fn is_singular(query: &Query) -> bool {
    query.segments.iter().all(|segment| {
        !segment.deep && matches!(segment.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
    })
}

/// In RFC 9485 a dot is neither `\n` nor `\r`; in `regex` it is only not `\n`.
fn dots(pattern: &str) -> String {
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
