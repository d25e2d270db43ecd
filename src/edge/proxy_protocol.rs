//! Whom does a load balancer speak for? The PROXY preamble, versions 1 and 2:
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.
//!
//! Reads exactly the preamble, so that what follows (a `ClientHello`) stays in the socket.

use std::{
    io::{self, ErrorKind::InvalidData},
    net::{IpAddr, SocketAddr},
};
use tokio::io::{AsyncRead, AsyncReadExt as _};

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// "Worst case" line of section 2.1, with its CRLF.
const LINE_MAX_BYTES: usize = 107;
/// Addresses and TLVs; the largest in use (PROXY over TLS with a client certificate's names) are below 1 KiB.
const V2_MAX_BYTES: usize = 2048;

/// The client's address, or `None` if the balancer speaks for itself (health checks: `LOCAL`, `UNKNOWN`).
pub(super) async fn read(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut start = [0; 12]; // no preamble of either version is shorter
    io.read_exact(&mut start).await?;
    if &start == SIGNATURE {
        return read_v2(io).await;
    }
    if !start.starts_with(b"PROXY ") {
        return Err(InvalidData.into());
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() == LINE_MAX_BYTES {
            return Err(InvalidData.into());
        }
        line.push(io.read_u8().await?); // one at a time: what follows is not ours
    }
    parse_v1(&line).ok_or_else(|| InvalidData.into())
}

#[expect(clippy::option_option, reason = "unreadable, and readable but of nobody, are two things")]
fn parse_v1(line: &[u8]) -> Option<Option<SocketAddr>> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["PROXY", "UNKNOWN", ..] => Some(None),
        ["PROXY", family @ ("TCP4" | "TCP6"), source, _, port, _] => {
            let source: IpAddr = source.parse().ok()?;
            (source.is_ipv4() == (*family == "TCP4")).then_some(())?;
            Some(Some(SocketAddr::new(source, port.parse().ok()?)))
        }
        _ => None,
    }
}

async fn read_v2(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let (version_command, family) = (io.read_u8().await?, io.read_u8().await?);
    let length = usize::from(io.read_u16().await?);
    if length > V2_MAX_BYTES {
        return Err(InvalidData.into());
    }
    let mut addresses = vec![0; length];
    io.read_exact(&mut addresses).await?;
    match (version_command, family) {
        (0x20, _) => Ok(None),
        (0x21, 0x11) => v2_address::<4>(&addresses).map(Some).ok_or_else(|| InvalidData.into()),
        (0x21, 0x21) => v2_address::<16>(&addresses).map(Some).ok_or_else(|| InvalidData.into()),
        _ => Err(InvalidData.into()),
    }
}

/// Source address, destination address, source port, destination port.
fn v2_address<const N: usize>(addresses: &[u8]) -> Option<SocketAddr>
where
    IpAddr: From<[u8; N]>,
{
    let source: [u8; N] = addresses.get(..N)?.try_into().ok()?;
    let port: [u8; 2] = addresses.get(2 * N..2 * N + 2)?.try_into().ok()?;
    Some(SocketAddr::new(IpAddr::from(source), u16::from_be_bytes(port)))
}
