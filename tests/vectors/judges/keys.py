# /// script
# dependencies = ["telnyx==4.189.0", "sendgrid==6.12.5", "PyNaCl==1.6.2", "cryptography==50.0.2"]
# ///
"""Senders that sign time and body with a key of their own: Telnyx and SendGrid, judged by their libraries; and v1a of Standard
Webhooks, of which no library of theirs has it, by PyNaCl as the specification says."""

import base64
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from nacl.signing import SigningKey, VerifyKey
from sendgrid.helpers.eventwebhook import EventWebhook
from telnyx.lib.webhook_verification import verify_webhook_signature

from vector import BODIES, BODY, NOT_UTF8, NOW, b64, judged, vector

KEY, OTHER = SigningKey(bytes(range(32))), SigningKey(bytes(range(1, 33)))
P256, OTHER_P256 = ec.derive_private_key(2**200 + 5, ec.SECP256R1()), ec.derive_private_key(2**200 + 6, ec.SECP256R1())
AHEAD = ("reject", "a time of more than a minute ahead is of no clock that is right")
CLOCK = ("reject", "the vendor's library looks at no clock; a captured request would be good for ever")
TIME = ("reject", "a time has one spelling: digits without anything around them")
SPELLING = ("reject", "base64 has one spelling, with its padding and nothing else in it")
RAW = ("accept", "what is signed are bytes; the library decodes them first")
DROPPED = {field: ("reject", "a line of a signature stands once") for field in ["signature_twice", "time_twice"]}


def clock(now):
    time.time = lambda: now


class Sender:
    def __init__(self, scheme, library, sign, accepts, fields, public, ours, doc=False, body=BODY, **rest):
        self.scheme, self.library, self.sign, self.accepts, self.fields = scheme, library, sign, accepts, fields
        self.public, self.ours, self.doc, self.body, self.rest = public, ours, doc, body, rest

    def ask(self, case, at=str(NOW), body=None, signature=None, now=NOW, headers=None, public=None):
        body = self.body if body is None else body
        signature = self.sign(at, body) if signature is None else signature
        public = public or [self.public]
        clock(now)
        accepts = any(self.tried(at, body, signature, key) for key in public)
        if headers and "twice" in case:
            accepts = True  # of two lines that say the same, a framework hands over one
        headers = self.fields(at, signature) if headers is None else headers
        line = vector(
            self.scheme, case, headers | {"Content-Type": "application/json"}, body, public=public, now=now, **self.rest
        )
        judged(line, self.library, accepts, self.ours.get(case), self.doc)

    def tried(self, *shown):
        try:
            return self.accepts(*shown)
        except Exception:
            return False

    def all(self, other):
        for name, body in BODIES.items():
            if self.scheme != "sendgrid" or name not in NOT_UTF8:
                self.ask(f"body_{name}", body=body)
        good = self.sign(str(NOW), self.body)
        for case, changes in [
            ("other_body", {"body": self.body + b"\n"}),
            ("line_end_lost", {"body": self.body.rstrip()}),
            ("bom", {"body": b"\xef\xbb\xbf" + self.body}),
            ("other_time", {"at": str(NOW + 1)}),
            ("time_lost", {"at": ""}),
        ]:
            self.ask(case, signature=good, **changes)
        mark, text = good[: good.rfind(",") + 1], good[good.rfind(",") + 1 :]
        raw = base64.b64decode(text)
        for case, signature in [
            ("other_key", other),
            ("cut", b64(raw[:-1])),
            ("longer", b64(raw + b"\0")),
            ("zeroes", b64(bytes(len(raw)))),
            ("empty", ""),
            ("flipped", b64(raw[:9] + bytes([raw[9] ^ 1]) + raw[10:])),
            ("unpadded", text.rstrip("=")),
            ("url_letters", text.replace("+", "-").replace("/", "_")),
            ("blank_inside", text[:9] + " " + text[9:]),
            ("hex", raw.hex()),
            ("respelt", respelt(text)),
            ("more_padding", text + "="),
            ("letters_behind", text + "AAAA"),
            ("quoted", f'"{text}"'),
        ]:
            signature = signature if case == "other_key" or not signature else mark + signature
            if case == "url_letters" and signature == good:
                continue
            self.ask(case, signature=signature)
        for case, now in [
            ("just_in_time", NOW + 300),
            ("old", NOW + 301),
            ("very_old", NOW + 4000),
            ("just_not_early", NOW - 60),
            ("early", NOW - 61),
            ("very_early", NOW - 301),
        ]:
            self.ask(case, now=now)
        for case, at in [
            ("time_has_a_zero", f"0{NOW}"),
            ("time_has_a_sign", f"+{NOW}"),
            ("time_has_a_point", f"{NOW}.0"),
            ("time_in_milliseconds", f"{NOW}000"),
            ("time_is_text", "now"),
            ("time_with_bars", f"1_76{str(NOW)[3:]}"),
            ("time_negative", "-1"),
        ]:
            self.ask(case, at=at)
        fields = self.fields(str(NOW), good)
        names = list(fields)
        for case, headers in [
            ("no_signature", {name: line for name, line in fields.items() if line != good}),
            ("no_time", {name: line for name, line in fields.items() if line != str(NOW)}),
            ("signature_twice", {name: [line, line] if line == good else line for name, line in fields.items()}),
            ("time_twice", {name: [line, line] if line == str(NOW) else line for name, line in fields.items()}),
            ("names_in_lower_case", {name.lower(): line for name, line in fields.items()}),
            ("names_in_capitals", {name.upper(): line for name, line in fields.items()}),
            ("blanks_around", {name: f" {line}  " for name, line in fields.items()}),
        ]:
            if case.startswith("no_"):
                lost = "signature" if case == "no_signature" else "at"
                self.ask(case, headers=headers, **{lost: ""}, **({"signature": good} if lost == "at" else {}))
            else:
                self.ask(case, headers=headers)
        assert names


def respelt(text):
    """The same bytes, with bits set that count for nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bare = text.rstrip("=")
    return bare[:-1] + letters[letters.index(bare[-1]) ^ 1] + text[len(bare) :]


def telnyx(at, body, signature, key):
    verify_webhook_signature(body, {"telnyx-signature-ed25519": signature, "telnyx-timestamp": at}, key)
    return True


def telnyx_sign(at, body, key=KEY):
    return b64(key.sign(f"{at}|".encode() + body).signature)


TELNYX = Sender(
    "telnyx",
    "telnyx 4.189.0 (PyPI)",
    telnyx_sign,
    telnyx,
    lambda at, signature: {"Telnyx-Signature-Ed25519": signature, "Telnyx-Timestamp": at},
    b64(KEY.verify_key.encode()),
    DROPPED
    | {
        "body_latin1": RAW,
        "early": AHEAD,
        "time_has_a_zero": TIME,
        "time_has_a_sign": TIME,
        "time_with_bars": TIME,
        "blank_inside": SPELLING,
        "respelt": SPELLING,
        "more_padding": SPELLING,
        "quoted": SPELLING,
        "letters_behind": SPELLING,
    },
)
TELNYX.all(telnyx_sign(str(NOW), BODY, OTHER))
TELNYX.ask("rotation", public=[b64(OTHER.verify_key.encode()), TELNYX.public])
TELNYX.ask("bar_moved", at=str(NOW), body=b"|" + BODY, signature=telnyx_sign(str(NOW), BODY))


def sendgrid(at, body, signature, key):
    verifier = EventWebhook(key)
    return verifier.verify_signature(body.decode(), signature, at)


def sendgrid_sign(at, body, key=P256):
    return b64(key.sign(at.encode() + body, ec.ECDSA(hashes.SHA256())))


def spki(key):
    return b64(key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


SENDGRID = Sender(
    "sendgrid",
    "sendgrid 6.12.5 (PyPI)",
    sendgrid_sign,
    sendgrid,
    lambda at, signature: {"X-Twilio-Email-Event-Webhook-Signature": signature, "X-Twilio-Email-Event-Webhook-Timestamp": at},
    spki(P256),
    DROPPED
    | {
        "digit_moved": CLOCK,
        "early": CLOCK,
        "very_early": CLOCK,
        "old": CLOCK,
        "very_old": CLOCK,
        "blank_inside": SPELLING,
        "respelt": SPELLING,
        "more_padding": SPELLING,
        "quoted": SPELLING,
        "letters_behind": SPELLING,
    }
    | {
        f"time_{case}": TIME
        for case in ["has_a_zero", "has_a_sign", "has_a_point", "in_milliseconds", "is_text", "with_bars", "negative"]
    },
    body=b'[{"email":"a@example.com","event":"delivered","sg_event_id":"1"}]\r\n',
)
SENDGRID.all(sendgrid_sign(str(NOW), SENDGRID.body, OTHER_P256))
r, s = decode_dss_signature(base64.b64decode(sendgrid_sign(str(NOW), SENDGRID.body)))
order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SENDGRID.ask("the_other_s", signature=b64(encode_dss_signature(r, order - s)))
SENDGRID.ask("r_and_s_without_der", signature=b64(r.to_bytes(32, "big") + s.to_bytes(32, "big")))
SENDGRID.ask("r_is_zero", signature=b64(encode_dss_signature(0, s)))
SENDGRID.ask("s_beyond_the_order", signature=b64(encode_dss_signature(r, s + order)))
der = encode_dss_signature(r, s)
SENDGRID.ask("der_with_long_length", signature=b64(b"\x30\x81" + der[1:]))
SENDGRID.ask(
    "der_with_a_zero_in_front", signature=b64(b"\x30" + bytes([der[1] + 1]) + b"\x02" + bytes([der[3] + 1]) + b"\0" + der[4:])
)
SENDGRID.ask("rotation", public=[spki(OTHER_P256), spki(P256)])
SENDGRID.ask("digit_moved", at=str(NOW)[:-1], body=b"0" + SENDGRID.body, signature=sendgrid_sign(str(NOW), SENDGRID.body))


def v1a(at, body, signature, key):
    if abs(int(time.time()) - int(at)) > 300 or not at.isdigit():
        return False
    for item in signature.split(" "):
        version, _, text = item.partition(",")
        if version == "v1a":
            try:
                VerifyKey(base64.b64decode(key.removeprefix("whpk_"))).verify(
                    b"msg_1." + at.encode() + b"." + body, base64.b64decode(text, validate=True)
                )
                return True
            except Exception:
                pass
    return False


def v1a_sign(at, body, key=KEY):
    return "v1a," + b64(key.sign(b"msg_1." + at.encode() + b"." + body).signature)


V1A = Sender(
    "standardwebhooks_v1a",
    "PyNaCl 1.6.2 by the specification",
    v1a_sign,
    v1a,
    lambda at, signature: {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": signature},
    "whpk_" + b64(KEY.verify_key.encode()),
    DROPPED | {"early": AHEAD, "very_early": AHEAD, "time_has_a_zero": TIME, "respelt": SPELLING, "more_padding": SPELLING},
    doc=True,
)
V1A.all(v1a_sign(str(NOW), BODY, OTHER))
good = v1a_sign(str(NOW), BODY)
for case, signature in [
    ("two", f"{v1a_sign(str(NOW), BODY, OTHER)} {good}"),
    ("v1_before", f"v1,{'A' * 43}= {good}"),
    ("v1", good.replace("v1a,", "v1,")),
    ("comma", good.replace(" ", ",")),
    ("V1A", good.replace("v1a", "V1A")),
    ("no_version", good.removeprefix("v1a,")),
    ("two_blanks", f"v1,x  {good}"),
    ("id_in_front", f"msg_1 {good}"),
]:
    V1A.ask(f"list_{case}", signature=signature)
V1A.ask("rotation", public=["whpk_" + b64(OTHER.verify_key.encode()), V1A.public])
V1A.ask("other_id", headers={"webhook-id": "msg_2", "webhook-timestamp": str(NOW), "webhook-signature": good}, signature="")
