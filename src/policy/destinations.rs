//! Where queued events can go.

use super::{
    Destination,
    notes::Notes,
    text::DestinationText,
    units::{ReferenceText, TimeText},
    url::{self, Shape},
};
use std::time::Duration;

pub(super) fn destinations(notes: &mut Notes<'_>) -> Vec<Destination> {
    let mut destinations = Vec::new();
    for (name, node) in notes.members("/destinations") {
        notes.check_name(name, node);
        let Some(text) = notes.decode::<DestinationText>(node) else { continue };
        let url = url::read(&text.url.0, Shape::Whole).map_err(|why| notes.wrong(node.find("/url"), why));
        if let Some(Err(why)) = text.host.as_deref().map(url::check_authority) {
            notes.wrong(node.find("/host"), format!("{why}; write something such as `shop.example`"));
        }
        if let Some(ReferenceText(sign)) = &text.sign {
            notes.check_reference(sign, node.find("/sign"));
        }
        destinations.push(Destination {
            name: name.to_string(),
            url: url.unwrap_or_default(),
            host: text.host,
            sign: text.sign.map(|ReferenceText(sign)| sign),
            concurrency: text.concurrency.unwrap_or(CONCURRENCY),
            timeout: text.timeout.map_or(TIMEOUT, |TimeText(time)| time),
        });
    }
    destinations
}

/// A quarter of a common PHP-FPM pool: visitors come first.
const CONCURRENCY: usize = 8;
/// WordPress with a full page of plugins needs seconds for an order.
const TIMEOUT: Duration = Duration::from_secs(30);
