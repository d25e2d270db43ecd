//! Who acts, and why? One rule for every verb that changes something.

use super::policy_files;
use crate::control::actor::{Actor, Reason};
use anyhow::Context as _;
use nix::unistd::{User, getuid};

/// Who acts, and why.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Who {
    /// Who you are: written into the log; your account if absent
    #[arg(long, value_name = "NAME")]
    actor: Option<Actor>,
    /// Why you do it: written into the log
    #[arg(long, default_value_t, value_name = "WORDS")]
    pub(super) reason: Reason,
}

impl Who {
    /// As they call themselves, else by their account: a name is not asked for where the machine knows one.
    pub(super) fn actor(&self) -> anyhow::Result<Actor> {
        if let Some(actor) = &self.actor {
            return Ok(actor.clone());
        }
        let uid = getuid();
        let user = User::from_uid(uid).ok().flatten().map(|user| user.name);
        let account = account(uid.as_raw(), user.as_deref(), policy_files::environment("SUDO_USER").as_deref());
        account.parse().context("who are you? write `--actor NAME`")
    }
}

/// Where several people are `root`, `sudo` knows which of them it is. What the variable says is no more than what somebody
/// could write after `--actor`.
fn account(uid: u32, user: Option<&str>, sudo: Option<&str>) -> String {
    let account = user.map_or_else(|| format!("uid {uid}"), str::to_owned);
    match sudo {
        Some(person) if uid == 0 && person != account && !person.is_empty() => format!("{person} as {account}"),
        Some(_) | None => account,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_a_name_where_the_machine_knows_one() {
        assert_eq!(account(1000, Some("kim"), None), "kim");
        assert_eq!(account(1000, None, None), "uid 1000");
        assert_eq!(account(0, Some("root"), Some("kim")), "kim as root");
        assert_eq!(account(0, Some("root"), Some("root")), "root");
        assert_eq!(account(1000, Some("hookwarden"), Some("kim")), "hookwarden", "what another account says of itself");
    }

    #[test]
    fn who_says_nothing_is_somebody() {
        let who = Who { actor: None, reason: Reason::default() };
        assert!(!who.actor().unwrap().as_str().is_empty());
    }
}
