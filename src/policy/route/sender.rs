//! A route whose sender signs its requests: how that is known, and what is remembered of them.

use super::{RouteCompiler, Who};
use crate::{
    json,
    payload::Naming,
    policy::{
        Delivery, Sender,
        senders::{keys_of, published_by},
        text::{ChangedText, ProtectionText, RepeatsText, SenderText},
        units::{TimeText, written_time},
    },
    repeat::Window,
    verify::{Config, Handshake, Provider, Webhook},
};
use std::{collections::BTreeMap, time::Duration};

impl RouteCompiler<'_, '_> {
    pub(super) fn who_signs(
        &mut self,
        provider: &str,
        text: &SenderText,
        repeats: &RepeatsText,
        answer_by: Option<TimeText>,
        delivery: Option<&Delivery>,
    ) -> Option<Who> {
        let provider = self.around.senders.find(provider)?.clone();
        self.protection(&provider, repeats);
        self.is_known_again(&provider, delivery);
        let remember = self.remember(&provider, repeats);
        let changed_is_new = self.changed_is_new(&provider, repeats);
        let answer_by = self.answer_by(&provider, answer_by);
        let window = self.window(&provider, text, repeats)?;
        if repeats.jti.is_some() {
            self.wrong("/repeats/jti", "tokens have a `jti`, and this sender shows none; leave it out");
        }
        let config = self.config(&provider, &text.config);
        let sender = Sender::Webhook(Webhook {
            route: self.name.to_owned(),
            provider: provider.clone(),
            keys: match (&text.keys, provider.scheme.published()) {
                (Some(list), _) => keys_of(list, &provider, &config),
                (None, Some(_)) => published_by(&provider),
                (None, None) if provider.scheme.is_certified() => published_by(&provider),
                (None, None) => format!("/{}", provider.name), // it shows nothing, or `keys` is told to be missing
            },
            window,
            public_url: self.around.public_url.map(str::to_owned),
            config,
            handshakes: self.handshakes(&provider, text, delivery),
            trust: self.trust(&provider, text),
            verify_token: text.verify_token.as_ref().map(|list| format!("{list}/verify_token")),
        });
        let naming = Naming {
            event_key: provider.event_key.clone(),
            type_member: provider.type_member.clone(),
            type_header: provider.type_header.clone(),
            order_by: None,
            remember,
            changed_is_new,
        };
        Some(Who { sender, naming, respond: provider.respond.clone(), remember, answer_by })
    }

    fn protection(&mut self, provider: &Provider, text: &RepeatsText) {
        let name = &provider.name;
        match (provider.tells_repeats(), text.protection) {
            (true, None) | (false, Some(ProtectionText::Impossible)) => {}
            (true, Some(ProtectionText::Impossible)) => {
                let message = format!("repeats of `{name}` can be told; leave this out");
                self.wrong("/repeats/protection", message);
            }
            (false, None) => {
                let message = format!(
                    "nothing tells a captured request of `{name}` from a new one; if that is acceptable, write \
                     `repeats: {{ protection: impossible }}`"
                );
                self.wrong("/sender/provider", message);
            }
        }
    }

    /// A broker that was asked in vain is asked again by the sender's retry, and tells it by the event's id.
    fn is_known_again(&mut self, provider: &Provider, delivery: Option<&Delivery>) {
        let direct = match delivery {
            Some(Delivery::Direct { .. }) => true,
            Some(Delivery::Queue { .. } | Delivery::Relay) | None => false,
        };
        if direct && !provider.tells_repeats() {
            let message = format!(
                "nothing tells repeats of `{}`, so that an event of which the broker's answer did not come in time would \
                 be there twice; write `via: queue`",
                provider.name
            );
            self.wrong("/deliver/via", message);
        }
    }

    /// How long event keys are kept.
    fn remember(&mut self, provider: &Provider, text: &RepeatsText) -> Duration {
        let horizon = provider.retry_horizon;
        let Some(TimeText(remember)) = text.remember else { return horizon };
        if remember < horizon {
            let message = format!(
                "`{}` repeats an event for `{}`, and would bring it twice; remember it for as long at least",
                provider.name,
                written_time(horizon)
            );
            self.wrong("/repeats/remember", message);
        }
        remember
    }

    fn window(&mut self, provider: &Provider, sender: &SenderText, repeats: &RepeatsText) -> Option<Window> {
        let time = |text: Option<TimeText>| text.map(|TimeText(time)| time);
        let (max_age, max_future) = (time(sender.max_age), time(sender.max_future));
        if let Some(signed) = provider.max_age {
            return Some(Window::Signed {
                max_age: max_age.unwrap_or(signed),
                max_future: max_future.unwrap_or(provider.max_future),
            });
        }
        for (key, written) in [("max_age", max_age), ("max_future", max_future)] {
            if written.is_some() {
                let message =
                    format!("`{}` signs no time, so nothing could be held against this; leave it out", provider.name);
                self.wrong(&format!("/sender/{key}"), message);
            }
        }
        match time(repeats.remember) {
            Some(remember) => Some(Window::Unsigned { remember }),
            None if !provider.tells_repeats() => Some(Window::Unsigned { remember: Duration::ZERO }),
            None => {
                let message = format!(
                    "`{}` signs no time; say how long to remember with `repeats: {{ remember: {} }}`",
                    provider.name,
                    written_time(provider.retry_horizon.max(REMEMBER))
                );
                self.wrong("/sender/provider", message);
                None
            }
        }
    }

    /// What the sender's scheme asks of the policy, no more and no less.
    fn config(&mut self, provider: &Provider, config: &BTreeMap<String, String>) -> Config {
        for name in provider.config() {
            if config.get(name).is_none_or(|value| value.trim().is_empty()) {
                let message = format!(
                    "`{}` has to be told apart from others of its kind; write `config: {{ {name}: ... }}`",
                    provider.name
                );
                self.wrong("/sender/provider", message);
            }
        }
        for name in config.keys() {
            if !provider.config().chain(provider.scheme.config_optional()).any(|known| known == name) {
                let message = format!("`{}` asks nothing of this name; leave it out", provider.name);
                self.wrong(&format!("/sender/config/{}", json::escape(name)), message);
            }
        }
        let mistakes = provider.scheme.config_mistakes(config);
        for (name, value) in config {
            if value.chars().any(char::is_control) && !mistakes.iter().any(|(told, _)| told == name) {
                let message = "a control character has no place here; leave it out";
                self.wrong(&format!("/sender/config/{}", json::escape(name)), message);
            }
        }
        for (name, message) in mistakes {
            self.wrong(&format!("/sender/config/{}", json::escape(name)), message);
        }
        config.clone()
    }

    /// The validation calls that the gate answers. A plugin that answers for itself hears of those that were signed.
    fn handshakes(&mut self, provider: &Provider, sender: &SenderText, delivery: Option<&Delivery>) -> Vec<Handshake> {
        let wants_token = provider.handshakes.iter().any(Handshake::needs_token);
        let are_off = sender.handshakes == Some(false);
        if sender.verify_token.is_some() && (!wants_token || are_off) {
            let message = if wants_token {
                "no validation call is answered, says `handshakes: false`; leave out one of the two".to_owned()
            } else {
                format!("no validation call of `{}` says such a word; leave this out", provider.name)
            };
            self.wrong("/sender/verify_token", message);
        }
        if wants_token && !are_off && sender.verify_token.is_none() {
            let message = format!(
                "`{}` asks before it sends, and would hear no; write `verify_token: NAME`, and under `keys` the word that you \
                 typed there",
                provider.name
            );
            self.warn("/sender", message);
        }
        if are_off {
            return Vec::new();
        }
        let relays = matches!(delivery, Some(Delivery::Relay));
        let answered = provider.handshakes.iter().filter(|handshake| !(relays && handshake.is_signed()));
        answered.cloned().collect()
    }

    fn changed_is_new(&mut self, provider: &Provider, text: &RepeatsText) -> bool {
        let Some(ChangedText::Deliver) = text.on_changed else { return false };
        if !provider.names_events() {
            let message = format!(
                "`{}` signs no id for its events, so a changed body is a new event anyway; leave this out",
                provider.name
            );
            self.wrong("/repeats/on_changed", message);
        }
        true
    }

    fn answer_by(&mut self, provider: &Provider, text: Option<TimeText>) -> Duration {
        let Some(TimeText(answer_by)) = text else { return provider.answer_by };
        if answer_by > provider.answer_by {
            let (name, due) = (&provider.name, written_time(provider.answer_by));
            self.wrong("/answer_by", format!("`{name}` stops waiting before; write `{due}` at most"));
        }
        answer_by
    }
}

/// What is proposed where the vendor itself does not repeat.
const REMEMBER: Duration = Duration::from_hours(72);
