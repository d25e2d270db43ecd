//! What to tell whoever writes a key where it is none.

use crate::json::language::Hint;

/// Keys that stand in another file than the one they were written in.
pub(in crate::policy) const ELSEWHERE_GATE: &[Hint] =
    &[("env", "is no key: a stage is a file of its own, `env/NAME.yaml`, chosen with `--env NAME`")];
pub(in crate::policy) const ELSEWHERE_ENV: &[Hint] = &[("classes", PLATFORM), ("floor", PLATFORM)];
pub(in crate::policy) const ELSEWHERE_ROUTES: &[Hint] = &[
    ("classes", PLATFORM),
    ("floor", PLATFORM),
    ("public_url", STAGE),
    ("listeners", STAGE),
    ("origin", STAGE),
    ("trusted_proxies", STAGE),
    ("spool", STAGE),
    ("admin", STAGE),
    ("edge", STAGE),
    ("secret", STAGE),
    ("keys", STAGE),
    ("issuers", STAGE),
    ("identity", STAGE),
    ("destinations", STAGE),
    ("rollout", STAGE),
];

const PLATFORM: &str = "stands in `gate.yaml`, the same for every stage; write it there";
const STAGE: &str = "stands in `gate.yaml`, or in `env/NAME.yaml` where it differs per stage; write it there";
