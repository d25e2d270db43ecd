//! How does the origin's answer to a relayed request get back?

use crate::edge::{forward, relay::OriginAnswer, reply};
use http::{Version, header};
use pingora_error::{Error, ErrorType, Result};
use pingora_proxy::Session;

/// Streams it: from the head on an error must end the connection.
pub(super) async fn pass(session: &mut Session, mut answer: OriginAnswer, request_id: &str) -> Result<()> {
    let mut head = answer.streaming.head.clone();
    forward::to_client(&mut head, request_id)?;
    let is_head = session.req_header().method == http::Method::HEAD;
    let empty = is_head || matches!(head.status.as_u16(), 204 | 304);
    let has_length = head.headers.contains_key(header::CONTENT_LENGTH);
    match session.req_header().version {
        Version::HTTP_11 if !empty && !has_length => head.insert_header(header::TRANSFER_ENCODING, "chunked")?,
        // HTTP/1.0 knows no chunks: the end of the connection is the end of the answer.
        Version::HTTP_10 if !has_length => session.set_keepalive(None),
        _ => {}
    }
    head.set_version(Version::HTTP_11);
    reply::closing(session);
    session.write_response_header(Box::new(head), empty).await?;
    loop {
        let next = answer.streaming.next().await;
        match next.map_err(|failure| Error::because(ErrorType::ReadError, "reading the origin's answer", failure))? {
            Some(chunk) if !empty && !chunk.is_empty() => session.write_response_body(Some(chunk), false).await?,
            Some(_) => {}
            None => break,
        }
    }
    if !empty {
        session.write_response_body(None, true).await?;
    }
    Ok(())
}
