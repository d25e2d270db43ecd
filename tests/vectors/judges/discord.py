# /// script
# dependencies = ["discord-interactions==0.4.0", "PyNaCl==1.6.2"]
# ///
"""Discord: Ed25519 of time and body, judged by discord-interactions."""

import contextlib
import io

from discord_interactions import verify_key
from nacl.signing import SigningKey

from vector import BODIES, BODY, NOW, judged, vector

LIBRARY = "discord-interactions 0.4.0 (PyPI)"
KEY, OTHER = SigningKey(bytes(range(32))), SigningKey(bytes(range(1, 33)))
PUBLIC = KEY.verify_key.encode().hex()
UPPER = "hexadecimal digits are lower case, as the vendor writes them"
CLOCK = "the vendor's library looks at no clock; a captured request would be good for ever"
TIME = "a time is a number of seconds, which the vendor always sends; text of another kind has no age"


def sign(time, body, key=KEY):
    return key.sign(time.encode() + body).signature.hex()


def judge(case, time=str(NOW), body=BODY, signature=None, ours=None, public=PUBLIC, now=NOW, headers=None):
    signature = sign(time, body) if signature is None else signature
    if headers is None:
        headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": time}
    line = vector("discord", case, headers | {"Content-Type": "application/json"}, body, public=[public], now=now)
    with contextlib.redirect_stdout(io.StringIO()):
        accepts = verify_key(body, signature, time, public)
    judged(line, LIBRARY, accepts, ours)


for name, body in BODIES.items():
    judge(f"body_{name}", body=body)
good = sign(str(NOW), BODY)
judge("flipped_body", body=BODY[:-1] + b"|", signature=good)
judge("newline_added", body=BODY + b"\n", signature=good)
judge("bom_added", body=b"\xef\xbb\xbf" + BODY, signature=good)
judge("other_time", time=str(NOW + 1), signature=good)
judge("digit_moved_into_the_body", time=str(NOW)[:-1], body=b"0" + BODY, signature=good, ours=CLOCK)
judge("other_key", signature=sign(str(NOW), BODY, OTHER))
judge("upper_case", signature=good.upper(), ours=UPPER)
judge("blank_in_hex", signature=good[:2] + " " + good[2:], ours=UPPER)
judge("cut", signature=good[:-2])
judge("longer", signature=good + "00")
judge("empty", signature="")
judge("zeroes", signature="00" * 64)
judge("old", now=NOW + 301, ours=CLOCK)
judge("just_in_time", now=NOW + 300)
judge("just_not_early", now=NOW - 60)
judge("early", now=NOW - 61, ours=CLOCK)
judge("time_has_a_point", time=f"{NOW}.0", ours=TIME)
judge("time_is_text", time="now", ours=TIME)
judge("time_has_a_zero", time=f"0{NOW}", ours=TIME)
order = 2**252 + 27742317777372353535851937790883648493
high = int.from_bytes(bytes.fromhex(good)[32:], "little") + order
judge("s_beyond_the_order", signature=good[:64] + high.to_bytes(32, "little").hex())
# A key of small order: with it the signature (R = key, s = 0) fits any message, wherever that is not looked at.
small = "01" + "00" * 31
judge("key_of_small_order", public=small, signature=small + "00" * 32)
