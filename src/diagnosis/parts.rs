//! Is all of it good but for one part: an account that it names, or one item of several?

use super::{
    Cause, Examination, Fit,
    cause::{Area, By, Code},
    entry::Entry,
};
use crate::{json, request::Unverified};
use serde_json::{Map, Value};

/// More items in one request than the gate reads.
const ITEMS_MAX: usize = 256;

impl Examination<'_> {
    /// What the sender has to say beside its signature: a version, an account.
    pub(super) fn by_account(&mut self, entry: &Entry) {
        let (request, url) = (self.patient.request, self.patient.public_url());
        for (place, wanted) in entry.required() {
            let without = entry.with(|scheme| {
                if let Some(required) = scheme.get_mut("require").and_then(Value::as_object_mut) {
                    required.remove(&place);
                }
            });
            let Some(held) = without.and_then(|it| self.trials.one(Area::Scheme, &it, &self.keys, request, url)) else {
                continue;
            };
            let at = place.split_once(':').map_or(place.as_str(), |(_, name)| name);
            let cause = if let Some(name) = wanted.strip_prefix("config:") {
                let what = format!(
                    "the signature is good, and `{at}` does not say what the policy says (`config: {{ {name}: ... }}`)"
                );
                let mend = format!(
                    "if that is your own account at the sender, write into `{name}` what its settings show; if it is not, this is somebody else's"
                );
                Cause::new(Code::AccountOther, Area::Scheme, By::Operator, what, mend)
            } else {
                let what =
                    format!("the signature is good, and `{at}` does not say `{wanted}`, as this sender's requests do");
                let mend = "is it a new version of the sender's? then its signature may mean something else; look at its documentation";
                Cause::new(Code::AccountOther, Area::Scheme, By::Sender, what, mend)
            };
            self.found.push(Fit { causes: vec![cause], held });
        }
    }

    /// Of a list whose items are each signed, or each show the secret: which of them?
    pub(super) fn by_item(&mut self, entry: &Entry) {
        let list = match entry.odd() {
            "adyen-payments" => "notificationItems",
            "microsoft-graph" => "value",
            _ => return,
        };
        let request = self.patient.request;
        let Ok(document) = json::read(&request.raw) else { return };
        let Some(items) = document.to_value().get(list).and_then(Value::as_array).cloned() else { return };
        if items.len() < 2 || items.len() > ITEMS_MAX {
            return;
        }
        let (mut good, mut bad) = (None, Vec::new());
        for (number, item) in items.iter().enumerate() {
            let alone = Value::Object(Map::from_iter([(list.to_owned(), Value::Array(vec![item.clone()]))]));
            let altered = Unverified { head: request.head.clone(), raw: alone.to_string().into() };
            let (provider, url) = (self.patient.webhook.provider(), self.patient.public_url());
            match self.trials.one(Area::Body, provider, &self.keys, &altered, url) {
                Some(held) => good = Some(held),
                None => bad.push((number + 1).to_string()),
            }
        }
        let Some(held) = good.filter(|_| !bad.is_empty()) else { return };
        let (which, are) = (bad.join(", "), if bad.len() == 1 { "is" } else { "are" });
        let what = format!(
            "of {} items all are as they should be but number {which}, which {are} not this sender's, or {are} changed",
            items.len()
        );
        let mend = "one that is not good makes all of them refused: somebody else's items, or another account's, must not be put into the same list";
        self.found.push(Fit { causes: vec![Cause::new(Code::ItemOther, Area::Body, By::Proxy, what, mend)], held });
    }
}
