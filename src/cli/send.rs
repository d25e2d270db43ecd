//! `hookwarden send`: does this endpoint take what its sender sends?

use super::{
    out::{out, printable, printable_lines},
    signing::{self, EventArgs},
};
use crate::{
    edge::{self, PingoraOutbound},
    outbound::{Deadlines, Failure, Outbound as _, Request, Response, Target},
};
use anyhow::{Context as _, bail};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use std::{io::Write as _, process::ExitCode};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to send it, such as `http://127.0.0.1:8080/hooks/github`
    url: String,
    #[command(flatten)]
    event: EventArgs,
}

/// Runs it. Exit code 1 for an answer that is not 2xx.
///
/// # Errors
/// The key or the body cannot be read, or nothing answered.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    edge::install_crypto()?;
    let provider = args.event.provider()?;
    let request = args.event.signed(&provider, &args.url)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let response = runtime.block_on(async { post(&PingoraOutbound::new(1, None), &request).await })?;
    let mut out = out();
    writeln!(out, "{}", response.status)?;
    if let Some(request_id) = response.headers.get("hookwarden-request-id") {
        writeln!(out, "hookwarden-request-id: {}", printable(&String::from_utf8_lossy(request_id.as_bytes())))?;
    }
    writeln!(out, "{}", printable_lines(String::from_utf8_lossy(&response.body).trim_end()))?;
    Ok(if response.status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One POST.
pub(super) async fn post(outbound: &PingoraOutbound, request: &signing::Request) -> anyhow::Result<Response> {
    let signing::Request { url, fields, body, .. } = request;
    let uri: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
    let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else {
        bail!("`{url}` has no host; write something such as http://127.0.0.1:8080/hooks/github")
    };
    let tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => bail!("`{url}` is not for HTTP; write `http://` or `https://`"),
    };
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let plain = host.trim_matches(['[', ']']);
    let found = tokio::net::lookup_host((plain, port)).await.with_context(|| format!("cannot find `{host}`"))?;
    let address = found.into_iter().next().with_context(|| format!("`{host}` has no address"))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, authority.as_str().parse()?);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("hookwarden/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in fields {
        headers.insert(name.parse::<HeaderName>()?, value.parse()?);
    }
    let target = Target { address, tls_name: tls.then(|| plain.to_owned()) };
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let request = Request { method: Method::POST, path, headers, body: body.clone().into() };
    let answered = outbound.send(&target, request, &Deadlines::default(), 64 * 1024).await;
    answered.map_err(|error| match error {
        Failure::NotSent(why) => anyhow::anyhow!(
            "nothing was sent: cannot connect to `{address}`, where `{url}` is; does the gate listen there? ({why})"
        ),
        Failure::Unknown(why) => anyhow::anyhow!("sent, and no answer came from `{url}` ({why})"),
    })
}
