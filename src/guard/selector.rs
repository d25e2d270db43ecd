//! What a policy writes under `at:`.

use crate::request::target::php;
use std::{borrow::Cow, fmt};

/// The identity of one endpoint. Made by the constructors, which bring names into the one form that is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// `path: /hooks/stripe`: these segments, whole, anywhere in the path, with whatever follows, in every reading.
    Path(String),
    /// `wc-api: wc_stripe`.
    WcApi(String),
    /// `rest: /shop/v1/orders`: this route, and those below it.
    Rest(String),
    /// `query: edd-listener=stripe`, on every URL; `query: wppusher-hook` with any value or none.
    Query {
        /// As PHP reads it.
        name: String,
        /// In the form that is compared; absent: any.
        value: Option<String>,
    },
    /// `ajax: stripe_webhook`, on admin-ajax.php and admin-post.php.
    Ajax(String),
}

impl Selector {
    /// `path: /hooks/stripe`.
    ///
    /// # Errors
    /// What is wrong with the text, and what to write instead.
    pub fn path(text: &str) -> Result<Self, String> {
        let path = segments(text)?;
        if path.is_empty() {
            return Err("`/` would guard the whole site: name an endpoint, like `path: /hooks/stripe`".to_owned());
        }
        let other = |kind: &str, missed: &str| {
            Err(format!("`{text}` also answers as `{missed}`, which a path cannot see: write `{kind}` instead"))
        };
        let after =
            |name: &str| path.split_once(name).filter(|(before, _)| before.ends_with('/')).map(|(_, after)| after);
        if let Some(route) = after("wp-json").filter(|route| route.starts_with('/') || route.is_empty()) {
            let route = if route.is_empty() { "/namespace/v1/route" } else { route };
            return other(&format!("rest: {route}"), "?rest_route=");
        }
        if let Some(name) = after("wc-api").filter(|name| name.starts_with('/') || name.is_empty()) {
            let name = name.split('/').nth(1).unwrap_or("NAME");
            return other(&format!("wc-api: {name}"), "?wc-api=");
        }
        if path.split('/').any(|segment| AJAX_SCRIPTS.contains(&segment.as_bytes())) {
            return Err(format!("`{text}` serves every action: write `ajax: ACTION` for the one to guard"));
        }
        Ok(Self::Path(path))
    }

    /// `wc-api: wc_stripe`, as in `/?wc-api=wc_stripe`.
    ///
    /// # Errors
    /// What is wrong with the text, and what to write instead.
    pub fn wc_api(text: &str) -> Result<Self, String> {
        named(text, "wc-api: wc_stripe").map(Self::WcApi)
    }

    /// `rest: /shop/v1/orders`, as in `/wp-json/shop/v1/orders`.
    ///
    /// # Errors
    /// What is wrong with the text, and what to write instead.
    pub fn rest(text: &str) -> Result<Self, String> {
        // WordPress takes a route for a regular expression. A dot in it means any byte, which the guard knows too.
        if text.contains(['(', ')', '[', ']', '{', '}', '*', '+', '?', '^', '$', '|', '\\']) {
            return Err(format!(
                "`{text}` is a pattern: write the part before it, like `rest: /shop/v1/orders`; routes below are guarded too"
            ));
        }
        let route = segments(text)?;
        if let Some(rest) = route.strip_prefix("/wp-json").filter(|rest| rest.starts_with('/')) {
            return Err(format!("write the route without `/wp-json`: `rest: {rest}`"));
        }
        if route.is_empty() {
            return Err("`/` would guard every REST route: name one, like `rest: /shop/v1/orders`".to_owned());
        }
        if route == "/batch/v1" || route == "/batch" {
            return Err(
                "the batch endpoint is refused wherever a `rest:` route is guarded: name the route itself".to_owned()
            );
        }
        Ok(Self::Rest(route))
    }

    /// `query: edd-listener=stripe`, as in `/?edd-listener=stripe`; a name alone means any value.
    ///
    /// # Errors
    /// What is wrong with the text, and what to write instead.
    pub fn query(text: &str) -> Result<Self, String> {
        let (raw_name, raw_value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let example = "query: edd-listener=stripe";
        if text.starts_with('?') || text.contains(['&', '%', '+', '#']) {
            return Err(format!("`{text}` is more than one decoded `NAME=VALUE`: write it like `{example}`"));
        }
        let name = String::from_utf8_lossy(&php::name(Cow::Borrowed(raw_name.as_bytes()))).into_owned();
        if name.is_empty() {
            return Err(format!("`{text}` has no name: write it like `{example}`"));
        }
        let instead = match name.as_str() {
            "wc-api" => Some("wc-api"),
            "rest_route" => Some("rest"),
            _ => None,
        };
        if let Some(kind) = instead {
            let value = raw_value.unwrap_or("NAME");
            return Err(format!("`{name}` also answers as a path and in forms: write `{kind}: {value}` instead"));
        }
        let value = raw_value.map(|value| named(value, example)).transpose()?;
        Ok(Self::Query { name, value })
    }

    /// `ajax: stripe_webhook`, as in `/wp-admin/admin-ajax.php?action=stripe_webhook`.
    ///
    /// # Errors
    /// What is wrong with the text, and what to write instead.
    pub fn ajax(text: &str) -> Result<Self, String> {
        named(text, "ajax: stripe_webhook").map(Self::Ajax)
    }

    /// A target that this selects, as senders are told it.
    pub fn example(&self) -> String {
        match self {
            Self::Path(path) => path.clone(),
            Self::WcApi(name) => format!("/?wc-api={name}"),
            Self::Rest(route) => format!("/wp-json{route}"),
            Self::Query { name, value: Some(value) } => format!("/?{name}={value}"),
            Self::Query { name, value: None } => format!("/?{name}=1"),
            Self::Ajax(action) => format!("/wp-admin/admin-ajax.php?action={action}"),
        }
    }

    /// Whether requests for the other endpoint could not be told from requests for this one: the same endpoint, or one
    /// that a selector of another kind also finds, so that it would always be refused as ambiguous.
    ///
    /// Of the same kind the narrower one wins: `/hooks` does not cover `/hooks/stripe`.
    pub fn covers(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let within = |whole: &str, part: &str| format!("{whole}/").contains(&format!("{part}/"));
        match (self, other) {
            (Self::Path(path), Self::Rest(route)) => within(&format!("/wp-json{route}"), path),
            (Self::Path(path), Self::WcApi(name)) => within(&format!("/wc-api/{name}"), path),
            (Self::Path(path), Self::Ajax(_)) => path == "/wp-admin",
            (Self::Query { name, value }, Self::Ajax(action)) => {
                name == "action" && value.as_ref().is_none_or(|value| value == action)
            }
            (Self::Path(_) | Self::WcApi(_) | Self::Rest(_) | Self::Query { .. } | Self::Ajax(_), _) => false,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "path: {path}"),
            Self::WcApi(name) => write!(f, "wc-api: {name}"),
            Self::Rest(route) => write!(f, "rest: {route}"),
            Self::Query { name, value: Some(value) } => write!(f, "query: {name}={value}"),
            Self::Query { name, value: None } => write!(f, "query: {name}"),
            Self::Ajax(action) => write!(f, "ajax: {action}"),
        }
    }
}

/// Both dispatch `wp_ajax_nopriv_ACTION` or `admin_post_nopriv_ACTION` from `$_REQUEST['action']`.
pub(super) const AJAX_SCRIPTS: [&[u8]; 2] = [b"admin-ajax.php", b"admin-post.php"];

/// The form of a name or value that is compared: WordPress's `sanitize_key`, lower case and nothing but `[a-z0-9_-]`.
pub(super) fn key(text: &[u8]) -> Vec<u8> {
    let kept = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    text.iter().filter(|byte| kept(byte)).map(u8::to_ascii_lowercase).collect()
}

/// As [`key`], of what `sanitize_text_field` leaves: it cuts escapes out that survived decoding, again and again, so that
/// `wc_%2541stripe` is `wc_stripe`. Absent if that makes no difference.
pub(super) fn sanitized_key(text: &[u8]) -> Option<Vec<u8>> {
    if !text.contains(&b'%') {
        return None;
    }
    let mut kept: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text {
        kept.push(*byte);
        let start = kept.len().saturating_sub(3);
        let last = kept.get(start..).and_then(|last| last.strip_prefix(b"%"));
        if last.is_some_and(|digits| php::escape(digits).is_some()) {
            kept.truncate(start);
        }
    }
    Some(key(&kept))
}

/// A name that survives [`key`] as it stands, but for its case.
fn named(text: &str, example: &str) -> Result<String, String> {
    let name = text.trim();
    if let Some(odd) = name.chars().find(|odd| matches!(odd, '/' | '?' | '=' | '&' | '%' | '<' | '>')) {
        return Err(format!("`{text}` has `{odd}` in it: write the name alone, like `{example}`"));
    }
    let name = String::from_utf8_lossy(&key(name.as_bytes())).into_owned();
    if name.is_empty() {
        return Err(format!("`{text}` has no letter or digit: write it like `{example}`"));
    }
    Ok(name)
}

/// `/a/b` in lower case, without a slash at the end; empty for `/`.
fn segments(text: &str) -> Result<String, String> {
    let Some(path) = text.strip_prefix('/') else {
        if let Some((_, rest)) = text.split_once("://") {
            let path = rest.split(['?', '#']).next().unwrap_or_default().split_once('/').map_or("", |(_, path)| path);
            return Err(format!("`{text}` is a URL: write its path alone, `/{path}`"));
        }
        return Err(format!("`{text}` does not begin with `/`: write `/{}`", text.trim_start()));
    };
    if let Some((path, _)) = text.split_once(['?', '#']) {
        return Err(format!("`{text}` has more than a path: write `{path}`, or `query: NAME=VALUE` for the query"));
    }
    if let Some(odd) = path.chars().find(|odd| !odd.is_ascii_graphic() || matches!(odd, '%' | '\\')) {
        return Err(format!("`{text}` has `{}` in it: write it decoded, in ASCII", odd.escape_default()));
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(String::new());
    }
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(format!("`{text}` has an empty segment, `.` or `..` in it: write the path that it means"));
    }
    Ok(format!("/{}", path.to_ascii_lowercase()))
}
