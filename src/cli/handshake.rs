//! `hookwarden handshake`: let a sender hand its key over, and see which URLs vendors want opened.

use super::{
    EXIT_NOT_IN_ORDER,
    gate_of::{self, Asked, Which},
    out::out,
    who::Who,
};
use crate::control::{
    orders::{Ended, Expected, Handshakes, Reply},
    shown::Shown,
    socket::Ask,
};
use anyhow::Context as _;
use std::{
    fmt::{self, Write as _},
    io::Write as _,
    process::ExitCode,
};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Let the sender of a route hand its key over, once: whoever does it first is believed, so not for longer than it takes
    Arm {
        /// The route
        route: String,
        /// For how long, such as `10m`; an hour at most
        #[arg(long = "for", value_name = "TIME", value_parser = seconds, default_value = "10m")]
        within_s: u64,
        /// Which key of the policy it is, where several are `handed:`
        #[arg(long, value_name = "ID")]
        key: Option<String>,
        #[command(flatten)]
        act: Act,
    },
    /// Let it not any more
    Disarm {
        /// The route
        route: String,
        #[command(flatten)]
        act: Act,
    },
    /// Which keys senders may hand over, which are there, and what is armed
    Status(Which),
    /// URLs that vendors wanted opened since the gate was started, as in a confirmation of SNS; nothing has followed them
    Ls(Which),
}

#[derive(Debug, clap::Args)]
struct Act {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
}

/// Runs it. Exit code 3 if what was asked was not done.
///
/// # Errors
/// No gate runs there, or it does not answer.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (which, wish) = match &args.verb {
        Verb::Arm { route, within_s, key, act: Act { which, who } } => {
            let (route, key, actor, reason) = (route.clone(), key.clone(), who.actor()?, who.reason.clone());
            (which, Ask::Arm { route, key, seconds: *within_s, actor, reason })
        }
        Verb::Disarm { route, act: Act { which, who } } => {
            let (route, actor, reason) = (route.clone(), who.actor()?, who.reason.clone());
            (which, Ask::Disarm { route, actor, reason })
        }
        Verb::Status(which) | Verb::Ls(which) => (which, Ask::Handshakes),
    };
    let answer = gate_of::ask(&args.asked.gate, which, &wish)?;
    let Reply { ok, told, handshakes, .. } =
        serde_json::from_value(answer).context("the gate is of another version")?;
    let Handshakes { keys, shown, ended } = handshakes.context("the gate is of another version")?;
    let mut out = out();
    if args.asked.json {
        let told = serde_json::json!({ "ok": ok, "told": told, "keys": keys, "shown": shown, "ended": ended });
        writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
    } else {
        let mut text = String::new();
        match &args.verb {
            Verb::Arm { .. } | Verb::Disarm { .. } => writeln!(text, "{told}")?,
            Verb::Status(_) => status(&mut text, &keys, &ended)?,
            Verb::Ls(_) => list(&mut text, &shown)?,
        }
        write!(out, "{text}")?;
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_IN_ORDER) })
}

fn status(text: &mut String, keys: &[Expected], ended: &[Ended]) -> fmt::Result {
    if keys.is_empty() {
        writeln!(text, "no sender may hand a key over: no key of the policy is `from: handed:/path`")?;
    }
    for Expected { route, key, file, kept, armed_until } in keys {
        let kept = if *kept { "is there" } else { "is not there yet" };
        let armed = armed_until.as_ref().map_or_else(String::new, |until| format!("; armed until {until}"));
        writeln!(text, "{route}  key {key}  {file} {kept}{armed}")?;
    }
    for Ended { at, route, key, why } in ended {
        writeln!(text, "{route}  key {key}  not armed any more since {at}: {why}")?;
    }
    Ok(())
}

fn list(text: &mut String, shown: &[Shown]) -> fmt::Result {
    if shown.is_empty() {
        return writeln!(text, "no vendor has wanted a URL opened since the gate was started");
    }
    for Shown { at, route, handshake, url } in shown {
        writeln!(text, "{at}  {route}  {handshake}  {url}")?;
    }
    Ok(())
}

fn seconds(text: &str) -> Result<u64, String> {
    let units = [("s", 1_u64), ("m", 60), ("h", 3600)];
    let found = units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)));
    let seconds = found.and_then(|(digits, scale)| digits.parse::<u64>().ok()?.checked_mul(*scale));
    let seconds = seconds.filter(|seconds| (1..=3600).contains(seconds));
    seconds.ok_or_else(|| "write a time such as `30s` or `10m`, `1h` at most".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_hour_at_most() {
        assert_eq!(["30s", "10m", "1h"].map(|text| seconds(text).ok()), [Some(30), Some(600), Some(3600)]);
        for odd in ["", "0m", "10", "2h", "61m", "1d", "-1m", "m"] {
            assert!(seconds(odd).is_err(), "{odd}");
        }
    }
}
