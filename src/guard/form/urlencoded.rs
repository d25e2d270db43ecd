//! `a=b&c=d` as PHP's `php_std_post_handler` reads it: parted at `&` alone, in the order of the body.

use super::{Fields, NAME_BYTES_MAX, Step, VALUE_BYTES_MAX};
use crate::request::target::php;
use std::borrow::Cow;

/// Where in a piece between `&` the body stands.
#[derive(Debug, Default)]
pub(super) enum Reader {
    /// In a name; all of it is held.
    #[default]
    Name,
    /// In a candidate's value; the piece is held, and the value begins here.
    Value(Vec<u8>, usize),
    /// In a value that nobody dispatches by.
    Skip,
}

impl Reader {
    pub(super) fn step(&mut self, held: &[u8], rest: &[u8], fields: &mut Fields) -> Step {
        match self {
            Self::Skip => {
                let Some(end) = rest.iter().position(|byte| *byte == b'&') else { return Step::Pass(rest.len()) };
                *self = Self::Name;
                Step::Pass(end + 1)
            }
            Self::Name => self.name(held, rest, fields),
            Self::Value(name, start) => {
                let begun = held.get(*start..).unwrap_or_default();
                let room = VALUE_BYTES_MAX.saturating_sub(begun.len());
                let Some(end) = rest.iter().take(room).position(|byte| *byte == b'&') else {
                    return if rest.len() < room { Step::Hold(rest.len()) } else { Step::Refuse };
                };
                let value = [begun, rest.get(..end).unwrap_or_default()].concat();
                if fields.is_guarded(name, &php::decode(&value)) {
                    return Step::Refuse;
                }
                *self = Self::Name;
                Step::Pass(end + 1)
            }
        }
    }

    fn name(&mut self, held: &[u8], rest: &[u8], fields: &Fields) -> Step {
        let room = NAME_BYTES_MAX.saturating_sub(held.len());
        let end = rest.iter().take(room).position(|byte| matches!(byte, b'=' | b'&'));
        let Some(end) = end else {
            if rest.len() < room {
                return Step::Hold(rest.len());
            }
            let begun = [held, rest.get(..room).unwrap_or_default()].concat();
            *self = Self::Skip;
            return if may_become_candidate(&begun, fields) { Step::Refuse } else { Step::Pass(room) };
        };
        if rest.get(end) == Some(&b'&') {
            return Step::Pass(end + 1);
        }
        let raw = [held, rest.get(..end).unwrap_or_default()].concat();
        let name = php::name(php::decode(&raw)).into_owned();
        if fields.is_candidate(&name) {
            *self = Self::Value(name, raw.len() + 1);
            return Step::Hold(end + 1);
        }
        *self = Self::Skip;
        Step::Pass(end + 1)
    }

    /// The last value has no `&` behind it.
    pub(super) fn ends_well(&self, held: &[u8], fields: &mut Fields) -> bool {
        match self {
            Self::Value(name, start) => !fields.is_guarded(name, &php::decode(held.get(*start..).unwrap_or_default())),
            Self::Name | Self::Skip => true,
        }
    }
}

/// Whether a name that is too long to hold begins like a candidate: after blanks without end, or followed by an index
/// or a NUL. A long name that begins otherwise is no name at all, as when JSON is sent as a form.
fn may_become_candidate(begun: &[u8], fields: &Fields) -> bool {
    let decoded = php::decode(begun);
    let base: Vec<u8> = decoded.iter().copied().take_while(|byte| *byte != b'[').collect();
    let blank = decoded.iter().all(|byte| *byte == b' ');
    blank || fields.is_candidate(&php::name(Cow::Owned(base))) || fields.is_candidate(&php::name(decoded))
}
