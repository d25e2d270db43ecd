//! The files of `policies/providers/`, in alphabetical order. A test holds that none is missing.

/// One sender each.
pub(super) const FILES: &[&str] = &[
    include_str!("../../../policies/providers/discord.yaml"),
    include_str!("../../../policies/providers/github.yaml"),
    include_str!("../../../policies/providers/hubspot.yaml"),
    include_str!("../../../policies/providers/meta.yaml"),
    include_str!("../../../policies/providers/paddle.yaml"),
    include_str!("../../../policies/providers/pagerduty.yaml"),
    include_str!("../../../policies/providers/sendgrid.yaml"),
    include_str!("../../../policies/providers/shopify.yaml"),
    include_str!("../../../policies/providers/shopify-events.yaml"),
    include_str!("../../../policies/providers/slack.yaml"),
    include_str!("../../../policies/providers/square.yaml"),
    include_str!("../../../policies/providers/standard-webhooks.yaml"),
    include_str!("../../../policies/providers/standard-webhooks-v1a.yaml"),
    include_str!("../../../policies/providers/stripe.yaml"),
    include_str!("../../../policies/providers/svix.yaml"),
    include_str!("../../../policies/providers/twilio.yaml"),
    include_str!("../../../policies/providers/woocommerce.yaml"),
    include_str!("../../../policies/providers/zoom.yaml"),
];
