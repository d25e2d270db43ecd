//! A connection as Pingora wants it: any [`Stream`] with a write buffer, and a place for bytes read too early.
//!
//! `L4Stream::from(TcpStream)` has no buffers and `set_buffer` is private to Pingora, so head and body of an
//! answer would leave in two packets (two TLS records). And h2 over TLS waits for its preface without a
//! deadline, so the preface is read before Pingora sees the connection, and put back.

use super::{
    chunks::Chunks,
    frames::Frames,
    waited::{Asked, Waited},
};
use async_trait::async_trait;
use bytes::{Buf as _, BytesMut};
use pingora_core::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream, TimingDigest,
    UniqueID, UniqueIDType,
    raw_connect::ProxyDigest,
    tls::{SslDigest, TlsRef},
};
use std::{
    io::{self, ErrorKind::InvalidData},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter, ReadBuf};

/// Small, because Pingora flushes an answer with `Content-Length` only at its end.
const WRITE_BUFFER_BYTES: usize = 4096;

#[derive(Debug)]
pub(super) struct Wire {
    io: BufWriter<Stream>,
    unread: BytesMut,
    chunks: Arc<Chunks>,
    /// Of an HTTP/2 connection.
    frames: Option<Box<Frames>>,
    asked: Asked,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        let io = BufWriter::with_capacity(WRITE_BUFFER_BYTES, stream);
        Wire { io, unread: BytesMut::new(), chunks: Arc::default(), frames: None, asked: Asked::of(Arc::default()) }
    }

    /// Sees every byte that is read from here on, before Pingora does.
    pub(super) fn chunks(&self) -> Arc<Chunks> {
        self.chunks.clone()
    }

    /// How long the connection was waited for.
    pub(super) fn waited(&self) -> Arc<Waited> {
        self.asked.waited()
    }

    /// The next reads return `preface` first, and then frames.
    pub(super) fn begin_h2(&mut self, preface: BytesMut) {
        self.unread = preface;
        self.frames = Some(Box::default());
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // As Pingora's own stream does: drop cannot wait, but the socket is usually ready.
        let _ = Pin::new(&mut self.io).poll_flush(&mut Context::from_waker(Waker::noop()));
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Wire { io, unread, chunks, frames, asked } = &mut *self;
        while unread.is_empty() {
            let before = buf.filled().len();
            asked.asks();
            let read = std::task::ready!(Pin::new(io.get_mut()).poll_read(cx, buf));
            asked.has();
            read?;
            let read = buf.filled().get(before..).unwrap_or_default();
            let Some(frames) = frames else { return Poll::Ready(chunks.follow(read).map_err(invalid)) };
            if read.is_empty() {
                return Poll::Ready(Ok(()));
            }
            frames.follow(read, unread).map_err(invalid)?;
            buf.set_filled(before);
        }
        let n = unread.len().min(buf.remaining());
        buf.put_slice(unread.get(..n).unwrap_or_default());
        unread.advance(n);
        Poll::Ready(Ok(()))
    }
}

fn invalid(malformed: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(InvalidData, malformed)
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for Wire {
    async fn shutdown(&mut self) {
        let _ = AsyncWriteExt::shutdown(&mut self.io).await;
    }
}

impl UniqueID for Wire {
    fn id(&self) -> UniqueIDType {
        self.io.get_ref().id()
    }
}

impl Ssl for Wire {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.io.get_ref().get_ssl()
    }
    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.io.get_ref().get_ssl_digest()
    }
    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.io.get_ref().selected_alpn_proto()
    }
}

impl GetTimingDigest for Wire {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.io.get_ref().get_timing_digest()
    }
    fn get_read_pending_time(&self) -> Duration {
        self.io.get_ref().get_read_pending_time()
    }
    fn get_write_pending_time(&self) -> Duration {
        self.io.get_ref().get_write_pending_time()
    }
}

impl GetProxyDigest for Wire {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.io.get_ref().get_proxy_digest()
    }
    fn set_proxy_digest(&mut self, digest: ProxyDigest) {
        self.io.get_mut().set_proxy_digest(digest);
    }
}

impl GetSocketDigest for Wire {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.io.get_ref().get_socket_digest()
    }
    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.io.get_mut().set_socket_digest(digest);
    }
}

/// Only h2c asks for it, and h2c stays off.
impl Peek for Wire {}
