# /// script
# dependencies = ["plivo==4.63.0", "hubspot-api-client==12.0.0", "cloudinary==1.46.3"]
# ///
"""Senders that sign URL, method, form or headers, or a plain digest: Plivo, HubSpot and Cloudinary, judged by their libraries;
Contentful by its own (in urls.mjs); Mandrill, which has none, by its documented steps."""

import datetime
import hashlib
import json
import time
import urllib.parse

import cloudinary.utils
import hubspot.utils.signature
from plivo.utils import validate_signature
from plivo.utils.signature_v3 import validate_v3_signature

from asking import AHEAD, CLOCK, FORM, JSON, KEY, RAW, TIME, ask, mac, node_says, spoilt
from vector import BODIES, BODY, NOT_UTF8, NOW, b64, judged, vector

# --- Plivo. Its library for Python decodes a query to Latin-1; that for Node.js, and Plivo, to UTF-8: so none is asked of others.
PLIVO = "plivo 4.63.0 (PyPI)"


def plivo_text(url, form):
    head, _, query = url.partition("?")
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    text = (
        head
        + ("?" if pairs or form else "")
        + "&".join(f"{name}={value}" for name, value in pairs)
        + ("." if pairs and form else "")
    )
    return text + "".join(name + value for name, value in sorted(form))


def plivo(
    case,
    url="https://hooks.example.com/in/plivo",
    body=b"From=1&To=2",
    method="POST",
    nonce="12345",
    signature=None,
    text=None,
    ours=None,
    headers=None,
    key=KEY,
    keys=None,
):
    form = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)
    signed = b64(mac((plivo_text(url, form) if text is None else text) + "." + nonce, key))
    signature = signed if signature is None else signature
    shown = {"X-Plivo-Signature-V3": signature, "X-Plivo-Signature-V3-Nonce": nonce} if headers is None else headers
    params = {name: [value for other, value in form if other == name] for name, _ in form}
    params = {name: values[0] if len(values) == 1 else values for name, values in params.items()}
    ask(
        "plivo_v3",
        case,
        PLIVO,
        lambda: (
            headers is None and any(validate_v3_signature(method, url, nonce, one, signature, params) for one in keys or [KEY])
        ),
        (FORM if body else {}) | shown,
        body,
        ours,
        url=url,
        method=method,
        keys=keys or [KEY],
    )
    return signed


good = plivo("form")
for name, body in [
    ("empty", b""),
    ("one", b"a=1"),
    ("sorted", b"b=2&a=1&C=3"),
    ("repeated", b"a=2&a=1&a=10"),
    ("empty_value", b"a=&b=1"),
    ("no_equals", b"a&b=1"),
    ("plus", b"a=b+c"),
    ("escaped", b"a=b%20c%26d%3De"),
    ("umlaut", b"n=J%C3%BCrgen"),
    ("emoji", b"n=%F0%9F%A6%80"),
    ("name_escaped", b"a%5B%5D=1"),
    ("capital_names", b"Z=1&a=2"),
    ("lower_escapes", b"a=%2f"),
    ("equals_in_value", b"a=b=c"),
    ("doubled_mark", b"a=1&&b=2"),
    ("underline", b"a_b=1&aB=2&ab=3"),
    ("number_names", b"10=a&9=b"),
    ("crlf", b"a=b%0D%0Ac"),
]:
    plivo(f"form_{name}", body=body)
    for query in ["", "?b=2&a=1", "?a=x%20y&a=w"]:
        plivo(f"form_{name}_{query}", url=f"https://hooks.example.com/in/plivo{query}", body=body)
for name, url in [
    ("port", "https://hooks.example.com:8443/in"),
    ("default_port", "https://hooks.example.com:443/in"),
    ("root", "https://hooks.example.com/"),
    ("repeated", "https://hooks.example.com/in?a=2&a=1"),
    ("empty_value", "https://hooks.example.com/in?a="),
    ("plus", "https://hooks.example.com/in?a=b+c"),
    ("escaped", "https://hooks.example.com/in?a=b%26c"),
    ("path_escaped", "https://hooks.example.com/in%20x?a=1"),
    ("upper_host", "https://HOOKS.example.com/in"),
    ("http", "http://hooks.example.com/in"),
    ("mark_alone", "https://hooks.example.com/in?"),
    ("no_equals", "https://hooks.example.com/in?a"),
    ("order", "https://hooks.example.com/in?b=1&a=2&B=3"),
]:
    for method, body in [("GET", b""), ("POST", b""), ("POST", b"x=1")]:
        plivo(f"url_{name}_{method}_{len(body)}", url=url, body=body, method=method)
plivo("other_form", body=b"From=1&To=3", signature=good)
plivo("field_moved", body=b"Fro=m1&To=2", signature=good, text=None)
plivo("field_added", body=b"From=1&To=2&x=1", signature=good)
plivo("other_nonce", nonce="2", signature=good)
plivo("other_url", url="https://hooks.example.com/in/plivo2", signature=good)
plivo("other_key", key="other")
plivo("rotation", keys=["other", KEY])
plivo("list_good_last", signature=f"{'A' * 43}=,{good}")
plivo("list_good_first", signature=f"{good},{'A' * 43}=")
plivo("list_blank", signature=f"{'A' * 43}=, {good}")
plivo("list_bad", signature=f"{'A' * 43}=,{'B' * 43}=")
for case, signature, ours in spoilt(good):
    plivo(f"signature_{case}", signature=signature, ours=ours)
plivo("no_signature", headers={"X-Plivo-Signature-V3-Nonce": "12345"})
plivo("no_nonce", headers={"X-Plivo-Signature-V3": good})
plivo("nonce_empty", nonce="", ours=("reject", "a nonce is there"))


def plivo2(case, url="https://hooks.example.com/in/plivo?b=2&a=1", nonce="12345", signature=None, ours=None, key=KEY, **rest):
    signed = b64(mac(url.partition("?")[0] + nonce, key))
    signature = signed if signature is None else signature
    ask(
        "plivo_v2",
        case,
        PLIVO,
        lambda: validate_signature(url, nonce, signature, KEY),
        FORM | {"X-Plivo-Signature-V2": signature, "X-Plivo-Signature-V2-Nonce": nonce},
        b"From=1",
        ours,
        url=url,
        **rest,
    )
    return signed


good = plivo2("query")
for name, url in [
    ("plain", "https://hooks.example.com/in"),
    ("port", "https://hooks.example.com:8443/in?x"),
    ("escaped", "https://hooks.example.com/in%2Fa?x"),
    ("root", "https://hooks.example.com/"),
    ("mark", "https://hooks.example.com/in?"),
    ("http", "http://hooks.example.com/in"),
]:
    plivo2(f"url_{name}", url)
plivo2("other_query", "https://hooks.example.com/in/plivo?c=3", signature=good)
plivo2("other_url", "https://hooks.example.com/in/plivo2", signature=good)
plivo2("other_nonce", nonce="1", signature=good)
plivo2("digit_moved", "https://hooks.example.com/in/plivo1", nonce="2345", signature=good)
plivo2("other_key", key="x")
for case, signature, ours in spoilt(good):
    plivo2(f"signature_{case}", signature=signature, ours=ours)

# --- HubSpot
HUBSPOT = "hubspot-api-client 12.0.0 (PyPI)"


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)


hubspot.utils.signature.datetime = Clock


def hub(
    version,
    case,
    body=BODY,
    url="https://hooks.example.com/in/hubspot",
    method="POST",
    at=str(NOW * 1000),
    signature=None,
    ours=None,
    now=NOW,
    key=KEY,
    keys=None,
    headers=None,
):
    raw = {
        "v1": key.encode() + body,
        "v2": key.encode() + f"{method}{url}".encode() + body,
        "v3": f"{method}{url}".encode() + body + at.encode(),
    }[version]
    signed = b64(mac(raw, key)) if version == "v3" else hashlib.sha256(raw).hexdigest()
    signature = signed if signature is None else signature
    shown = (
        {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": at}
        if version == "v3"
        else {"X-HubSpot-Signature": signature, "X-HubSpot-Signature-Version": version}
    )
    judge = lambda: any(
        hubspot.utils.signature.Signature.is_valid(signature, one, body.decode(), url, method, version, at)
        for one in keys or [KEY]
    )
    ask(
        f"hubspot_{version}",
        case,
        HUBSPOT,
        judge,
        JSON | shown,
        body,
        ours,
        url=url,
        method=method,
        now=now,
        keys=keys or [KEY],
    )
    return signed


for version in ["v1", "v2", "v3"]:
    for name, body in BODIES.items():
        hub(version, f"body_{name}", body, ours=RAW if version == "v3" and name in NOT_UTF8 else None)
    good = hub(version, "good")
    hub(version, "other_body", BODY + b"\n", signature=good)
    hub(version, "other_url", url="https://hooks.example.com/in/hubspot?x", signature=good)
    hub(version, "other_method", method="PUT", signature=good)
    hub(version, "other_key", key="x")
    hub(version, "rotation", keys=["x", KEY])
    for name, url in [
        ("query", "https://hooks.example.com/in?a=1&b=%20x+y"),
        ("port", "https://hooks.example.com:8443/in"),
        ("upper", "https://HOOKS.example.com/in"),
        ("umlaut", "https://hooks.example.com/in?n=J%C3%BCrgen"),
        ("colon", "https://hooks.example.com/in?t=a:b@c"),
    ]:
        hub(version, f"url_{name}", url=url)
    hub(version, "get", b"", method="GET")
    for case, signature, ours in spoilt(good):
        hub(version, f"signature_{case}", signature=signature, ours=ours)
good = hub("v3", "time")
for case, now, ours in [
    ("just_in_time", NOW + 299, None),
    ("at_the_border", NOW + 300, ("accept", "an age of exactly the limit is within it")),
    ("old", NOW + 301, None),
    ("just_not_early", NOW - 60, None),
    ("early", NOW - 61, AHEAD),
    ("very_early", NOW - 4000, AHEAD),
]:
    hub("v3", f"clock_{case}", now=now, ours=ours)
for case, at in [
    ("seconds", str(NOW)),
    ("zero", f"0{NOW}000"),
    ("point", f"{NOW}000.0"),
    ("text", "now"),
    ("empty", ""),
    ("sign", f"+{NOW}000"),
    ("exponent", "1.76e12"),
]:
    hub("v3", f"time_{case}", at=at, ours=TIME)
hub("v3", "time_changed", at=str(NOW * 1000 + 1), signature=good)
hub("v3", "digit_moved", BODY + b"1", at=str(NOW * 1000)[1:], signature=good)

# --- Cloudinary
CLOUD = "cloudinary 1.46.3 (PyPI)"
cloudinary.config(cloud_name="test", api_secret=KEY)


def cloud(alg, case, body=BODY, at=str(NOW), signature=None, now=NOW, ours=None, key=KEY, headers=None):
    signed = hashlib.new(alg, body + at.encode() + key.encode()).hexdigest()
    signature = signed if signature is None else signature
    shown = {"X-Cld-Signature": signature, "X-Cld-Timestamp": at} if headers is None else headers
    ask(
        f"cloudinary_{alg}",
        case,
        CLOUD,
        lambda: headers is None and cloudinary.utils.verify_notification_signature(body.decode(), at, signature, 7200, alg),
        JSON | shown,
        body,
        ours,
        now=now,
        tolerance_s=7200,
    )
    return signed


for alg in ["sha1", "sha256"]:
    for name, body in BODIES.items():
        cloud(alg, f"body_{name}", body)
    good = cloud(alg, "good")
    cloud(alg, "other_body", BODY + b"\n", signature=good)
    cloud(alg, "other_time", at=str(NOW + 1), signature=good)
    cloud(alg, "digit_moved", BODY + b"1", at=str(NOW)[1:], signature=good, ours=CLOCK)
    cloud(alg, "other_key", key="x")
    for case, signature, ours in spoilt(good):
        cloud(alg, f"signature_{case}", signature=signature, ours=ours)
    for case, now, ours in [
        ("just_in_time", NOW + 7200, None),
        ("old", NOW + 7201, None),
        ("just_not_early", NOW - 60, None),
        ("early", NOW - 61, AHEAD),
    ]:
        cloud(alg, f"clock_{case}", now=now, ours=ours)
    for case, at in [
        ("zero", f"0{NOW}"),
        ("sign", f"+{NOW}"),
        ("text", "now"),
        ("bars", f"1_{str(NOW)[1:]}"),
        ("point", f"{NOW}.5"),
    ]:
        cloud(alg, f"time_{case}", at=at, ours=TIME)
    cloud(alg, "no_time", headers={"X-Cld-Signature": good})
    cloud(alg, "no_signature", headers={"X-Cld-Timestamp": str(NOW)})
cloud("sha256", "made_with_sha1", signature=hashlib.sha1(BODY + str(NOW).encode() + KEY.encode()).hexdigest())

# --- Mandrill, as documented
MANDRILL = "the vendor's documented steps, 2026-11"


def mandrill(case, body, url="https://hooks.example.com/in/mandrill?x=1", signature=None, ours=None, key=KEY, headers=None):
    form = urllib.parse.parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    text = url.encode() + b"".join((name + value).encode("latin-1") for name, value in sorted(form))
    signed = b64(mac(text, KEY, "sha1"))
    signature = (b64(mac(text, key, "sha1"))) if signature is None else signature
    ask(
        "mandrill",
        case,
        MANDRILL,
        lambda: headers is None and signature == signed,
        (FORM if headers is None else headers) | {"X-Mandrill-Signature": signature},
        body,
        ours,
        True,
        url=url,
    )
    return signed


EVENTS = urllib.parse.urlencode(
    {
        "mandrill_events": json.dumps(
            [{"event": "send", "_id": "1", "msg": {"subject": "Grüße \U0001f980 a+b"}}], ensure_ascii=False
        )
    }
).encode()
good = mandrill("good", EVENTS)
for name, body in [
    ("escapes", EVENTS.replace(b"%20", b"+")),
    ("two", b"b=2&a=1"),
    ("empty_events", b"mandrill_events=%5B%5D"),
    ("lower_escapes", b"mandrill_events=%5b%5d"),
    ("latin1", b"a=%E9"),
    ("empty_value", b"mandrill_events="),
]:
    mandrill(f"form_{name}", body)
mandrill("other_form", EVENTS + b"1", signature=good)
mandrill("field_added", EVENTS + b"&x=1", signature=good)
mandrill("other_url", EVENTS, url="https://hooks.example.com/in/mandrill", signature=good)
mandrill("other_key", EVENTS, key="test-webhook")
for case, signature, ours in spoilt(good):
    mandrill(f"signature_{case}", EVENTS, signature=signature, ours=ours)
mandrill("json", b"{}", headers=JSON, signature=b64(mac("https://hooks.example.com/in/mandrill?x=1", KEY, "sha1")))

# --- Contentful
CONTENTFUL = "@contentful/node-apps-toolkit 3.16.1 (npm)"
SECRET = "0123456789abcdef" * 4
asked = []


def escaped(path):
    head, _, query = path.partition("?")
    return urllib.parse.quote(
        head + ("?" + urllib.parse.quote(query, safe="-_.!~*'()") if query else ""), safe=";/?:@&=+$,#-_.!~*'()"
    )


def contentful(
    case,
    path="/in/contentful",
    body=BODY,
    method="POST",
    at=str(NOW * 1000),
    extra=None,
    ours=None,
    now=NOW,
    key=SECRET,
    signature=None,
    signed=None,
    drop=(),
    text=None,
    **changed,
):
    headers = {"content-type": "application/json"} | (extra or {})
    names = sorted([*headers, "x-contentful-signed-headers", "x-contentful-timestamp"]) if signed is None else signed
    shown = headers | {"x-contentful-signed-headers": ",".join(names), "x-contentful-timestamp": at}
    listed = ";".join(f"{name}:{shown[name].strip()}" for name in sorted(names) if name in shown)
    made = mac(f"{method}\n{escaped(path)}\n{listed}\n".encode() + body, key).hex()
    shown |= {"x-contentful-signature": made if signature is None else signature} | changed.get("changed", {})
    shown = {name: value for name, value in shown.items() if name not in drop}
    asked.append(
        (
            vector(
                "contentful", case, shown, body, keys=[SECRET], url=f"https://hooks.example.com{path}", method=method, now=now
            ),
            ours,
            path,
        )
    )
    return made


for name, body in BODIES.items():
    contentful(f"body_{name}", body=body, ours=RAW if name in NOT_UTF8 else None)
good = contentful("good")
for name, path in [
    ("root", "/"),
    ("query", "/in?a=1&b=2"),
    ("escaped", "/in%20a?x=%20y"),
    ("plus", "/in?a=b+c"),
    ("marks", "/in;a,b@c:d$e!f~g*h'i(j)"),
    ("umlaut", "/in?n=J%C3%BCrgen"),
    ("slashes", "/a//b/?x=/y/"),
    ("two_marks", "/in?a=1?b=2"),
    ("brackets", "/in?a[]=1"),
    ("mark_alone", "/in?"),
]:
    contentful(
        f"path_{name}",
        path,
        ours=(
            "reject",
            "the library takes what stands before a second question mark for the whole, so that the rest is not signed",
        )
        if name == "two_marks"
        else None,
    )
for method in ["GET", "PUT", "DELETE", "PATCH"]:
    contentful(f"method_{method}", method=method, body=b"" if method == "GET" else BODY)
contentful(
    "more_headers",
    extra={"x-contentful-topic": "ContentManagement.Entry.publish", "x-contentful-crn": "crn:contentful:::content:spaces/x"},
)
contentful("blanks", extra={"x-a": "  b  c "})
contentful("empty_header", extra={"x-a": ""})
contentful("other_body", body=BODY + b"\n", signature=good)
contentful("other_path", path="/in/contentful2", signature=good)
contentful("query_added", path="/in/contentful?x", signature=good)
contentful("other_method", method="PUT", signature=good)
contentful("other_key", key=SECRET[::-1])
contentful("header_changed", changed={"content-type": "text/plain"})
contentful("time_changed", changed={"x-contentful-timestamp": str(NOW * 1000 + 1)})
contentful("unsigned_header", changed={"x-other": "1"})
contentful("signed_header_missing", drop=["content-type"])
contentful("no_list", drop=["x-contentful-signed-headers"])
contentful("no_time", drop=["x-contentful-timestamp"])
contentful("no_signature", drop=["x-contentful-signature"])
contentful(
    "time_not_listed",
    signed=["content-type", "x-contentful-signed-headers"],
    ours=("reject", "a time that is not signed is anybody's"),
)
contentful("list_unsorted", signed=["x-contentful-timestamp", "x-contentful-signed-headers", "content-type"])
contentful(
    "list_in_capitals",
    changed={"x-contentful-signed-headers": "Content-Type,x-contentful-signed-headers,x-contentful-timestamp"},
)
for case, signature, ours in spoilt(good):
    contentful(f"signature_{case}", signature=signature, ours=ours)
PATIENT = ("accept", "thirty seconds are less than clocks differ; the policy says how long")
for case, now, ours in [
    ("29_s", NOW + 29, None),
    ("30_s", NOW + 30, PATIENT),
    ("300_s", NOW + 300, PATIENT),
    ("301_s", NOW + 301, None),
    ("early", NOW - 61, AHEAD),
    ("just_not_early", NOW - 60, None),
]:
    contentful(f"clock_{case}", now=now, ours=ours)
for case, at in [("seconds", str(NOW)), ("text", "now"), ("behind", f"{NOW}000x"), ("zero", f"0{NOW}000")]:
    contentful(f"time_{case}", at=at, ours=TIME)
told = node_says("urls", [line | {"path": path} for line, _, path in asked])
for (line, ours, _), said in zip(asked, told, strict=True):
    judged(line, CONTENTFUL, said["accepts"], ours)
