//! From text to segments: the grammar of RFC 9535, appendix A, top to bottom.

mod literal;

use super::{
    BadPath, Segment, Selector,
    filter::{Operand, Query, Relation, Test},
};
use literal::dots;
use regex::{Regex, RegexBuilder};

/// Longer than any path that a person reads; also the end of every recursion here.
const LENGTH_MAX_BYTES: usize = 512;
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
