//! `hookwarden send`: does this endpoint take what its sender sends?

use super::{
    out::{out, printable, printable_lines},
    policy_files,
};
use crate::{
    clock::{Clock as _, SystemClock},
    edge::{self, PingoraOutbound},
    outbound::{Deadlines, Outbound as _, Request, Response, Target},
    verify::{Catalogue, Provider, SigningKey, Unsigned},
};
use anyhow::{Context as _, bail};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use std::{fs, io::Write as _, path::PathBuf, process::ExitCode};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to send it, such as `http://127.0.0.1:8080/hooks/github`
    url: String,
    /// As which sender; `hookwarden providers` lists them
    #[arg(long)]
    provider: String,
    /// Where the sender's secret is: `env:NAME` or `file:/path`
    #[arg(long, value_name = "REFERENCE")]
    key: String,
    /// The body; a small test event if absent
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The sender's id for the event, for senders that send one; a random one if absent
    #[arg(long)]
    id: Option<String>,
    /// The URL as the sender knows it, if that is not where it is sent
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

/// Runs it. Exit code 1 for an answer that is not 2xx.
///
/// # Errors
/// The key or the body cannot be read, or nothing answered.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    edge::install_crypto()?;
    let catalogue = Catalogue::embedded();
    let Some(provider) = catalogue.find(&args.provider) else {
        let known: Vec<_> = catalogue.names().collect();
        bail!("unknown sender `{}`; known: {}", args.provider, known.join(", "));
    };
    let key = provider.scheme.signing_key(&secret_text(&args.key)?)?;
    let id = args.id.clone().map_or_else(random_id, Ok)?;
    let body = match &args.body {
        Some(path) => fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?,
        None => format!(r#"{{"id":"{id}","type":"hookwarden.test","data":{{"message":"hello"}}}}"#).into_bytes(),
    };
    let event = TestEvent { provider, key: &key, id: &id, body: &body };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let response = runtime.block_on(async {
        let outbound = PingoraOutbound::new(1, None);
        event.send(&outbound, &args.url, args.public_url.as_deref()).await
    })?;
    let mut out = out();
    writeln!(out, "{}", response.status)?;
    if let Some(request_id) = response.headers.get("hookwarden-request-id") {
        writeln!(out, "hookwarden-request-id: {}", printable(&String::from_utf8_lossy(request_id.as_bytes())))?;
    }
    writeln!(out, "{}", printable_lines(String::from_utf8_lossy(&response.body).trim_end()))?;
    Ok(if response.status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `env:NAME` or `file:/path`; a secret on a command line would be in the process list.
fn secret_text(reference: &str) -> anyhow::Result<String> {
    if let Some(name) = reference.strip_prefix("env:") {
        policy_files::environment(name).with_context(|| format!("`{name}` is not in the environment"))
    } else if let Some(path) = reference.strip_prefix("file:") {
        fs::read_to_string(path).with_context(|| format!("cannot read `{path}`"))
    } else {
        bail!("write where the secret is, as `env:NAME` or `file:/path`; on a command line others could read it")
    }
}

pub(super) fn random_id() -> anyhow::Result<String> {
    let mut bits = [0; 12];
    getrandom::fill(&mut bits).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(format!("msg_{}", data_encoding::HEXLOWER.encode(&bits)))
}

/// One event, as its sender would send it.
pub(super) struct TestEvent<'a> {
    pub(super) provider: &'a Provider,
    pub(super) key: &'a SigningKey,
    pub(super) id: &'a str,
    pub(super) body: &'a [u8],
}

impl TestEvent<'_> {
    /// Signs it now and sends it once.
    pub(super) async fn send(
        &self,
        outbound: &PingoraOutbound,
        url: &str,
        public_url: Option<&str>,
    ) -> anyhow::Result<Response> {
        let public = public_url.unwrap_or(url);
        let (method, content_type, at) = (&Method::POST, "application/json", SystemClock.now());
        let what = Unsigned { method, url: public, content_type, body: self.body, id: self.id, at };
        let made = self.provider.scheme.sign(self.key, &what);
        // What the sender puts into the query goes to where it is sent, too.
        let url = format!("{url}{}", made.url.strip_prefix(public).unwrap_or_default());
        post(outbound, &url, &made.fields, self.body).await
    }
}

/// One POST of JSON with these fields.
pub(super) async fn post(
    outbound: &PingoraOutbound,
    url: &str,
    fields: &[(String, String)],
    body: &[u8],
) -> anyhow::Result<Response> {
    let uri: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
    let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else {
        bail!("`{url}` has no host; write something such as http://127.0.0.1:8080/hooks/github")
    };
    let tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let plain = host.trim_matches(['[', ']']);
    let found = tokio::net::lookup_host((plain, port)).await.with_context(|| format!("cannot find `{host}`"))?;
    let address = found.into_iter().next().with_context(|| format!("`{host}` has no address"))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, authority.as_str().parse()?);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("hookwarden/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in fields {
        headers.insert(name.parse::<HeaderName>()?, value.parse()?);
    }
    let target = Target { address, tls_name: tls.then(|| plain.to_owned()) };
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let request = Request { method: Method::POST, path, headers, body: body.to_vec().into() };
    let answered = outbound.send(&target, request, &Deadlines::default(), 64 * 1024).await;
    answered.with_context(|| format!("no answer from `{url}`"))
}
