//! What can be written under `floor:`, and of an exception from it.

use super::LimitsText;
use crate::policy::units::{DayText, SizeText, TimeText};
use schemars::JsonSchema;
use serde::Deserialize;

/// What no route may be weaker than.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct FloorText {
    /// Of signed times.
    pub(in crate::policy) verify: FloorVerifyText,
    /// Of what comes in at all.
    pub(in crate::policy) admit: FloorAdmitText,
    /// Of how much of it.
    pub(in crate::policy) limits: LimitsText,
    /// Of what is told from its repeats.
    pub(in crate::policy) repeats: FloorRepeatsText,
    /// How a route may have less for a while.
    pub(in crate::policy) exceptions: ExceptionsText,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct FloorVerifyText {
    /// No route takes what was signed longer ago.
    pub(in crate::policy) max_age: Option<TimeText>,
    /// No route takes what was signed further ahead.
    pub(in crate::policy) max_future: Option<TimeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct FloorAdmitText {
    /// No route takes a longer body.
    pub(in crate::policy) body: Option<SizeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct FloorRepeatsText {
    /// No route forgets sooner.
    pub(in crate::policy) remember: Option<TimeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct ExceptionsText {
    /// No exception ends later, counted from now.
    pub(in crate::policy) longest: Option<TimeText>,
    /// What every exception says of itself.
    pub(in crate::policy) need: Vec<NeedText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::policy) enum NeedText {
    Ticket,
    ApprovedBy,
    Reason,
}

/// One value of the floor, lifted for one route.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct ExceptionText {
    /// Which value of the floor.
    pub(in crate::policy) from: FloorWord,
    /// From the start of this day, UTC, the floor holds again.
    pub(in crate::policy) until: DayText,
    /// Where it was decided.
    #[schemars(example = &"SEC-42")]
    pub(in crate::policy) ticket: Option<String>,
    /// Who decided it.
    #[schemars(example = &"security@shop.example")]
    pub(in crate::policy) approved_by: Option<String>,
    /// Why.
    pub(in crate::policy) reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(in crate::policy) enum FloorWord {
    #[serde(rename = "verify.max_age")]
    MaxAge,
    #[serde(rename = "verify.max_future")]
    MaxFuture,
    #[serde(rename = "admit.body")]
    Body,
    #[serde(rename = "limits.per_address")]
    PerAddress,
    #[serde(rename = "limits.per_sender")]
    PerSender,
    #[serde(rename = "repeats.remember")]
    Remember,
}
