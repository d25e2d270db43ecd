//! The members of an object, in an order of our own.

use super::{Node, Text};
use std::{cmp::Ordering, collections::BTreeMap, iter, ops::Range, slice};

/// Values by name. Sorted once, so that finding a member does not slow down with the sender's choice of how many there
/// are, and kept in one piece: a tree of them costs an allocation for every few members, and most objects have few.
#[derive(Clone, Debug, Default)]
pub struct Members(Vec<Member>);

/// One value, its name, and where the name begins.
#[derive(Clone, Debug)]
pub struct Member {
    /// Unescaped.
    pub name: Text,
    /// The first byte of the name as it is written; for JSON, its quotation mark.
    pub named_at: usize,
    /// What it names.
    pub value: Node,
}

impl Member {
    /// Its bytes, from the name to the end of the value.
    pub fn at(&self) -> Range<usize> {
        self.named_at..self.value.at.end
    }
}

impl Members {
    /// `None` if two have the same name.
    pub(crate) fn of(mut members: Vec<Member>) -> Option<Self> {
        members.sort_unstable_by(|a, b| order(&a.name, &b.name));
        let mut pairs = members.iter().zip(members.iter().skip(1));
        let distinct = pairs.all(|(a, b)| a.name != b.name);
        distinct.then_some(Self(members))
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        let found = self.0.binary_search_by(|member| order(&member.name, name)).ok()?;
        self.0.get(found).map(|member| &member.value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order that they are kept in.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(|member| (&member.name, &member.value))
    }

    /// All of them with their places.
    pub fn as_slice(&self) -> &[Member] {
        &self.0
    }

    /// The values alone.
    pub fn values(&self) -> impl Iterator<Item = &Node> {
        self.0.iter().map(|member| &member.value)
    }
}

/// Shorter names first: most names differ in that, and a number is compared faster than a text.
fn order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Names with their values.
pub(super) type Iter<'a> = iter::Map<slice::Iter<'a, Member>, fn(&'a Member) -> (&'a Text, &'a Node)>;

impl<'a> IntoIterator for &'a Members {
    type Item = (&'a Text, &'a Node);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Members that were put together, each from another place; a name begins where its value does.
impl From<BTreeMap<Text, Node>> for Members {
    fn from(members: BTreeMap<Text, Node>) -> Self {
        let member = |(name, value): (Text, Node)| Member { name, named_at: value.at.start, value };
        let mut members: Vec<_> = members.into_iter().map(member).collect();
        members.sort_unstable_by(|a, b| order(&a.name, &b.name));
        Self(members)
    }
}
