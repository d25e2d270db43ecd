//! URLs as a policy may write them: strict, because what is odd in a URL is a slip, or worse.

use http::Uri;

/// What a URL has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Scheme, host and port of what stands behind the gate, and nothing behind them.
    Origin,
    /// The same of the site as the world knows it.
    Site,
    /// With path and query.
    Whole,
}

/// The URL as it will be used.
///
/// # Errors
/// What is wrong with it. The text is not repeated: it may hold a password.
pub(super) fn read(text: &str, shape: Shape) -> Result<String, String> {
    let example = match shape {
        Shape::Site => "`https://shop.example`",
        Shape::Origin => "`http://127.0.0.1:8080`",
        Shape::Whole => "`https://shop.example/wp-json/hookwarden/v1/events`",
    };
    let wrong = |what: &str| Err(format!("{what}; write something such as {example}"));
    if text.contains('#') {
        return wrong("a fragment is never sent");
    }
    if text.chars().any(|odd| !odd.is_ascii_graphic()) {
        return wrong("a URL is ASCII without blanks");
    }
    let Ok(uri) = text.parse::<Uri>() else { return wrong("this is not a URL") };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return wrong("scheme or host is missing");
    };
    if !matches!(scheme, "http" | "https") {
        return wrong("the scheme is neither `http` nor `https`");
    }
    if authority.as_str().contains('@') {
        return wrong("a user or a password must not stand in a URL");
    }
    if let Err(what) = check_authority(authority.as_str()) {
        return wrong(&what);
    }
    match shape {
        Shape::Origin | Shape::Site if uri.path() != "/" && !uri.path().is_empty() || uri.query().is_some() => {
            wrong("nothing may follow host and port")
        }
        Shape::Origin | Shape::Site => Ok(format!("{scheme}://{authority}").to_ascii_lowercase()),
        Shape::Whole => Ok(text.to_owned()),
    }
}

/// Host, and port if it is written, of a URL that was read.
pub(super) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// A Host field: a name or an address, and perhaps a port.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_authority(text: &str) -> Result<(), String> {
    let parsed: Result<http::uri::Authority, _> = text.parse();
    let Ok(authority) = parsed else { return Err("this is not a host".to_owned()) };
    if authority.host().is_empty() || text.contains('@') {
        return Err("this is not a host".to_owned());
    }
    let port = text.strip_prefix(authority.host()).and_then(|rest| rest.strip_prefix(':'));
    match port.map(str::parse::<u16>) {
        None => Ok(()),
        Some(Ok(port)) if port > 0 => Ok(()),
        Some(Ok(_) | Err(_)) => Err("the port is no number from 1 to 65535".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_scheme_host_and_port() {
        for good in ["http://127.0.0.1:8080", "https://shop.example", "http://[::1]:80", "http://php/"] {
            assert!(read(good, Shape::Origin).is_ok(), "{good}");
        }
        for bad in [
            "127.0.0.1:8080",
            "ftp://shop.example",
            "http://",
            "http://a:b@shop.example",
            "http://shop.example/blog",
            "http://shop.example?a",
            "http://shop.example#a",
            "http://shop.example:0",
            "http://shop.example:65536",
            "http://shop example",
            "http://shöp.example",
            "http:/shop.example",
            "unix:/run/php.sock",
        ] {
            assert!(read(bad, Shape::Origin).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_whole_url_keeps_path_and_query_as_written() {
        let url = "https://shop.example/A/b?c=D";
        assert_eq!(read(url, Shape::Whole).as_deref(), Ok(url));
        assert!(read("https://shop.example/#a", Shape::Whole).is_err());
    }
}
