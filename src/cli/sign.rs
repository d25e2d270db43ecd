//! `hookwarden sign`: the request that its sender would send, for whatever sends it.

use super::{
    out::out,
    signing::{EventArgs, Request},
};
use crate::{policy, verify::Config};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where it will be sent, such as `http://127.0.0.1:8080/hooks/github`
    url: String,
    #[command(flatten)]
    event: EventArgs,
    /// How it is printed
    #[arg(long = "as", value_enum, default_value_t = Form::Curl)]
    form: Form,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    /// A command for a shell
    Curl,
    /// A file for an editor's HTTP client (`.http`)
    Http,
    /// A line for `hookwarden verify`, but for the `secrets`, which are never printed
    Json,
}

/// Runs it.
///
/// # Errors
/// The key or the body cannot be read, or the key is none of the sender's kind.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let provider = args.event.provider()?;
    let request = args.event.signed(&provider, &args.url)?;
    let body = args.event.body.as_deref();
    let text = match args.form {
        Form::Curl => curl(&request, body),
        Form::Http => http_file(&request, body),
        Form::Json => line(&request, &provider.name, &args.event.config()),
    };
    out().write_all(text.as_bytes())?;
    if provider.scheme.shows_nothing() {
        let _ = writeln!(
            io::stderr(),
            "`{}` signs nothing: this is all that it sends, and anybody could send it; a policy holds it to its address, or \
             asks the vendor about it",
            provider.name
        );
    }
    if let Some(max_age) = provider.max_age {
        let _ = writeln!(io::stderr(), "its time is signed: it is good for {}", policy::written_time(max_age));
    }
    Ok(ExitCode::SUCCESS)
}

/// A body from a file is sent from there, byte by byte.
fn curl(Request { url, fields, body, .. }: &Request, file: Option<&Path>) -> String {
    let mut text = format!("curl --request POST {}", quoted(url));
    for (name, value) in fields {
        text.push_str(&format!(" \\\n  --header {}", quoted(&format!("{name}: {value}"))));
    }
    let data = match file {
        Some(file) => format!("@{}", file.display()),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    text.push_str(&format!(" \\\n  --data-binary {}\n", quoted(&data)));
    text
}

fn http_file(Request { url, fields, body, .. }: &Request, file: Option<&Path>) -> String {
    let mut text = format!("POST {url} HTTP/1.1\n");
    for (name, value) in fields {
        text.push_str(&format!("{name}: {value}\n"));
    }
    match file {
        Some(file) => text.push_str(&format!("\n< {}\n", file.display())),
        // A line end would be one of the body, and is not signed.
        None => text.push_str(&format!("\n{}", String::from_utf8_lossy(body))),
    }
    text
}

fn line(Request { url, fields, body, at }: &Request, provider: &str, config: &Config) -> String {
    let headers: Map<String, Value> = fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut line = json!({
        "id": 1, "scheme": provider, "method": "POST", "url": url, "headers": headers,
        "body_base64": BASE64.encode(body), "now_unix": at.unix_s(),
    });
    if let Some(members) = line.as_object_mut().filter(|_| !config.is_empty()) {
        members.insert("config".to_owned(), json!(config));
    }
    format!("{line}\n")
}

/// One word for any shell of POSIX.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
