//! Microsoft Graph's change notifications: a list in the body, and in each item the word that the subscription was given.
//! One item without it would be anybody's.

use super::{ITEMS_MAX, Statement};
use crate::{
    json::{self, Kind, Node},
    verdict::Rejection,
};

pub(super) fn statements(raw: &[u8]) -> Result<Vec<Statement>, Rejection> {
    let document = json::read(raw).map_err(|_| Rejection::SignatureMissing)?;
    let list = document.find("/value").ok_or(Rejection::SignatureMissing)?;
    let Kind::Array(items) = &list.kind else { return Err(Rejection::SignatureMalformed) };
    if items.is_empty() || items.len() > ITEMS_MAX {
        return Err(Rejection::SignatureMalformed);
    }
    let statement = |item: &Node| {
        let word = item.find("/clientState").and_then(Node::text).ok_or(Rejection::SignatureMissing)?;
        Ok(Statement { claimed: Some(word.to_owned()), text: Vec::new(), body: false, sha1: false })
    };
    items.iter().map(statement).collect()
}

pub(super) fn body(given: &[u8], id: &str) -> Option<Vec<u8>> {
    if json::read(given).is_ok_and(|document| document.find("/value/0").is_some()) {
        return None;
    }
    let item = serde_json::json!({ "subscriptionId": id, "changeType": "updated", "resource": "users/1" });
    Some(serde_json::json!({ "value": [item] }).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_shows_the_word() {
        let read = |items: &str| statements(format!(r#"{{"value":[{items}]}}"#).as_bytes()).map(|all| all.len());
        let good = r#"{"clientState":"a"}"#;
        assert_eq!(read(good), Ok(1));
        assert_eq!(read(&format!("{good},{good}")), Ok(2));
        for bare in ["{}", r#"{"clientState":null}"#, r#"{"clientState":1}"#, "[]"] {
            assert_eq!(read(&format!("{good},{bare}")), Err(Rejection::SignatureMissing), "{bare}");
        }
        assert_eq!(read(""), Err(Rejection::SignatureMalformed));
        assert_eq!(read(&vec![good; ITEMS_MAX + 1].join(",")), Err(Rejection::SignatureMalformed));
    }
}
