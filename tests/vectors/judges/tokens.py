# /// script
# dependencies = ["livekit-api==1.2.2", "qstash==3.4.0", "messagebird==2.2.0", "vonage-jwt==1.1.5", "google-auth==2.63.0", "requests==2.34.2", "PyJWT==2.15.1", "cryptography==50.0.2"]
# ///
"""Senders that sign a token, judged by their libraries; those that have none (Netlify, Plaid), by the vendor's documented steps
with PyJWT. Tokens are composed here by hand, so that broken ones can be made too."""

import base64
import datetime
import hashlib
import hmac
import json

import google.auth.jwt
import jwt.api_jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from google.protobuf.json_format import ParseError
from livekit.api import TokenVerifier, WebhookReceiver
from messagebird.request_validator import RequestValidator
from qstash import Receiver
from vonage_jwt import verify_signature

from vector import BODIES, BODY, NOT_UTF8, NOW, b64, judged, vector


class Clock(datetime.datetime):
    at = NOW

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(cls.at, tz)


jwt.api_jwt.datetime = Clock
google.auth.jwt._helpers.utcnow = lambda: datetime.datetime.fromtimestamp(Clock.at, datetime.timezone.utc).replace(tzinfo=None)
google.auth.jwt._helpers.datetime_to_secs = lambda moment: int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())

KEY, OTHER = (
    "k3y-of-sixty-four-letters-so-that-every-algorithm-can-be-tried-0",
    "another-key-of-sixty-four-letters-that-nobody-has-told-us-about-",
)
RSA, OTHER_RSA = (rsa.generate_private_key(65537, 2048) for _ in range(2))
P256, OTHER_P256 = ec.derive_private_key(2**200 + 1, ec.SECP256R1()), ec.derive_private_key(2**200 + 2, ec.SECP256R1())
DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def url64(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def sign(alg, key, text):
    text = text.encode()
    if alg in DIGESTS:
        return hmac.new(key.encode(), text, DIGESTS[alg]).digest()
    if alg == "RS256":
        return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    if alg == "ES256":
        r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return b""


def token(claims, key, alg, header=None, text=None):
    header = {"alg": alg, "typ": "JWT"} | (header or {})
    header = {name: value for name, value in header.items() if value is not None}
    text = json.dumps(claims, separators=(",", ":")) if text is None else text
    signed = url64(json.dumps(header, separators=(",", ":")).encode()) + "." + url64(text.encode())
    return signed + "." + url64(sign(alg, key, signed))


STRICT = ("reject", "a token is read in one way: unpadded base64url without anything around it (RFC 7515), no name twice")
AHEAD = ("accept", "clocks differ: a minute ahead is taken, as of every sender")
AGE = ("reject", "what is signed is good for as long as its policy says, however long its end is")
MADE = ("reject", "without the time at which it was made, which the vendor always says, a token has no age")
TYPES = ("reject", "a date is a number, of seconds, and not beyond the year 9999")
ENDLESS = ("accept", "its age ends it, which the policy says")
LATER = ("reject", "a token that is good from a later moment on is not good yet")
SEVERAL = ("accept", "a token may be meant for several (RFC 7519 section 4.1.3)")
OURS = {
    "padded": STRICT,
    "last_letter_respelt": STRICT,
    "claim_twice": STRICT,
    "header_b64": ("reject", "a payload that is not encoded is another format (RFC 7797)"),
    "header_zip": ("reject", "what is compressed is another format"),
    "header_crit_empty": ("reject", "an empty list is not allowed there (RFC 7515 section 4.1.11)"),
    "exp_text": TYPES,
    "exp_huge": TYPES,
    "exp_true": TYPES,
    "nbf_text": TYPES,
    "iat_text": TYPES,
    "exp_null": TYPES,
    "nbf_soon": AHEAD,
    "nbf_in_30": AHEAD,
    "iat_in_30": AHEAD,
    "iss_list": ("reject", "an issuer is one text"),
    "field_header_twice": ("reject", "a signature's line stands once"),
}
WORD = {
    f"authorization_{case}": ("reject", "the vendor writes `Bearer` and a blank")
    for case in ["no_scheme", "BEARER", "bearer", "two_blanks", "basic"]
}


class Sender:
    """One of them: what its good claims are, and how its library judges."""

    def __init__(
        self,
        scheme,
        library,
        claims,
        judge,
        *,
        alg="HS256",
        key=KEY,
        other=OTHER,
        config=None,
        body="sha256",
        doc=False,
        place=lambda token: {"Authorization": token},
        shown=None,
        header=None,
        ours=None,
    ):
        self.scheme, self.library, self.claims, self.judge, self.alg, self.key, self.other = (
            scheme,
            library,
            claims,
            judge,
            alg,
            key,
            other,
        )
        self.config, self.body, self.doc, self.place, self.header, self.ours = (
            config,
            body,
            doc,
            place,
            header,
            OURS | (ours or {}),
        )
        self.shown = shown or {"keys": [key]}

    def ask(self, case, text, body=BODY, *, url=None, now=NOW, headers=None):
        url = url or f"https://hooks.example.com/in/{self.scheme}"
        Clock.at = now
        try:
            accepts = self.judge(text, body, url) is not False
        except ParseError:  # livekit: of a body that it takes for its own
            accepts = True
        except Exception:  # whatever it throws
            accepts = False
        headers = self.place(text) if headers is None else headers
        line = vector(
            self.scheme,
            case,
            headers | {"Content-Type": "application/json"},
            body,
            **self.shown,
            config=self.config,
            url=url,
            now=now,
        )
        judged(line, self.library, accepts, self.ours.get(case), self.doc)

    def made(self, of=BODY, drop=(), key=None, alg=None, header=None, url=None, **changes):
        claims = self.claims(of, url or f"https://hooks.example.com/in/{self.scheme}") | changes
        claims = {name: value for name, value in claims.items() if name not in drop}
        return token(claims, key or self.key, alg or self.alg, (self.header or {}) | (header or {}))

    def all(self):
        for name, body in BODIES.items():
            # Libraries that take a body as text cannot be given others.
            if name not in NOT_UTF8 or self.scheme in {"messagebird", "netlify", "plaid"}:
                self.ask(f"body_{name}", self.made(body), body)
        good = self.made()
        head, claims, signature = good.split(".")
        self.ask("other_body", good, BODY + b"\n")
        self.ask("empty_body", good, b"")
        self.ask("other_key", self.made(key=self.other))
        flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
        for case, text in [
            ("flipped", f"{head}.{claims}.{flipped}"),
            ("cut", good[:-2]),
            ("no_signature", f"{head}.{claims}."),
            ("two_parts", f"{head}.{claims}"),
            ("four_parts", f"{good}.{signature}"),
            ("padded", good + "=" * (-len(signature) % 4)),
            ("dot_behind", good + "."),
            ("nothing", ""),
            ("blank_inside", f"{head}. {claims}.{signature}"),
            ("other_claims", f"{head}.{url64(b'{}')}.{signature}"),
            ("upper_case", good.upper()),
        ]:
            self.ask(case, text)
        last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if len(signature) % 4:
            respelt = signature[:-1] + last[last.index(signature[-1]) ^ 1]
            self.ask("last_letter_respelt", f"{head}.{claims}.{respelt}")
        for case, header in [
            ("no_typ", {"typ": None}),
            ("other_typ", {"typ": "JOSE"}),
            ("header_of_more", {"cty": "x", "foo": [1, {"a": 2}]}),
            ("crit", {"crit": ["foo"], "foo": 1}),
            ("crit_empty", {"crit": []}),
            ("b64", {"b64": False}),
            ("jku", {"jku": "https://evil.example/keys"}),
            ("jwk", {"jwk": {"kty": "oct", "k": url64(KEY.encode())}}),
            ("zip", {"zip": "DEF"}),
        ]:
            self.ask(f"header_{case}", self.made(header=header))
        for alg in ["none", "None", "hs256", "HS512", "RS256", "ES256"]:
            if alg != self.alg:
                key = {"RS256": RSA, "ES256": P256}.get(alg, KEY)
                plain = token(self.claims(BODY, f"https://hooks.example.com/in/{self.scheme}"), key, alg, self.header)
                self.ask(f"alg_{alg}", plain)
                self.ask(f"alg_{alg}_of_a_good_one", url64(json.dumps({"alg": alg}).encode()) + f".{claims}.{signature}")
        text = json.dumps(self.claims(BODY, f"https://hooks.example.com/in/{self.scheme}"))
        self.ask("claim_twice", token({}, self.key, self.alg, self.header, '{"jti":"1","jti":"2",' + text[1:]))
        self.ask("claims_with_blanks", token({}, self.key, self.alg, self.header, json.dumps(json.loads(text), indent=4)))
        self.ask(
            "claims_escaped",
            token({}, self.key, self.alg, self.header, text.replace("iss", "\\u0069ss").replace("sha", "\\u0073ha")),
        )
        self.ask("claims_are_a_list", token({}, self.key, self.alg, self.header, f"[{text}]"))
        self.ask("more_claims", self.made(foo={"a": [1, 2]}, aud_=None, application_id="aaaaaaaa-bbbb"))
        for case, value in [
            ("missing", None),
            ("null", 0),
            ("number", 1),
            ("empty", ""),
            ("upper", 2),
            ("base64", 3),
            ("hex", 4),
            ("base64url", 5),
            ("padded", 6),
            ("list", 7),
        ]:
            if self.body is None:
                break
            raw = hashlib.sha256(BODY).digest()
            value = {
                0: None,
                2: str(self.claims(BODY, "")[self.body]).upper(),
                3: b64(raw),
                4: raw.hex(),
                5: url64(raw),
                6: base64.urlsafe_b64encode(raw).decode(),
                7: [raw.hex()],
            }.get(value, value)
            self.ask(f"digest_{case}", self.made(drop=[self.body]) if case == "missing" else self.made(**{self.body: value}))
        for claim in ["iss", "exp", "nbf", "iat", "sub", "jti", "aud"]:
            if claim in self.claims(BODY, ""):
                self.ask(f"no_{claim}", self.made(drop=[claim]))
        if "iss" in self.claims(BODY, ""):
            for case, value in [
                ("other", "evil"),
                ("case", self.claims(BODY, "")["iss"].upper() + "x"),
                ("list", [self.claims(BODY, "")["iss"]]),
                ("null", None),
                ("empty", ""),
            ]:
                self.ask(f"iss_{case}", self.made(iss=value))
        for case, changes in [
            ("exp_now", {"exp": NOW}),
            ("exp_past", {"exp": NOW - 1}),
            ("exp_a_minute_ago", {"exp": NOW - 59}),
            ("exp_61_ago", {"exp": NOW - 61}),
            ("exp_long_ago", {"exp": NOW - 3600}),
            ("exp_soon", {"exp": NOW + 1}),
            ("exp_text", {"exp": str(NOW + 60)}),
            ("exp_fraction", {"exp": NOW + 60.5}),
            ("exp_null", {"exp": None}),
            ("exp_far", {"exp": NOW + 10**7}),
            ("exp_huge", {"exp": 10**18}),
            ("exp_true", {"exp": True}),
            ("exp_negative", {"exp": -1}),
            ("nbf_now", {"nbf": NOW}),
            ("nbf_soon", {"nbf": NOW + 1}),
            ("nbf_in_30", {"nbf": NOW + 30}),
            ("nbf_in_61", {"nbf": NOW + 61}),
            ("nbf_text", {"nbf": str(NOW)}),
            ("nbf_long_ago", {"nbf": NOW - 600}),
            ("iat_in_30", {"iat": NOW + 30}),
            ("iat_in_61", {"iat": NOW + 61}),
            ("iat_text", {"iat": str(NOW)}),
            ("iat_long_ago", {"iat": NOW - 600}),
            ("iat_five_minutes_ago", {"iat": NOW - 300}),
            ("iat_fraction", {"iat": NOW - 0.5}),
        ]:
            self.ask(case, self.made(**changes))
        for case, headers in [
            ("no_header", {}),
            ("header_twice", {name: [line, line] for name, line in self.place(good).items()}),
            ("blanks_around", {name: f"  {line} " for name, line in self.place(good).items()}),
        ]:
            self.ask(f"field_{case}", "" if case == "no_header" else good, headers=headers)


def hex_of(body):
    return hashlib.sha256(body).hexdigest()


LIVEKIT = Sender(
    "livekit",
    "livekit-api 1.2.2 (PyPI)",
    lambda body, url: {"iss": "APIkey1", "nbf": NOW - 1, "exp": NOW + 300, "sha256": b64(hashlib.sha256(body).digest())},
    lambda text, body, url: WebhookReceiver(TokenVerifier("APIkey1", KEY)).receive(body.decode(), text),
    config={"api_key": "APIkey1"},
    ours={"no_nbf": MADE, "nbf_long_ago": AGE, "authorization_bearer": ("reject", "the vendor writes no such word there")},
)
QSTASH = Sender(
    "qstash",
    "qstash 3.4.0 (PyPI)",
    lambda body, url: {
        "iss": "Upstash",
        "sub": url,
        "nbf": NOW - 1,
        "iat": NOW - 1,
        "exp": NOW + 300,
        "jti": "jwt_1",
        "body": url64(hashlib.sha256(body).digest()),
    },
    lambda text, body, url: Receiver(KEY, OTHER + "2").verify(signature=text, body=body.decode(), url=url),
    body="body",
    place=lambda text: {"Upstash-Signature": text},
    config={"next_key": OTHER + "2"},
    ours={"no_iat": MADE, "iat_long_ago": AGE, "no_exp": ENDLESS, "no_nbf": ("accept", "`iat` says when it was made")},
)
MESSAGEBIRD = Sender(
    "messagebird",
    "messagebird 2.2.0 (PyPI)",
    lambda body, url: (
        {"iss": "MessageBird", "nbf": NOW - 1, "exp": NOW + 60, "jti": "j1", "url_hash": hex_of(url.encode())}
        | ({"payload_hash": hex_of(body)} if body else {})
    ),
    lambda text, body, url: RequestValidator(KEY).validate_signature(text, url, body),
    body="payload_hash",
    place=lambda text: {"MessageBird-Signature-JWT": text},
    ours={"nbf_long_ago": AGE, "iat_in_61": LATER},
)


def vonage(text, body, url):
    """Its helper, and the comparison that the documentation asks for beside it."""
    return verify_signature(text, KEY) and jwt.decode(text, options={"verify_signature": False}).get("payload_hash") == hex_of(
        body
    )


VONAGE = Sender(
    "vonage",
    "vonage-jwt 1.1.5 (PyPI) and the documented comparison of payload_hash",
    lambda body, url: {
        "iss": "Vonage",
        "iat": NOW - 1,
        "exp": NOW + 300,
        "jti": "j1",
        "payload_hash": hex_of(body),
        "api_key": "abcd1234",
    },
    vonage,
    body="payload_hash",
    place=lambda text: {"Authorization": f"Bearer {text}"},
    ours=WORD | {"no_iat": MADE, "iat_long_ago": AGE, "no_exp": ENDLESS, "iss_list": None},
)


def netlify(text, body, url):
    claims = jwt.decode(text, KEY, algorithms=["HS256"], issuer="netlify", options={"require": ["iss"]})
    return claims["sha256"] == hex_of(body)


NETLIFY = Sender(
    "netlify",
    "PyJWT 2.15.1 by the vendor's documented steps",
    lambda body, url: {"iss": "netlify", "sha256": hex_of(body)},
    netlify,
    place=lambda text: {"X-Webhook-Signature": text},
    doc=True,
)


def plaid(text, body, url):
    header = jwt.get_unverified_header(text)
    if header["alg"] != "ES256" or header["kid"] != "plaid-1":
        return False
    claims = jwt.decode(text, P256.public_key(), algorithms=["ES256"])
    return Clock.at - claims["iat"] <= 300 and hmac.compare_digest(claims["request_body_sha256"], hex_of(body))


def pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


PLAID = Sender(
    "plaid",
    "PyJWT 2.15.1 by the vendor's documented steps",
    lambda body, url: {"iat": NOW - 1, "request_body_sha256": hex_of(body)},
    plaid,
    alg="ES256",
    key=P256,
    other=OTHER_P256,
    body="request_body_sha256",
    header={"kid": "plaid-1"},
    doc=True,
    place=lambda text: {"Plaid-Verification": text},
    shown={"public": [json.dumps({"kid": "plaid-1", "alg": "ES256", "pem": pem(P256)})]},
)


def certificate(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "federated-signon.system.gserviceaccount.com")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    day = datetime.timedelta(days=4000)
    at = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
    made = made.not_valid_before(at - day).not_valid_after(at + day).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


CERTIFICATES = {"g1": certificate(RSA)}
AUDIENCE = "https://hooks.example.com/in/google_pubsub"


def pubsub(text, body, url):
    """`google.oauth2.id_token.verify_oauth2_token`, with the certificates at hand, and what the documentation asks for beside it."""
    claims = google.auth.jwt.decode(text, certs=CERTIFICATES, audience=AUDIENCE)
    return claims["iss"] in ["accounts.google.com", "https://accounts.google.com"] and claims.get("email_verified") is True


PUBSUB = Sender(
    "google_pubsub",
    "google-auth 2.63.0 (PyPI)",
    lambda body, url: {
        "aud": AUDIENCE,
        "azp": "1",
        "email": "push@p.iam.gserviceaccount.com",
        "email_verified": True,
        "exp": NOW + 3000,
        "iat": NOW - 1,
        "iss": "https://accounts.google.com",
        "sub": "1",
    },
    pubsub,
    alg="RS256",
    key=RSA,
    other=OTHER_RSA,
    body=None,
    header={"kid": "g1"},
    config={"audience": AUDIENCE},
    place=lambda text: {"Authorization": f"Bearer {text}"},
    shown={"public": [json.dumps({"kid": "g1", "x509": CERTIFICATES["g1"]})]},
    ours=WORD
    | {
        "nbf_in_61": LATER,
        "header_crit": ("reject", "an extension that has to be understood, and is not (RFC 7515 section 4.1.11)"),
        "aud_list": SEVERAL,
        "aud_list_of_two": SEVERAL,
    },
)

SENDERS = [LIVEKIT, QSTASH, MESSAGEBIRD, VONAGE, NETLIFY, PLAID, PUBSUB]
for sender in SENDERS:
    sender.all()

# What belongs to one of them alone.
for alg in ["HS384", "HS512"]:
    MESSAGEBIRD.ask(f"own_{alg}", MESSAGEBIRD.made(alg=alg))
for case, url in [
    ("query", "https://hooks.example.com/in?a=1&b=%20x"),
    ("port", "https://hooks.example.com:8443/in"),
    ("mark", "https://hooks.example.com/in?"),
    ("upper", "https://HOOKS.example.com/in"),
    ("umlaut", "https://hooks.example.com/in?n=J%C3%BCrgen"),
]:
    for sender in [MESSAGEBIRD, QSTASH]:
        sender.ask(f"url_{case}", sender.made(url=url), url=url)
        sender.ask(f"url_{case}_of_another", sender.made(url=url), url=url + "x")
MESSAGEBIRD.ask("digest_of_nothing", MESSAGEBIRD.made(b"", payload_hash=hex_of(b"")), b"")
MESSAGEBIRD.ask("digest_is_missing", MESSAGEBIRD.made(b""), BODY)
MESSAGEBIRD.ask("url_hash_missing", MESSAGEBIRD.made(drop=["url_hash"]))
QSTASH.ask("next_key", QSTASH.made(key=OTHER + "2"))
for case, aud in [
    ("other", "https://other.example"),
    ("list", [AUDIENCE]),
    ("list_of_two", ["https://other.example", AUDIENCE]),
    ("prefix", AUDIENCE[:-1]),
    ("slash", AUDIENCE + "/"),
    ("null", None),
]:
    PUBSUB.ask(f"aud_{case}", PUBSUB.made(aud=aud))
PUBSUB.ask("iss_short", PUBSUB.made(iss="accounts.google.com"))
PUBSUB.ask("email_not_verified", PUBSUB.made(email_verified=False))
PUBSUB.ask("email_verified_as_text", PUBSUB.made(email_verified="true"))
PUBSUB.ask("other_kid", PUBSUB.made(header={"kid": "g2"}))
PUBSUB.ask("no_kid", PUBSUB.made(header={"kid": None}))
PLAID.ask("other_kid", PLAID.made(header={"kid": "plaid-2"}))
pretty = b'{\n  "item_id": "x",\n  "webhook_code": "DEFAULT_UPDATE"\n}'
PLAID.ask("pretty", PLAID.made(pretty), pretty)
PLAID.ask("not_pretty", PLAID.made(pretty), json.dumps(json.loads(pretty)).encode())
for scheme, text in [
    ("bearer", "bearer {}"),
    ("no_scheme", "{}"),
    ("BEARER", "BEARER {}"),
    ("two_blanks", "Bearer  {}"),
    ("basic", "Basic {}"),
]:
    for sender in [VONAGE, PUBSUB]:
        sender.ask(f"authorization_{scheme}", sender.made(), headers={"Authorization": text.format(sender.made())})
LIVEKIT.ask("authorization_bearer", LIVEKIT.made(), headers={"Authorization": f"Bearer {LIVEKIT.made()}"})
