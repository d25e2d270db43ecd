//! Asks a sender's own API whether what a request refers to exists: a name resolved once, an address that may be asked, one
//! request to that address, a bounded answer. Nothing is followed.

use super::outbound::{PingoraOutbound, SystemResolver};
use crate::{
    gate::Vendor,
    outbound::{Deadlines, Outbound as _, Request, Resolver as _, Target, is_public},
    verdict::BoxError,
    verify::{ANSWER_BYTES_MAX, Question, Word},
};
use bytes::Bytes;
use http::Method;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// CONTRACT: two seconds for what is fetched because of a message.
const PATIENCE: Duration = Duration::from_secs(2);
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
        // The address that was looked at is the one that is connected to.
        let found = SystemResolver.resolve(&host, port).await?;
        let address = found.into_iter().find(|address| private || is_public(address.ip()));
        let address = address.ok_or("the vendor's name leads to no address of the internet")?;
        let target = Target { address, tls_name: tls.then_some(host) };
        let request = Request { method: Method::GET, path, headers, body: Bytes::new() };
        let deadlines =
            Deadlines { connect: PATIENCE, write: PATIENCE, first_byte: PATIENCE, total: PATIENCE, idle: IDLE };
        let answer = self.outbound.send(&target, request, &deadlines, ANSWER_BYTES_MAX + 1).await?;
        Ok(Word { status: answer.status.as_u16(), body: answer.body.to_vec() })
    }
}
