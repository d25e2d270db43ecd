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
