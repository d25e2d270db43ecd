# /// script
# dependencies = ["http-message-signatures==3.0.0", "http-sf==1.5.0", "cryptography==50.0.2"]
# ///
"""HTTP Message Signatures (RFC 9421, RFC 9530), judged by http-message-signatures. What is signed is composed here by hand, as
section 2.5 says, and not by that library: so each is also a judgement of it."""

import base64
import datetime
import hashlib
import types
import warnings

import http_message_signatures as hms
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from http_message_signatures import signatures

from vector import BODIES, BODY, NOW, b64, judged, vector

LIBRARY = "http-message-signatures 3.0.0 (PyPI)"
URL = "https://hooks.example.com/in/rfc9421?a=1&b=two%20words"


warnings.simplefilter("ignore")


class Clock(datetime.datetime):
    at = NOW

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(cls.at, tz)


signatures.datetime = types.SimpleNamespace(datetime=Clock, timezone=datetime.timezone, timedelta=datetime.timedelta)


class Lines:
    """Field lines in their order."""

    def __init__(self, headers):
        self.lines = [
            (name, line) for name, lines in headers.items() for line in ([lines] if isinstance(lines, str) else lines)
        ]

    def items(self):
        return self.lines


def p1363(key, digest, size):
    def sign(text):
        r, s = decode_dss_signature(key.sign(text, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign


def hmac_of(secret):
    def sign(text):
        mac = hmac.HMAC(secret, hashes.SHA256())
        mac.update(text)
        return mac.finalize()

    return sign


def pem(key, form=serialization.PublicFormat.SubjectPublicKeyInfo):
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


SECRET = bytes(range(64))
ED = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
P256, P384 = ec.derive_private_key(2**200 + 9421, ec.SECP256R1()), ec.derive_private_key(2**300 + 9421, ec.SECP384R1())
RSA = rsa.generate_private_key(65537, 2048)
PSS64 = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
# Name: how it signs, the library's algorithm and key, and the key as an operator has it.
ALGORITHMS = {
    "hmac-sha256": (hmac_of(SECRET), hms.algorithms.HMAC_SHA256, SECRET, {"keys": [b64(SECRET)]}),
    "ed25519": (ED.sign, hms.algorithms.ED25519, ED.public_key(), {"public": [pem(ED)]}),
    "ecdsa-p256-sha256": (
        p1363(P256, hashes.SHA256(), 32),
        hms.algorithms.ECDSA_P256_SHA256,
        P256.public_key(),
        {"public": [pem(P256)]},
    ),
    "ecdsa-p384-sha384": (
        p1363(P384, hashes.SHA384(), 48),
        hms.algorithms.ECDSA_P384_SHA384,
        P384.public_key(),
        {"public": [pem(P384)]},
    ),
    "rsa-pss-sha512": (
        lambda text: RSA.sign(text, PSS64, hashes.SHA512()),
        hms.algorithms.RSA_PSS_SHA512,
        RSA.public_key(),
        {"public": [pem(RSA)]},
    ),
    "rsa-v1_5-sha256": (
        lambda text: RSA.sign(text, padding.PKCS1v15(), hashes.SHA256()),
        hms.algorithms.RSA_V1_5_SHA256,
        RSA.public_key(),
        {"public": [pem(RSA)]},
    ),
}
PARAMETERS = f';created={NOW};keyid="k"'


def digest(body, name="sha-256"):
    return f"{name}=:{b64(hashlib.new(name.replace('-', ''), body).digest())}:"


def base(components, parameters):
    """Section 2.5, of identifiers as they are written and the values that belong to them."""
    lines = [f"{identifier}: {value}" for identifier, value in components]
    covered = " ".join(identifier for identifier, _ in components)
    return "\n".join([*lines, f'"@signature-params": ({covered}){parameters}']), f"({covered}){parameters}"


def judge(
    case, headers, body, alg, *, url=URL, method="POST", now=NOW, ours=None, demanded=None, label=None, tag=None, keys=None
):
    _, algorithm, key, shown = ALGORITHMS[alg]
    config = (
        {"alg": alg}
        | ({"components": demanded} if demanded else {})
        | ({"label": label} if label else {})
        | ({"tag": tag} if tag else {})
    )
    line = vector(
        "rfc9421", case, headers, body, **(keys or shown), config=config, url=url, method=method, now=now, tolerance_s=300
    )
    Clock.at = now
    resolver = hms.MappingKeyResolver(public_keys={"k": key, "other": OTHER.public_key()}, private_keys={})
    verifier = hms.HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=resolver)
    verifier.allow_label_only_selection = True
    message = types.SimpleNamespace(method=method, url=url, headers=Lines(headers))
    # Which parts have to be signed is a policy's to say: without one, a digest that is not signed is none.
    inputs = [text for name, text in message.headers.items() if name.lower() == "signature-input"]
    covers = all("content-digest" in text for text in inputs) and tag != "proxy"
    try:
        verifier.verify(
            message,
            max_age=datetime.timedelta(seconds=300),
            expect_label=label,
            expect_tag=tag,
            require_components=demanded.split() if demanded else (),
            body=body if covers else None,
        )
        accepts = True
    except hms.HTTPMessageSignaturesException:
        accepts = False
    judged(line, LIBRARY, accepts, ours)


def sign(components, alg="ed25519", parameters=PARAMETERS, label="sig1", headers=None, body=BODY, signed=None):
    """Fields with a signature of these components; `signed` is another base, or a change of this one."""
    text, covered = base(components, parameters)
    text = signed(text) if signed else text
    signature = ALGORITHMS[alg][0](text.encode())
    fields = {"Content-Type": "application/json", "Content-Digest": digest(body)} | (headers or {})
    return fields | {"Signature-Input": f"{label}={covered}", "Signature": f"{label}=:{b64(signature)}:"}


def usual(body=BODY, url=URL, method="POST", written=None):
    return [('"@method"', method), ('"@target-uri"', url), ('"content-digest"', written or digest(body))]


def good(
    case,
    components,
    body=BODY,
    alg="ed25519",
    ours=None,
    url=URL,
    method="POST",
    now=NOW,
    parameters=PARAMETERS,
    headers=None,
    **more,
):
    judge(
        case,
        sign(components, alg, parameters, headers=headers, body=body, **more),
        body,
        alg,
        url=url,
        method=method,
        now=now,
        ours=ours,
    )


# Every algorithm, good and broken.
for alg in ALGORITHMS:
    fields = sign(usual(), alg)
    name = alg.replace("_", ".")
    judge(f"{name}/good", fields, BODY, alg)
    good(f"{name}/named", usual(), alg=alg, parameters=f'{PARAMETERS};alg="{alg}"')
    other = next(other for other in ALGORITHMS if other != alg)
    good(f"{name}/another_is_named", usual(), alg=alg, parameters=f'{PARAMETERS};alg="{other}"')
    judge(f"{name}/other_body", fields, BODY + b"\n", alg)
    judge(f"{name}/other_url", fields, BODY, alg, url=URL + "&c")
    raw = base64.b64decode(fields["Signature"].split(":")[1])
    for change, bytes_ in [
        ("flipped", bytes([raw[0] ^ 1]) + raw[1:]),
        ("cut", raw[:-1]),
        ("longer", raw + b"\0"),
        ("zeroes", bytes(len(raw))),
        ("empty", b""),
    ]:
        judge(f"{name}/{change}", fields | {"Signature": f"sig1=:{b64(bytes_)}:"}, BODY, alg)
    good(f"{name}/another_algorithms", usual(), alg=other, parameters=PARAMETERS)
    judge(f"{name}/signed_by_another_algorithm", sign(usual(), other), BODY, alg)
der = P256.sign(base(usual(), PARAMETERS)[0].encode(), ec.ECDSA(hashes.SHA256()))
judge("ecdsa/der", sign(usual(), "ecdsa-p256-sha256") | {"Signature": f"sig1=:{b64(der)}:"}, BODY, "ecdsa-p256-sha256")
longest = RSA.sign(base(usual(), PARAMETERS)[0].encode(), padding.PSS(padding.MGF1(hashes.SHA512()), 190), hashes.SHA512())
judge("pss/another_salt", sign(usual(), "rsa-pss-sha512") | {"Signature": f"sig1=:{b64(longest)}:"}, BODY, "rsa-pss-sha512")
pkcs1 = pem(RSA, serialization.PublicFormat.PKCS1)
judge("key_in_pkcs1", sign(usual(), "rsa-v1_5-sha256"), BODY, "rsa-v1_5-sha256", keys={"public": [pkcs1]})
judge("rotation", sign(usual()), BODY, "ed25519", keys={"public": [pem(OTHER), pem(ED)]})
judge("hmac/public_key_as_secret", sign(usual(), "ed25519"), BODY, "hmac-sha256", keys={"public": [pem(ED)]})

# Bodies, and their digests.
for name, body in BODIES.items():
    good(f"body/{name}", usual(body), body)
both = f"{digest(BODY)}, {digest(BODY, 'sha-512')}"
good("digest/sha-512", usual(written=digest(BODY, "sha-512")), headers={"Content-Digest": digest(BODY, "sha-512")})
good("digest/both", usual(written=both), headers={"Content-Digest": both})
one_wrong = f"{digest(BODY)}, {digest(b'', 'sha-512')}"
good("digest/one_of_two_is_wrong", usual(written=one_wrong), headers={"Content-Digest": one_wrong})
old = "md5=:" + b64(hashlib.md5(BODY).digest()) + ":"
good("digest/md5", usual(written=old), headers={"Content-Digest": old})
UNKNOWN = "RFC 9530 section 5: an algorithm that is unknown or broken counts for nothing, beside one that is good"
good(
    "digest/md5_beside_sha-256",
    usual(written=f"{old}, {digest(BODY)}"),
    headers={"Content-Digest": f"{old}, {digest(BODY)}"},
    ours=UNKNOWN,
)
as_text = 'sha-256="' + b64(hashlib.sha256(BODY).digest()) + '"'
good("digest/a_text", usual(written=as_text), headers={"Content-Digest": as_text})
hexed = f"sha-256=:{hashlib.sha256(BODY).hexdigest()}:"
good("digest/hex", usual(written=hexed), headers={"Content-Digest": hexed})
good("digest/of_another_body", usual(b""), BODY)
upper = digest(BODY).replace("sha-256", "SHA-256")
good("digest/upper_case", usual(written=upper), headers={"Content-Digest": upper})
rest = usual()[:2]
good("digest/sf", [*rest, ('"content-digest";sf', digest(BODY))])
good("digest/sf_other_body", [*rest, ('"content-digest";sf', digest(b"x"))], headers={"Content-Digest": digest(b"x")})
member = digest(BODY).split("=", 1)[1]
good("digest/key", [*rest, ('"content-digest";key="sha-256"', member)])
other_member = digest(b"x").split("=", 1)[1]
good(
    "digest/key_other_body", [*rest, ('"content-digest";key="sha-256"', other_member)], headers={"Content-Digest": digest(b"x")}
)
good("digest/sf_and_key", [*rest, ('"content-digest";sf;key="sha-256"', member)])
good("digest/key_that_is_not_there", [*rest, ('"content-digest";key="sha-512"', member)])

# Derived components.
for name, url, expected in [
    ("upper_case_host", "https://HOOKS.example.COM/in", "hooks.example.com"),
    ("default_port", "https://hooks.example.com:443/in", "hooks.example.com"),
    ("default_port_upper_case", "https://HOOKS.Example.com:443/in", "hooks.example.com"),
    ("other_port", "https://hooks.example.com:8443/in", "hooks.example.com:8443"),
    ("plain_port", "http://hooks.example.com:80/in", "hooks.example.com"),
    ("plain_with_443", "http://hooks.example.com:443/in", "hooks.example.com:443"),
    ("tls_with_80", "https://hooks.example.com:80/in", "hooks.example.com:80"),
    ("address", "https://192.0.2.7/in", "192.0.2.7"),
    ("address6", "https://[2001:db8::7]:443/in", "[2001:db8::7]"),
    ("address6_port", "https://[2001:DB8::7]:8443/in", "[2001:db8::7]:8443"),
    ("port_signed_though_default", "https://hooks.example.com:443/in", "hooks.example.com:443"),
    ("capitals_signed", "https://HOOKS.example.com/in", "HOOKS.example.com"),
    ("other_host", "https://hooks.example.com/in", "hooks.example.org"),
]:
    good(f"authority/{name}", [('"@authority"', expected), usual()[2]], url=url)
    good(f"target-uri/{name}", usual(url=url), url=url)
for name, tail, path, query in [
    ("none", "/in", "/in", "?"),
    ("empty_query", "/in?", "/in", "?"),
    ("root", "/", "/", "?"),
    ("root_without_slash", "", "/", "?"),
    ("root_with_query", "/?q", "/", "?q"),
    ("escapes", "/in%2Fa%20b%c3%bc?q=%2f%2F", "/in%2Fa%20b%c3%bc", "?q=%2f%2F"),
    ("doubled", "//in//?a==b&&c", "//in//", "?a==b&&c"),
    ("dots", "/a/../in?x", "/a/../in", "?x"),
    ("plus", "/in+a?q=a+b", "/in+a", "?q=a+b"),
    ("marks", "/in;v=1,2?a?b/c:@!$'()*", "/in;v=1,2", "?a?b/c:@!$'()*"),
    ("tilde", "/~in?~a", "/~in", "?~a"),
]:
    url = f"https://hooks.example.com{tail}"
    whole = url if tail not in ("",) else url + "/"
    good(f"target/{name}/uri", [('"@target-uri"', whole), usual()[2]], url=url)
    good(f"target/{name}/parts", [('"@path"', path), ('"@query"', query), usual()[2]], url=url)
    good(
        f"target/{name}/request-target",
        [('"@request-target"', tail if tail.startswith("/") else "/" + tail), usual()[2]],
        url=url,
    )
good("scheme/https", [('"@scheme"', "https"), usual()[2]])
good("scheme/other", [('"@scheme"', "http"), usual()[2]])
good("scheme/http", [('"@scheme"', "http"), usual()[2]], url="http://hooks.example.com/in")
for method in ["GET", "PUT", "PATCH", "DELETE", "PURGE"]:
    good(f"method/{method}", usual(method=method), method=method)
good("method/lower_case_signed", usual(method="post"))
good("status", [('"@status"', "200"), usual()[2]])
good("unknown_part", [('"@method"', "POST"), ('"@host"', "hooks.example.com"), usual()[2]])
good("params_covered", [*usual(), ('"@signature-params"', "")])
good("of_a_response", [('"@method";req', "POST"), usual()[2]])

# Query parameters (section 2.2.8).
for name, query, parameter, value in [
    ("plain", "a=1&b=2", "b", "2"),
    ("empty", "a=&b=2", "a", ""),
    ("no_value", "a&b=2", "a", ""),
    ("plus", "a=b+c", "a", "b%20c"),
    ("escaped", "a=b%20c%2fd", "a", "b%20c%2Fd"),
    ("lower_escape_signed", "a=%2f", "a", "%2f"),
    ("umlaut", "name=J%C3%BCrgen", "name", "J%C3%BCrgen"),
    ("name_escaped", "fa%C3%A7ade%22%3A%20=x", "fa%C3%A7ade%22%3A%20", "x"),
    ("name_with_plus", "a+b=x", "a%20b", "x"),
    ("name_not_escaped", "a+b=x", "a b", "x"),
    ("marks", "a=!'()*~-._", "a", "%21%27%28%29*%7E-._"),
    ("marks_as_javascript", "a=!'()*~", "a", "!'()*~"),
    ("twice", "a=1&a=2", "a", "1"),
    ("twice_the_same", "a=1&a=1", "a", "1"),
    ("missing", "a=1", "b", ""),
    ("equals", "a=b=c", "a", "b%3Dc"),
    ("semicolon", "a=1;b=2", "a", "1%3Bb%3D2"),
    ("bracket", "a%5B%5D=1", "a%5B%5D", "1"),
    ("case", "A=1&a=2", "a", "2"),
    ("other_value", "a=1", "a", "2"),
]:
    good(
        f"query-param/{name}",
        [(f'"@query-param";name="{parameter}"', value), usual()[2]],
        url=f"https://hooks.example.com/in?{query}",
    )
good(
    "query-param/two",
    [('"@query-param";name="a"', "1"), ('"@query-param";name="b"', "2"), usual()[2]],
    url="https://hooks.example.com/in?a=1&b=2",
)
good(
    "query-param/one_twice",
    [('"@query-param";name="a"', "1"), ('"@query-param";name="a"', "1"), usual()[2]],
    url="https://hooks.example.com/in?a=1",
)
good("query-param/no_name", [('"@query-param"', "1"), usual()[2]], url="https://hooks.example.com/in?a=1")

# Fields.
D = usual()[2]
for name, field, lines, identifier, value in [
    ("two_lines", "X-Two", ["a", "b"], '"x-two"', "a, b"),
    ("two_lines_other_order", "X-Two", ["b", "a"], '"x-two"', "a, b"),
    ("two_lines_as_one", "X-Two", "a, b", '"x-two"', "a, b"),
    ("two_lines_without_blank", "X-Two", ["a", "b"], '"x-two"', "a,b"),
    ("blanks_around", "X-Blank", "  a  b ", '"x-blank"', "a  b"),
    ("empty", "X-Empty", "", '"x-empty"', ""),
    ("empty_lines", "X-Empty", ["", "a", ""], '"x-empty"', ", a, "),
    ("tab_inside", "X-Tab", "a\tb", '"x-tab"', "a\tb"),
    ("missing", "X-Other", "a", '"x-mine"', "a"),
    ("case_of_name", "x-CASE", "A", '"x-case"', "A"),
    ("capitals_in_identifier", "X-Case", "a", '"X-Case"', "a"),
    ("quotes", "X-Quote", '"a", "b\\"c"', '"x-quote"', '"a", "b\\"c"'),
    ("colon", "X-Colon", "a: b", '"x-colon"', "a: b"),
    ("bytes", "X-Bytes", ["a, b", "c"], '"x-bytes";bs', ":YSwgYg==:, :Yw==:"),
    ("bytes_one", "X-Bytes", "a", '"x-bytes";bs', ":YQ==:"),
    ("bytes_empty", "X-Bytes", "", '"x-bytes";bs', "::"),
    ("bytes_blanks", "X-Bytes", "  a ", '"x-bytes";bs', ":YQ==:"),
    ("bytes_joined", "X-Bytes", ["a", "b"], '"x-bytes";bs', ":YSwgYg==:"),
    ("bytes_parted", "X-Bytes", "a, b", '"x-bytes";bs', ":YQ==:, :Yg==:"),
    ("bytes_and_sf", "X-Bytes", "a", '"x-bytes";bs;sf', ":YQ==:"),
    ("key", "X-Dict", "a=1, b=2;x=1;y=2, c=(a   b)", '"x-dict";key="b"', "2;x=1;y=2"),
    ("key_list", "X-Dict", "a=1, b=2, c=( a   b )", '"x-dict";key="c"', "(a b)"),
    ("key_true", "X-Dict", "a=?1, d", '"x-dict";key="d"', "?1"),
    ("key_last_counts", "X-Dict", "a=1, a=2", '"x-dict";key="a"', "2"),
    ("key_first", "X-Dict", "a=1, a=2", '"x-dict";key="a"', "1"),
    ("key_over_lines", "X-Dict", ["a=1", "b=2"], '"x-dict";key="b"', "2"),
    ("key_no_dictionary", "X-Dict", "a b", '"x-dict";key="a"', "?1"),
    ("sf_priority", "Priority", "u=1,   i", '"priority";sf', "u=1, i"),
    ("sf_priority_raw_signed", "Priority", "u=1,   i", '"priority";sf', "u=1,   i"),
    ("sf_cache_control", "Cache-Control", "max-age=60,   private", '"cache-control";sf', "max-age=60, private"),
    ("sf_item", "Age", "60", '"age";sf', "60"),
    ("sf_list", "Accept", "a/b,   c/d;q=0.5", '"accept";sf', "a/b, c/d;q=0.5"),
    (
        "sf_content_type",
        "Content-Type",
        "application/json;  charset=utf-8",
        '"content-type";sf',
        "application/json;charset=utf-8",
    ),
    ("sf_unknown", "X-Unknown", "a,  b", '"x-unknown";sf', "a, b"),
    ("trailer", "X-Trail", "a", '"x-trail";tr', "a"),
    ("unknown_parameter", "X-Odd", "a", '"x-odd";foo', "a"),
    ("other_value", "X-Mine", "b", '"x-mine"', "a"),
    ("host", "Host", "hooks.example.com", '"host"', "hooks.example.com"),
]:
    headers = {field: lines}
    good(f"field/{name}", [(identifier, value), D], headers=headers)
for name, identifier, value in [("bytes_of_others", '"x-a";bs', ":YQ==:"), ("both", '"x-a"', "a")]:
    good(f"field/{name}", [(identifier, value), ('"x-b"', "b"), D], headers={"X-A": "a", "X-B": "b"})
good("field/twice", [('"content-type"', "application/json"), ('"content-type"', "application/json"), D])
good("field/signed_line_break", [('"x-a"', 'a\n"x-b": b'), D], headers={"X-A": "a", "X-B": "b"})

# Parameters.
AHEAD = "clocks differ: a minute ahead is taken, as of every sender"
for name, parameters, now, ours in [
    ("other_order", f';keyid="k";created={NOW}', NOW, None),
    ("all", f';created={NOW};expires={NOW + 60};nonce="n/+=";keyid="k";tag="app"', NOW, None),
    ("no_created", ';keyid="k"', NOW, None),
    ("no_keyid", f";created={NOW}", NOW, "which key it is follows from the policy; a name for it is not needed"),
    (
        "other_keyid",
        f';created={NOW};keyid="other"',
        NOW,
        "which key it is follows from the policy, unless that names one by `keyid`",
    ),
    ("unknown", f'{PARAMETERS};foo="bar"', NOW, "RFC 9421 section 2.3 lets senders add some; they are signed like all others"),
    ("text_as_created", f';created="{NOW}";keyid="k"', NOW, None),
    ("decimal_as_created", f';created={NOW}.0;keyid="k"', NOW, None),
    ("negative_created", ';created=-1;keyid="k"', NOW, None),
    ("old", PARAMETERS, NOW + 301, "a vendor's library adds five seconds to the age; here it is the policy's"),
    ("just_in_time", PARAMETERS, NOW + 300, None),
    ("very_old", PARAMETERS, NOW + 400, None),
    ("ahead", PARAMETERS, NOW - 60, AHEAD),
    ("five_ahead", PARAMETERS, NOW - 5, None),
    ("far_ahead", PARAMETERS, NOW - 61, None),
    ("expires_now", f"{PARAMETERS};expires={NOW + 10}", NOW + 10, None),
    ("expired_just", f"{PARAMETERS};expires={NOW + 10}", NOW + 11, "an end is an end; the library adds five seconds"),
    ("expired", f"{PARAMETERS};expires={NOW + 10}", NOW + 20, None),
    ("expires_before_created", f"{PARAMETERS};expires={NOW - 10}", NOW, None),
    ("tag_no_text", f"{PARAMETERS};tag=app", NOW, "the policy asks for no tag; what kind of item it is does not matter"),
    (
        "keyid_escaped",
        f';created={NOW};keyid="k\\"\\\\"',
        NOW,
        "which key it is follows from the policy; a name for it is not needed",
    ),
]:
    good(f"parameters/{name}", usual(), parameters=parameters, now=now, ours=ours)
good("parameters/signed_in_another_order", usual(), signed=lambda text: text.replace(PARAMETERS, f';keyid="k";created={NOW}'))
good("parameters/no_last_line", usual(), signed=lambda text: text.rsplit("\n", 1)[0])
good("parameters/a_last_line_break", usual(), signed=lambda text: text + "\n")
good("parameters/crlf", usual(), signed=lambda text: text.replace("\n", "\r\n"))
good("nothing_covered", [], headers={"Content-Digest": digest(BODY)})
good("order_is_the_senders", [usual()[2], usual()[0], usual()[1]])
good(
    "components_swapped",
    usual(),
    signed=lambda text: "\n".join([text.split("\n")[1], text.split("\n")[0], *text.split("\n")[2:]]),
)

# Fields of the signature itself.
fields = sign(usual())
value, covered = fields["Signature"].removeprefix("sig1="), fields["Signature-Input"].removeprefix("sig1=")
SPELLING = "what a structured field would not be written as has two readings"
REPEATED = "a repeated line of a signature's field is refused, of whichever sender"
for name, change, ours in [
    ("no_signature", {"Signature": None}, None),
    ("no_input", {"Signature-Input": None}, None),
    ("other_label", {"Signature": f"sig2={value}"}, None),
    ("label_case", {"Signature": f"Sig1={value}"}, None),
    ("label_with_marks", {"Signature": f"s-1_.*a={value}", "Signature-Input": f"s-1_.*a={covered}"}, None),
    ("a_token", {"Signature": "sig1=abc"}, None),
    ("a_text", {"Signature": f'sig1="{value[1:-1]}"'}, None),
    ("input_is_no_list", {"Signature-Input": 'sig1="a"'}, None),
    ("blanks", {"Signature": f"  sig1={value}  ", "Signature-Input": f" sig1={covered} "}, None),
    (
        "blanks_in_list",
        {"Signature-Input": "sig1=" + covered.replace('" "', '"   "').replace("(", "( ").replace(")", " )")},
        None,
    ),
    ("blank_after_semicolon", {"Signature-Input": "sig1=" + covered.replace(";", "; ")}, None),
    ("blank_around_equals", {"Signature": f"sig1 = {value}"}, None),
    ("unpadded", {"Signature": "sig1=" + value.replace("=", "")}, SPELLING),
    ("base64url", {"Signature": "sig1=" + value.replace("+", "-").replace("/", "_")}, None),
    ("blank_in_base64", {"Signature": "sig1=" + value[:9] + " " + value[9:]}, None),
    ("twice_same_label", {"Signature": f"sig1={value}, sig1={value}"}, None),
    ("twice_same_label_input", {"Signature-Input": f"sig1={covered}, sig1={covered}"}, None),
    ("two_lines_same", {"Signature": [f"sig1={value}", f"sig1={value}"]}, None),
    (
        "two_lines",
        {"Signature": [f"sig1={value}", f"sig0={value}"], "Signature-Input": [f"sig1={covered}", f"sig0={covered}"]},
        None,
    ),
    ("parameter_twice", {"Signature-Input": f'sig1={covered};keyid="k"'}, SPELLING),
    ("empty_signature", {"Signature": ""}, None),
    ("empty_input", {"Signature-Input": ""}, None),
    ("trailing_comma", {"Signature": f"sig1={value},"}, None),
    ("signature_with_parameter", {"Signature": f"sig1={value};a=1"}, None),
    ("component_added", {"Signature-Input": "sig1=" + covered.replace(")", ' "content-type")')}, None),
    ("component_removed", {"Signature-Input": "sig1=" + covered.replace('"@method" ', "")}, None),
    ("created_changed", {"Signature-Input": "sig1=" + covered.replace(str(NOW), str(NOW + 1))}, None),
    ("label_renamed", {"Signature": f"x={value}", "Signature-Input": f"x={covered}"}, None),
]:
    changed = {field: text for field, text in (fields | change).items() if text is not None}
    judge(f"fields/{name}", changed, BODY, "ed25519", ours=ours)

# Several signatures.
first, second = sign(usual(), label="sig1"), sign(usual()[:2], label="proxy", parameters=f'{PARAMETERS};tag="proxy"')
two = first | {name: f"{first[name]}, {second[name]}" for name in ["Signature", "Signature-Input"]}
judge("several/none_is_chosen", two, BODY, "ed25519")
judge("several/by_label", two, BODY, "ed25519", label="sig1")
judge("several/by_tag", two, BODY, "ed25519", tag="proxy")
judge("several/by_tag_that_is_not_there", two, BODY, "ed25519", tag="other")
judge("several/by_label_that_is_not_there", two, BODY, "ed25519", label="sig9")
judge("several/label_covers_enough", two, BODY, "ed25519", label="sig1", demanded='"@method" "content-digest"')
judge("several/label_covers_less", two, BODY, "ed25519", label="proxy", demanded='"@method" "content-digest"')
broken = two | {"Signature": two["Signature"].replace(":", ":AA", 1)}
judge("several/the_chosen_is_broken", broken, BODY, "ed25519", label="sig1")
judge("several/another_is_broken", broken, BODY, "ed25519", label="proxy")
dropped = first | {"Signature-Input": two["Signature-Input"]}
judge(
    "several/one_is_missing",
    dropped,
    BODY,
    "ed25519",
    label="sig1",
    ours="what another signature lacks is no matter of the chosen one",
)

# What has to be covered.
for demanded in [
    '"@method"',
    '"@method" "@target-uri" "content-digest"',
    '"content-type"',
    '"@path"',
    '"@query-param";name="a"',
    '"content-digest";sf',
    '"content-digest";key="sha-256"',
]:
    judge(f"demanded/{demanded}", sign(usual()), BODY, "ed25519", demanded=demanded)
good_param = sign([*usual(), ('"@query-param";name="a"', "1"), ('"content-digest";key="sha-256"', member)])
for demanded in ['"@query-param";name="a"', '"@query-param";name="b"', '"content-digest";key="sha-256"']:
    judge(f"demanded_and_there/{demanded}", good_param, BODY, "ed25519", demanded=demanded)
