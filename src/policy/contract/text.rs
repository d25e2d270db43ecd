//! The words of `contract` and `redact`. What keeps messages about them plain is told in
//! [`language`](crate::json::language).

use crate::policy::units::DayText;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What it says in the place of a default.
const ONE_OF_FIVE: &str = "one of these five";

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct ContractText {
    /// A JSON Schema in `schemas/` that every document must satisfy, as seen from the file that says so. Drafts 4, 6, 7,
    /// 2019-09 and 2020-12, by `$schema`. It may refer to other files of `schemas/`, by file or by their `$id`; nothing
    /// is fetched.
    #[schemars(example = &"../schemas/stripe-event.json", extend("x-absent" = "no schema"))]
    pub(in crate::policy) schema: Option<String>,
    /// Instead of `schema`, a folder of them: a file for each version, `2026-01-01.json` for `2026-01-01`.
    #[schemars(example = &"../schemas/stripe", extend("x-absent" = "no schema"))]
    pub(in crate::policy) schemas: Option<String>,
    /// With `schemas`: the member that names a document's version, as a JSON Pointer.
    #[schemars(extend("pattern" = "^/", "examples" = ["/api_version"], "x-absent" = "with `schemas`, must be said"))]
    pub(in crate::policy) by: Option<String>,
    /// With `schemas`: the versions that are accepted.
    #[schemars(extend("x-absent" = "every file"))]
    pub(in crate::policy) accepts: Option<Vec<String>>,
    /// With `schemas`: when a version ends, by its name. From the start of that day on, UTC, it is refused; before, the
    /// log says so.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) sunset: Option<BTreeMap<String, DayText>>,
    /// Whether `format` is held against the document.
    #[schemars(extend("x-absent" = "as the schema's draft says"))]
    pub(in crate::policy) formats: Option<FormatsText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum FormatsText {
    Check,
    Ignore,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct RedactText {
    /// A place in the body: a JSON Pointer, or a JSONPath (RFC 9535).
    #[schemars(extend("pattern" = "^[/$]", "examples" = ["/customer/email", "$..card.number"], "x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) at: Option<String>,
    /// Every member of this name, however deep, whatever its case.
    #[schemars(example = &"email", extend("x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) name: Option<String>,
    /// A field of a form, as PHP names it.
    #[schemars(example = &"customer[email]", extend("x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) field: Option<String>,
    /// A header of the request.
    #[schemars(example = &"X-Customer-Email", extend("x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) header: Option<String>,
    /// A parameter of the query, by its name.
    #[schemars(example = &"token", extend("x-absent" = ONE_OF_FIVE))]
    pub(in crate::policy) query: Option<String>,
    /// What becomes of it: `drop` takes it out, name and all; `mask` leaves `[masked]`; `pseudonym` leaves a name that is
    /// the same for the same value, and that nobody can compute without the gate's `secret`; `truncate` leaves the first
    /// characters of a text, and masks anything else.
    #[serde(rename = "as")]
    pub(in crate::policy) how: HowText,
    /// With `as: truncate`: so many characters stay.
    #[schemars(range(min = 1, max = 1000), extend("x-absent" = "with `truncate`, must be said"))]
    pub(in crate::policy) characters: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum HowText {
    Drop,
    Mask,
    Pseudonym,
    Truncate,
}
