//! A destination that speaks HTTP: WordPress, or any URL. Signed as Standard Webhooks, so that a receiver can use any
//! library for it.

use super::BadDestination;
use crate::{
    clock::Clock,
    destination::{Confirmed, Destination, PublishError, Retry},
    event::Record,
    outbound::{Deadlines, Failure, Outbound, Request, Response, Target},
    policy,
    secret::Secret,
};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// One URL, and how it is signed for.
#[expect(missing_debug_implementations, reason = "holds what deliveries are signed with")]
pub struct Http<O> {
    outbound: O,
    clock: Arc<dyn Clock>,
    host: String,
    port: u16,
    tls_name: Option<String>,
    path: String,
    headers: HeaderMap,
    sign: Option<Secret>,
    deadlines: Deadlines,
    /// A name is looked up again after [`LOOK_AGAIN`].
    resolved: Mutex<Option<(Instant, SocketAddr)>>,
}

const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// So much of an answer is read, to keep its connection; nothing of it is kept.
const ANSWER_BYTES: usize = 64 * 1024;

impl<O: Outbound> Http<O> {
    /// `sign` is the secret that deliveries are signed with.
    ///
    /// # Errors
    /// [`BadDestination`] for a URL that the policy let pass and this cannot use.
    pub fn new(
        outbound: O,
        clock: Arc<dyn Clock>,
        (destination, place): (&policy::Destination, &policy::Http),
        public_url: Option<&str>,
        sign: Option<Secret>,
    ) -> Result<Self, BadDestination> {
        let bad = || BadDestination { name: destination.name.clone(), why: "its URL has no use".to_owned() };
        let uri: Uri = place.url.parse().map_err(|_| bad())?;
        let tls = uri.scheme_str() == Some("https");
        let host = uri.host().ok_or_else(bad)?.trim_matches(['[', ']']).to_owned();
        let public: Option<Uri> = public_url.and_then(|url| url.parse().ok());
        // WordPress behind TLS would answer a plain request with a redirect to itself.
        let proto = public.as_ref().and_then(Uri::scheme_str).unwrap_or(if tls { "https" } else { "http" });
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: &str| {
            HeaderValue::from_str(value).map(|value| drop(headers.insert(name, value))).map_err(|_| bad())
        };
        set(header::HOST, place.sent_host(public_url).host)?;
        set(header::USER_AGENT, concat!("hookwarden/", env!("CARGO_PKG_VERSION")))?;
        set(HeaderName::from_static("x-forwarded-proto"), proto)?;
        let total = destination.timeout;
        Ok(Self {
            outbound,
            clock,
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls_name: tls.then(|| host.clone()),
            host,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers,
            sign,
            deadlines: Deadlines { first_byte: total, total, ..Deadlines::default() },
            resolved: Mutex::default(),
        })
    }

    async fn target(&self) -> std::io::Result<Target> {
        let known = *self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        let address = match known {
            Some((at, address)) if at.elapsed() < LOOK_AGAIN => address,
            _ => {
                let mut found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
                let address = found.next().ok_or_else(|| std::io::Error::other("the name has no address"))?;
                *self.resolved.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), address));
                address
            }
        };
        Ok(Target { address, tls_name: self.tls_name.clone() })
    }

    /// `id.time.body`: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
    fn request(&self, event: &Record) -> Request {
        let mut headers = self.headers.clone();
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        let time = self.clock.now().unix_s().to_string();
        set("content-type", &event.content_type);
        set("hookwarden-request-id", &event.request_id);
        set("webhook-id", &event.id);
        set("webhook-timestamp", &time);
        if let Some(key) = &self.sign {
            let digest = key.digest(&[event.id.as_bytes(), b".", time.as_bytes(), b".", &event.payload]);
            set("webhook-signature", &format!("v1,{}", BASE64.encode(&digest)));
        }
        Request { method: Method::POST, path: self.path.clone(), headers, body: event.payload.clone() }
    }
}

impl<O: Outbound> Destination for Http<O> {
    async fn publish(&self, event: &Record) -> Result<Confirmed, PublishError> {
        let target = self.target().await.map_err(|error| failed("resolve", error))?;
        match self.outbound.send(&target, self.request(event), &self.deadlines, ANSWER_BYTES).await {
            Ok(answer) => judge(&answer, UNIX_EPOCH + now(&*self.clock)),
            Err(Failure::NotSent(error)) => Err(failed("connect", error)),
            Err(Failure::Unknown(error)) => {
                Err(PublishError { reason: "no_answer".to_owned(), retry: Retry::Unknown, source: Some(error) })
            }
        }
    }
}

fn now(clock: &dyn Clock) -> Duration {
    Duration::from_millis(u64::try_from(clock.now().unix_ms()).unwrap_or_default())
}

fn failed(reason: &str, source: impl Into<crate::verdict::BoxError>) -> PublishError {
    let retry = Retry::Destination { after: None };
    PublishError { reason: reason.to_owned(), retry, source: Some(source.into()) }
}

/// Whose failure is it? What concerns the destination costs the event nothing.
fn judge(answer: &Response, now: SystemTime) -> Result<Confirmed, PublishError> {
    let status = answer.status;
    if status.is_success() {
        return Ok(Confirmed::Taken); // a receiver that knew it says the same
    }
    let after = answer.headers.get(header::RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now));
    let retry = match status {
        StatusCode::GONE => Retry::Disabled,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Retry::Destination { after },
        // A proxy in front of it lost it, perhaps with this event in its hands.
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Retry::Unknown,
        StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_EARLY => Retry::Event { after },
        status if status.is_client_error() => Retry::Refused,
        _ => Retry::Event { after }, // 5xx about this event, and redirects, which are never followed
    };
    Err(PublishError { reason: format!("status_{}", status.as_u16()), retry, source: None })
}

/// RFC 9110 section 10.2.3: seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let seconds = text.trim().parse().ok().map(Duration::from_secs);
    seconds.or_else(|| httpdate::parse_http_date(text).ok()?.duration_since(now).ok())
}

#[cfg(test)]
mod tests;
