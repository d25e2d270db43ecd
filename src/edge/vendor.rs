//! Asks a sender's own API whether what a request refers to exists.

use super::outbound::{PingoraOutbound, SystemResolver};
use crate::{
    gate::Vendor,
    outbound::{Deadlines, Outbound as _, PATIENCE, Place, Request},
    verdict::BoxError,
    verify::{ANSWER_BYTES_MAX, Question, Word},
};
use bytes::Bytes;
use http::Method;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// An idle connection to a vendor is used again by the next event of a burst.
const IDLE: Duration = Duration::from_secs(3);

/// One request's way to its vendor.
pub(super) struct Asking<'a> {
    pub(super) outbound: &'a PingoraOutbound,
    /// When the sender's answer is due.
    pub(super) deadline: Instant,
}

impl Vendor for Asking<'_> {
    async fn ask(&self, question: Question) -> Result<Option<Word>, BoxError> {
        let until = self.deadline.min(Instant::now() + PATIENCE);
        timeout_at(until, self.answer(question)).await.map_err(|_| "the vendor did not answer in time")?.map(Some)
    }
}

impl Asking<'_> {
    async fn answer(&self, question: Question) -> Result<Word, BoxError> {
        let Question { host, port, tls, private, path, headers } = question;
        let request = Request { method: Method::GET, path, headers, body: Bytes::new() };
        let place = Place { host, port, tls, private };
        let target = place.pin(&SystemResolver).await?;
        let answer = self.outbound.send(&target, request, &Deadlines::of_a_fetch(IDLE), ANSWER_BYTES_MAX + 1).await?;
        Ok(Word { status: answer.status.as_u16(), body: answer.body.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use std::{io::ErrorKind, net::TcpListener};

    /// A name that leads into the gate's own network, wherever it is from.
    #[tokio::test]
    async fn an_address_that_the_internet_does_not_reach_is_not_asked() {
        crate::edge::install_crypto().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let outbound = PingoraOutbound::new(1, None);
        let asking = Asking { outbound: &outbound, deadline: Instant::now() + PATIENCE };
        for (host, tls) in [("127.0.0.1", false), ("127.0.0.1", true), ("localhost", true)] {
            let (host, path, headers) = (host.to_owned(), "/v2/payments/tr_1".to_owned(), HeaderMap::new());
            let question = Question { host, port, tls, private: false, path, headers };
            let error = asking.ask(question).await.unwrap_err();
            assert!(error.to_string().contains("is not on the internet"), "{error}");
        }
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody even knocks");
    }
}
