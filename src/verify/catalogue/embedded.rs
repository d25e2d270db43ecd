//! The files of `policies/providers/`, in alphabetical order. A test holds that none is missing.

/// One sender each.
pub(super) const FILES: &[&str] = &[
    include_str!("../../../policies/providers/github.yaml"),
    include_str!("../../../policies/providers/shopify.yaml"),
    include_str!("../../../policies/providers/shopify-events.yaml"),
    include_str!("../../../policies/providers/slack.yaml"),
    include_str!("../../../policies/providers/standard-webhooks.yaml"),
    include_str!("../../../policies/providers/stripe.yaml"),
    include_str!("../../../policies/providers/svix.yaml"),
    include_str!("../../../policies/providers/woocommerce.yaml"),
];
