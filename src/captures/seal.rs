//! AES-256-GCM under a key that follows from the gate's own secret. What is listed stands in the clear, and is
//! authenticated with the rest.

use super::Refused;
use crate::{
    request::{Head, Target, Unverified},
    secret::Secret,
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::net::{IpAddr, Ipv4Addr};
use zeroize::Zeroizing;

/// The key of one moment's secret.
pub(super) struct Key(Zeroizing<[u8; 32]>);

/// A request as it was kept.
#[derive(Debug)]
pub struct Opened {
    /// The request; its body is empty where it was not kept.
    pub request: Unverified,
    /// Its body is all that came.
    pub has_body: bool,
}

/// Why it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsealed {
    /// Sealed under another secret, or changed since.
    #[error("it was sealed under another secret of the gate's own, or was changed since")]
    NotOurs,
    /// Sealed by another version.
    #[error("it is not written as this version writes")]
    Unreadable,
}

/// No other digest of the secret begins like this.
const PURPOSE: &[u8] = b"capture seal v1\0";
/// What whoever holds it could use elsewhere. The names stay, to be seen.
const NEVER_KEPT: [HeaderName; 4] =
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, header::SET_COOKIE];
/// Whether the value of such a header is never kept.
pub fn is_withheld(name: &str) -> bool {
    NEVER_KEPT.iter().any(|never| name.eq_ignore_ascii_case(never.as_str()))
}

/// In the place of such a value.
const NOT_KEPT: &str = "not-kept";

impl Key {
    pub(super) fn of(memory: &Secret) -> Self {
        Self(Zeroizing::new(memory.digest(&[PURPOSE])))
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, self.0.as_slice()).ok().map(LessSafeKey::new)
    }

    /// Nonce, and what only this key opens; `clear` stands beside it. Random nonces may repeat after four billion
    /// captures, and the rate allows one a second and route.
    pub(super) fn seal(&self, refused: &Refused, clear: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = written(refused);
        let tag = self.cipher()?.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(clear),
            &mut sealed,
        );
        Some([nonce.as_slice(), &sealed, tag.ok()?.as_ref()].concat())
    }

    /// The request again.
    pub(super) fn open(&self, sealed: &[u8], clear: &[u8]) -> Result<Opened, Unsealed> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unsealed::Unreadable)?;
        let mut sealed = sealed.to_vec();
        let cipher = self.cipher().ok_or(Unsealed::NotOurs)?;
        let plain = cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(clear), &mut sealed);
        read(plain.map_err(|_| Unsealed::NotOurs)?).ok_or(Unsealed::Unreadable)
    }
}

/// Each part behind its length: method, target, host, fields, and a body if there is one.
fn written(Refused { head, body, .. }: &Refused) -> Vec<u8> {
    let mut made = Vec::new();
    put(&mut made, head.method.as_str().as_bytes());
    put(&mut made, head.target.raw().as_bytes());
    put(&mut made, head.host.as_bytes());
    put(&mut made, &u32::try_from(head.headers.len()).unwrap_or(u32::MAX).to_le_bytes());
    for (name, value) in &head.headers {
        put(&mut made, name.as_str().as_bytes());
        put(&mut made, if NEVER_KEPT.contains(name) { NOT_KEPT.as_bytes() } else { value.as_bytes() });
    }
    if let Some(body) = body {
        put(&mut made, body);
    }
    made
}

fn put(made: &mut Vec<u8>, part: &[u8]) {
    made.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
    made.extend_from_slice(part);
}

fn read(plain: &[u8]) -> Option<Opened> {
    let mut rest = plain;
    let method = Method::from_bytes(take(&mut rest)?).ok()?;
    let target = Target::parse(std::str::from_utf8(take(&mut rest)?).ok()?).ok()?;
    let host = std::str::from_utf8(take(&mut rest)?).ok()?.to_owned();
    let count = u32::from_le_bytes(take(&mut rest)?.try_into().ok()?);
    let mut headers = HeaderMap::new();
    for _ in 0..count {
        let name = HeaderName::from_bytes(take(&mut rest)?).ok()?;
        headers.append(name, HeaderValue::from_bytes(take(&mut rest)?).ok()?);
    }
    let body = take(&mut rest);
    let head = Head { method, target, host, headers, client: IpAddr::V4(Ipv4Addr::LOCALHOST) };
    let request = Unverified { head, raw: body.unwrap_or_default().to_vec().into() };
    Some(Opened { request, has_body: body.is_some() })
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (part, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    Some(part)
}
