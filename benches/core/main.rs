//! What the core costs, without sockets, files or clock: `cargo bench --no-default-features --bench core`.
//!
//! Ratios within one run say something, absolute times say something of the machine. Results: `benches/RESULTS.md`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so and ends")]

mod guards;
mod judging;
mod senders;

use criterion::Criterion;
use hookwarden::{
    clock::Timestamp,
    request::{Head, Target},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

const NOW: Timestamp = Timestamp::from_unix_s(1_760_000_000);
/// Base64, so that it is a key for every sender.
const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// A common webhook, a large one, and the limit that policies begin with.
const SIZES_KIB: [usize; 3] = [1, 16, 256];

fn head(method: Method, target: &str, fields: &[(String, String)]) -> Head {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let target = Target::parse(target).unwrap();
    Head { method, target, host: "shop.example".into(), headers, client: IpAddr::V4(Ipv4Addr::LOCALHOST) }
}

/// An event of about this size: nested, with text, numbers and escapes, as vendors send them.
fn document(kib: usize) -> String {
    let line =
        r#"{"id":"li_1","object":"line_item","amount":1299,"text":"caf\u00e9 cr\u00e8me, \"large\"","live":true},"#;
    let mut lines = line.repeat(kib * 1024 / line.len());
    lines.pop();
    format!(r#"{{"id":"evt_1","event_id":"Ev1","type":"invoice.paid","data":{{"object":{{"lines":[{lines}]}}}}}}"#)
}

fn main() {
    // Long enough for two digits; all of it ends within five minutes.
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    senders::all(&mut criterion);
    senders::strangers(&mut criterion);
    senders::catalogue(&mut criterion);
    guards::all(&mut criterion);
    judging::all(&mut criterion);
    criterion.final_summary();
}
