//! Whether everything was signed that an odd sender signs, and by one key.

use super::{
    Account, Scheme,
    algorithm::Algorithm,
    authenticate::{Authentic, Lifetime, plain_id},
    parts::{Piece, Told},
};
use crate::{
    request::Unverified,
    verdict::Rejection,
    verify::{
        Key,
        odd::{Odd, Seen, Statement},
    },
};
use std::borrow::Cow;

impl Scheme {
    pub(super) fn authenticate_odd<'a>(
        &'a self,
        odd: Odd,
        keys: &[&'a Key],
        request: &'a Unverified,
        account: Account<'_>,
    ) -> Result<Authentic<'a>, Rejection> {
        let told = Told::by(request, None);
        // Where each statement has its own signature, the first of them stands here.
        let (claimed, _) = self.signature.claimed(&told, account.config)?;
        let base = account.public_url.map(|url| url.trim_end_matches('/'));
        let statements =
            odd.statements(Seen { head: &request.head, raw: &request.raw, base, config: account.config })?;
        let id = match &self.id {
            Some(place) => Some(place.read(&told).and_then(plain_id)?),
            None => odd.id(&request.raw)?,
        };
        let signed_at = match &self.time {
            Some(time) => Some(time.format.read(&time.from.read(&told)?).ok_or(Rejection::SignatureMalformed)?),
            None => None,
        };
        if keys.is_empty() {
            return Err(Rejection::NoKey);
        }
        let shared: Vec<_> = claimed.iter().map(|claim| claim.signature.as_slice()).collect();
        let mut found = None;
        for key in keys {
            let mut all = !statements.is_empty();
            for statement in &statements {
                all &= self.holds(statement, key, &shared, &request.raw);
            }
            if all {
                found = Some(*key);
            }
        }
        let key = found.ok_or(Rejection::SignatureMismatch)?;
        let pieces = |statement: Statement| {
            let body = statement.body.then_some(Piece::Body(&request.raw));
            std::iter::once(Piece::Text(Cow::Owned(statement.text))).chain(body)
        };
        let (key_id, lifetime) = (key.id.clone(), Lifetime::default());
        let signed = statements.into_iter().flat_map(pieces).collect();
        Ok(Authentic { key_id, signed, id, signed_at, lifetime, covers_body: true })
    }

    fn holds(&self, statement: &Statement, key: &Key, shared: &[&[u8]], raw: &[u8]) -> bool {
        let own = statement.claimed.as_ref().map(|text| self.signature.encoding.read(text).unwrap_or_default());
        let own = own.as_deref();
        let claimed = own.as_ref().map_or(shared, std::slice::from_ref).iter().copied();
        let body = if statement.body { raw } else { b"" };
        let algorithm = if statement.sha1 { Algorithm::RsaSha1 } else { self.algorithm };
        algorithm.authenticates(&key.secret, &[&statement.text, body], claimed)
    }
}
