//! The words of `contract` and `redact`. What keeps messages about them plain is told in
//! [`language`](crate::json::language).

use crate::policy::units::DayText;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct ContractText {
    /// A JSON Schema that every document must satisfy: a file, as seen from this one.
    #[schemars(example = &"../schemas/stripe-event.json")]
    pub(in crate::policy) schema: Option<String>,
    /// Instead of `schema`, a folder of them: a file for each version of the contract.
    #[schemars(example = &"../schemas/stripe")]
    pub(in crate::policy) schemas: Option<String>,
    /// With `schemas`: the member that names a document's version, as a JSON Pointer.
    #[schemars(extend("pattern" = "^/", "examples" = ["/api_version"]))]
    pub(in crate::policy) by: Option<String>,
    /// With `schemas`: the versions that are accepted; absent, every file of the folder.
    pub(in crate::policy) accepts: Option<Vec<String>>,
    /// With `schemas`: from the start of which day on, UTC, a version is refused.
    pub(in crate::policy) sunset: Option<BTreeMap<String, DayText>>,
    /// Whether `format` is held against the document; absent, as the schema's draft says.
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
    #[schemars(extend("pattern" = "^[/$]", "examples" = ["/customer/email", "$..card.number"]))]
    pub(in crate::policy) at: Option<String>,
    /// Every member of this name, however deep, whatever its case.
    #[schemars(example = &"email")]
    pub(in crate::policy) name: Option<String>,
    /// A field of a form, as PHP names it.
    #[schemars(example = &"customer[email]")]
    pub(in crate::policy) field: Option<String>,
    /// A header.
    #[schemars(example = &"X-Customer-Email")]
    pub(in crate::policy) header: Option<String>,
    /// A parameter of the query.
    #[schemars(example = &"token")]
    pub(in crate::policy) query: Option<String>,
    /// What becomes of it.
    #[serde(rename = "as")]
    pub(in crate::policy) how: HowText,
    /// With `as: truncate`: so many characters stay.
    #[schemars(range(min = 1, max = 1000))]
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
