//! A test event, signed as its sender would: for `sign`, which prints it, for `send` and for `demo`, which deliver it. The
//! catalogue entry that verifies is the one that signs.

use super::{policy_files, providers::way_out};
use crate::{
    clock::{Clock as _, SystemClock, Timestamp},
    json,
    verify::{Catalogue, Config, Provider, Signed, SigningKey, Unsigned},
};
use anyhow::{Context as _, bail};
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// What is signed, and by whom.
#[derive(Debug, clap::Args)]
pub(super) struct EventArgs {
    /// As which sender: a name that `hookwarden providers` lists, or the file of one of your own, `providers/NAME.yaml`
    #[arg(long, value_name = "NAME|FILE")]
    provider: String,
    /// Where the sender's secret is: `env:NAME` or `file:/path`; for senders whose public key the gate has, a private key of the
    /// same kind in PEM (PKCS#8), as `openssl genpkey` makes it; senders that show nothing have none
    #[arg(long, value_name = "REFERENCE")]
    key: Option<String>,
    /// The body; a small test event if absent
    #[arg(long, value_name = "FILE")]
    pub(super) body: Option<PathBuf>,
    /// What the body is; `application/json` if absent, or a form for senders that send no other
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// The sender's id for the event, for senders that send one; a random one if absent
    #[arg(long)]
    id: Option<String>,
    /// What the policy says under `sender.config`, for senders that ask for it
    #[arg(long, value_name = "NAME=VALUE", value_parser = configured)]
    config: Vec<(String, String)>,
    /// The URL as the sender knows it, if that is not where it is sent
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

pub(super) const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const CONTENT_TYPE: &str = "Content-Type";

/// One event, and who signs it.
pub(super) struct TestEvent<'a> {
    pub(super) provider: &'a Provider,
    pub(super) key: &'a SigningKey,
    pub(super) id: &'a str,
    pub(super) content_type: &'a str,
    pub(super) body: &'a [u8],
    pub(super) config: &'a Config,
}

/// A POST that its receiver believes, for a while.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) url: String,
    /// `Content-Type` first, then what the sender adds.
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) at: Timestamp,
}

impl EventArgs {
    /// The entry of the sender.
    pub(super) fn provider(&self) -> anyhow::Result<Arc<Provider>> {
        if is_file(&self.provider) {
            return own(&self.provider);
        }
        let catalogue = Catalogue::embedded();
        let Some(provider) = catalogue.find(&self.provider) else {
            bail!(
                "unknown sender `{}`{}, or name the file of your own",
                self.provider,
                way_out(&self.provider, &catalogue)
            );
        };
        Ok(provider.clone())
    }

    /// What the policy would say.
    pub(super) fn config(&self) -> Config {
        self.config.iter().cloned().collect()
    }

    /// Signs it now; of a sender that signs nothing, this is all that it would send.
    ///
    /// # Errors
    /// The key or the body cannot be read, the key is none of this sender's kind, or something is no field of a header.
    pub(super) fn signed(&self, provider: &Provider, url: &str) -> anyhow::Result<Request> {
        let name = &provider.name;
        let key = match (&self.key, provider.scheme.shows_nothing()) {
            (None, true) => return self.shown(provider, url),
            (Some(_), true) => bail!("`{name}` signs nothing, so that no key is needed; leave out `--key`"),
            (None, false) => bail!("`{name}` shows who it is; say where its secret is, with `--key env:NAME`"),
            (Some(key), false) => key,
        };
        let config = self.config();
        if let Some(name) = provider.scheme.config().find(|name| !config.contains_key(*name)) {
            bail!("`{}` says whose it is; write `--config {name}=...` as in the policy", provider.name);
        }
        if let Some((name, why)) = provider.scheme.config_mistakes(&config).into_iter().next() {
            bail!("`--config {name}=...`: {why}");
        }
        let key = provider.scheme.signing_key_for(&config, &secret_text(key)?).context("`--key`")?;
        let id = self.id.clone().map_or_else(random_id, Ok)?;
        let usual = if provider.scheme.signs_forms() { FORM } else { JSON };
        let content_type = self.content_type.as_deref().unwrap_or(usual);
        HeaderValue::from_str(content_type).context("`--content-type` is no value of a header")?;
        let body = match &self.body {
            Some(path) => fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?,
            None if content_type == JSON => json_of(provider, &id),
            None if content_type == FORM => format!("id={id}&type=hookwarden.test&message=hello").into_bytes(),
            None => bail!("a test event is JSON or a form; with another `--content-type`, name a file with `--body`"),
        };
        let event = TestEvent { provider, key: &key, id: &id, content_type, body: &body, config: &config };
        let mut request = event.signed(url, self.public_url.as_deref());
        request.fields.extend(provider.scheme.config_fields(&config));
        request.say_type(provider);
        Ok(request)
    }

    /// What a sender sends that shows nothing: something that refers to an id of its kind.
    fn shown(&self, provider: &Provider, url: &str) -> anyhow::Result<Request> {
        let id = self.id.clone().map_or_else(random_id, Ok)?;
        let mut request = Request { url: url.to_owned(), fields: Vec::new(), body: Vec::new(), at: SystemClock.now() };
        let mut usual = None;
        if let Some(refers) = &provider.refers {
            let made = match (refers.example(&id), &self.id) {
                (Some(made), Some(id)) if made != *id => {
                    bail!("`{id}` is no id of `{}`, and would be refused; write one such as `{made}`", provider.name)
                }
                (Some(made), _) => refers.request(&made),
                (None, _) => bail!("no id can be made as `refers.like` has it; write one with `--id`"),
            };
            usual = made.content_type;
            request.body = made.body;
            request.fields.extend(made.field);
            if let Some(query) = made.query {
                request.url.push(if url.contains('?') { '&' } else { '?' });
                request.url.push_str(&query);
            }
        }
        if let Some(path) = &self.body {
            request.body = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        } else if request.body.is_empty() {
            request.body = json_of(provider, &id);
        }
        let content_type = self.content_type.as_deref().or(usual).unwrap_or(JSON);
        HeaderValue::from_str(content_type).context("`--content-type` is no value of a header")?;
        request.fields.insert(0, (CONTENT_TYPE.to_owned(), content_type.to_owned()));
        request.say_type(provider);
        Ok(request)
    }
}

/// What the body says that a test event is.
const TEST: &str = "hookwarden.test";

/// A small event as this sender writes one: its id and its kind are where the entry says that they are.
fn json_of(provider: &Provider, id: &str) -> Vec<u8> {
    let usual = |pointer: &str| matches!(pointer, "/id" | "/type");
    if provider.event_key.iter().map(String::as_str).chain(provider.type_member.as_deref()).all(usual) {
        return format!(r#"{{"id":"{id}","type":"{TEST}","data":{{"message":"hello"}}}}"#).into_bytes();
    }
    let named = provider.event_key.iter().map(String::as_str).chain(provider.type_member.as_deref());
    let is_list = named.clone().all(|pointer| pointer.starts_with("/0/")) && named.clone().next().is_some();
    let mut event =
        if is_list { Value::Null } else { json!({ "id": id, "type": TEST, "data": { "message": "hello" } }) };
    for (at, pointer) in provider.event_key.iter().enumerate() {
        json::put(&mut event, pointer, if at == 0 { id.into() } else { "test".into() });
    }
    if let Some(pointer) = &provider.type_member {
        json::put(&mut event, pointer, TEST.into());
    }
    event.to_string().into_bytes()
}

impl TestEvent<'_> {
    /// Signs it now, for this URL.
    pub(super) fn signed(&self, url: &str, public_url: Option<&str>) -> Request {
        let TestEvent { provider, key, id, content_type, body, config } = *self;
        let public = public_url.unwrap_or(url);
        let at = SystemClock.now();
        let what = Unsigned { method: &Method::POST, url: public, content_type, body, id, at };
        let Signed { url: made, fields, body: filled } = provider.scheme.sign_for(config, key, &what);
        // What the sender puts into the query goes to where it is sent, too.
        let url = format!("{url}{}", made.strip_prefix(public).unwrap_or_default());
        let mut all = vec![(CONTENT_TYPE.to_owned(), content_type.to_owned())];
        all.extend(fields);
        Request { url, fields: all, body: filled.unwrap_or_else(|| body.to_vec()), at }
    }
}

impl Request {
    /// With the header that says the kind of event, where its sender has one.
    fn say_type(&mut self, provider: &Provider) {
        let Some(header) = &provider.type_header else { return };
        if !self.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(header)) {
            self.fields.push((header.clone(), TEST.to_owned()));
        }
    }

    /// One that nobody signed.
    pub(super) fn bare(url: String) -> Self {
        let fields = vec![(CONTENT_TYPE.to_owned(), JSON.to_owned())];
        Self { url, fields, body: b"{}".to_vec(), at: SystemClock.now() }
    }
}

fn configured(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) fn random_id() -> anyhow::Result<String> {
    let mut bits = [0; 12];
    getrandom::fill(&mut bits).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(format!("msg_{}", data_encoding::HEXLOWER.encode(&bits)))
}

fn is_file(provider: &str) -> bool {
    provider.contains('/') || Path::new(provider).extension().is_some_and(|extension| extension == "yaml")
}

fn own(file: &str) -> anyhow::Result<Arc<Provider>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))?;
    match Provider::from_yaml(&text) {
        Ok(provider) => Ok(Arc::new(provider)),
        Err(_) => bail!("`{file}` is not in order; `hookwarden providers lint {file}` says what is wrong with it"),
    }
}

/// `env:NAME` or `file:/path`; a secret on a command line would be in the process list.
fn secret_text(reference: &str) -> anyhow::Result<Zeroizing<String>> {
    if let Some(name) = reference.strip_prefix("env:") {
        let text = policy_files::environment(name).with_context(|| format!("`{name}` is not in the environment"))?;
        Ok(Zeroizing::new(text))
    } else if let Some(path) = reference.strip_prefix("file:") {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read `{path}`"))?;
        Ok(Zeroizing::new(text))
    } else {
        bail!("write where the secret is, as `env:NAME` or `file:/path`; on a command line others could read it")
    }
}
