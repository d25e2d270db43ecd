"""How each sender that shares a key signs, written from its documentation; nothing of Hookwarden is used."""
import base64
import dataclasses
import hashlib
import hmac
import html
import json
import re
import unicodedata

NOW = 1760000000
TIME = "a time is digits without a leading zero, as every vendor writes it"
WRITTEN = "a signature is written as the vendor writes it, with nothing around it"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WHSEC_OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TEXT, TEXT_OTHER = "It's a Secret to Everybody", "another secret, as long"
BASE64, BASE64_OTHER = WHSEC[6:], WHSEC_OTHER[6:]


def utf8(secret):
    return secret.encode()


def after_whsec(secret):
    return base64.b64decode(secret.removeprefix("whsec_"))


@dataclasses.dataclass
class Sender:
    scheme: str
    header: str
    # Of time, id and body.
    text: callable = lambda t, i, b: b
    enc: str = "hex"
    prefix: str = ""
    alg: str = "sha256"
    key: callable = utf8
    secret: str = TEXT
    other: str = TEXT_OTHER
    # How the header is written, from the time and the signatures, if those are not alone in it.
    write: callable = None
    separator: str = None
    time_header: str = None
    id_header: str = None
    # From seconds to what the sender writes.
    time: callable = str
    # Writes the time into the body, if it stands there.
    into: callable = None
    # Bodies of which nothing can be read.
    unread: frozenset = frozenset()
    age: int = None
    also: dict = dataclasses.field(default_factory=dict)
    python: str = None
    node: str = None
    config: dict = None
    # Whether a header comes once for each key.
    repeated: bool = False
    more: tuple = ()
    # Headers of its own: from time and signature to name, header, what a strict reader says, and why.
    odd: callable = None

    @property
    def timed(self):
        return self.age is not None

    @property
    def many(self):
        """Whether a header holds several signatures."""
        return self.separator is not None

    def body(self, t, body):
        return self.into(t, body) if self.into else body

    def mac(self, t, i, body, secret=None, alg=None):
        text = self.text(t.encode(), i.encode(), self.body(t, body))
        return hmac.new(self.key(self.secret if secret is None else secret), text, alg or self.alg).digest()

    def encoded(self, mac):
        if self.enc == "hex":
            return mac.hex()
        if self.enc == "base64url":
            return base64.urlsafe_b64encode(mac).decode().rstrip("=")
        return base64.b64encode(mac).decode()

    def headers(self, t, i, signatures):
        signed = self.write(t, signatures) if self.write else (self.separator or "").join(self.prefix + s for s in signatures)
        headers = {self.header: signed} | self.also
        headers |= {self.time_header: t} if self.time_header else {}
        return headers | ({self.id_header: i} if self.id_header else {})


def dotted(t, i, b):
    return t + b"." + b


def ided(t, i, b):
    return i + b"." + t + b"." + b


def millis(seconds):
    return str(int(seconds * 1000))


def pairs(time, item, comma=",", equals="="):
    def write(t, signatures):
        return comma.join([f"{time}{equals}{t}", *(f"{item}{equals}{s}" for s in signatures)])

    return write


def rfc3339(seconds):
    import datetime

    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


NO_JSON = frozenset({"empty", "blank", "form", "bom", "nul", "latin1", "number"})


def member(name):
    """The time as the first member of a body that is an object."""
    return lambda t, body: body.replace(b"{", f'{{"{name}":{t},'.encode(), 1)


def hygraph_text(t, i, b):
    """What `JSON.stringify` makes of body and time; a time is what `parseInt` reads."""
    digits = re.match(rb"[+-]?\d+", t)
    time = int(digits.group()) if digits else "null"
    body = json.dumps(b.decode(errors="replace"), ensure_ascii=False)
    return f'{{"Body":{body},"EnvironmentName":"master","TimeStamp":{time}}}'.encode()


def hygraph_odd(t, good):
    yield "hygraph_order", f"env=master, sign={good}, t={t}", False, None
    yield "hygraph_other_environment", f"sign={good}, env=dev, t={t}", False, None
    yield "hygraph_no_environment", f"sign={good}, t={t}", False, None
    yield "hygraph_no_time", f"sign={good}, env=master", False, None
    yield "hygraph_no_blanks", f"sign={good},env=master,t={t}", False, None
    yield "hygraph_two_blanks", f"sign={good},  env=master,  t={t}", False, WRITTEN
    yield "hygraph_a_fourth", f"sign={good}, env=master, t={t}, v=2", False, WRITTEN
    yield "hygraph_without_names", f"{good}, master, {t}", False, WRITTEN
    yield "hygraph_time_with_letters", f"sign={good}, env=master, t={t}x", False, TIME


def without_signkey(secret):
    return re.sub(r"^signkey-\w+?-", "", secret).encode()


def raw(scheme, header, **more):
    return Sender(scheme, header, **more)


def standard(scheme, names="webhook", **more):
    more = {"key": after_whsec, "secret": WHSEC, "other": WHSEC_OTHER} | more
    return Sender(
        scheme, f"{names}-signature", ided, "base64", "v1,", separator=" ", time_header=f"{names}-timestamp",
        id_header=more.pop("id_header", f"{names}-id"), age=300, **more,
    )


SENDERS = [
    raw("github_sha256", "X-Hub-Signature-256", prefix="sha256=", python="gidgethub", node="@octokit/webhooks-methods"),
    raw("shopify", "X-Shopify-Hmac-Sha256", enc="base64", node="@shopify/shopify-api", also={
        "X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": "shop.myshopify.com", "X-Shopify-API-Version": "2025-07",
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"}),
    raw("line", "x-line-signature", enc="base64", python="line-bot-sdk", node="@line/bot-sdk"),
    raw("gocardless", "Webhook-Signature", python="gocardless_pro", node="gocardless-nodejs"),
    raw("coinbase_commerce", "X-CC-Webhook-Signature", python="coinbase-commerce", node="coinbase-commerce-node"),
    raw("razorpay", "X-Razorpay-Signature", python="razorpay", node="razorpay"),
    raw("modern_treasury", "X-Signature", python="modern-treasury", node="modern-treasury"),
    raw("easypost", "X-Hmac-Signature", prefix="hmac-sha256-hex=", python="easypost",
        key=lambda s: unicodedata.normalize("NFKD", s).encode(), more=("sécrét ﬁ Å",)),
    raw("onfido", "X-SHA2-Signature", python="onfido-python", node="@onfido/api"),
    raw("notion", "X-Notion-Signature", prefix="sha256=", node="@notionhq/client"),
    raw("viber", "X-Viber-Content-Signature", python="viberbot"),
    raw("getstream", "X-Signature", node="stream-chat"),
    raw("smartcar", "SC-Signature", node="smartcar"),
    raw("airtable", "X-Airtable-Content-MAC", prefix="hmac-sha256=", key=base64.b64decode, secret=BASE64, other=BASE64_OTHER,
        python="pyairtable"),
    raw("square", "x-square-hmacsha256-signature", text=lambda t, i, b: b"https://hooks.example.com/in/square" + b, enc="base64",
        python="squareup", node="square"),
    raw("shopify_events", "shopify-hmac-sha256", enc="base64", node="@shopify/shopify-api", also={
        "shopify-topic": "orders/create", "shopify-shop-domain": "shop.myshopify.com", "shopify-api-version": "2025-07",
        "shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", "shopify-event-id": "e1"}),
    raw("kontent_ai", "x-kontent-ai-signature", enc="base64", node="@kontent-ai/webhook-helper"),
    Sender("linear", "Linear-Signature", into=member("webhookTimestamp"), unread=NO_JSON, time=millis, age=60,
           node="@linear/sdk"),
    Sender("pusher", "X-Pusher-Signature", into=member("time_ms"), unread=NO_JSON, time=millis, age=300, config={"key": "appkey1"},
           also={"X-Pusher-Key": "appkey1", "Content-Type": "application/json"}, python="pusher", node="pusher"),
    Sender("hygraph", "gcms-signature", hygraph_text, "base64", write=lambda t, s: f"sign={s[0]}, env=master, t={t}",
           time=millis, age=300, odd=hygraph_odd, unread=frozenset({"latin1"}), node="@hygraph/utils"),
    Sender("inngest", "X-Inngest-Signature", lambda t, i, b: b + t, write=pairs("t", "s", "&"), age=300, key=without_signkey,
           secret="signkey-prod-0123456789abcdef0123456789abcdef", other="signkey-prod-fedcba9876543210fedcba9876543210",
           more=("signkey-test-" + "0a" * 32, "signkey-branch_2-" + "0b" * 32, "0c" * 32), node="inngest"),
    Sender("zoom", "x-zm-signature", lambda t, i, b: b"v0:" + t + b":" + b, prefix="v0=", time_header="x-zm-request-timestamp",
           age=300, into=lambda t, body: body.replace(b"{", b'{"event":"meeting.started",', 1), node="@zoom/rivet"),
    Sender("stripe", "Stripe-Signature", dotted, write=pairs("t", "v1"), separator=",", age=300, secret=WHSEC,
           other=WHSEC_OTHER, python="stripe", node="stripe"),
    Sender("mux", "mux-signature", dotted, write=pairs("t", "v1"), separator=",", age=300, node="@mux/mux-node"),
    Sender("elevenlabs", "elevenlabs-signature", dotted, write=pairs("t", "v0"), age=1800, python="elevenlabs",
           node="@elevenlabs/elevenlabs-js"),
    Sender("workos", "WorkOS-Signature", dotted, write=pairs("t", "v1", ", "), time=millis, age=180, python="workos",
           node="@workos-inc/node"),
    Sender("sanity", "sanity-webhook-signature", dotted, "base64url", write=pairs("t", "v1"), time=millis, age=300,
           node="@sanity/webhook"),
    Sender("retell", "x-retell-signature", lambda t, i, b: b + t, write=pairs("v", "d"), time=millis, age=300,
           python="retell-sdk", node="retell-sdk"),
    Sender("paddle_billing", "Paddle-Signature", lambda t, i, b: t + b":" + b, write=pairs("ts", "h1", ";"), separator=";", age=5,
           python="paddle-python-sdk", node="@paddle/paddle-node-sdk"),
    Sender("slack", "X-Slack-Signature", lambda t, i, b: b"v0:" + t + b":" + b, prefix="v0=",
           time_header="X-Slack-Request-Timestamp", age=300, python="slack_sdk", node="@slack/bolt"),
    Sender("webflow", "x-webflow-signature", lambda t, i, b: t + b":" + b, time_header="x-webflow-timestamp", time=millis,
           age=300, node="webflow-api"),
    Sender("box", "box-signature-primary", lambda t, i, b: b + t, "base64", time_header="box-delivery-timestamp", time=rfc3339,
           age=600, also={"box-signature-version": "1", "box-signature-algorithm": "HmacSHA256"}, python="boxsdk"),
    standard("standardwebhooks", python="standardwebhooks", node="standardwebhooks"),
    standard("svix", "svix", python="svix", node="svix"),
    standard("clerk", "svix", python="svix", node="@clerk/backend"),
    standard("resend", "svix", python="resend", node="resend"),
    standard("gitlab_signing", python="standardwebhooks"),
    standard("openai", python="openai", node="openai"),
    standard("lithic", python="lithic", node="lithic"),
    standard("replicate", node="replicate"),
    standard("polar", key=utf8, secret="polar_whs_2Zb0aYcVq1hUBk3x", other="polar_whs_other", python="polar-sdk", node="@polar-sh/sdk"),
    standard("finch", "finch", id_header="finch-event-id", key=base64.b64decode, secret=BASE64, other=BASE64_OTHER,
             python="finch-api", node="@tryfinch/finch-api"),
    # Of these no library verifies; their documented steps are the judge.
    raw("bitbucket", "X-Hub-Signature", prefix="sha256="),
    raw("meta", "X-Hub-Signature-256", prefix="sha256="),
    raw("intercom", "X-Hub-Signature", prefix="sha1=", alg="sha1"),
    raw("typeform", "Typeform-Signature", prefix="sha256=", enc="base64"),
    raw("lemon_squeezy", "X-Signature"),
    raw("heroku", "Heroku-Webhook-Hmac-SHA256", enc="base64"),
    raw("sentry", "Sentry-Hook-Signature"),
    raw("vercel", "x-vercel-signature", alg="sha1"),
    raw("github_sha1_legacy", "X-Hub-Signature", prefix="sha1=", alg="sha1"),
    raw("mollie", "X-Mollie-Signature", prefix="sha256=", repeated=True),
    raw("woocommerce", "X-WC-Webhook-Signature", enc="base64", key=lambda s: html.unescape(s).encode()),
    raw("dropbox", "X-Dropbox-Signature"),
    raw("circleci", "circleci-signature", prefix="v1=", separator=","),
    raw("pagerduty", "X-PagerDuty-Signature", prefix="v1=", separator=","),
    raw("docusign", "X-DocuSign-Signature-1", enc="base64"),
    Sender("calendly", "Calendly-Webhook-Signature", dotted, write=pairs("t", "v1"), separator=",", age=180),
    Sender("klaviyo", "Klaviyo-Signature", lambda t, i, b: b + t, time_header="Klaviyo-Timestamp", time=rfc3339, age=300),
    Sender("customer_io", "X-CIO-Signature", lambda t, i, b: b"v0:" + t + b":" + b, time_header="X-CIO-Timestamp", age=300),
    Sender("zendesk", "X-Zendesk-Webhook-Signature", lambda t, i, b: t + b, "base64",
           time_header="X-Zendesk-Webhook-Signature-Timestamp", time=rfc3339, age=300),
    Sender("twitch", "Twitch-Eventsub-Message-Signature", lambda t, i, b: i + t + b, prefix="sha256=",
           time_header="Twitch-Eventsub-Message-Timestamp", id_header="Twitch-Eventsub-Message-Id", time=rfc3339, age=600),
    Sender("recurly", "recurly-signature", dotted, write=lambda t, s: ",".join([t, *s]), separator=",", time=millis, age=300),
]
