"""How senders without a token are asked about, and what the gate says otherwise than their libraries."""

import base64
import hmac
import json
import os
import pathlib
import subprocess
import time

from vector import BODY, NOW, b64, judged, vector

CLOCK = ("reject", "the vendor's library does not look so; a captured request would be good for ever")
AHEAD = ("reject", "a time of more than a minute ahead is of no clock that is right")
TIME = ("reject", "a time has one spelling: digits without anything around them")
SPELLING = (
    "reject",
    "a signature has one spelling: small hexadecimal digits, or base64 with its padding and nothing else in it",
)
STRICT = ("reject", "a document that two readers could read in two ways is refused")
RAW = ("accept", "what is signed are bytes; the library decodes them first")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
KEY = "secret-of-a-test-1"


def mac(text, key=KEY, digest="sha256"):
    return hmac.new(
        key.encode() if isinstance(key, str) else key, text if isinstance(text, bytes) else text.encode(), digest
    ).digest()


def ask(scheme, case, library, judge, headers, body=BODY, ours=None, doc=False, **rest):
    """`judge` says what the library says of it; one that throws refuses."""
    now = rest.get("now", NOW)
    time.time = lambda: now
    try:
        accepts = bool(judge())
    except Exception:
        accepts = False
    rest.setdefault("keys", [KEY])
    judged(vector(scheme, case, headers, body, **rest), library, accepts, ours, doc)


def node_says(judge, lines):
    """What the libraries of `judge`.mjs say of each line: `library`, `accepts`. All at once, for a library is slow to load."""
    command = ["node", pathlib.Path(__file__).with_name(f"{judge}.mjs")]
    given = "".join(json.dumps(line) + "\n" for line in lines)
    ran = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith('{"library"')]


def spoilt(good):
    """A signature in base64 or hexadecimal, and what comes of it."""
    yield from [
        ("cut", good[:-1], None),
        ("empty", "", None),
        ("longer", good + "A", SPELLING),
        ("other", ("B" if good[0] != "B" else "C") + good[1:], None),
    ]
    if good.endswith("="):
        yield from [
            ("unpadded", good.rstrip("="), SPELLING),
            ("hex", base64.b64decode(good).hex(), SPELLING),
            ("more_padding", good + "=", SPELLING),
        ]
    else:
        yield from [("capitals", good.upper(), SPELLING), ("base64", b64(bytes.fromhex(good)), None)]
