# /// script
# dependencies = ["Adyen==16.0.0", "mailgun==1.10.0", "dropbox-sign==2.0.0", "mercadopago==3.6.0", "cryptography==50.0.2"]
# ///
"""Senders that sign some members of a body, or of a form: Adyen, Mailgun, Dropbox Sign and Mercado Pago, judged by their
libraries; Paddle Classic and Microsoft Graph, which have none, by their documented steps."""

import base64
import json
import types
import urllib.parse

import mailgun.security
from Adyen.util import is_valid_hmac_notification, is_valid_hmac_payload
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from dropbox_sign import EventCallbackHelper
from mercadopago.webhook import WebhookSignatureValidator

from asking import (
    AHEAD,
    CLOCK,
    FORM,
    JSON,
    KEY,
    SPELLING,
    STRICT,
    TIME,
    ask,
    mac,
    spoilt,
)
from vector import BODIES, BODY, NOW, b64

# --- Adyen
ADYEN = "Adyen 16.0.0 (PyPI)"
HEX = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
ORDER = [
    "pspReference",
    "originalReference",
    "merchantAccountCode",
    "merchantReference",
    "value",
    "currency",
    "eventCode",
    "success",
]
COLON = ("reject", "a colon would move what follows into the next field")


def item(sign=True, key=HEX, **changes):
    made = {
        "pspReference": "7914073381342284",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "amount": {"value": 1130, "currency": "EUR"},
        "eventCode": "AUTHORISATION",
        "success": "true",
        "eventDate": "2019-05-06T17:15:34.121+02:00",
    }
    made = {name: value for name, value in (made | changes).items() if value is not ...}
    fields = made | made.get("amount", {})
    text = ":".join("" if fields.get(name) is None else str(fields[name]) for name in ORDER)
    return made | ({"additionalData": {"hmacSignature": b64(mac(text, bytes.fromhex(key)))}} if sign else {})


def adyen(case, *items, ours=None, body=None, keys=None):
    document = {"live": "false", "notificationItems": [{"NotificationRequestItem": one} for one in items]}
    body = json.dumps(document).encode() if body is None else body

    def judge():
        items = json.loads(body)["notificationItems"]
        return items and all(
            any(is_valid_hmac_notification(one["NotificationRequestItem"], key) for key in keys or [HEX]) for one in items
        )

    ask("adyen_payment", case, ADYEN, judge, JSON, body, ours, keys=keys or [HEX])


adyen("one", item())
adyen("two", item(), item(pspReference="8", success="false"))
adyen("second_bad", item(), item() | {"success": "false"})
adyen("first_bad", item() | {"success": "false"}, item())
adyen("second_unsigned", item(), item(sign=False))
adyen("none")
adyen("other_key", item(key=HEX[::-1]))
adyen("rotation", item(), keys=[HEX[::-1], HEX])
adyen(
    "two_keys_over_two_items",
    item(),
    item(key=HEX[::-1]),
    keys=[HEX, HEX[::-1]],
    ours=("reject", "all items of a notification are signed with one key"),
)
for name, changes in [
    ("original", {"originalReference": "123"}),
    ("no_reference", {"merchantReference": ...}),
    ("empty_reference", {"merchantReference": ""}),
    ("reference_with_colon", {"merchantReference": "a:b"}),
    ("umlaut", {"merchantReference": "Größe \U0001f980"}),
    ("quotes", {"merchantReference": '"\\/'}),
    ("zero", {"amount": {"value": 0, "currency": "EUR"}}),
    ("big", {"amount": {"value": 9007199254740993, "currency": "JPY"}}),
    ("negative", {"amount": {"value": -5, "currency": "EUR"}}),
    ("reason", {"reason": "033899:1111:03/2030", "paymentMethod": "visa"}),
    ("original_empty", {"originalReference": ""}),
    ("failed", {"success": "false"}),
    ("text_value", {"amount": {"value": "1130", "currency": "EUR"}}),
]:
    adyen(f"item_{name}", item(**changes))
adyen("colon_moved", item(merchantAccountCode="a:b"), ours=COLON)
made = item()
for field in ["pspReference", "merchantAccountCode", "merchantReference", "eventCode", "success"]:
    adyen(f"{field}_changed", made | {field: "x"})
    adyen(f"{field}_removed", {name: value for name, value in made.items() if name != field})
adyen("value_changed", made | {"amount": {"value": 1131, "currency": "EUR"}})
adyen("currency_changed", made | {"amount": {"value": 1130, "currency": "USD"}})
adyen("unsigned_changed", made | {"reason": "x", "eventDate": "never"})
adyen("original_added", made | {"originalReference": "1"})
for case, signature, ours in spoilt(made["additionalData"]["hmacSignature"]):
    adyen(f"signature_{case}", made | {"additionalData": {"hmacSignature": signature}}, ours=ours)
text = json.dumps({"notificationItems": [{"NotificationRequestItem": made}]})
adyen("member_twice", body=text.replace('"success"', '"success": "false", "success"').encode(), ours=STRICT)
adyen(
    "raw_letters",
    body=json.dumps(
        {"notificationItems": [{"NotificationRequestItem": item(merchantReference="Größe")}]}, ensure_ascii=False
    ).encode(),
)
adyen("pretty", body=json.dumps(json.loads(text), indent=2).encode())
adyen("not_json", body=b"x")


def banking(case, body=BODY, signature=None, ours=None, key=HEX, keys=None):
    signed = b64(mac(body, bytes.fromhex(key)))
    signature = signed if signature is None else signature
    ask(
        "adyen_banking_header",
        case,
        ADYEN,
        lambda: any(is_valid_hmac_payload(signature, one, body) for one in keys or [HEX]),
        JSON | {"HmacSignature": signature, "Protocol": "HmacSHA256"},
        body,
        ours,
        keys=keys or [HEX],
    )
    return signed


for name, body in BODIES.items():
    good = banking(f"body_{name}", body)
good = banking("good")
banking("other_body", BODY + b"\n", good)
banking("other_key", key=HEX[::-1])
banking("rotation", keys=[HEX[::-1], HEX])
for case, signature, ours in spoilt(good):
    banking(f"signature_{case}", signature=signature, ours=ours)

# --- Mailgun
MAILGUN = "mailgun 1.10.0 (PyPI)"


def gun(
    case,
    at=str(NOW),
    token="a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0",
    signature=None,
    now=NOW,
    ours=None,
    key=KEY,
    body=None,
    changes=(),
):
    signed = mac(at + token if isinstance(at, str) else f"{at}{token}", key).hex()
    made = {"token": token, "timestamp": at, "signature": signed if signature is None else signature} | dict(changes)
    made = {name: value for name, value in made.items() if value is not ...}
    body = (
        json.dumps({"signature": made, "event-data": {"event": "opened", "id": "Ase7i2zsRYeDXztHGENqRA"}}).encode()
        if body is None
        else body
    )

    def judge():
        shown = json.loads(body)["signature"]
        return mailgun.security.SecurityGuard.verify_webhook(KEY, shown["token"], shown["timestamp"], shown["signature"])

    ask("mailgun", case, MAILGUN, judge, JSON, body, ours, now=now, tolerance_s=900)
    return signed


good = gun("good")
for case, now, ours in [
    ("just_in_time", NOW + 900, None),
    ("old", NOW + 901, None),
    ("just_not_early", NOW - 60, None),
    ("early", NOW - 61, AHEAD),
    ("very_early", NOW - 901, None),
]:
    gun(f"clock_{case}", now=now, ours=ours)
gun("other_token", token="b" * 50, signature=good)
gun("other_time", at=str(NOW + 1), signature=good)
gun("digit_moved", at=str(NOW)[:-1], token="0a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0", signature=good)
gun("other_key", key="x")
for case, signature, ours in spoilt(good):
    gun(f"signature_{case}", signature=signature, ours=ours)
for case, changes, ours in [
    ("no_token", {"token": ...}, None),
    ("no_timestamp", {"timestamp": ...}, None),
    ("no_signature", {"signature": ...}, None),
    ("signature_null", {"signature": None}, None),
    ("token_number", {"token": 5}, None),
]:
    gun(case, ours=ours, changes=changes)
gun("time_is_a_number", at=NOW)
gun("time_has_a_zero", at=f"0{NOW}", ours=TIME)
gun("time_is_text", at="now")
gun("token_empty", token="", ours=("reject", "a token is there"))
text = json.dumps(
    {
        "signature": {"token": "t1", "timestamp": str(NOW), "signature": mac(f"{NOW}t1").hex()},
        "event-data": {"event": "delivered"},
    }
)
gun("short_token", body=text.encode())
gun("event_changed", body=text.replace("delivered", "failed").encode())
gun("signature_twice", body=text.replace('{"signature"', '{"signature": {}, "signature"').encode(), ours=STRICT)
gun("escaped", body=text.replace("t1", "t\\u0031").encode())
gun("bom", body=b"\xef\xbb\xbf" + text.encode(), ours=STRICT)
gun("not_json", body=b"x=1")

# --- Dropbox Sign
SIGN = "dropbox-sign 2.0.0 (PyPI)"


def dropbox(
    case, at=str(NOW), kind="signature_request_sent", digest=None, ours=None, key=KEY, multipart=True, field="json", **changes
):
    signed = mac(at + kind, key).hex()
    event = {
        "event_time": at,
        "event_type": kind,
        "event_hash": signed if digest is None else digest,
        "event_metadata": {"reported_for_app_id": None},
    } | changes
    event = {name: value for name, value in event.items() if value is not ...}
    text = json.dumps({"event": event})
    if multipart:
        body = f'--XBOUNDX\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{text}\r\n--XBOUNDX--\r\n'.encode()
        headers = {"Content-Type": "multipart/form-data; boundary=XBOUNDX"}
    else:
        body, headers = urllib.parse.urlencode({field: text}).encode(), FORM
    shown = types.SimpleNamespace(
        event=types.SimpleNamespace(**({"event_time": "", "event_type": "", "event_hash": ""} | event))
    )
    ask(
        "dropbox_sign",
        case,
        SIGN,
        lambda: field == "json" and EventCallbackHelper.is_valid(KEY, shown),
        headers | {"User-Agent": "Dropbox Sign API"},
        body,
        ours,
    )
    return signed


good = dropbox("good")
dropbox("form", multipart=False)
for kind in ["callback_test", "signature_request_all_signed", "account_confirmed", "template_created"]:
    dropbox(f"type_{kind}", kind=kind)
dropbox("other_time", at=str(NOW + 1), digest=good)
dropbox("other_type", kind="signature_request_signed", digest=good)
dropbox(
    "digit_moved",
    at=str(NOW)[:-1],
    kind="0signature_request_sent",
    digest=good,
    ours=("reject", "a type is no digits, so that nothing moves from the time into it"),
)
dropbox("other_key", key="x")
dropbox("unsigned_changed", event_metadata={"reported_for_app_id": "evil"})
dropbox("other_field", field="data")
for case, digest, ours in spoilt(good):
    dropbox(f"hash_{case}", digest=digest, ours=ours)
for name in ["event_time", "event_type", "event_hash"]:
    dropbox(f"no_{name}", **{name: ...})

# --- Mercado Pago
MERCADO = "mercadopago 3.6.0 (PyPI)"


def mercado(
    case,
    id_="123456",
    request="req-1",
    at=str(NOW),
    header=None,
    now=NOW,
    ours=None,
    key=KEY,
    query=None,
    text=None,
    tolerance=None,
):
    parts = ([f"id:{id_};"] if id_ else []) + ([f"request-id:{request};"] if request else []) + [f"ts:{at};"]
    signed = mac("".join(parts) if text is None else text, key).hex()
    header = (header or "ts={at},v1={v1}").format(at=at, v1=signed)
    query = f"type=payment&data.id={id_}" if query is None else query
    data = dict(urllib.parse.parse_qsl(query, keep_blank_values=True)).get("data.id")

    def judge():
        WebhookSignatureValidator.validate(header, request, data, KEY, tolerance_seconds=tolerance, now=lambda: now * 1000)
        return True

    headers = JSON | {"x-signature": header} | ({} if request is None else {"x-request-id": request})
    ask(
        "mercadopago",
        case,
        MERCADO,
        judge,
        headers,
        BODY,
        ours,
        url=f"https://hooks.example.com/in/mp?{query}",
        now=now,
        tolerance_s=tolerance,
    )
    return signed


good = mercado("good")
mercado("no_id", id_=None, query="type=payment")
mercado("empty_id", id_=None, query="type=payment&data.id=")
mercado("no_request_id", request=None)
mercado("empty_request_id", request="")
mercado("neither", id_=None, request=None, query="type=payment")
mercado("letters", id_="abc-DEF-1")
mercado("id_escaped", id_="a b", query="data.id=a%20b")
mercado("id_plus", id_="a b", query="data.id=a+b")
mercado(
    "id_twice", query="data.id=123456&data.id=123456", ours=("reject", "of two ids it would be anybody's guess which is meant")
)
for case, header, ours in [
    ("blank", "ts={at}, v1={v1}", None),
    ("swapped", "v1={v1},ts={at}", None),
    ("v2_too", "ts={at},v1={v1},v2=00", None),
    ("only_v2", "ts={at},v2={v1}", None),
    ("capitals", "TS={at},V1={v1}", SPELLING),
    ("no_ts", "v1={v1}", None),
    ("no_v1", "ts={at}", None),
    ("empty_v1", "ts={at},v1=", None),
    ("two_v1_bad_first", "ts={at},v1=00,v1={v1}", ("accept", "any of several signatures may be the one")),
    ("two_ts", "ts=1,ts={at},v1={v1}", ("reject", "a time stands once")),
    ("semicolon", "ts={at};v1={v1}", None),
    ("empty", " ", None),
    ("cut", "ts={at},v1={v1}0", None),
    ("comma_behind", "ts={at},v1={v1},", None),
]:
    mercado(f"header_{case}", header=header, ours=ours)
mercado("header_upper_hex", header=f"ts={NOW},v1={good.upper()}", ours=SPELLING)
mercado("other_id", header=f"ts={NOW},v1={good}", id_="123457")
mercado("other_request", header=f"ts={NOW},v1={good}", request="req-2")
mercado("other_time", header=f"ts={NOW + 1},v1={good}")
mercado("id_dropped", header=f"ts={NOW},v1={good}", query="type=payment")
mercado("other_key", key="x")
mercado(
    "moved",
    header=f"ts={NOW},v1={good}",
    query="data.id=123456;request-id:req-1",
    request=None,
    ours=("reject", "one part cannot hold another"),
)
for case, now, ours in [
    ("old", NOW + 301, None),
    ("just", NOW + 300, None),
    ("early", NOW - 61, AHEAD),
    ("just_not_early", NOW - 60, None),
]:
    mercado(f"clock_{case}", now=now, ours=ours, tolerance=300)
mercado("clock_unlooked_at", now=NOW + 301, ours=CLOCK)
mercado("time_in_milliseconds", at=f"{NOW}000", ours=("reject", "the vendor's time is in seconds"))
mercado("time_with_zero", at=f"0{NOW}", ours=TIME)
mercado("time_text", at="now")

# --- Paddle Classic, as documented: PHP's serialize() of the sorted form
PADDLE = "the vendor's documented steps, 2026-11"
RSA, OTHER_RSA = (rsa.generate_private_key(65537, 2048) for _ in range(2))


def php(fields):
    text = b"a:%d:{" % len(fields)
    for string in [part for pair in sorted(fields.items()) for part in pair]:
        raw = string.encode()
        text += b's:%d:"%s";' % (len(raw), raw)
    return text + b"}"


def paddle(
    case,
    fields,
    signed=None,
    ours=None,
    key=RSA,
    digest=hashes.SHA1(),
    body=None,
    signature=None,
    accepts=None,
    quote=urllib.parse.quote_plus,
):
    signature = (
        b64(key.sign(php(fields if signed is None else signed), padding.PKCS1v15(), digest)) if signature is None else signature
    )
    body = (
        urllib.parse.urlencode(fields | {"p_signature": signature}, quote_via=lambda text, *_: quote(text)).encode()
        if body is None
        else body
    )

    def judge():
        RSA.public_key().verify(base64.b64decode(signature, validate=True), php(fields), padding.PKCS1v15(), hashes.SHA1())
        return True if accepts is None else accepts

    public = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    ask("paddle_classic", case, PADDLE, judge, FORM, body, ours, True, keys=[], public=[public])


ALERT = {
    "alert_id": "1999",
    "alert_name": "payment_succeeded",
    "customer_name": "Łukasz \U0001f980",
    "event_time": "2025-10-09 08:53:20",
    "balance_gross": "10.5",
    "coupon": "",
    "passthrough": '{"a": "b+c"}',
}
paddle("good", ALERT)
paddle("percent_blanks", ALERT, quote=urllib.parse.quote)
for name, fields in [
    ("one", {"alert_id": "1"}),
    ("quotes", {"a": 'b";s:1:"c'}),
    ("lines", {"a": "b\r\nc"}),
    ("long", {"a": "x" * 5000}),
    ("capital", {"B": "1", "a": "2", "A": "3"}),
    ("underline", {"a_b": "1", "ab": "2", "aB": "3"}),
    ("digits", {"a1": "1", "a10": "2", "a2": "3"}),
    ("empty", {"a": ""}),
]:
    paddle(f"fields_{name}", fields)
paddle("value_changed", ALERT | {"balance_gross": "1.5"}, signed=ALERT)
paddle("field_added", ALERT | {"x": "1"}, signed=ALERT)
paddle("field_removed", {"alert_id": "1999"}, signed=ALERT)
paddle("other_key", ALERT, key=OTHER_RSA)
paddle("sha256", ALERT, digest=hashes.SHA256())
paddle("signature_empty", ALERT, signature="")
paddle("signature_garbage", ALERT, signature="AAAA")
paddle("moved_by_quotes", {"a": '";s:1:"b', "c": "d"}, signed={"a": "", "b": "d"})

# --- Microsoft Graph, as documented
GRAPH = "the vendor's documented steps, 2026-11"


def graph(case, *items, ours=None, body=None, keys=None):
    body = (
        json.dumps(
            {"value": [{"subscriptionId": "s", "changeType": "updated", "resource": "users/1"} | one for one in items]}
        ).encode()
        if body is None
        else body
    )
    judge = lambda: (found := json.loads(body)["value"]) and all(one["clientState"] in (keys or [KEY]) for one in found)
    ask("microsoft_graph_clientstate", case, GRAPH, judge, JSON, body, ours, True, keys=keys or [KEY])


STATE = {"clientState": KEY}
graph("one", STATE)
graph("three", STATE, STATE, STATE)
for name, other in [
    ("other", {"clientState": "x"}),
    ("missing", {}),
    ("null", {"clientState": None}),
    ("empty", {"clientState": ""}),
    ("longer", {"clientState": KEY + "x"}),
    ("shorter", {"clientState": KEY[:-1]}),
    ("capitals", {"clientState": KEY.upper()}),
    ("list", {"clientState": [KEY]}),
    ("blank", {"clientState": KEY + " "}),
]:
    graph(f"only_{name}", other)
    graph(f"second_{name}", STATE, other)
    graph(f"first_{name}", other, STATE)
graph("none")
graph("escaped", body=json.dumps({"value": [STATE]}).replace("secret", "\\u0073ecret").encode())
graph("twice", body=('{"value": [{"clientState": "x", "clientState": "%s"}]}' % KEY).encode(), ours=STRICT)
graph("rotation", STATE, keys=["other-word-1", KEY])
graph(
    "two_words",
    STATE,
    {"clientState": "other-word-1"},
    keys=["other-word-1", KEY],
    ours=("reject", "all of a delivery show one word"),
)
graph("not_json", body=b"x")
graph("no_list", body=json.dumps({"value": STATE}).encode())
