//! What a policy takes for a sender's word beside a signature, or in its place.

use super::RouteCompiler;
use crate::{
    json,
    policy::{
        senders::CONFIRM,
        text::{AcceptText, ConfirmText, SenderText},
    },
    verify::{Addresses, Confirming, Provider, Trust, network},
};
use serde_json::Value;

impl RouteCompiler<'_, '_> {
    pub(super) fn trust(&mut self, provider: &Provider, text: &SenderText) -> Trust {
        let (name, signs) = (&provider.name, !provider.scheme.shows_nothing());
        let unsigned = text.accept == Some(AcceptText::Unsigned);
        match (signs, unsigned) {
            (true, true) => {
                self.wrong("/sender/accept", format!("`{name}` shows who it is; leave this out, and name its `keys`"));
            }
            (false, false) => {
                let message = format!(
                    "`{name}` signs nothing, and anybody could send in its name; if that is acceptable, write \
                     `accept: unsigned`, with its `addresses` or with `confirm`"
                );
                self.wrong("/sender/provider", message);
            }
            (false, true) if text.addresses.is_none() && text.confirm.is_none() => {
                let message = "anybody could send this; name the `addresses` that it comes from, or ask the vendor with \
                               `confirm`";
                self.wrong("/sender/accept", message);
            }
            (false, true) | (true, false) => {}
        }
        if !signs && text.keys.is_some() {
            let message = format!("`{name}` signs nothing that a key could be held against; leave this out");
            self.wrong("/sender/keys", message);
        }
        let addresses = text.addresses.as_ref().map(|written| self.addresses(written));
        let confirm = text.confirm.as_ref().and_then(|text| self.confirm(provider, text)).map(Box::new);
        Trust { unsigned: unsigned && !signs, addresses, confirm }
    }

    fn addresses(&mut self, written: &[String]) -> Addresses {
        let mut addresses = Addresses::default();
        if written.is_empty() {
            self.wrong("/sender/addresses", "nobody could send; name an address, or leave this out");
        }
        for (index, text) in written.iter().enumerate() {
            match (text.strip_prefix("file:"), network(text)) {
                (Some(path), _) if path.starts_with('/') => addresses.files.push(path.into()),
                (None, Some(net)) if net.prefix_len() == 0 => {
                    let message =
                        "everybody is in it, so that it tells nobody from others; name the sender's own networks";
                    self.wrong(&format!("/sender/addresses/{index}"), message);
                }
                (None, Some(net)) => addresses.nets.push(net),
                (Some(_), _) | (None, None) => {
                    let message = format!(
                        "`{text}` is no address, no network and no file; write something such as `192.0.2.0/24` or \
                         `file:/etc/hookwarden/vendor.txt`"
                    );
                    self.wrong(&format!("/sender/addresses/{index}"), message);
                }
            }
        }
        addresses
    }

    fn confirm(&mut self, provider: &Provider, text: &ConfirmText) -> Option<Confirming> {
        let name = &provider.name;
        let Some(how) = provider.confirm.clone() else {
            let message = format!(
                "the entry of `{name}` does not say whom to ask, with `confirm: {{ url: ... }}`; leave this out"
            );
            self.wrong("/sender/confirm", message);
            return None;
        };
        match (&text.key, how.needs_key()) {
            (None, true) => {
                let message =
                    format!("{} wants a key; write `confirm: {{ key: NAME }}`, a name under `keys`", how.asks());
                self.wrong("/sender/confirm", message);
            }
            (Some(_), false) => {
                self.wrong("/sender/confirm/key", format!("{} wants no key; leave this out", how.asks()));
            }
            (Some(_), true) | (None, false) => {}
        }
        for (pointer, value) in &text.members {
            let plain = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
            let good = value.as_array().map_or_else(|| plain(value), |some| !some.is_empty() && some.iter().all(plain));
            if let Some(why) = json::pointer_mistake(pointer) {
                self.wrong(&format!("/sender/confirm/members/{}", json::escape(pointer)), why);
            } else if !good {
                let message = "write a JSON Pointer with a text, a number, `true` or `false`, or a list of such values, \
                               as in `{ /status: [paid, refunded] }`";
                self.wrong(&format!("/sender/confirm/members/{}", json::escape(pointer)), message);
            }
        }
        if !text.members.is_empty() && !how.knows_its_answer() {
            let message = format!(
                "the state of something else would count as well: the entry of `{name}` does not say which member of the answer \
                 repeats the id; write `same: /id` there"
            );
            self.warn("/sender/confirm/members", message);
        }
        let some = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let members = text.members.iter().map(|(pointer, value)| (pointer.clone(), some(value))).collect();
        Some(Confirming { how, keys: text.key.as_ref().map(|list| format!("{list}{CONFIRM}")), members })
    }
}
