//! Fetches the certificates that senders name, one at a time and beside the traffic. Only URLs that a sender's entry pins get
//! here; what they lead to is looked at as any address that somebody else names.

use super::jwks::{FetchError, get};
use crate::{
    clock::{Clock, Timestamp},
    outbound::{Outbound, Resolver},
    verify::certificates::{Ask, CHAIN_MAX_BYTES, Certificates, chain},
};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{sync::Arc, time::Duration};
use tokio::task::spawn_blocking;

/// What its fetches are called where issuers have names.
pub const NAME: &str = "(certificates)";

/// Fetches what is wanted, if anything is.
pub(super) async fn fetch_wanted<O: Outbound, R: Resolver>(
    outbound: &O,
    resolver: &R,
    clock: &dyn Clock,
    certificates: &Certificates,
) -> Option<Result<(), FetchError>> {
    let ask = certificates.next_wanted()?;
    let fetched = fetch(outbound, resolver, &ask, clock.now()).await;
    let now = clock.now();
    Some(match fetched {
        Ok(pem) if certificates.keep(&ask.url, &pem, now) => Ok(()),
        Ok(_) => Err(FetchError::Certificate),
        Err(why) => {
            certificates.failed(&ask.url, now);
            Err(why)
        }
    })
}

async fn fetch<O: Outbound, R: Resolver>(
    outbound: &O,
    resolver: &R,
    ask: &Ask,
    now: Timestamp,
) -> Result<String, FetchError> {
    let body = get(outbound, resolver, &ask.url, false, "application/x-pem-file, */*", CHAIN_MAX_BYTES).await?;
    if body.len() > CHAIN_MAX_BYTES {
        return Err(FetchError::Certificate);
    }
    let pem = String::from_utf8(body.to_vec()).map_err(|_| FetchError::Certificate)?;
    if let Some(name) = ask.name.clone() {
        let chain = chain(&pem).ok_or(FetchError::Certificate)?;
        // The authorities are files.
        let vouched = spawn_blocking(move || is_vouched_for(&chain, &name, now, authorities())).await;
        if !vouched.unwrap_or_default() {
            return Err(FetchError::Chain);
        }
    }
    Ok(pem)
}

fn authorities() -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store
}

/// Whether one of these authorities vouches for the first certificate of the chain, for this name and now.
fn is_vouched_for(chain: &[Vec<u8>], name: &str, now: Timestamp, authorities: RootCertStore) -> bool {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let Ok(verifier) = WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), provider).build() else {
        return false;
    };
    let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let (Some((own, others)), Ok(name)) = (chain.split_first(), ServerName::try_from(name)) else { return false };
    let since = Duration::from_secs(u64::try_from(now.unix_s()).unwrap_or_default());
    verifier.verify_server_cert(own, others, &name, &[], UnixTime::since_unix_epoch(since)).is_ok()
}

#[cfg(test)]
mod tests;
