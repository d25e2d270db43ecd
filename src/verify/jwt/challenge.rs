//! What a client hears in `WWW-Authenticate` (RFC 6750 section 3). Which check failed is for the log alone.

use crate::verdict::{TokenError, TokenFlaw};

/// The field's value. `realm` is the route's name; `scopes` are named only to a client that has shown a good token.
/// Both come from a policy that let through nothing a quoted string cannot hold.
pub fn challenge(flaw: TokenFlaw, realm: &str, scopes: &[String]) -> String {
    match flaw.error() {
        // Section 3.1: a request without authentication information should not be told an error code.
        TokenError::None => format!(r#"Bearer realm="{realm}""#),
        TokenError::InvalidRequest => format!(r#"Bearer realm="{realm}", error="invalid_request""#),
        TokenError::Invalid => format!(r#"Bearer realm="{realm}", error="invalid_token""#),
        TokenError::InsufficientScope => {
            format!(r#"Bearer realm="{realm}", error="insufficient_scope", scope="{}""#, scopes.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_four_things_apart_and_no_more() {
        let scopes = ["orders".to_owned(), "stock".to_owned()];
        let mut told: Vec<_> = TokenFlaw::ALL.iter().map(|flaw| challenge(*flaw, "orders-api", &scopes)).collect();
        told.sort();
        told.dedup();
        let wanted = [
            r#"Bearer realm="orders-api""#,
            r#"Bearer realm="orders-api", error="insufficient_scope", scope="orders stock""#,
            r#"Bearer realm="orders-api", error="invalid_request""#,
            r#"Bearer realm="orders-api", error="invalid_token""#,
        ];
        assert_eq!(told, wanted);
    }
}
