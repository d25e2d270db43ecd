//! What a call is answered with.

use crate::verify::{
    catalogue::{Mistakes, has_no_body},
    handshake::{
        Made, Of, Reply, Said, Written,
        call::Place,
        text::{MadeText, ReplyText},
    },
};
use http::HeaderName;
use serde_json::Value;
use serde_saphyr::Spanned;

impl Reply {
    pub(super) fn compile(text: &ReplyText, name: &Spanned<String>, wrong: &mut Mistakes) -> Option<Self> {
        let ReplyText { status, echo, text, members, headers } = text;
        let status = status.unwrap_or(200);
        if !(200..300).contains(&status) {
            wrong.at(name, format!("a call is answered with a status from 200 to 299, and not with {status}"));
        }
        let says_nothing = echo.is_none() && text.is_empty() && members.is_empty();
        if has_no_body(status) && !says_nothing {
            wrong.at(name, format!("an answer with {status} has no body; write 200, or leave the body out"));
        }
        let body = match (echo, text.is_empty(), members.is_empty()) {
            (None, true, true) => Some(Said::Nothing),
            (Some(place), true, true) => {
                let echo =
                    Place::compile(place, wrong).map(|place| Made { prefix: String::new(), of: Of::Echo(place) });
                echo.map(|echo| Said::Text(vec![echo]))
            }
            (None, false, true) => {
                let parts = text.iter().map(|part| Made::compile("text", part, name, wrong));
                parts.collect::<Option<_>>().map(Said::Text)
            }
            (None, true, false) => {
                let members = members
                    .iter()
                    .map(|(member, text)| Some((member.clone(), Made::compile(member, text, name, wrong)?)));
                members.collect::<Option<_>>().map(Said::Members)
            }
            _ => {
                wrong.at(name, "an answer is a text or an object: one of `echo`, `text` and `members`");
                None
            }
        };
        let headers = headers
            .iter()
            .map(|(field, text)| Some((self::field(field, name, wrong)?, value(field, text, name, wrong)?)));
        let headers = headers.collect::<Option<_>>();
        Some(Self { status, body: body?, headers: headers? })
    }
}

/// Fields that only the vendor reads: no browser, no cache and no proxy on the way.
fn field(field: &str, name: &Spanned<String>, wrong: &mut Mistakes) -> Option<HeaderName> {
    let lower = field.to_ascii_lowercase();
    let heard = ["x-accel-", "x-content-", "x-frame-", "x-request-", "x-forwarded-", "x-sendfile"];
    let own = (lower.starts_with("x-") || lower.starts_with("webhook-"))
        && !heard.iter().any(|prefix| lower.starts_with(prefix));
    let parsed = lower.parse::<HeaderName>().ok().filter(|_| own);
    if parsed.is_none() {
        let message = format!(
            "`{field}` is no field that the vendor alone reads; those begin with `X-` or `WebHook-`, and mean nothing to browsers and proxies"
        );
        wrong.at(name, message);
    }
    parsed
}

/// What a field can hold: anything else would leave the vendor without an answer, or begin a field of its own.
fn value(field: &str, text: &MadeText, name: &Spanned<String>, wrong: &mut Mistakes) -> Option<Made> {
    let line = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let is_line = match &text.is {
        None => true,
        Some(Value::String(text)) => line(text) && text.trim() == text && !text.is_empty(),
        Some(value) => !value.is_object() && !value.is_array() && !value.is_null(),
    };
    if !is_line || !text.prefix.as_deref().is_none_or(line) {
        wrong.at(name, format!("`{field}` holds one line of ASCII, and this is none; write such a text"));
    }
    Made::compile(field, text, name, wrong)
}

impl Made {
    fn compile(part: &str, text: &MadeText, name: &Spanned<String>, wrong: &mut Mistakes) -> Option<Self> {
        let MadeText { prefix, is, echo, hmac_hex, hmac_base64, config } = text;
        let of = match (is, echo, hmac_hex, hmac_base64, config) {
            (Some(value), None, None, None, None) => Of::Is(value.clone()),
            (None, Some(place), None, None, None) => Of::Echo(Place::compile(place, wrong)?),
            (None, None, Some(place), None, None) => Of::Mac(Written::Hex, Place::compile(place, wrong)?),
            (None, None, None, Some(place), None) => Of::Mac(Written::Base64, Place::compile(place, wrong)?),
            (None, None, None, None, Some(config)) => Of::Config(wrong.config_name(config, &config.value)?),
            _ => {
                let message =
                    format!("how is `{part}` made? write one of `is`, `echo`, `hmac_hex`, `hmac_base64` and `config`");
                wrong.at(name, message);
                return None;
            }
        };
        Some(Self { prefix: prefix.clone().unwrap_or_default(), of })
    }
}

impl Of {
    /// Where in the call it is from.
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::Echo(place) | Self::Mac(_, place) => Some(place),
            Self::Is(_) | Self::Config(_) => None,
        }
    }
}
