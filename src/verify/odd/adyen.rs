//! Adyen's payment notifications: a list in the body, and in each item a signature of eight of its fields. Only what these
//! say is vouched for.

use super::{ITEMS_MAX, Statement};
use crate::{
    json::{self, Kind, Node},
    verdict::Rejection,
};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// In the order in which they are signed, with `:` between them.
const FIELDS: [&str; 8] = [
    "/pspReference",
    "/originalReference",
    "/merchantAccountCode",
    MERCHANT_REFERENCE,
    "/amount/value",
    "/amount/currency",
    "/eventCode",
    "/success",
];
/// The merchant's own word for the payment, which may have any letter in it.
const MERCHANT_REFERENCE: &str = "/merchantReference";

pub(super) fn statements(raw: &[u8]) -> Result<Vec<Statement>, Rejection> {
    items(raw)?.iter().map(Item::statement).collect()
}

/// A retry has the same reference, event and outcome, whatever else it says.
pub(super) fn id(raw: &[u8]) -> Result<String, Rejection> {
    let items = items(raw)?;
    let names: Vec<_> = items.iter().map(Item::name).collect::<Result<_, _>>()?;
    match names.as_slice() {
        [one] if one.len() <= ID_LENGTH_MAX => Ok(one.clone()),
        several => Ok(HEXLOWER.encode(&Sha256::digest(several.join(" ")))),
    }
}

/// Longer names are told by their digest.
const ID_LENGTH_MAX: usize = 128;

/// One notification, and the document's bytes.
struct Item<'a> {
    raw: &'a [u8],
    node: Node,
}

fn items(raw: &[u8]) -> Result<Vec<Item<'_>>, Rejection> {
    let document = json::read(raw).map_err(|_| Rejection::SignatureMissing)?;
    let list = document.find("/notificationItems").ok_or(Rejection::SignatureMissing)?;
    let Kind::Array(entries) = &list.kind else { return Err(Rejection::SignatureMalformed) };
    if entries.is_empty() || entries.len() > ITEMS_MAX {
        return Err(Rejection::SignatureMalformed);
    }
    let item = |entry: &Node| entry.find("/NotificationRequestItem").map(|node| Item { raw, node: node.clone() });
    entries.iter().map(|entry| item(entry).ok_or(Rejection::SignatureMissing)).collect()
}

impl Item<'_> {
    fn statement(&self) -> Result<Statement, Rejection> {
        let claimed = self.node.find("/additionalData/hmacSignature").and_then(Node::text);
        let claimed = claimed.ok_or(Rejection::SignatureMissing)?.to_owned();
        let fields: Vec<_> = FIELDS.iter().map(|field| self.field(field)).collect::<Result<_, _>>()?;
        Ok(Statement { claimed: Some(claimed), text: fields.join(":").into_bytes(), body: false, sha1: false })
    }

    fn name(&self) -> Result<String, Rejection> {
        let parts = ["/pspReference", "/eventCode", "/success"].map(|field| self.field(field));
        let [reference, event, success] = parts;
        let (reference, event) = (reference?, event?);
        if reference.is_empty() || event.is_empty() {
            return Err(Rejection::SignatureMalformed);
        }
        Ok(format!("{reference}/{event}/{}", success?))
    }

    /// What is not there is signed as nothing. A `:` moves what follows it into the next field, so that the same signature
    /// says something else: but for one field no value of Adyen's has one, and from both ends the fields can be told.
    fn field(&self, pointer: &str) -> Result<String, Rejection> {
        let Some(node) = self.node.find(pointer) else { return Ok(String::new()) };
        let text = match &node.kind {
            Kind::String(text) => text.to_string(),
            Kind::Null => String::new(),
            Kind::Bool(_) | Kind::Number(_) => {
                let written = self.raw.get(node.at.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok());
                written.ok_or(Rejection::SignatureMalformed)?.to_owned()
            }
            Kind::Array(_) | Kind::Object(_) => return Err(Rejection::SignatureMalformed),
        };
        if text.contains(':') && pointer != MERCHANT_REFERENCE {
            return Err(Rejection::SignatureMalformed);
        }
        Ok(text)
    }
}

pub(super) fn body(given: &[u8], id: &str) -> Option<Vec<u8>> {
    if items(given).is_ok() {
        return None;
    }
    let item = serde_json::json!({
        "pspReference": id, "merchantAccountCode": "Test", "merchantReference": "order:1",
        "amount": { "value": 1130, "currency": "EUR" }, "eventCode": "AUTHORISATION", "success": "true",
    });
    let body = serde_json::json!({ "live": "false", "notificationItems": [{ "NotificationRequestItem": item }] });
    Some(body.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(items: &str) -> Result<Vec<Statement>, Rejection> {
        statements(format!(r#"{{"notificationItems":[{items}]}}"#).as_bytes())
    }

    fn item(fields: &str) -> String {
        format!(r#"{{"NotificationRequestItem":{{{fields},"additionalData":{{"hmacSignature":"x"}}}}}}"#)
    }

    /// What Adyen's documentation signs, with `""` for what is missing.
    #[test]
    fn eight_fields_are_signed_in_their_order() {
        let fields =
            r#""pspReference":"7","merchantReference":"a:b","amount":{"value":10,"currency":"EUR"},"success":true"#;
        let made = of(&item(fields)).unwrap();
        assert_eq!(made[0].text, b"7:::a:b:10:EUR::true");
        assert_eq!(made[0].claimed.as_deref(), Some("x"));
    }

    #[test]
    fn a_colon_does_not_move_a_field() {
        for field in ["pspReference", "originalReference", "merchantAccountCode", "eventCode", "success"] {
            let moved = of(&item(&format!(r#""{field}":"a:b""#)));
            assert_eq!(moved, Err(Rejection::SignatureMalformed), "{field}");
        }
    }

    #[test]
    fn every_item_has_a_signature_of_its_own() {
        let good = item(r#""pspReference":"7""#);
        assert_eq!(of(&format!("{good},{good}")).unwrap().len(), 2);
        let bare = r#"{"NotificationRequestItem":{"pspReference":"8"}}"#;
        assert_eq!(of(&format!("{good},{bare}")), Err(Rejection::SignatureMissing));
        assert_eq!(of(&format!("{good},{{}}")), Err(Rejection::SignatureMissing));
        assert_eq!(of(""), Err(Rejection::SignatureMalformed));
        let many = vec![good.as_str(); ITEMS_MAX + 1].join(",");
        assert_eq!(of(&many), Err(Rejection::SignatureMalformed));
    }

    #[test]
    fn a_retry_has_the_same_name_and_another_outcome_has_not() {
        let named = |fields: &str| id(format!(r#"{{"notificationItems":[{}]}}"#, item(fields)).as_bytes());
        let first = named(r#""pspReference":"7","eventCode":"REFUND","success":"true""#);
        assert_eq!(first.as_deref(), Ok("7/REFUND/true"));
        assert_eq!(named(r#""pspReference":"7","eventCode":"REFUND","success":"true","reason":"x""#), first);
        assert_ne!(named(r#""pspReference":"7","eventCode":"REFUND","success":"false""#), first);
        assert_eq!(named(r#""eventCode":"REFUND""#), Err(Rejection::SignatureMalformed));
    }
}
