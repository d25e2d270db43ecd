"""One request that a vendor's own library has judged, as a line for tests/vectors/judged/. Nothing of Hookwarden is used."""

import base64
import json

NOW = 1760000000
BODY = b'{"id":"evt_0001","type":"invoice.paid","data":{"amount":1999}}'

# Bodies whose bytes are easily lost on the way to a signature.
BODIES = {
    "json": BODY,
    "empty": b"",
    "blank": b" ",
    "umlaut": '{"id":"evt_2","name":"Jürgen Größe"}'.encode(),
    "emoji": '{"id":"evt_3","text":"\U0001f980 \U0001f468‍\U0001f469‍\U0001f467"}'.encode(),
    "escapes": b'{"id":"evt_4","text":"\\u00fc\\ud83e\\udd80\\/"}',
    "pretty": b'{\n  "id": "evt_5",\n  "amount": 1.0\n}',
    "crlf": b'{\r\n  "id": "evt_6"\r\n}\r\n',
    "newline": b'{"id":"evt_7"}\n',
    "bom": b'\xef\xbb\xbf{"id":"evt_8"}',
    "separators": '{"id":"evt_9","text":"\u2028\u2029\u0085"}'.encode(),
    "nul": b'{"id":"evt_10"}\x00',
    "number": b'{"id":"evt_11","amount":18.0,"big":12345678901234567890}',
    "latin1": b'{"id":"evt_12","name":"J\xfcrgen"}',
    "big": b'{"id":"evt_13","text":"' + b"x" * 3000 + b'"}',
}
NOT_UTF8 = {"latin1"}


def b64(raw):
    return base64.b64encode(raw).decode()


def vector(
    scheme, case, headers, body=BODY, *, keys=(), public=(), config=None, url=None, method="POST", now=NOW, tolerance_s=None
):
    """A request; `library`, `says` and maybe `ours` are still to come."""
    line = {"id": f"{scheme}/{case}", "scheme": scheme}
    line |= {"secrets": list(keys)} if keys else {}
    line |= {"public_keys": list(public)} if public else {}
    line |= {"config": config} if config else {}
    return line | {
        "method": method,
        "url": url or f"https://hooks.example.com/in/{scheme}",
        "headers": headers,
        "body_base64": b64(body),
        "now_unix": now,
        "tolerance_s": tolerance_s,
    }


def judged(line, library, accepts, ours=None, doc=False):
    """Prints it. `ours` is a reason why the gate says the other thing of it; or what it says, and the reason if that is another."""
    verdict = "accept" if accepts else "reject"
    line = line | {"expect": verdict, "confirmed_by": "doc" if doc else "sdk", "why": library}
    other, why = ours if isinstance(ours, tuple) else ("reject" if accepts else "accept", ours)
    if why and other != verdict:
        line |= {"ours": other, "ours_because": why}
    print(json.dumps(line, ensure_ascii=True))
