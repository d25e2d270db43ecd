//! What becomes of a route's events, and what goes with that and what does not.

use super::RouteCompiler;
use crate::{
    event::Form,
    guard::Selector,
    json::language::listed,
    policy::{
        Delivery, Place,
        contract::text::RedactText,
        destinations::DEFAULT_DESTINATION,
        text::{DeliverText, FormText, ViaText},
        units::{TimeText, written_size},
    },
};
use std::time::Duration;

impl RouteCompiler<'_, '_> {
    pub(super) fn delivery(
        &mut self,
        text: DeliverText,
        at: Option<&Selector>,
        body_limit_bytes: usize,
    ) -> Option<Delivery> {
        match text.via.unwrap_or(ViaText::Queue) {
            ViaText::Queue => self.queue(text, at, body_limit_bytes),
            ViaText::Relay => Some(self.relay(&text)),
            ViaText::Direct => self.direct(text, at, body_limit_bytes),
        }
    }

    /// Whoever keeps events must know one again: the gate does not, once it was started anew.
    fn direct(&mut self, text: DeliverText, at: Option<&Selector>, body_limit_bytes: usize) -> Option<Delivery> {
        let form = self.form(&text, at);
        let one = text.to.filter(|to| to.len() == 1).and_then(|mut to| to.pop());
        let Some(to) = one else {
            let place = if self.node.find("/deliver/to").is_some() { "/deliver/to" } else { "/deliver" };
            self.wrong(
                place,
                "one broker keeps these events; write `to:` with one destination that has `nats` or `redis`",
            );
            return None;
        };
        let found = self.around.places.iter().find(|destination| destination.name == to);
        match found.map(|destination| (&destination.place, destination.only.is_all())) {
            // Has been told.
            None => return None,
            Some((Place::Http(_), _)) => {
                let message = "a URL cannot say whether it has an event already, and nobody would know a repeat; name a \
                               destination that has `nats` or `redis`, or write `via: queue`";
                self.wrong("/deliver/to/0", message);
                return None;
            }
            Some((Place::Nats(_) | Place::Redis(_), false)) => {
                let message = format!(
                    "`{to}` wants some events `only`, and nobody would keep the others; write `via: queue`, or make a \
                     destination of its own for this route"
                );
                self.wrong("/deliver/to/0", message);
            }
            Some((Place::Nats(_), true)) => self.fits_nats(form, body_limit_bytes),
            Some((Place::Redis(_), true)) => {}
        }
        Some(Delivery::Direct { to, form })
    }

    /// A sender that is accepted at the door and refused by the broker hears 413, and has to be told before.
    fn fits_nats(&mut self, form: Form, body_limit_bytes: usize) {
        let largest = form.largest_bytes(body_limit_bytes);
        if largest <= NATS_MAX_PAYLOAD_BYTES {
            return;
        }
        let written = |bytes: usize| written_size(bytes as u64 / 1024 * 1024);
        let message = format!(
            "of a body of {} an event of {} can become, and a server of NATS takes {} unless its `max_payload` says more: \
             what it does not take is answered with 413; write `admit: {{ body: {} }}`, or raise it there",
            written_size(body_limit_bytes as u64),
            written(largest),
            written(NATS_MAX_PAYLOAD_BYTES),
            written(form.fitting_bytes(NATS_MAX_PAYLOAD_BYTES)),
        );
        self.warn("/admit/body", message);
    }

    fn form(&mut self, text: &DeliverText, at: Option<&Selector>) -> Form {
        let form = match text.form {
            None | Some(FormText::Event) => Form::Event,
            Some(FormText::Verbatim) => Form::Verbatim,
        };
        if form == Form::Event
            && text.replaces_plugin != Some(true)
            && let Some(at) = at.filter(|at| wordpress_serves(at))
        {
            let message = format!(
                "WordPress itself answers at `{at}`, and the plugin there would never see these requests; write \
                 `via: relay`, or `replaces_plugin: true` if that is meant"
            );
            self.wrong("/deliver", message);
        }
        form
    }

    fn relay(&mut self, text: &DeliverText) -> Delivery {
        if text.to.is_some() {
            self.wrong("/deliver/to", "a relayed request goes to the origin, where its sender sent it; leave this out");
        }
        if text.form == Some(FormText::Event) {
            self.wrong(
                "/deliver/form",
                "the plugin that answers knows the sender's own bytes only; write `form: verbatim`, or leave it out",
            );
        }
        if text.replaces_plugin.is_some() {
            self.wrong("/deliver/replaces_plugin", "a relay passes the request on to the plugin; leave this out");
        }
        Delivery::Relay
    }

    fn queue(&mut self, text: DeliverText, at: Option<&Selector>, body_limit_bytes: usize) -> Option<Delivery> {
        let form = self.form(&text, at);
        if body_limit_bytes as u64 > self.around.spool_bytes {
            self.wrong(
                "/admit/body",
                "one body is more than the whole spool holds; write less, or raise `spool: { bytes: ... }`",
            );
        }
        let to = self.to(text.to)?;
        Some(Delivery::Queue { to, form })
    }

    /// Named ones, or the one that everybody has.
    fn to(&mut self, to: Option<Vec<String>>) -> Option<Vec<String>> {
        let known = &self.around.destinations;
        let Some(to) = to else {
            if known.contains(&DEFAULT_DESTINATION) {
                return Some(vec![DEFAULT_DESTINATION.to_owned()]);
            }
            let message = match known.as_slice() {
                [] => format!(
                    "nowhere to deliver to; write `destinations: {{ {DEFAULT_DESTINATION}: {{ url: ... }} }}`, or \
                     `deliver: {{ via: relay }}`"
                ),
                known => {
                    format!("deliver where? write `deliver: {{ to: [...] }}` with some of {}", listed(known, ", "))
                }
            };
            self.wrong("/deliver", message);
            return None;
        };
        if to.is_empty() {
            self.wrong("/deliver/to", "nobody would ever get these events; name a destination");
        }
        for (index, name) in to.iter().enumerate() {
            let pointer = format!("/deliver/to/{index}");
            if to.iter().take(index).any(|other| other == name) {
                self.wrong(&pointer, format!("`{name}` would get each event twice; name it once"));
            }
        }
        Some(to)
    }

    pub(super) fn keep(&mut self, text: Option<TimeText>, delivery: Option<&Delivery>) -> Duration {
        let Some(TimeText(keep)) = text else { return Duration::ZERO };
        match delivery {
            Some(Delivery::Relay) => {
                self.wrong("/keep", "a relayed request is passed on and never stored; leave this out");
            }
            Some(Delivery::Direct { .. }) => {
                self.wrong("/keep", "the broker keeps these events, and for how long is its own; leave this out");
            }
            Some(Delivery::Queue { .. }) | None => {}
        }
        keep
    }

    pub(super) fn order_by(&mut self, text: Option<String>, delivery: Option<&Delivery>) -> Option<String> {
        let text = text?;
        match delivery {
            Some(Delivery::Relay) => {
                let message = "a relayed request is passed on at once and waits for no other; leave this out";
                self.wrong("/order_by", message);
                None
            }
            Some(Delivery::Direct { .. }) => {
                let message = "an event goes to its broker at once and waits for no other; write `via: queue`, or leave \
                               this out";
                self.wrong("/order_by", message);
                None
            }
            Some(Delivery::Queue { .. }) | None => Some(text),
        }
    }

    /// Whoever verifies the sender's signature once more would refuse what was taken something out of.
    pub(super) fn changes_bytes(&mut self, redact: &[RedactText], delivery: Option<&Delivery>) {
        let verbatim = match delivery {
            Some(Delivery::Relay) => true,
            Some(Delivery::Queue { form, .. } | Delivery::Direct { form, .. }) => *form == Form::Verbatim,
            None => false,
        };
        if verbatim && !redact.is_empty() {
            self.wrong(
                "/redact",
                "the request is passed on as its sender signed it, and could not be verified with something taken \
                 out; write `deliver: { via: queue, form: event }`, or leave this out",
            );
        }
    }
}

/// <https://docs.nats.io/running-a-nats-service/configuration#connectivity>: what it is without a word.
const NATS_MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// Where a plugin of WordPress would answer, were there no gate. A path may be anybody's.
fn wordpress_serves(at: &Selector) -> bool {
    match at {
        Selector::Path(_) => false,
        Selector::Rest(route) => !(route == "/hookwarden" || route.starts_with("/hookwarden/")),
        Selector::WcApi(_) | Selector::Query { .. } | Selector::Ajax(_) => true,
    }
}
