"""Vendors' libraries for Python. Each takes headers (names in lower case), body and one secret, and raises or returns false to refuse."""
import json
import time
import types

import httpx


def gidgethub():
    from gidgethub.sansio import validate_event

    return lambda h, b, s, u: validate_event(b, signature=h["x-hub-signature-256"], secret=s)


def line():
    from linebot.v3.webhook import SignatureValidator

    return lambda h, b, s, u: SignatureValidator(s).validate(b.decode(), h["x-line-signature"])


def gocardless():
    from gocardless_pro import webhooks

    return lambda h, b, s, u: webhooks._verify_signature(b, s, h["webhook-signature"])


def coinbase():
    from coinbase_commerce.webhook import WebhookSignature

    return lambda h, b, s, u: WebhookSignature.verify_sig_header(b.decode(), h["x-cc-webhook-signature"], s)


def razorpay():
    from razorpay.utility import Utility

    return lambda h, b, s, u: Utility().verify_webhook_signature(b.decode(), h["x-razorpay-signature"], s)


def modern_treasury():
    from modern_treasury import ModernTreasury

    webhooks = ModernTreasury(api_key="k", organization_id="o").webhooks
    return lambda h, b, s, u: webhooks.validate_signature(b.decode(), h, key=s)


def easypost():
    from easypost.util import validate_webhook

    return lambda h, b, s, u: validate_webhook(b, {"X-Hmac-Signature": h["x-hmac-signature"]}, s)


def onfido():
    from onfido import WebhookEventVerifier
    from onfido.webhook_event_verifier import WebhookEvent

    WebhookEvent.from_json = staticmethod(lambda text: json.loads(text) or True)
    return lambda h, b, s, u: WebhookEventVerifier(s).read_payload(b.decode(), h["x-sha2-signature"])


def viber():
    from viberbot import Api
    from viberbot.api.bot_configuration import BotConfiguration

    def ask(h, b, s, u):
        return Api(BotConfiguration(s, "n", "a")).verify_signature(b, h["x-viber-content-signature"])

    return ask


def airtable():
    from pyairtable.models import WebhookNotification

    WebhookNotification.model_validate_json = classmethod(lambda cls, text: json.loads(text) or True)
    return lambda h, b, s, u: WebhookNotification.from_request(b.decode(), h["x-airtable-content-mac"], s)


def square():
    from square.utils.webhooks_helper import verify_signature

    return lambda h, b, s, u: verify_signature(
        request_body=b.decode(), signature_header=h["x-square-hmacsha256-signature"], signature_key=s, notification_url=u
    )


def stripe():
    import stripe

    return lambda h, b, s, u: stripe.WebhookSignature.verify_header(b.decode(), h["stripe-signature"], s, 300)


def elevenlabs():
    from elevenlabs import ElevenLabs

    webhooks = ElevenLabs(api_key="k").webhooks

    def ask(h, b, s, u):
        webhooks.construct_event(b.decode(), h["elevenlabs-signature"], s)

    return ask


def workos():
    from workos.webhooks._verification import verify_header

    return lambda h, b, s, u: verify_header(event_body=b, event_signature=h["workos-signature"], secret=s)


def retell():
    from retell.lib import verify

    return lambda h, b, s, u: verify(b.decode(), s, h["x-retell-signature"])


def paddle():
    from paddle_billing.Notifications import Secret, Verifier

    def ask(h, b, s, u):
        request = types.SimpleNamespace(headers={"Paddle-Signature": h["paddle-signature"]}, body=b)
        return Verifier().verify(request, Secret(s))

    return ask


def slack():
    from slack_sdk.signature import SignatureVerifier

    return lambda h, b, s, u: SignatureVerifier(s, types.SimpleNamespace(now=time.time)).is_valid_request(b, h)


def box():
    from boxsdk.object.webhook import Webhook

    return lambda h, b, s, u: Webhook.validate_message(b, h, s)


def standardwebhooks():
    from standardwebhooks import Webhook

    def ask(h, b, s, u):
        Webhook(s).verify(b, h)

    return ask


def svix():
    from svix.webhooks import Webhook

    def ask(h, b, s, u):
        Webhook(s).verify(b, h)

    return ask


def resend():
    from resend import Webhooks

    def ask(h, b, s, u):
        named = {name: h[f"svix-{name}"] for name in ["id", "timestamp", "signature"]}
        Webhooks.verify({"payload": b.decode(), "headers": named, "webhook_secret": s})

    return ask


def pusher():
    from pusher import Pusher

    def ask(h, b, s, u):
        client = Pusher(app_id="1", key="appkey1", secret=s)
        return client.validate_webhook(h["x-pusher-key"], h["x-pusher-signature"], b.decode()) is not None

    return ask


def openai():
    from openai import OpenAI

    webhooks = OpenAI(api_key="k").webhooks
    return lambda h, b, s, u: webhooks.verify_signature(b, httpx.Headers(h), secret=s)


def lithic():
    from lithic import Lithic

    webhooks = Lithic(api_key="k").webhooks
    return lambda h, b, s, u: webhooks.verify_signature(b.decode(), httpx.Headers(h), secret=s)


def polar():
    from polar import webhooks

    def ask(h, b, s, u):
        webhooks._verify_signature(b.decode(), h, s)

    return ask


def finch():
    from finch import Finch

    webhooks = Finch(access_token="k").webhooks
    return lambda h, b, s, u: webhooks.verify_signature(b, httpx.Headers(h), secret=s)


LIBRARIES = {
    "gidgethub": gidgethub, "line-bot-sdk": line, "gocardless_pro": gocardless, "coinbase-commerce": coinbase,
    "razorpay": razorpay, "modern-treasury": modern_treasury, "easypost": easypost, "onfido-python": onfido, "viberbot": viber,
    "pyairtable": airtable, "squareup": square, "stripe": stripe, "elevenlabs": elevenlabs, "workos": workos,
    "retell-sdk": retell, "paddle-python-sdk": paddle, "slack_sdk": slack, "boxsdk": box,
    "standardwebhooks": standardwebhooks, "svix": svix, "openai": openai, "lithic": lithic, "finch-api": finch, "polar-sdk": polar,
    "pusher": pusher, "resend": resend,
}
# Imported while the clock still runs: some look at its class.
LIBRARIES = {name: made() for name, made in LIBRARIES.items()}
