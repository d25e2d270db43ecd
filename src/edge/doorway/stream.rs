//! One HTTP/2 request as Pingora wants it: its own session, with the patience that it lacks. It reads a body without any
//! time limit, calls a client that left and one that broke the protocol by one name, and lets an answer lie unread in
//! memory for as long as its reader likes.

use crate::{
    edge::{
        seats::{Seat, Seats},
        waited::{Asked, Waited},
    },
    policy::EdgeLimits,
};
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use pingora_core::protocols::{
    Digest,
    http::{
        HttpTask,
        custom::{CustomMessageWrite, server::Session},
        v2::server::HttpSession,
    },
    l4::socket::SocketAddr,
};
use pingora_error::{Error, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use std::{net::IpAddr, pin::pin, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};

/// What is written at once. The reader's patience is for each piece, so that a slow reader is not taken for one that
/// has stopped.
const PIECE_BYTES: usize = 16 * 1024;
/// A reader that pauses for longer than this takes a place among the unread answers. Shorter pauses are the network's.
const PAUSE: Duration = Duration::from_secs(1);
/// What an answer holds while its reader pauses, as measured with a hundred of them: Pingora's queue between origin and
/// client, what has been taken out of it and what is read next come to eight pieces of 64 KiB, and `h2` buffers
/// [`SEND_BUFFER_BYTES`].
const ANSWER_BYTES: usize = 8 * 64 * 1024 + SEND_BUFFER_BYTES;
/// What `h2` takes of a stream before the connection has sent it; its own default is 400 KiB.
pub(super) const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// One address may not take the places of all.
const ADDRESSES_MIN: usize = 4;

type Messages = Box<dyn futures_core::Stream<Item = Result<Bytes>> + Unpin + Send + Sync>;

/// A request, and the patience with its client.
pub(super) struct Stream {
    inner: HttpSession,
    asked: Asked,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    unread: Unread,
}

/// Places for answers that their readers let lie.
pub(super) struct Unread {
    seats: Arc<Seats>,
    client: Option<IpAddr>,
    in_all: usize,
    taken: Option<Seat>,
}

impl Unread {
    pub(super) fn new(seats: Arc<Seats>, client: Option<IpAddr>, limits: &EdgeLimits) -> Self {
        Self { seats, client, in_all: limits.answers_bytes / ANSWER_BYTES, taken: None }
    }

    fn take(&mut self) -> bool {
        let per_address = (self.in_all / ADDRESSES_MIN).max(1);
        let seat = self.seats.take(self.in_all).and_then(|mut seat| match self.client {
            Some(client) => seat.claim(client, per_address).then_some(seat),
            None => Some(seat),
        });
        self.taken = seat;
        self.taken.is_some()
    }
}

impl Stream {
    pub(super) fn new(inner: HttpSession, waited: Arc<Waited>, unread: Unread) -> Self {
        Self { inner, asked: Asked::of(waited), read_timeout: None, write_timeout: None, unread }
    }

    /// The clock runs from the first time that Pingora asks for a piece of the body until it has it, and stands while
    /// the origin is the one that is waited for.
    async fn read(&mut self) -> Result<Option<Bytes>> {
        let asked = self.asked.asks();
        let reading = self.inner.read_body_bytes();
        let read = match self.read_timeout.and_then(|patience| Instant::from(asked).checked_add(patience)) {
            Some(deadline) => timeout_at(deadline, reading).await,
            None => Ok(reading.await),
        };
        self.asked.has();
        match read {
            Ok(read) => read.or_else(|error| sort(&error)),
            Err(_) => Error::e_explain(ErrorType::ReadTimedout, "the body has paused for too long"),
        }
    }

    async fn write(&mut self, mut data: Bytes, end: bool) -> Result<()> {
        loop {
            let piece = data.split_to(data.len().min(PIECE_BYTES));
            let last = data.is_empty();
            self.write_piece(piece, end && last).await?;
            if last {
                return Ok(());
            }
        }
    }

    async fn write_piece(&mut self, piece: Bytes, end: bool) -> Result<()> {
        let Self { inner, unread, write_timeout, .. } = self;
        let mut writing = pin!(inner.write_body(piece, end));
        let pause = write_timeout.map_or(PAUSE, |patience| patience.min(PAUSE));
        if let Ok(written) = timeout(pause, &mut writing).await {
            return written.or_else(|error| gone(&error));
        }
        if !unread.take() {
            return Error::e_explain(ErrorType::WriteTimedout, "too many answers lie unread");
        }
        let written = match write_timeout {
            Some(patience) => timeout(patience.saturating_sub(pause), writing).await,
            None => Ok(writing.await),
        };
        unread.taken = None;
        match written {
            Ok(written) => written.or_else(|error| gone(&error)),
            Err(_) => Error::e_explain(ErrorType::WriteTimedout, "the answer is not read"),
        }
    }
}

/// Whose fault it is that a body ended: `h2` itself resets streams that break the protocol.
fn sort<T>(error: &Error) -> Result<T> {
    let cause = error.root_cause().downcast_ref::<h2::Error>();
    let broken = cause.is_some_and(|cause| cause.is_library() && !cause.is_io());
    if broken { Error::e_explain(ErrorType::H2Error, error.to_string()) } else { gone(error) }
}

fn gone<T>(error: &Error) -> Result<T> {
    Error::e_explain(ErrorType::ConnectionClosed, error.to_string())
}

#[async_trait]
impl Session for Stream {
    fn req_header(&self) -> &RequestHeader {
        self.inner.req_header()
    }

    fn req_header_mut(&mut self) -> &mut RequestHeader {
        self.inner.req_header_mut()
    }

    async fn read_body_bytes(&mut self) -> Result<Option<Bytes>> {
        self.read().await
    }

    async fn drain_request_body(&mut self) -> Result<()> {
        self.inner.drain_request_body().await
    }

    async fn write_response_header(&mut self, head: Box<ResponseHeader>, end: bool) -> Result<()> {
        self.inner.write_response_header(head, end).or_else(|error| gone(&error))
    }

    async fn write_response_header_ref(&mut self, head: &ResponseHeader, end: bool) -> Result<()> {
        self.inner.write_response_header_ref(head, end).or_else(|error| gone(&error))
    }

    async fn write_body(&mut self, data: Bytes, end: bool) -> Result<()> {
        self.write(data, end).await
    }

    async fn write_trailers(&mut self, trailers: HeaderMap) -> Result<()> {
        self.inner.write_trailers(trailers)
    }

    async fn response_duplex_vec(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        let mut ended = false;
        for task in tasks {
            ended |= match task {
                HttpTask::Header(head, end) => {
                    self.inner
                        .write_response_header(head, end)
                        .or_else(|error| gone(&error))
                        .map_err(Error::into_down)?;
                    end
                }
                HttpTask::Body(data, end) => {
                    if let Some(data) = data.filter(|data| !data.is_empty()) {
                        self.write(data, end).await.map_err(Error::into_down)?;
                    }
                    end
                }
                HttpTask::UpgradedBody(..) => return Err(Error::new_in(ErrorType::InternalError)),
                HttpTask::Trailer(Some(trailers)) => {
                    self.inner.write_trailers(*trailers)?;
                    true
                }
                HttpTask::Trailer(None) | HttpTask::Done => true,
                HttpTask::Failed(error) => return Err(error),
            };
        }
        if ended {
            self.inner.finish().or_else(|error| gone(&error)).map_err(Error::into_down)?;
        }
        Ok(ended)
    }

    fn set_read_timeout(&mut self, patience: Option<Duration>) {
        self.read_timeout = patience;
    }

    fn get_read_timeout(&self) -> Option<Duration> {
        self.read_timeout
    }

    fn set_write_timeout(&mut self, patience: Option<Duration>) {
        self.write_timeout = patience;
    }

    fn get_write_timeout(&self) -> Option<Duration> {
        self.write_timeout
    }

    fn set_total_drain_timeout(&mut self, patience: Option<Duration>) {
        self.inner.set_total_drain_timeout(patience);
    }

    fn get_total_drain_timeout(&self) -> Option<Duration> {
        self.inner.get_total_drain_timeout()
    }

    fn request_summary(&self) -> String {
        self.inner.request_summary()
    }

    fn response_written(&self) -> Option<&ResponseHeader> {
        self.inner.response_written()
    }

    async fn shutdown(&mut self, _code: u32, _context: &str) {
        self.inner.shutdown();
    }

    fn is_body_done(&mut self) -> bool {
        self.inner.is_body_done()
    }

    async fn finish(&mut self) -> Result<()> {
        self.inner.finish().or_else(|error| gone(&error))
    }

    fn is_body_empty(&mut self) -> bool {
        self.inner.is_body_empty()
    }

    async fn read_body_or_idle(&mut self, no_body_expected: bool) -> Result<Option<Bytes>> {
        if no_body_expected || self.inner.is_body_done() {
            return self.inner.read_body_or_idle(true).await.or_else(|error| gone(&error));
        }
        self.read().await
    }

    fn body_bytes_sent(&self) -> usize {
        self.inner.body_bytes_sent()
    }

    fn body_bytes_read(&self) -> usize {
        self.inner.body_bytes_read()
    }

    fn digest(&self) -> Option<&Digest> {
        self.inner.digest()
    }

    fn digest_mut(&mut self) -> Option<&mut Digest> {
        self.inner.digest_mut()
    }

    fn client_addr(&self) -> Option<&SocketAddr> {
        self.inner.client_addr()
    }

    fn server_addr(&self) -> Option<&SocketAddr> {
        self.inner.server_addr()
    }

    fn pseudo_raw_h1_request_header(&self) -> Bytes {
        self.inner.pseudo_raw_h1_request_header()
    }

    fn enable_retry_buffering(&mut self) {
        self.inner.enable_retry_buffering();
    }

    fn retry_buffer_truncated(&self) -> bool {
        self.inner.retry_buffer_truncated()
    }

    fn get_retry_buffer(&self) -> Option<Bytes> {
        self.inner.get_retry_buffer()
    }

    async fn finish_custom(&mut self) -> Result<()> {
        Ok(())
    }

    fn take_custom_message_reader(&mut self) -> Option<Messages> {
        None
    }

    fn restore_custom_message_reader(&mut self, _reader: Messages) -> Result<()> {
        Ok(())
    }

    fn take_custom_message_writer(&mut self) -> Option<Box<dyn CustomMessageWrite>> {
        None
    }

    fn restore_custom_message_writer(&mut self, _writer: Box<dyn CustomMessageWrite>) -> Result<()> {
        Ok(())
    }
}
