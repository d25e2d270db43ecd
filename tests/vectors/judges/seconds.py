# /// script
# dependencies = []
# ///
"""Vendors' libraries for Node judge the requests that those for Python have judged, of every sender that has both. What the gate
says of them is known by then: a second library differs from it with the reason of the first, or with one of its own."""

import json
import pathlib
import re
import subprocess
import sys

from asking import node_says

HERE = pathlib.Path(__file__)
LIBRARIES = HERE.with_suffix(".mjs").read_text()
PINNED = dict(re.findall(r'"(@?[\w/-]+)@([\d.]+)"', LIBRARIES))
SCHEMES = set(re.findall(r"^  (\w+): \[\"", LIBRARIES, re.M))
FIRST = ["discord", "keys", "members", "tokens", "urls"]

SPELLING = "a signature and a digest have one spelling: no other letters, padding, lengths or case, and DER as it is prescribed"
TIME = "a time has one spelling: digits without anything around them"
CRIT = "an extension that has to be understood, and is not, makes a token another format (RFC 7515 section 4.1.11, RFC 7797)"
ALGORITHM = "a token has the algorithm that its vendor uses; the library takes every one that fits the key"
LATER = "a token that is good from a later moment on, or made in the future, is not good yet"
ENDED = "a token that has ended has ended, for more than a second or so; the vendor's other library gives it as little"
MADE = "without a time at which it was made and one at which it ends, both of which the vendor always says, a token has no age"
REASONS = {
    "key_of_small_order": "with a key of small order one signature fits every message",
    "unpadded": SPELLING, "url_letters": SPELLING, "der_with_long_length": SPELLING, "der_with_a_zero_in_front": SPELLING,
    "signature_cut": SPELLING, "signature_longer": SPELLING, "signature_unpadded": SPELLING, "signature_more_padding": SPELLING,
    "last_letter_respelt": SPELLING, "digest_upper": SPELLING,
    "item_big": "a number counts as it is written; the library rounds it",
    "body_latin1": "what is signed are bytes; the library decodes them first",
    "header_b64": CRIT, "header_crit": CRIT, "header_crit_empty": CRIT,
    "alg_HS512": ALGORITHM,
    "nbf_in_30": "clocks differ: a minute ahead is taken, as of every sender",
    "exp_a_minute_ago": ENDED, "exp_past": ENDED, "exp_61_ago": ENDED,
    "livekit/exp_a_minute_ago": "clocks differ by a minute, for which the vendor's library for Python allows, too",
    "exp_text": TIME, "iat_text": TIME, "time_text": TIME, "time_point": TIME,
    "exp_far": "its age ends it, which the policy says",
    "iat_in_61": LATER,
    "no_exp": MADE, "no_nbf": MADE,
    "no_jti": "a token's id proves nothing; the vendor's library for Python does not ask for it",
    "no_kid": "a token that names no key is tried with those that are known",
    "digest_of_nothing": "of an empty body the vendor says no digest",
}  # fmt: skip


def lines():
    """What the first libraries have judged."""
    for name in FIRST:
        ran = subprocess.run([sys.executable, HERE.with_name("run"), name], stdout=subprocess.PIPE, text=True, check=True)
        yield from filter(lambda line: line["scheme"] in SCHEMES, map(json.loads, ran.stdout.splitlines()))


def judged_again(line, said):
    verdict = "accept" if said["accepts"] else "reject"
    ours, because = line.pop("ours", line["expect"]), line.pop("ours_because", None)
    again = line | {"id": f"{line['id']}/npm", "expect": verdict, "why": f"{said['library']} {PINNED[said['library']]} (npm)"}
    if verdict != ours:
        case = line["id"].partition("/")[2]
        reason = because if verdict == line["expect"] else REASONS.get(line["id"]) or REASONS.get(case, "UNEXPLAINED")
        again |= {"ours": ours, "ours_because": reason}
    print(json.dumps(again, ensure_ascii=True))


def main():
    first = list(lines())
    for line, said in zip(first, node_says("seconds", first), strict=True):
        judged_again(line, said)


if __name__ == "__main__":
    main()
