"""Requests of a sender: good ones of many shapes, and broken ones. Each says what a strict reader should say, and why."""
import base64
from dataclasses import dataclass, field

from vector import BODIES, BODY

from .senders import NOW, TIME, WRITTEN, after_whsec

ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
FORM = b"payload=%7B%22id%22%3A%22evt_14%22%7D&a=b+c%20d&a=&%C3%BC"

UPPER = "hexadecimal digits are lower case, as every vendor writes them"
BASE64 = "base64 is canonical: padded, of the usual alphabet, without blanks"
TWICE = "a signature, a time or an id that stands there twice is refused: two readers could disagree about it"
CLOCK = "a signed time is looked at in both directions: five minutes back, one minute ahead"
BYTES = "the bytes as they came are what is signed; the library reads them as a text, or wants JSON, before it looks"
ROTATION = "during a rotation every signature of the header is tried with every key"
SECRET = "a secret is what stands there, but for the line break at the end of its file; one that does not decode is told as such"
PADDING = "the padding of a key says nothing, and gets lost on the way through hands"
READ = "where more of a body counts than its bytes, it is JSON, or at least UTF-8, that can be read in one way only"
OTHERS = "an item that is no signature known here is passed over, and the good one beside it counts"


@dataclass
class Case:
    name: str
    headers: dict
    body: bytes = BODY
    accept: bool = True
    because: str = None
    secrets: list = field(default_factory=list)


def of(s):
    """Every case of a sender."""
    now = s.time(NOW)
    mac = s.mac(now, ID, BODY)
    good = s.encoded(mac)

    def case(name, signatures, body=BODY, accept=False, because=None, t=now, i=ID, secrets=None, headers=None):
        headers = s.headers(t, i, signatures) if headers is None else headers
        return Case(name, headers, s.body(t, body), accept, because, secrets or [s.secret])

    for name, body in (BODIES | {"form": FORM}).items():
        unread = name in s.unread
        yield case(f"body_{name}", [s.encoded(s.mac(now, ID, body))], body, not unread, READ if unread else BYTES)
    for number, secret in enumerate(s.more or odd_secrets(s)):
        yield case(f"secret_{number}", [s.encoded(s.mac(now, ID, BODY, secret))], accept=True, secrets=[secret])
    for name, secret, meant, accept, because in written_secrets(s):
        yield case(f"secret_{name}", [s.encoded(s.mac(now, ID, BODY, meant))], accept=accept, because=because, secrets=[secret])
    bad = s.encoded(s.mac(now, ID, BODY, s.other))
    yield case("other_key", [bad])
    yield case("two_keys_old", [bad], accept=True, secrets=[s.secret, s.other], because=ROTATION)
    yield case("two_keys_new", [good], accept=True, secrets=[s.other, s.secret], because=ROTATION)
    if s.many:
        yield case("two_signatures_first", [good, bad], accept=True, because=ROTATION)
        yield case("two_signatures_second", [bad, good], accept=True, because=ROTATION)
        yield case("two_signatures_none", [bad, bad])
    headers = s.headers(now, ID, [good])
    for name, how in {"lower": str.lower, "upper": str.upper}.items():
        yield case(f"names_{name}_case", [], accept=True, headers={how(key): value for key, value in headers.items()})
    yield case("body_flipped", [good], BODY[:-1] + b"|")
    yield case("body_emptied", [good], b"")
    yield case("body_newline_added", [good], BODY + b"\n", because=BYTES)
    yield case("body_bom_added", [good], b"\xef\xbb\xbf" + BODY, because=BYTES)
    yield case("body_blanks", [good], BODY.replace(b":", b": "), because=BYTES)
    yield from broken(s, case, headers, mac, good, bad)
    if s.timed:
        yield from timed(s, case, good)


def odd_secrets(s):
    if s.secret.startswith("whsec_") and s.scheme != "stripe":
        raw = [base64.b64encode(bytes(range(size))).decode() for size in (24, 32, 64)]
        # OpenAI's library takes what has no prefix as a text; the others do not mind.
        return [*("whsec_" + text for text in raw), *([] if s.scheme == "openai" else raw[1:2])]
    if s.scheme in ("finch", "airtable"):
        return [base64.b64encode(bytes(range(size))).decode() for size in (24, 32, 33, 64)]
    return ["x" * 200, "p\"'<>&amp;%20+/=\\$", "0" * 32, "a blank and\ta tab", *([] if s.scheme == "viber" else ["Schlüssel-größer-鍵-🔑"])]


def written_secrets(s):
    """A secret as hands and files spoil it, the one that is meant, what a strict reader says of it, and why."""
    yield "with_line_break", s.secret + "\n", s.secret, False, SECRET
    yield "behind_a_blank", " " + s.secret, s.secret, False, SECRET
    if s.key not in (after_whsec, base64.b64decode):
        return
    prefix = "whsec_" if s.key is after_whsec else ""
    bare = s.secret.removeprefix(prefix)
    yield "with_line_break_inside", f"{prefix}{bare[:8]}\n{bare[8:]}", s.secret, False, SECRET
    yield "with_more_padding", s.secret + "==", s.secret, False, SECRET
    padded = prefix + base64.b64encode(bytes(range(200, 225))).decode()
    yield "unpadded", padded.rstrip("="), padded, True, PADDING
    yield "url_safe", padded.replace("+", "-").replace("/", "_"), padded, False, SECRET
    if prefix:
        yield "prefix_twice", prefix + s.secret, s.secret, False, SECRET
        yield "prefix_upper", prefix.upper() + bare, s.secret, False, SECRET


def broken(s, case, headers, mac, good, bad):
    changed = ("1" if good[0] != "1" else "2") + good[1:]
    yield case("signature_changed", [changed])
    yield case("signature_cut", [good[:-1]], because=WRITTEN)
    yield case("signature_half", [good[: len(good) // 2]])
    yield case("signature_longer", [good + good[:2]], because=WRITTEN)
    yield case("signature_odd_digit", [good + "a"], because=WRITTEN)
    yield case("signature_empty", [""])
    yield case("signature_of_nothing", [s.encoded(b"")])
    yield case("signature_word", ["undefined"])
    yield case("signature_upper", [good.upper()], because=UPPER)
    yield case("signature_blank_inside", [good[:4] + " " + good[4:]], because=BASE64 if "base" in s.enc else UPPER)
    # What is around a value HTTP itself takes away.
    alone = not s.prefix and s.write is None
    yield case("signature_blank_before", [" " + good], accept=alone, because=WRITTEN)
    yield case("signature_quoted", [f'"{good}"'], because=WRITTEN)
    other = "sha512" if s.alg == "sha256" else "sha256"
    yield case("other_digest", [s.encoded(s.mac(s.time(NOW), ID, BODY, alg=other))])
    yield case("sha1_digest" if s.alg != "sha1" else "md5_digest",
               [s.encoded(s.mac(s.time(NOW), ID, BODY, alg="sha1" if s.alg != "sha1" else "md5"))])
    if s.enc == "hex":
        yield case("written_as_base64", [base64.b64encode(mac).decode()])
    else:
        yield case("written_as_hex", [mac.hex()])
        text = base64.b64encode(mac).decode()
        if s.enc == "base64":
            yield case("without_padding", [text.rstrip("=")], because=BASE64)
            # Of the last character four bits are signed for, and the others nobody looks at.
            last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            loose = text[:-2] + last[last.index(text[-2]) | 1] + "="
            yield case("loose_bits", [loose], because=BASE64) if loose != text else case("loose_bits", [changed])
            # One whose text shows which alphabet it is of.
            body = next(b for b in (BODY + b" " * n for n in range(1, 99))
                        if {"+", "/"} & set(s.encoded(s.mac(s.time(NOW), ID, b))))
            safe = s.encoded(s.mac(s.time(NOW), ID, body)).replace("+", "-").replace("/", "_")
            yield case("url_safe", [safe], body, because=BASE64)
        else:
            yield case("with_padding", [text.replace("+", "-").replace("/", "_")], because=BASE64)
    if s.prefix:
        for name, prefix in {"none": "", "upper": s.prefix.upper(), "other": "v9" + s.prefix[-1], "twice": s.prefix * 2}.items():
            if s.many:
                yield case(f"prefix_{name}", [], headers=headers | {s.header: prefix + good}, because=WRITTEN)
            else:
                yield case(f"prefix_{name}", [], headers=headers | {s.header: prefix + good}, because=WRITTEN)
    for key in filter(None, dict.fromkeys([s.header, s.time_header, s.id_header])):
        said = headers[key]
        yield case(f"no_{key}", [], headers={name: value for name, value in headers.items() if name != key})
        yield case(f"empty_{key}", [], headers=headers | {key: ""})
        wrong = said.replace(good, bad)
        for name, lines in {"twice": [said, said], "bad_then_good": [wrong, said], "good_then_bad": [said, wrong]}.items():
            yield case(f"{name}_{key}", [], accept=s.repeated, because=TWICE, headers=headers | {key: lines})
    if s.id_header:
        yield case("other_id", [], headers=headers | {s.id_header: ID + "x"})
        moved = ID[:-1]
        yield case("id_moved", [], headers=headers | {s.id_header: moved})
    if s.many and s.write is None and s.separator == " ":
        yield case("other_versions_beside", [], accept=True, headers=headers | {s.header: f"v1a,{bad} {s.prefix}{good} v2,{bad}"})
        yield case("other_versions_alone", [], headers=headers | {s.header: f"v2,{good} v1a,{good}"}, because=WRITTEN)
        yield case("comma_for_blank", [], headers=headers | {s.header: f"{s.prefix}{bad},{s.prefix}{good}"}, because=WRITTEN)


def timed(s, case, good):
    def signed(name, t, accept=False, because=None):
        return case(name, [s.encoded(s.mac(t, ID, BODY))], accept=accept, because=because, t=t)

    age = s.age
    yield signed("as_old_as_may_be", s.time(NOW - age), True)
    yield signed("a_second_too_old", s.time(NOW - age - 1), because=CLOCK)
    yield signed("a_day_old", s.time(NOW - 86400), because=CLOCK)
    yield signed("a_minute_ahead", s.time(NOW + 60), True, CLOCK)
    yield signed("more_than_a_minute_ahead", s.time(NOW + 61), because=CLOCK)
    yield signed("a_day_ahead", s.time(NOW + 86400), because=CLOCK)
    yield case("other_time", [good], t=s.time(NOW + 1))
    if s.time in (str,) or s.time(NOW).isdigit():
        now = s.time(NOW)
        ways = {"zero": "0" + now, "plus": "+" + now, "minus": "-" + now, "point": now + ".0", "word": "now", "none": "",
                "exponent": "176e7", "letters": now + "abc", "underscore": now[:3] + "_" + now[3:], "zeroes": "0", "huge": "9" * 30}
        for name, t in ways.items():
            yield signed(f"time_{name}", t, because=TIME)
        off = now + "000" if len(now) == 10 else now[:-3]
        yield signed("time_other_unit", off, because=CLOCK)
    if s.odd:
        for name, header, accept, because in s.odd(s.time(NOW), good):
            yield case(name, [], headers={s.header: header} | s.also, accept=accept, because=because)
    elif s.write and "=" in s.write("1", ["2"]):
        yield from items(s, case, good)


def items(s, case, good):
    """Headers of names and values."""
    now = s.time(NOW)
    text = s.write(now, [good])
    comma = {True: ", ", False: None}[", " in text] or next(c for c in ",;&" if c in text)
    time, signature = text.split(comma)
    name, item = time.split("=")[0], signature.split("=")[0]
    old = s.time(NOW - 100_000)
    aged = s.encoded(s.mac(old, ID, BODY))

    def written(case_name, header, accept=False, because=None):
        return case(case_name, [], headers={s.header: header} | s.also, accept=accept, because=because)

    yield written("items_no_time", signature)
    yield written("items_no_signature", time)
    yield written("items_other_name", comma.join([time, f"v7={good}"]), because=WRITTEN)
    yield written("items_time_twice_alike", comma.join([time, time, signature]), because=TWICE)
    yield written("items_time_old_first", comma.join([f"{name}={old}", time, signature]), because=TWICE)
    yield written("items_time_old_last", comma.join([time, f"{name}={old}", signature]), because=TWICE)
    yield written("items_old_signed_time_first", comma.join([time, f"{name}={old}", f"{item}={aged}"]), because=TWICE)
    yield written("items_old_signed_time_last", comma.join([f"{name}={old}", time, f"{item}={aged}"]), because=TWICE)
    if s.many:
        yield written("items_unknown_beside", comma.join([time, f"v9={good[:8]}", signature]), True, OTHERS)
        yield written("items_empty_beside", comma.join([time, f"{item}=", signature]), True, OTHERS)
        yield written("items_comma_at_the_end", comma.join([time, signature, ""]), True, OTHERS)
    yield written("items_without_equals", comma.join([time, good]))
    yield written("items_blank_around_equals", comma.join([time, f"{item} = {good}"]), because=WRITTEN)
    yield written("items_names_upper", comma.join([time, f"{item.upper()}={good}"]), because=WRITTEN)
