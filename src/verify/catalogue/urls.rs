//! URLs in an entry: where the gate, or whoever fetches for it, will ask. What is odd in one is a slip, or the way to a
//! machine that nobody meant.

use crate::address::is_public;
use http::Uri;
use std::net::IpAddr;

/// Why nothing may be asked there. `private`: addresses that the internet does not reach are in order.
pub(in crate::verify) fn url_mistake(text: &str, private: bool) -> Option<String> {
    if text.contains('#') {
        return Some("a fragment is never sent; leave out `#` and what follows it".to_owned());
    }
    if text.bytes().any(|byte| !byte.is_ascii_graphic() || b"\\<>\"`{}|^".contains(&byte)) {
        return Some(
            "a URL is ASCII without blanks, braces and backslashes; percent-encode what has to be in it".to_owned(),
        );
    }
    let Ok(uri) = text.parse::<Uri>() else { return Some("this is no URL; write scheme, host and path".to_owned()) };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Some("scheme or host is missing; write something such as `https://api.vendor.example/v1`".to_owned());
    };
    if !matches!(scheme, "https" | "http") {
        return Some("the scheme is neither `https` nor `http`; write `https://`".to_owned());
    }
    if authority.as_str().contains('@') {
        return Some("a user or a password must not stand in a URL; leave it out".to_owned());
    }
    let port = authority.as_str().strip_prefix(authority.host()).and_then(|rest| rest.strip_prefix(':'));
    if port.is_some_and(|port| port.parse::<u16>().ok().is_none_or(|port| port == 0)) {
        return Some("the port is no number from 1 to 65535; leave it out for the usual one".to_owned());
    }
    let steps = uri.path().split('/').map(|step| step.to_ascii_lowercase().replace("%2e", "."));
    if steps.into_iter().any(|step| matches!(step.as_str(), "." | "..")) {
        return Some("`.` and `..` are no parts of a path; write it as it is meant".to_owned());
    }
    host_mistake(authority.host(), private)
}

fn host_mistake(host: &str, private: bool) -> Option<String> {
    let inside = || {
        format!(
            "`{host}` is no host of the internet, and nothing would be asked there; write the vendor's own, or \
             `private: allow` where the entry has that key"
        )
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return (!private && !is_public(address)).then(inside);
    }
    let labels: Vec<_> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let last = labels.last().copied().unwrap_or_default().to_ascii_lowercase();
    // As a browser would read `127.1` and `0x7f.1`: an address in another spelling.
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return Some(format!("`{host}` would be read as an address by some; write a name, or the whole address"));
    }
    if !is_host(host) {
        return Some(format!("`{host}` is no host; write a name such as `api.vendor.example`"));
    }
    let local = labels.len() < 2 || matches!(last.as_str(), "localhost" | "local" | "internal");
    (!private && local).then(inside)
}

/// The name of a host, as certificates and DNS have it (RFC 1123 section 2.1).
pub(in crate::verify) fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.strip_suffix('.').unwrap_or(name).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_internet_has_is_asked() {
        for good in ["https://api.mollie.com/v2/payments/x", "http://api.example:8080/a?b=c", "https://1.1.1.1/x"] {
            assert_eq!(url_mistake(good, false), None, "{good}");
        }
        for (bad, why) in [
            ("https://a@api.example/x", "a user"),
            ("https://api.example/x#a", "a fragment"),
            ("https://api.example:0/x", "the port"),
            ("https://api.example:/x", "the port"),
            ("https://api.example:65536/x", "the port"),
            ("https://api.example/../x", "`..`"),
            ("https://api.example/a/%2E%2e/x", "`..`"),
            ("https://api.example/./x", "`..`"),
            ("https://api.example/a\\b", "backslashes"),
            ("https://api.example/a b", "blanks"),
            ("https://api.example/{ID}", "braces"),
            ("ftp://api.example/x", "the scheme"),
            ("/x", "scheme or host"),
            ("https://localhost/x", "no host of the internet"),
            ("https://localhost./x", "no host of the internet"),
            ("https://a.localhost/x", "no host of the internet"),
            ("https://api/x", "no host of the internet"),
            ("https://printer.local/x", "no host of the internet"),
            ("https://metadata.google.internal/x", "no host of the internet"),
            ("https://127.0.0.1/x", "no host of the internet"),
            ("https://10.0.0.1/x", "no host of the internet"),
            ("https://169.254.169.254/x", "no host of the internet"),
            ("https://[::1]/x", "no host of the internet"),
            ("https://[fe80::1]/x", "no host of the internet"),
            ("https://[::ffff:1.1.1.1]/x", "no host of the internet"),
            ("https://127.1/x", "read as an address"),
            ("https://2130706433/x", "read as an address"),
            ("https://0x7f000001/x", "read as an address"),
            ("https://-a.example/x", "is no host"),
            ("https://a..example/x", "is no host"),
        ] {
            let told = url_mistake(bad, false).unwrap_or_else(|| panic!("{bad} is taken"));
            assert!(told.contains(why), "{bad}: {told}");
        }
        for private in ["https://127.0.0.1/x", "http://[::1]:8080/x", "http://api/x", "http://localhost/x"] {
            assert_eq!(url_mistake(private, true), None, "{private}");
        }
    }
}
