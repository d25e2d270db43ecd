//! What a policy writes under `at:`. (seam: to be written)

/// The identity of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// `path: /hooks/stripe`: anywhere in the path, in every reading of it.
    Path(String),
    /// `wc-api: wc_stripe`.
    WcApi(String),
    /// `rest: /shop/v1/orders`.
    Rest(String),
    /// `query: edd-listener=stripe`, on every PHP URL.
    Query {
        /// As PHP reads it.
        name: String,
        /// As PHP reads it.
        value: String,
    },
    /// `ajax: stripe_webhook`, on admin-ajax.php and admin-post.php.
    Ajax(String),
}
