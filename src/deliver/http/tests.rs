//! The suite of the port, and what HTTP adds to it, against a site that records what it is sent.

mod site;

use super::*;
use crate::{
    clock::{SystemClock, Timestamp},
    contract::{self, record},
    edge::{PingoraOutbound, install_crypto},
    policy,
};
use site::{Says, Site};
use std::time::Duration;
use tokio::time::timeout;

contract::destination::destination!(Site::new());

const SECRET: &[u8] = b"the destination's own secret";

/// Long enough for a busy machine; a site that is silent is waited for so long.
const PATIENCE: Duration = Duration::from_millis(1500);

pub(super) fn http(url: &str) -> Http<PingoraOutbound> {
    install_crypto().unwrap();
    let mut destination = policy::tests::destination("wordpress", url);
    destination.timeout = PATIENCE;
    let policy::Place::Http(place) = &destination.place else { panic!("{destination:?}") };
    let outbound = PingoraOutbound::new(8, None);
    let sign = Some(Secret::new(SECRET).unwrap());
    Http::new(outbound, Arc::new(SystemClock), (&destination, place), Some("https://shop.example/"), sign).unwrap()
}

/// What is made of this answer.
async fn retry(site: &Site, http: &Http<PingoraOutbound>, answer: &str) -> Option<Retry> {
    site.says(Says::Answer(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n"))).await;
    http.publish(&record("evt_1", b"{}")).await.err().map(|error| {
        assert_eq!(error.reason, format!("status_{}", &answer[..3]));
        error.retry
    })
}

#[tokio::test]
async fn whose_failure_it_is_decides_who_waits() {
    let site = Site::new();
    let http = site.http().await;
    let (destination, event) = (Retry::Destination { after: None }, Retry::Event { after: None });
    for (answer, expected) in [
        ("200 OK", None),
        ("201 Created", None),
        ("202 Accepted", None),
        ("204 No Content", None),
        ("400 Bad Request", Some(Retry::Refused)),
        ("401 Unauthorized", Some(Retry::Refused)),
        ("404 Not Found", Some(Retry::Refused)),
        ("408 Request Timeout", Some(event)),
        ("409 Conflict", Some(event)),
        ("410 Gone", Some(Retry::Disabled)),
        ("413 Content Too Large", Some(Retry::Refused)),
        ("425 Too Early", Some(event)),
        ("429 Too Many Requests", Some(destination)),
        ("500 Internal Server Error", Some(event)),
        ("502 Bad Gateway", Some(Retry::Unknown)),
        ("503 Service Unavailable", Some(destination)),
        ("504 Gateway Timeout", Some(Retry::Unknown)),
    ] {
        assert_eq!(retry(&site, &http, answer).await, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_never_followed() {
    let site = Site::new();
    let http = site.http().await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent", "300 Choices"] {
        let elsewhere = format!("{status}\r\nLocation: {}/elsewhere", site.url());
        assert_eq!(retry(&site, &http, &elsewhere).await, Some(Retry::Event { after: None }), "{status}");
    }
    assert_eq!(site.requests().len(), 6);
    assert!(site.requests().iter().all(|request| request.line == "POST /wp-json/hookwarden/v1/events HTTP/1.1"));
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    let site = Site::new();
    let http = site.http().await;
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let after = Some(Retry::Destination { after: Some(Duration::from_secs(120)) });
        assert_eq!(retry(&site, &http, &format!("{status}\r\nRetry-After: 120")).await, after);
        let in_an_hour = SystemClock.now() + Duration::from_secs(3600);
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(in_an_hour.unix_s().unsigned_abs()));
        let asked = retry(&site, &http, &format!("{status}\r\nRetry-After: {date}")).await;
        let Some(Retry::Destination { after: Some(asked) }) = asked else { panic!("{asked:?}") };
        assert!((Duration::from_secs(3500)..=Duration::from_secs(3600)).contains(&asked), "{asked:?}");
        for nonsense in ["soon", "-5", "Sun, 06 Nov 1994 08:49:37 GMT", ""] {
            let asked = retry(&site, &http, &format!("{status}\r\nRetry-After: {nonsense}")).await;
            assert_eq!(asked, Some(Retry::Destination { after: None }), "{nonsense}");
        }
    }
    let of_the_event = retry(&site, &http, "409 Conflict\r\nRetry-After: 7").await;
    assert_eq!(of_the_event, Some(Retry::Event { after: Some(Duration::from_secs(7)) }));
}

/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>: any library of the
/// field verifies it.
#[tokio::test]
async fn what_is_sent_is_signed_as_standard_webhooks() {
    let site = Site::new();
    let http = site.http().await;
    http.publish(&record("evt_1", br#"{"a":1}"#)).await.unwrap();
    let request = site.requests().pop().unwrap();
    let time = request.field("webhook-timestamp");
    let now = SystemClock.now().unix_s();
    assert!((0..60).contains(&(now - time.parse::<i64>().unwrap())), "{time}, and now is {now}");
    let digest = Secret::new(SECRET).unwrap().digest(&[b"evt_1.", time.as_bytes(), br#".{"a":1}"#]);
    assert_eq!(request.field("webhook-signature"), format!("v1,{}", BASE64.encode(&digest)));
    assert_eq!(request.field("webhook-id"), "evt_1");
    assert_eq!(request.field("hookwarden-request-id"), "request");
    assert_eq!((&*request.field("host"), &*request.field("x-forwarded-proto")), ("shop.example", "https"));
}

/// Every part has a deadline of its own; here all others are longer than the test would wait.
#[tokio::test]
async fn each_part_of_a_call_ends_in_time() {
    let (soon, late) = (Duration::from_millis(200), Duration::from_secs(600));
    let all_late = Deadlines { connect: late, write: late, first_byte: late, total: late, ..Deadlines::default() };
    let unknown = Retry::Unknown;
    let cases = [
        (Says::Nothing, Deadlines { first_byte: soon, ..all_late.clone() }, 2, unknown),
        (Says::NeverReads, Deadlines { write: soon, ..all_late.clone() }, 64 << 20, unknown),
        (Says::Drips, Deadlines { total: soon, ..all_late.clone() }, 2, unknown),
    ];
    for (says, deadlines, payload_bytes, expected) in cases {
        let (site, payload) = (Site::new(), vec![b'x'; payload_bytes]);
        let mut http = site.http().await;
        http.deadlines = deadlines;
        site.says(says.clone()).await;
        let sent = timeout(Duration::from_secs(30), http.publish(&record("evt_1", &payload))).await;
        assert_eq!(sent.expect("its own deadline").unwrap_err().retry, expected, "{says:?}");
    }

    // A site that takes the connection and never answers the TLS handshake.
    let site = Site::new();
    site.http().await;
    site.says(Says::NeverReads).await;
    let mut https = http(&site.url().replace("http://", "https://"));
    https.deadlines = Deadlines { connect: soon, ..all_late };
    let sent = timeout(Duration::from_secs(30), https.publish(&record("evt_1", b"{}"))).await;
    assert_eq!(sent.expect("its own deadline").unwrap_err().retry, Retry::Destination { after: None });
    assert_eq!(site.requests().len(), 0);
}

#[test]
fn an_instant_before_the_epoch_is_the_epoch() {
    struct Before;
    impl Clock for Before {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_s(-1)
        }
    }
    assert_eq!(now(&Before), Duration::ZERO);
}
