//! What can be written under `floor:`, and of an exception from it.

use crate::policy::units::{DayText, RateText, SizeText, TimeText};
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
    pub(in crate::policy) limits: FloorLimitsText,
    /// Of how repeats are told from new events.
    pub(in crate::policy) repeats: FloorRepeatsText,
    /// How a route may have less for a while.
    pub(in crate::policy) exceptions: ExceptionsText,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct FloorVerifyText {
    /// No route takes what was signed longer ago; senders that sign no time have no age.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) max_age: Option<TimeText>,
    /// No route takes what was signed further ahead.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) max_future: Option<TimeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct FloorAdmitText {
    /// No route takes a longer body.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) body: Option<SizeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct FloorLimitsText {
    /// No route takes more from one address.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) per_address: Option<RateText>,
    /// No route takes more from one sender; every route must have such a limit.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) per_sender: Option<RateText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct FloorRepeatsText {
    /// No route forgets sooner.
    #[schemars(extend("x-absent" = "none"))]
    pub(in crate::policy) remember: Option<TimeText>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::policy) struct ExceptionsText {
    /// No exception ends later than this from now.
    #[schemars(extend("default" = "90d"))]
    pub(in crate::policy) longest: Option<TimeText>,
    /// What every exception must say of itself.
    #[schemars(extend("default" = []))]
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
    /// The one value of the floor that is lifted.
    pub(in crate::policy) from: FloorWord,
    /// From the start of this day, UTC, the floor holds again, in a running gate too. `check` warns two weeks before, and
    /// refuses an exception that has ended.
    pub(in crate::policy) until: DayText,
    /// Where it was decided.
    #[schemars(example = &"SEC-42", extend("x-absent" = "none, unless the floor needs it"))]
    pub(in crate::policy) ticket: Option<String>,
    /// Who decided it.
    #[schemars(example = &"security@shop.example", extend("x-absent" = "none, unless the floor needs it"))]
    pub(in crate::policy) approved_by: Option<String>,
    /// Why it was decided.
    #[schemars(extend("x-absent" = "none, unless the floor needs it"))]
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
