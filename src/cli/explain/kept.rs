//! Refused requests that the gate has kept: which there are, and one of them.

use super::{
    policy_files,
    request::{Kept, Recorded},
};
use crate::{
    captures::{self, Listed, Opened},
    clock::{Clock as _, SystemClock, Timestamp},
    keys,
    policy::Policy,
};
use anyhow::{Context as _, bail};

/// One of them.
///
/// # Errors
/// There is none with this id any more, or it cannot be opened.
pub(super) fn open(policy: &Policy, id: &str) -> anyhow::Result<Recorded> {
    let folder = &policy.settings.spool.folder;
    let secret = keys::own_secret(policy, &policy_files::environment)?;
    let opened = captures::open(folder, id, &secret, SystemClock.now());
    let opened = opened.with_context(|| format!("cannot open the capture `{id}` in `{}`", folder.display()))?;
    let Some((Listed { code, at_ms, .. }, Opened { request, has_body })) = opened else {
        bail!(
            "no capture is called `{id}` in `{}`; `--captures` lists those that are there. It may be over (`keep`), or displaced by newer ones",
            folder.display()
        );
    };
    Ok(Recorded {
        method: request.head.method.to_string(),
        path: request.head.target.path().to_owned(),
        request: Ok(request),
        at: Some(Timestamp::from_unix_ms(at_ms)),
        kept: Some(Kept { code, is_headless: !has_body }),
    })
}

/// All of them, the oldest first.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn listed(policy: &Policy, json: bool) -> anyhow::Result<String> {
    let folder = &policy.settings.spool.folder;
    if !folder.is_dir() {
        bail!(
            "no gate has made a spool in `{}`; run this where the gate runs, or name the folder in the policy (`spool: {{ folder: }}`)",
            folder.display()
        );
    }
    let now = SystemClock.now();
    // Where no gate runs, nobody else does; where it may not be done, it is the gate's.
    let _ = captures::erase_expired(folder, now);
    let found = captures::list(folder, now);
    let found = found.with_context(|| format!("cannot read the captures in `{}`", folder.display()))?;
    if json {
        return Ok(serde_json::to_string_pretty(&found)? + "\n");
    }
    if found.is_empty() {
        let keeps = policy.routes.iter().any(|route| route.capture.is_some());
        let why = if keeps { "nothing was refused lately" } else { "no route of this policy has `capture`" };
        return Ok(format!("no captures in `{}`: {why}\n", folder.display()));
    }
    let route = found.iter().map(|listed| listed.route.len()).max().unwrap_or_default().max("route".len());
    let code = found.iter().map(|listed| listed.code.len()).max().unwrap_or_default().max("code".len());
    let mut text = format!("{:<26}  {:<20}  {:<route$}  {:<code$}  body\n", "id", "came", "route", "code");
    for Listed { id, route: name, code: why, at_ms, body_bytes, .. } in found {
        let came = Timestamp::from_unix_s(Timestamp::from_unix_ms(at_ms).unix_s()).rfc3339();
        let body = body_bytes.map_or_else(|| "-".to_owned(), |bytes| format!("{bytes} B"));
        text += &format!("{id:<26}  {came:<20}  {name:<route$}  {why:<code$}  {body}\n");
    }
    Ok(text)
}
