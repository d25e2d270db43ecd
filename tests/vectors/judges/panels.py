# /// script
# dependencies = ["twilio==9.13.0", "braintree==4.48.0", "aiogram==3.31.0", "python-telegram-bot[webhooks]==22.8", "gidgetlab==2.1.2"]
# ///
"""Senders that several libraries judge at once: Twilio and Braintree, by those for Python and for Node; the tokens of Telegram, by
aiogram, python-telegram-bot, grammY and Telegraf; that of GitLab, by gidgetlab. Those who agree share a line."""

import base64
import contextlib
import hashlib
import hmac
import io
import pathlib
import re
import types
import urllib.parse

import braintree
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from gidgetlab.sansio import Event
from telegram.ext._utils.webhookhandler import TelegramHandler
from twilio.request_validator import RequestValidator, get_signature_algorithm

from asking import FORM, JSON, SPELLING, mac, node_says, spoilt
from vector import BODY, b64, judged, vector

HERE = pathlib.Path(__file__)
PINNED = dict(re.findall(r'"([\w-]+)(?:\[\w+\])?==([\w.]+)"', HERE.read_text()))
PINNED_NODE = dict(re.findall(r'"(@?[\w/-]+)@([\w.]+)"', HERE.with_suffix(".mjs").read_text()))
KEY, OTHER = "panel-secret-0001", "panel-secret-0002"
TWICE = ("reject", "what stands there twice is refused: two readers could disagree about it")
asked = []


def ask(scheme, case, libraries, node, headers, body=BODY, ours=None, keys=None, **rest):
    """`libraries` say by name what those for Python say of the line and one key; `node` names those for Node."""
    line = vector(scheme, case, headers, body, keys=keys or [KEY], **rest)
    verdicts = {}
    for name, judge in libraries.items():
        verdicts[f"{name} {PINNED[name]} (PyPI)"] = any(tried(judge, line, key) for key in line["secrets"])
    asked.append((line, verdicts, node, ours))


def tried(judge, line, key):
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            said = judge(line, base64.b64decode(line["body_base64"]), key)
        return said is None or bool(said)
    except Exception:
        return False


def values(line, name):
    """The values of a header, without the blanks that are not part of them."""
    lines = next((lines for held, lines in line["headers"].items() if held.lower() == name.lower()), [])
    return [value.strip(" \t") for value in ([lines] if isinstance(lines, str) else lines)]


def joined(line, name, comma=", "):
    return comma.join(values(line, name)) if values(line, name) else None


def tell():
    questions = [line | {"asks": name} for line, _, node, _ in asked for name in node]
    answers = iter(node_says("panels", questions))
    for line, verdicts, node, ours in asked:
        verdicts |= {f"{name} {PINNED_NODE[name]} (npm)": next(answers)["accepts"] for name in node}
        for verdict in sorted(set(verdicts.values())):
            agree = [name for name, said in verdicts.items() if said == verdict]
            apart = len(set(verdicts.values())) > 1
            first = agree[0].split()
            mine = line | {"id": f"{line['id']}/{first[0]}.{first[2].strip('()').lower()}"} if apart else line
            judged(mine, ", ".join(agree), verdict, ours or (("reject", "UNEXPLAINED") if apart else None))


# --- Twilio
class Fields(dict):
    """A form as Flask hands it over."""

    def getlist(self, name):
        return self[name]


def twilio_says(line, body, key):
    form = line["headers"].get("Content-Type") == FORM["Content-Type"]
    fields = Fields()
    for name, value in urllib.parse.parse_qsl(body.decode(), keep_blank_values=True) if form else []:
        fields.setdefault(name, []).append(value)
    algorithm = get_signature_algorithm(joined(line, "X-Twilio-Webhooks-Signature-Settings"))
    signature = joined(line, "X-Twilio-Signature") or ""
    return RequestValidator(key).validate(line["url"], fields if form else body.decode(), signature, algorithm)


def twilio_text(url, body):
    fields = {}
    for name, value in urllib.parse.parse_qsl(body.decode(), keep_blank_values=True):
        fields.setdefault(name, set()).add(value)
    return url + "".join(name + value for name in sorted(fields) for value in sorted(fields[name]))


HOOK = "https://hooks.example.com/in/twilio"


def twilio(case, body=b"CallSid=CA1&From=%2B14158675309&To=%2B1", url=HOOK, kind=FORM, signature=None, text=None, ours=None, key=KEY,
           digest="sha1", headers=None, **rest):  # fmt: skip
    text = (twilio_text(url, body) if kind is FORM else url) if text is None else text
    signed = b64(mac(text, key, digest))
    shown = {"X-Twilio-Signature": signed if signature is None else signature} if headers is None else headers(signed)
    ask("twilio", case, {"twilio": twilio_says}, ["twilio"], (kind or {}) | shown, body, ours, url=url, **rest)
    return signed


good = twilio("form")
for name, body in [
    ("empty", b""), ("one", b"a=1"), ("sorted", b"b=2&a=1&C=3&_=4&A=5"), ("repeated", b"a=2&a=1&a=10"), ("alike", b"a=1&a=1"),
    ("empty_value", b"a=&b=1"), ("no_equals", b"a&b=1"), ("plus", b"a=b+c"), ("escaped", b"a=b%20c%26d%3De"),
    ("umlaut", b"n=J%C3%BCrgen"), ("emoji", b"n=%F0%9F%A6%80&%F0%9F%A6%80=n"), ("brackets", b"a%5B%5D=1"),
    ("equals_in_value", b"a=b=c"), ("doubled_mark", b"a=1&&b=2"), ("crlf", b"a=b%0D%0Ac"),
    ("media", b"NumMedia=1&MediaUrl0=https%3A%2F%2Fapi.twilio.com%2Fx%3Fa%3D1&Body=%F0%9F%98%80+hi"), ("blank", b"a=+&b=%20"),
]:  # fmt: skip
    twilio(f"form_{name}", body)
SORTED = ("accept", "fields are sorted as the library for Python sorts them; that for Node compares halves of letters")
twilio("form_wide_names", b"%EF%BC%A1=1&%F0%9D%90%80=2&z=3", ours=SORTED)
twilio("form_alike_not_folded", b"a=1&a=1", text=HOOK + "a1a1")
twilio("field_moved", b"CallSid=CA1&From=%2B14158675309T&o=%2B1", signature=good)
twilio("field_added", b"CallSid=CA1&From=%2B14158675309&To=%2B1&x=1", signature=good)
twilio("field_lost", b"CallSid=CA1&To=%2B1", signature=good)
twilio("fields_in_another_order", b"To=%2B1&From=%2B14158675309&CallSid=CA1", signature=good)
for name, url in [
    ("query", HOOK + "?b=2&a=1"), ("port", "https://hooks.example.com:8443/in"), ("default_port", "https://hooks.example.com:443/in"),
    ("http", "http://hooks.example.com/in"), ("root", "https://hooks.example.com/"), ("mark_alone", HOOK + "?"),
    ("escaped", HOOK + "?n=J%C3%BCrgen%27s"), ("apostrophe", HOOK + "?n=o'b"), ("marks", HOOK + ";a,b@c:d$e!f~g*h(i)?x=/y?z"),
    ("plus", HOOK + "?a=b+c"), ("lower_escapes", HOOK + "?a=%2f"), ("double_slash", "https://hooks.example.com//in//x"),
    ("dots", "https://hooks.example.com/a/../in"), ("no_value", HOOK + "?a"), ("upper_host", "https://HOOKS.example.com/in"),
]:  # fmt: skip
    alone = ("accept", "a question mark that stands alone is of the URL that came; the library for Python loses it")
    for method, body in [("GET", b""), ("POST", b"x=1")]:
        twilio(f"url_{name}_{method.lower()}", body, url, FORM if body else None, method=method,
               ours=alone if name == "mark_alone" else None)  # fmt: skip
twilio("get_that_brings_a_body", BODY, HOOK + "?a=1", kind=JSON, method="GET")
twilio("get_of_another_query", b"", HOOK + "?a=2", kind=None, method="GET", text=HOOK + "?a=1")
twilio("signed_with_port", text=twilio_text("https://hooks.example.com:443/in/twilio", b"CallSid=CA1&From=%2B14158675309&To=%2B1"))
twilio("signed_with_another_port", text=twilio_text("https://hooks.example.com:444/in/twilio", b"CallSid=CA1&From=%2B14158675309&To=%2B1"))
twilio("signed_without_port", b"a=1", "https://hooks.example.com:8443/in", text="https://hooks.example.com/ina1")
twilio("signed_as_http", b"a=1", text="http://hooks.example.com/in/twilioa1")
ESCAPED = ("reject", "a URL is signed as it came; only the library for Node tries other spellings of it")
twilio("signed_with_escapes", b"a=1", HOOK + "?n=o'b", text=HOOK + "?n=o%27ba1", ours=ESCAPED)
twilio("other_url", url=HOOK + "2", signature=good)
twilio("query_added", url=HOOK + "?x=1", signature=good)
twilio("other_key", key=OTHER)
twilio("rotation", key=OTHER, keys=[KEY, OTHER])
for case, signature, ours in spoilt(good):
    twilio(f"signature_{case}", signature=signature, ours=ours)
twilio("signature_blanks_around", signature=f"  {good} ")
twilio("signature_twice", headers=lambda s: {"X-Twilio-Signature": [s, s]})
twilio("signature_lost", headers=lambda s: {})
twilio("signature_name_in_lower_case", headers=lambda s: {"x-twilio-signature": s})
SETTINGS = "X-Twilio-Webhooks-Signature-Settings"
for case, said, digest, ours in [
    ("sha256", "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", "sha256", None),
    ("sha1", "key=webhooks_sharedkey_1,algorithm=HMAC_SHA1", "sha1", None),
    ("sha256_but_sha1", "key=k,algorithm=HMAC_SHA256", "sha1", None),
    ("sha1_but_sha256", "key=k,algorithm=HMAC_SHA1", "sha256", None),
    ("none_but_sha256", None, "sha256", None),
    ("lower_case", "key=k,algorithm=hmac_sha256", "sha256", ("reject", "an algorithm is named as its vendor names it")),
    ("unknown", "key=k,algorithm=HMAC_MD5", "md5", None),
    ("no_algorithm", "key=k", "sha1", ("reject", "a line that names no algorithm is none of the vendor's")),
    ("empty", "", "sha1", ("reject", "a line that names no algorithm is none of the vendor's")),
    ("blanks", "key=k, algorithm = HMAC_SHA256", "sha256", ("reject", "a line is written as the vendor writes it")),
    ("algorithm_first", "algorithm=HMAC_SHA256,key=k", "sha256", None),
    ("two", "algorithm=HMAC_SHA256,algorithm=HMAC_SHA1", "sha256", TWICE),
    ("two_turned_round", "algorithm=HMAC_SHA1,algorithm=HMAC_SHA256", "sha1", TWICE),
]:  # fmt: skip
    twilio(f"settings_{case}", digest=digest, ours=ours,
           headers=lambda s, said=said: {"X-Twilio-Signature": s} | ({} if said is None else {SETTINGS: said}))  # fmt: skip
digest = hashlib.sha256(BODY).hexdigest()
HASHED = f"{HOOK}?bodySHA256={digest}"
for case, url, body in [
    ("good", HASHED, BODY), ("last", f"{HOOK}?a=1&bodySHA256={digest}", BODY), ("other_body", HASHED, BODY + b"\n"),
    ("empty_body", f"{HOOK}?bodySHA256={hashlib.sha256(b'').hexdigest()}", b""), ("umlaut", None, "{\"n\":\"Jürgen\"}".encode()),
    ("capitals", f"{HOOK}?bodySHA256={digest.upper()}", BODY), ("cut", HASHED[:-1], BODY), ("empty", HOOK + "?bodySHA256=", BODY),
    ("twice", f"{HASHED}&bodySHA256={digest}", BODY), ("twice_bad_last", f"{HASHED}&bodySHA256=00", BODY),
    ("name_in_lower_case", HASHED.replace("bodySHA", "bodysha"), BODY), ("none", HOOK, BODY),
]:  # fmt: skip
    url = url or f"{HOOK}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    nothing = ("accept", "the digest of no body is that of nothing; the library for Node takes it for `{}`")
    twilio(f"digest_{case}", body, url, kind=JSON, ours={"empty_body": nothing}.get(case, TWICE if "twice" in case else None))
twilio("digest_unsigned", BODY, HASHED, kind=JSON, text=HOOK)
twilio("body_taken_away", b"", HASHED, kind=JSON)
FIELDS_ANYWAY = ("accept", "a form is signed by its fields, whatever its URL says; so the library for Python has it")
twilio("digest_of_a_form", b"a=1", f"{HOOK}?bodySHA256={hashlib.sha256(b'a=1').hexdigest()}", ours=FIELDS_ANYWAY)

# --- Braintree
PRIVATE, PUBLIC = "integration_private_key", "integration_public_key"
XML = """<notification><kind>check</kind><timestamp type="datetime">2026-11-23T15:47:30Z</timestamp>
<subject><check type="boolean">true</check></subject></notification>"""
PAYLOAD = base64.encodebytes(XML.encode()).decode()


def braintree_says(line, body, key):
    fields = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    made = braintree.Configuration(braintree.Environment.Sandbox, merchant_id="m", public_key=PUBLIC, private_key=key)
    return bool(braintree.BraintreeGateway(made).webhook_notification.parse(fields["bt_signature"], fields["bt_payload"]))


def bt_mac(payload, key=PRIVATE):
    return hmac.new(hashlib.sha1(key.encode()).digest(), payload.encode(), "sha1").hexdigest()


def bt(case, payload=PAYLOAD, signature=None, signed=None, key=PRIVATE, ours=None, body=None, keys=None, more="", written="{}"):
    made = bt_mac(payload if signed is None else signed, key)
    signature = f"{PUBLIC}|{made}" if signature is None else signature
    sent = urllib.parse.urlencode({"bt_signature": written.format(signature), "bt_payload": payload}) + more if body is None else body
    ask("braintree", case, {"braintree": braintree_says}, ["braintree"], FORM, sent.encode(), ours, keys=keys or [PRIVATE],
        config={"public_key": PUBLIC})  # fmt: skip
    return signature


WRITTEN = ("reject", "a payload is base64 as the vendor writes it")
FIELDS = ("reject", "the form has its two fields and no others, each once")
good = bt("good")
made = good.split("|")[1]
bt("in_one_line", PAYLOAD.replace("\n", ""))
bt("last_line_break_lost", PAYLOAD.rstrip("\n"), signed=PAYLOAD)
bt("last_line_break_added", PAYLOAD, signed=PAYLOAD.rstrip("\n"))
bt("two_line_breaks_lost", PAYLOAD.rstrip("\n"), signed=PAYLOAD + "\n")
bt("two_line_breaks", PAYLOAD + "\n")
bt("crlf", PAYLOAD.replace("\n", "\r\n"))
bt("blank", PAYLOAD.replace("\n", " "))
bt("blank_behind", PAYLOAD + " ")
bt("other_payload", base64.encodebytes(XML.replace("true", "fals").encode()).decode(), good)
bt("empty_payload", "", ours=WRITTEN)
bt("url_letters", PAYLOAD.rstrip("\n") + "-_")
bt("umlaut", PAYLOAD + "ü")
bt("other_key", key="other")
bt("rotation", keys=["other", PRIVATE])
bt("other_public_key", signature=f"other|{made}")
bt("public_key_in_capitals", signature=f"{PUBLIC.upper()}|{made}")
bt("several_first", signature=f"{good}&other|{'0' * 40}")
bt("several_last", signature=f"other|{'0' * 40}&{good}")
bt("several_without_bar", signature=f"nothing&{good}")
bt("ours_twice_bad_first", signature=f"{PUBLIC}|{'0' * 40}&{good}")
bt("ours_twice_good_first", signature=f"{good}&{PUBLIC}|{'0' * 40}")
bt("three_parts", signature=f"{good}|x", ours=("reject", "a signature is written as the vendor writes it"))
bt("no_bar", signature=PUBLIC + made)
bt("empty_signature", signature="")
bt("bar_alone", signature="|")
bt("no_mac", signature=f"{PUBLIC}|")
bt("blank_before", signature=f"{PUBLIC}| {made}")
bt("semicolon", signature=f"other|{'0' * 40};{good}")
for case, signature, ours in spoilt(made):
    bt(f"mac_{case}", signature=f"{PUBLIC}|{signature}", ours=ours)
bt("key_not_hashed", signature=f"{PUBLIC}|{hmac.new(PRIVATE.encode(), PAYLOAD.encode(), 'sha1').hexdigest()}")
bt("sha256", signature=f"{PUBLIC}|{hmac.new(hashlib.sha256(PRIVATE.encode()).digest(), PAYLOAD.encode(), 'sha256').hexdigest()}")
bt("field_added", more="&x=1", ours=FIELDS)
bt("payload_twice", more="&bt_payload=eA", ours=FIELDS)
bt("signature_twice", more=f"&bt_signature={urllib.parse.quote(good)}", ours=FIELDS)
bt("fields_swapped", body=urllib.parse.urlencode({"bt_payload": PAYLOAD, "bt_signature": good}))
bt("payload_in_small_letters", body=f"bt_signature={good}&bt_payload={urllib.parse.quote(PAYLOAD, safe='').lower()}")
bt("no_signature", body=urllib.parse.urlencode({"bt_payload": PAYLOAD}))
bt("no_payload", body=urllib.parse.urlencode({"bt_signature": good}))


# --- Telegram and GitLab, which show a token
def aiogram_says(line, body, key):
    shown = (values(line, TELEGRAM) or [""])[0]
    return SimpleRequestHandler.verify_secret(types.SimpleNamespace(secret_token=key), shown, None)


def bot_says(line, body, key):
    headers = {"Content-Type": "application/json", TELEGRAM: joined(line, TELEGRAM, ",")}
    asked = types.SimpleNamespace(request=types.SimpleNamespace(headers=headers), secret_token=key)
    TelegramHandler._validate_post(asked)


def gitlab_says(line, body, key):
    shown = {name: joined(line, name) for name in ["content-type", "x-gitlab-event", "x-gitlab-token"] if values(line, name)}
    Event.from_http(shown, body, secret=key)


TELEGRAM = "X-Telegram-Bot-Api-Secret-Token"
BOTS = {"aiogram": aiogram_says, "python-telegram-bot": bot_says}
FIRST = ("reject", "a token that stands there twice is refused; a framework takes the first, or joins them")


def shown(scheme, header, libraries, node, also, secrets):
    def token(case, lines, ours=None, keys=None, name=header):
        headers = JSON | also | ({} if lines is None else {name: lines})
        ask(scheme, case, libraries, node, headers, BODY, ours, keys=keys)

    token("right", KEY)
    for number, secret in enumerate(secrets):
        token(f"secret_{number}", secret, keys=[secret])
        token(f"secret_{number}_cut", secret[:-1] or "", keys=[secret])
    for case, text in [
        ("other", OTHER), ("capitals", KEY.upper()), ("cut", KEY[:-1]), ("longer", KEY + "1"), ("empty", ""), ("lost", None),
        ("quoted", f'"{KEY}"'), ("with_word", f"Bearer {KEY}"), ("in_base64", b64(KEY.encode())), ("with_comma", KEY + ","),
        ("two_in_a_line", f"{KEY}, {KEY}"), ("hashed", hashlib.sha256(KEY.encode()).hexdigest()), ("undefined", "undefined"),
        ("blanks_around", f"  {KEY}\t"), ("blank_inside", KEY[:5] + " " + KEY[5:]), ("null", "null"), ("escaped", KEY.replace("-", "%2D")),
    ]:  # fmt: skip
        token(case, text)
    token("rotation_old", KEY, keys=[KEY, OTHER])
    token("rotation_new", OTHER, keys=[KEY, OTHER])
    token("rotation_other", "panel-secret-0003", keys=[KEY, OTHER])
    token("twice", [KEY, KEY], FIRST)
    token("twice_good_first", [KEY, OTHER], FIRST)
    token("twice_bad_first", [OTHER, KEY], FIRST)
    token("name_in_lower_case", KEY, name=header.lower())
    token("name_in_capitals", KEY, name=header.upper())
    token("name_with_underlines", KEY, name=header.replace("-", "_"))
    token("secret_with_line_break", KEY, keys=[KEY + "\n"])


shown("telegram", TELEGRAM, BOTS, ["grammy", "telegraf"], {}, ["a", "A-b_9" * 51 + "x"])
shown("gitlab_token", "X-Gitlab-Token", {"gidgetlab": gitlab_says}, [], {"X-Gitlab-Event": "Push Hook"},
      ["a", "x" * 255, "p\"'<>&amp;%20+/=\\$", "a blank"])  # fmt: skip

tell()
