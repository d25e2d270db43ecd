//! In which reading does a head mean a guarded endpoint? For people who ask why a request was taken for one.

use super::{Guards, read, table::Matches};
use crate::request::Head;
use std::fmt;

/// One reading of a head that means a guarded endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The path as it came.
    Path,
    /// The path in another spelling: what it reads as.
    Spelt(String),
    /// A parameter of the query, by the name that PHP reads.
    Parameter(String),
}

impl Guards {
    /// Every reading that means one, with the index of its route; each once.
    pub fn readings(&self, head: &Head) -> Vec<(usize, Reading)> {
        let Some(table) = &self.table else { return Vec::new() };
        let mut found = Vec::new();
        let mut add = |matches: Matches, reading: Reading| {
            let new = matches.route.map(|route| (route, reading));
            found.extend(new.filter(|new| found.len() < READINGS_MAX && !found.contains(new)));
        };
        head.target.each_path(|segments| {
            let spelt =
                segments.iter().map(|segment| format!("/{}", String::from_utf8_lossy(segment))).collect::<String>();
            let is_plain = spelt == head.target.path().trim_end_matches('/');
            add(table.path(segments), if is_plain { Reading::Path } else { Reading::Spelt(spelt) });
        });
        let ajax = read(table, head).ajax;
        for (name, value) in head.target.parameters() {
            let mut matches = match name.as_ref() {
                b"wc-api" => table.wc_api(&value),
                b"rest_route" => table.rest(&value),
                b"action" if ajax => table.ajax(&value),
                _ => Matches::default(),
            };
            matches.join(table.query(&name, &value));
            add(matches, Reading::Parameter(String::from_utf8_lossy(&name).into_owned()));
        }
        found
    }
}

/// More ways to say the same are of no interest.
const READINGS_MAX: usize = 8;

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("the path as it came"),
            Self::Spelt(path) => write!(f, "the path, read as `{path}`"),
            Self::Parameter(name) => write!(f, "the parameter `{name}` of the query"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{guard::Selector, request::Target};
    use http::{HeaderMap, Method};

    fn readings(target: &str) -> Vec<String> {
        let selectors = [Selector::path("/hooks/shop").unwrap(), Selector::rest("/shop/v1/orders").unwrap()];
        let guards = Guards::new(selectors.into_iter().enumerate().map(|(index, selector)| (selector, index)));
        let (host, headers, client) = (String::new(), HeaderMap::new(), [127, 0, 0, 1].into());
        let head = Head { method: Method::POST, target: Target::parse(target).unwrap(), host, headers, client };
        guards.readings(&head).into_iter().map(|(index, reading)| format!("{index}: {reading}")).collect()
    }

    #[test]
    fn it_is_told_which_spelling_meant_the_endpoint() {
        assert_eq!(readings("/hooks/shop"), ["0: the path as it came"]);
        assert_eq!(readings("//Hooks/%73hop/")[0], "0: the path, read as `/hooks/shop`");
        assert_eq!(readings("/?rest.route=/shop/v1/orders"), ["1: the parameter `rest_route` of the query"]);
        assert_eq!(readings("/wp-json/shop/v1/orders/7"), ["1: the path as it came"]);
        assert_eq!(readings("/about"), [""; 0]);
    }
}
