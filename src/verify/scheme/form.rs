//! Forms as senders sign them: names and values decoded, sorted, one behind another.

use crate::{
    request::{Head, target::php},
    verdict::Rejection,
};
use std::collections::{BTreeMap, BTreeSet};

/// The fields of a form: each name with its different values.
pub(super) struct Fields(BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>);

impl Fields {
    /// `None` for a body that is no form.
    pub(super) fn of(head: &Head, raw: &[u8]) -> Option<Self> {
        if head.media_type() != "application/x-www-form-urlencoded" {
            return None;
        }
        let mut fields: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for piece in raw.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()) {
            let mut halves = piece.splitn(2, |byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            fields.entry(php::decode(name).into_owned()).or_default().insert(php::decode(value).into_owned());
        }
        Some(Self(fields))
    }

    /// `name` and `value` of each, without anything between. Two splits of one text are one signature, so what is told
    /// from it is told from the whole text.
    ///
    /// # Errors
    /// More fields than any sender has.
    pub(super) fn sorted(&self) -> Result<Vec<u8>, Rejection> {
        if self.0.len() > FIELDS_MAX {
            return Err(Rejection::SignatureMalformed);
        }
        let fields = self.0.iter().flat_map(|(name, values)| values.iter().map(move |value| [name.as_slice(), value]));
        Ok(fields.flatten().flatten().copied().collect())
    }
}

/// PHP reads no more of them (`max_input_vars`), so that a longer form would not be read as it was signed.
const FIELDS_MAX: usize = 1000;
